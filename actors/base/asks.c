/* Asking: our own open asks. Each ends exactly once, in a reply, an error, GONE, BUSY or LATE, and always from the loop. */
#include "actors/base/runtime.h"

static struct ask *ask_slot(struct actor *self, uint64_t serial)
{
	for (unsigned i = 0; i < ACTOR_ASKS; i++)
		if (self->asks[i].serial == serial)
			return &self->asks[i];
	return NULL;
}

static void ask_finish(struct actor *self, struct ask *ask, enum err err, const void *reply)
{
	struct ask ended = *ask;
	ask->serial = 0;
	self->asked.depth--;
	self->trace = ended.trace; /* what is asked now is still for the sake of the same ask */
	ended.end(self, ended.done, ended.context, err, reply);
	self->trace = 0;
}

/* Packs and sends; the envelope's type is set. */
static enum err send_request(struct actor *self, struct envelope *envelope, const struct call_row *row,
			     const void *request)
{
	uint8_t small[1024], *body = small;
	size_t length = message_pack(row->request, request, small, sizeof small);
	if (!length) { /* larger than usual, or not to be packed at all */
		body = x_new(BODY_MAX);
		length = message_pack(row->request, request, body, BODY_MAX);
	}
	enum err err = !length                                        ? ERR_BAD_VALUE
		       : bus_send(&self->bus, envelope, body, length) ? ERR_OK
								      : ERR_BUSY;
	if (body != small)
		x_free(&body);
	return err;
}

enum err actor_ask(struct actor *self, const struct call_row *row, uint16_t node, const void *request,
		   ask_end *end, void (*done)(void), void *context)
{
	return actor_ask_of(self, row, (enum kind)(row->number >> 8), node, request, end, done, context);
}

enum err actor_ask_of(struct actor *self, const struct call_row *row, enum kind kind, uint16_t node,
		      const void *request, ask_end *end, void (*done)(void), void *context)
{
	struct ask *ask = ask_slot(self, 0);
	if (!ask) {
		self->asked.drops++;
		return ERR_BUSY;
	}
	if (!self->bus.broker_birth)
		return ERR_GONE;
	uint64_t deadline = now_ns() + row->deadline_ms * UINT64_C(1000000);
	struct envelope envelope = {.type = ENVELOPE_ASK,
				    .number = row->number,
				    .caller_birth = self->born.birth.birth,
				    .serial = ++self->bus.serial,
				    .deadline = deadline,
				    .target_kind = (uint8_t)kind,
				    .target_node = node,
				    .trace = self->trace};
	enum err err = send_request(self, &envelope, row, request);
	if (err != ERR_OK)
		return err;
	*ask = (struct ask){envelope.serial, deadline, row, end, done, context, self->trace, ERR_KEPT};
	self->asked_count++;
	if (++self->asked.depth > self->asked.high)
		self->asked.high = self->asked.depth;
	return ERR_OK;
}

enum err actor_tell(struct actor *self, const struct call_row *row, uint16_t node, const void *request)
{
	if (!self->bus.broker_birth)
		return ERR_GONE;
	struct envelope envelope = {.type = ENVELOPE_TELL,
				    .number = row->number,
				    .caller_birth = self->born.birth.birth,
				    .serial = ++self->bus.serial,
				    .target_kind = (uint8_t)(row->number >> 8),
				    .target_node = node,
				    .trace = self->trace};
	return send_request(self, &envelope, row, request);
}

void actor_publish(struct actor *self, const struct event_row *row, const void *body)
{
	uint8_t packed[4096];
	if (!self->heard || !self->bus.broker_birth)
		return;
	size_t length = message_pack(row->body, body, packed, sizeof packed);
	bug_if(!length); /* ours: an event is small, and its values are our own */
	struct envelope envelope = {
		.type = ENVELOPE_PUBLISH, .number = row->number, .caller_birth = self->born.birth.birth};
	self->published++;
	bus_send(&self->bus, &envelope, packed, length); /* nobody waits for an event: a lost one is lost */
}

void asks_answered(struct actor *self, const struct envelope *envelope, const void *body, size_t length)
{
	struct ask *ask = envelope->serial ? ask_slot(self, envelope->serial) : NULL;
	if (!ask || ask->err != ERR_KEPT || envelope->caller_birth != self->born.birth.birth)
		return;
	if (envelope->type == ENVELOPE_ERROR) {
		ask_finish(self, ask, envelope->error ? envelope->error : ERR_MALFORMED, NULL);
		return;
	}
	struct arena arena;
	arena_begin(&arena, CALL_MEMORY);
	void *reply = x_new(ask->row->reply->size);
	if (message_unpack(ask->row->reply, body, length, &arena, reply))
		ask_finish(self, ask, ERR_OK, reply);
	else
		ask_finish(self, ask, ERR_MALFORMED, NULL);
	x_free(&reply);
	arena_end(&arena);
}

void asks_lost(struct actor *self)
{
	for (unsigned i = 0; i < ACTOR_ASKS; i++)
		if (self->asks[i].serial && self->asks[i].err == ERR_KEPT)
			self->asks[i].err = ERR_GONE;
}

void asks_turn(struct actor *self)
{
	if (!self->asked.depth)
		return;
	uint64_t now = now_ns();
	for (unsigned i = 0; i < ACTOR_ASKS; i++) {
		struct ask *ask = &self->asks[i];
		if (!ask->serial)
			continue;
		if (ask->err == ERR_KEPT && ask->deadline_ns <= now)
			ask->err = ERR_LATE;
		if (ask->err != ERR_KEPT)
			ask_finish(self, ask, ask->err, NULL);
	}
}

int asks_wait_ms(struct actor *self, int most)
{
	if (!self->asked.depth)
		return most;
	uint64_t now = now_ns(), until = UINT64_MAX;
	for (unsigned i = 0; i < ACTOR_ASKS; i++) {
		const struct ask *ask = &self->asks[i];
		if (ask->serial && ask->err != ERR_KEPT)
			return 0;
		if (ask->serial && ask->deadline_ns < until)
			until = ask->deadline_ns;
	}
	uint64_t wait = until <= now ? 0 : (until - now) / 1000000 + 1;
	return wait < (uint64_t)most ? (int)wait : most;
}
