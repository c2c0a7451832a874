/* A machine on disk: one folder ROOT, opened once and used by descriptor from then on, so that nobody who owns a folder above
 * it can put another one in its place.
 *
 *   ROOT/etc/       warren.conf, nodeN.conf                   0755, ours
 *   ROOT/bin/       warren-store …                            0755, ours; the programs 0711. Of an installed warrend: none,
 *                   the programs are those beside it in PROGRAMS_INSTALLED
 *   ROOT/run/       sockets, warrend.pid                      0755, ours
 *   ROOT/machine/   unlock (0400), uids, id, lock, nodes …    0711, ours
 *   ROOT/archive/   nodeN-<time>/{keys,nodeN.conf}            0700, ours: keys of nodes that were removed
 *   ROOT/logs/      machine/, nodeN/                          0700, scribe's; 2750 with the group `operators`
 *   ROOT/nodeN/     storage/ (store@N), keys/ (wallet@N)      0711, ours; within it 0700, theirs
 *                   logs → ../logs/nodeN
 *
 * "Ours" is root's, or without root the user's who made the machine. */
#ifndef WARREN_SUPERVISOR_MACHINE_H
#define WARREN_SUPERVISOR_MACHINE_H

#include "proto/actors.h"
#include "supervisor/why.h"

#include <stdint.h>
#include <sys/types.h>

/* ROOT "/run/store-512.sock" must fit the 108 bytes of a Unix socket's address (unix(7)). */
enum { ROOT_TEXT = 88, PATH_TEXT = 160 };

struct machine {
	char root[ROOT_TEXT];
	int fd, etc, bin, run, own; /* O_PATH; `own` is ROOT/machine, `bin` where the programs are */
	const char *programs;       /* its path; NULL: ROOT/bin */
	int lock;                   /* -1: not ours */
	bool as_root;               /* every process gets a uid of its own */
	uint32_t uid_base;          /* when as_root */
	uint32_t own_uid, own_gid;  /* else all run as this */
};

/* The package's: one folder for each instance of warrend@.service, and the programs of all. */
#define MACHINE_ROOT	   "/var/lib/warren/nodes"
#define PROGRAMS_INSTALLED "/usr/lib/warren"

/* Whether this very program lies in PROGRAMS_INSTALLED. What the package put there is then what runs, whatever a ROOT/bin has
 * from before: an upgrade would otherwise change nothing. */
bool programs_installed(void);

/* Opens and checks an existing machine: owners and modes of ROOT and its folders, and who we are. */
bool machine_open(struct machine *machine, const char *root, struct why *why);

/* Opens ROOT alone, for machine_make(): the folder exists, and nobody else can write it. */
bool machine_open_root(struct machine *machine, const char *root, struct why *why);

void machine_close(struct machine *machine);

/* One supervisor for a machine. When another has it: false, and *holder is its pid (0: the kernel would not say). The lock is
 * the kernel's and dies with us; children do not inherit it. */
bool machine_lock(struct machine *machine, pid_t *holder);

/* Whether a supervisor runs this machine, and its pid as above. Never asked by the one that has the lock: closing a second
 * descriptor of the file would give it up (fcntl(2), record locks). */
bool machine_held(const struct machine *machine, pid_t *holder);

bool machine_write_pid(const struct machine *machine);
void machine_remove_pid(const struct machine *machine);

uint32_t machine_uid(const struct machine *machine, enum kind kind, uint16_t node);
uint32_t machine_bus_group(const struct machine *machine); /* as_root only */

/* The lasting folder of a process, below ROOT: "node2/keys". An empty one for a kind that keeps nothing. */
const char *place_path(enum kind kind, uint16_t node, char path[PATH_TEXT]);
bool place_has_secret(enum kind kind);

/* Opens it (O_PATH), checked: it is there, is that process's own, and nobody else's. -1 and the sentence otherwise. A folder
 * that is missing is never made anew: it may be a disk that is not mounted. */
int place_open(const struct machine *machine, enum kind kind, uint16_t node, struct why *why);

/* Opens the program warren-<kind> (O_PATH) to be executed; refuses one that anybody but us can write, or whose folder is so.
 * *readable is whether the process itself could read it, and so would start dumpable. */
int program_open(const struct machine *machine, enum kind kind, bool *readable, struct why *why);

/* The same of the foreign program of a row, ROOT/bin/<name>. */
int foreign_open(const struct machine *machine, const char *name, struct why *why);

/* True when only its owner, who is root or the user we are, can write what is open there. */
bool only_ours(int fd, const char *what, mode_t type, struct why *why);

#endif
