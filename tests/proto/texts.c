/* What people read and type: printed and read back, refused with a sentence, harmless on a terminal. */
#include "tests/proto/sample.h"

#include "proto/actor.h"
#include "proto/steward.h"
#include "proto/store.h"
#include "proto/wallet.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROOM = 64 * 1024, MEMORY = 1024 * 1024 };

static struct arena arena;

static void begin(void)
{
	arena_begin(&arena, MEMORY);
}

static void end(void)
{
	arena_end(&arena);
}

TestSuite(texts, .init = begin, .fini = end);

/* -- there and back ----------------------------------------------------------------------------------- */

/* What is printed whole and may be typed: a ticket is never shown, a list cannot be typed, and long values
 * are cut. */
static bool comes_back(const struct field *field)
{
	return field->kind != FIELD_ticket && field->kind != FIELD_many;
}

/* Letters that are printed as they are. */
static void make_plain(const struct field *field, uint8_t *in)
{
	uint8_t *member = in + field->offset;
	struct view *view = (struct view *)member;
	if (field->kind == FIELD_str)
		for (uint8_t *c = member; *c; c++)
			*c = (uint8_t)('a' + *c % 26);
	if (field->kind != FIELD_text && field->kind != FIELD_bin)
		return;
	uint8_t *copy = arena_take(&arena, view->length + 1);
	view->length = view->length > 100 ? 100 : view->length;
	for (uint32_t i = 0; i < view->length; i++)
		copy[i] = field->kind == FIELD_text ? (uint8_t)(i % 7 ? 'a' + i % 26 : ' ') : (uint8_t)i;
	view->at = copy;
}

