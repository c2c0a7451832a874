/* The console's connection to the broker. Runs as whoever started the console; touches one socket below
 * ROOT/run. When the broker dies, what was asked ends GONE and libzmq connects again. */
#include "actors/console/client.h"

#include "actors/console/render.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/birth.h"

enum {
	LOOK_MS = 400, /* no welcome for this long: see whether anybody listens at all */
	HELLO_AGAIN_MS = 100,
	REPLIES_MAX = 64 << 20, /* bytes of all replies: 512 nodes with five processes each are below 4 MiB */
};

uint64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

enum ending ending_of(enum err err)
{
	switch (err) {
	case ERR_OK:
		return END_OK;
	case ERR_DENIED:
		return END_DENIED;
	case ERR_KEPT:
	case ERR_GONE:
	case ERR_BUSY:
	case ERR_LATE:
	case ERR_MEMORY:
	case ERR_NOT_READY:
	case ERR_UNAVAILABLE:
		return END_UNKNOWN;
	case ERR_MALFORMED:
	case ERR_UNKNOWN_CALL:
	case ERR_FINGERPRINT:
	case ERR_BAD_VALUE:
	case ERR_NOT_FOUND:
	case ERR_BAD_CID:
	case ERR_TOO_LARGE:
	case ERR_FULL:
	case ERR_WRONG_SHARD:
	case ERR_BAD_TICKET:
	case ERR_TRUNCATED:
	case ERR_REFUSED:
	case ERR_ABORTED:
	case ERR_CORRUPT:
	case ERR_DISK:
	case ERR_LOCKED:
		return END_FAILED;
	}
	return END_FAILED;
}

const char *err_text(enum err err, const char *why, char text[2 * SENTENCE_TEXT])
{
	snprintf(text, 2 * SENTENCE_TEXT, "%s: %s", err_name(err), *why ? why : err_sentence(err));
	return text;
}

/* -- the socket ---------------------------------------------------------------------------------------- */

/* errno of connecting to it, or 0. Says hello to nobody: it is shut at once. */
static int knock(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	int error = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
	close(fd);
	return error;
}

/* Which door the kernel opens to us; errno, or 0. */
static int choose(struct client *client, const char *root)
{
	static const struct {
		enum kind authority;
		const char *socket;
	} doors[] = {{OPERATOR, SOCKET_OPERATE}, {READER, SOCKET_READ}};
	int error = ENOENT;
	for (unsigned i = 0; i < 2; i++) {
		int length = snprintf(client->path, sizeof client->path, "%s/run/%s", root, doors[i].socket);
		if (length >= (int)sizeof((struct sockaddr_un *)0)->sun_path)
			return ENAMETOOLONG;
		client->authority = doors[i].authority;
		if (faccessat(AT_FDCWD, client->path, R_OK | W_OK, AT_EACCESS) == 0)
			return 0;
		if (errno != ENOENT)
			error = errno;
	}
	return error;
}

static enum ending explain(int error, const char *path, char why[SENTENCE_TEXT])
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		snprintf(why, SENTENCE_TEXT,
			 "no machine runs there: nobody listens at %.120s; start it: warren up", path);
		return END_NO_MACHINE;
	case EACCES:
	case EPERM:
		snprintf(why, SENTENCE_TEXT,
			 "you may not open %.100s; its group may look (warren.conf: readers, operators)",
			 path);
		return END_DENIED;
	}
	snprintf(why, SENTENCE_TEXT, "%.120s: %.80s", path, strerror(error));
	return END_FAILED;
}

enum ending client_open(struct client *client, const char *root, uint32_t most_ms, struct slow slow,
			char why[SENTENCE_TEXT])
{
	*client = (struct client){.slow = slow};
	int error = choose(client, root);
	if (error)
		return explain(error, client->path, why);
	if (!bus_open(&client->bus, client->path, NULL)) {
		error = errno;
		bus_close(&client->bus);
		return explain(error, client->path, why);
	}
	arena_begin(&client->arena, REPLIES_MAX);
	client->packed = x_new(BODY_MAX);
	enum ending ending = client_welcome(client, most_ms, why);
	if (ending != END_OK)
		client_close(client);
	return ending;
}

void client_forget(struct client *client)
{
	arena_end(&client->arena);
	arena_begin(&client->arena, REPLIES_MAX);
}

void client_close(struct client *client)
{
	bus_close(&client->bus);
	arena_end(&client->arena);
	x_free(&client->packed);
}

/* -- receiving ----------------------------------------------------------------------------------------- */

/* What became of the connection. True: the broker is gone. */
static bool lost(struct client *client)
{
	bool gone = false;
	for (enum bus_change change; (change = bus_changed(&client->bus)) != BUS_NOTHING;) {
		gone |= change == BUS_LOST;
		if (change == BUS_FOUND)
			bus_hello(&client->bus);
	}
	return gone;
}

