/* JSON-RPC over anvil's Unix socket: a JSON a line, questions and answers one after the other, and notifications between them.
 * Plain C, in the keeper; it waits, and calls `idle` meanwhile so that the keeper's heart goes on. */
#ifndef WARREN_ANVIL_WIRE_H
#define WARREN_ANVIL_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_MOST = 256 << 20,   /* bytes of a line: a whole state */
	WIRE_NOTED = 4096,       /* notifications kept; more are counted only */
	WIRE_WHY = 160,
	WIRE_HASH = 67,
};

struct wire {
	int fd;
	char *buffer;
	size_t length, room;
	size_t looked;                      /* bytes of it that hold no end of line */
	uint32_t serial;
	char hashes[WIRE_NOTED][WIRE_HASH]; /* of transactions that wait for a block, in the order of their coming */
	unsigned hash_count;
	bool lost;                          /* there were more */
	bool head;                          /* somebody made a block */
	char why[WIRE_WHY];                 /* of the last that failed */
	bool (*idle)(void *context);        /* false: give up */
	void *context;
};

/* Waits for the socket `path` to be there, up to `ms`. */
bool wire_open(struct wire *wire, const char *path, unsigned ms);
void wire_close(struct wire *wire);

/* The result, to be freed with json_decref(), or NULL and wire->why. Takes `params`, an array. */
json_t *wire_ask(struct wire *wire, const char *method, json_t *params, unsigned ms);

/* Reads what came by itself. False: the other side is gone. */
bool wire_look(struct wire *wire);

/* A quantity: "0x1f". */
bool wire_number(const json_t *value, uint64_t *number);

#endif
