/* The whole HTTP face of a node: what a client sends, in pieces, through libmicrohttpd, and behind it a store that answers well, not at
 * all, or whatever it likes (then its frames are part of the input). Whatever came, the connection ends when its time is up, nothing
 * is held for it any more, and what was said to it is HTTP; what was stored is what a second reader, with/strict.h, takes for bodies.
 *
 * Bytes: which store, and how the client ends (1); bytes a piece, 0: all (1); of what follows, how many are the client's (2, little
 * endian); the client's; the store's. */
#include "tests/fuzz/target.h"
#undef must /* the same, with a line number */

#include "actors/base/log/log.h"
#include "actors/gateway/http.h"
#include "tests/fuzz/with/strict.h"
#include "tests/unit/gateway/fake_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { STORE_GOOD, STORE_NONE, STORE_HOSTILE, STORE_REFUSES, STORES, HALF_CLOSE = 4, MUTE = 8, WAITS = 16 };
enum { BLOB = 70000, BLOBS = 3, ANSWER = 1 << 18 };

static struct face {
	struct chunks chunks;
	struct stream *stream;
	struct http *http;
	struct fake_store *store;
	struct sockaddr_un address;
	socklen_t address_length;
	uint64_t now_ms;
	bool mute;
	unsigned errands[HTTP_ERRANDS], errand_count;
	char *answer;
	size_t answered;
} face;

static void on_opened(void *context)
{
	(void)context;
	http_stream_opened(face.http);
}

static void on_lost(void *context, enum err why)
{
	(void)context;
	(void)why;
}

static uint64_t on_clock(void *context)
{
	(void)context;
	return face.now_ms;
}

static void need_facts(void *context)
{
	static const struct facts_stat stat = {42, 1048576, true};
	static const struct facts_node node = {.known = true, .peer_id = "12D3KooWtest", .owner = "0xabc"};
	(void)context;
	if (!face.mute)
		http_facts(face.http, &stat, &node);
}

static void need_proof(void *context, unsigned errand, const struct http_prove *wanted)
{
	(void)context;
	must(wanted->samples >= 1 && wanted->samples <= 64);
	face.errands[face.errand_count++] = errand;
}

static void need_proofs(void *context, unsigned errand, const struct cid *cid)
{
	(void)context;
	(void)cid;
	face.errands[face.errand_count++] = errand;
}

static void open_face(void)
{
	struct http_config config = {.connections = 64,
				     .waiting = 16,
				     .node = 3,
				     .max_blob = 1 << 16,
				     .idle_ms = 1000,
				     .wait_ms = 300,
				     .patience_ms = 1000,
				     .step_ms = 1000,
				     .pace_ms = 1000,
				     .pace_bytes = 4096,
				     .clock = on_clock,
				     .need_facts = need_facts,
				     .need_proof = need_proof,
				     .need_proofs = need_proofs};
	uint8_t *blob = calloc(1, BLOB);
	face.now_ms = 1000;
	face.address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int name = snprintf(face.address.sun_path + 1, sizeof face.address.sun_path - 1, "warren-fuzz-%d",
			    getpid());
	face.address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)name);
	config.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(bind(config.listener, (struct sockaddr *)&face.address, face.address_length) == 0 &&
	     listen(config.listener, 8) == 0);
	log_threshold(LOG_ERROR);
	shards_parse("0-511", 1024, &config.shards, (char[SHARDS_WHY]){0});
	face.stream = stream_new(&face.chunks, &(struct stream_owner){on_opened, on_lost, NULL});
	config.stream = face.stream;
	config.chunks = &face.chunks;
	face.http = http_new(&config);
	face.store = fake_store_new(-1);
	face.answer = malloc(ANSWER);
	must(face.http && blob && face.answer);
	fake_store_keep(face.store, blob,
			0); /* bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku */
	fake_store_keep(face.store, blob, 5);
	fake_store_keep(face.store, blob, BLOB);
	free(blob);
}

/* Nothing but the three blobs is left of what was before. */
__attribute__((no_sanitize("coverage"))) static void store_comes(unsigned which)
{
	int pair[2];
	while (face.store->count > BLOBS)
		free(face.store->blobs[--face.store->count].bytes);
	face.store->in_length = face.store->out_length = face.store->out_sent = 0;
	face.store->silent = which == STORE_HOSTILE;
	face.store->put_err = which == STORE_REFUSES ? ERR_FULL : ERR_OK;
	for (unsigned i = 0; i < FAKE_TRANSFERS; i++) {
		free(face.store->transfers[i].bytes);
		face.store->transfers[i] = (struct fake_transfer){0};
	}
	if (which == STORE_NONE)
		return;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	face.store->fd = pair[0];
	stream_adopt(face.stream, pair[1], &(struct ticket){{1}});
	stream_flush(face.stream);
	if (which == STORE_HOSTILE)
		fake_store_send(face.store, &(struct stream_frame){.type = STREAM_OPENED}, NULL);
}

