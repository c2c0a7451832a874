/* A second reader of HTTP/1 requests, written from RFC 9112 and from nothing else, that forgives nothing: which bodies a
 * connection brings to POST /store. What the gateway stores must be among them, in this order; anything else would be bytes that
 * a proxy in front of it took for something else (request smuggling). */
#ifndef WARREN_FUZZ_STRICT_H
#define WARREN_FUZZ_STRICT_H

#include <stddef.h>
#include <stdint.h>

enum { STRICT_BODIES = 64, STRICT_ROOM = 1 << 17 };

struct strict {
	unsigned count;
	struct {
		size_t at, length; /* in `bytes` */
	} body[STRICT_BODIES];
	size_t used;
	uint8_t bytes[STRICT_ROOM];
};

/* Up to the first request that is not well formed, or not whole, or whose body is chunked: behind that one nothing is to be
 * read, as its own end may be a matter of opinion (actors/gateway/framing.h). */
void strict_read(struct strict *strict, const uint8_t *bytes, size_t length);

#endif
