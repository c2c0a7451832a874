/* The rows as tables: kinds, walls, errors, rights, calls. */
#include "proto/birth.h"
#include "proto/call.h"
#include "proto/steward.h"
#include "proto/wallet.h"

#include <criterion/criterion.h>
#include <string.h>

/* -- who ---------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	enum kind kind; /* KIND_NONE: refused */
	unsigned node;
} people[] = {
	{"broker", BROKER, 0},
	{"scribe", SCRIBE, 0},
	{"steward", STEWARD, 0},
	{"wallet@1", WALLET, 1},
	{"wallet@2", WALLET, 2},
	{"store@10", STORE, 10},
	{"gateway@512", GATEWAY, 512},
	{"gateway@513", KIND_NONE, 0},
	{"wallet", KIND_NONE, 0},
	{"wallet@", KIND_NONE, 0},
	{"wallet@0", KIND_NONE, 0},
	{"wallet@01", KIND_NONE, 0},
	{"wallet@+1", KIND_NONE, 0},
	{"wallet@-1", KIND_NONE, 0},
	{"wallet@1 ", KIND_NONE, 0},
	{"wallet@ 1", KIND_NONE, 0},
	{"wallet@1@1", KIND_NONE, 0},
	{"wallet@1x", KIND_NONE, 0},
	{"wallet@65537", KIND_NONE, 0},
	{"wallet@4294967297", KIND_NONE, 0},
	{"wallet@18446744073709551617", KIND_NONE, 0},
	{"broker@1", KIND_NONE, 0},
	{"broker@", KIND_NONE, 0},
	{"brok", KIND_NONE, 0},
	{"brokers", KIND_NONE, 0},
	{"Broker", KIND_NONE, 0},
	{"operator", KIND_NONE, 0},
	{"reader", KIND_NONE, 0},
	{"", KIND_NONE, 0},
	{"@1", KIND_NONE, 0},
	{"1", KIND_NONE, 0},
};

Test(who, parse)
{
	for (unsigned i = 0; i < sizeof people / sizeof *people; i++) {
		enum kind kind = KIND_NONE;
		uint16_t node = 9999;
		bool known = who_parse(people[i].text, &kind, &node);
		cr_assert_eq(known, people[i].kind != KIND_NONE, "\"%s\"", people[i].text);
		if (known) {
			char text[WHO_TEXT];
			cr_assert_eq(kind, people[i].kind, "\"%s\"", people[i].text);
			cr_assert_eq(node, people[i].node, "\"%s\"", people[i].text);
			cr_assert_str_eq(who_text(kind, node, text), people[i].text);
		}
	}
}

Test(who, text_of_anything)
{
	char text[WHO_TEXT];
	cr_assert_str_eq(who_text(READER, 0, text), "reader");
	cr_assert_str_eq(who_text(OPERATOR, 3, text), "operator");
	cr_assert_str_eq(who_text(KIND_NONE, 0, text), "?");
	for (unsigned kind = 0; kind < 300; kind++)
		for (unsigned node = 0; node < 70000; node += 511)
			cr_assert(strlen(who_text(kind, node, text)) < WHO_TEXT);
}

Test(actors, rows)
{
	unsigned rows = 0;
	for (unsigned kind = 0; kind < 300; kind++) {
		const struct actor_row *row = actor_row(kind);
		if (!row)
			continue;
		rows++;
		cr_assert_eq(row->kind, kind);
		cr_assert(kind > 0 && kind < (unsigned)BUS_GROUP,
			  "%s takes a number that means something else", row->name);
		cr_assert_eq(kind_by_name(row->name, (unsigned)strlen(row->name)), kind);
		cr_assert_eq(kind_by_name(row->name, (unsigned)strlen(row->name) - 1), KIND_NONE);
		cr_assert_str_eq(kind_name(kind), row->name);
		cr_assert(row->files >= 16 && row->memory_mib >= 16, "%s", row->name);
	}
	cr_assert(rows >= 6, "%u rows", rows);
	cr_assert(KINDS <= 32, "two bits for each kind fit in rights");
	cr_assert((unsigned)UIDS_PER_NODE >= (unsigned)KINDS);
}

/* Descriptors lie side by side from FD_FIRST, in the order of their bits. */
Test(actors, inherited_descriptors)
{
	const struct actor_row *broker = actor_row(BROKER);
	cr_assert_eq(birth_fd(broker, FD_BUS), FD_FIRST);
	cr_assert_eq(birth_fd(broker, FD_OPERATE), FD_FIRST + 1);
	cr_assert_eq(birth_fd(broker, FD_READ), FD_FIRST + 2);
	cr_assert_eq(birth_fd(broker, FD_ROSTER), FD_FIRST + 3);
	cr_assert_eq(birth_fd(actor_row(GATEWAY), FD_HTTP), FD_FIRST);
}

Test(walls, named)
{
	for (unsigned wall = 0; wall < WALLS; wall++) {
		const struct wall_row *row = wall_row(wall);
		cr_assert(row->name && *row->name && *row->stops && *row->remedy, "wall %u", wall);
		for (unsigned other = 0; other < wall; other++)
			cr_assert_str_neq(row->name, wall_row(other)->name);
	}
	cr_assert(WALLS <= 16, "the mask of a birth record has 16 bits");
}

/* -- errors ------------------------------------------------------------------------------------------- */

static const struct {
	unsigned code;
	const char *name, *sentence;
} errors[] = {
#define E(SYMBOL, code, name, sentence) {code, name, sentence},
	ERRORS(E)
#undef E
};

