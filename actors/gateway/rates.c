/* A table of clients by hash, with a few places each may be at. Pure. */
#include "actors/gateway/rates.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <netinet/in.h>
#include <sodium.h>
#include <string.h>

enum {
	PLACES = 8
}; /* of one client; a stranger cannot choose which, as the hash has a key of this process */

struct client {
	uint8_t network
		[8]; /* IPv6: its first 64 bits; IPv4: four bytes and a mark that no IPv6 network of a client has */
	struct {
		uint64_t since_ms; /* 0: no window runs */
		uint32_t count;
	} windows[RATE_COUNT];
	uint64_t newest_ms;
};

struct rates {
	bool ourselves_too;
	uint8_t key[crypto_shorthash_KEYBYTES];
	uint64_t clients, forgotten;
	struct client table[RATE_CLIENTS];
};

struct rate_row {
	unsigned most;
	const char *what;
};
static const struct rate_row rows[] = {
#define R(SYMBOL, most, what) [RATE_##SYMBOL] = {most, what},
	RATES(R)
#undef R
};

struct rates *rates_new(bool ourselves_too)
{
	struct rates *rates = x_new(sizeof *rates);
	rates->ourselves_too = ourselves_too;
	random_bytes(rates->key, sizeof rates->key);
	return rates;
}

void rates_free(struct rates **rates)
{
	x_free(rates);
}

static void v4(const uint8_t address[4], uint8_t network[8])
{
	memset(network, 0, 8);
	network[3] = 4; /* 0:4::/32 is nobody's */
	memcpy(network + 4, address, 4);
}

/* False: it is ourselves, or nothing that has an address. */
static bool network_of(const struct sockaddr *client, bool ourselves_too, uint8_t network[8])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const struct sockaddr_in *in = (const void *)client;
	const struct sockaddr_in6 *in6 = (const void *)client;
	if (client->sa_family == AF_INET) {
		v4((const uint8_t *)&in->sin_addr, network);
	} else if (client->sa_family == AF_INET6) {
		const uint8_t *bytes = in6->sin6_addr.s6_addr;
		if (memcmp(bytes, mapped, sizeof mapped) == 0)
			v4(bytes + 12, network);
		else if (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
			v4((const uint8_t[4]){127, 0, 0, 1}, network);
		else
			memcpy(network, bytes, 8);
	} else {
		return false;
	}
	return ourselves_too || network[3] != 4 || network[4] != 127;
}

/* The client's place; a new one takes a free place, or that of whoever was not seen for longest. */
static struct client *place_of(struct rates *rates, const uint8_t network[8], uint64_t now_ms)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t at;
	crypto_shorthash(hash, network, 8, rates->key);
	memcpy(&at, hash, sizeof at);
	struct client *oldest = NULL;
	for (unsigned i = 0; i < PLACES; i++) {
		struct client *client = &rates->table[(at + i) % RATE_CLIENTS];
		if (client->newest_ms && memcmp(client->network, network, 8) == 0)
			return client;
		if (!oldest || client->newest_ms < oldest->newest_ms)
			oldest = client;
	}
	if (!oldest->newest_ms)
		rates->clients++;
	else if (now_ms - oldest->newest_ms < RATE_WINDOW_MS)
		rates->forgotten++;
	*oldest = (struct client){0};
	memcpy(oldest->network, network, 8);
	return oldest;
}

unsigned rates_ask(struct rates *rates, const struct sockaddr *client, enum rate rate, uint64_t now_ms)
{
	uint8_t network[8];
	if (!network_of(client, rates->ourselves_too, network))
		return 0;
	now_ms++; /* 0 is "never" */
	struct client *place = place_of(rates, network, now_ms);
	place->newest_ms = now_ms;
	uint64_t since = place->windows[rate].since_ms;
	if (!since || now_ms - since >= RATE_WINDOW_MS) {
		place->windows[rate].since_ms = now_ms;
		place->windows[rate].count = 1;
		return 0;
	}
	if (place->windows[rate].count >= rows[rate].most)
		return (unsigned)((RATE_WINDOW_MS - (now_ms - since) + 999) / 1000);
	place->windows[rate].count++;
	return 0;
}

unsigned rate_most(enum rate rate)
{
	return rows[rate].most;
}

const char *rate_what(enum rate rate)
{
	return rows[rate].what;
}

const uint64_t *rates_clients(const struct rates *rates)
{
	return &rates->clients;
}

const uint64_t *rates_forgotten(const struct rates *rates)
{
	return &rates->forgotten;
}
