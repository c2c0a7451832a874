/* Answering: what others ask of us. A handler answers now, or keeps the call; kept calls are bounded. */
#include "actors/base/runtime.h"

#include "actors/base/reasons/reasons.h"

#include <string.h>

struct asker call_asker(const struct call *call)
{
	const struct envelope *e = &call->envelope;
	return (struct asker){e->source_kind, e->source_node, e->source_uid};
}

struct arena *call_arena(struct call *call)
{
	return &call->arena;
}

/* How long we had it: 1 us or less, 2, 4, 8 … */
static void count_time(struct call *call)
{
	uint64_t us = (now_ns() - call->began_ns) / 1000;
	unsigned bucket = us > 1 ? 64 - (unsigned)__builtin_clzll(us - 1) : 0;
	call->actor->times[bucket < WORK_TIMES ? bucket : WORK_TIMES - 1]++;
}

static void call_free(struct call *call)
{
	count_time(call);
	call->actor->kept.depth--;
	arena_end(&call->arena);
	x_free(&call);
}

/* Sends an answer unless nobody waits for one: it was told, it is late, or its broker is gone. */
static void answer(struct call *call, enum envelope_type type, enum err err, const void *body, size_t length)
{
	struct actor *self = call->actor;
	struct envelope envelope = call->envelope;
	if (call->envelope.type == ENVELOPE_TELL || envelope.broker_birth != self->bus.broker_birth ||
	    envelope.deadline <= now_ns())
		return;
	envelope.type = (uint8_t)type;
	envelope.error = (uint16_t)err;
	if (!bus_send(&self->bus, &envelope, body, length))
		self->kept.drops++; /* the asker's own deadline tells it */
}

static void answer_reply(struct call *call, const struct call_row *row, const void *reply)
{
	uint8_t small[1024], *body = small;
	size_t length = message_pack(row->reply, reply, small, sizeof small);
	if (!length) {
		body = x_new(BODY_MAX);
		length = message_pack(row->reply, reply, body, BODY_MAX);
	}
	if (length) {
		answer(call, ENVELOPE_REPLY, ERR_OK, body, length);
	} else {
		log_error("call.reply_breaks_its_row", "call=%s", row->name);
		answer(call, ENVELOPE_ERROR, ERR_TOO_LARGE, "", 0);
	}
	if (body != small)
		x_free(&body);
}

void actor_reply(struct call *call, const struct call_row *row, const void *reply)
{
	bug_if(call->handler->row != row);
	answer_reply(call, row, reply);
	call_free(call);
}

void call_fail(struct call *call, enum err err)
{
	call_fail_why(call, err, "");
}

void call_fail_why(struct call *call, enum err err, const char *why)
{
	answer(call, ENVELOPE_ERROR, err, why, strnlen(why, 1000));
	call_free(call);
}

static const struct handler *find(const struct handler *handlers, unsigned number)
{
	for (; handlers && handlers->row; handlers++)
		if (handlers->row->number == number)
			return handlers;
	return NULL;
}

static const struct handler *handler_for(struct actor *self, unsigned number)
{
	return find(number >> 8 ? self->spec->handlers : own_handlers(), number);
}

/* Every check that the broker made is made again here: a taken broker must not widen anybody's rights. */
static enum err admit(struct actor *self, const struct envelope *e, const struct handler *handler)
{
	if (!handler)
		return ERR_UNKNOWN_CALL;
	if (!rights_allow(handler->row->may, e->source_kind, e->source_node, self->born.birth.node))
		return ERR_DENIED;
	return self->kept.depth < ACTOR_KEPT ? ERR_OK : ERR_BUSY;
}

static struct call *call_new(struct actor *self, const struct envelope *envelope,
			     const struct handler *handler)
{
	struct call *call = x_new(sizeof *call);
	*call = (struct call){.actor = self, .began_ns = now_ns(), .envelope = *envelope, .handler = handler};
	arena_begin(&call->arena, CALL_MEMORY);
	self->kept.depth++;
	return call;
}

void calls_received(struct actor *self, const struct envelope *envelope, const void *body, size_t length)
{
	bool told = envelope->type == ENVELOPE_TELL;
	if (envelope->broker_birth != self->bus.broker_birth ||
	    envelope->callee_birth != self->born.birth.birth || (!told && envelope->deadline <= now_ns()))
		return;
	const struct handler *handler = handler_for(self, envelope->number);
	enum err err = admit(self, envelope, handler);
	struct call *call = call_new(self, envelope, handler);
	if (err != ERR_OK) {
		self->kept.drops += err == ERR_BUSY;
		if (err == ERR_BUSY)
			reason_note(REASON_CALLS_FULL, "", "%d calls are kept already", ACTOR_KEPT);
		call_fail(call, err);
		return;
	}
	if (self->kept.depth > self->kept.high) /* one that was refused was not kept */
		self->kept.high = self->kept.depth;
	const struct call_row *row = handler->row;
	void *in = arena_take(&call->arena, row->request->size + 1);
	void *out = arena_take(&call->arena, row->reply->size + 1);
	if (!message_unpack(row->request, body, length, &call->arena, in)) {
		call_fail(call, ERR_MALFORMED);
		return;
	}
	self->trace = envelope->trace;
	err = handler->handle(self, call, in, out);
	self->trace = 0;
	if (err == ERR_KEPT)
		return;
	if (err == ERR_OK)
		actor_reply(call, row, out);
	else
		call_fail(call, err);
}
