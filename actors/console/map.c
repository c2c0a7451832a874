/* `warren map`: who may ask whom what, drawn from the rights in proto/ and from what each kind of process
 * inherits. Needs no machine. */
#include "actors/console/console.h"
#include "proto/birth.h"
#include "proto/steward.h"

#include <string.h>

enum { LABEL_TEXT = 600 };

/* -- what the rows say ----------------------------------------------------------------------------------- */

static enum kind owner(const struct call_row *row)
{
	return (enum kind)(row->number >> 8);
}

static bool may_ask(const struct call_row *row, enum kind from)
{
	return row->may & (MAY(from, SAME_NODE) | MAY(from, ANY_NODE));
}

/* "store_stat" is "stat" on an arrow that points to a store. */
static const char *short_name(const char *name, const char *kind)
{
	size_t length = strlen(kind);
	return strncmp(name, kind, length) == 0 && name[length] == '_' ? name + length + 1 : name;
}

static const char *prefix_of(enum kind kind)
{
	return kind ? kind_name(kind) : "actor";
}

/* The calls of `to` that `from` may ask, "open stat node head"; `without`: not those that this one may ask
 * too. Returns how many. */
static unsigned label(enum kind from, enum kind to, enum kind without, char text[LABEL_TEXT])
{
	unsigned count = 0;
	size_t used = 0;
	const struct call_row *row;
	text[0] = '\0';
	for (unsigned i = 0; (row = call_at(i)); i++) {
		if (owner(row) != to || !may_ask(row, from) || (without && may_ask(row, without)) ||
		    row == &row_steward_alert) /* nearly everybody's: one line of its own */
			continue;
		count++;
		if (used < LABEL_TEXT)
			used += (size_t)snprintf(text + used, LABEL_TEXT - used, "%s%s", used ? " " : "",
						 short_name(row->name, prefix_of(to)));
	}
	return count;
}

/* Whether each of these calls is for the same node only. */
static bool same_node(enum kind from, enum kind to)
{
	const struct call_row *row;
	for (unsigned i = 0; (row = call_at(i)); i++)
		if (owner(row) == to && row->may & MAY(from, ANY_NODE))
			return false;
	return true;
}

/* "store@N" as seen from one of the same node, "store@*" from one that may ask any, "chain". */
static const char *box(enum kind kind, bool same, char text[WHO_TEXT])
{
	const struct actor_row *row = actor_row(kind);
	if (!kind)
		return "every process";
	if (kind == READER)
		return "readers, operators";
	if (kind == OPERATOR)
		return "operators";
	snprintf(text, WHO_TEXT, "%s%s", kind_name(kind),
		 row->scope == PER_MACHINE ? ""
		 : same                    ? "@N"
					   : "@*");
	return text;
}

/* -- processes among themselves ---------------------------------------------------------------------------
 */

struct drawn { /* arrows that were drawn already */
	bool arrows[KINDS][KINDS];
};

static void say_calls(const struct console *console, enum kind from, enum kind to, enum kind without)
{
	static const char *const effects[] = {
		[READ] = "read", [IDEMPOTENT] = "again is harmless", [ONCE] = "once"};
	const struct call_row *row;
	struct table table;
	table_begin(&table, "call effect >deadline help");
	for (unsigned i = 0; (row = call_at(i)); i++) {
		if (owner(row) != to || !may_ask(row, from) || (without && may_ask(row, without)))
			continue;
		table_cell(&table, "%s", row->name);
		table_cell(&table, "%s", effects[row->effect]);
		table_cell(&table, "%u ms", row->deadline_ms);
		table_cell(&table, "%s", row->help);
	}
	table_print(&table, &console->out, 4);
	table_end(&table);
}

/* One line: from `from` along arrows that are not drawn yet, as far as they lead. */
static void say_chain(const struct console *console, struct drawn *drawn, enum kind from, bool verbose)
{
	char text[LABEL_TEXT], name[WHO_TEXT];
	bool went_on = true;
	while (went_on) {
		went_on = false;
		for (enum kind to = 1; to < READER && !went_on; to++) {
			if (drawn->arrows[from][to] || !actor_row(to) || !label(from, to, KIND_NONE, text))
				continue;
			drawn->arrows[from][to] = true;
			say(&console->out, " ──%s──▶ %s", text, box(to, same_node(from, to), name));
			if (verbose) {
				say(&console->out, "\n");
				say_calls(console, from, to, KIND_NONE);
				return;
			}
			from = to;
			went_on = true;
		}
	}
	say(&console->out, "\n");
}

static bool has_undrawn(const struct drawn *drawn, enum kind from)
{
	char text[LABEL_TEXT];
	for (enum kind to = 1; to < READER; to++)
		if (!drawn->arrows[from][to] && actor_row(to) && label(from, to, KIND_NONE, text))
			return true;
	return false;
}

