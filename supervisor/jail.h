/* The walls around one process, built by the process itself after the fork and before its program begins. The order is the
 * point:
 *
 *   session (birth.c) → namespaces → mounts → limits → bounding set → groups, gid, uid → every capability → no new privileges
 *   → files (Landlock) → death with the supervisor → all of it looked at again → exec
 *
 * Required, and fatal to the birth when one cannot be built: session, limits of descriptors and core, the drop of uid, gids
 * and capabilities, no new privileges, death with the supervisor. Without root, the uid stays. The others are recorded in
 * a mask and shown. */
#ifndef WARREN_SUPERVISOR_JAIL_H
#define WARREN_SUPERVISOR_JAIL_H

#include "proto/birth.h"
#include "supervisor/why.h"

#include <sys/types.h>

#define JAIL_STEPS(S)                                                                                                  \
	S(NONE, "nothing")                                                                                             \
	S(SESSION, "a session of its own")                                                                             \
	S(DESCRIPTORS, "its descriptors")                                                                              \
	S(GATE, "waiting at the gate")                                                                                 \
	S(LIMITS, "its limits")                                                                                        \
	S(BOUNDING, "emptying the bounding set")                                                                       \
	S(GROUPS, "leaving the groups")                                                                                \
	S(UID, "the change of uid and gid")                                                                            \
	S(CAPABILITIES, "dropping the capabilities")                                                                   \
	S(NO_NEW_PRIVS, "no new privileges")                                                                           \
	S(DEATH, "death with the supervisor")                                                                          \
	S(LOOK, "looking whether all privileges are gone")                                                             \
	S(EXEC, "starting the program")

enum jail_step {
#define S(SYMBOL, name) JAIL_##SYMBOL,
	JAIL_STEPS(S)
#undef S
	JAIL_STEP_COUNT
};
const char *jail_step_name(unsigned step);

struct jail {
	bool as_root;
	uint32_t uid, gid;
	uint32_t bus_group;      /* its one supplementary group; 0: none */
	uint32_t without;        /* WALL_ bits to leave out: the configuration says so */
	const char *root;        /* ROOT, hidden from it */
	const char *self, *run;  /* its own folder and the sockets, as paths of the supervisor */
	int self_fd, run_fd;     /* the same, opened before; the paths must still lead there */
	int program;
	int foreign;             /* another program that it may execute; -1: none */
	uint32_t files;          /* RLIMIT_NOFILE */
	uint64_t file_bytes;     /* RLIMIT_FSIZE */
	bool network;            /* stays in the network that is: its row says so … */
	uint16_t ports[DIALS_MOST]; /* … and may connect to these TCP ports only; 0: none */
	uint16_t binds;          /* … and bind this one only; 0: none */
	pid_t supervisor;
};

struct jailed {
	uint32_t missing; /* WALL_ bits: not built, or left out */
	bool moved;       /* its folders are at PATH_SELF and PATH_RUN; else they are where they were */
};

/* Builds them around the calling process. JAIL_NONE, or the required step that failed, with errno. */
enum jail_step jail_build(const struct jail *jail, struct jailed *jailed);

/* identity.c: whether we have what building it as root takes, and ending what is in it. False and the sentence: without
 * CAP_KILL, say, every process would outlive us. */
bool jail_possible(struct why *why);

/* -- the parts, each in a file of its own ---------------------------------------------------------------------------- */

/* mounts.c: namespaces and what is seen in them. Sets WALL_MOUNTS and WALL_NETWORK in *jailed. */
void jail_namespaces(const struct jail *jail, struct jailed *jailed);

/* identity.c: from the bounding set to no new privileges. */
enum jail_step jail_drop(const struct jail *jail);

/* identity.c: looks, and tries to get something back. False with errno when anything is left. */
bool jail_dropped(const struct jail *jail);

/* rules.c: a Landlock ruleset of the system's libraries, the program, its own folder and the sockets; its ports; its scopes. Sets
 * WALL_LANDLOCK, WALL_PORTS and WALL_SCOPES in *jailed. */
void jail_files(const struct jail *jail, struct jailed *jailed);

#endif
