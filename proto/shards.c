/* Shard ranges. Pure. */
#include "proto/shards.h"

#include <stdio.h>
#include <string.h>

/* At most six digits, so that nothing wraps; moves *at past them. */
static bool read_number(const char **at, uint32_t *value)
{
	const char *digit = *at;
	*value = 0;
	for (; *digit >= '0' && *digit <= '9'; digit++) {
		if (digit - *at == 6)
			return false;
		*value = *value * 10 + (uint32_t)(*digit - '0');
	}
	bool any = digit != *at;
	*at = digit;
	return any;
}

static const char *read_span(const char **at, struct shard_span *span, char why[SHARDS_WHY])
{
	const char *from = *at;
	bool read = read_number(at, &span->start);
	span->end = span->start;
	if (read && **at == '-') {
		(*at)++;
		read = read_number(at, &span->end);
	}
	if (read)
		return NULL;
	snprintf(why, SHARDS_WHY, "a range was expected at \"%.20s\"; write ranges as in 0-255,512-767",
		 from);
	return why;
}

/* Keeps the spans in order. */
static const char *insert(struct shards *shards, struct shard_span span, char why[SHARDS_WHY])
{
	unsigned place = 0;
	while (place < shards->spans && shards->span[place].end < span.start)
		place++;
	const struct shard_span *next = &shards->span[place];
	if (place < shards->spans && next->start <= span.end) {
		snprintf(why, SHARDS_WHY, "ranges %u-%u and %u-%u overlap", next->start, next->end,
			 span.start, span.end);
		return why;
	}
	for (unsigned i = shards->spans; i > place; i--)
		shards->span[i] = shards->span[i - 1];
	shards->span[place] = span;
	shards->spans++;
	return NULL;
}

static const char *check(const struct shards *shards, struct shard_span span, char why[SHARDS_WHY])
{
	if (shards->spans == SHARD_SPANS)
		snprintf(why, SHARDS_WHY, "more than %d ranges; join some", SHARD_SPANS);
	else if (span.start > span.end)
		snprintf(why, SHARDS_WHY, "range %u-%u ends before it starts", span.start, span.end);
	else if (span.end >= shards->count)
		snprintf(why, SHARDS_WHY, "shard %u does not exist: shard_count is %u, so the last is %u",
			 span.end, shards->count, shards->count - 1);
	else
		return NULL;
	return why;
}

const char *shards_parse(const char *text, uint32_t count, struct shards *shards, char why[SHARDS_WHY])
{
	*shards = (struct shards){.count = count};
	if (!count)
		return "shard_count is 0; a network has at least one shard";
	if (!*text)
		return insert(shards, (struct shard_span){0, count - 1}, why);
	for (;;) {
		struct shard_span span;
		const char *wrong = read_span(&text, &span, why);
		if (!wrong)
			wrong = check(shards, span, why);
		if (!wrong)
			wrong = insert(shards, span, why);
		if (wrong || !*text)
			return wrong;
		if (*text++ != ',') {
			snprintf(why, SHARDS_WHY, "a comma was expected at \"%.20s\"", text - 1);
			return why;
		}
	}
}

/* -- as JSON: no more of it than this needs ----------------------------------------------------- */

/* Moves past spaces, then past `word` when it is there. */
static bool take(const char **at, const char *word)
{
	size_t length = strlen(word);
	*at += strspn(*at, " \t\r\n");
	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

static bool take_member(const char **at, struct shard_span *span, unsigned *had)
{
	bool start = take(at, "\"start\""), end = !start && take(at, "\"end\"");
	if (!(start || end) || !take(at, ":") || *had & (start ? 1U : 2U))
		return false;
	*had |= start ? 1U : 2U;
	return take(at, "") && read_number(at, start ? &span->start : &span->end);
}

bool shards_from_json(const char *text, char out[SHARDS_TEXT])
{
	size_t used = 0;
	if (!take(&text, "["))
		return false;
	do {
		struct shard_span span;
		unsigned had = 0;
		if (!take(&text, "{") || !take_member(&text, &span, &had) || !take(&text, ",") ||
		    !take_member(&text, &span, &had) || !take(&text, "}"))
			return false;
		used += (size_t)snprintf(out + used, SHARDS_TEXT - used, "%s%u-%u", used ? "," : "",
					 span.start, span.end);
	} while (used < SHARDS_TEXT && take(&text, ","));
	return used < SHARDS_TEXT && take(&text, "]") && take(&text, "") && !*text;
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