static void say_processes(const struct console *console, bool verbose)
{
	struct drawn drawn = {0};
	char name[WHO_TEXT];
	for (enum kind kind = 1; kind < READER; kind++) {
		const struct actor_row *row = actor_row(kind);
		if (!row || !(row->opens & FD_HTTP))
			continue;
		say(&console->out, " strangers ──http──▶ %s", box(kind, true, name));
		if (verbose || !has_undrawn(&drawn, kind))
			say(&console->out, "\n");
		else
			say_chain(console, &drawn, kind, false);
	}
	for (enum kind kind = 1; kind < READER; kind++)
		while (actor_row(kind) && has_undrawn(&drawn, kind)) {
			say(&console->out, " %s", box(kind, true, name));
			say_chain(console, &drawn, kind, verbose);
		}
	say(&console->out, " every process but wallets ──alert──▶ steward\n");
}

/* -- people -------------------------------------------------------------------------------------------- */

static void say_people(const struct console *console, bool verbose)
{
	static const struct {
		enum kind who, without;
	} groups[] = {{READER, KIND_NONE}, {OPERATOR, READER}};
	char text[LABEL_TEXT], name[WHO_TEXT], to_name[WHO_TEXT];
	for (unsigned i = 0; i < 2; i++)
		for (enum kind to = 0; to < READER; to++) {
			if ((to && !actor_row(to)) || !label(groups[i].who, to, groups[i].without, text))
				continue;
			say(&console->out, " %s ──%s──▶ %s\n", box(groups[i].who, true, name), text,
			    box(to, false, to_name));
			if (verbose)
				say_calls(console, groups[i].who, to, groups[i].without);
		}
}

static void say_events(const struct console *console, bool verbose)
{
	char may[RIGHTS_TEXT], name[WHO_TEXT];
	const struct event_row *row;
	for (unsigned i = 0; (row = event_at(i)); i++) {
		enum kind from = (enum kind)(row->number >> 8);
		say(&console->out, " %s ┄┄%s┄┄▶ %s\n", box(from, false, name),
		    short_name(row->name, kind_name(from)), rights_text(row->may, may));
		if (verbose)
			say(&console->out, "    %s\n", row->help);
	}
}

/* -- what does not go over the bus -------------------------------------------------------------------------
 */

static void say_beside(const struct console *console)
{
	static const struct {
		uint32_t opens;
		const char *other, *what;
		bool from_it;
	} pipes[] = {{FD_ROSTER, "warrend", "who is alive", false},
		     {FD_CONTROL, "warrend", "what an operator wants", true},
		     {FD_LOGS, "every process", "log lines", false},
		     {FD_STREAM, "gateway@N", "blobs, with a ticket from the bus", false}};
	char name[WHO_TEXT];
	for (unsigned i = 0; i < sizeof pipes / sizeof *pipes; i++)
		for (enum kind kind = 1; kind < READER; kind++) {
			const struct actor_row *row = actor_row(kind);
			if (!row || !(row->opens & pipes[i].opens))
				continue;
			box(kind, true, name);
			say(&console->out, " %s ══%s══▶ %s\n", pipes[i].from_it ? name : pipes[i].other,
			    pipes[i].what, pipes[i].from_it ? pipes[i].other : name);
		}
}

/* -- for programs -------------------------------------------------------------------------------------- */

static json_t *arrow_json(enum kind from, enum kind to)
{
	const struct call_row *row;
	json_t *object = json_object(), *calls = json_array();
	for (unsigned i = 0; (row = call_at(i)); i++)
		if (owner(row) == to && may_ask(row, from))
			json_array_append_new(calls, json_word(row->name));
	bool person = from == READER || from == OPERATOR;
	json_object_set_new(object, "from", json_word(kind_name(from)));
	json_object_set_new(object, "to", to ? json_word(kind_name(to)) : json_word("*"));
	json_object_set_new(object, "same_node", json_boolean(!person && same_node(from, to)));
	json_object_set_new(object, "calls", calls);
	return object;
}

static void say_json(const struct console *console)
{
	char text[LABEL_TEXT];
	json_t *object = json_object(), *arrows = json_array(), *events = json_array();
	const struct event_row *row;
	for (enum kind from = 1; from < KINDS; from++)
		for (enum kind to = 0; to < READER; to++)
			if (label(from, to, KIND_NONE, text))
				json_array_append_new(arrows, arrow_json(from, to));
	for (unsigned i = 0; (row = event_at(i)); i++)
		json_array_append_new(events, json_pack("{s:s,s:s}", "from", kind_name(row->number >> 8),
							"event", row->name));
	json_object_set_new(object, "arrows", arrows);
	json_object_set_new(object, "events", events);
	json_say(&console->out, object, false);
}

enum ending command_map(struct console *console)
{
	bool verbose = argument(&console->arguments, "verbose") != NULL;
	if (console->json) {
		say_json(console);
		return END_OK;
	}
	say_processes(console, verbose);
	say(&console->out, "\n");
	say_people(console, verbose);
	say(&console->out, "\n");
	say_events(console, verbose);
	say(&console->out, "\n");
	say_beside(console);
	say(&console->out,
	    "\n ──▶ asks, over the bus   ┄┄▶ tells whoever listens   ══▶ beside the bus   @N the same node, "
	    "@* any\n");
	return END_OK;
}