/* Cuts "name=value" for this field out of the line; values with spaces stand in quotes. */
static char *cut_out(const char *line, const struct field *field)
{
	char *copy = arena_take(&arena, strlen(line) + 2), *start = NULL;
	size_t length = strlen(field->name);
	memcpy(copy, line, strlen(line));
	for (char *at = copy; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
		if (!start && strncmp(at, field->name, length) == 0 && at[length] == '=')
			start = at;
	cr_assert_not_null(start, "%s is not printed: %s", field->name, line);
	char *value = start + length + 1;
	value[strcspn(value, *value == '"' ? "" : " ")] = '\0';
	if (*value == '"') {
		memmove(value, value + 1, strlen(value));
		value[strcspn(value, "\"")] = '\0';
	}
	return start;
}

static void print_and_read(const struct message *message, uint64_t seed)
{
	struct sample sample = {.state = seed, .arena = &arena, .size = SAMPLE_ANY};
	uint8_t *from = sample_message(&sample, message), *into = arena_take(&arena, message->size + 1);
	char *line = arena_take(&arena, ROOM), why[160];
	for (const struct field *field = message->fields(); field->name; field++)
		make_plain(field, from);
	size_t length = message_print(message, from, line, ROOM);
	cr_assert_eq(length, strlen(line));
	for (const struct field *field = message->fields(); field->name; field++) {
		if (!comes_back(field) || (field->optional && !from[field->also]))
			continue;
		const char *assignment = cut_out(line, field);
		const char *complaint = message_set(message, into, assignment, &arena, why);
		cr_assert_null(complaint, "%s: %s: %s", message->name, assignment, complaint);
	}
	for (const struct field *field = message->fields(); field->name; field++)
		if (!comes_back(field)) { /* the rest is equal, or it is not */
			memcpy(into + field->offset, from + field->offset,
			       field->kind == FIELD_many ? sizeof(void *) : field->size);
			if (field->kind == FIELD_many)
				memcpy(into + field->also, from + field->also, 4);
		}
	cr_assert(sample_equal(message, from, into), "%s changed on the way: %s", message->name, line);
}

Test(texts, there_and_back)
{
	const struct message *message;
	for (unsigned i = 0; (message = every_message(i)); i++)
		for (unsigned round = 0; round < 20; round++) {
			print_and_read(message, i * 100 + round);
			end();
			begin();
		}
}

/* -- refusals ----------------------------------------------------------------------------------------- */

static const struct {
	const struct message *message;
	const char *assignment, *complaint;
} refusals[] = {
	{&message_actor_level, "level", "\"level\" is not field=value"},
	{&message_actor_level, "", "\"\" is not field=value"},
	{&message_actor_level, "levels=info", "actor_level has no field \"levels\""},
	{&message_actor_level, "leve=info", "actor_level has no field \"leve\""},
	{&message_actor_level, "=info", "actor_level has no field \"\""},
	{&message_actor_level, "level=ninebytes", "level must be at most 8 bytes of text"},
	{&message_actor_level, "seconds=86401", "seconds must be a number from 0 to 86400"},
	{&message_actor_level, "seconds=-1", "seconds must be a number from 0 to 86400"},
	{&message_actor_level, "seconds=", "seconds must be a number from 0 to 86400"},
	{&message_actor_level, "seconds= 1", "seconds must be a number from 0 to 86400"},
	{&message_actor_level, "seconds=1s", "seconds must be a number from 0 to 86400"},
	{&message_actor_level, "seconds=0x10", "seconds must be a number from 0 to 86400"},
	{&message_actor_level, "seconds=18446744073709551617", "seconds must be a number from 0 to 86400"},
	{&message_limit_row, "depth=18446744073709551616",
	 "depth must be a number from 0 to 18446744073709551615"},
	{&message_store_head, "cid=abc", "cid must be a CID: bafkrei and 52 letters, or 64 hex digits"},
	{&message_store_stat_reply, "writable=yes", "writable must be true or false"},
	{&message_store_stat_reply, "writable=", "writable must be true or false"},
	{&message_process_row, "last_end=x", "last_end must be a whole number"},
	{&message_process_row, "last_end=9223372036854775808", "last_end must be a whole number"},
	{&message_process_row, "last_end= 1", "last_end must be a whole number"},
	{&message_process_row, "last_end=\t1", "last_end must be a whole number"},
	{&message_process_row, "node=65536", "node must be a number from 0 to 65535"},
	{&message_wallet_address_reply, "address=0x12", "address must be 40 hex digits"},
	{&message_wallet_binding_reply, "wallet_signature=zz", "wallet_signature must be 130 hex digits"},
	{&message_store_open_reply, "ticket=00", "ticket must be 32 hex digits"},
	{&message_actor_limits_reply, "limits=1", "limits must be a list, which cannot be typed"},
};

Test(texts, refusals_are_sentences)
{
	for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct message *message = refusals[i].message;
		uint8_t *into = arena_take(&arena, message->size + 1);
		char why[160];
		const char *complaint = message_set(message, into, refusals[i].assignment, &arena, why);
		cr_assert_not_null(complaint, "%s is accepted", refusals[i].assignment);
		cr_assert_str_eq(complaint, refusals[i].complaint);
	}
}

/* However long what was typed: the complaint fits its 160 bytes. */
Test(texts, a_long_refusal_fits)
{
	char typed[2000], why[160];
	struct actor_level into;
	for (size_t length = 1; length < sizeof typed; length += 61) {
		memset(typed, 'x', length);
		typed[length] = '\0';
		const char *complaint = message_set(&message_actor_level, &into, typed, &arena, why);
		cr_assert(complaint && strnlen(complaint, sizeof why) < sizeof why);
		typed[length / 2] = '=';
		complaint = message_set(&message_actor_level, &into, typed, &arena, why);
		cr_assert(complaint && strnlen(complaint, sizeof why) < sizeof why);
	}
}

Test(texts, values_that_are_accepted)
{
	struct actor_level level = {0};
	struct process_row row = {0};
	struct store_list list = {0};
	char why[160];
	cr_assert_null(message_set(&message_actor_level, &level, "level=eight889", &arena, why));
	cr_assert_str_eq(level.level, "eight889");
	cr_assert_null(message_set(&message_actor_level, &level, "level=", &arena, why));
	cr_assert_str_eq(level.level, "");
	cr_assert_null(message_set(&message_actor_level, &level, "level=a=b", &arena, why));
	cr_assert_str_eq(level.level, "a=b", "the first = divides");
	cr_assert_null(message_set(&message_actor_level, &level, "seconds=86400", &arena, why));
	cr_assert_eq(level.seconds, 86400);
	cr_assert_null(message_set(&message_process_row, &row, "last_end=-9223372036854775808", &arena, why));
	cr_assert_eq(row.last_end, INT64_MIN);
	cr_assert_not(list.has_after);
	cr_assert_null(message_set(&message_store_list, &list,
				   "after=bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
				   &arena, why));
	cr_assert(list.has_after, "naming an optional field sets it");
	cr_assert_eq(list.after.bytes[0], 0xe3);
}