static void store_goes(void)
{
	stream_drop(face.stream, ERR_GONE);
	if (face.store->fd >= 0)
		close(face.store->fd);
	face.store->fd = -1;
}

static void turn(int client)
{
	int wait = -1;
	http_turn(face.http, &wait);
	fake_store_turn(face.store);
	if (stream_fd(face.stream) >= 0)
		stream_readable(face.stream);
	while (face.errand_count && !face.mute)
		http_told(face.http, face.errands[--face.errand_count], ERR_OK, strdup("{}"));
	for (ssize_t got = 1; client >= 0 && got > 0 && face.answered < ANSWER;) {
		got = recv(client, face.answer + face.answered, ANSWER - face.answered, MSG_DONTWAIT);
		face.answered += got > 0 ? (size_t)got : 0;
	}
}

/* What lies in the store now and did not before is what a strict reader took for bodies, in their order. */
static void check_stored(const uint8_t *bytes, size_t length)
{
	static struct strict strict;
	unsigned body = 0;
	if (face.store->count == BLOBS)
		return;
	strict_read(&strict, bytes, length);
	for (unsigned i = BLOBS; i < face.store->count; i++, body++) {
		const struct fake_blob *blob = &face.store->blobs[i];
		while (body < strict.count &&
		       (strict.body[body].length != blob->size ||
			memcmp(strict.bytes + strict.body[body].at, blob->bytes, blob->size) != 0))
			body++;
		must(body < strict.count);
	}
}

/* What a client may be told: a status line, and of more than one answer each. */
static void check_answer(void)
{
	if (!face.answered)
		return;
	must(face.answered >= 12 && memcmp(face.answer, "HTTP/1.", 7) == 0);
	must(face.answer[9] >= '1' && face.answer[9] <= '5' && face.answer[12] == ' ');
}

static void send_all(int client, const uint8_t *bytes, size_t length, size_t piece)
{
	while (length) {
		size_t part = length < piece ? length : piece;
		ssize_t sent = send(client, bytes, part, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent <= 0 && errno != EAGAIN)
			return;
		bytes += sent > 0 ? sent : 0;
		length -= sent > 0 ? (size_t)sent : 0;
		turn(client);
	}
}

/* However long a client could be served: then nothing of it is left. */
static void let_time_pass(int client)
{
	const struct http_counts *counts = http_counts(face.http);
	for (unsigned i = 0; i < 8; i++)
		turn(client);
	for (unsigned i = 0; i < 40 && (counts->connections.depth || *http_porch_count(face.http)); i++) {
		face.now_ms += 400;
		turn(client);
		turn(client);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (!face.http)
		open_face();
	if (length < 4)
		return 0;
	const struct http_counts *counts = http_counts(face.http);
	size_t clients = (size_t)bytes[2] | (size_t)bytes[3] << 8, piece = bytes[1] ? bytes[1] : SIZE_MAX;
	unsigned flags = bytes[0];
	clients = clients < length - 4 ? clients : length - 4;
	piece = clients / piece < 64 ? piece : clients / 64 + 1;
	face.mute = flags & MUTE;
	face.answered = 0;
	http_facts_old(face.http);
	store_comes(flags % STORES);
	turn(-1);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(connect(client, (struct sockaddr *)&face.address, face.address_length) == 0);
	send_all(client, bytes + 4, clients, piece);
	if (flags & HALF_CLOSE)
		shutdown(client, SHUT_WR);
	for (unsigned i = 0; flags % STORES == STORE_HOSTILE && i < 4; i++) {
		size_t share = (length - 4 - clients + 3) / 4, from = i * share;
		turn(client);
		if (from < length - 4 - clients)
			send(face.store->fd, bytes + 4 + clients + from,
			     share < length - 4 - clients - from ? share : length - 4 - clients - from,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	turn(client);
	if (flags & WAITS)
		let_time_pass(client);
	check_answer();
	close(client);
	let_time_pass(-1);
	check_stored(bytes + 4, clients);
	face.mute = false;
	turn(-1);
	must(!counts->connections.depth && !counts->slots.depth && !counts->waiting.depth &&
	     !counts->errands.depth);
	store_goes();
	must(!stream_transfers(face.stream) && face.chunks.held == 0);
	return 0;
}
