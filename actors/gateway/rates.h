/* How often one client may ask, per minute (FEATURES B19; seed 003). A window begins with a client's first request of a class and
 * ends a minute later; the request after the last one allowed is told when it may come again. Clients are IPv4 addresses and IPv6
 * networks of 64 bits, in a table that cannot grow: a new client takes the place of the one, among a few, that was not seen for
 * longest. Pure. */
#ifndef WARREN_GATEWAY_RATES_H
#define WARREN_GATEWAY_RATES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* R(SYMBOL, most in a minute, what it is) */
#define RATES(R)                                                                                                       \
	R(STORE, 60, "uploads") R(PROOF, 100, "proofs") R(READ, 300, "reads")                                          \
	R(MONITORING, 1000, "looks at health, info and metrics") R(GENERAL, 200, "other requests")
enum rate {
#define R(SYMBOL, most, what) RATE_##SYMBOL,
	RATES(R)
#undef R
		RATE_COUNT
};

enum { RATE_CLIENTS = 4096, RATE_WINDOW_MS = 60000 };

struct rates; /* at most 400 KiB, taken as clients come */
struct rates *rates_new(bool ourselves_too); /* without: clients on this machine (loopback) are never refused */
void rates_free(struct rates **rates);

/* Counts one request. 0: it may go on; else in how many seconds it may come again, and it was not counted. */
unsigned rates_ask(struct rates *rates, const struct sockaddr *client, enum rate rate, uint64_t now_ms);

unsigned rate_most(enum rate rate);
const char *rate_what(enum rate rate);

const uint64_t *rates_clients(const struct rates *rates); /* in the table; and how many gave way while their minute ran */
const uint64_t *rates_forgotten(const struct rates *rates);

#endif
