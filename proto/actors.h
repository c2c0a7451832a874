/* The kinds of process, as constants. Expanded from actors.def; see there for what each column means. */
#ifndef WARREN_PROTO_ACTORS_H
#define WARREN_PROTO_ACTORS_H

#include <stdbool.h>
#include <stdint.h>

enum scope { PER_MACHINE, PER_NODE };
enum restart { RESTART_ALWAYS };

/* A number names a kind of process, or a kind of person: what a person may do is which socket the kernel let them open. */
enum kind {
	KIND_NONE = 0,
#define ACTOR(SYMBOL, name, number, ...) SYMBOL = number,
#include "proto/actors.def"
#undef ACTOR
	READER = 30,
	OPERATOR = 31,
	KINDS = 32,
};

enum { /* all kinds of process on the bus that may ask: not the broker, no foreign program */
	ACTOR_BITS = (0
#define ACTOR(SYMBOL, name, number, ...) | 1 << number
#include "proto/actors.def"
#undef ACTOR
		      ) &
		     ~(1 << BROKER | 1 << ANVIL)
};

/* Whether it says hello to the broker and can be asked. */
static inline bool kind_on_bus(enum kind kind)
{
	return kind != BROKER && kind != ANVIL;
}

enum {
	NODES_MAX = 512,    /* nodes of one machine; RELIABILITY.md E asks for 500 */
	UIDS_PER_NODE = 32, /* uid = base + UIDS_PER_NODE * node + kind */
	COMMAND_USER = 28,  /* uid = base + COMMAND_USER runs alert_command */
	BUS_GROUP = 29,     /* gid = base + BUS_GROUP may connect to bus.sock */
};

struct actor_row {
	enum kind kind;
	const char *name;
	enum scope scope;
	enum restart restart;
	uint32_t opens;       /* FD_ bits, proto/birth.h */
	uint32_t files;       /* RLIMIT_NOFILE */
	uint32_t memory_mib;  /* control group limit */
	const char *settings; /* words separated by one space */
	const char *syscalls; /* likewise */
};

/* NULL for a number that is no kind of process. */
const struct actor_row *actor_row(unsigned kind);

/* "wallet", "reader", "operator"; "?" for a number that is nothing. */
const char *kind_name(unsigned kind);

/* KIND_NONE for a word that is no kind of process. */
enum kind kind_by_name(const char *name, unsigned length);

/* Writes "wallet@2", or "broker" for a kind of which a machine has one. `text` holds WHO_TEXT bytes. */
enum { WHO_TEXT = 32 };
const char *who_text(unsigned kind, unsigned node, char text[WHO_TEXT]);

/* Reads "wallet@2" or "broker"; false for anything else, also for a node where none belongs. */
bool who_parse(const char *text, enum kind *kind, uint16_t *node);

/* Walls: bits of a mask, in the order of walls.def. */
enum wall {
#define WALL(SYMBOL, ...) WALL_##SYMBOL,
#include "proto/walls.def"
#undef WALL
	WALLS
};

struct wall_row {
	const char *name, *stops, *remedy;
};
const struct wall_row *wall_row(unsigned wall); /* wall < WALLS */

#endif
