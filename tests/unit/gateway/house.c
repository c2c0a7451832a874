#include "tests/unit/gateway/house.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 10000 }; /* turns without a byte; each is at most 2 ms */

static void on_opened(void *context)
{
	struct house *house = context;
	house->opened++;
	http_stream_opened(house->http);
}

static void on_lost(void *context, enum err why)
{
	struct house *house = context;
	(void)why;
	house->lost++;
}

static void on_need_facts(void *context)
{
	struct house *house = context;
	house->asked++;
	if (!house->mute)
		http_facts(house->http, house->store ? &house->stat : NULL,
			   house->store ? &house->node : NULL);
}

static uint64_t on_clock(void *context)
{
	const struct house *house = context;
	struct timespec now;
	if (house->still)
		return house->ahead_ms;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return house->ahead_ms + (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct http_config house_plan(void)
{
	struct http_config config = {.connections = 64,
				     .waiting = 16,
				     .node = 3,
				     .max_blob = 1 << 20,
				     .idle_ms = 1000,
				     .wait_ms = 300,
				     .patience_ms = 1000,
				     .step_ms = 1000,
				     .pace_ms = 1000,
				     .pace_bytes = 4096};
	shards_parse("", 1024, &config.shards, (char[SHARDS_WHY]){0});
	return config;
}

void house_open(struct house *house, const struct http_config *plan)
{
	*house = (struct house){.stat = {42, 1048576, true},
				.node = {.known = true, .peer_id = "12D3KooWtest", .owner = "0xabc"}};
	memset(house->node.key.bytes, 0xab, sizeof house->node.key.bytes);
	shards_parse("", 1024, &house->node.shards, (char[SHARDS_WHY]){0});
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	house->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(bind(house->listener, (struct sockaddr *)&address, sizeof address) == 0);
	must(listen(house->listener, 256) == 0);
	must(getsockname(house->listener, (struct sockaddr *)&address, &length) == 0);
	house->port = ntohs(address.sin_port);
	house->stream = stream_new(&house->chunks, &(struct stream_owner){on_opened, on_lost, house});
	struct http_config config = *plan;
	config.listener = house->listener;
	config.stream = house->stream;
	config.chunks = &house->chunks;
	config.need_facts = on_need_facts;
	config.clock = on_clock;
	config.context = house;
	house->http = http_new(&config);
	must(house->http);
	house_store_comes(house);
}

void house_close(struct house *house)
{
	http_free(&house->http);
	stream_free(&house->stream);
	if (house->store)
		fake_store_free(house->store);
	chunks_forget(&house->chunks);
	close(house->listener);
}

void house_store_comes(struct house *house)
{
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	if (!house->store)
		house->store = fake_store_new(pair[0]);
	else
		house->store->fd = pair[0];
	stream_adopt(house->stream, pair[1], &(struct ticket){{1}});
	unsigned before = house->opened;
	for (int i = 0; i < 100 && house->opened == before; i++)
		house_turn(house);
	must(house->opened == before + 1);
}

void house_store_goes(struct house *house)
{
	struct fake_store *store = house->store;
	close(store->fd);
	store->fd = -1;
	store->in_length = store->out_length = store->out_sent = 0;
	for (unsigned i = 0; i < FAKE_TRANSFERS; i++) {
		free(store->transfers[i].bytes);
		store->transfers[i] = (struct fake_transfer){0};
	}
}

static void turn(struct house *house, int wait)
{
	http_turn(house->http, &wait);
	struct pollfd fds[4] = {
		{.fd = http_fd(house->http), .events = POLLIN},
		{.fd = http_porch_fd(house->http), .events = POLLIN},
		{.fd = stream_fd(house->stream), .events = POLLIN},
		{.fd = house->store && !house->store->deaf ? house->store->fd : -1, .events = POLLIN}};
	if (stream_waits(house->stream))
		fds[2].events |= POLLOUT;
	poll(fds, 4, wait);
	if (fds[2].revents)
		stream_readable(house->stream);
	if (house->store)
		fake_store_turn(house->store);
}

void house_turn(struct house *house)
{
	turn(house, 2);
}

void house_hurry(struct house *house)
{
	turn(house, 0);
}

void house_run(struct house *house, unsigned turns)
{
	while (turns--)
		house_turn(house);
}

void house_later(struct house *house, unsigned ms)
{
	house->ahead_ms += ms;
	house_run(house, 2);
}

void house_still(struct house *house)
{
	house->ahead_ms = on_clock(house);
	house->still = true;
}

/* -- clients ------------------------------------------------------------------------------------------------------- */

int client_open(struct house *house)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(house->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	house_hurry(house); /* it stands in the listener's queue: there is nothing to wait for */
	house_hurry(house);
	return fd;
}

static bool gone(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return got == 0 || (got < 0 && errno != EAGAIN);
}

bool client_closed(struct house *house, int fd)
{
	for (unsigned i = 0; i < PATIENCE && !gone(fd); i++)
		house_turn(house);
	return gone(fd);
}

struct talk {
	const uint8_t *to_send;
	size_t left;
	uint8_t *got;
	size_t length, room;
	bool closed, broken, head_only;
};

static bool push(struct talk *talk, int fd)
{
	if (!talk->left)
		return false;
	ssize_t sent = send(fd, talk->to_send, talk->left, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent <= 0) {
		if (sent < 0 && errno != EAGAIN) {
			talk->left = 0; /* it wants no more; there may be a response all the same */
			talk->broken = true;
		}
		return false;
	}
	talk->to_send += sent;
	talk->left -= (size_t)sent;
	return true;
}

static bool pull(struct talk *talk, int fd)
{
	if (talk->room - talk->length < 65536)
		talk->got = realloc(talk->got, talk->room += 1 << 20);
	ssize_t got = recv(fd, talk->got + talk->length, talk->room - talk->length - 1, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		talk->closed = true;
	if (got < 0 && errno != EAGAIN)
		talk->broken = true;
	if (got <= 0)
		return false;
	talk->length += (size_t)got;
	return true;
}

/* Cuts what came into head and body; false while it is not whole. */
static bool cut(struct talk *talk, struct reply *reply)
{
	*reply = (struct reply){.closed = talk->closed};
	talk->got[talk->length] = 0;
	char *end = memmem(talk->got, talk->length < sizeof reply->head ? talk->length : sizeof reply->head,
			   "\r\n\r\n", 4);
	if (!end)
		return false;
	size_t head = (size_t)(end + 4 - (char *)talk->got);
	must(head < sizeof reply->head);
	memcpy(reply->head, talk->got, head);
	sscanf(reply->head, "HTTP/1.1 %d", &reply->status);
	if (reply->status == 100) {
		memmove(talk->got, talk->got + head, talk->length -= head);
		return talk->length && cut(talk, reply);
	}
	reply->length = talk->length - head;
	const char *field = reply_field(reply, "Content-Length");
	size_t expected = field && !talk->head_only && reply->status != 304 ? strtoull(field, NULL, 10) : 0;
	reply->whole = reply->length == expected;
	if (!reply->whole && !talk->closed)
		return false;
	reply->body = malloc(reply->length + 1);
	memcpy(reply->body, talk->got + head, reply->length);
	reply->body[reply->length] = 0;
	return reply->whole;
}

static struct reply converse(struct house *house, int fd, struct talk talk)
{
	struct reply reply = {0};
	talk.got = malloc(talk.room = 1 << 20);
	for (unsigned idle = 0; idle < PATIENCE; idle++) {
		bool moved = push(&talk, fd);
		moved |= pull(&talk, fd);
		if (moved)
			idle = 0;
		if ((cut(&talk, &reply) && !talk.left) || talk.closed)
			break;
		reply_free(&reply); /* it was answered before all was sent: a client that does not look yet */
		house_turn(house);
	}
	free(talk.got);
	reply.closed = talk.closed;
	reply.broken = talk.broken;
	return reply;
}

struct reply client_talk(struct house *house, int fd, const void *bytes, size_t length)
{
	return converse(house, fd, (struct talk){.to_send = bytes, .left = length});
}

struct reply client_head(struct house *house, int fd, const char *request)
{
	return converse(house, fd,
			(struct talk){.to_send = (const uint8_t *)request,
				      .left = strlen(request),
				      .head_only = true});
}

struct reply client_read(struct house *house, int fd)
{
	return client_talk(house, fd, NULL, 0);
}

struct reply client_ask(struct house *house, const char *request)
{
	int fd = client_open(house);
	struct reply reply = client_talk(house, fd, request, strlen(request));
	close(fd);
	return reply;
}

void reply_free(struct reply *reply)
{
	free(reply->body);
	reply->body = NULL;
}

const char *reply_field(const struct reply *reply, const char *name)
{
	static char value[512];
	for (const char *line = strstr(reply->head, "\r\n"); line && line[2] != '\r';
	     line = strstr(line + 2, "\r\n")) {
		const char *at = line + 2;
		size_t length = strlen(name);
		if (strncasecmp(at, name, length) != 0 || at[length] != ':')
			continue;
		at += length + 1;
		at += strspn(at, " ");
		snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
		return value;
	}
	return NULL;
}

bool reply_says(const struct reply *reply, int status, const char *code)
{
	json_error_t error;
	json_t *json = reply->body ? json_loadb((char *)reply->body, reply->length, 0, &error) : NULL;
	const char *said = json_string_value(json_object_get(json, "error"));
	const char *text = json_string_value(json_object_get(json, "message"));
	bool right = reply->status == status && reply->whole && said && strcmp(said, code) == 0 && text &&
		     *text && json_object_size(json) == 2;
	if (!right)
		fprintf(stderr, "wanted %d %s, got %d %s\n", status, code, reply->status,
			reply->body ? (char *)reply->body : "(nothing)");
	json_decref(json);
	return right;
}

uint8_t *pattern(size_t size, unsigned seed)
{
	uint8_t *bytes = malloc(size + 1);
	uint32_t state = seed * 2654435761U + 1;
	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 24);
	}
	return bytes;
}

/* -- requests ------------------------------------------------------------------------------------------------------ */

void bytes_add(struct bytes *bytes, const void *more, size_t length)
{
	bytes->at = realloc(bytes->at, bytes->length + length + 1);
	memcpy(bytes->at + bytes->length, more, length);
	bytes->length += length;
}

void bytes_print(struct bytes *bytes, const char *format, ...)
{
	char text[8192];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	must(length >= 0 && length < (int)sizeof text);
	bytes_add(bytes, text, (size_t)length);
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct bytes){0};
}