/* -- printing ----------------------------------------------------------------------------------------- */

static const char *printed(const char *level)
{
	static char line[256];
	struct actor_level message = {.seconds = 5};
	memcpy(message.level, level, strnlen(level, sizeof message.level - 1));
	message_print(&message_actor_level, &message, line, sizeof line);
	return line;
}

Test(texts, printed_forms)
{
	cr_assert_str_eq(printed("info"), "level=info seconds=5");
	cr_assert_str_eq(printed(""), "level=\"\" seconds=5");
	cr_assert_str_eq(printed("a b"), "level=\"a b\" seconds=5");
	cr_assert_str_eq(printed("\303\244\342\202\254"), "level=\303\244\342\202\254 seconds=5",
			 "UTF-8 passes");
}

/* Strings come from strangers: what would steer a terminal, or turn its text around, becomes a question mark.
 */
Test(texts, harmless_on_a_terminal)
{
	cr_assert_str_eq(printed("\033[2J"), "level=?[2J seconds=5");
	cr_assert_str_eq(printed("a\nb"), "level=a\\nb seconds=5");
	cr_assert_str_eq(printed("a\r\tb"), "level=a??b seconds=5");
	cr_assert_str_eq(printed("\177"), "level=? seconds=5");
	cr_assert_str_eq(printed("\"x"), "level=?x seconds=5");
	cr_assert_str_eq(printed("\23331m"), "level=?31m seconds=5", "CSI as one byte");
	cr_assert_str_eq(printed("\302\23331m"), "level=?31m seconds=5", "CSI in UTF-8");
	cr_assert_str_eq(printed("\342\200\256x"), "level=?x seconds=5", "from right to left");
	cr_assert_str_eq(printed("\342\200\250x"), "level=?x seconds=5", "line separator");
	cr_assert_str_eq(printed("\300\200"), "level=?? seconds=5", "not the shortest form");
	cr_assert_str_eq(printed("\355\240\200"), "level=??? seconds=5", "half a pair");
	cr_assert_str_eq(printed("ab\303"), "level=ab? seconds=5", "cut");
}

Test(texts, tickets_are_not_shown)
{
	struct store_open_reply reply;
	char line[256];
	memset(&reply, 0xab, sizeof reply);
	message_print(&message_store_open_reply, &reply, line, sizeof line);
	cr_assert_str_eq(line, "ticket=…");
}

Test(texts, absent_and_lists)
{
	struct limit_row rows[20] = {{.name = "asks open", .depth = 1, .limit = 256}};
	struct actor_limits_reply reply = {.limits = rows, .limits_count = 1};
	struct store_list list = {.most = 3};
	char line[4096];
	message_print(&message_store_list, &list, line, sizeof line);
	cr_assert_str_eq(line, "after=– most=3");
	message_print(&message_actor_limits_reply, &reply, line, sizeof line);
	cr_assert_str_eq(line, "limits=[{name=\"asks open\" depth=1 high=0 limit=256 drops=0}]");
	reply.limits_count = 20;
	message_print(&message_actor_limits_reply, &reply, line, sizeof line);
	cr_assert_not_null(strstr(line, "} …20]"), "%s", line);
}

/* In any room, even one byte: terminated, and no longer than the room. */
Test(texts, any_room)
{
	const struct message *message;
	for (unsigned i = 0; (message = every_message(i)); i++) {
		struct sample sample = {.state = i, .arena = &arena, .size = SAMPLE_ANY};
		const void *from = sample_message(&sample, message);
		for (size_t room = 1; room < 400; room++) {
			char *exact = x_new(room);
			memset(exact, 'x', room);
			size_t length = message_print(message, from, exact, room);
			cr_assert(length < room && strnlen(exact, room) == length, "%s in %zu bytes",
				  message->name, room);
			x_free(&exact);
		}
		end();
		begin();
	}
}
