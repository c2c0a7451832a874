/* Shard ranges. Pure. */
#include "actors/store/shards.h"

#include "actors/base/crypto/crypto.h"

#include <stdlib.h>

/* A number below `count`; moves *text past it. */
static bool number(const char **text, uint32_t count, uint32_t *value)
{
	if (**text < '0' || **text > '9')
		return false;
	char *end;
	unsigned long read = strtoul(*text, &end, 10);
	*text = end;
	*value = (uint32_t)read;
	return read < count;
}

static int by_start(const void *a, const void *b)
{
	const struct shard_span *left = a, *right = b;
	return left->start < right->start ? -1 : left->start > right->start;
}

const char *shards_parse(struct shards *shards, uint32_t count, const char *text)
{
	*shards = (struct shards){.count = count};
	if (!count)
		return "shard_count is 0; a network has at least one shard";
	while (*text) {
		if (shards->spans == SHARD_SPANS)
			return "shards names more than 64 ranges; join some";
		struct shard_span *span = &shards->span[shards->spans++];
		if (!number(&text, count, &span->start))
			return "shards wants numbers below shard_count, as in 0-255,512-767";
		span->end = span->start;
		if (*text == '-' && (text++, !number(&text, count, &span->end)))
			return "shards wants numbers below shard_count, as in 0-255,512-767";
		if (span->end < span->start)
			return "a range in shards ends before it starts";
		if (*text == ',' && text[1])
			text++;
		else if (*text)
			return "shards wants ranges with commas between, as in 0-255,512-767";
	}
	qsort(shards->span, shards->spans, sizeof *shards->span, by_start);
	for (uint32_t i = 1; i < shards->spans; i++)
		if (shards->span[i].start <= shards->span[i - 1].end)
			return "two ranges in shards overlap";
	return NULL;
}

bool shards_keep(const struct shards *shards, const struct cid *cid)
{
	if (!shards->spans)
		return true;
	uint32_t shard = cid_shard(cid, shards->count);
	for (uint32_t i = 0; i < shards->spans; i++)
		if (shard >= shards->span[i].start && shard <= shards->span[i].end)
			return true;
	return false;
}
