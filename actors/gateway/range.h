/* The header fields Range, If-Match, If-None-Match and If-Range (RFC 9110, 13 and 14). Pure. */
#ifndef WARREN_GATEWAY_RANGE_H
#define WARREN_GATEWAY_RANGE_H

#include "proto/ids.h"

struct span {
	uint64_t offset, length;
};

enum range {
	RANGE_WHOLE, /* no range, several, or not one that makes sense: the whole blob is the answer */
	RANGE_PART,  /* exactly one, and some of it exists: `span` */
	RANGE_NONE,  /* exactly one, past the end: 416 */
};

/* `value` is the field's text, NULL when it was not sent. */
enum range range_read(const char *value, uint64_t size, struct span *span);

/* Whether the list of entity tags in If-Match (strong) or If-None-Match (weak) holds that of a blob, which is its CID in
 * quotes; "*" holds every one. A list that breaks the format holds nothing from there on. */
bool etags_hold(const char *value, const struct cid *cid, bool strong);

/* Whether the one validator of If-Range is the blob's tag. A date never is: blobs have none. */
bool etag_is(const char *value, const struct cid *cid);

#endif
