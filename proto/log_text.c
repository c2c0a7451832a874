/* Log lines to and from text, for scribe and for whoever reads its files. Pure: no I/O, no clock, no time
 * zone. */
#include "proto/log_text.h"

#include <stdio.h>
#include <string.h>

static const char *const levels[LOG_LEVELS] = {"debug", "info", "warn", "error"};

const char *log_text_level(unsigned level)
{
	return levels[level];
}

int log_text_level_parse(const char *at, size_t length)
{
	for (int i = 0; i < LOG_LEVELS; i++)
		if (strlen(levels[i]) == length && memcmp(levels[i], at, length) == 0)
			return i;
	return -1;
}

const char *log_who_text(unsigned kind, unsigned node, char text[WHO_TEXT])
{
	if (kind == KIND_NONE)
		return memcpy(text, LOG_WARREND, sizeof LOG_WARREND);
	return who_text(kind, node, text);
}

const char *log_path_text(unsigned kind, unsigned node, char text[LOG_PATH_TEXT])
{
	const struct actor_row *row = actor_row(kind);
	if (row && row->scope == PER_NODE)
		snprintf(text, LOG_PATH_TEXT, "node%u/%s.log", node % (NODES_MAX + 1), row->name);
	else
		snprintf(text, LOG_PATH_TEXT, "machine/%s.log", row ? row->name : LOG_WARREND);
	return text;
}

/* -- time -------------------------------------------------------------------------------------- */

/* The Gregorian calendar, by hand: gmtime_r() may open the time zone's file, which the jail does not show. */
enum { DAY_MS = 86400000, DAYS_TO_1970 = 719162 };

static int64_t days_before_year(int64_t year) /* since 1 January of the year 1 */
{
	int64_t past = year - 1;
	return past * 365 + past / 4 - past / 100 + past / 400;
}

static unsigned days_of_month(int64_t year, unsigned month) /* 0 is January */
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month] + (month == 1 && leap ? 1U : 0U);
}

const char *log_time_text(int64_t ms, char text[LOG_TIME_TEXT])
{
	int64_t end = (days_before_year(10000) - DAYS_TO_1970) * DAY_MS;
	ms = ms < 0 ? 0 : ms >= end ? end - 1 : ms;
	int64_t days = ms / DAY_MS + DAYS_TO_1970;
	int64_t year = 1 + days / 366; /* never too late; the loop makes up what is missing */
	while (days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	unsigned month = 0;
	while (days >= days_of_month(year, month))
		days -= days_of_month(year, month++);
	unsigned left = (unsigned)(ms % DAY_MS);
	snprintf(text, LOG_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000,
		 (month + 1) % 100, (unsigned)(days + 1) % 100, left / 3600000 % 100, left / 60000 % 60,
		 left / 1000 % 60, left % 1000);
	return text;
}

static bool take_number(const char *at, unsigned digits, unsigned lowest, unsigned highest, unsigned *number)
{
	*number = 0;
	for (unsigned i = 0; i < digits; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		*number = *number * 10 + (unsigned)(at[i] - '0');
	}
	return *number >= lowest && *number <= highest;
}

bool log_time_parse(const char *at, size_t length, int64_t *ms)
{
	unsigned year, month, day, hour, minute, second, thousandth;
	if (length != LOG_TIME_TEXT - 1 || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' ||
	    at[16] != ':' || at[19] != '.' || at[23] != 'Z')
		return false;
	if (!take_number(at, 4, 1970, 9999, &year) || !take_number(at + 5, 2, 1, 12, &month) ||
	    !take_number(at + 8, 2, 1, days_of_month(year, month - 1), &day) ||
	    !take_number(at + 11, 2, 0, 23, &hour) || !take_number(at + 14, 2, 0, 59, &minute) ||
	    !take_number(at + 17, 2, 0, 59, &second) || !take_number(at + 20, 3, 0, 999, &thousandth))
		return false;
	int64_t days = days_before_year(year) - DAYS_TO_1970 + day - 1;
	for (unsigned i = 0; i + 1 < month; i++)
		days += days_of_month(year, i);
	*ms = days * DAY_MS + hour * 3600000 + minute * 60000 + second * 1000 + thousandth;
	return true;
}

/* -- a line ------------------------------------------------------------------------------------ */

/* Cuts off `line` what comes before `end`, and `end` too; false when it is not there. */
static bool take_until(struct log_word *line, char end, struct log_word *word)
{
	const char *at = memchr(line->at, end, line->length);
	if (!at)
		return false;
	*word = (struct log_word){line->at, (size_t)(at - line->at)};
	line->length -= word->length + 1;
	line->at = at + 1;
	return true;
}

/* Digits without a leading zero, except "0" itself. */
static bool parse_number(struct log_word word, uint64_t highest, uint64_t *number)
{
	*number = 0;
	if (word.length == 0 || word.length > 10 || (word.at[0] == '0' && word.length > 1))
		return false;
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(word.at[i] - '0');
	}
	return *number <= highest;
}

