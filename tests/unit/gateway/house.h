/* The HTTP face with a fake store behind it, on a real loopback socket, all turned by hand in one thread. */
#ifndef TEST_HOUSE_H
#define TEST_HOUSE_H

#include "actors/gateway/http.h"
#include "tests/unit/gateway/fake_store.h"

struct house {
	struct chunks chunks;
	struct stream *stream;
	struct http *http;
	struct fake_store *store;
	int listener;
	uint16_t port;
	unsigned opened, lost, asked;
	uint64_t ahead_ms; /* of the real clock: how much the tests have let pass */
	bool still;	   /* the house's clock goes by what is added to ahead_ms alone */
	bool mute; /* facts are not answered */
	struct facts_stat stat;
	struct facts_node node;
};

/* Small limits: 1 MiB blobs, waits of 300 ms … Change `config` between plan and open. */
struct http_config house_plan(void);
void house_open(struct house *house, const struct http_config *config);
void house_close(struct house *house);

void house_store_comes(struct house *house); /* over a new socket pair; the old one's blobs are kept */
void house_store_goes(struct house *house);
void house_turn(struct house *house);		     /* one turn of everything; waits at most 2 ms of real time */
void house_hurry(struct house *house);		     /* one that waits for nothing */
void house_run(struct house *house, unsigned turns); /* several */
void house_later(struct house *house, unsigned ms);  /* so much time has passed, at once */
void house_still(struct house *house);			     /* from now on no time passes but what ahead_ms is told */

struct reply {
	int status;
	char head[8192];
	uint8_t *body;
	size_t length;
	bool closed; /* the connection ended */
	bool broken; /* and not in good order: reset, or not all could be sent */
	bool whole;  /* head and as many bytes as Content-Length says */
};

int client_open(struct house *house);
bool client_closed(struct house *house, int fd); /* within some turns the other side closes */

/* Sends what it can of the bytes while the house turns, and reads one response; HEAD has none behind its head. */
struct reply client_talk(struct house *house, int fd, const void *bytes, size_t length);
struct reply client_head(struct house *house, int fd, const char *request);
struct reply client_read(struct house *house, int fd);
struct reply client_ask(struct house *house, const char *request); /* on a connection of its own */
void reply_free(struct reply *reply);

/* The value of a header field, or NULL; valid until the next call. */
const char *reply_field(const struct reply *reply, const char *name);
bool reply_says(const struct reply *reply, int status, const char *code); /* a JSON complaint */

/* A request as it grows. */
struct bytes {
	uint8_t *at;
	size_t length;
};
void bytes_add(struct bytes *bytes, const void *more, size_t length);
void bytes_print(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_free(struct bytes *bytes);

#define LOCAL "Host: localhost\r\n"
struct bytes post_of(const void *body, size_t size); /* POST /store with a Content-Length */

/* In chunks of `piece` bytes; without `stop` the last chunk is missing. */
struct bytes chunked_post_of(const uint8_t *body, size_t size, size_t piece, bool stop);

struct reply client_post(struct house *house, int fd, const void *body, size_t size);
struct reply client_get(struct house *house, int fd, const struct cid *cid, const char *fields);
void client_send(struct house *house, int fd, const void *bytes, size_t length); /* all of it, while the house turns */
const char *get_of(const struct cid *cid); /* the request; valid until the next call */
struct cid house_keeps(struct house *house, size_t size, unsigned seed); /* the store has this pattern */
void check_stored(struct house *house, const struct reply *reply, int status, const uint8_t *bytes, size_t size);

/* Bytes that differ from place to place. */
uint8_t *pattern(size_t size, unsigned seed);

#endif
