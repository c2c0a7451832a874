/* `warren help`: the table of commands for people and as JSON. Part of the console; asks nobody. */
#include "actors/console/help.h"

#include "actors/console/man.h"
#include "actors/console/words.h"

#include <string.h>

static void help_options(const struct page *page, const char *command)
{
	for (const struct option *option = option_rows(); option->name; option++) {
		char left[64], letter[8] = "    ";
		if (command ? !option->command || strcmp(option->command, command) != 0
			    : option->command != NULL)
			continue;
		if (option->letter)
			snprintf(letter, sizeof letter, "-%c, ", option->letter);
		snprintf(left, sizeof left, "%s--%s %s", letter, option->name,
			 option->value ? option->value : "");
		say(page, "  %-20s  %s\n", left, option->help);
	}
}

static void help_command(const struct page *page, const struct command *command)
{
	say(page, "warren %s %s\n  %s\n\n", command->name, command->words, command->help);
	help_options(page, command->name);
	help_options(page, NULL);
	for (const char *line = command->more; *line; line += strcspn(line, "\n"), line += *line == '\n')
		say(page, "%s  %.*s\n", line == command->more ? "\nfor example\n" : "",
		    (int)strcspn(line, "\n"), line);
}

void help_all(const struct page *page)
{
	say(page, "warren COMMAND …: see and operate a machine of wallet-isolated nodes\n\n");
	const struct command *command;
	for (unsigned i = 0; (command = command_at(i)); i++)
		if (*command->help)
			say(page, "  %-10s %s\n", command->name, command->help);
	say(page, "\n");
	help_options(page, NULL);
	say(page,
	    "\nACTOR is a process, \"store@1\" or \"broker\"; TARGET is an ACTOR, a node's number, or all.\n"
	    "ends with 0 done, 1 refused or failed, 2 wrong command line, 3 no machine runs, 4 denied, "
	    "5 outcome "
	    "unknown: look, then again\n");
}

static json_t *help_json(const struct command *command)
{
	json_t *object = json_object(), *list = json_array();
	json_object_set_new(object, "command", json_word(command->name));
	json_object_set_new(object, "words", json_word(command->words));
	json_object_set_new(object, "help", json_word(command->help));
	for (const struct option *option = option_rows(); option->name; option++) {
		if (option->command && strcmp(option->command, command->name) != 0)
			continue;
		json_t *row = json_object();
		json_object_set_new(row, "option", json_word(option->name));
		json_object_set_new(row, "value", option->value ? json_word(option->value) : json_null());
		json_object_set_new(row, "help", json_word(option->help));
		json_array_append_new(list, row);
	}
	json_object_set_new(object, "options", list);
	return object;
}

enum ending unknown_command(struct console *console, const char *name)
{
	struct nearest nearest = {0};
	char meant[WHY_TEXT];
	const struct command *command;
	for (unsigned i = 0; (command = command_at(i)); i++)
		nearest_offer(&nearest, name, command->name);
	return complain(console, END_USAGE, "usage", "there is no command \"%s\"%s (warren help)", name,
			nearest_text(&nearest, meant, sizeof meant));
}

enum ending help_about(struct console *console, const struct command *command)
{
	if (console->json)
		json_say(&console->out, help_json(command), false);
	else
		help_command(&console->out, command);
	return END_OK;
}

enum ending command_help(struct console *console)
{
	const char *page = argument(&console->arguments, "man");
	if (page)
		return man(console, page);
	if (console->arguments.count) {
		const struct command *command = command_by_name(console->arguments.words[0]);
		return command ? help_about(console, command)
			       : unknown_command(console, console->arguments.words[0]);
	}
	if (console->json) {
		json_t *list = json_array();
		const struct command *command;
		for (unsigned i = 0; (command = command_at(i)); i++)
			if (*command->help)
				json_array_append_new(list, help_json(command));
		json_say(&console->out, list, false);
	} else {
		help_all(&console->out);
	}
	return END_OK;
}
