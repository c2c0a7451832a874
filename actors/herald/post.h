/* Posts one body at a time to one URL, over libcurl's multi interface: nothing here waits. TLS is verified against the
 * certificates handed in; no redirect is followed, no proxy used, no name looked up. */
#ifndef WARREN_HERALD_POST_H
#define WARREN_HERALD_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POST_CONNECT_MS = 5000,
	POST_MS = 10000,         /* from the first byte to the last of the answer */
	POST_ANSWER = 64 * 1024, /* bytes of an answer that are read, and thrown away; a longer one is cut */
	POST_WHY = 160,
};

struct post_config {
	const char *url;
	const char *resolve;   /* "host:port:address,address": libcurl's CURLOPT_RESOLVE */
	const void *authorities; /* PEM; used until post_free() */
	size_t authorities_length;
};

/* `status`: of HTTP; 0 when there was none, and `why` is a sentence. */
typedef void post_end_fn(void *context, long status, const char *why);

/* libcurl and OpenSSL, once in a process, before its walls. False: they refuse. */
bool post_libraries(void);

struct post;
struct post *post_new(const struct post_config *config, post_end_fn *end, void *context); /* NULL: the library refuses */
void post_free(struct post **post); /* one that runs ends without a word */

int post_fd(const struct post *post); /* watch it for reading, then turn; turn also before each wait */
void post_turn(struct post *post, int *timeout_ms);

/* Sends `body`, which is copied. False while another is under way, or when the library refuses. */
bool post_send(struct post *post, const char *body, size_t length);
bool post_busy(const struct post *post);

#endif
