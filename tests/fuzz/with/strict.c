/* The strict reader. Pure. */
#include "tests/fuzz/with/strict.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct text {
	const char *at;
	size_t length;
};

/* The next line, which ends in CR LF and holds no other of them and no NUL. */
static bool take_line(struct text *from, struct text *line)
{
	const char *end = memmem(from->at, from->length, "\r\n", 2);
	if (!end)
		return false;
	*line = (struct text){from->at, (size_t)(end - from->at)};
	from->length -= line->length + 2;
	from->at = end + 2;
	return !memchr(line->at, '\r', line->length) && !memchr(line->at, '\n', line->length) &&
	       !memchr(line->at, '\0', line->length);
}

static bool take_until(struct text *from, char end, struct text *word)
{
	const char *at = memchr(from->at, end, from->length);
	if (!at)
		return false;
	*word = (struct text){from->at, (size_t)(at - from->at)};
	from->length -= word->length + 1;
	from->at = at + 1;
	return true;
}

static bool is(struct text text, const char *word)
{
	return text.length == strlen(word) && strncasecmp(text.at, word, text.length) == 0;
}

static bool all_in(struct text text, const char *letters)
{
	for (size_t i = 0; i < text.length; i++)
		if (!strchr(letters, text.at[i]) || !text.at[i])
			return false;
	return text.length;
}

static struct text trimmed(struct text text)
{
	while (text.length && strchr(" \t", text.at[0]))
		text.at++, text.length--;
	while (text.length && strchr(" \t", text.at[text.length - 1]))
		text.length--;
	return text;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
static const char tchar[] = LETTERS "!#$%&'*+-.^_`|~"; /* RFC 9110, 5.6.2 */

struct head {
	bool store, has_length, chunked, last;
	uint64_t length;
};

static bool take_field(struct text line, struct head *head)
{
	struct text name;
	if (!take_until(&line, ':', &name) || !all_in(name, tchar))
		return false;
	struct text value = trimmed(line);
	if (is(name, "content-length")) {
		if (head->has_length || !all_in(value, "0123456789") || value.length > 18)
			return false;
		head->has_length = true;
		for (size_t i = 0; i < value.length; i++)
			head->length = head->length * 10 + (uint64_t)(value.at[i] - '0');
	} else if (is(name, "transfer-encoding")) {
		if (head->chunked || !is(value, "chunked"))
			return false;
		head->chunked = true;
	}
	return true;
}

/* False: malformed, or not all there. */
static bool take_head(struct text *from, struct head *head)
{
	struct text line, method, target;
	*head = (struct head){0};
	do /* "a server SHOULD ignore at least one empty line received prior to the request-line" (2.2) */
		if (!take_line(from, &line))
			return false;
	while (!line.length);
	if (!take_until(&line, ' ', &method) || !take_until(&line, ' ', &target) || !all_in(method, tchar))
		return false;
	bool old = line.length == 8 && memcmp(line.at, "HTTP/1.0", 8) == 0;
	if (!old && (line.length != 8 || memcmp(line.at, "HTTP/1.1", 8) != 0))
		return false;
	const char *path = target.length > 6 ? memmem(target.at, target.length, "/store", 6) : NULL;
	head->store =
		method.length == 4 && memcmp(method.at, "POST", 4) == 0 && (path || is(target, "/store"));
	for (;;) {
		if (!take_line(from, &line))
			return false;
		if (!line.length)
			break;
		if (!take_field(line, head))
			return false;
	}
	return !(head->chunked && (head->has_length || old));
}

static bool keep(struct strict *strict, struct text bytes)
{
	if (strict->used + bytes.length > STRICT_ROOM)
		return false;
	memcpy(strict->bytes + strict->used, bytes.at, bytes.length);
	strict->used += bytes.length;
	return true;
}

static bool take_bytes(struct strict *strict, struct text *from, uint64_t length)
{
	struct text bytes = {from->at, (size_t)length};
	if (length > from->length || !keep(strict, bytes))
		return false;
	from->at += length;
	from->length -= (size_t)length;
	return true;
}

/* As a library before 1.0 takes it: what ends a line of a chunked body may be LF. Nothing is read behind such a body, then. */
static bool take_chunk_line(struct text *from, struct text *line)
{
	if (!take_until(from, '\n', line))
		return false;
	if (line->length && line->at[line->length - 1] == '\r')
		line->length--;
	return true;
}

/* chunk = size [ext] CRLF data CRLF, … 0 [ext] CRLF trailers CRLF (RFC 9112, 7.1). */
static bool take_chunks(struct strict *strict, struct text *from)
{
	struct text line, size, empty;
	uint64_t length;
	do {
		if (!take_chunk_line(from, &line))
			return false;
		size = line;
		const char *extension = memchr(line.at, ';', line.length);
		if (extension)
			size.length = (size_t)(extension - line.at);
		size = trimmed(size);
		if (!all_in(size, "0123456789abcdefABCDEF") || size.length > 15)
			return false;
		length = 0;
		for (size_t i = 0; i < size.length; i++)
			length = length * 16 + (uint64_t)(size.at[i] <= '9' ? size.at[i] - '0'
									    : (size.at[i] | 32) - 'a' + 10);
		if (!take_bytes(strict, from, length))
			return false;
		if (length && (!take_chunk_line(from, &empty) || empty.length))
			return false;
	} while (length);
	do
		if (!take_chunk_line(from, &line))
			return false;
	while (line.length);
	return true;
}

void strict_read(struct strict *strict, const uint8_t *bytes, size_t length)
{
	struct text from = {(const char *)bytes, length};
	struct head head;
	strict->count = 0;
	strict->used = 0;
	while (strict->count < STRICT_BODIES && take_head(&from, &head)) {
		size_t at = strict->used;
		if (head.chunked ? !take_chunks(strict, &from) : !take_bytes(strict, &from, head.length))
			return;
		if (head.store) {
			strict->body[strict->count].at = at;
			strict->body[strict->count++].length = strict->used - at;
		}
		if (head.chunked)
			return;
	}
}
