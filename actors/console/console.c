/* `warren`: the operator's command line, an actor that speaks for a person. Runs as whoever started it,
 * jailed by nobody; touches the two sockets below ROOT/run that the kernel lets it open, and the log files.
 * It holds nothing: when it dies, nobody notices. */
#include "actors/console/console.h"

#include "actors/console/root.h"
#include "actors/console/words.h"
#include "proto/version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {OPTION_ROWS};

struct command {
	const char *name, *words;
	unsigned least, most;
	const char *help, *more;
	enum ending (*run)(struct console *console);
};

static const struct command commands[] = {
#define ROW(name, words, least, most, help, more) {#name, words, least, most, help, more, command_##name},
	COMMANDS(ROW)
#undef ROW
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

/* "start_all" is typed, and shown, as "start-all": an identifier has no dash. */
static const char *typed(const char *name, char text[32])
{
	snprintf(text, 32, "%s", name);
	for (char *at = text; *at; at++)
		*at = *at == '_' ? '-' : *at;
	return text;
}

/* -- help ---------------------------------------------------------------------------------------------- */

static const struct command *command_by_name(const char *name)
{
	char text[32];
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(typed(commands[i].name, text), name) == 0)
			return &commands[i];
	return NULL;
}

static void help_options(const struct page *page, const char *command)
{
	for (const struct option *option = options; option->name; option++) {
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
	char name[32];
	say(page, "warren %s %s\n  %s\n\n", typed(command->name, name), command->words, command->help);
	help_options(page, command->name);
	help_options(page, NULL);
	for (const char *line = command->more; *line; line += strcspn(line, "\n"), line += *line == '\n')
		say(page, "%s  %.*s\n", line == command->more ? "\nfor example\n" : "",
		    (int)strcspn(line, "\n"), line);
}

static void help_all(const struct page *page)
{
	char name[32];
	say(page, "warren COMMAND …: see and operate a machine of wallet-isolated nodes\n\n");
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		say(page, "  %-10s %s\n", typed(commands[i].name, name), commands[i].help);
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
	char name[32];
	json_t *object = json_object(), *list = json_array();
	json_object_set_new(object, "command", json_word(typed(command->name, name)));
	json_object_set_new(object, "words", json_word(command->words));
	json_object_set_new(object, "help", json_word(command->help));
	for (const struct option *option = options; option->name; option++) {
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

static enum ending unknown_command(struct console *console, const char *name)
{
	struct nearest nearest = {0};
	char meant[WHY_TEXT], names[COMMAND_COUNT][32];
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		nearest_offer(&nearest, name, typed(commands[i].name, names[i]));
	return complain(console, END_USAGE, "usage", "there is no command \"%s\"%s (warren help)", name,
			nearest_text(&nearest, meant, sizeof meant));
}

static enum ending help_about(struct console *console, const struct command *command)
{
	if (console->json)
		json_say(&console->out, help_json(command), false);
	else
		help_command(&console->out, command);
	return END_OK;
}

enum ending command_help(struct console *console)
{
	if (console->arguments.count) {
		const struct command *command = command_by_name(console->arguments.words[0]);
		return command ? help_about(console, command)
			       : unknown_command(console, console->arguments.words[0]);
	}
	if (console->json) {
		json_t *list = json_array();
		for (unsigned i = 0; i < COMMAND_COUNT; i++)
			json_array_append_new(list, help_json(&commands[i]));
		json_say(&console->out, list, false);
	} else {
		help_all(&console->out);
	}
	return END_OK;
}

/* The rows of all protocols are what two builds must agree on, so they are what names a build. */
static enum ending version(struct console *console)
{
	char rows[20];
	snprintf(rows, sizeof rows, "%016" PRIx64, calls_fingerprint());
	if (console->json)
		json_say(&console->out, json_pack("{s:s, s:s}", "version", WARREN_VERSION, "rows", rows),
			 false);
	else
		say(&console->out, "warren %s, protocol rows %s\n", WARREN_VERSION, rows);
	return END_OK;
}

/* -- main ---------------------------------------------------------------------------------------------- */

static enum ending find_root(struct console *console)
{
	char program[PATH_MAX];
	bool known = program_path(program, sizeof program);
	console->root_from = root_find(argument(&console->arguments, "root"), getenv("WARREN_ROOT"),
				       known ? program : NULL, console->root, sizeof console->root);
	if (console->root_from)
		return END_OK;
	return complain(console, END_USAGE, "usage", "which machine? give its folder: --root DIR");
}

static enum ending run(struct console *console, const char *const *argv)
{
	struct arguments *arguments = &console->arguments;
	char why[WHY_TEXT];
	const char *const *rest = arguments_take(arguments, argv, options, true, why);
	const struct command *command = rest && *rest ? command_by_name(*rest) : NULL;
	if (command) {
		arguments->command = command->name;
		rest = arguments_take(arguments, rest + 1, options, false, why);
	}
	console->json = argument(arguments, "json") != NULL;
	if (!rest)
		return complain(console, END_USAGE, "usage", "%s (warren %s)", why,
				command ? arguments->command : "help");
	if (argument(arguments, "version"))
		return version(console);
	if (!command && *rest)
		return unknown_command(console, *rest);
	if (!command) {
		help_all(argument(arguments, "help") ? &console->out : &console->err);
		return argument(arguments, "help") ? END_OK : END_USAGE;
	}
	bool about_a_call = command->run == command_call && arguments->count; /* it has a help of its own */
	if (argument(arguments, "help") && !about_a_call)
		return help_about(console, command);
	if (arguments->count < command->least || arguments->count > command->most)
		return complain(console, END_USAGE, "usage", "so: warren %s %s", command->name,
				command->words);
	enum ending ending = find_root(console);
	return ending == END_OK ? command->run(console) : ending;
}

int main(int argc, char **argv)
{
	static struct console self;
	self.out = page_open(stdout);
	self.err = page_open(stderr);
	enum ending ending = run(&self, (const char *const *)(argc > 0 ? argv + 1 : argv));
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say(&self.err, "warren: the output could not be written whole\n");
		return END_FAILED;
	}
	return (int)ending;
}
