/* The header section of a request, judged before a byte of its body is taken: which bytes belong to it must never be a matter
 * of opinion (RFC 9112, 11.2). libmicrohttpd forgives more than a gateway for strangers should; this does not. */
#ifndef WARREN_GATEWAY_FRAMING_H
#define WARREN_GATEWAY_FRAMING_H

#include "proto/ids.h"

#include <microhttpd.h>

/* Where the request line lies, as libmicrohttpd handed it out. */
struct request_line {
	const char *method, *target, *version;
	size_t target_length;
};

struct framing {
	const char *complaint; /* NULL: well formed. Else a sentence, and the connection is not to be used again */
	unsigned status;       /* with a complaint */
	bool has_length, chunked;
	uint64_t length;
	/* Fields that matter to the answer; NULL where they were not sent. They live as long as the request. */
	const char *range, *if_range, *if_match, *if_none_match;
};

/* Whether it is a matter of opinion where the request ended, so that what follows on its connection must not be read as
 * another: in a chunked body the library takes a bare LF, and a bare CR behind a chunk, for a line's end (before 1.0). */
bool framing_ends_in_doubt(const struct framing *framing);

struct framing framing_read(struct MHD_Connection *connection, const struct request_line *line);

#endif
