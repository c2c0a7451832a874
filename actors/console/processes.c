/* The machine as the steward reports it. Part of the console; asks the steward and keeps nothing. */
#include "actors/console/processes.h"

#include <string.h>

enum ending ask_status(struct console *console, struct client *client,
		       const struct steward_status_reply **status)
{
	struct question question = {.row = &row_steward_status, .kind = STEWARD};
	if (client_ask_one(client, &question) != ERR_OK)
		return complain_of(console, client, &question);
	*status = question.reply;
	return END_OK;
}

enum process_state process_state(const struct process_row *process)
{
	static const char *const names[] = {
#define S(SYMBOL, name) name,
		PROCESS_STATES(S)
#undef S
	};
	for (unsigned i = 0; i < PROCESS_STATE_COUNT; i++)
		if (strcmp(process->state, names[i]) == 0)
			return (enum process_state)i;
	return PROCESS_STATE_COUNT;
}

enum kind process_kind(const struct process_row *process)
{
	return kind_by_name(process->actor, (unsigned)strlen(process->actor));
}

const char *process_who(const struct process_row *process, char who[WHO_TEXT])
{
	char name[sizeof process->actor];
	enum kind kind = process_kind(process);
	if (kind)
		return who_text(kind, process->node, who);
	clean_text(process->actor, name);
	if (process->node)
		snprintf(who, WHO_TEXT, "%s@%u", name, process->node);
	else
		snprintf(who, WHO_TEXT, "%s", name);
	return who;
}

bool process_ready(const struct process_row *process)
{
	return process_state(process) == PROCESS_READY;
}

bool process_answers(const struct process_row *process)
{
	enum kind kind = process_kind(process);
	return process_ready(process) && kind != KIND_NONE && kind_on_bus(kind);
}

const struct process_row *find_process(const struct steward_status_reply *status, enum kind kind,
				       unsigned node)
{
	for (uint32_t i = 0; i < status->processes_count; i++)
		if (status->processes[i].node == node && process_kind(&status->processes[i]) == kind)
			return &status->processes[i];
	return NULL;
}

struct question *ask_each(struct client *client, const struct steward_status_reply *status,
			  const struct call_row *row, enum kind kind, unsigned *count)
{
	struct question *questions = x_new_array(status->processes_count, sizeof *questions);
	*count = 0;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		if (!process_answers(process) || (kind && process_kind(process) != kind))
			continue;
		questions[(*count)++] =
			(struct question){.row = row, .kind = process_kind(process), .node = process->node};
	}
	client_ask(client, questions, *count, IMPATIENT);
	return questions;
}

const void *answer_of(const struct question *questions, unsigned count, const struct call_row *row,
		      enum kind kind, unsigned node)
{
	for (unsigned i = 0; i < count; i++)
		if (questions[i].kind == kind && questions[i].node == node && questions[i].row == row)
			return questions[i].err == ERR_OK ? questions[i].reply : NULL;
	return NULL;
}

json_t *walls_json(uint32_t missing)
{
	json_t *list = json_array();
	for (unsigned wall = 0; wall < WALLS; wall++)
		if (missing & 1U << wall)
			json_array_append_new(list, json_word(wall_row(wall)->name));
	return list;
}

json_t *process_json(const struct process_row *process)
{
	char who[WHO_TEXT];
	json_t *object = json_object();
	json_object_set_new(object, "who", json_word(process_who(process, who)));
	json_object_set_new(object, "actor", json_word(process->actor));
	json_object_set_new(object, "node", json_integer(process->node));
	json_object_set_new(object, "pid", process->pid ? json_integer(process->pid) : json_null());
	json_object_set_new(object, "uid", json_integer(process->uid));
	json_object_set_new(object, "state", json_word(process->state));
	json_object_set_new(object, "restarts", json_integer(process->restarts));
	json_object_set_new(object, "pss", process->pss_kib ? json_number(process->pss_kib) : json_null());
	json_object_set_new(object, "last_end", json_integer((json_int_t)process->last_end));
	json_object_set_new(object, "up_ms", json_number(process->up_ms));
	json_object_set_new(object, "next_ms", json_number(process->next_ms));
	json_object_set_new(object, "missing", walls_json(process->missing));
	return object;
}
