/* Which shards of the network a node keeps: the setting `shards`, "0-255,512-767" (FEATURES B6, K8). The supervisor checks it,
 * the store obeys it, the gateway says it to people: so it is read in one place. Pure. */
#ifndef WARREN_PROTO_SHARDS_H
#define WARREN_PROTO_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SHARD_SPANS = 64, /* as many as store_node tells */
	SHARDS_TEXT = SHARD_SPANS * 12 + 1,
	SHARDS_WHY = 120,
};

struct shard_span { /* both ends belong to it */
	uint32_t start, end;
};

struct shards {
	uint32_t count; /* shards in the network, 1 … 65536 */
	unsigned spans;
	struct shard_span span[SHARD_SPANS]; /* in ascending order, apart from one another */
};

/* "" is all of them. NULL, or what is wrong as a sentence in `why`: start <= end < count, no overlap, at most SHARD_SPANS. */
const char *shards_parse(const char *text, uint32_t count, struct shards *shards, char why[SHARDS_WHY]);

/* The same from what NODE_SHARDS holds in seed 003, [{"start":0,"end":255},…], to "0-255,…". False for anything else. */
bool shards_from_json(const char *text, char out[SHARDS_TEXT]);

bool shards_keep(const struct shards *shards, uint32_t shard);

/* The widest span around a shard that this node does not keep. */
struct shard_span shards_gap(const struct shards *shards, uint32_t shard);

/* "0-255,512-767". */
const char *shards_text(const struct shards *shards, char text[SHARDS_TEXT]);

#endif
