/* Every cell of who may ask whom, asked of the real broker, against the text that is committed: proto/rights.txt. */
#include "tests/actor/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 1024, TEXT = 32, ENOUGH = 3 }; /* so many wrong cells, and no more are tried */

struct cell {
	char from[TEXT], to[TEXT], call[TEXT];
};

static struct cell cells[CELLS];
static unsigned cell_count;

/* Columns stand two spaces or more apart; "every process" has one in it. */
static bool column(const char **at, char text[TEXT])
{
	size_t length = 0;
	while ((*at)[length] && (*at)[length] != '\n' && !((*at)[length] == ' ' && (*at)[length + 1] == ' '))
		length++;
	snprintf(text, TEXT, "%.*s", (int)length, *at);
	*at += length;
	*at += strspn(*at, " ");
	return length > 0;
}

static void read_cells(void)
{
	char line[256], verb[TEXT];
	FILE *file = fopen(WARREN_RIGHTS, "r");
	cell_count = 0;
	while (file && cell_count < CELLS && fgets(line, sizeof line, file)) {
		struct cell *cell = &cells[cell_count];
		const char *at = line;
		if (column(&at, cell->from) && column(&at, verb) && column(&at, cell->to) &&
		    column(&at, cell->call))
			cell_count += strcmp(verb, "may ask") == 0;
	}
	if (file)
		fclose(file);
}

/* "wallet@N" or "wallet@*" for a kind of which each node has one. */
static void name_of(unsigned kind, const char *node, char text[TEXT])
{
	const struct actor_row *row = actor_row(kind);
	snprintf(text, TEXT, "%s%s", kind_name(kind), row && row->scope == PER_NODE ? node : "");
}

static bool has_cell(const char *from, const char *to, const char *call)
{
	for (unsigned i = 0; i < cell_count; i++)
		if (strcmp(cells[i].from, from) == 0 && strcmp(cells[i].call, call) == 0 &&
		    (strcmp(cells[i].to, to) == 0 || strcmp(cells[i].to, "every process") == 0))
			return true;
	return false;
}

/* What the text says. */
static bool may(const struct speaker *caller, const struct speaker *callee, const char *call)
{
	char from[TEXT], to[TEXT];
	name_of(caller->kind, "@*", from);
	name_of(callee->kind, "@*", to);
	if (has_cell(from, to, call))
		return true;
	name_of(caller->kind, "@N", from);
	name_of(callee->kind, "@N", to);
	return caller->node == callee->node && has_cell(from, to, call);
}

/* Asks it, and compares what became of it with the text. */
static bool cell_holds(struct speaker *caller, struct speaker *callee, const struct call_row *row)
{
	struct frame ask;
	unsigned number = row->number >> 8;
	uint64_t serial = speaker_ask(caller, row->number, callee->kind, callee->node, "", WAIT_MS);
	bool right_kind = !number || number == callee->kind;
	if (!right_kind)
		return speaker_ends(caller, serial, ERR_UNKNOWN_CALL) && !speaker_receive(callee, &ask, 0);
	if (!may(caller, callee, row->name))
		return speaker_ends(caller, serial, ERR_DENIED) && !speaker_receive(callee, &ask, 0);
	return speaker_receive(callee, &ask, WAIT_MS) && ask.type == ENVELOPE_ASK &&
	       ask.source_kind == caller->kind && ask.source_node == caller->node &&
	       speaker_answer(callee, &ask, ENVELOPE_REPLY, 0, "") && speaker_ends(caller, serial, 0);
}

void rights_every_cell(void)
{
	static const struct {
		unsigned kind, node;
	} members[] = {{SCRIBE, 0}, {STEWARD, 0}, {HERALD, 0}, {CHAIN, 0},  {METER, 0},  {STORE, 1},
		       {WALLET, 1}, {GATEWAY, 1}, {STORE, 2},  {WALLET, 2}, {GATEWAY, 2}};
	enum { MEMBERS = sizeof members / sizeof *members };
	static struct speaker speakers[MEMBERS + 2];
	struct machine machine;
	unsigned wrong = 0, tried = 0;
	char from[WHO_TEXT], to[WHO_TEXT];
	read_cells();
	ok(cell_count >= 30, "proto/rights.txt has %u cells", cell_count);
	machine_begin(&machine);
	for (unsigned i = 0; i < MEMBERS; i++)
		machine_join(&machine, &speakers[i], members[i].kind, members[i].node);
	machine_person(&machine, &speakers[MEMBERS], READ_DOOR);
	machine_person(&machine, &speakers[MEMBERS + 1], OPERATE);
	for (unsigned caller = 0; caller < MEMBERS + 2; caller++)
		for (unsigned callee = 0; callee < MEMBERS; callee++)
			for (unsigned i = 0; call_at(i) && caller != callee && wrong < ENOUGH; i++, tried++) {
				if (cell_holds(&speakers[caller], &speakers[callee], call_at(i)))
					continue;
				wrong++;
				note("%s to %s: %s",
				     who_text(speakers[caller].kind, speakers[caller].node, from),
				     who_text(speakers[callee].kind, speakers[callee].node, to),
				     call_at(i)->name);
			}
	ok(wrong == 0, "%u cells are as the text says", tried);
	speaker_close(&speakers[MEMBERS]);
	speaker_close(&speakers[MEMBERS + 1]);
	for (unsigned i = 0; i < MEMBERS; i++)
		machine_leave(&machine, &speakers[i]);
	machine_end(&machine);
}
