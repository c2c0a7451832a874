/* `warren limits`: every bound of every process, how full it is and what it turned away; `warren level`: how
 * much one logs. */
#include "actors/console/processes.h"
#include "actors/console/units.h"
#include "proto/actor.h"
#include "proto/log_text.h"

#include <string.h>

static void limit_cells(struct table *table, const char *who, const struct limit_row *limit)
{
	char text[UNIT_TEXT];
	table_cell(table, "%s", who);
	table_cell(table, "%s", limit->name);
	table_cell(table, "%s", count_text(limit->depth, text));
	table_cell(table, "%s", count_text(limit->high, text));
	table_cell(table, "%s", limit->limit ? count_text(limit->limit, text) : "–");
	table_cell(table, "%s", count_text(limit->drops, text));
	bool full = limit->limit && limit->depth >= limit->limit;
	if (full || limit->drops)
		table_tint(table, full ? BAD_NEWS : DOUBTFUL);
}

/* Of the broker and the supervisor, who answer through the steward; in the words of the others. */
static struct limit_row owned_limit(const struct owned_limit *from)
{
	struct limit_row row = {
		.depth = from->depth, .high = from->high, .limit = from->limit, .drops = from->drops};
	snprintf(row.name, sizeof row.name, "%s", from->name);
	return row;
}

static void say_table(const struct console *console, const struct question *questions, unsigned count,
		      const struct broker_row *broker, const struct steward_limits_reply *owned)
{
	struct table table;
	char who[WHO_TEXT], routed[UNIT_TEXT], denied[UNIT_TEXT], gone[UNIT_TEXT], late[UNIT_TEXT];
	table_begin(&table, "process what >now >highest >limit >turned~away");
	for (uint32_t i = 0; owned && i < owned->limits_count; i++) {
		struct limit_row limit = owned_limit(&owned->limits[i]);
		limit_cells(&table, owned->limits[i].actor, &limit);
	}
	for (unsigned i = 0; i < count; i++) {
		const struct actor_limits_reply *reply = questions[i].reply;
		for (uint32_t j = 0; questions[i].err == ERR_OK && j < reply->limits_count; j++)
			limit_cells(&table, who_text(questions[i].kind, questions[i].node, who),
				    &reply->limits[j]);
	}
	table_print(&table, &console->out, 1);
	table_end(&table);
	if (broker)
		say(&console->out, "\n broker: %s routed, %s denied, %s gone, %s late\n",
		    count_text(broker->routed, routed), count_text(broker->denied, denied),
		    count_text(broker->gone, gone), count_text(broker->late, late));
	for (unsigned i = 0; i < count; i++)
		if (questions[i].err != ERR_OK)
			say_in(&console->out, DOUBTFUL, " %s did not answer: %s\n",
			       who_text(questions[i].kind, questions[i].node, who),
			       err_name(questions[i].err));
}

/* One entry for the broker and one for warrend, as if they had answered themselves. */
static void add_owned_json(json_t *processes, const struct steward_limits_reply *owned)
{
	for (uint32_t i = 0; i < owned->limits_count; i++) {
		struct limit_row limit = owned_limit(&owned->limits[i]);
		json_t *last = json_array_get(processes, json_array_size(processes) - 1);
		const char *who = last ? json_string_value(json_object_get(last, "who")) : NULL;
		if (!who || strcmp(who, owned->limits[i].actor) != 0) {
			last = json_pack("{s:o, s:o, s:i, s:[], s:n}", "who",
					 json_word(owned->limits[i].actor), "actor",
					 json_word(owned->limits[i].actor), "node", 0, "limits", "error");
			json_array_append_new(processes, last);
		}
		json_array_append_new(json_object_get(last, "limits"),
				      message_json(&message_limit_row, &limit));
	}
}

static void say_json(const struct console *console, const struct question *questions, unsigned count,
		     const struct broker_row *broker, const struct steward_limits_reply *owned)
{
	json_t *object = json_object(), *processes = json_array();
	if (owned)
		add_owned_json(processes, owned);
	for (unsigned i = 0; i < count; i++) {
		json_t *row = json_who(questions[i].kind, questions[i].node);
		bool answered = questions[i].err == ERR_OK;
		json_t *reply =
			answered ? message_json(&message_actor_limits_reply, questions[i].reply) : NULL;
		json_object_set_new(row, "limits",
				    answered ? json_incref(json_object_get(reply, "limits")) : json_null());
		json_object_set_new(row, "error",
				    answered ? json_null() : json_word(err_name(questions[i].err)));
		json_decref(reply);
		json_array_append_new(processes, row);
	}
	json_object_set_new(object, "broker",
			    broker ? message_json(&message_broker_row, broker) : json_null());
	json_object_set_new(object, "processes", processes);
	json_say(&console->out, object, false);
}

