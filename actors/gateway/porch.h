/* The porch: connections on which a body was refused before it had come. Closing at once would reset them, and the client, still
 * sending, might never read why (RFC 9112, 9.6). So they stay a little: what comes is thrown away, until the client closes,
 * has sent too much, or time is up. */
#ifndef WARREN_GATEWAY_PORCH_H
#define WARREN_GATEWAY_PORCH_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PORCH_GUESTS = 64,	/* at once; the longest there makes room for one more */
	PORCH_MS = 2000,	/* for each */
	PORCH_BYTES = 64 << 20, /* thrown away, for each */
};

struct porch;

struct porch *porch_new(void); /* NULL with errno: no epoll descriptor */
void porch_free(struct porch **porch);
int porch_fd(const struct porch *porch); /* readable when there is something to do */

/* Keeps a second descriptor of the connection and closes its sending side. The caller closes its own. */
void porch_add(struct porch *porch, int fd, uint64_t now_ms);
void porch_turn(struct porch *porch, uint64_t now_ms); /* when readable, and now and then */
const uint64_t *porch_count(const struct porch *porch);
const uint64_t *porch_high(const struct porch *porch);
const uint64_t *porch_drops(const struct porch *porch); /* cut before they had run out, for one more */

#endif
