/* warrend: the supervisor of one machine. Runs as root, or as an ordinary user with what remains then; links
 * no network code, parses no byte that came from one. When it dies everything it runs dies with it, and
 * nothing that was acknowledged is lost. */
#include "supervisor/add.h"
#include "supervisor/config_rows.h"
#include "supervisor/machine.h"
#include "supervisor/make.h"
#include "supervisor/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 64 }; /* sysexits.h */

static const char usage[] =
	"warrend [--root DIR] VERB        DIR is a machine; " MACHINE_ROOT " when it is not said\n"
	"  create [--name X] [--operators GROUP] [--readers GROUP]   make a machine\n"
	"  add --tier T [--storage MiB] [--port P]                   make a node, with its wallet and its "
	"store\n"
	"  start    run it in the background; returns when all is ready\n"
	"  run      run it in the foreground\n"
	"  stop     end it, in order, within 10 s\n"
	"  check    look for mistakes in its configuration\n";

enum option_code {
	OPTION_ROOT = 1,
	OPTION_NAME,
	OPTION_OPERATORS,
	OPTION_READERS,
	OPTION_TIER,
	OPTION_STORAGE,
	OPTION_PORT
};

static const struct option options[] = {
	{"root", required_argument, NULL, OPTION_ROOT},
	{"name", required_argument, NULL, OPTION_NAME},
	{"operators", required_argument, NULL, OPTION_OPERATORS},
	{"readers", required_argument, NULL, OPTION_READERS},
	{"tier", required_argument, NULL, OPTION_TIER},
	{"storage", required_argument, NULL, OPTION_STORAGE},
	{"port", required_argument, NULL, OPTION_PORT},
	{NULL, 0, NULL, 0},
};

struct command {
	const char *root, *verb;
	struct make_request make;
	struct add_request add;
	unsigned given; /* 1 << OPTION_ */
};

static bool number_option(const char *name, const char *text, uint32_t most, uint32_t *value)
{
	if (setting_number(text, value) && *value && *value <= most)
		return true;
	fprintf(stderr, "--%s is \"%s\"; it must be a number from 1 to %u\n", name, text, most);
	return false;
}

static bool take_option(struct command *command, int code, const char *text)
{
	uint32_t number;
	if (code < OPTION_ROOT || code > OPTION_PORT)
		return false;
	command->given |= 1U << code;
	switch ((enum option_code)code) {
	case OPTION_ROOT:
		command->root = text;
		break;
	case OPTION_NAME:
		command->make.name = text;
		break;
	case OPTION_OPERATORS:
		command->make.operators = text;
		break;
	case OPTION_READERS:
		command->make.readers = text;
		break;
	case OPTION_TIER:
		command->add.tier = text;
		break;
	case OPTION_STORAGE:
		return number_option("storage", text, UINT32_MAX, &command->add.storage_mib);
	case OPTION_PORT:
		if (!number_option("port", text, UINT16_MAX, &number))
			return false;
		command->add.port = (uint16_t)number;
		break;
	}
	return true;
}

/* An option that the verb does not know is a mistake, not something to pass over. */
static bool options_fit(const struct command *command)
{
	unsigned any = 1U << OPTION_ROOT, known = any;
	if (strcmp(command->verb, "create") == 0)
		known |= 1U << OPTION_NAME | 1U << OPTION_OPERATORS | 1U << OPTION_READERS;
	if (strcmp(command->verb, "add") == 0)
		known |= 1U << OPTION_TIER | 1U << OPTION_STORAGE | 1U << OPTION_PORT;
	if (command->given & ~known)
		fprintf(stderr, "%s does not take that option\n", command->verb);
	return !(command->given & ~known);
}

static bool read_command(int count, char **arguments, struct command *command)
{
	*command = (struct command){.root = MACHINE_ROOT};
	for (int code; (code = getopt_long(count, arguments, "", options, NULL)) != -1;)
		if (!take_option(command, code, optarg))
			return false;
	if (optind + 1 != count)
		return false;
	command->verb = arguments[optind];
	return options_fit(command);
}

static int create(const struct command *command)
{
	struct why why;
	bool made;
	if (!machine_make(command->root, &command->make, &made, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	printf("%s is a machine %s\n", command->root,
	       !made                  ? "already"
	       : programs_installed() ? "now; add a node to it"
				      : "now; put the programs into its bin, then add a node");
	return 0;
}

static int carry_out(const struct command *command, struct machine *machine)
{
	if (strcmp(command->verb, "run") == 0)
		return verb_run(machine);
	if (strcmp(command->verb, "start") == 0)
		return verb_start(machine);
	if (strcmp(command->verb, "stop") == 0)
		return verb_stop(machine);
	if (strcmp(command->verb, "check") == 0)
		return verb_check(machine);
	if (strcmp(command->verb, "add") == 0 && command->add.tier)
		return node_add(machine, &command->add);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* 0, 1 and 2 are open, so that nothing we open ourselves becomes somebody's stderr. */
static bool standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	return fd >= 0;
}

int main(int count, char **arguments)
{
	struct command command;
	struct machine machine;
	struct why why;
	signal(SIGCHLD, SIG_DFL); /* ignored by whoever started us, the kernel would bury our dead itself */
	if (!standard_descriptors())
		return 1;
	if (!read_command(count, arguments, &command)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(command.verb, "create") == 0)
		return create(&command);
	if (!machine_open(&machine, command.root, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	int code = carry_out(&command, &machine);
	machine_close(&machine);
	return code;
}
