/* Strict reading of a request's header section. Runs in gateway@N on what strangers sent; keeps nothing. */
#include "actors/gateway/framing.h"

#include <string.h>
#include <strings.h>

/* Releases before 1.0 take a bare LF for a line's end, join folded lines, and cut texts at a NUL. They also
 * parse in place: each name and value is a piece of the buffer that was received, ended by NULs where the
 * separators were. So the bytes can be counted: lines that end in CR LF add up to exactly the size that the
 * library reports, and any other section does not. From 1.0 on the library itself refuses all three
 * (MHD_OPTION_CLIENT_DISCIPLINE_LVL). */
#define COUNT_BYTES (MHD_VERSION < 0x01000000)

struct scan {
	struct framing *framing;
	size_t bytes; /* of the lines seen so far */
	unsigned lengths, encodings, hosts;
};

static void complain(struct framing *framing, unsigned status, const char *complaint)
{
	if (framing->complaint)
		return;
	framing->status = status;
	framing->complaint = complaint;
}

static bool is_token(const char *text)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	for (const char *c = text; *c; c++)
		if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      strchr(marks, *c)))
			return false;
	return *text;
}

/* Blanks, and what can be seen; a bare CR is neither. */
static bool is_field_value(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if ((*c < ' ' && *c != '\t') || *c == 0x7f)
			return false;
	return true;
}

static bool is_host(const char *text)
{
	static const char marks[] = "-._~:[]!$&'()*+,;=%";
	for (const char *c = text; *c; c++)
		if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      strchr(marks, *c)))
			return false;
	return true;
}

/* Decimal digits and nothing else; the library has read the first such field and takes its word. */
static bool read_length(const char *text, uint64_t *length)
{
	*length = 0;
	if (!*text || strlen(text) > 18)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*length = *length * 10 + (uint64_t)(*text - '0');
	}
	return true;
}

/* The value follows its name in the buffer, after a colon and blanks; a folded line breaks that. */
static bool count_line(struct scan *scan, const char *name, const char *value)
{
	if (!COUNT_BYTES)
		return true;
	uintptr_t name_end = (uintptr_t)name + strlen(name) + 1, value_at = (uintptr_t)value;
	if (value_at < name_end)
		return false;
	for (uintptr_t at = name_end; at < value_at; at++)
		if (*(const char *)at != ' ' && *(const char *)at != '\t')
			return false;
	scan->bytes += value_at + strlen(value) + 2 - (uintptr_t)name;
	return true;
}

/* One that may be sent once. */
static void keep_one(struct framing *framing, const char **field, const char *value)
{
	if (*field)
		complain(framing, MHD_HTTP_BAD_REQUEST, "a header field that may come once came twice");
	*field = value;
}

static void see_framing_field(struct scan *scan, const char *name, const char *value)
{
	struct framing *framing = scan->framing;
	if (strcasecmp(name, "content-length") == 0) {
		framing->has_length = true;
		if (++scan->lengths > 1)
			complain(framing, MHD_HTTP_BAD_REQUEST, "more than one Content-Length");
		if (!read_length(value, &framing->length))
			complain(framing, MHD_HTTP_BAD_REQUEST, "Content-Length is not a decimal number");
	} else if (strcasecmp(name, "transfer-encoding") == 0) {
		framing->chunked = true;
		if (++scan->encodings > 1 || strcasecmp(value, "chunked") != 0)
			complain(framing, MHD_HTTP_BAD_REQUEST,
				 "the only Transfer-Encoding taken is chunked, once");
	} else if (strcasecmp(name, "host") == 0) {
		if (++scan->hosts > 1 || !is_host(value))
			complain(framing, MHD_HTTP_BAD_REQUEST, "exactly one Host, and a host it must be");
	} else if (strcasecmp(name, "expect") == 0 && strcasecmp(value, "100-continue") != 0) {
		complain(framing, MHD_HTTP_EXPECTATION_FAILED, "the only expectation met is 100-continue");
	}
}

static enum MHD_Result see_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct scan *scan = context;
	struct framing *framing = scan->framing;
	(void)kind;
	if (!value)
		value = "";
	if (!is_token(name) || !is_field_value(value) || !count_line(scan, name, value)) {
		complain(framing, MHD_HTTP_BAD_REQUEST, "a header line is malformed");
		return MHD_NO;
	}
	see_framing_field(scan, name, value);
	if (strcasecmp(name, "range") == 0)
		keep_one(framing, &framing->range, value);
	else if (strcasecmp(name, "if-range") == 0)
		keep_one(framing, &framing->if_range, value);
	else if (strcasecmp(name, "if-match") == 0)
		keep_one(framing, &framing->if_match, value);
	else if (strcasecmp(name, "if-none-match") == 0)
		keep_one(framing, &framing->if_none_match, value);
	return MHD_YES;
}

/* One space between the three parts, and no NUL in any. */
static bool count_request_line(struct scan *scan, const struct request_line *line)
{
	if (!COUNT_BYTES)
		return true;
	uintptr_t start = (uintptr_t)line->method;
	if ((uintptr_t)line->target != start + strlen(line->method) + 1 ||
	    (uintptr_t)line->version != (uintptr_t)line->target + line->target_length + 1)
		return false;
	scan->bytes = (uintptr_t)line->version + strlen(line->version) + 2 - start;
	return true;
}

static bool bytes_add_up(struct MHD_Connection *connection, const struct scan *scan)
{
	if (!COUNT_BYTES)
		return true;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info && info->header_size == scan->bytes + 2;
}

static bool is_old(const char *version)
{
	return strcmp(version, "HTTP/1.0") == 0;
}

bool framing_ends_in_doubt(const struct framing *framing)
{
	return COUNT_BYTES && framing->chunked;
}

struct framing framing_read(struct MHD_Connection *connection, const struct request_line *line)
{
	struct framing framing = {0};
	struct scan scan = {.framing = &framing};
	if (!is_token(line->method) || !count_request_line(&scan, line))
		complain(&framing, MHD_HTTP_BAD_REQUEST, "the request line is malformed");
	if (!is_old(line->version) && strcmp(line->version, "HTTP/1.1") != 0)
		complain(&framing, MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED,
			 "HTTP/1.1 and HTTP/1.0 are spoken here");
	MHD_get_connection_values(connection, MHD_HEADER_KIND, see_field, &scan);
	if (framing.complaint)
		return framing;
	if (!bytes_add_up(connection, &scan))
		complain(&framing, MHD_HTTP_BAD_REQUEST,
			 "every line of a request ends in CR LF, and holds no NUL");
	if (framing.chunked && framing.has_length)
		complain(&framing, MHD_HTTP_BAD_REQUEST,
			 "Content-Length and Transfer-Encoding exclude each other");
	if (framing.chunked && is_old(line->version))
		complain(&framing, MHD_HTTP_BAD_REQUEST, "HTTP/1.0 knows no Transfer-Encoding");
	if (!scan.hosts && !is_old(line->version))
		complain(&framing, MHD_HTTP_BAD_REQUEST, "HTTP/1.1 asks for a Host");
	return framing;
}
