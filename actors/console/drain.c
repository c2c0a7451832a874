/* `warren drain`: begins it, then shows what it waits for until it has ended. The supervisor drains: whoever looks on may leave,
 * and come back with the same command. */
#include "actors/console/target.h"
#include "actors/console/units.h"
#include "proto/actor.h"

#include <poll.h>
#include <string.h>

enum { LOOK_MS = 250, WITHIN_MS = 10 * 60 * 1000, WITHIN_MOST_MS = 24 * 3600 * 1000, WAITS_TEXT = 400 };

struct watching {
	struct console *console;
	struct client *client;
	struct target target;
	bool mine[NODES_MAX + 1]; /* nodes that are looked on at */
	bool over[NODES_MAX + 1];
	bool cut[NODES_MAX + 1];
	char said[NODES_MAX + 1][WAITS_TEXT];
	unsigned left, cuts;
	int interrupt;
};

/* -- beginning ----------------------------------------------------------------------------------------- */

static enum ending begin_one(struct watching *watching, uint16_t node, uint32_t within_ms)
{
	struct console *console = watching->console;
	struct steward_drain request = {.node = node, .within_ms = within_ms};
	struct question question = {.row = &row_steward_drain, .kind = STEWARD, .request = &request};
	char text[2 * SENTENCE_TEXT];
	if (client_ask_one(watching->client, &question) == ERR_DENIED)
		return complain_of(console, watching->client, &question);
	if (question.err != ERR_OK)
		return complain(console, ending_of(question.err), err_name(question.err), "drain %u: %s",
				node, err_text(question.err, question.why, text));
	const struct steward_drain_reply *reply = question.reply;
	watching->mine[node] = true;
	watching->left++;
	if (reply->already && !console->json)
		say(&console->out, "node %u drains already; its time limit stays as it was\n", node);
	if (reply->already && console->json)
		json_say(&console->out, json_pack("{s:i, s:b}", "node", node, "already", 1), true);
	return END_OK;
}

static enum ending begin(struct watching *watching, uint32_t within_ms)
{
	const struct steward_status_reply *status = NULL;
	if (!watching->target.all)
		return begin_one(watching, watching->target.node, within_ms);
	enum ending ending = ask_status(watching->console, watching->client, &status);
	for (uint32_t i = 0; ending == END_OK && i < status->nodes_count; i++)
		if (status->nodes[i].node <= NODES_MAX)
			ending = begin_one(watching, status->nodes[i].node, within_ms);
	return ending;
}

/* -- what it waits for ----------------------------------------------------------------------------------- */

struct look {
	const struct steward_status_reply *status;
	const struct steward_drains_reply *drains;
	struct question *duties;
	unsigned count;
};

/* Of the processes of nodes that are still waited for. */
static void ask_duties(struct watching *watching, struct look *look)
{
	const struct steward_status_reply *status = look->status;
	look->duties = x_new_array(status->processes_count, sizeof *look->duties);
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		if (process->node && process->node <= NODES_MAX && watching->mine[process->node] &&
		    process_answers(process))
			look->duties[look->count++] = (struct question){.row = &row_actor_duties,
									.kind = process_kind(process),
									.node = process->node};
	}
	client_ask(watching->client, look->duties, look->count, IMPATIENT);
}

static const struct drain_row *drain_of(const struct look *look, uint16_t node)
{
	for (uint32_t i = 0; i < look->drains->nodes_count; i++)
		if (look->drains->nodes[i].node == node)
			return &look->drains->nodes[i];
	return NULL;
}

/* "gateway@1: 2 uploads, 1 download" */
static void waits_text(const struct look *look, uint16_t node, char text[WAITS_TEXT])
{
	size_t length = 0;
	char who[WHO_TEXT], what[33], many[40], count[UNIT_TEXT];
	text[0] = '\0';
	for (unsigned i = 0; i < look->count; i++) {
		const struct question *question = &look->duties[i];
		const struct actor_duties_reply *reply = question->reply;
		if (question->node != node)
			continue;
		uint32_t rows = question->err == ERR_OK ? reply->duties_count : 0;
		for (uint32_t j = 0; j < rows && length < WAITS_TEXT - 120; j++) {
			clean_text(reply->duties[j].what, what);
			snprintf(many, sizeof many, "%ss", what);
			plural_text(reply->duties[j].count, what, many, count);
			const char *before = j ? ", " : length ? "; " : "";
			length += (size_t)snprintf(text + length, WAITS_TEXT - length, "%s%s%s%s", before,
						   j ? "" : who_text(question->kind, node, who),
						   j ? "" : ": ", count);
		}
	}
}

static json_t *waits_json(const struct look *look, uint16_t node)
{
	json_t *list = json_array();
	char who[WHO_TEXT];
	for (unsigned i = 0; i < look->count; i++) {
		const struct question *question = &look->duties[i];
		const struct actor_duties_reply *reply = question->reply;
		for (uint32_t j = 0;
		     question->node == node && question->err == ERR_OK && j < reply->duties_count; j++) {
			json_t *row = json_object();
			json_object_set_new(row, "who", json_word(who_text(question->kind, node, who)));
			json_object_set_new(row, "what", json_word(reply->duties[j].what));
			json_object_set_new(row, "count", json_integer(reply->duties[j].count));
			json_array_append_new(list, row);
		}
	}
	return list;
}

