/* Ranges and entity tags. Pure. */
#include "actors/gateway/range.h"

#include <string.h>
#include <strings.h>

/* Digits, saturating: a number too large to count is past every end. False when there is none. */
static bool read_number(const char **at, uint64_t *number)
{
	const char *digit = *at;
	*number = 0;
	for (; *digit >= '0' && *digit <= '9'; digit++) {
		uint64_t next = *number * 10 + (uint64_t)(*digit - '0');
		*number = *number > (UINT64_MAX - 9) / 10 ? UINT64_MAX : next;
	}
	bool any = digit != *at;
	*at = digit;
	return any;
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* "-500": the last 500 bytes. */
static enum range read_suffix(const char *at, uint64_t size, struct span *span)
{
	uint64_t count;
	at++;
	if (!read_number(&at, &count) || *skip_blanks(at))
		return RANGE_WHOLE;
	if (count == 0 || size == 0)
		return RANGE_NONE;
	if (count > size)
		count = size;
	*span = (struct span){size - count, count};
	return RANGE_PART;
}

enum range range_read(const char *value, uint64_t size, struct span *span)
{
	*span = (struct span){0, size};
	if (!value || strncasecmp(value, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	const char *at = value + 6;
	if (*at == '-')
		return read_suffix(at, size, span);
	uint64_t first, last = UINT64_MAX;
	if (!read_number(&at, &first) || *at++ != '-')
		return RANGE_WHOLE;
	bool closed = read_number(&at, &last);
	if (!closed)
		last = UINT64_MAX;
	if (*skip_blanks(at) || first > last)
		return RANGE_WHOLE;
	if (first >= size)
		return RANGE_NONE;
	if (last > size - 1)
		last = size - 1;
	*span = (struct span){first, last - first + 1};
	return RANGE_PART;
}

/* Reads one entity tag; leaves `*at` behind it. NULL for what is none, else the opaque text and its length.
 */
static const char *read_etag(const char **at, size_t *length, bool *weak)
{
	const char *tag = *at;
	*weak = tag[0] == 'W' && tag[1] == '/';
	if (*weak)
		tag += 2;
	if (*tag++ != '"')
		return NULL;
	const char *end = tag;
	while ((unsigned char)*end > ' ' && *end != '"' && *end != 0x7f)
		end++;
	if (*end != '"')
		return NULL;
	*length = (size_t)(end - tag);
	*at = end + 1;
	return tag;
}

static bool is_cid(const char *tag, size_t length, const struct cid *cid)
{
	char text[CID_TEXT];
	return length == CID_TEXT - 1 && memcmp(tag, cid_text(cid, text), length) == 0;
}

bool etags_hold(const char *value, const struct cid *cid, bool strong)
{
	const char *at = skip_blanks(value);
	if (at[0] == '*' && !*skip_blanks(at + 1))
		return true;
	for (;;) {
		at += strspn(at, " \t,");
		size_t length;
		bool weak;
		const char *tag = read_etag(&at, &length, &weak);
		if (!tag)
			return false;
		if (is_cid(tag, length, cid) && !(strong && weak))
			return true;
		at = skip_blanks(at);
		if (*at && *at != ',')
			return false;
	}
}

bool etag_is(const char *value, const struct cid *cid)
{
	const char *at = skip_blanks(value);
	size_t length;
	bool weak;
	const char *tag = read_etag(&at, &length, &weak);
	return tag && !weak && !*skip_blanks(at) && is_cid(tag, length, cid);
}
