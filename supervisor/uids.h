/* A block of uids for each machine on this host: 32 for the machine and for every node it may ever have, the same numbers as
 * gids. Two machines never share one, and none is anybody else's. */
#ifndef WARREN_SUPERVISOR_UIDS_H
#define WARREN_SUPERVISOR_UIDS_H

#include "proto/actors.h"
#include "supervisor/why.h"

enum {
	UIDS_FIRST = 700000,
	UIDS_BLOCK = UIDS_PER_NODE * (NODES_MAX + 1),
	UIDS_BLOCKS = 100000, /* machines that one host ever had: nobody else is given a block again */
};

/* Who else has uids; tests hand in their own. */
struct uid_world {
	const char *claims; /* a folder with one file for each claimed block: its name is the first uid, its text the ROOT */
	const char *passwd, *group, *subuid, *subgid; /* passwd(5), group(5), subuid(5), subgid(5) */
};
extern const struct uid_world uid_world;

/* Claims a block for the machine at `root`, or finds the one it has claimed already: a `create` that was cut short keeps
 * its block. */
bool uids_claim(const struct uid_world *world, const char *root, uint32_t *base, struct why *why);

/* What ROOT/machine/uids says. False with errno ENOENT where there is none, EINVAL where it is damaged. */
bool uids_read(int machine_folder, uint32_t *base);
bool uids_write(int machine_folder, uint32_t base);

/* Whether this user namespace has the block at all. */
bool uids_mapped(uint32_t base);

uint32_t uid_of(uint32_t base, enum kind kind, uint16_t node);

#endif
