/* The line to anvil. Plain C, in the keeper; touches the one socket. */
#include "actors/anvil/wire.h"

#include "actors/base/memory/memory.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_MS = 250, READ_BYTES = 65536, TRY_MS = 5 };

static uint64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool fail(struct wire *wire, const char *what)
{
	snprintf(wire->why, sizeof wire->why, "%s", what);
	return false;
}

bool wire_open(struct wire *wire, const char *path, unsigned ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	uint64_t until = clock_ms() + ms;
	if (strlen(path) >= sizeof address.sun_path)
		return fail(wire, "the path of its socket is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	for (;;) {
		wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (wire->fd >= 0 && connect(wire->fd, (struct sockaddr *)&address, sizeof address) == 0)
			return true;
		int error = errno;
		if (wire->fd >= 0)
			close(wire->fd);
		wire->fd = -1;
		if (clock_ms() > until || !wire->idle(wire->context))
			return fail(wire, strerror(error));
		poll(NULL, 0, TRY_MS);
	}
}

void wire_close(struct wire *wire)
{
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	x_free(&wire->buffer);
	wire->length = wire->room = wire->looked = 0;
	wire->hash_count = 0;
	wire->lost = wire->head = false;
}

/* -- reading ------------------------------------------------------------------------------------ */

/* What there is, up to `ms`. */
static bool fill(struct wire *wire, int ms)
{
	struct pollfd look = {.fd = wire->fd, .events = POLLIN};
	if (poll(&look, 1, ms) <= 0)
		return true;
	if (wire->room - wire->length < READ_BYTES) {
		if (wire->room > WIRE_MOST)
			return fail(wire, "its answer is longer than any can be");
		wire->room = wire->room * 2 + READ_BYTES;
		wire->buffer = x_grow(wire->buffer, wire->room);
	}
	ssize_t got = read(wire->fd, wire->buffer + wire->length, wire->room - wire->length);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return fail(wire, "it closed the line");
	wire->length += (size_t)got;
	return true;
}

/* The next whole line as JSON; NULL: there is none yet, or it was none. */
static json_t *take(struct wire *wire)
{
	char *end = wire->length > wire->looked
			    ? memchr(wire->buffer + wire->looked, '\n', wire->length - wire->looked)
			    : NULL;
	if (!end) {
		wire->looked = wire->length;
		return NULL;
	}
	size_t line = (size_t)(end - wire->buffer);
	json_t *json = json_loadb(wire->buffer, line, JSON_REJECT_DUPLICATES, NULL);
	wire->length -= line + 1;
	wire->looked = 0;
	memmove(wire->buffer, end + 1, wire->length);
	return json;
}

static bool has_line(const struct wire *wire)
{
	return wire->length > wire->looked &&
	       memchr(wire->buffer + wire->looked, '\n', wire->length - wire->looked);
}

/* {"method":"eth_subscription","params":{"result": "0x…" of a transaction, or an object of a block}} */
static void note(struct wire *wire, const json_t *json)
{
	const json_t *result = json_object_get(json_object_get(json, "params"), "result");
	const char *hash = json_string_value(result);
	if (json_is_object(result))
		wire->head = true;
	if (!hash || strlen(hash) != WIRE_HASH - 1)
		return;
	if (wire->hash_count == WIRE_NOTED)
		wire->lost = true;
	else
		memcpy(wire->hashes[wire->hash_count++], hash, WIRE_HASH);
}

bool wire_look(struct wire *wire)
{
	do {
		if (!has_line(wire) && !fill(wire, 0))
			return false;
		json_t *json = take(wire);
		if (json)
			note(wire, json);
		json_decref(json);
	} while (has_line(wire));
	return true;
}

/* -- asking ------------------------------------------------------------------------------------- */

static bool send_all(struct wire *wire, const char *text, size_t length, uint64_t until)
{
	while (length) {
		ssize_t sent = send(wire->fd, text, length, MSG_NOSIGNAL);
		if (sent > 0) {
			text += sent;
			length -= (size_t)sent;
			continue;
		}
		if (sent == 0 || (errno != EAGAIN && errno != EINTR))
			return fail(wire, "it closed the line");
		poll(&(struct pollfd){.fd = wire->fd, .events = POLLOUT}, 1, SLICE_MS);
		if (clock_ms() > until || !wire->idle(wire->context))
			return fail(wire, "it does not listen");
	}
	return true;
}

static bool say(struct wire *wire, const char *method, json_t *params, uint64_t until)
{
	json_t *ask = json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", (int)++wire->serial, "method",
				method, "params", params);
	char *text = ask ? json_dumps(ask, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0;
	if (text)
		text[length] = '\n'; /* in the place of its NUL: one piece, one waking */
	bool sent = text && send_all(wire, text, length + 1, until);
	free(text);
	json_decref(ask);
	return sent;
}

/* The answer to the newest question; *over when it was that one. */
static json_t *answer(struct wire *wire, json_t *json, bool *over)
{
	const json_t *id = json_object_get(json, "id");
	*over = id && json_integer_value(id) == (json_int_t)wire->serial;
	if (!*over) {
		note(wire, json);
		return NULL;
	}
	const json_t *error = json_object_get(json, "error");
	if (error) {
		const char *text = json_string_value(json_object_get(error, "message"));
		snprintf(wire->why, sizeof wire->why, "%s", text ? text : "an error without words");
		return NULL;
	}
	json_t *result = json_object_get(json, "result");
	if (!result)
		fail(wire, "an answer without a result");
	return json_incref(result);
}

json_t *wire_ask(struct wire *wire, const char *method, json_t *params, unsigned ms)
{
	uint64_t until = clock_ms() + ms;
	if (!say(wire, method, params, until))
		return NULL;
	for (;;) {
		json_t *json = take(wire);
		bool over = false;
		json_t *result = json ? answer(wire, json, &over) : NULL;
		json_decref(json);
		if (over)
			return result;
		if (has_line(wire))
			continue;
		if (!fill(wire, SLICE_MS))
			return NULL;
		if (!wire->idle(wire->context) || clock_ms() > until) {
			fail(wire, "it does not answer");
			return NULL;
		}
	}
}

bool wire_number(const json_t *value, uint64_t *number)
{
	const char *text = json_string_value(value);
	char *end;
	if (!text || strncmp(text, "0x", 2) != 0 || strlen(text) < 3 || strlen(text) > 18)
		return false;
	*number = strtoull(text + 2, &end, 16);
	return !*end;
}
