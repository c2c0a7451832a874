/* Calls and events as rows, and what each row expands to.
 *
 *   C(name, number, who may ask, effect, deadline ms, REQUEST, REPLY, help)
 *   E(name, number, who may hear, MESSAGE, help)
 *
 * A call gives: struct <name> and struct <name>_reply; on_<name>() to be written by the actor that answers (a forgotten one
 * does not link); ask_<name>() for whoever asks; reply_<name>() to answer a call that was kept; its line in rights.txt, in
 * the broker's table and in the console's help. An event gives struct <name> and publish_<name>(). */
#ifndef WARREN_PROTO_CALL_H
#define WARREN_PROTO_CALL_H

#include "proto/actors.h"
#include "proto/err.h"
#include "proto/msg.h"

/* Rights: one bit for "of the same node", one for "of any node", for each kind that asks. */
typedef uint64_t rights;
#define SAME_NODE        UINT64_C(1)
#define ANY_NODE         (UINT64_C(1) << KINDS)
#define MAY(kind, which) ((which) << (kind))
#define READERS          (MAY(READER, ANY_NODE) | MAY(OPERATOR, ANY_NODE))
#define OPERATORS        MAY(OPERATOR, ANY_NODE)
#define EVERY_ACTOR      ((rights)ACTOR_BITS << KINDS)

/* Whether one of `kind` on `node` may ask it of `target_node`. */
static inline bool rights_allow(rights may, unsigned kind, unsigned node, unsigned target_node)
{
	return kind < KINDS &&
	       (may & MAY(kind, ANY_NODE) || (may & MAY(kind, SAME_NODE) && node == target_node));
}

/* What happens when it is asked twice, or when its end is not known (gone, late). */
enum effect {
	READ,       /* changes nothing */
	IDEMPOTENT, /* asking again is harmless */
	ONCE,       /* carries the caller's key; the receiver remembers the answer durably */
};

struct call_row {
	const char *name;
	uint16_t number; /* high byte: enum kind that answers; 0: every process */
	rights may;
	enum effect effect;
	uint32_t deadline_ms;
	const struct message *request, *reply;
	const char *help;
};

struct event_row {
	const char *name;
	uint16_t number; /* high byte: enum kind that publishes */
	rights may;
	const struct message *body;
	const char *help;
};

const struct call_row *call_by_number(unsigned number);
const struct call_row *call_by_name(const char *name);
const struct event_row *event_by_number(unsigned number);
const struct event_row *event_by_name(const char *name);
const struct call_row *call_at(unsigned index);   /* 0, 1, … in the order of the rows; NULL past the last */
const struct event_row *event_at(unsigned index);

/* Of every row of every protocol: two builds with different rows do not talk. */
uint64_t calls_fingerprint(void);

/* -- what a row expands to; the functions it needs are the runtime's (actors/base/actor.h) --------------------------- */

struct actor;
struct call;

typedef void ask_end(struct actor *self, void (*done)(void), void *context, enum err err, const void *reply);

/* ERR_OK: it is on its way, and `done` will be called exactly once, later, from the loop. ERR_BUSY (too many asks open),
 * ERR_GONE (no broker just now), ERR_BAD_VALUE (breaks its row): nothing was sent and `done` is never called. */
enum err actor_ask(struct actor *self, const struct call_row *row, uint16_t node, const void *request, ask_end *end,
		   void (*done)(void), void *context);
enum err actor_tell(struct actor *self, const struct call_row *row, uint16_t node, const void *request);
void actor_reply(struct call *call, const struct call_row *row, const void *reply);
void actor_publish(struct actor *self, const struct event_row *row, const void *body);

#define NOTHING(F) /* a message without fields */

#define DECLARE_MESSAGE(name, ROWS) MESSAGE(name, ROWS)

/* The four of a call, each within reach of a reader: its structs, its handler, its two ways to answer, its stub. */
#define DECLARE_CALL(name, number, may, effect, deadline, REQUEST, REPLY, help)                                        \
	MESSAGE(name, REQUEST)                                                                                         \
	MESSAGE(name##_reply, REPLY)                                                                                   \
	extern const struct call_row row_##name;                                                                       \
	enum err on_##name(struct actor *self, struct call *call, const struct name *in, struct name##_reply *out);    \
	DECLARE_REPLY(name)                                                                                            \
	DECLARE_ASK(name)

#define DECLARE_REPLY(name)                                                                                            \
	static inline void reply_##name(struct call *call, const struct name##_reply *reply)                           \
	{                                                                                                              \
		actor_reply(call, &row_##name, reply);                                                                 \
	}

#define DECLARE_ASK(name)                                                                                              \
	typedef void done_##name(struct actor *, void *context, enum err, const struct name##_reply *);                \
	static inline void end_##name(struct actor *self, void (*done)(void), void *context, enum err err, const void *r) \
	{                                                                                                              \
		((done_##name *)done)(self, context, err, r);                                                          \
	}                                                                                                              \
	static inline enum err ask_##name(struct actor *self, uint16_t node, const struct name *in,                    \
					  done_##name *done, void *context)                                            \
	{                                                                                                              \
		return actor_ask(self, &row_##name, node, in, end_##name, (void (*)(void))done, context);              \
	}                                                                                                              \
	static inline enum err tell_##name(struct actor *self, uint16_t node, const struct name *in)                   \
	{                                                                                                              \
		return actor_tell(self, &row_##name, node, in);                                                        \
	}

#define DECLARE_EVENT(name, number, may, ROWS, help)                                                                   \
	MESSAGE(name, ROWS)                                                                                            \
	extern const struct event_row row_##name;                                                                      \
	static inline void publish_##name(struct actor *self, const struct name *body)                                 \
	{                                                                                                              \
		actor_publish(self, &row_##name, body);                                                                \
	}

/* At the end of every proto/<actor>.h: DECLARE_PROTOCOL(WALLET). */
#define DECLARE_PROTOCOL(P)                                                                                            \
	P##_MESSAGES(DECLARE_MESSAGE)                                                                                  \
	P##_CALLS(DECLARE_CALL)                                                                                        \
	P##_EVENTS(DECLARE_EVENT)

/* In the actor that answers: HANDLERS(wallet_handlers, WALLET_CALLS) defines the table that actor_main() is given. */
struct handler {
	const struct call_row *row;
	enum err (*handle)(struct actor *self, struct call *call, const void *in, void *out);
};
#define HANDLE(name, ...)                                                                                              \
	static enum err handle_##name(struct actor *self, struct call *call, const void *in, void *out)                \
	{                                                                                                              \
		return on_##name(self, call, in, out);                                                                 \
	}
#define HANDLER(name, ...) {&row_##name, handle_##name},
#define HANDLERS(table, CALLS)                                                                                         \
	CALLS(HANDLE)                                                                                                  \
	static const struct handler table[] = {CALLS(HANDLER){NULL, NULL}}

#endif
