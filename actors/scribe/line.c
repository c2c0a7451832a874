/* Lines: put together, made clean, stamped. Plain and pure, in the process of scribe; touches nothing but its
 * arguments. */
#include "actors/scribe/line.h"

#include "proto/utf8.h"

#include <stdio.h>
#include <string.h>

_Static_assert(LOG_TEXT_MAX > LOG_TIME_TEXT + 8 + WHO_TEXT + 13 + sizeof LOG_RAW " text=\"\"" +
				      2 * LOG_LINE_MAX + sizeof LOG_CUT,
	       "the longest line fits");

/* -- together ---------------------------------------------------------------------------------- */

static void line_add(struct line *line, const char *bytes, size_t length)
{
	size_t room = sizeof line->bytes - line->length;
	if (length > room) {
		line->cut = true;
		length = room;
	}
	memcpy(line->bytes + line->length, bytes, length);
	line->length = (uint16_t)(line->length + length);
}

static void line_end(struct line *line, line_fn *whole, void *context)
{
	whole(context, line->bytes, line->length, line->cut);
	line->length = 0;
	line->cut = false;
}

void line_feed(struct line *line, const char *bytes, size_t length, line_fn *whole, void *context)
{
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t part = end ? (size_t)(end - bytes) : length;
		line_add(line, bytes, part);
		if (!end)
			return;
		line_end(line, whole, context);
		bytes += part + 1;
		length -= part + 1;
	}
}

void line_flush(struct line *line, line_fn *whole, void *context)
{
	if (line->length > 0)
		line_end(line, whole, context);
}

/* -- clean ------------------------------------------------------------------------------------- */

/* `out` has room for `length` bytes: cleaning never makes a line longer. Spaces at the end are left out. */
static size_t clean(const char *bytes, size_t length, char *out)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t used = 0;
	while (length > 0) {
		uint32_t character;
		size_t part = utf8_read(at, length, &character);
		if (part == 0 || utf8_steers(character)) {
			out[used++] = *at == '\t' ? ' ' : '?';
			part = part ? part : 1;
		} else {
			memcpy(out + used, at, part);
			used += part;
		}
		at += part;
		length -= part;
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	return used;
}

/* -- stamped ----------------------------------------------------------------------------------- */

static struct log_word next_word(struct log_word *left)
{
	const char *space = memchr(left->at, ' ', left->length);
	struct log_word word = {left->at, space ? (size_t)(space - left->at) : left->length};
	left->at += word.length;
	left->length -= word.length;
	while (left->length > 0 && left->at[0] == ' ') {
		left->at++;
		left->length--;
	}
	return word;
}

static size_t put(char *out, size_t used, struct log_word word)
{
	memcpy(out + used, word.at, word.length);
	return used + word.length;
}

static size_t put_text(char *out, size_t used, const char *text)
{
	return put(out, used, (struct log_word){text, strlen(text)});
}

static size_t put_raw(char *out, size_t used, struct log_word word, bool cut)
{
	used = put_text(out, used, LOG_RAW " text=\"");
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == '"' || word.at[i] == '\\')
			out[used++] = '\\';
		out[used++] = word.at[i];
	}
	if (cut)
		used = put_text(out, used, LOG_CUT);
	return put_text(out, used, "\"");
}

size_t line_text(const struct stamp *stamp, const char *bytes, size_t length, bool cut,
		 char out[LOG_TEXT_MAX])
{
	char text[LOG_LINE_MAX];
	struct log_word left = {text, clean(bytes, length, text)};
	if (left.length == 0)
		return 0;
	struct log_word said = left, level_word = next_word(&left);
	int level = log_text_level_parse(level_word.at, level_word.length);
	if (level >= 0 && left.length > 0)
		said = left; /* without its level; else all of it is what was said */
	struct log_word event = next_word(&left);
	bool shaped = level >= 0 && log_event_word(event);
	const char *name = log_text_level(level >= 0 ? (unsigned)level : 1);
	size_t used = (size_t)snprintf(out, LOG_TEXT_MAX, "%s %s %s[%u] ", stamp->time, name, stamp->actor,
				       stamp->pid);
	if (!shaped) {
		used = put_raw(out, used, said, cut);
	} else {
		used = put(out, used, event);
		if (left.length > 0 || cut)
			used = put(out, put_text(out, used, " "), left);
		if (cut)
			used = put_text(out, used, LOG_CUT);
	}
	out[used++] = '\n';
	return used;
}
