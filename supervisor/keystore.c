/* Keys from and to elsewhere. Runs as the person who typed it, root or the machine's owner. Opens the file and hands the descriptor
 * on: the key and its passphrase pass from the file and the terminal to warren-wallet, in its jail, and never through here. */
#include "supervisor/keystore.h"

#include "proto/birth.h"
#include "supervisor/add.h"
#include "supervisor/config.h"
#include "supervisor/config_rows.h"
#include "supervisor/jail.h"
#include "supervisor/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Root's, ours, or of the person who became root by sudo. */
static bool is_trusted(uid_t owner)
{
	const char *sudo = getenv("SUDO_UID");
	uint32_t uid;
	return owner == 0 || owner == geteuid() ||
	       (geteuid() == 0 && sudo && setting_number(sudo, &uid) && owner == uid);
}

static int open_key(const char *path, struct why *why)
{
	struct stat at;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &at) != 0)
		refuse(why, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(at.st_mode))
		refuse(why, "%s is not a file", path);
	else if (!is_trusted(at.st_uid))
		refuse(why, "%s belongs to uid %u: somebody else knows this key, or can change it", path,
		       at.st_uid);
	else if (at.st_mode & 077)
		refuse(why,
		       "%s can be read or written by others (mode %03o); whoever did knows the key. If "
		       "nobody did: chmod "
		       "0600 it, and then this again",
		       path, at.st_mode & 0777);
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool import(const struct machine *machine, const struct unlock *unlock, const struct config *config,
		   const struct node_config *node, const char *path, struct init_said *said, struct why *why)
{
	struct init_how how = {.terminal = true, .flags = BIRTH_IMPORT, .file = -1, .said = said};
	if (strcmp(path, "-") != 0) {
		how.file = open_key(path, why);
		how.flags |= BIRTH_FILE;
		if (how.file < 0)
			return false;
	}
	int lock = scrypt_lock(machine, why);
	bool fine = lock >= 0 && init_run(machine, unlock, config, node, WALLET, &how, why);
	if (lock >= 0)
		close(lock);
	if (how.file >= 0)
		close(how.file);
	return fine;
}

bool keystore_make_wallet(const struct machine *machine, const struct unlock *unlock,
			  const struct config *config, const struct node_config *node, const char *from,
			  struct init_said *said, struct why *why)
{
	return from ? import(machine, unlock, config, node, from, said, why)
		    : init_run(machine, unlock, config, node, WALLET,
			       &(struct init_how){.terminal = true, .file = -1, .said = said}, why);
}

/* -- export ------------------------------------------------------------------------------------ */

struct exporting {
	const struct machine *machine;
	struct config *config;
	struct unlock unlock;
	const struct node_config *node;
	int lock, file;
};

static bool load(struct exporting *out, const char *number, struct why *why)
{
	char etc[ROOT_TEXT + 8];
	struct mistakes mistakes = {0};
	uint32_t node;
	snprintf(etc, sizeof etc, "%s/etc", out->machine->root);
	out->config = config_load(out->machine->etc, etc, &mistakes);
	if (!out->config) {
		mistakes_print(&mistakes, stderr);
		refuse(why, "%u mistakes in the configuration; mend them first", mistakes.count);
		mistakes_end(&mistakes);
		return false;
	}
	if (setting_number(number, &node) && node <= NODES_MAX)
		out->node = config_node(out->config, (uint16_t)node);
	if (!out->node)
		return refuse(why, "there is no node %s", number);
	if (out->machine->as_root && !jail_possible(why))
		return false;
	return unlock_obtain(out->machine, out->config, &out->unlock, why);
}

static bool make_file(struct exporting *out, const char *path, struct init_how *how, struct why *why)
{
	if (strcmp(path, "-") == 0)
		return true;
	out->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	how->file = out->file;
	how->flags |= BIRTH_FILE;
	return out->file >= 0 || refuse(why, "%s: %s", path, strerror(errno));
}

int keystore_export(const struct machine *machine, const char *node, const char *file)
{
	struct exporting out = {.machine = machine, .lock = -1, .file = -1};
	struct init_said said = {.quiet = false};
	struct init_how how = {.terminal = true, .flags = BIRTH_EXPORT, .file = -1, .said = &said};
	struct why why = {"?"};
	signal(SIGPIPE, SIG_IGN);
	bool fine = load(&out, node, &why) && (out.lock = scrypt_lock(machine, &why)) >= 0 &&
		    make_file(&out, file, &how, &why) &&
		    init_run(machine, &out.unlock, out.config, out.node, WALLET, &how, &why);
	if (!fine) {
		fprintf(stderr, "not exported: %s\n", why.text);
		if (out.file >= 0)
			unlink(file);
	} else if (out.file >= 0) {
		printf("%s is the wallet key of node %s, under your passphrase\n", file, node);
	}
	if (out.file >= 0)
		close(out.file);
	if (out.lock >= 0)
		close(out.lock);
	config_free(&out.config);
	unlock_forget(&out.unlock);
	return fine ? 0 : 1;
}
