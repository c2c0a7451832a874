/* The HTTP face of meter: GET /metrics and nothing else, over libmicrohttpd. A page that is not at hand is asked for, and whoever
 * waits for it is answered when it is there. */
#ifndef WARREN_METER_FACE_H
#define WARREN_METER_FACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FACE_CONNECTIONS = 32, /* Prometheus has one; one more waits in the listener's queue */
	FACE_IDLE_S = 10,
	FACE_FRESH_MS = 1000, /* how old a page may be */
};

struct face_counts {
	uint64_t pages, refused, connections, connections_high;
};

struct face;
/* `need` is called when a page is wanted and none is at hand; answer with face_page(). NULL: the library refuses. */
struct face *face_new(int listener, void (*need)(void *context), void *context);
void face_free(struct face **face);

int face_fd(const struct face *face); /* watch it for reading, then turn; turn also before each wait */
void face_turn(struct face *face, int *timeout_ms);

/* The page, x_new'd, which it takes over; NULL: it is not to be had, and who waits is told so. */
void face_page(struct face *face, char *text, size_t length);
const struct face_counts *face_counts(const struct face *face);

#endif
