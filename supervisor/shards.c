/* Checks a list of shard ranges. Pure: no I/O, no state. */
#include "supervisor/shards.h"

static bool number(const char **at, uint32_t *value)
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

bool shards_check(const char *text, uint32_t count, struct why *why)
{
	struct {
		uint32_t start, end;
	} ranges[SHARD_RANGES_MAX];
	unsigned known = 0;
	for (const char *at = text; *at;) {
		if (known == SHARD_RANGES_MAX)
			return refuse(why, "more than %d ranges", SHARD_RANGES_MAX);
		uint32_t start, end;
		if (!number(&at, &start))
			return refuse(why,
				      "a number was expected at \"%.20s\"; write ranges as in 0-255,512-767",
				      at);
		end = start;
		if (*at == '-' && (at++, !number(&at, &end)))
			return refuse(
				why, "a range has no end at \"%.20s\"; write ranges as in 0-255,512-767", at);
		if (start > end)
			return refuse(why, "range %u-%u ends before it starts", start, end);
		if (end >= count)
			return refuse(why, "shard %u does not exist: shard_count is %u, so the last is %u",
				      end, count, count - 1);
		for (unsigned i = 0; i < known; i++)
			if (start <= ranges[i].end && ranges[i].start <= end)
				return refuse(why, "ranges %u-%u and %u-%u overlap", ranges[i].start,
					      ranges[i].end, start, end);
		ranges[known].start = start;
		ranges[known++].end = end;
		if (*at == ',' && at[1])
			at++;
		else if (*at)
			return refuse(why, "a comma was expected at \"%.20s\"", at);
	}
	return true;
}
