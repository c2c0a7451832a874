/* The tables of commands and options as rows. Part of the console; pure. */
#include "actors/console/commands.h"

#include "actors/console/console.h"

#include <string.h>

static const struct option options[] = {OPTION_ROWS};

static const struct command commands[] = {
#define ROW(symbol, name, words, least, most, help, more) \
	{name, words, least, most, help, more, command_##symbol},
	COMMANDS(ROW)
#undef ROW
};

const struct command *command_at(unsigned index)
{
	return index < sizeof commands / sizeof *commands ? &commands[index] : NULL;
}

const struct command *command_by_name(const char *name)
{
	const struct command *command;
	for (unsigned i = 0; (command = command_at(i)); i++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

const struct option *option_rows(void)
{
	return options;
}
