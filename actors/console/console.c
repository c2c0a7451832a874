/* `warren`: the operator's command line, an actor that speaks for a person. Runs as whoever started it,
 * jailed by nobody; touches the two sockets below ROOT/run that the kernel lets it open, and the log files.
 * It holds nothing: when it dies, nobody notices. */
#include "actors/console/console.h"

#include "actors/console/help.h"
#include "actors/console/live.h"
#include "actors/console/root.h"
#include "proto/version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	if (*console->root && !argument(&console->arguments, "root")) /* a line of the live console */
		return END_OK;
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
	const char *const *rest = arguments_take(arguments, argv, option_rows(), true, why);
	const struct command *command = rest && *rest ? command_by_name(*rest) : NULL;
	if (command) {
		arguments->command = command->name;
		rest = arguments_take(arguments, rest + 1, option_rows(), false, why);
	}
	console->json = argument(arguments, "json") != NULL;
	if (!rest)
		return complain(console, END_USAGE, "usage", "%s (warren %s)", why,
				command ? arguments->command : "help");
	if (argument(arguments, "version"))
		return version(console);
	if (!command && *rest)
		return unknown_command(console, *rest);
	if (!command && !argument(arguments, "help") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		enum ending ending = find_root(console);
		return ending == END_OK ? live(console, run) : ending;
	}
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