int client_receive(struct client *client, int fd, uint64_t most_ms, struct envelope *envelope,
		   zmq_msg_t *body)
{
	zmq_pollitem_t items[] = {{.socket = client->bus.socket, .events = ZMQ_POLLIN},
				  {.socket = client->bus.monitor, .events = ZMQ_POLLIN},
				  {.fd = fd, .events = ZMQ_POLLIN}};
	if (bus_receive(&client->bus, envelope, body))
		return 1;
	if (zmq_poll(items, fd < 0 ? 2 : 3, (long)most_ms) <= 0)
		return 0;
	if (items[1].revents && lost(client))
		return -1;
	return bus_receive(&client->bus, envelope, body);
}

static enum ending fingerprint_differs(char why[SENTENCE_TEXT])
{
	snprintf(why, SENTENCE_TEXT, "%s", err_sentence(ERR_FINGERPRINT));
	return END_FAILED;
}

/* Somebody has been silent for a while: whoever waits is told whom they wait for. */
static void tell_slow(struct client *client, const char *who, const char *what, uint64_t begun_ns,
		      uint64_t most_ms)
{
	uint64_t waited_ms = (clock_ns() - begun_ns) / 1000000;
	if (client->slow.tell && waited_ms >= SLOW_MS)
		client->slow.tell(client->slow.context, who, what, waited_ms, most_ms);
}

static enum ending await_welcome(struct client *client, uint32_t most_ms, char why[SENTENCE_TEXT])
{
	const uint64_t begun = clock_ns(), ms = 1000000;
	bool looked = false;
	while (clock_ns() - begun < most_ms * ms) {
		struct envelope envelope;
		zmq_msg_t body;
		if (client_receive(client, -1, HELLO_AGAIN_MS, &envelope, &body) > 0) {
			zmq_msg_close(&body);
			if (envelope.type == ENVELOPE_ERROR && envelope.error == ERR_FINGERPRINT)
				return fingerprint_differs(why);
			if (envelope.type == ENVELOPE_WELCOME) {
				client->bus.broker_birth = envelope.broker_birth;
				client->birth = envelope.caller_birth;
				return END_OK;
			}
			continue;
		}
		tell_slow(client, "broker", "", begun, most_ms);
		int error = !looked && clock_ns() - begun > LOOK_MS * ms ? knock(client->path) : 0;
		looked |= clock_ns() - begun > LOOK_MS * ms;
		if (error && error != EAGAIN)
			return explain(error, client->path, why);
		bus_hello(&client->bus);
	}
	snprintf(why, SENTENCE_TEXT,
		 "the broker does not answer; warrend starts a dead one again: try in a few seconds");
	return END_UNKNOWN;
}

enum ending client_welcome(struct client *client, uint32_t most_ms, char why[SENTENCE_TEXT])
{
	enum ending ending = await_welcome(client, most_ms, why);
	if (client->slow.tell)
		client->slow.tell(client->slow.context, NULL, "", 0, 0);
	return ending;
}

/* -- asking -------------------------------------------------------------------------------------------- */

static void finish(struct client *client, struct question *question, enum err err)
{
	question->took_ns = clock_ns() - question->sent_ns;
	question->err = err;
	question->serial = 0;
	if (err != ERR_LATE && err != ERR_GONE && question->took_ns > client->slowest_ns)
		client->slowest_ns = question->took_ns;
}

static void take_answer(struct client *client, struct question *question, const struct envelope *envelope,
			zmq_msg_t *body)
{
	const struct message *shape = question->row->reply;
	if (envelope->type == ENVELOPE_ERROR) {
		clean(zmq_msg_data(body), zmq_msg_size(body), false, question->why, sizeof question->why);
		finish(client, question, envelope->error ? (enum err)envelope->error : ERR_MALFORMED);
		return;
	}
	void *reply = arena_take(&client->arena, shape->size + 1);
	if (!reply || !message_unpack(shape, zmq_msg_data(body), zmq_msg_size(body), &client->arena, reply)) {
		finish(client, question, reply ? ERR_MALFORMED : ERR_MEMORY);
		return;
	}
	question->reply = reply;
	finish(client, question, ERR_OK);
}

/* Sends it, or ends it at once. */
static void send_question(struct client *client, struct question *question)
{
	static const uint8_t nothing[1];
	const struct call_row *row = question->row;
	const void *request = question->request ? question->request : nothing;
	question->sent_ns = clock_ns();
	question->serial = ++client->bus.serial;
	if (!client->bus.broker_birth) {
		finish(client, question, ERR_GONE);
		return;
	}
	size_t length = message_pack(row->request, request, client->packed, BODY_MAX);
	if (!length) {
		finish(client, question, ERR_BAD_VALUE);
		return;
	}
	struct envelope envelope = {.type = ENVELOPE_ASK,
				    .number = row->number,
				    .serial = question->serial,
				    .deadline = question->sent_ns + row->deadline_ms * UINT64_C(1000000),
				    .target_kind = (uint8_t)question->kind,
				    .target_node = question->node,
				    .trace = client->trace};
	if (!bus_send(&client->bus, &envelope, client->packed, length))
		finish(client, question, ERR_BUSY);
}

