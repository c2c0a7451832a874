/* `warren info|add|list|verify|remove|reregister|tiers`: handed to warrend, with the options that it knows too. What a node is
 * made of, only root or the owner of ROOT may see and change; on the bus, readers have steward_info and steward_verify. */
#include "actors/console/handover.h"
#include "actors/console/proofs.h"
#include "actors/console/units.h"

#include <unistd.h>

/* An option of ours that is one of warrend's: `highest` 0 is a word, or none. */
struct passed {
	const char *name, *option;
	uint64_t highest;
	bool bare; /* it takes no value */
};

static const struct passed passed[] = {
	{"tier", "--tier", 0, false},       {"storage", "--storage", 4194304, false},
	{"port", "--port", 65535, false},   {"import", "--import", 0, false},
	{"profile", "--profile", 0, false}, {"yes", "--yes", 0, true},
	{"stop", "--stop", 0, true},        {"destroy-keys", "--destroy-keys", 0, false},
	{"blobs", "--blobs", 0, true},      {"replace", "--replace", 0, true},
	{"verify", "--verify", 0, true},    {"passphrase-file", "--passphrase-file", 0, false},
	{"json", "--json", 0, true},
};

/* `node`: the first word is the number of one; else it is passed as it is. */
static enum ending pass(struct console *console, const char *verb, bool node)
{
	const char *more[HANDED_MOST] = {NULL};
	unsigned count = 0;
	uint64_t number;
	if (node && console->arguments.count) {
		if (!number_parse(console->arguments.words[0], 1, NODES_MAX, &number))
			return complain(console, END_USAGE, "usage", "there is no node \"%s\": 1 to %d",
					console->arguments.words[0], NODES_MAX);
		more[count++] = "--node";
		more[count++] = console->arguments.words[0];
	}
	for (unsigned i = 0; i < sizeof passed / sizeof *passed; i++) {
		const char *value = argument(&console->arguments, passed[i].name);
		if (!value)
			continue;
		if (passed[i].highest &&
		    option_number(console, passed[i].name, 1, passed[i].highest, 0, &number) != END_OK)
			return END_USAGE;
		more[count++] = passed[i].option;
		if (!passed[i].bare)
			more[count++] = value;
	}
	if (!node && console->arguments.count)
		more[count++] = console->arguments.words[0];
	return hand_over(console, verb, more);
}

enum ending command_add(struct console *console)
{
	if (!argument(&console->arguments, "tier") && (console->json || !isatty(STDIN_FILENO)))
		return complain(console, END_USAGE, "usage",
				"which tier? bronze, silver, gold or platinum: warren add --tier silver");
	return pass(console, "add", false);
}

enum ending command_info(struct console *console)
{
	return pass(console, "info", false);
}

enum ending command_list(struct console *console)
{
	return pass(console, "list", false);
}

enum ending command_verify(struct console *console)
{
	const struct arguments *arguments = &console->arguments;
	uint64_t node;
	if (arguments->count && !number_parse(arguments->words[0], 0, UINT64_MAX, &node))
		return verify_proof(console, arguments->words[0]);
	return pass(console, "verify", true);
}

enum ending command_remove(struct console *console)
{
	return pass(console, "remove", true);
}

enum ending command_reregister(struct console *console)
{
	return pass(console, "reregister", false);
}

enum ending command_tiers(struct console *console)
{
	return pass(console, "tiers", false);
}

enum ending command_backup(struct console *console)
{
	return pass(console, "backup", false);
}

enum ending command_restore(struct console *console)
{
	return pass(console, "restore", false);
}
