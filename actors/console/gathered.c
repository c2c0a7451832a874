/* Reasons from everybody. Part of the console; asks all at once and waits for nobody that hangs. */
#include "actors/console/gathered.h"

#include <stdlib.h>
#include <string.h>

static int by_weight(const void *a, const void *b)
{
	const struct reason_row *one = ((const struct gathered_reason *)a)->row;
	const struct reason_row *other = ((const struct gathered_reason *)b)->row;
	if (one->over != other->over)
		return one->over - other->over;
	return one->last_ms < other->last_ms ? 1 : one->last_ms > other->last_ms ? -1 : 0;
}

static void add_all(struct gathered *gathered, const struct reason_row *rows, uint32_t count, const char *by)
{
	gathered->all = x_grow(gathered->all, (gathered->count + count + 1) * sizeof *gathered->all);
	for (uint32_t i = 0; i < count; i++) {
		struct gathered_reason *one = &gathered->all[gathered->count++];
		*one = (struct gathered_reason){.row = &rows[i], .rule = reason_rule_named(rows[i].name)};
		bool of_broker = one->rule && one->rule->code >= REASON_ASK_DENIED &&
				 one->rule->code <= REASON_OTHER_BUILD;
		snprintf(one->by, sizeof one->by, "%s", of_broker ? "broker" : by);
	}
}

static void add_silent(struct gathered *gathered, const char *who)
{
	gathered->silent = x_grow(gathered->silent, (gathered->silent_count + 1) * sizeof *gathered->silent);
	snprintf(gathered->silent[gathered->silent_count++], sizeof *gathered->silent, "%s", who);
}

/* One that is starting knows best what it waits for; whether it can answer already shows when it is asked. */
static bool may_answer(const struct process_row *process)
{
	return process_answers(process) || process_state(process) == PROCESS_STARTING;
}

/* A question to each process that is meant, the steward's own reasons among them. */
static struct question *questions_for(const struct steward_status_reply *status, enum kind kind,
				      unsigned node, unsigned *count)
{
	struct question *questions = x_new_array(status->processes_count + 1, sizeof *questions);
	*count = 0;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		if (!may_answer(process) || (kind && process_kind(process) != kind) ||
		    (node && process->node != node))
			continue;
		questions[(*count)++] = (struct question){
			.row = &row_actor_reasons, .kind = process_kind(process), .node = process->node};
	}
	return questions;
}

enum ending gather(struct console *console, struct client *client, enum kind kind, unsigned node,
		   struct gathered *gathered)
{
	char who[WHO_TEXT];
	struct question machine = {.row = &row_steward_reasons, .kind = STEWARD};
	unsigned count;
	*gathered = (struct gathered){0};
	enum ending ending = ask_status(console, client, &gathered->status);
	if (ending != END_OK)
		return ending;
	if (client_ask_one(client, &machine) != ERR_OK)
		return complain_of(console, client, &machine);
	const struct steward_reasons_reply *of_machine = machine.reply;
	add_all(gathered, of_machine->reasons, of_machine->reasons_count, "warrend");
	struct question *questions = questions_for(gathered->status, kind, node, &count);
	client_ask(client, questions, count, IMPATIENT);
	for (unsigned i = 0; i < count; i++) {
		const struct actor_reasons_reply *reply = questions[i].reply;
		who_text(questions[i].kind, questions[i].node, who);
		if (questions[i].err == ERR_OK)
			add_all(gathered, reply->reasons, reply->reasons_count, who);
		else if (process_ready(find_process(gathered->status, questions[i].kind, questions[i].node)))
			add_silent(gathered, who);
	}
	x_free(&questions);
	if (gathered->count)
		qsort(gathered->all, gathered->count, sizeof *gathered->all, by_weight);
	return END_OK;
}

void gathered_end(struct gathered *gathered)
{
	x_free(&gathered->all);
	x_free(&gathered->silent);
}

bool reason_is_about(const struct reason_row *row, enum kind kind, unsigned node)
{
	enum kind whose = kind_by_name(row->actor, (unsigned)strlen(row->actor));
	if (row->node != node)
		return false;
	return !kind || whose == kind || (node && !*row->actor);
}
