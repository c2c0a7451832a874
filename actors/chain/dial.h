/* Posts JSON to a few servers, several at a time, over libcurl's multi interface: nothing here waits. TLS is verified against the
 * certificates handed in; no redirect is followed, no proxy used, no name looked up. */
#ifndef WARREN_CHAIN_DIAL_H
#define WARREN_CHAIN_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DIAL_SERVERS = 4, /* CHAIN_URLS of proto/chain_profile.h */
	DIAL_SLOTS = 24,  /* posts under way at a time; each holds an answer of at most `answer_most` bytes */
	DIAL_WHY = 160,
};

struct dial_config {
	const char *urls[DIAL_SERVERS];
	unsigned count;
	const char *resolve[DIAL_SERVERS]; /* "host:port:address,address" (CURLOPT_RESOLVE), or NULL */
	const void *authorities;           /* PEM; used until dial_free() */
	size_t authorities_length;
	size_t answer_most; /* a longer answer is cut off, and is a failure */
};

/* `bytes`: the body of an answer with status 200, gone afterwards; NULL when there was none, and `why` is a sentence. */
typedef void dial_end_fn(void *context, const char *bytes, size_t length, const char *why);

/* libcurl and OpenSSL, once in a process, before its walls. False: they refuse. */
bool dial_libraries(void);

struct dial;
struct dial *dial_new(const struct dial_config *config); /* NULL: the library refuses */
void dial_free(struct dial **dial);                      /* what runs ends without a word */

int dial_fd(const struct dial *dial); /* watch it for reading, then turn; turn also before each wait */
void dial_turn(struct dial *dial, int *timeout_ms);

/* Posts `body`, which is copied, to the server; `end` is called exactly once, from dial_turn(), within `limit_ms`. False:
 * all slots are taken, or the library refuses; `end` is then not called. */
bool dial_post(struct dial *dial, unsigned server, const char *body, size_t length, unsigned limit_ms, dial_end_fn *end,
	       void *context);

uint64_t dial_busy(const struct dial *dial); /* slots that are taken */

#endif
