/* The sealed file of a node's keys. Runs as wallet@N, touches its own folder only. A death in the middle of
 * writing leaves no file or a whole one, and at most a temporary that the next writing removes. */
#include "actors/wallet/keyfile.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/whole/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t magic[8] = {'W', 'A', 'R', 'R', 'E', 'N', 'K', 'Y'};

enum {
	AT_VERSION = 8,
	AT_NODE = 10,
	AT_SALT = 12,
	AT_SEALED = 44,
	AT_DIGEST = 124,
	SALT = AT_SEALED - AT_SALT,
	DIGEST = 32,
	SECRETS = WALLET_SECRET + NODE_SEED,
	SHORTEST = AT_NODE + DIGEST, /* what every version has */
};
_Static_assert(AT_SEALED + SECRETS + SEAL_TAG == AT_DIGEST && AT_DIGEST + DIGEST == KEYFILE_BYTES, "no gaps");

const char *keyfile_sentence(enum keyfile_end end)
{
	switch (end) {
	case KEYFILE_OK:
		return "done";
	case KEYFILE_ABSENT:
		return "this node has no keys yet; warren add makes them, or put a backup of the file back";
	case KEYFILE_UNSAFE:
		return "the key file must be a plain file of this process's user with mode 0600; chown and "
		       "chmod it";
	case KEYFILE_DAMAGED:
		return "the key file is damaged; put a backup of it back";
	case KEYFILE_NEWER:
		return "the key file is of a later version of Warren; install that version";
	case KEYFILE_OTHER_NODE:
		return "the key file belongs to another node; put this node's own file back";
	case KEYFILE_WRONG_SECRET:
		return "the key file was sealed under another unlock secret; bring back the one it was made "
		       "with";
	case KEYFILE_EXISTS:
		return "there are keys already and they are never overwritten; move the file away if that is "
		       "meant";
	case KEYFILE_DISK:
		return "the disk refused; free space or mend it";
	}
	bug("no such end");
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

const char *keyfile_why(enum keyfile_end end, int folder, int error, char text[KEYFILE_WHY])
{
	uint8_t head[AT_NODE] = {0};
	int fd = end == KEYFILE_NEWER ? openat(folder, KEYFILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	bool known = fd >= 0 && pread(fd, head, sizeof head, 0) == sizeof head;
	if (fd >= 0)
		close(fd);
	if (known)
		return format_newer(KEYFILE_NAME, get16(head + AT_VERSION), KEYFILE_VERSION, text);
	snprintf(text, KEYFILE_WHY, "%s%s%s", keyfile_sentence(end), end == KEYFILE_DISK ? ": " : "",
		 end == KEYFILE_DISK ? strerror(error) : "");
	return text;
}

enum reason_code keyfile_reason(enum keyfile_end end)
{
	switch (end) {
	case KEYFILE_ABSENT:
		return REASON_KEY_ABSENT;
	case KEYFILE_UNSAFE:
		return REASON_KEY_UNSAFE;
	case KEYFILE_DAMAGED:
		return REASON_KEY_DAMAGED;
	case KEYFILE_NEWER:
		return REASON_KEY_NEWER;
	case KEYFILE_OTHER_NODE:
		return REASON_KEY_OTHER_NODE;
	case KEYFILE_WRONG_SECRET:
		return REASON_KEY_LOCKED;
	case KEYFILE_OK:
	case KEYFILE_EXISTS:
	case KEYFILE_DISK:
		break;
	}
	return REASON_KEY_UNREADABLE;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Key and nonce for the salt in `file`. */
static struct sealer *sealer_for(uint16_t node, const uint8_t secret[SEALING_SECRET], const uint8_t *file,
				 uint8_t nonce[SEAL_NONCE])
{
	char info[48];
	int length = snprintf(info, sizeof info, "warren wallet v%d node %u", KEYFILE_VERSION, node);
	bug_if(length < 0 || (size_t)length >= sizeof info);
	uint8_t made[SEAL_KEY + SEAL_NONCE];
	hkdf_sha256(secret, SEALING_SECRET, file + AT_SALT, SALT, info, (size_t)length, made, sizeof made);
	struct sealer *sealer = sealer_new(made);
	memcpy(nonce, made + SEAL_KEY, SEAL_NONCE);
	wipe(made, sizeof made);
	return sealer;
}

void keyfile_seal(uint16_t node, const uint8_t secret[SEALING_SECRET], const struct wallet_keys *keys,
		  uint8_t file[KEYFILE_BYTES])
{
	memcpy(file, magic, sizeof magic);
	put16(file + AT_VERSION, KEYFILE_VERSION);
	put16(file + AT_NODE, node);
	random_bytes(file + AT_SALT, SALT);

	uint8_t nonce[SEAL_NONCE], plain[SECRETS];
	memcpy(plain, keys->wallet_secret, WALLET_SECRET);
	memcpy(plain + WALLET_SECRET, keys->node_secret, NODE_SEED);
	struct sealer *sealer = sealer_for(node, secret, file, nonce);
	seal(sealer, nonce, file, AT_SEALED, plain, sizeof plain, file + AT_SEALED);
	sealer_free(&sealer);
	wipe(plain, sizeof plain);
	secret_wipe_stack();
	sha256(file, AT_DIGEST, file + AT_DIGEST);
}

/* What can be said without the secret. */
static enum keyfile_end judge(const uint8_t *file, size_t length, uint16_t node)
{
	uint8_t digest[DIGEST];
	if (length < SHORTEST || length > KEYFILE_MOST || memcmp(file, magic, sizeof magic) != 0)
		return KEYFILE_DAMAGED;
	sha256(file, length - DIGEST, digest);
	if (memcmp(file + length - DIGEST, digest, DIGEST) != 0)
		return KEYFILE_DAMAGED;
	if (get16(file + AT_VERSION) > KEYFILE_VERSION)
		return KEYFILE_NEWER;
	if (get16(file + AT_VERSION) != KEYFILE_VERSION || length != KEYFILE_BYTES)
		return KEYFILE_DAMAGED;
	return get16(file + AT_NODE) == node ? KEYFILE_OK : KEYFILE_OTHER_NODE;
}

enum keyfile_end keyfile_unseal(const uint8_t *file, size_t length, uint16_t node,
				const uint8_t secret[SEALING_SECRET], struct signer *signer,
				struct wallet_keys *keys)
{
	wipe(keys, sizeof *keys);
	enum keyfile_end end = judge(file, length, node);
	if (end != KEYFILE_OK)
		return end;
	uint8_t nonce[SEAL_NONCE], plain[SECRETS];
	struct sealer *sealer = sealer_for(node, secret, file, nonce);
	if (!unseal(sealer, nonce, file, AT_SEALED, file + AT_SEALED, SECRETS, plain))
		end = KEYFILE_WRONG_SECRET;
	else if (!keys_from(keys, signer, plain, plain + WALLET_SECRET))
		end = KEYFILE_DAMAGED; /* sealed by us, and yet no key: it was written wrongly */
	sealer_free(&sealer);
	wipe(plain, sizeof plain);
	secret_wipe_stack();
	return end;
}

/* -- the disk
 * ------------------------------------------------------------------------------------------------------- */

/* A plain file of our own that nobody else can read or change. */
static bool is_ours(int fd)
{
	struct stat about;
	return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == geteuid() &&
	       (about.st_mode & (S_IRWXG | S_IRWXO | S_ISUID | S_ISGID | S_ISVTX)) == 0;
}

enum keyfile_end keyfile_open(int folder, uint16_t node, const uint8_t secret[SEALING_SECRET],
			      struct signer *signer, struct wallet_keys *keys)
{
	wipe(keys, sizeof *keys);
	/* The name has one component, so NOFOLLOW covers all of it; NONBLOCK: a planted FIFO does not hang
	 * us. */
	int fd = openat(folder, KEYFILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return KEYFILE_ABSENT;
	if (fd < 0)
		return errno == ELOOP || errno == EACCES || errno == EPERM || errno == ENXIO ? KEYFILE_UNSAFE
											     : KEYFILE_DISK;
	enum keyfile_end end = KEYFILE_UNSAFE;
	if (is_ours(fd)) {
		uint8_t file[KEYFILE_MOST + 1];
		size_t length;
		end = read_whole(fd, file, sizeof file, &length)
			      ? KEYFILE_DISK
			      : keyfile_unseal(file, length, node, secret, signer, keys);
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return end;
}

/* The temporary, whole and on the disk. */
static bool write_temp(int folder, const uint8_t file[KEYFILE_BYTES])
{
	int fd = openat(folder, KEYFILE_TEMP, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool written = fchmod(fd, 0600) == 0 && write_whole(fd, file, KEYFILE_BYTES) == 0 && fsync(fd) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	return written;
}

/* Under the folder's lock, so that the one who looks is the one who writes. */
static enum keyfile_end write_locked(int folder, const uint8_t file[KEYFILE_BYTES])
{
	struct stat about;
	if (fstatat(folder, KEYFILE_NAME, &about, AT_SYMLINK_NOFOLLOW) == 0)
		return KEYFILE_EXISTS;
	if (errno != ENOENT)
		return KEYFILE_DISK;
	if (unlinkat(folder, KEYFILE_TEMP, 0) != 0 && errno != ENOENT)
		return KEYFILE_DISK;
	if (write_temp(folder, file) && renameat(folder, KEYFILE_TEMP, folder, KEYFILE_NAME) == 0)
		return fsync(folder) == 0 ? KEYFILE_OK : KEYFILE_DISK;
	int saved = errno;
	unlinkat(folder, KEYFILE_TEMP, 0);
	errno = saved;
	return KEYFILE_DISK;
}

enum keyfile_end keyfile_write(int folder, uint16_t node, const uint8_t secret[SEALING_SECRET],
			       const struct wallet_keys *keys)
{
	uint8_t file[KEYFILE_BYTES];
	keyfile_seal(node, secret, keys, file);
	if (flock(folder, LOCK_EX | LOCK_NB) != 0)
		return KEYFILE_DISK;
	enum keyfile_end end = write_locked(folder, file);
	int saved = errno;
	flock(folder, LOCK_UN);
	errno = saved;
	return end;
}

bool keyfile_sync(int folder)
{
	int fd = openat(folder, KEYFILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0 && fsync(folder) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	return synced;
}
