/* The one place where the rows of all protocols become tables. Pure data; the broker links this and no msgpack. */
#include "proto/protocols.h" /* made by CMake from actors.def: includes every protocol, lists them in ALL_PROTOCOLS */

#include <string.h>

#define FIELD__Bool FIELD_bool /* stdbool.h makes bool a macro, so the word arrives expanded */

#define ELEMENT_ONE(kind)      NULL
#define ELEMENT_CHARS(kind)    NULL
#define ELEMENT_OPTIONAL(kind) NULL
#define ELEMENT_MANY(kind)     MSG_ELEMENT_##kind
#define IS_ONE(kind)           FIELD_##kind, false
#define IS_CHARS(kind)         FIELD_##kind, false
#define IS_MANY(kind)          MSG_KIND_##kind, false
#define IS_OPTIONAL(kind)      MSG_KIND_##kind, true

/* `of` is the message's struct, by the typedef in the function around the rows. */
#define FIELD_ROW(kind, name, bound) \
	{#name, \
	 MSG_CAT(IS_, MSG_SHAPE_##kind)(kind), \
	 sizeof(MSG_TYPE_##kind), \
	 bound, \
	 offsetof(of, name), \
	 MSG_CAT(MSG_ALSO_, MSG_SHAPE_##kind)(of, name), \
	 MSG_CAT(ELEMENT_, MSG_SHAPE_##kind)(kind)},
#define PLUS_ONE(...) +1

#define DEFINE_MESSAGE(T, ROWS) \
	static const struct field *fields_of_##T(void) \
	{ \
		typedef struct T of __attribute__((unused)); /* not used by a message without fields */ \
		static const struct field rows[] = { \
			ROWS(FIELD_ROW){NULL, FIELD_bool, false, 0, 0, 0, 0, NULL}}; \
		return rows; \
	} \
	const struct message message_##T = {#T, sizeof(struct T), 0 ROWS(PLUS_ONE), fields_of_##T};

#define DEFINE_CALL(name, number, may, effect, deadline, REQUEST, REPLY, help) \
	DEFINE_MESSAGE(name, REQUEST) \
	DEFINE_MESSAGE(name##_reply, REPLY) \
	const struct call_row row_##name = { \
		#name, number, may, effect, deadline, &message_##name, &message_##name##_reply, help};
#define DEFINE_EVENT(name, number, may, ROWS, help) \
	DEFINE_MESSAGE(name, ROWS) \
	const struct event_row row_##name = {#name, number, may, &message_##name, help};

#define DEFINE_PROTOCOL(P) P##_MESSAGES(DEFINE_MESSAGE) P##_CALLS(DEFINE_CALL) P##_EVENTS(DEFINE_EVENT)
ALL_PROTOCOLS(DEFINE_PROTOCOL)

/* A number that is used twice is a duplicate case: it does not compile. One whose high byte is not its kind neither. */
#define CASE(name, number, ...) \
	case number: \
		return &row_##name;
#define CALL_CASES(P)  P##_CALLS(CASE)
#define EVENT_CASES(P) P##_EVENTS(CASE)

const struct call_row *call_by_number(unsigned number)
{
	switch (number) {
		ALL_PROTOCOLS(CALL_CASES)
	}
	return NULL;
}

const struct event_row *event_by_number(unsigned number)
{
	switch (number) {
		ALL_PROTOCOLS(EVENT_CASES)
	}
	return NULL;
}

enum {
	KIND_OF_ACTOR = 0,
#define ACTOR(SYMBOL, name, number, ...) KIND_OF_##SYMBOL = number,
#include "proto/actors.def"
#undef ACTOR
};
#define BELONGS(name, number, ...) &&(number) >> 8 == OWNER
#define CHECK_OWNER(P) \
	static inline __attribute__((unused)) void check_##P(void) \
	{ \
		enum { OWNER = KIND_OF_##P }; \
		_Static_assert(1 P##_CALLS(BELONGS) P##_EVENTS(BELONGS), "the high byte is the kind"); \
	}
ALL_PROTOCOLS(CHECK_OWNER)

#define AT(name, ...) &row_##name,
#define CALLS_AT(P)   P##_CALLS(AT)
#define EVENTS_AT(P)  P##_EVENTS(AT)
static const struct call_row *const calls[] = {ALL_PROTOCOLS(CALLS_AT) NULL};
static const struct event_row *const events[] = {ALL_PROTOCOLS(EVENTS_AT) NULL};

const struct call_row *call_at(unsigned index)
{
	return index < sizeof calls / sizeof *calls ? calls[index] : NULL;
}

const struct event_row *event_at(unsigned index)
{
	return index < sizeof events / sizeof *events ? events[index] : NULL;
}

const struct call_row *call_by_name(const char *name)
{
	for (unsigned i = 0; calls[i]; i++)
		if (strcmp(calls[i]->name, name) == 0)
			return calls[i];
	return NULL;
}

const struct event_row *event_by_name(const char *name)
{
	for (unsigned i = 0; events[i]; i++)
		if (strcmp(events[i]->name, name) == 0)
			return events[i];
	return NULL;
}

/* FNV-1a, 64 bits: it tells builds apart, it guards nothing. */
static uint64_t mix(uint64_t sum, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static uint64_t mix_message(uint64_t sum, const struct message *message)
{
	sum = mix(sum, message->name, strlen(message->name));
	for (const struct field *field = message->fields(); field->name; field++) {
		uint64_t facts[] = {field->kind, field->optional, field->bound};
		sum = mix(mix(sum, field->name, strlen(field->name)), facts, sizeof facts);
		if (field->element)
			sum = mix_message(sum, field->element);
	}
	return sum;
}

uint64_t calls_fingerprint(void)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	for (unsigned i = 0; calls[i]; i++) {
		uint64_t facts[] = {calls[i]->number, calls[i]->may, calls[i]->effect, calls[i]->deadline_ms};
		sum = mix_message(mix_message(mix(sum, facts, sizeof facts), calls[i]->request),
				  calls[i]->reply);
	}
	for (unsigned i = 0; events[i]; i++) {
		uint64_t facts[] = {events[i]->number, events[i]->may};
		sum = mix_message(mix(sum, facts, sizeof facts), events[i]->body);
	}
	return sum;
}