/* Whether somebody did not answer, when only one was asked for. */
static enum ending limits_of(struct console *console, struct client *client, enum kind kind, uint16_t node)
{
	const struct steward_status_reply *status = NULL;
	struct question one = {.row = &row_actor_limits, .kind = kind, .node = node}, *questions = &one;
	struct question machine = {.row = &row_steward_limits, .kind = STEWARD};
	unsigned count = 1;
	if (kind && kind != BROKER && !kind_on_bus(kind))
		return complain(console, END_FAILED, "unknown-call",
				"the %s asks nobody and answers nobody; warren status -v shows its memory",
				kind_name(kind));
	bool named = kind && kind_on_bus(kind);
	enum ending ending = named ? END_OK : ask_status(console, client, &status);
	if (ending != END_OK)
		return ending;
	if (named && client_ask_one(client, &one) != ERR_OK)
		return complain_of(console, client, &one);
	if (!named && client_ask_one(client, &machine) != ERR_OK)
		return complain_of(console, client, &machine);
	if (!kind)
		questions = ask_each(client, status, &row_actor_limits, KIND_NONE, &count);
	count = kind && !kind_on_bus(kind) ? 0 : count;
	const struct broker_row *broker = status && status->broker_count ? &status->broker[0] : NULL;
	if (console->json)
		say_json(console, questions, count, broker, machine.reply);
	else
		say_table(console, questions, count, broker, machine.reply);
	if (questions != &one)
		x_free(&questions);
	return END_OK;
}

enum ending command_limits(struct console *console)
{
	struct client client;
	enum kind kind = KIND_NONE;
	uint16_t node = 0;
	enum ending ending = END_OK;
	if (console->arguments.count)
		ending = parse_who(console, console->arguments.words[0], &kind, &node);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	ending = limits_of(console, &client, kind, node);
	client_close(&client);
	return ending;
}

/* -- level --------------------------------------------------------------------------------------------- */

enum { LEVEL_FOR_MS = 10 * 60 * 1000 };

static enum ending level_request(struct console *console, struct actor_level *request, uint64_t *ms)
{
	const char *level = console->arguments.words[1];
	enum ending ending = option_duration(console, "for", LEVEL_FOR_MS, ms);
	if (ending != END_OK)
		return ending;
	if (log_text_level_parse(level, strlen(level)) < 0)
		return complain(console, END_USAGE, "usage",
				"there is no level \"%s\": debug, info, warn, error", level);
	if (*ms > 86400 * UINT64_C(1000))
		return complain(console, END_USAGE, "usage",
				"--for: at most a day, or 0 for until it is changed again");
	request->seconds = (uint32_t)((*ms + 999) / 1000);
	snprintf(request->level, sizeof request->level, "%s", level);
	return END_OK;
}

enum ending command_level(struct console *console)
{
	struct client client;
	struct actor_level request = {0};
	struct question question = {.row = &row_actor_level, .request = &request};
	uint64_t ms;
	char who[WHO_TEXT], text[UNIT_TEXT];
	enum ending ending = parse_who(console, console->arguments.words[0], &question.kind, &question.node);
	if (ending == END_OK && !kind_on_bus(question.kind))
		return complain(console, END_FAILED, "unknown-call", "the %s asks nobody and answers nobody",
				kind_name(question.kind));
	if (ending == END_OK)
		ending = level_request(console, &request, &ms);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	if (client_ask_one(&client, &question) != ERR_OK) {
		ending = complain_of(console, &client, &question);
	} else if (console->json) {
		json_t *object = json_who(question.kind, question.node);
		json_object_set_new(object, "ok", json_true());
		json_object_set_new(object, "level", json_word(request.level));
		json_object_set_new(object, "seconds", json_integer(request.seconds));
		json_say(&console->out, object, false);
	} else {
		who_text(question.kind, question.node, who);
		say(&console->out, "%s logs at %s%s%s\n", who, request.level,
		    ms ? " for " : " until it is changed again", ms ? duration_text(ms, text) : "");
	}
	client_close(&client);
	return ending;
}