static bool parse_actor(struct log_word actor, uint16_t *node)
{
	struct log_word name, left = actor;
	uint64_t number = 0;
	if (!take_until(&left, '@', &name))
		name = actor;
	else if (!parse_number(left, NODES_MAX, &number) || number == 0)
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && !(name.at[i] >= '0' && name.at[i] <= '9') &&
		    name.at[i] != '-')
			return false;
	*node = (uint16_t)number;
	return name.length > 0 && actor.length < WHO_TEXT;
}

bool log_event_word(struct log_word word)
{
	for (size_t i = 0; i < word.length; i++) {
		char c = word.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && c != '.' && c != '_' && c != '-')
			return false;
	}
	return word.length > 0 && word.length <= LOG_EVENT_MAX;
}

bool log_line_parse(const char *line, size_t length, struct log_text *text)
{
	struct log_word left = {line, length}, time, level, pid;
	if (left.length > 0 && line[left.length - 1] == '\n')
		left.length--;
	if (memchr(line, '\n', left.length) || !take_until(&left, ' ', &time) ||
	    !take_until(&left, ' ', &level) || !take_until(&left, '[', &text->actor) ||
	    !take_until(&left, ']', &pid) || left.length == 0 || left.at[0] != ' ')
		return false;
	left = (struct log_word){left.at + 1, left.length - 1};
	if (!take_until(&left, ' ', &text->event)) {
		text->event = left;
		left = (struct log_word){left.at + left.length, 0};
	}
	text->rest = left;
	int number = log_text_level_parse(level.at, level.length);
	uint64_t process;
	if (number < 0 || !parse_number(pid, UINT32_MAX, &process) || !log_event_word(text->event) ||
	    !parse_actor(text->actor, &text->node))
		return false;
	text->level = (unsigned)number;
	text->pid = (uint32_t)process;
	return log_time_parse(time.at, time.length, &text->time_ms);
}

/* -- its words --------------------------------------------------------------------------------- */

static bool is_escape(struct log_word word, size_t i)
{
	return word.at[i] == '\\' && i + 1 < word.length && (word.at[i + 1] == '"' || word.at[i + 1] == '\\');
}

/* The length of a quoted value whose opening quote was taken. A quote in the middle of a word does not end
 * it: processes print expressions in quotes. */
static size_t quoted_length(struct log_word word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (is_escape(word, i))
			i++;
		else if (word.at[i] == '"' && (i + 1 == word.length || word.at[i + 1] == ' '))
			return i;
	}
	return word.length;
}

static void skip(struct log_word *word, size_t bytes)
{
	word->at += bytes;
	word->length -= bytes;
}

bool log_pair_next(struct log_word *rest, struct log_pair *pair)
{
	while (rest->length > 0 && rest->at[0] == ' ')
		skip(rest, 1);
	if (rest->length == 0)
		return false;
	const char *space = memchr(rest->at, ' ', rest->length);
	size_t length = space ? (size_t)(space - rest->at) : rest->length;
	const char *equals = memchr(rest->at, '=', length);
	size_t key = equals ? (size_t)(equals - rest->at) : 0;
	*pair = (struct log_pair){.key = {rest->at, key}};
	if (key > 0) {
		skip(rest, key + 1);
		length -= key + 1;
	}
	if (key > 0 && length > 0 && rest->at[0] == '"') {
		skip(rest, 1);
		pair->quoted = true;
		length = quoted_length(*rest);
	}
	pair->value = (struct log_word){rest->at, length};
	skip(rest, length);
	if (pair->quoted && rest->length > 0)
		skip(rest, 1);
	return true;
}

size_t log_pair_value(const struct log_pair *pair, char *out, size_t room)
{
	size_t length = 0;
	for (size_t i = 0; i < pair->value.length && length + 1 < room; i++) {
		if (pair->quoted && is_escape(pair->value, i))
			i++;
		out[length++] = pair->value.at[i];
	}
	if (room > 0)
		out[length] = '\0';
	return length;
}
