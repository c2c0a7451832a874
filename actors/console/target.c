/* Targets of an order, and how they stand. Part of the console. */
#include "actors/console/target.h"

#include "actors/console/units.h"

#include <string.h>

/* -- targets ------------------------------------------------------------------------------------------- */

enum ending parse_target(struct console *console, struct target *target)
{
	uint64_t node;
	target->text = console->arguments.words[0];
	target->all = strcmp(target->text, "all") == 0;
	if (target->all)
		return END_OK;
	if (target->text[0] < '0' || target->text[0] > '9')
		return parse_who(console, target->text, &target->kind, &target->node);
	if (!number_parse(target->text, 1, NODES_MAX, &node))
		return complain(console, END_USAGE, "usage", "there is no node \"%s\": 1 to %d", target->text,
				NODES_MAX);
	target->node = (uint16_t)node;
	return END_OK;
}

bool in_target(const struct target *target, const struct process_row *process)
{
	if (target->all)
		return process->node != 0;
	return process->node == target->node && (!target->kind || process_kind(process) == target->kind);
}

/* -- what has come of it -------------------------------------------------------------------------------- */

void say_target(const struct console *console, const struct steward_status_reply *status,
		const struct target *target, bool ok)
{
	char who[WHO_TEXT];
	json_t *list = json_array();
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		if (!in_target(target, process))
			continue;
		if (console->json)
			json_array_append_new(list, process_json(process));
		else if (process->pid)
			say(&console->out, "%s: %s, pid %u\n", process_who(process, who), process->state,
			    process->pid);
		else
			say(&console->out, "%s: %s\n", process_who(process, who), process->state);
	}
	if (!console->json) {
		json_decref(list);
		return;
	}
	json_t *object = json_object();
	json_object_set_new(object, "ok", json_boolean(ok));
	json_object_set_new(object, "target", json_word(target->text));
	json_object_set_new(object, "processes", list);
	json_say(&console->out, object, false);
}
