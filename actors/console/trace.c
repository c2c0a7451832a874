/* `warren trace`: one call through the machine. The ask carries a number; what a process asks while it answers that carries the
 * same one (actors/base), and the broker's tap shows them all. Bytes beside the bus (gateway and store have a stream) carry
 * none. Times are those of the copies that reach us. */
#include "actors/console/typed.h"
#include "actors/console/units.h"

#include <inttypes.h>
#include <string.h>

enum {
	SPANS_MAX = 256,
	DEPTH_MAX = 16,
	SUBSCRIBED_MS = 2000,
	REST_MS = 1000, /* for what still comes after the answer */
	LOOK_MS = 20,
};

struct span { /* one ask */
	uint64_t caller, serial;
	uint64_t began_ns, ended_ns; /* 0: not yet */
	const struct call_row *row;
	enum err err;
	unsigned depth;
	enum kind from_kind, to_kind;
	uint16_t from_node, to_node;
};

struct trace {
	uint32_t number;
	uint64_t began_ns;
	struct span spans[SPANS_MAX];
	unsigned count, omitted;
};

/* -- listening ---------------------------------------------------------------------------------------------- */

static struct span *find(struct trace *trace, const struct envelope *e)
{
	for (unsigned i = 0; i < trace->count; i++)
		if (trace->spans[i].caller == e->caller_birth && trace->spans[i].serial == e->serial)
			return &trace->spans[i];
	return NULL;
}

/* Below the newest one that its asker is still answering. */
static unsigned depth_of(const struct trace *trace, const struct envelope *e)
{
	for (unsigned i = trace->count; i-- > 0;) {
		const struct span *span = &trace->spans[i];
		if (!span->ended_ns && span->to_kind == e->source_kind && span->to_node == e->source_node)
			return span->depth + 1 < DEPTH_MAX ? span->depth + 1 : DEPTH_MAX;
	}
	return 0;
}

static void took_place(struct trace *trace, const struct envelope *e)
{
	struct span *span = e->serial ? find(trace, e) : NULL;
	if (e->type == ENVELOPE_ASK && !span && trace->count == SPANS_MAX)
		trace->omitted++;
	else if (e->type == ENVELOPE_ASK && !span) {
		unsigned depth = depth_of(trace, e);
		trace->spans[trace->count++] = (struct span){.caller = e->caller_birth,
							     .serial = e->serial,
							     .began_ns = clock_ns(),
							     .row = call_by_number(e->number),
							     .depth = depth,
							     .from_kind = e->source_kind,
							     .from_node = e->source_node,
							     .to_kind = e->target_kind,
							     .to_node = e->target_node};
	} else if ((e->type == ENVELOPE_REPLY || e->type == ENVELOPE_ERROR) && span && !span->ended_ns) {
		span->ended_ns = clock_ns();
		span->err = e->type == ENVELOPE_REPLY ? ERR_OK : (enum err)e->error;
	}
}

static void heard(void *context, const struct envelope *envelope, const uint8_t *body, size_t length)
{
	struct trace *trace = context;
	struct envelope inner;
	if (envelope->type == ENVELOPE_TAPPED && length >= ENVELOPE_BYTES &&
	    envelope_read(body, ENVELOPE_BYTES, &inner) && inner.trace == trace->number)
		took_place(trace, &inner);
}

static enum err subscribe(struct client *client)
{
	const uint64_t until = clock_ns() + SUBSCRIBED_MS * UINT64_C(1000000);
	if (!client_subscribe(client, ENVELOPE_SUBSCRIBE, 0, KIND_NONE, 0))
		return ERR_GONE;
	uint64_t serial = client->bus.serial;
	while (clock_ns() < until) {
		struct envelope e;
		zmq_msg_t body;
		int got = client_receive(client, -1, LOOK_MS, &e, &body);
		if (got < 0)
			return ERR_GONE;
		if (!got)
			continue;
		zmq_msg_close(&body);
		if (e.serial == serial && e.type == ENVELOPE_REPLY)
			return ERR_OK;
		if (e.serial == serial && e.type == ENVELOPE_ERROR)
			return e.error ? (enum err)e.error : ERR_DENIED;
	}
	return ERR_LATE;
}

static bool all_ended(const struct trace *trace)
{
	for (unsigned i = 0; i < trace->count; i++)
		if (!trace->spans[i].ended_ns)
			return false;
	return trace->count > 0;
}

