/* `warren tap`: what passes on the bus, as it passes, decoded by the rows. The broker copies it to operators
 * only, and leaves out what finds our queue full. With --events only what readers may hear too. */
#include "actors/console/console.h"
#include "actors/console/units.h"
#include "proto/log_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	ALIVE_MS = 1000,  /* the broker forgets the person that was silent longest when there are too many */
	ANSWER_MS = 2000, /* to a subscription */
	BODY_MEMORY = 2 << 20,
	LINE_TEXT = 4096,
};

struct tap {
	struct console *console;
	struct client client;
	enum kind kind; /* KIND_NONE: everybody's */
	uint16_t node;
	bool events;   /* only those */
	uint64_t left; /* messages still to print; UINT64_MAX: no end */
	uint64_t until_ns;
	int interrupts;
};

/* -- one message --------------------------------------------------------------------------------------- */

struct passed {
	const struct envelope *envelope;
	const void *body;
	size_t length;
	const char *from, *to;       /* "store@1"; `to` of an event is "" */
	const char *name;            /* of the call or event; "?" for a number this build does not know */
	const char *word;            /* "ask", "reply" … */
	const struct message *shape; /* of the body; NULL: a sentence, or unknown */
	uint64_t took_ns;            /* of an end; 0: not known */
	bool alert;
};

static const char *type_word(enum envelope_type type)
{
	switch (type) {
	case ENVELOPE_ASK:
		return "ask";
	case ENVELOPE_REPLY:
		return "reply";
	case ENVELOPE_ERROR:
		return "error";
	case ENVELOPE_TELL:
		return "tell";
	case ENVELOPE_EVENT:
		return "event";
	case ENVELOPE_HELLO:
	case ENVELOPE_WELCOME:
	case ENVELOPE_PUBLISH:
	case ENVELOPE_SUBSCRIBE:
	case ENVELOPE_UNSUBSCRIBE:
	case ENVELOPE_TAPPED:
	case ENVELOPE_TYPES:
		break;
	}
	return "?";
}

/* Who asked, a person with the uid that the kernel gave. */
static const char *source_text(const struct envelope *envelope, char text[WHO_TEXT])
{
	if (envelope->source_kind == READER || envelope->source_kind == OPERATOR)
		snprintf(text, WHO_TEXT, "%s(uid %u)", kind_name(envelope->source_kind),
			 envelope->source_uid);
	else
		who_text(envelope->source_kind, envelope->source_node, text);
	return text;
}

/* How long an ask took until this end of it, for its asker: an asker gives the deadline of the row, and an end carries the
 * deadline of its ask. 0: not known. */
static uint64_t time_since_ask(const struct envelope *envelope, const struct call_row *row)
{
	uint64_t whole = row ? row->deadline_ms * UINT64_C(1000000) : 0, now = clock_ns();
	uint64_t asked = envelope->deadline > whole ? envelope->deadline - whole : 0;
	return row && asked && asked < now && now < envelope->deadline ? now - asked : 0;
}

static void read_passed(struct passed *passed, char source[WHO_TEXT], char target[WHO_TEXT])
{
	const struct envelope *envelope = passed->envelope;
	const struct call_row *call = call_by_number(envelope->number);
	const struct event_row *event = event_by_number(envelope->number);
	enum envelope_type type = (enum envelope_type)envelope->type;
	bool end = type == ENVELOPE_REPLY || type == ENVELOPE_ERROR;
	source_text(envelope, source);
	who_text(envelope->target_kind, envelope->target_node, target);
	passed->word = type_word(type);
	passed->from = end ? target : source; /* an answer keeps who asked in `source` */
	passed->to = end ? source : type == ENVELOPE_EVENT ? "" : target;
	passed->name = call ? call->name : event ? event->name : envelope->number ? "?" : "tap";
	if (type == ENVELOPE_EVENT)
		passed->shape = event ? event->body : NULL;
	else if (type != ENVELOPE_ERROR && call)
		passed->shape = end ? call->reply : call->request;
	passed->took_ns = end ? time_since_ask(envelope, call) : 0;
	passed->alert = type == ENVELOPE_ERROR && envelope->error == ERR_DENIED;
}