/* -- saying so ------------------------------------------------------------------------------------------- */

static const char *phase(const struct drain_row *drain)
{
	return !drain->over ? "draining" : drain->cut ? "cut" : "drained";
}

/* Only what is new; the time that is left is no news. */
static void say_waits(struct watching *watching, const struct look *look, const struct drain_row *drain)
{
	const struct console *console = watching->console;
	char waits[WAITS_TEXT], news[WAITS_TEXT], left[UNIT_TEXT];
	waits_text(look, drain->node, waits);
	snprintf(news, sizeof news, "%.12s %.380s", phase(drain), drain->over ? "" : waits);
	if (strcmp(news, watching->said[drain->node]) == 0)
		return;
	memcpy(watching->said[drain->node], news, sizeof news);
	if (console->json) {
		json_t *object = json_object();
		json_object_set_new(object, "node", json_integer(drain->node));
		json_object_set_new(object, "state", json_word(phase(drain)));
		json_object_set_new(object, "waits_for", waits_json(look, drain->node));
		json_object_set_new(object, "left_ms", json_number(drain->left_ms));
		json_say(&console->out, object, true);
	} else if (drain->over) {
		say(&console->out, "node %u: %s\n", drain->node,
		    drain->cut ? "its time is up; what still runs is cut" : "its work has ended; it stops");
	} else if (*waits) {
		say(&console->out, "node %u waits for %s · cut in %s\n", drain->node, waits,
		    duration_text(drain->left_ms, left));
	}
	fflush(console->out.to);
}

static bool all_stopped(const struct steward_status_reply *status, uint16_t node)
{
	for (uint32_t i = 0; i < status->processes_count; i++)
		if (status->processes[i].node == node && status->processes[i].pid)
			return false;
	return true;
}

static void look_at_nodes(struct watching *watching, const struct look *look)
{
	for (unsigned node = 1; node <= NODES_MAX; node++) {
		if (!watching->mine[node])
			continue;
		const struct drain_row *drain = drain_of(look, (uint16_t)node);
		if (drain) {
			say_waits(watching, look, drain);
			if (!drain->over || !all_stopped(look->status, (uint16_t)node))
				continue;
			watching->cuts += drain->cut;
		} else if (!watching->console->json) {
			say(&watching->console->out,
			    "node %u does not drain any more: somebody started or stopped it\n", node);
		}
		watching->mine[node] = false;
		watching->left--;
	}
}

static enum ending look_once(struct watching *watching)
{
	struct look look = {0};
	struct question question = {.row = &row_steward_drains, .kind = STEWARD};
	enum ending ending = ask_status(watching->console, watching->client, &look.status);
	if (ending != END_OK)
		return ending;
	if (client_ask_one(watching->client, &question) != ERR_OK)
		return complain_of(watching->console, watching->client, &question);
	look.drains = question.reply;
	ask_duties(watching, &look);
	look_at_nodes(watching, &look);
	x_free(&look.duties);
	if (watching->left)
		client_forget(watching->client);
	return END_OK;
}

static enum ending left(struct watching *watching)
{
	return complain(watching->console, END_UNKNOWN, "interrupted",
			"the drain goes on without you; warren drain %s shows it again",
			watching->target.text);
}

static enum ending watch(struct watching *watching)
{
	struct pollfd interrupt = {.fd = watching->interrupt, .events = POLLIN};
	while (watching->left) {
		enum ending ending = look_once(watching);
		if (ending != END_OK)
			return ending;
		if (watching->left && poll(&interrupt, 1, LOOK_MS) > 0)
			return left(watching);
	}
	const struct console *console = watching->console;
	if (console->json)
		json_say(&console->out,
			 json_pack("{s:b, s:b, s:s, s:i}", "ok", !watching->cuts, "done", 1, "target",
				   watching->target.text, "cut", (int)watching->cuts),
			 true);
	else
		say(&console->out, "%s%s stopped\n", watching->target.all ? "" : "node ",
		    watching->target.all ? "all nodes have" : watching->target.text);
	return watching->cuts ? END_FAILED : END_OK;
}

enum ending command_drain(struct console *console)
{
	struct client client;
	struct target target = {0};
	uint64_t within;
	enum ending ending = parse_target(console, &target);
	if (ending == END_OK && target.kind)
		return complain(console, END_USAGE, "usage", "a node drains as a whole: warren drain %u",
				target.node);
	if (ending == END_OK)
		ending = option_duration(console, "within", WITHIN_MS, &within);
	if (ending == END_OK && within > WITHIN_MOST_MS)
		return complain(console, END_USAGE, "usage", "--within is at most a day");
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	struct watching *watching = x_new(sizeof *watching);
	*watching = (struct watching){
		.console = console, .client = &client, .target = target, .interrupt = interrupts()};
	ending = begin(watching, (uint32_t)within);
	if (ending == END_OK)
		ending = watch(watching);
	x_free(&watching);
	client_close(&client);
	return ending;
}
