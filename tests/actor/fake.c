/* A fake broker. Part of the tests' harness. */
#include "tests/actor/fake.h"

#include <string.h>
#include <unistd.h>

static const uint8_t nothing[] = {0x90}; /* the request without fields */

void fake_begin(struct fake *fake)
{
	*fake = (struct fake){.child = {.life = -1, .log = -1}};
	folder_make(fake->run);
	folder_make(fake->self);
	snprintf(fake->path, sizeof fake->path, "%s/%s", fake->run, SOCKET_BUS);
}

void fake_end(struct fake *fake)
{
	child_end(&fake->child);
	if (fake->router)
		fake_broker_end(fake);
	folder_remove(fake->run);
	folder_remove(fake->self);
}

void fake_broker_begin(struct fake *fake)
{
	fake->birth = frames_random();
	fake->router = zsock_new(ZMQ_ROUTER);
	zsock_set_router_mandatory(fake->router, 1);
	zsock_set_linger(fake->router, 0);
	if (zsock_bind(fake->router, "ipc://%s", fake->path) < 0)
		abort();
}

void fake_broker_end(struct fake *fake)
{
	zmsg_destroy(&fake->latest);
	zsock_destroy(&fake->router);
}

void fake_child(struct fake *fake, const struct birth *birth, const char *settings, const int *fds,
		unsigned count)
{
	fake->of_child = *birth;
	child_start(&fake->child, tested_program(),
		    &(struct start){*birth, settings, fake->self, fake->run, fds, count, 0});
}

bool fake_init(struct fake *fake, struct birth birth, const char *settings, const int *fds, unsigned count)
{
	birth.flags = BIRTH_INIT;
	fake_child(fake, &birth, settings, fds, count);
	bool ended = child_ends(&fake->child);
	child_end(&fake->child);
	if (!ended || fake->child.status)
		note("--init: status %x: %s", (unsigned)fake->child.status, fake->child.logged);
	return ended && fake->child.status == 0;
}

bool fake_receive(struct fake *fake, struct frame *frame, int ms)
{
	zmq_pollitem_t item = {.socket = zsock_resolve(fake->router), .events = ZMQ_POLLIN};
	child_look(&fake->child);
	if (zmq_poll(&item, 1, ms) <= 0)
		return false;
	zmsg_destroy(&fake->latest);
	fake->latest = zmsg_recv(fake->router);
	zframe_t *routing = fake->latest ? zmsg_first(fake->latest) : NULL;
	zframe_t *header = routing ? zmsg_next(fake->latest) : NULL,
		 *body = header ? zmsg_next(fake->latest) : NULL;
	if (!body || zmsg_size(fake->latest) != 3 || zframe_size(routing) != 16 ||
	    memcmp(zframe_data(routing), fake->of_child.routing, 16) != 0 ||
	    !frame_read(zframe_data(header), zframe_size(header), frame)) {
		ok(false, "what the process wrote is not a header and a body under its own routing id");
		return false;
	}
	frame->body = zframe_data(body);
	frame->length = zframe_size(body);
	return true;
}

void fake_send_parts(struct fake *fake, unsigned count, const struct view *parts)
{
	void *router = zsock_resolve(fake->router);
	if (zmq_send(router, fake->of_child.routing, 16, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return;
	for (unsigned i = 0; i < count; i++)
		zmq_send(router, parts[i].at, parts[i].length,
			 ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
}

bool fake_send(struct fake *fake, const struct frame *frame)
{
	uint8_t header[ENVELOPE_BYTES];
	void *router = zsock_resolve(fake->router);
	frame_write(frame, header);
	return zmq_send(router, fake->of_child.routing, 16, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
	       zmq_send(router, header, sizeof header, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
	       zmq_send(router, frame->body, frame->length, ZMQ_DONTWAIT) >= 0;
}

bool fake_welcome(struct fake *fake)
{
	struct frame hello;
	if (!fake_receive(fake, &hello, WAIT_MS) || hello.type != ENVELOPE_HELLO ||
	    hello.serial != calls_fingerprint())
		return false;
	return fake_send(fake, &(struct frame){.type = ENVELOPE_WELCOME,
					       .broker = fake->birth,
					       .caller = fake->of_child.birth});
}

struct frame fake_ask(struct fake *fake, unsigned number, unsigned kind, unsigned node, const void *body,
		      size_t length, int ms)
{
	return (struct frame){
		.type = ENVELOPE_ASK,
		.number = number,
		.broker = fake->birth,
		.caller = 4711,
		.serial = ++fake->serial,
		.deadline = frames_now_ns() + (uint64_t)ms * 1000000,
		.callee = fake->of_child.birth,
		.target_kind = fake->of_child.kind,
		.target_node = fake->of_child.node,
		.source_kind = kind,
		.source_node = node,
		.body = body,
		.length = length,
	};
}

bool fake_ends(struct fake *fake, const struct frame *ask, unsigned error, struct frame *end)
{
	if (!fake_send(fake, ask))
		return false;
	while (fake_receive(fake, end, WAIT_MS))
		if (end->serial == ask->serial &&
		    (end->type == ENVELOPE_REPLY || end->type == ENVELOPE_ERROR))
			return end->error == error && end->type == (error ? ENVELOPE_ERROR : ENVELOPE_REPLY);
	return false;
}

bool fake_turned(struct fake *fake)
{
	struct frame end, ping = fake_ask(fake, 0x0001, OPERATOR, 0, nothing, sizeof nothing, WAIT_MS);
	return fake_ends(fake, &ping, 0, &end);
}