/* -- printing it ----------------------------------------------------------------------------------------- */

/* The body in an arena, or NULL when it is not what its row says. */
static void *decode(const struct passed *passed, struct arena *arena)
{
	void *value = passed->shape ? arena_take(arena, passed->shape->size + 1) : NULL;
	if (value && message_unpack(passed->shape, passed->body, passed->length, arena, value))
		return value;
	return NULL;
}

/* The rule, with its inputs. */
static void denied_sentence(const struct passed *passed, char text[2 * SENTENCE_TEXT])
{
	const struct envelope *envelope = passed->envelope;
	const struct call_row *row = call_by_number(envelope->number);
	char own[WHO_TEXT];
	if (row && rights_allow(row->may, envelope->source_kind, 1, 1))
		snprintf(text, 2 * SENTENCE_TEXT, "denied: %s may ask this only of %s", passed->to,
			 who_text(envelope->target_kind, envelope->source_node, own));
	else
		snprintf(text, 2 * SENTENCE_TEXT, "denied: no row lets %s ask this", passed->to);
}

static void error_sentence(const struct passed *passed, char text[2 * SENTENCE_TEXT])
{
	char why[SENTENCE_TEXT];
	clean(passed->body, passed->length, false, why, sizeof why);
	if (passed->alert)
		denied_sentence(passed, text);
	else
		err_text((enum err)passed->envelope->error, why, text);
}

static void say_passed(const struct tap *tap, const struct passed *passed, struct arena *arena)
{
	const struct page *page = &tap->console->out;
	char text[LINE_TEXT], clock[16], between[2 * WHO_TEXT + 8];
	struct timespec now;
	struct tm local;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	strftime(clock, sizeof clock, "%H:%M:%S", &local);
	void *value = decode(passed, arena);
	if (value)
		message_print(passed->shape, value, text, sizeof text);
	else if (passed->envelope->type == ENVELOPE_ERROR)
		error_sentence(passed, text);
	else
		snprintf(text, sizeof text, "%zu bytes that are not its message", passed->length);
	snprintf(between, sizeof between, "%s%s%s", passed->from, *passed->to ? " → " : " ┄", passed->to);
	int space = 30 - (int)width(between);
	say(page, "%s.%03ld %s%*s %-16s ", clock, now.tv_nsec / 1000000, between, space > 0 ? space : 0, "",
	    passed->name);
	char flat[LINE_TEXT];
	say_in(page,
	       passed->alert                              ? BAD_NEWS
	       : passed->envelope->type == ENVELOPE_ERROR ? DOUBTFUL
							  : PLAIN,
	       "%s", clean_text(text, flat));
	if (passed->took_ns)
		say(page, "  %.1f ms", (double)passed->took_ns / 1e6);
	if (passed->envelope->type == ENVELOPE_ASK)
		say(page, "  call %" PRIu64, passed->envelope->serial);
	say(page, passed->alert ? "   ← alert\n" : "\n");
}

