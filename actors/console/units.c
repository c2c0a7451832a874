/* Numbers to the words that people read, and back. Part of the console; pure, so there is nothing to die. */
#include "actors/console/units.h"

#include "proto/birth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MINUTE UINT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const char *duration_text(uint64_t ms, char text[UNIT_TEXT])
{
	static const struct {
		uint64_t seconds, part;
		const char *name, *part_name;
	} units[] = {{DAY, HOUR, "d", "h"}, {HOUR, MINUTE, "h", "m"}, {MINUTE, 1, "m", "s"}};
	uint64_t seconds = ms / 1000;
	if (ms < 1000) {
		snprintf(text, UNIT_TEXT, "%" PRIu64 " ms", ms);
		return text;
	}
	for (unsigned i = 0; i < 3; i++) {
		uint64_t whole = seconds / units[i].seconds;
		uint64_t rest = seconds % units[i].seconds / units[i].part;
		if (whole == 0)
			continue;
		if (rest)
			snprintf(text, UNIT_TEXT, "%" PRIu64 " %s %" PRIu64 " %s", whole, units[i].name, rest,
				 units[i].part_name);
		else
			snprintf(text, UNIT_TEXT, "%" PRIu64 " %s", whole, units[i].name);
		return text;
	}
	snprintf(text, UNIT_TEXT, "%" PRIu64 " s", seconds);
	return text;
}

/* -- sizes ------------------------------------------------------------------------------------------- */

static const char *const sizes[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

/* A number of units, 2^(10 * unit) bytes each, without its name. Rounded down: a store is not full before it
 * is. */
static const char *in_unit(uint64_t bytes, unsigned unit, char text[UNIT_TEXT])
{
	uint64_t whole = bytes >> (10 * unit);
	uint64_t left = unit ? bytes - (whole << (10 * unit)) : 0;
	unsigned tenth = unit ? (unsigned)((left >> (10 * unit - 10)) * 10 / 1024) : 0;
	if (whole < 10 && tenth)
		snprintf(text, UNIT_TEXT, "%" PRIu64 ".%u", whole, tenth);
	else
		snprintf(text, UNIT_TEXT, "%" PRIu64, whole);
	return text;
}

/* The largest unit of which there are at least `least`. */
static unsigned unit_for(uint64_t bytes, uint64_t least)
{
	unsigned unit = 0;
	while (unit < 6 && bytes >> (10 * unit + 10) >= least)
		unit++;
	return unit;
}

const char *size_text(uint64_t bytes, char text[UNIT_TEXT])
{
	unsigned unit = unit_for(bytes, 1);
	char number[UNIT_TEXT];
	snprintf(text, UNIT_TEXT, "%.40s %s", in_unit(bytes, unit, number), sizes[unit]);
	return text;
}

const char *share_text(uint64_t used, uint64_t quota, char text[UNIT_TEXT])
{
	unsigned unit = unit_for(quota, 2);
	char first[UNIT_TEXT], second[UNIT_TEXT];
	snprintf(text, UNIT_TEXT, "%.20s / %.20s %s", in_unit(used, unit, first),
		 in_unit(quota, unit, second), sizes[unit]);
	return text;
}

/* -- counts, ends -------------------------------------------------------------------------------------- */

const char *count_text(uint64_t count, char text[UNIT_TEXT])
{
	char digits[UNIT_TEXT];
	size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			text[at++] = ' ';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

const char *plural_text(uint64_t count, const char *one, const char *many, char text[UNIT_TEXT])
{
	char number[UNIT_TEXT];
	snprintf(text, UNIT_TEXT, "%.30s %.30s", count_text(count, number), count == 1 ? one : many);
	return text;
}

const char *end_text(int64_t last_end, char text[UNIT_TEXT])
{
	if (last_end == 0)
		return "ended";
	if (last_end == EXIT_CONFIG)
		return "its configuration or its folder is wrong (code 78)";
	if (last_end > 0) {
		snprintf(text, UNIT_TEXT, "ended with code %" PRId64, last_end);
		return text;
	}
	const char *name = last_end > -65 ? sigabbrev_np((int)-last_end) : NULL;
	if (name)
		snprintf(text, UNIT_TEXT, "killed by signal %" PRId64 " (%.20s)", -last_end, name);
	else
		snprintf(text, UNIT_TEXT, "killed by signal %" PRId64, -last_end);
	return text;
}

const char *short_address(const char *address, char text[UNIT_TEXT])
{
	size_t length = strnlen(address, UNIT_TEXT);
	if (length != 42 || strncmp(address, "0x", 2) != 0)
		return address;
	snprintf(text, UNIT_TEXT, "%.6s…%.5s", address, address + length - 5);
	return text;
}

/* -- the other way ------------------------------------------------------------------------------------- */

/* Digits at the start; where they end is `*end`. False for none, or for more than fit. */
static bool take_digits(const char *text, uint64_t *number, const char **end)
{
	*number = 0;
	for (*end = text; **end >= '0' && **end <= '9'; ++*end) {
		uint64_t digit = (uint64_t)(**end - '0');
		if (*number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return *end > text;
}

bool number_parse(const char *text, uint64_t lowest, uint64_t highest, uint64_t *number)
{
	const char *end;
	return take_digits(text, number, &end) && *end == '\0' && *number >= lowest && *number <= highest;
}

bool duration_parse(const char *text, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"", 1000},           {"ms", 1},          {"s", 1000},
		     {"m", MINUTE * 1000}, {"h", HOUR * 1000}, {"d", DAY * 1000}};
	const uint64_t most = 3650 * DAY * 1000;
	const char *end;
	uint64_t number;
	if (!take_digits(text, &number, &end))
		return false;
	for (unsigned i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(end, units[i].name) == 0) {
			*ms = number * units[i].ms;
			return number <= most / units[i].ms;
		}
	return false;
}
