/* `warren call`: asks one process one thing; `warren calls`: what may be asked. Everything it knows comes
 * from the rows in proto/, so a new call needs nothing here. */
#include "actors/console/console.h"
#include "actors/console/processes.h"
#include "actors/console/typed.h"
#include "actors/console/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- help ---------------------------------------------------------------------------------------------- */

static void say_fields(const struct page *page, const struct message *message, unsigned indent)
{
	char takes[FIELD_TEXT];
	for (const struct field *field = message->fields(); field->name; field++) {
		say(page, "%*s%-16s %s\n", (int)indent, "", field->name, field_takes(field, takes));
		if (field->element)
			say_fields(page, field->element, indent + 4);
	}
}

static void say_call(const struct page *page, const struct call_row *row, const char *who)
{
	char may[RIGHTS_TEXT];
	say(page, "%s %s: %s\n  who may   %s\n  effect    %s\n  deadline  %u ms\n", who, row->name, row->help,
	    rights_text(row->may, may), effect_text(row->effect), row->deadline_ms);
	if (row->request->count)
		say(page, "  asks with\n");
	say_fields(page, row->request, 4);
	say(page, row->reply->count ? "  answers\n" : "  answers nothing but that it was done\n");
	say_fields(page, row->reply, 4);
}

static json_t *fields_json(const struct message *message)
{
	char takes[FIELD_TEXT];
	json_t *list = json_array();
	for (const struct field *field = message->fields(); field->name; field++) {
		json_t *object = json_object();
		json_object_set_new(object, "field", json_word(field->name));
		json_object_set_new(object, "takes", json_word(field_takes(field, takes)));
		json_object_set_new(object, "optional", json_boolean(field->optional));
		if (field->element)
			json_object_set_new(object, "of", fields_json(field->element));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *call_json(const struct call_row *row)
{
	static const char *const effects[] = {[READ] = "read", [IDEMPOTENT] = "idempotent", [ONCE] = "once"};
	char may[RIGHTS_TEXT];
	json_t *object = json_object();
	json_object_set_new(object, "call", json_word(row->name));
	json_object_set_new(object, "number", json_integer(row->number));
	json_object_set_new(object, "actor",
			    call_owner(row) ? json_word(kind_name(call_owner(row))) : json_null());
	json_object_set_new(object, "who_may", json_word(rights_text(row->may, may)));
	json_object_set_new(object, "effect", json_word(effects[row->effect]));
	json_object_set_new(object, "deadline_ms", json_integer(row->deadline_ms));
	json_object_set_new(object, "help", json_word(row->help));
	json_object_set_new(object, "request", fields_json(row->request));
	json_object_set_new(object, "reply", fields_json(row->reply));
	return object;
}

static json_t *event_json(const struct event_row *row)
{
	char may[RIGHTS_TEXT];
	json_t *object = json_object();
	json_object_set_new(object, "event", json_word(row->name));
	json_object_set_new(object, "number", json_integer(row->number));
	json_object_set_new(object, "actor", json_word(kind_name(row->number >> 8)));
	json_object_set_new(object, "who_may", json_word(rights_text(row->may, may)));
	json_object_set_new(object, "help", json_word(row->help));
	json_object_set_new(object, "body", fields_json(row->body));
	return object;
}

/* -- calls --------------------------------------------------------------------------------------------- */

static void list_calls_json(const struct console *console, enum kind kind, bool all)
{
	json_t *object = json_object(), *calls = json_array(), *events = json_array();
	const struct call_row *call;
	const struct event_row *event;
	for (unsigned i = 0; (call = call_at(i)); i++)
		if (all || call_is_answered(kind, call))
			json_array_append_new(calls, call_json(call));
	for (unsigned i = 0; (event = event_at(i)); i++)
		if (all || event->number >> 8 == (int)kind)
			json_array_append_new(events, event_json(event));
	json_object_set_new(object, "calls", calls);
	json_object_set_new(object, "events", events);
	json_say(&console->out, object, false);
}

static void list_calls(const struct console *console, enum kind kind, bool all)
{
	static const char *const effects[] = {
		[READ] = "read", [IDEMPOTENT] = "again is harmless", [ONCE] = "once"};
	char may[RIGHTS_TEXT];
	const struct call_row *call;
	const struct event_row *event;
	struct table table;
	table_begin(&table, "call who~may effect >deadline help");
	for (unsigned i = 0; (call = call_at(i)); i++) {
		if (!all && !call_is_answered(kind, call))
			continue;
		table_cell(&table, "%s", call->name);
		table_cell(&table, "%s", rights_text(call->may, may));
		table_cell(&table, "%s", effects[call->effect]);
		table_cell(&table, "%u ms", call->deadline_ms);
		table_cell(&table, "%s", call->help);
	}
	for (unsigned i = 0; (event = event_at(i)); i++) {
		if (!all && event->number >> 8 != (int)kind)
			continue;
		table_cell(&table, "%s", event->name);
		table_cell(&table, "%s", rights_text(event->may, may));
		table_cell(&table, "event");
		table_cell(&table, " ");
		table_cell(&table, "%s", event->help);
	}
	table_print(&table, &console->out, 1);
	table_end(&table);
}

static enum kind kind_word(const char *word)
{
	return kind_by_name(word, (unsigned)strcspn(word, "@"));
}

enum ending command_calls(struct console *console)
{
	bool all = console->arguments.count == 0;
	enum kind kind = all ? KIND_NONE : kind_word(console->arguments.words[0]);
	uint16_t node;
	if (!all && !kind) /* the complaint names the nearest */
		return parse_who(console, console->arguments.words[0], &kind, &node);
	if (console->json)
		list_calls_json(console, kind, all);
	else
		list_calls(console, kind, all);
	return END_OK;
}

/* -- call ---------------------------------------------------------------------------------------------- */

static void say_reply(const struct console *console, const struct question *question)
{
	const struct message *shape = question->row->reply;
	if (console->json)
		json_say(&console->out, message_json(shape, question->reply), false);
	else if (shape->count)
		message_lines(&console->out, shape, question->reply);
	else
		say(&console->out, "done\n");
}

/* GONE says that nobody is there; the steward knows whether anybody should be. */
static enum ending explain_gone(struct console *console, struct client *client,
				const struct question *question)
{
	struct question ask = {.row = &row_steward_status, .kind = STEWARD};
	char who[WHO_TEXT];
	if (question->kind == STEWARD || client_ask_one(client, &ask) != ERR_OK)
		return complain_of(console, client, question);
	const struct process_row *process = find_process(ask.reply, question->kind, question->node);
	who_text(question->kind, question->node, who);
	if (!process)
		return complain(console, END_FAILED, err_name(ERR_NOT_FOUND),
				"there is no %s on this machine (warren status -v shows all)", who);
	if (process_ready(process))
		return complain_of(console, client, question);
	return complain(console, END_UNKNOWN, err_name(ERR_GONE), "gone: %s is %s; warren status says why",
			who, process->state);
}

static enum ending ask(struct console *console, const struct typed *typed)
{
	struct client client;
	struct question question = typed_question(typed);
	enum ending ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	if (client_ask_one(&client, &question) == ERR_OK)
		say_reply(console, &question);
	else if (question.err == ERR_GONE)
		ending = explain_gone(console, &client, &question);
	else
		ending = complain_of(console, &client, &question);
	client_close(&client);
	return ending;
}

static bool needs_fields(const struct call_row *row)
{
	for (const struct field *field = row->request->fields(); field->name; field++)
		if (!field->optional)
			return true;
	return false;
}

enum ending command_call(struct console *console)
{
	const struct arguments *arguments = &console->arguments;
	enum kind kind;
	uint16_t node;
	enum ending ending = parse_who(console, arguments->words[0], &kind, &node);
	if (ending != END_OK)
		return ending;
	if (arguments->count == 1) {
		if (console->json)
			list_calls_json(console, kind, false);
		else
			list_calls(console, kind, false);
		return END_OK;
	}
	const struct call_row *row;
	struct typed typed;
	ending = typed_row(console, &kind, &node, &row);
	if (ending != END_OK)
		return ending;
	bool asked_for_help = argument(arguments, "help") != NULL;
	if (!asked_for_help && !(arguments->count == 2 && needs_fields(row))) {
		ending = typed_read(console, &typed);
		if (ending == END_OK)
			ending = ask(console, &typed);
		typed_end(&typed);
		return ending;
	}
	if (console->json)
		json_say(&console->out, call_json(row), false);
	else
		say_call(&console->out, row, arguments->words[0]);
	return asked_for_help ? END_OK : END_USAGE; /* nothing was done, and a script must see that */
}
