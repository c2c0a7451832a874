/* What the gateway reads of a request without a connection, and URLs: targets, ranges, entity tags. The first byte chooses. What is
 * accepted lies within the blob, names exactly one blob, or leads to exactly one place. */
#include "tests/fuzz/target.h"

#include "actors/base/memory/memory.h"
#include "actors/gateway/range.h"
#include "actors/gateway/target.h"
#include "proto/web.h"

#include <string.h>
#include <strings.h>

static void target(const char *text, size_t length)
{
	struct target read = target_read(text, length);
	char cid[CID_TEXT], hex[CID_HEX];
	if (read.route == ROUTE_BAD_PATH)
		return;
	for (size_t i = 0; i < length; i++)
		must(text[i] > ' ' && text[i] < 0x7f);
	const char *query = memchr(text, '?', length);
	size_t path = query ? (size_t)(query - text) : length;
	must(!memchr(text, '%', path) || strncasecmp(text, "http://", 7) == 0);
	must(read.has_cid <= (read.route == ROUTE_BLOB || read.route == ROUTE_PROOFS));
	must(read.route != ROUTE_BLOB || read.has_cid);
	if (!read.has_cid)
		return;
	cid_text(&read.cid, cid);
	hex_text(read.cid.bytes, 32, hex);
	bool in_letters = path >= CID_TEXT && memcmp(text + path - (CID_TEXT - 1), cid, CID_TEXT - 1) == 0;
	bool in_digits = path >= CID_HEX && strncasecmp(text + path - (CID_HEX - 1), hex, CID_HEX - 1) == 0;
	must(in_letters || in_digits);
}

static void range(const char *text, const uint8_t *size_bytes)
{
	uint64_t size;
	struct span span;
	memcpy(&size, size_bytes, sizeof size);
	switch (range_read(text, size, &span)) {
	case RANGE_WHOLE:
		must(span.offset == 0 && span.length == size);
		return;
	case RANGE_PART:
		must(span.length && span.length <= size && span.offset <= size - span.length);
		return;
	case RANGE_NONE:
		return;
	}
	must(false);
}

static void tags(const char *text)
{
	static const struct cid cid = {{1, 2, 3}};
	bool strong = etags_hold(text, &cid, true), weak = etags_hold(text, &cid, false);
	must(strong <= weak && etag_is(text, &cid) <= strong);
}

static void web(const char *text)
{
	struct web_address address;
	if (!web_address(text, &address))
		return;
	must(address.port && *address.host && strlen(address.host) < sizeof address.host);
	must(strncmp(text, address.tls ? "https://" : "http://", address.tls ? 8 : 7) == 0);
	must(!strpbrk(address.host, "/?#@ []\\%"));
	must(strstr(text, address.host));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 9)
		return 0;
	char *text = x_new(length - 8); /* terminated */
	memcpy(text, bytes + 9, length - 9);
	if (bytes[0] % 4 == 0)
		target((const char *)bytes + 9, length - 9);
	else if (bytes[0] % 4 == 1)
		range(text, bytes + 1);
	else if (bytes[0] % 4 == 2)
		tags(text);
	else
		web(text);
	x_free(&text);
	return 0;
}
