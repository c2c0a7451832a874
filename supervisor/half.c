/* Marks, and ending what they began. Runs as `warrend add` and `warrend remove`, as root or as the user whose
 * machine it is, beside a supervisor that may be running. */
#include "supervisor/half.h"

#include "supervisor/disk.h"
#include "supervisor/make.h"
#include "supervisor/occupied.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDING   "adding"
#define REMOVING "removing"

enum { ENDS_WITHIN_MS = 20000 }; /* a node that was undeclared */

bool node_has_config(const struct machine *machine, uint16_t node)
{
	char name[32];
	snprintf(name, sizeof name, "node%u.conf", node);
	return faccessat(machine->etc, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int node_is_taken(const struct machine *machine, uint16_t node)
{
	char config[32], folder[32];
	snprintf(config, sizeof config, "node%u.conf", node);
	snprintf(folder, sizeof folder, "node%u", node);
	if (faccessat(machine->etc, config, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno != ENOENT)
		return -1;
	if (faccessat(machine->fd, folder, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

void tell_supervisor(const struct machine *machine)
{
	pid_t holder;
	if (machine_held(machine, &holder) && holder > 1)
		kill(holder, SIGHUP);
}

int half_lock(const struct machine *machine, struct why *why)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(machine->own, "add.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		refuse(why, "%s/machine/add.lock: %s", machine->root, strerror(errno));
	else if (fcntl(fd, F_SETLK, &lock) == 0)
		return fd;
	else
		refuse(why, "another node is being added or removed right now; wait for it");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* -- marks --------------------------------------------------------------------------------------- */

static bool mark(const struct machine *machine, const char *name, const char *text, struct why *why)
{
	return make_file(machine->own, name, 0644, text) ||
	       refuse(why, "%s/machine/%s: %s", machine->root, name, strerror(errno));
}

bool half_mark_adding(const struct machine *machine, uint16_t node, struct why *why)
{
	char text[16];
	snprintf(text, sizeof text, "%u\n", node);
	return mark(machine, ADDING, text, why);
}

bool half_mark_removing(const struct machine *machine, uint16_t node, const char *folder, struct why *why)
{
	char text[ARCHIVE_FOLDER + 16];
	snprintf(text, sizeof text, "%u %s\n", node, folder);
	return mark(machine, REMOVING, text, why);
}

/* *node 0: there is no such mark, or it says nothing. One that cannot be read stays, and what it began is not given up. */
static bool marked(const struct machine *machine, const char *name, uint16_t *node,
		   char folder[ARCHIVE_FOLDER], struct why *why)
{
	char text[ARCHIVE_FOLDER + 16], *end = text;
	int fd = openat(machine->own, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	*node = 0;
	if (fd < 0 && errno == ENOENT)
		return true;
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	int error = errno;
	if (fd >= 0)
		close(fd);
	if (got < 0)
		return refuse(why, "%s/machine/%s: %s", machine->root, name, strerror(error));
	text[got] = '\0';
	unsigned long number = strtoul(text, &end, 10);
	end += strspn(end, " ");
	snprintf(folder, ARCHIVE_FOLDER, "%.*s", (int)strcspn(end, "\n"), end);
	*node = number <= NODES_MAX ? (uint16_t)number : 0;
	return true;
}

/* Whether the node is declared; false when that cannot be known. */
static bool look_for_config(const struct machine *machine, uint16_t node, bool *there, struct why *why)
{
	char name[32];
	snprintf(name, sizeof name, "node%u.conf", node);
	*there = faccessat(machine->etc, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return *there || errno == ENOENT ||
	       refuse(why, "%s/etc/%s: %s", machine->root, name, strerror(errno));
}

static bool unmark(const struct machine *machine, const char *name, struct why *why)
{
	return unlinkat(machine->own, name, 0) == 0 || errno == ENOENT ||
	       refuse(why, "%s/machine/%s: %s", machine->root, name, strerror(errno));
}

/* -- ending -------------------------------------------------------------------------------------- */

static bool remove_all(const struct machine *machine, uint16_t node, struct why *why)
{
	char name[32];
	snprintf(name, sizeof name, "node%u", node);
	return (disk_remove(machine->fd, name) && disk_remove_below(machine->fd, "logs", name)) ||
	       refuse(why, "the remains of half-made node %u stay: %s", node, strerror(errno));
}

static bool end_adding(const struct machine *machine, struct why *why)
{
	char folder[ARCHIVE_FOLDER];
	uint16_t node;
	bool declared = false;
	if (!marked(machine, ADDING, &node, folder, why) ||
	    (node && !look_for_config(machine, node, &declared, why)))
		return false;
	if (node && !declared) {
		if (!remove_all(machine, node, why))
			return false;
		fprintf(stderr, "removed what was left of node %u, whose adding was cut short\n", node);
	}
	return unmark(machine, ADDING, why);
}

int archive_open(const struct machine *machine, struct why *why)
{
	if (!make_folder(machine, machine->fd, "archive", 0700, geteuid(), why))
		return -1;
	int fd = openat(machine->fd, "archive", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		refuse(why, "%s/archive: %s", machine->root, strerror(errno));
	return fd;
}

/* By rename, so they are here or there; the mode of `archive` keeps their owner's uid out. */
static bool archive_keys(const struct machine *machine, uint16_t node, const char *folder, struct why *why)
{
	char from[48], to[ARCHIVE_FOLDER + 16];
	snprintf(from, sizeof from, "node%u/keys", node);
	snprintf(to, sizeof to, "%s/keys", folder);
	int archive = archive_open(machine, why);
	if (archive < 0)
		return false;
	bool moved = renameat(machine->fd, from, archive, to) == 0 || errno == ENOENT;
	if (!moved)
		refuse(why, "%s/%s cannot be moved to archive/%s: %s", machine->root, from, to,
		       strerror(errno));
	moved = moved &&
		(disk_sync(archive) || refuse(why, "%s/archive: %s", machine->root, strerror(errno)));
	close(archive);
	return moved;
}

/* Nothing was removed: the folder that was made for its keys is empty, and goes. */
static void forget_archive(const struct machine *machine, const char *folder)
{
	struct why why;
	char keys[ARCHIVE_FOLDER + 16];
	int archive = archive_open(machine, &why);
	snprintf(keys, sizeof keys, "%s/keys", folder);
	if (archive < 0)
		return;
	if (faccessat(archive, keys, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		disk_remove(archive, folder);
	close(archive);
}

static bool end_removing(const struct machine *machine, struct why *why)
{
	char folder[ARCHIVE_FOLDER];
	uint16_t node;
	bool declared = false;
	if (!marked(machine, REMOVING, &node, folder, why) ||
	    (node && !look_for_config(machine, node, &declared, why)))
		return false;
	if (node && declared && folder[0] && strcmp(folder, "-") != 0)
		forget_archive(machine, folder);
	if (node && !declared) {
		tell_supervisor(machine);
		if (!node_wait_free(machine, node, ENDS_WITHIN_MS))
			return refuse(
				why,
				"node %u is removed, but its processes have not ended yet; the next add "
				"or remove goes on with it",
				node);
		if (strcmp(folder, "-") != 0 && !archive_keys(machine, node, folder, why))
			return false;
		if (!remove_all(machine, node, why))
			return false;
	}
	return unmark(machine, REMOVING, why);
}

bool half_end(const struct machine *machine, struct why *why)
{
	return end_adding(machine, why) && end_removing(machine, why);
}
