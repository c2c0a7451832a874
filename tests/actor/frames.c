/* A second, independent speaker of the bus, on czmq. Part of the tests' harness. */
#include "tests/actor/frames.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Where the fields lie in the header: offset, bytes. */
enum {
	AT_MAGIC = 0,
	AT_TYPE = 4,
	AT_NUMBER = 6,
	AT_BROKER = 8,
	AT_CALLER = 16,
	AT_SERIAL = 24,
	AT_DEADLINE = 32,
	AT_CALLEE = 40,
	AT_TARGET_KIND = 48,
	AT_SOURCE_KIND = 49,
	AT_TARGET_NODE = 50,
	AT_SOURCE_NODE = 52,
	AT_ERROR = 54,
	AT_SOURCE_UID = 56,
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;
	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

void frame_write(const struct frame *frame, uint8_t header[ENVELOPE_BYTES])
{
	memset(header, 0, ENVELOPE_BYTES);
	memcpy(header + AT_MAGIC, "WRN2", 4);
	put(header + AT_TYPE, frame->type, 1);
	put(header + AT_NUMBER, frame->number, 2);
	put(header + AT_BROKER, frame->broker, 8);
	put(header + AT_CALLER, frame->caller, 8);
	put(header + AT_SERIAL, frame->serial, 8);
	put(header + AT_DEADLINE, frame->deadline, 8);
	put(header + AT_CALLEE, frame->callee, 8);
	put(header + AT_TARGET_KIND, frame->target_kind, 1);
	put(header + AT_SOURCE_KIND, frame->source_kind, 1);
	put(header + AT_TARGET_NODE, frame->target_node, 2);
	put(header + AT_SOURCE_NODE, frame->source_node, 2);
	put(header + AT_ERROR, frame->error, 2);
	put(header + AT_SOURCE_UID, frame->source_uid, 4);
}

bool frame_read(const uint8_t *header, size_t length, struct frame *frame)
{
	if (length != ENVELOPE_BYTES || memcmp(header, "WRN2", 4) != 0)
		return false;
	*frame = (struct frame){
		.type = (unsigned)get(header + AT_TYPE, 1),
		.number = (unsigned)get(header + AT_NUMBER, 2),
		.broker = get(header + AT_BROKER, 8),
		.caller = get(header + AT_CALLER, 8),
		.serial = get(header + AT_SERIAL, 8),
		.deadline = get(header + AT_DEADLINE, 8),
		.callee = get(header + AT_CALLEE, 8),
		.target_kind = (unsigned)get(header + AT_TARGET_KIND, 1),
		.source_kind = (unsigned)get(header + AT_SOURCE_KIND, 1),
		.target_node = (unsigned)get(header + AT_TARGET_NODE, 2),
		.source_node = (unsigned)get(header + AT_SOURCE_NODE, 2),
		.error = (unsigned)get(header + AT_ERROR, 2),
		.source_uid = (unsigned)get(header + AT_SOURCE_UID, 4),
	};
	return true;
}

uint64_t frames_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t frames_random(void)
{
	uint64_t number = 0;
	while (!number)
		if (getrandom(&number, sizeof number, 0) != sizeof number)
			number = 0;
	return number;
}

void speaker_open(struct speaker *speaker, const char *path, bool routing)
{
	speaker->socket = zsock_new(ZMQ_DEALER);
	zsock_set_linger(speaker->socket, 0);
	zsock_set_immediate(speaker->socket, 1);
	zsock_set_rcvhwm(speaker->socket, 4); /* one that does not read holds little itself */
	zsock_set_reconnect_ivl(speaker->socket, 20);
	if (routing &&
	    zmq_setsockopt(zsock_resolve(speaker->socket), ZMQ_ROUTING_ID, speaker->routing, 16) != 0)
		abort();
	if (zsock_connect(speaker->socket, "ipc://%s", path) != 0)
		abort();
}

void speaker_close(struct speaker *speaker)
{
	zmsg_destroy(&speaker->latest);
	zsock_destroy(&speaker->socket);
}

bool speaker_send(struct speaker *speaker, const struct frame *frame)
{
	uint8_t header[ENVELOPE_BYTES];
	void *socket = zsock_resolve(speaker->socket);
	frame_write(frame, header);
	return zmq_send(socket, header, sizeof header, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
	       zmq_send(socket, frame->body, frame->length, ZMQ_DONTWAIT) >= 0;
}

static bool receive_one(struct speaker *speaker, struct frame *frame, int ms)
{
	zmq_pollitem_t item = {.socket = zsock_resolve(speaker->socket), .events = ZMQ_POLLIN};
	if (zmq_poll(&item, 1, ms) <= 0)
		return false;
	zmsg_destroy(&speaker->latest);
	speaker->latest = zmsg_recv(speaker->socket);
	zframe_t *header = speaker->latest ? zmsg_first(speaker->latest) : NULL;
	zframe_t *body = header ? zmsg_next(speaker->latest) : NULL;
	if (!body || zmsg_size(speaker->latest) != 2 ||
	    !frame_read(zframe_data(header), zframe_size(header), frame)) {
		fputs("not ok - what the broker wrote is not a header and a body\n", stdout);
		exit(1);
	}
	frame->body = zframe_data(body);
	frame->length = zframe_size(body);
	return true;
}

bool speaker_receive(struct speaker *speaker, struct frame *frame, int ms)
{
	while (receive_one(speaker, frame, ms)) {
		if (frame->type == ENVELOPE_WELCOME)
			speaker->heard = frame->number;
		if (frame->type != ENVELOPE_SUBSCRIBE && frame->type != ENVELOPE_UNSUBSCRIBE)
			return true;
		speaker->heard = frame->type == ENVELOPE_SUBSCRIBE;
	}
	return false;
}

bool speaker_hello(struct speaker *speaker, uint64_t fingerprint)
{
	struct frame hello = {.type = ENVELOPE_HELLO, .serial = fingerprint}, answer;
	uint64_t until = frames_now_ns() + WAIT_MS * UINT64_C(1000000);
	while (frames_now_ns() < until) {
		bool sent = speaker_send(speaker, &hello);
		if (!speaker_receive(speaker, &answer, sent ? 100 : 2)) /* 2: not connected yet */
			continue;
		if (answer.type == ENVELOPE_ERROR && answer.number == 0)
			return false;
		if (answer.type != ENVELOPE_WELCOME)
			continue;
		speaker->broker = answer.broker;
		if (!speaker->birth)
			speaker->birth = answer.caller;
		return answer.caller == speaker->birth;
	}
	return false;
}

uint64_t speaker_ask(struct speaker *speaker, unsigned number, unsigned kind, unsigned node, const char *body,
		     int ms)
{
	struct frame ask = {
		.type = ENVELOPE_ASK,
		.number = number,
		.broker = speaker->broker,
		.caller = speaker->birth,
		.serial = ++speaker->serial,
		.deadline = frames_now_ns() + (uint64_t)ms * 1000000,
		.target_kind = kind,
		.target_node = node,
		.body = body,
		.length = strlen(body),
	};
	return speaker_send(speaker, &ask) ? ask.serial : 0;
}

bool speaker_answer(struct speaker *speaker, const struct frame *ask, unsigned type, unsigned error,
		    const char *body)
{
	struct frame answer = *ask;
	answer.type = type;
	answer.error = error;
	answer.broker = speaker->broker;
	answer.body = body;
	answer.length = strlen(body);
	return speaker_send(speaker, &answer);
}

bool speaker_ends(struct speaker *speaker, uint64_t serial, unsigned error)
{
	struct frame end;
	if (!serial || !speaker_receive(speaker, &end, WAIT_MS))
		return false;
	return end.serial == serial && end.error == error &&
	       end.type == (error ? ENVELOPE_ERROR : ENVELOPE_REPLY);
}