Test(err, named_once)
{
	for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++) {
		cr_assert_str_eq(err_name(errors[i].code), errors[i].name);
		cr_assert_str_eq(err_sentence(errors[i].code), errors[i].sentence);
		cr_assert(strlen(errors[i].sentence) > 3, "%s has no sentence", errors[i].name);
		for (unsigned other = 0; other < i; other++) {
			cr_assert_str_neq(errors[i].name, errors[other].name);
			cr_assert_str_neq(errors[i].sentence, errors[other].sentence);
		}
	}
	cr_assert_str_eq(err_name(9999), "unknown");
	cr_assert(strlen(err_sentence(9999)) > 3);
}

/* -- rights ------------------------------------------------------------------------------------------- */

/* Every cell of who may ask whom, against what the words say. */
Test(rights, every_cell)
{
	for (unsigned granted = 1; granted < KINDS; granted++)
		for (unsigned kind = 0; kind < KINDS; kind++)
			for (unsigned node = 0; node < 4; node++)
				for (unsigned target = 0; target < 4; target++) {
					bool same = rights_allow(MAY(granted, SAME_NODE), kind, node, target);
					bool any = rights_allow(MAY(granted, ANY_NODE), kind, node, target);
					cr_assert_eq(same, kind == granted && node == target,
						     "%u: %u@%u to @%u", granted, kind, node, target);
					cr_assert_eq(any, kind == granted, "%u: %u@%u to @%u", granted, kind,
						     node, target);
				}
}

Test(rights, of_people)
{
	cr_assert(rights_allow(READERS, READER, 0, 7));
	cr_assert(rights_allow(READERS, OPERATOR, 0, 7), "an operator may look, too");
	cr_assert(rights_allow(OPERATORS, OPERATOR, 0, 7));
	cr_assert_not(rights_allow(OPERATORS, READER, 0, 7));
	cr_assert_not(rights_allow(~UINT64_C(0), KINDS, 0, 0), "a kind that is none");
	cr_assert_not(rights_allow(~UINT64_C(0), 255, 0, 0));
	for (unsigned kind = 0; kind < KINDS; kind++)
		cr_assert_not(rights_allow(0, kind, 1, 1));
}

/* -- calls -------------------------------------------------------------------------------------------- */

Test(calls, found_by_number_and_name)
{
	unsigned count = 0;
	for (const struct call_row *row; (row = call_at(count)); count++) {
		cr_assert_eq(call_by_number(row->number), row, "%s", row->name);
		cr_assert_eq(call_by_name(row->name), row, "%s", row->name);
		cr_assert_null(event_by_number(row->number), "%s is an event, too", row->name);
		cr_assert(row->may && row->deadline_ms && row->request && row->reply && *row->help, "%s",
			  row->name);
		cr_assert(!(row->number >> 8) || actor_row(row->number >> 8), "%s: of whom?", row->name);
		cr_assert(row->effect == READ || !(row->may & MAY(READER, ANY_NODE)),
			  "a reader may change things: %s", row->name);
	}
	cr_assert(count >= 20);
	cr_assert_null(call_at(count + 1));
	cr_assert_null(call_by_name("no_such_call"));
	cr_assert_null(call_by_number(0));
	cr_assert_null(call_by_number(0xffff));
}

Test(calls, events_found_by_number_and_name)
{
	unsigned count = 0;
	for (const struct event_row *row; (row = event_at(count)); count++) {
		cr_assert_eq(event_by_number(row->number), row, "%s", row->name);
		cr_assert_eq(event_by_name(row->name), row, "%s", row->name);
		cr_assert_null(call_by_number(row->number), "%s is a call, too", row->name);
		cr_assert(row->may && row->body && *row->help && actor_row(row->number >> 8), "%s",
			  row->name);
	}
	cr_assert(count >= 3);
	cr_assert_null(event_at(count + 1));
	cr_assert_null(event_by_name("no_such_event"));
	cr_assert_null(event_by_number(0));
}

Test(calls, fingerprint_is_the_same_each_time)
{
	cr_assert_eq(calls_fingerprint(), calls_fingerprint());
	cr_assert_neq(calls_fingerprint(), 0);
}

/* DESIGN 3: a process that listens to strangers asks nobody but its own store; one that holds a key asks
 * nobody. */
Test(calls, who_may_ask_what)
{
	for (unsigned i = 0; call_at(i); i++) {
		const struct call_row *row = call_at(i);
		unsigned to = row->number >> 8;
		bool alert = row == &row_steward_alert; /* told, about oneself; answered by nobody */
		cr_assert(!rights_allow(row->may, WALLET, 1, 1) && !rights_allow(row->may, WALLET, 1, 2),
			  "the wallet may ask %s", row->name);
		cr_assert(alert || !rights_allow(row->may, GATEWAY, 1, 2), "gateway@1 may ask %s of node 2",
			  row->name);
		cr_assert(alert || to == STORE || !rights_allow(row->may, GATEWAY, 1, 1),
			  "a gateway may ask %s", row->name);
		cr_assert(alert || !rights_allow(row->may, STORE, 1, 2), "store@1 may ask %s of node 2",
			  row->name);
		/* The one with network learns nothing but news; the one with a door for programs changes nothing. */
		cr_assert(alert || row == &row_steward_news || !rights_allow(row->may, HERALD, 0, 0),
			  "herald may ask %s", row->name);
		cr_assert(alert || row == &row_wallet_address || row == &row_wallet_sign_tx ||
				  !rights_allow(row->may, CHAIN, 0, 1),
			  "chain may ask %s", row->name);
		cr_assert(alert || row->effect == READ || !rights_allow(row->may, METER, 0, 1),
			  "meter may ask %s", row->name);
	}
}
