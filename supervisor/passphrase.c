/* The machine's passphrase. Runs as the person who typed it, root or the machine's owner, in the foreground; the supervisor itself never
 * sees a passphrase. A death in the middle leaves the old file or the new one. */
#include "supervisor/passphrase.h"

#include "actors/base/crypto/crypto.h"
#include "proto/formats.h"
#include "actors/base/memory/memory.h"
#include "actors/base/prompt/prompt.h"
#include "supervisor/config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const uint8_t head[12] = {'W', 'A', 'R', 'R', 'E', 'N', 'U', 'L', 1, 18, 8, 1};

enum {
	AT_SALT = 12,
	AT_NONCE = 44,
	AT_LENGTH = 56,
	AT_CHECK = 60,
	AT_SEALED = 92,
	SALT = AT_NONCE - AT_SALT,
	SEALED_MOST = AT_SEALED + UNLOCK_MOST + SEAL_TAG,
};

int scrypt_lock(const struct machine *machine, struct why *why)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(machine->own, "scrypt.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && fcntl(fd, F_SETLK, &lock) != 0) {
		fprintf(stderr, "another passphrase is at work on this machine; waiting for it\n");
		while (fcntl(fd, F_SETLKW, &lock) != 0)
			if (errno != EINTR) {
				close(fd);
				fd = -1;
				break;
			}
	}
	if (fd < 0)
		refuse(why, "%s/machine/scrypt.lock: %s", machine->root, strerror(errno));
	return fd;
}

/* -- the file ---------------------------------------------------------------------------------- */

