/* Whether this machine carries one more node: the disk's two rules (FEATURES K2), and how many nodes its memory and its
 * configuration allow (K16). Pure: the machine is handed in, so that tests fake it. */
#ifndef WARREN_SUPERVISOR_CAPACITY_H
#define WARREN_SUPERVISOR_CAPACITY_H

#include "supervisor/room.h"
#include "supervisor/tiers.h"
#include "supervisor/why.h"

struct capacity {
	struct room room;
	uint64_t memory;    /* bytes of the machine */
	unsigned cores;
	unsigned nodes;     /* declared already */
	unsigned max_nodes; /* the setting; 0: not set */
	bool ram_rule;      /* the setting: memory counts */
	enum profile profile;
};

/* Each is the word of it in JSON. */
#define CAPACITY_RULES(R)                                                                                              \
	R(NONE, "none") R(SHARE, "80-percent-of-free") R(KEEP, "keep-10-percent") R(RAM, "ram") R(MAX_NODES, "max_nodes")
enum capacity_rule {
#define R(SYMBOL, name) CAPACITY_##SYMBOL,
	CAPACITY_RULES(R)
#undef R
};
const char *capacity_rule_name(enum capacity_rule rule);

/* Nodes by memory as seed 000 has them: 2 GB 2, 4 GB 4, 8 GB 8, 16 GB and more 10; below 2 GB one. An eighth of a step may be
 * missing, as a kernel never has all that a machine is sold with. */
unsigned nodes_by_memory(uint64_t bytes);

/* How many nodes may be declared, and what says so. */
struct nodes_most {
	unsigned most;
	enum capacity_rule binds;
};
struct nodes_most capacity_nodes(const struct capacity *capacity);

/* Whether a node of this quota may be added; else *why has every rule with its inputs, and `root` in it. */
enum capacity_rule capacity_check(const struct capacity *capacity, uint32_t quota_mib, const char *root, struct why *why);

/* The largest tier that may be added now; NULL: none. */
const struct tier *capacity_recommends(const struct capacity *capacity);

/* FEATURES K16: two nodes a core and 256 MiB a node are only a warning. "" when there is nothing to warn of. */
enum { CAPACITY_WARNING = 160 };
const char *capacity_warning(const struct capacity *capacity, unsigned nodes, char text[CAPACITY_WARNING]);

/* "80.0 GiB" */
enum { GIB_TEXT = 32 };
const char *gib_text(uint64_t bytes, char text[GIB_TEXT]);

#endif
