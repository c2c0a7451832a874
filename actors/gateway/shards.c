/* Shard ranges. Pure. */
#include "actors/gateway/shards.h"

#include <stdio.h>

static bool read_number(const char **at, uint32_t below, uint32_t *number)
{
	uint64_t value = 0;
	const char *digit = *at;
	for (; *digit >= '0' && *digit <= '9' && value < below; digit++)
		value = value * 10 + (uint64_t)(*digit - '0');
	if (digit == *at || value >= below)
		return false;
	*number = (uint32_t)value;
	*at = digit;
	return true;
}

/* Keeps the spans in order; false when `span` overlaps one that is there. */
static bool insert(struct shards *shards, struct shard_span span)
{
	if (shards->spans == SHARD_SPANS)
		return false;
	unsigned place = 0;
	while (place < shards->spans && shards->span[place].end < span.start)
		place++;
	if (place < shards->spans && shards->span[place].start <= span.end)
		return false;
	for (unsigned i = shards->spans; i > place; i--)
		shards->span[i] = shards->span[i - 1];
	shards->span[place] = span;
	shards->spans++;
	return true;
}

bool shards_parse(const char *text, uint32_t count, struct shards *shards)
{
	*shards = (struct shards){.count = count};
	if (!count)
		return false;
	if (!*text)
		return insert(shards, (struct shard_span){0, count - 1});
	for (;;) {
		struct shard_span span;
		if (!read_number(&text, count, &span.start))
			return false;
		span.end = span.start;
		if (*text == '-' && (text++, !read_number(&text, count, &span.end)))
			return false;
		if (span.start > span.end || !insert(shards, span))
			return false;
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}

bool shards_keep(const struct shards *shards, uint32_t shard)
{
	for (unsigned i = 0; i < shards->spans; i++)
		if (shard >= shards->span[i].start && shard <= shards->span[i].end)
			return true;
	return false;
}

struct shard_span shards_gap(const struct shards *shards, uint32_t shard)
{
	struct shard_span gap = {0, shards->count - 1};
	for (unsigned i = 0; i < shards->spans; i++) {
		const struct shard_span *span = &shards->span[i];
		if (span->end < shard)
			gap.start = span->end + 1;
		else if (span->start > shard && span->start <= gap.end)
			gap.end = span->start - 1;
	}
	return gap;
}

const char *shards_text(const struct shards *shards, char text[SHARDS_TEXT])
{
	size_t used = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < shards->spans && used < SHARDS_TEXT; i++)
		used += (size_t)snprintf(text + used, SHARDS_TEXT - used, "%s%u-%u", i ? "," : "",
					 shards->span[i].start, shards->span[i].end);
	return text;
}
