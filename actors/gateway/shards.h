/* Which shards of the network this node keeps, and how that is said to people. Pure. */
#ifndef WARREN_GATEWAY_SHARDS_H
#define WARREN_GATEWAY_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARD_SPANS = 64, SHARDS_TEXT = 64 * 12 + 1 };

struct shard_span { /* both ends belong to it */
	uint32_t start, end;
};

struct shards {
	uint32_t count; /* shards in the network, 1 … 65536 */
	unsigned spans;
	struct shard_span span[SHARD_SPANS]; /* in ascending order, apart from one another */
};

/* Reads "0-255,512-767" (the setting `shards`); "" is all of them. False for anything else: a number past `count`, a pair
 * the wrong way round, two that touch each other's shards, too many. */
bool shards_parse(const char *text, uint32_t count, struct shards *shards);

bool shards_keep(const struct shards *shards, uint32_t shard);

/* The widest span around a shard that this node does not keep. */
struct shard_span shards_gap(const struct shards *shards, uint32_t shard);

/* "0-255,512-767". */
const char *shards_text(const struct shards *shards, char text[SHARDS_TEXT]);

#endif