/* How long this one is waited for, from when it was sent. */
static uint64_t waits_ns(const struct client *client, const struct question *question, enum patience patience)
{
	uint64_t row = question->row->deadline_ms * UINT64_C(1000000);
	uint64_t least = IMPATIENT_MS * UINT64_C(1000000), some = client->slowest_ns * IMPATIENT_TIMES;
	if (patience == PATIENT || !client->slowest_ns)
		return row;
	some = some > least ? some : least;
	return some < row ? some : row;
}

static bool was_silent(const struct client *client, const struct question *question)
{
	for (unsigned i = 0; i < client->silent_count; i++)
		if (client->silent[i].kind == question->kind && client->silent[i].node == question->node)
			return true;
	return false;
}

static void remember_silent(struct client *client, const struct question *question)
{
	if (client->silent_count == SILENT_MAX || was_silent(client, question))
		return;
	client->silent[client->silent_count].kind = question->kind;
	client->silent[client->silent_count++].node = question->node;
}

/* Ends those that are waited for no longer; returns how long the next one will be, in ms. */
static uint64_t expire(struct client *client, struct question **open, enum patience patience)
{
	uint64_t now = clock_ns(), nearest = UINT64_MAX;
	for (unsigned i = 0; i < ASKS_AT_ONCE; i++) {
		if (!open[i] || open[i]->err != ERR_KEPT)
			continue;
		uint64_t until = open[i]->sent_ns + waits_ns(client, open[i], patience);
		if (until <= now) {
			finish(client, open[i], ERR_LATE);
			remember_silent(client, open[i]);
		} else if (until < nearest)
			nearest = until;
	}
	return nearest == UINT64_MAX ? 0 : (nearest - now) / 1000000 + 1;
}

/* One round of waiting for those that are open. */
static void await(struct client *client, struct question **open, uint64_t most_ms)
{
	struct envelope envelope;
	zmq_msg_t body;
	int got = client_receive(client, -1, most_ms, &envelope, &body);
	for (unsigned i = 0; i < ASKS_AT_ONCE; i++) {
		struct question *question = open[i];
		if (!question || question->err != ERR_KEPT)
			continue;
		if (got < 0)
			finish(client, question, ERR_GONE);
		bool answer = got > 0 && envelope.serial == question->serial &&
			      (envelope.type == ENVELOPE_REPLY || envelope.type == ENVELOPE_ERROR);
		if (answer && envelope.number == question->row->number)
			take_answer(client, question, &envelope, &body);
	}
	if (got > 0 && client->heard && envelope.type != ENVELOPE_REPLY && envelope.type != ENVELOPE_ERROR)
		client->heard(client->heard_context, &envelope, zmq_msg_data(&body), zmq_msg_size(&body));
	if (got > 0)
		zmq_msg_close(&body);
}

/* Tells about the one that is waited for longest. */
static void tell_slowest(struct client *client, struct question **open)
{
	char who[WHO_TEXT];
	const struct question *slowest = NULL;
	for (unsigned i = 0; i < ASKS_AT_ONCE; i++)
		if (open[i] && open[i]->err == ERR_KEPT && (!slowest || open[i]->sent_ns < slowest->sent_ns))
			slowest = open[i];
	if (slowest)
		tell_slow(client, who_text(slowest->kind, slowest->node, who), slowest->row->name,
			  slowest->sent_ns, slowest->row->deadline_ms);
}

void client_ask(struct client *client, struct question *questions, unsigned count, enum patience patience)
{
	struct question *open[ASKS_AT_ONCE] = {NULL};
	unsigned next = 0, left = count;
	client->silent_count = patience == PATIENT ? 0 : client->silent_count;
	while (left) {
		for (unsigned i = 0; i < ASKS_AT_ONCE; i++) {
			if (open[i] && open[i]->err != ERR_KEPT) {
				open[i] = NULL;
				left--;
			}
			if (!open[i] && next < count) {
				open[i] = &questions[next++];
				open[i]->err = ERR_KEPT;
				if (patience == IMPATIENT && was_silent(client, open[i]))
					open[i]->err = ERR_LATE;
				else
					send_question(client, open[i]);
			}
		}
		uint64_t wait = expire(client, open, patience);
		if (wait)
			await(client, open, client->slow.tell && wait > SLOW_MS ? SLOW_MS : wait);
		if (patience == PATIENT)
			tell_slowest(client, open);
	}
	if (client->slow.tell)
		client->slow.tell(client->slow.context, NULL, "", 0, 0);
}

enum err client_ask_one(struct client *client, struct question *question)
{
	client_ask(client, question, 1, PATIENT);
	return question->err;
}

bool client_subscribe(struct client *client, enum envelope_type type, unsigned number, unsigned kind,
		      unsigned node)
{
	struct envelope envelope = {.type = (uint8_t)type,
				    .number = (uint16_t)number,
				    .serial = ++client->bus.serial,
				    .target_kind = (uint8_t)kind,
				    .target_node = (uint16_t)node};
	return client->bus.broker_birth && bus_send(&client->bus, &envelope, "", 0);
}