static bool file_read(const struct machine *machine, uint8_t file[SEALED_MOST], size_t *length,
		      struct why *why)
{
	struct stat at;
	char newer[FORMAT_SENTENCE];
	int fd = openat(machine->own, UNLOCK_SEALED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return refuse(why,
			      "%s/machine/" UNLOCK_SEALED
			      ": %s; a passphrase is set with: warrend --root %s passphrase",
			      machine->root, strerror(errno), machine->root);
	ssize_t got = fstat(fd, &at) == 0 ? read(fd, file, SEALED_MOST) : -1;
	close(fd);
	if (got < 0 || !S_ISREG(at.st_mode) || at.st_uid != machine->own_uid || (at.st_mode & 077))
		return refuse(why,
			      "%s/machine/" UNLOCK_SEALED
			      " must be a file of ours with mode 0400; chown and chmod it",
			      machine->root);
	*length = (size_t)got;
	uint32_t secret = got < AT_SEALED
				  ? 0
				  : (uint32_t)file[AT_LENGTH] << 24 | (uint32_t)file[AT_LENGTH + 1] << 16 |
					    (uint32_t)file[AT_LENGTH + 2] << 8 | file[AT_LENGTH + 3];
	if (got > AT_LENGTH && memcmp(file, head, 8) == 0 && file[8] > FORMAT_unlock)
		return refuse(why, "%s",
			      format_newer("machine/" UNLOCK_SEALED, file[8], FORMAT_unlock, newer));
	if (memcmp(file, head, sizeof head) != 0 || secret < UNLOCK_LEAST || secret > UNLOCK_MOST ||
	    *length != AT_SEALED + secret + SEAL_TAG)
		return refuse(why,
			      "%s/machine/" UNLOCK_SEALED
			      " is damaged, or of another version: restore it from your backup",
			      machine->root);
	return true;
}

static void check_of(const struct unlock *unlock, uint8_t check[CHECK_BYTES])
{
	static const char info[] = "warren unlock check";
	hkdf_sha256(unlock->page, unlock->length, NULL, 0, info, sizeof info - 1, check, CHECK_BYTES);
}

bool unlock_fits(const struct unlock *unlock, const uint8_t check[CHECK_BYTES])
{
	uint8_t own[CHECK_BYTES];
	if (unlock->length < UNLOCK_LEAST)
		return false;
	check_of(unlock, own);
	return same_bytes(own, check, sizeof own);
}

/* A sealer under the passphrase and the file's salt. NULL: no memory for scrypt. */
static struct sealer *sealer_of(const struct machine *machine, const struct unlock *passphrase,
				const uint8_t *file, struct why *why)
{
	uint8_t key[SEAL_KEY];
	int lock = scrypt_lock(machine, why);
	if (lock < 0)
		return NULL;
	bool done =
		crypto_pwhash_scryptsalsa208sha256_ll(passphrase->page, passphrase->length, file + AT_SALT,
						      SALT, 1U << 18, 8, 1, key, sizeof key) == 0;
	close(lock);
	struct sealer *sealer = done ? sealer_new(key) : NULL;
	if (!done)
		refuse(why, "there are no 256 MiB of memory for the passphrase: %s", strerror(errno));
	wipe(key, sizeof key);
	return sealer;
}

/* -- asking ------------------------------------------------------------------------------------ */

bool passphrase_ask(const char *question, struct unlock *line, struct why *why)
{
	if (!unlock_new(line))
		return refuse(why, "there is no memory that can be locked: %s", strerror(errno));
	enum prompt_end end =
		prompt_secret(STDIN_FILENO, STDERR_FILENO, question, (char *)line->page, PROMPT_MOST);
	line->length = end == PROMPT_OK ? strlen((char *)line->page) : 0;
	return end == PROMPT_OK || refuse(why, "%s", prompt_sentence(end));
}

static bool open_sealed(const struct machine *machine, struct unlock *unlock, struct why *why)
{
	uint8_t file[SEALED_MOST];
	size_t length;
	struct unlock line = {0};
	if (!file_read(machine, file, &length, why))
		return false;
	struct sealer *sealer = NULL;
	if (passphrase_ask("passphrase of this machine (not shown): ", &line, why))
		sealer = sealer_of(machine, &line, file, why);
	unlock_forget(&line);
	if (!sealer)
		return false;
	bool opened = unlock_new(unlock);
	unlock->length = length - AT_SEALED - SEAL_TAG;
	if (!opened)
		refuse(why, "there is no memory that can be locked: %s", strerror(errno));
	else if (!(opened = unseal(sealer, file + AT_NONCE, file, AT_SEALED, file + AT_SEALED, unlock->length,
				   unlock->page)))
		refuse(why, "that is not the passphrase, or %s/machine/" UNLOCK_SEALED " was changed",
		       machine->root);
	sealer_free(&sealer);
	if (!opened)
		unlock_forget(unlock);
	return opened;
}

static bool asks(const struct config *config)
{
	return strcmp(config->values[SETTING_unlock].text, "ask") == 0;
}

/* Who has a passphrase and did not say so in the configuration is told, not told to restore a backup. */
static bool load_file(const struct machine *machine, struct unlock *unlock, struct why *why)
{
	char own[ROOT_TEXT + 16];
	snprintf(own, sizeof own, "%s/machine", machine->root);
	if (unlock_load(unlock, machine->own, own, why))
		return true;
	if (faccessat(machine->own, UNLOCK_SEALED, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    faccessat(machine->own, "unlock", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		refuse(why,
		       "the unlock secret is under a passphrase: %s/etc/warren.conf must say  unlock = "
		       "\"ask\";",
		       machine->root);
	return false;
}

bool unlock_obtain(const struct machine *machine, const struct config *config, struct unlock *unlock,
		   struct why *why)
{
	return asks(config) ? open_sealed(machine, unlock, why) : load_file(machine, unlock, why);
}

bool unlock_begin(const struct machine *machine, const struct config *config, struct unlock *unlock,
		  bool *locked, uint8_t check[CHECK_BYTES], struct why *why)
{
	uint8_t file[SEALED_MOST];
	size_t length;
	*locked = asks(config);
	if (!*locked)
		return load_file(machine, unlock, why);
	if (!file_read(machine, file, &length, why))
		return false;
	memcpy(check, file + AT_CHECK, CHECK_BYTES);
	return true;
}

/* -- warrend passphrase ------------------------------------------------------------------------ */

static bool new_passphrase(struct unlock *line, struct why *why)
{
	struct unlock again = {0};
	if (!passphrase_ask("new passphrase of this machine (not shown): ", line, why))
		return false;
	if (line->length < PASSPHRASE_LEAST)
		return refuse(why, "a machine's passphrase has at least %d characters", PASSPHRASE_LEAST);
	bool same = true;
	if (prompt_is_terminal(STDIN_FILENO))
		same = passphrase_ask("the same again: ", &again, why) &&
		       (strcmp((char *)line->page, (char *)again.page) == 0 ||
			refuse(why, "the two are not the same"));
	unlock_forget(&again);
	return same;
}

static bool file_write(const struct machine *machine, const uint8_t *file, size_t length, struct why *why)
{
	static const char name[] = UNLOCK_SEALED ".new";
	unlinkat(machine->own, name, 0);
	int fd = openat(machine->own, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	bool whole = fd >= 0 && write(fd, file, length) == (ssize_t)length && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	int folder = openat(machine->own, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	whole = whole && folder >= 0 && renameat(machine->own, name, machine->own, UNLOCK_SEALED) == 0 &&
		fsync(folder) == 0;
	/* Only now may the secret that lay open go. */
	whole = whole && (unlinkat(machine->own, "unlock", 0) == 0 || errno == ENOENT) && fsync(folder) == 0;
	if (folder >= 0)
		close(folder);
	return whole || refuse(why, "%s/machine/" UNLOCK_SEALED ": %s", machine->root, strerror(errno));
}

static bool seal_under(const struct machine *machine, const struct unlock *unlock, const struct unlock *line,
		       struct why *why)
{
	uint8_t file[SEALED_MOST];
	memcpy(file, head, sizeof head);
	random_bytes(file + AT_SALT, AT_LENGTH - AT_SALT);
	for (int i = 0; i < 4; i++)
		file[AT_LENGTH + i] = (uint8_t)(unlock->length >> (24 - 8 * i));
	check_of(unlock, file + AT_CHECK);
	struct sealer *sealer = sealer_of(machine, line, file, why);
	if (!sealer)
		return false;
	seal(sealer, file + AT_NONCE, file, AT_SEALED, unlock->page, unlock->length, file + AT_SEALED);
	sealer_free(&sealer);
	return file_write(machine, file, AT_SEALED + unlock->length + SEAL_TAG, why);
}

static struct config *load_config(const struct machine *machine, struct why *why)
{
	char etc[ROOT_TEXT + 8];
	struct mistakes mistakes = {0};
	snprintf(etc, sizeof etc, "%s/etc", machine->root);
	struct config *config = config_load(machine->etc, etc, &mistakes);
	if (!config)
		mistakes_print(&mistakes, stderr);
	if (!config)
		refuse(why, "%u mistakes in the configuration; mend them first", mistakes.count);
	mistakes_end(&mistakes);
	return config;
}

static int ended(bool fine, const char *what, const struct why *why)
{
	if (!fine)
		fprintf(stderr, "%s: %s\n", what, why->text);
	return fine ? 0 : 1;
}

int verb_passphrase(const struct machine *machine)
{
	struct why why = {"?"};
	struct unlock unlock = {0}, line = {0};
	struct config *config = load_config(machine, &why);
	bool set = config && faccessat(machine->own, UNLOCK_SEALED, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		   faccessat(machine->own, "unlock", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	bool fine = config &&
		    (set ? open_sealed(machine, &unlock, &why) : load_file(machine, &unlock, &why)) &&
		    new_passphrase(&line, &why) && seal_under(machine, &unlock, &line, &why);
	if (fine)
		printf("the unlock secret of %s is under your passphrase%s\n", machine->root,
		       asks(config) ? "" : "; now etc/warren.conf must say  unlock = \"ask\";");
	unlock_forget(&line);
	unlock_forget(&unlock);
	config_free(&config);
	return ended(fine, "the passphrase was not set", &why);
}

/* -- warrend unlock ---------------------------------------------------------------------------- */

/* Length, then the secret; the answer is one byte. */
static bool hand_over(int fd, const struct unlock *unlock, struct why *why)
{
	uint32_t length = (uint32_t)unlock->length;
	char answer = 0;
	if (send(fd, &length, sizeof length, MSG_NOSIGNAL) != sizeof length ||
	    send(fd, unlock->page, unlock->length, MSG_NOSIGNAL) != (ssize_t)unlock->length ||
	    read(fd, &answer, 1) != 1)
		return refuse(why, "the supervisor did not take it: %s", strerror(errno));
	return answer == 'Y' || refuse(why, "the supervisor runs on another unlock secret than this one");
}

int verb_unlock(const struct machine *machine)
{
	struct why why = {"?"};
	struct unlock unlock = {0};
	struct config *config = load_config(machine, &why);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length =
		snprintf(address.sun_path, sizeof address.sun_path, "%s/run/" SOCKET_UNLOCK, machine->root);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool fine = config &&
		    (asks(config) || refuse(&why, "nothing here is locked: etc/warren.conf does not say "
						  " unlock = \"ask\";"));
	fine = fine && length < (int)sizeof address.sun_path;
	if (fine && (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0))
		fine = refuse(&why, "%s is not running, or not locked: %s", machine->root, strerror(errno));
	fine = fine && open_sealed(machine, &unlock, &why) && hand_over(fd, &unlock, &why);
	if (fine)
		printf("%s is unlocked: its nodes start\n", machine->root);
	if (fd >= 0)
		close(fd);
	unlock_forget(&unlock);
	config_free(&config);
	return ended(fine, "not unlocked", &why);
}
