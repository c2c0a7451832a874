/* What a request line asks for. The path is compared, never opened: nothing in it is a file name. Pure. */
#ifndef WARREN_GATEWAY_TARGET_H
#define WARREN_GATEWAY_TARGET_H

#include "proto/ids.h"

enum route {
	ROUTE_STORE,    /* /store */
	ROUTE_BLOB,     /* /retrieve/<cid>, /blob/<cid> */
	ROUTE_HEALTH,   /* /health */
	ROUTE_INFO,     /* /info, /node/info */
	ROUTE_METRICS,  /* /metrics */
	ROUTE_PROVE,    /* /proofs/generate */
	ROUTE_PROOFS,   /* /proofs, /proofs/<cid> */
	ROUTE_UNKNOWN,  /* well formed, and nothing here */
	ROUTE_BAD_CID,  /* a blob's path, but what follows is no CID */
	ROUTE_BAD_PATH, /* percent signs, "..", "//", control bytes, or no path at all */
};

struct target {
	enum route route;
	struct cid cid; /* of ROUTE_BLOB, and of ROUTE_PROOFS when it names one */
	bool has_cid;
};

/* Reads a request target (RFC 9112, 3.2): origin form, or absolute form with http. A query is looked at for bad bytes and
 * otherwise ignored. The texts that may name a blob are those of cid_parse(). */
struct target target_read(const char *text, size_t length);

/* What a 405 lists: "POST" or "GET, HEAD"; NULL where there is nothing. */
const char *route_methods(enum route route);

#endif