static void say_passed_json(const struct tap *tap, const struct passed *passed, struct arena *arena)
{
	const struct envelope *envelope = passed->envelope;
	char clock[LOG_TIME_TEXT], sentence[2 * SENTENCE_TEXT];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	json_t *object = json_object();
	void *value = decode(passed, arena);
	json_object_set_new(
		object, "time",
		json_word(log_time_text((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, clock)));
	json_object_set_new(object, "type", json_word(passed->word));
	json_object_set_new(object, "from", json_word(passed->from));
	json_object_set_new(object, "to", *passed->to ? json_word(passed->to) : json_null());
	json_object_set_new(object, "uid", json_integer(envelope->source_uid));
	json_object_set_new(object, envelope->type == ENVELOPE_EVENT ? "event" : "call",
			    json_word(passed->name));
	json_object_set_new(object, "serial", json_number(envelope->serial));
	json_object_set_new(object, "fields", value ? message_json(passed->shape, value) : json_null());
	if (envelope->type == ENVELOPE_ERROR) {
		error_sentence(passed, sentence);
		json_object_set_new(object, "error", json_word(err_name(envelope->error)));
		json_object_set_new(object, "why", json_word(sentence));
	}
	uint64_t took_us = passed->took_ns / 1000;
	if (took_us)
		json_object_set_new(object, "ms", json_real((double)took_us / 1000));
	json_object_set_new(object, "alert", json_boolean(passed->alert));
	json_say(&tap->console->out, object, true);
}

static void print_message(struct tap *tap, const struct envelope *envelope, const void *body, size_t length)
{
	char source[WHO_TEXT], target[WHO_TEXT];
	struct passed passed = {.envelope = envelope, .body = body, .length = length};
	struct arena arena;
	read_passed(&passed, source, target);
	arena_begin(&arena, BODY_MEMORY);
	if (tap->console->json)
		say_passed_json(tap, &passed, &arena);
	else
		say_passed(tap, &passed, &arena);
	arena_end(&arena);
	fflush(tap->console->out.to);
	tap->left -= tap->left != UINT64_MAX;
}

/* -- listening ------------------------------------------------------------------------------------------- */

static bool of_interest(const struct tap *tap, const struct envelope *envelope)
{
	return !tap->kind || (envelope->source_kind == tap->kind && envelope->source_node == tap->node);
}

/* What the broker says to a subscription passes as well; only a refused one is worth a line. */
static bool is_subscribed(const struct envelope *envelope)
{
	return envelope->type == ENVELOPE_REPLY && !call_by_number(envelope->number);
}

static void take(struct tap *tap, const struct envelope *envelope, const uint8_t *body, size_t length)
{
	struct envelope inner;
	if (envelope->type == ENVELOPE_EVENT && tap->events && of_interest(tap, envelope))
		print_message(tap, envelope, body, length);
	if (envelope->type == ENVELOPE_TAPPED && length >= ENVELOPE_BYTES &&
	    envelope_read(body, ENVELOPE_BYTES, &inner) && !is_subscribed(&inner))
		print_message(tap, &inner, body + ENVELOPE_BYTES, length - ENVELOPE_BYTES);
}

/* Waits for what the broker says to the subscription that was just sent; what passes meanwhile is printed. */
static enum err await_subscribed(struct tap *tap, uint64_t serial)
{
	const uint64_t until = clock_ns() + ANSWER_MS * UINT64_C(1000000);
	while (clock_ns() < until) {
		struct envelope envelope;
		zmq_msg_t body;
		int got = client_receive(&tap->client, -1, ANSWER_MS, &envelope, &body);
		if (got < 0)
			return ERR_GONE;
		if (!got)
			continue;
		bool end = envelope.serial == serial &&
			   (envelope.type == ENVELOPE_REPLY || envelope.type == ENVELOPE_ERROR);
		enum err err = envelope.type == ENVELOPE_REPLY ? ERR_OK : (enum err)envelope.error;
		if (!end && tap->left)
			take(tap, &envelope, zmq_msg_data(&body), zmq_msg_size(&body));
		zmq_msg_close(&body);
		if (end)
			return err;
	}
	return ERR_LATE;
}

static enum err subscribe_one(struct tap *tap, enum envelope_type type, unsigned number)
{
	/* An event's right is judged by its own row; the target is for taps. */
	bool sent = client_subscribe(&tap->client, type, number, number ? KIND_NONE : tap->kind,
				     number ? 0 : tap->node);
	return sent ? await_subscribed(tap, tap->client.bus.serial) : ERR_GONE;
}

static enum err subscribe(struct tap *tap, enum envelope_type type)
{
	const struct event_row *row;
	if (!tap->events)
		return subscribe_one(tap, type, 0);
	for (unsigned i = 0; (row = event_at(i)); i++) {
		if (!(row->may & MAY(tap->client.authority, ANY_NODE)))
			continue;
		enum err err = subscribe_one(tap, type, row->number);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum ending refused(struct tap *tap, enum err err)
{
	char text[2 * SENTENCE_TEXT];
	if (err == ERR_DENIED)
		return complain(tap->console, END_DENIED, "denied",
				"denied: a tap sees what is asked and answered, so it is for operators; you "
				"may look at "
				"events: warren tap --events");
	return complain(tap->console, ending_of(err), err_name(err), "tap: %s", err_text(err, "", text));
}

/* The broker was born again, or forgot us: begin anew. Both are seen by the WELCOME that each HELLO is
 * answered with. */
static enum err welcomed(struct tap *tap, const struct envelope *envelope)
{
	bool same = envelope->broker_birth == tap->client.bus.broker_birth &&
		    envelope->caller_birth == tap->client.birth;
	tap->client.bus.broker_birth = envelope->broker_birth;
	tap->client.birth = envelope->caller_birth;
	return same ? ERR_OK : subscribe(tap, ENVELOPE_SUBSCRIBE);
}

static bool interrupted(const struct tap *tap)
{
	char info[256];
	return read(tap->interrupts, info, sizeof info) > 0;
}

static uint64_t wait_ms(const struct tap *tap)
{
	uint64_t now = clock_ns();
	uint64_t left = tap->until_ns <= now ? 0 : (tap->until_ns - now) / 1000000 + 1;
	return left < ALIVE_MS ? left : ALIVE_MS;
}

static enum ending listen_on(struct tap *tap)
{
	uint64_t hello_ns = clock_ns();
	while (tap->left && clock_ns() < tap->until_ns && !interrupted(tap)) {
		struct envelope envelope;
		zmq_msg_t body;
		enum err err = ERR_OK;
		if (clock_ns() - hello_ns > ALIVE_MS * UINT64_C(1000000)) {
			bus_hello(&tap->client.bus);
			hello_ns = clock_ns();
		}
		int got = client_receive(&tap->client, tap->interrupts, wait_ms(tap), &envelope, &body);
		if (got < 0)
			say(&tap->console->err, "warren: the broker died; waiting for it\n");
		if (got <= 0)
			continue;
		if (envelope.type == ENVELOPE_WELCOME)
			err = welcomed(tap, &envelope);
		else
			take(tap, &envelope, zmq_msg_data(&body), zmq_msg_size(&body));
		zmq_msg_close(&body);
		if (err != ERR_OK && err != ERR_GONE && err != ERR_LATE)
			return refused(tap, err);
	}
	return END_OK;
}

/* -- the command ----------------------------------------------------------------------------------------- */

static enum ending read_options(struct tap *tap)
{
	struct console *console = tap->console;
	uint64_t ms;
	enum ending ending = option_number(console, "count", 1, UINT32_MAX, UINT64_MAX, &tap->left);
	if (ending == END_OK)
		ending = option_duration(console, "for", 0, &ms);
	if (ending == END_OK && console->arguments.count)
		ending = parse_who(console, console->arguments.words[0], &tap->kind, &tap->node);
	if (ending != END_OK)
		return ending;
	tap->until_ns = argument(&console->arguments, "for") ? clock_ns() + ms * 1000000 : UINT64_MAX;
	tap->events = argument(&console->arguments, "events") != NULL;
	return END_OK;
}

enum ending command_tap(struct console *console)
{
	struct tap *tap = x_new(sizeof *tap);
	tap->console = console;
	enum ending ending = read_options(tap);
	tap->interrupts = interrupts();
	if (ending == END_OK)
		ending = console_connect(console, &tap->client);
	if (ending == END_OK) {
		enum err err = subscribe(tap, ENVELOPE_SUBSCRIBE);
		ending = err == ERR_OK ? listen_on(tap) : refused(tap, err);
		tap->left = 0; /* what still comes is not printed */
		if (err == ERR_OK)
			subscribe(tap, ENVELOPE_UNSUBSCRIBE);
		client_close(&tap->client);
	}
	close(tap->interrupts);
	x_free(&tap);
	return ending;
}
