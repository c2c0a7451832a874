/* Which shards of the network this node keeps: "0-255,512-767", inclusive; empty: all (FEATURES B6, K8). */
#ifndef WARREN_STORE_SHARDS_H
#define WARREN_STORE_SHARDS_H

#include "proto/ids.h"

enum { SHARD_SPANS = 64 };

struct shard_span {
	uint32_t start, end;
};
struct shards {
	uint32_t count;                      /* shards in the network */
	uint32_t spans;                      /* 0: this node keeps all */
	struct shard_span span[SHARD_SPANS]; /* in order, apart */
};

/* NULL, or what is wrong with the text, as a sentence: start <= end < count, no overlap, SHARD_SPANS at most. */
const char *shards_parse(struct shards *shards, uint32_t count, const char *text);

bool shards_keep(const struct shards *shards, const struct cid *cid);

#endif
