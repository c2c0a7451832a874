/* Where each kind of process keeps what lasts, and where its program is; both opened by the supervisor and
 * checked each time, as either may have changed since the last birth. */
#include "supervisor/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A kind that is not named here keeps nothing and is given no secret. */
static const struct place {
	enum kind kind;
	const char *folder;
	bool secret; /* it seals what it keeps */
} places[] = {
	{SCRIBE, "logs", false},         {STEWARD, "machine/steward", false},
	{CHAIN, "machine/chain", false}, {ANVIL, "machine/anvil", false},
	{STORE, "storage", true},        {WALLET, "keys", true},
};

static const struct place *place_of(enum kind kind)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (places[i].kind == kind)
			return &places[i];
	return NULL;
}

const char *place_path(enum kind kind, uint16_t node, char path[PATH_TEXT])
{
	const struct place *place = place_of(kind);
	if (!place)
		snprintf(path, PATH_TEXT, "machine/empty");
	else if (node)
		snprintf(path, PATH_TEXT, "node%u/%s", node, place->folder);
	else
		snprintf(path, PATH_TEXT, "%s", place->folder);
	return path;
}

bool place_has_secret(enum kind kind)
{
	const struct place *place = place_of(kind);
	return place && place->secret;
}

/* Its parent is ours; O_NOFOLLOW covers the last step, and openat from ROOT the first. */
static int open_below(const struct machine *machine, const char *path, struct why *why)
{
	char parent[PATH_TEXT], shown[PATH_TEXT + ROOT_TEXT];
	snprintf(parent, sizeof parent, "%s", path);
	char *slash = strrchr(parent, '/');
	if (!slash)
		return openat(machine->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	*slash = '\0';
	int above = openat(machine->fd, parent, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (above < 0)
		return -1;
	snprintf(shown, sizeof shown, "%s/%s", machine->root, parent);
	int fd = -1;
	if (only_ours(above, shown, S_IFDIR, why))
		fd = openat(above, slash + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	else
		errno = EPERM;
	close(above);
	return fd;
}

static bool own_place(const struct machine *machine, enum kind kind, int fd, uint32_t uid, const char *path,
		      struct why *why)
{
	struct stat at;
	mode_t closed =
		kind == SCRIBE && machine->as_root ? 027 : 077; /* operators may read logs: log_folder.c */
	if (fstat(fd, &at) != 0)
		return refuse(why, "%s/%s: %s", machine->root, path, strerror(errno));
	if (at.st_uid != uid)
		return refuse(why, "%s/%s belongs to uid %u; it must belong to uid %u (chown it back)",
			      machine->root, path, at.st_uid, uid);
	if (at.st_mode & closed)
		return refuse(why, "%s/%s is open to others (mode %03o); chmod 0700 it", machine->root, path,
			      at.st_mode & 07777);
	return true;
}

int place_open(const struct machine *machine, enum kind kind, uint16_t node, struct why *why)
{
	char path[PATH_TEXT], shown[PATH_TEXT + ROOT_TEXT];
	place_path(kind, node, path);
	why->text[0] = '\0';
	int fd = open_below(machine, path, why);
	if (fd < 0) {
		if (!why->text[0])
			refuse(why, "%s/%s: %s; is its disk mounted?", machine->root, path, strerror(errno));
		return -1;
	}
	snprintf(shown, sizeof shown, "%s/%s", machine->root, path);
	bool fine = place_of(kind) ? own_place(machine, kind, fd, machine_uid(machine, kind, node), path, why)
				   : only_ours(fd, shown, S_IFDIR, why);
	if (fine)
		return fd;
	close(fd);
	return -1;
}

static bool runnable(int fd, const char *shown, bool *readable, struct why *why)
{
	struct stat program;
	if (!only_ours(fd, shown, S_IFREG, why))
		return false;
	if (fstat(fd, &program) != 0)
		return refuse(why, "%s: %s", shown, strerror(errno));
	if (program.st_mode & (S_ISUID | S_ISGID))
		return refuse(why, "%s is set-user-ID or set-group-ID; chmod 0711 it", shown);
	/* As root the process is a stranger to the file; without, it is its owner, and 0111 keeps even the owner from reading. */
	bool owner = geteuid() != 0 && program.st_uid == geteuid();
	if (!(program.st_mode & (owner ? S_IXUSR : S_IXOTH)))
		return refuse(why, "%s cannot be executed by the process's uid; chmod 0711 it", shown);
	*readable = program.st_mode & (owner ? S_IRUSR : S_IROTH);
	return true;
}

static int program_named(const struct machine *machine, const char *name, const char *from, bool *readable,
			 struct why *why)
{
	char folder[ROOT_TEXT + 8], shown[PATH_TEXT + ROOT_TEXT];
	if (!only_ours(machine->fd, machine->root, S_IFDIR, why))
		return -1;
	snprintf(folder, sizeof folder, "%s%s", machine->programs ? machine->programs : machine->root,
		 machine->programs ? "" : "/bin");
	if (!only_ours(machine->bin, folder, S_IFDIR, why))
		return -1;
	snprintf(shown, sizeof shown, "%s/%s", folder, name);
	int fd = openat(machine->bin, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		refuse(why, "%s: %s; %s", shown, strerror(errno), from);
		return -1;
	}
	if (runnable(fd, shown, readable, why))
		return fd;
	close(fd);
	return -1;
}

int program_open(const struct machine *machine, enum kind kind, bool *readable, struct why *why)
{
	char name[48];
	snprintf(name, sizeof name, "warren-%s", kind_name(kind));
	return program_named(machine, name,
			     machine->programs ? "the package warren installs the programs"
					       : "scripts/up installs the programs",
			     readable, why);
}

int foreign_open(const struct machine *machine, const char *name, struct why *why)
{
	bool readable;
	return program_named(machine, name, "scripts/up fetches it, or put it there yourself", &readable,
			     why);
}