struct bytes post_of(const void *body, size_t size)
{
	struct bytes request = {0};
	bytes_print(&request, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: %zu\r\n\r\n", size);
	bytes_add(&request, body, size);
	return request;
}

struct bytes chunked_post_of(const uint8_t *body, size_t size, size_t piece, bool stop)
{
	struct bytes request = {0};
	bytes_print(&request, "POST /store HTTP/1.1\r\n" LOCAL "Transfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < size; at += piece) {
		size_t take = size - at < piece ? size - at : piece;
		bytes_print(&request, "%zx\r\n", take);
		bytes_add(&request, body + at, take);
		bytes_add(&request, "\r\n", 2);
	}
	if (stop)
		bytes_print(&request, "0\r\n\r\n");
	return request;
}

struct reply client_post(struct house *house, int fd, const void *body, size_t size)
{
	struct bytes request = post_of(body, size);
	struct reply reply = client_talk(house, fd, request.at, request.length);
	bytes_free(&request);
	return reply;
}

struct reply client_get(struct house *house, int fd, const struct cid *cid, const char *fields)
{
	char text[CID_TEXT], request[1024];
	snprintf(request, sizeof request, "GET /retrieve/%s HTTP/1.1\r\n" LOCAL "%s\r\n", cid_text(cid, text),
		 fields);
	return client_talk(house, fd, request, strlen(request));
}

void client_send(struct house *house, int fd, const void *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		ssize_t sent =
			send(fd, (const uint8_t *)bytes + at, length - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		at += sent > 0 ? (size_t)sent : 0;
		house_turn(house);
	}
}

const char *get_of(const struct cid *cid)
{
	static char request[256];
	char text[CID_TEXT];
	snprintf(request, sizeof request, "GET /retrieve/%s HTTP/1.1\r\n" LOCAL "\r\n", cid_text(cid, text));
	return request;
}

struct cid house_keeps(struct house *house, size_t size, unsigned seed)
{
	uint8_t *bytes = pattern(size, seed);
	struct cid cid = fake_store_keep(house->store, bytes, size);
	free(bytes);
	return cid;
}

void check_stored(struct house *house, const struct reply *reply, int status, const uint8_t *bytes,
		  size_t size)
{
	cr_assert(reply->whole && reply->status == status, "%zu bytes: %d", size, reply->status);
	json_t *json = json_loadb((char *)reply->body, reply->length, 0, NULL);
	cr_assert_eq(json_object_size(json), 3);
	cr_assert_eq(json_integer_value(json_object_get(json, "size")), (json_int_t)size);
	cr_assert(json_is_true(json_object_get(json, "encrypted")));
	const char *text = json_string_value(json_object_get(json, "cid"));
	struct cid cid;
	cr_assert(strncmp(text, "bafkrei", 7) == 0 && cid_parse(text, strlen(text), &cid));
	const struct fake_blob *blob = fake_store_find(house->store, &cid);
	cr_assert(blob && blob->size == size && memcmp(blob->bytes, bytes, size) == 0);
	json_decref(json);
}
