/* Makes the folders of a machine and of its nodes, claims its uids, draws its unlock secret. Runs as root, or as the user
 * whose machine it will be; every step may be the last one before a kill, and the next attempt goes on from
 * there. */
#include "supervisor/make.h"

#include "proto/formats.h"

#include "supervisor/config_rows.h"
#include "supervisor/disk.h"
#include "supervisor/uids.h"
#include "supervisor/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool make_folder(const struct machine *machine, int parent, const char *name, mode_t mode, uint32_t uid,
		 struct why *why)
{
	struct stat at;
	if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
		return refuse(why, "%s: cannot make %s: %s", machine->root, name, strerror(errno));
	if (fstatat(parent, name, &at, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(at.st_mode))
		return refuse(why, "%s: %s is in the way and is no folder", machine->root, name);
	/* `parent` is ours alone, so nobody can put a link in its place now. */
	if (geteuid() == 0 && at.st_uid != uid && fchownat(parent, name, uid, uid, AT_SYMLINK_NOFOLLOW) != 0)
		return refuse(why, "%s: cannot give %s to uid %u: %s", machine->root, name, uid,
			      strerror(errno));
	if ((at.st_mode & 07777) != mode && fchmodat(parent, name, mode, 0) != 0)
		return refuse(why, "%s: cannot set the mode of %s: %s", machine->root, name, strerror(errno));
	return true;
}

bool make_node_folders(const struct machine *machine, uint16_t node, struct why *why)
{
	char name[32], target[48];
	snprintf(name, sizeof name, "node%u", node);
	snprintf(target, sizeof target, "../logs/%s", name);
	if (!make_folder(machine, machine->fd, name, 0711, machine->own_uid, why))
		return false;
	int folder = openat(machine->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int logs = openat(machine->fd, "logs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool made = folder >= 0 && logs >= 0;
	if (!made)
		refuse(why, "%s/%s: %s", machine->root, name, strerror(errno));
	made = made &&
	       make_folder(machine, folder, "storage", 0700, machine_uid(machine, STORE, node), why) &&
	       make_folder(machine, folder, "keys", 0700, machine_uid(machine, WALLET, node), why) &&
	       disk_make_foreign(machine, logs, name, machine_uid(machine, SCRIBE, 0), why);
	if (made && symlinkat(target, folder, "logs") != 0 && errno != EEXIST)
		made = refuse(why, "%s/%s/logs: %s", machine->root, name, strerror(errno));
	if (folder >= 0)
		close(folder);
	if (logs >= 0)
		close(logs);
	return made;
}

static bool sync_folder(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return synced;
}

bool make_file(int folder, const char *name, mode_t mode, const char *text)
{
	char part[64];
	snprintf(part, sizeof part, "%s.new", name);
	unlinkat(folder, part, 0);
	int fd = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return false;
	size_t length = strlen(text);
	bool whole = write(fd, text, length) == (ssize_t)length && fchmod(fd, mode) == 0 && fsync(fd) == 0;
	close(fd);
	return whole && renameat(folder, part, folder, name) == 0 && sync_folder(folder);
}

/* -- warren.conf ------------------------------------------------------------------------------- */

static bool check_word(enum setting setting, const char *text, struct why *why)
{
	struct value value = {.text = (char *)text};
	return !text || setting_check(setting, &value, why);
}

static void add_word(char *file, size_t room, const char *name, const char *text)
{
	size_t length = strlen(file);
	if (!text || !*text || length + 2 * strlen(text) + strlen(name) + 16 > room)
		return;
	length += (size_t)snprintf(file + length, room - length, "%s = \"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			file[length++] = '\\';
		file[length++] = *text;
	}
	snprintf(file + length, room - length, "\";\n");
}

static bool write_config(const struct machine *machine, const struct make_request *request, struct why *why)
{
	char file[1024];
	snprintf(file, sizeof file,
		 "# This machine. proto/settings.def lists the words; `warrend check` finds mistakes.\n"
		 "version = %d;\n",
		 FORMAT_settings);
	add_word(file, sizeof file, "name", request->name);
	add_word(file, sizeof file, "operators", request->operators);
	add_word(file, sizeof file, "readers", request->readers);
	return make_file(machine->etc, "warren.conf", 0644, file) ||
	       refuse(why, "%s/etc/warren.conf: %s", machine->root, strerror(errno));
}

/* -- the machine ------------------------------------------------------------------------------- */

static bool open_made(struct machine *machine, struct why *why)
{
	struct {
		const char *name;
		int *fd;
		mode_t mode;
	} folders[] = {{"etc", &machine->etc, 0755},
		       {"run", &machine->run, 0755},
		       {"machine", &machine->own, 0711},
		       {"bin", &machine->bin, 0755}};
	size_t count = sizeof folders / sizeof *folders - programs_installed();
	for (size_t i = 0; i < count; i++) {
		if (!make_folder(machine, machine->fd, folders[i].name, folders[i].mode, geteuid(), why))
			return false;
		*folders[i].fd =
			openat(machine->fd, folders[i].name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (*folders[i].fd < 0)
			return refuse(why, "%s/%s: %s", machine->root, folders[i].name, strerror(errno));
	}
	return make_folder(machine, machine->own, "empty", 0555, geteuid(), why);
}

/* As root, where the uids are there to be had: each process one of its own. */
static bool claim_uids(struct machine *machine, struct why *why)
{
	machine->as_root = geteuid() == 0 && uids_mapped(UIDS_FIRST);
	if (!machine->as_root || uids_read(machine->own, &machine->uid_base))
		return true;
	return uids_claim(&uid_world, machine->root, &machine->uid_base, why) &&
	       (uids_write(machine->own, machine->uid_base) ||
		refuse(why, "%s/machine/uids: %s", machine->root, strerror(errno)));
}

static bool is_whole(const struct machine *machine)
{
	return faccessat(machine->etc, "warren.conf", F_OK, 0) == 0;
}

/* warren.conf says that all the rest is there, so all the rest is on the disk before it. */
static bool settle(const struct machine *machine, struct why *why)
{
	return disk_sync(machine->fd) || refuse(why, "%s: %s", machine->root, strerror(errno));
}

static bool make_all(struct machine *machine, const struct make_request *request, bool *made, struct why *why)
{
	char own[ROOT_TEXT + 16];
	snprintf(own, sizeof own, "%s/machine", machine->root);
	if (!open_made(machine, why))
		return false;
	*made = !is_whole(machine);
	if (!*made && (request->name || request->operators || request->readers))
		return refuse(why, "%s is a machine already; change %s/etc/warren.conf instead",
			      machine->root, machine->root);
	if (!*made)
		return true;
	return claim_uids(machine, why) &&
	       make_folder(machine, machine->fd, "logs", 0700, machine_uid(machine, SCRIBE, 0), why) &&
	       unlock_make(machine->own, own, why) && settle(machine, why) &&
	       write_config(machine, request, why);
}

bool machine_make(const char *root, const struct make_request *request, bool *made, struct why *why)
{
	struct machine machine;
	if (!check_word(SETTING_name, request->name, why) ||
	    !check_word(SETTING_operators, request->operators, why) ||
	    !check_word(SETTING_readers, request->readers, why))
		return false;
	umask(022);
	if (mkdir(root, 0755) != 0 && errno != EEXIST)
		return refuse(why, "%s: %s", root, strerror(errno));
	bool fine = machine_open_root(&machine, root, why) && make_all(&machine, request, made, why);
	machine_close(&machine);
	return fine;
}
