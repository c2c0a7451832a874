/* Where a URL leads: what the supervisor lets herald dial, and herald dials. Pure. */
#ifndef WARREN_PROTO_WEB_H
#define WARREN_PROTO_WEB_H

#include <stdbool.h>
#include <stdint.h>

struct web_address {
	bool tls;
	uint16_t port;
	char host[254]; /* a name, a dotted address, or a bracketed one without its brackets */
};

/* "http://host[:port][/path]" or "https://…" (RFC 3986); no user in it, no control byte, no space. False for all else. */
bool web_address(const char *url, struct web_address *address);

#endif