/* The answer may be here before the copies are. */
static void hear_the_rest(struct client *client, struct trace *trace)
{
	const uint64_t until = clock_ns() + REST_MS * UINT64_C(1000000);
	while (!all_ended(trace) && clock_ns() < until) {
		struct envelope e;
		zmq_msg_t body;
		int got = client_receive(client, -1, LOOK_MS, &e, &body);
		if (got < 0)
			return;
		if (!got)
			continue;
		heard(trace, &e, zmq_msg_data(&body), zmq_msg_size(&body));
		zmq_msg_close(&body);
	}
}

/* -- showing ------------------------------------------------------------------------------------------------ */

static void say_span(const struct console *console, const struct trace *trace, const struct span *span)
{
	char from[WHO_TEXT], to[WHO_TEXT], what[160];
	snprintf(what, sizeof what, "%*s%s → %s  %s", 2 * (int)span->depth, "",
		 who_text(span->from_kind, span->from_node, from), who_text(span->to_kind, span->to_node, to),
		 span->row ? span->row->name : "?");
	int space = 56 - (int)width(what);
	say(&console->out, " %s%*s at %6.1f ms", what, space > 0 ? space : 0, "",
	    (double)(span->began_ns - trace->began_ns) / 1e6);
	if (span->ended_ns)
		say_in(&console->out, span->err == ERR_OK ? PLAIN : DOUBTFUL, "  %6.1f ms  %s\n",
		       (double)(span->ended_ns - span->began_ns) / 1e6, err_name(span->err));
	else
		say_in(&console->out, DOUBTFUL, "  no end was seen\n");
}

static json_t *span_json(const struct trace *trace, const struct span *span)
{
	char who[WHO_TEXT];
	json_t *object = json_object();
	json_object_set_new(object, "from", json_word(who_text(span->from_kind, span->from_node, who)));
	json_object_set_new(object, "to", json_word(who_text(span->to_kind, span->to_node, who)));
	json_object_set_new(object, "call", span->row ? json_word(span->row->name) : json_null());
	json_object_set_new(object, "depth", json_integer(span->depth));
	json_object_set_new(object, "at_ms", json_real((double)(span->began_ns - trace->began_ns) / 1e6));
	json_object_set_new(object, "ms",
			    span->ended_ns ? json_real((double)(span->ended_ns - span->began_ns) / 1e6)
					   : json_null());
	json_object_set_new(object, "end", span->ended_ns ? json_word(err_name(span->err)) : json_null());
	return object;
}

static void show(const struct console *console, const struct trace *trace, const struct question *question)
{
	json_t *list = json_array(), *object = json_object();
	for (unsigned i = 0; i < trace->count; i++)
		if (console->json)
			json_array_append_new(list, span_json(trace, &trace->spans[i]));
		else
			say_span(console, trace, &trace->spans[i]);
	if (!console->json && trace->omitted)
		say(&console->out, " … and %u more\n", trace->omitted);
	json_object_set_new(object, "ok", json_boolean(question->err == ERR_OK));
	json_object_set_new(object, "end", json_word(err_name(question->err)));
	json_object_set_new(object, "spans", list);
	json_object_set_new(object, "omitted", json_integer(trace->omitted));
	json_object_set_new(object, "reply",
			    question->err == ERR_OK ? message_json(question->row->reply, question->reply)
						    : json_null());
	if (console->json)
		json_say(&console->out, object, false);
	else
		json_decref(object);
}

/* -- the command -------------------------------------------------------------------------------------------- */

static enum ending follow(struct console *console, struct client *client, const struct typed *typed)
{
	struct trace *trace = x_new(sizeof *trace);
	struct question question = typed_question(typed);
	enum err err = subscribe(client);
	enum ending ending = END_OK;
	if (err == ERR_OK) {
		client->heard = heard;
		client->heard_context = trace;
		trace->began_ns = clock_ns();
		client->trace = trace->number = (uint32_t)(trace->began_ns ^ client->birth << 20) | 1;
		client_ask_one(client, &question);
		hear_the_rest(client, trace);
		show(console, trace, &question);
		ending = ending_of(question.err);
		if (question.err != ERR_OK && !console->json)
			ending = complain_of(console, client, &question);
	} else if (err == ERR_DENIED) {
		ending = complain(console, END_DENIED, "denied",
				  "denied: a trace sees what others are asked, so it is for operators");
	} else {
		ending = complain(console, ending_of(err), err_name(err), "trace: %s", err_sentence(err));
	}
	x_free(&trace);
	return ending;
}

enum ending command_trace(struct console *console)
{
	struct client client;
	struct typed typed;
	enum ending ending = typed_read(console, &typed);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending == END_OK) {
		ending = follow(console, &client, &typed);
		client_close(&client);
	}
	typed_end(&typed);
	return ending;
}
