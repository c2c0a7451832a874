/* warrend: the supervisor of one machine. Runs as root, or as an ordinary user with what remains then; links
 * no network code, parses no byte that came from one. When it dies everything it runs dies with it, and
 * nothing that was acknowledged is lost. */
#include "supervisor/add.h"
#include "supervisor/answer.h"
#include "supervisor/config_change.h"
#include "supervisor/backup/backup.h"
#include "supervisor/config_rows.h"
#include "supervisor/keystore.h"
#include "supervisor/machine.h"
#include "supervisor/make.h"
#include "supervisor/nodes.h"
#include "supervisor/passphrase.h"
#include "supervisor/verbs.h"

#include "proto/version.h"

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
	"  add [--tier T] [--storage MiB] [--port P] [--import FILE|-] [--json]  make a node, with its "
	"wallet and its "
	"store;\n"
	"           --import: a wallet key from a V3 keystore or a file of 64 hex digits, or - to be asked\n"
	"  info, list, tiers [--profile P], verify [--node N]        what there is and what it holds; "
	"[--json]\n"
	"  remove --node N [--yes] [--stop] [--destroy-keys ADDRESS] [--json]\n"
	"  reregister [--yes] [--json]                               the machine has a new id, on purpose\n"
	"  export N FILE|-                                           the wallet key of node N as V3 "
	"keystore\n"
	"  passphrase  put the unlock secret under a passphrase; with  unlock = \"ask\";  in "
	"etc/warren.conf\n"
	"  unlock      ask for it, and let the nodes of the running machine start\n"
	"  backup FILE [--blobs] [--replace] [--verify] [--passphrase-file F] [--json]   the machine in one "
	"sealed file, "
	"verified\n"
	"  restore FILE [--passphrase-file F] [--json]               the machine of a backup at DIR, which "
	"is missing or "
	"empty\n"
	"  start    run it in the background; returns when all is ready\n"
	"  run      run it in the foreground\n"
	"  stop     end it, in order, within 10 s\n"
	"  check    look for mistakes in its configuration\n"
	"  migrate  write an older configuration in today's words; what was stays beside it\n"
	"warrend --version\n";

enum option_code {
	OPTION_ROOT = 1,
	OPTION_NAME,
	OPTION_OPERATORS,
	OPTION_READERS,
	OPTION_TIER,
	OPTION_STORAGE,
	OPTION_PORT,
	OPTION_IMPORT,
	OPTION_NODE,
	OPTION_PROFILE,
	OPTION_DESTROY_KEYS,
	OPTION_YES,
	OPTION_STOP,
	OPTION_JSON,
	OPTION_BLOBS,
	OPTION_REPLACE,
	OPTION_VERIFY,
	OPTION_PASSPHRASE_FILE,
	OPTION_CODES
};

static const struct option options[] = {
	{"root", required_argument, NULL, OPTION_ROOT},
	{"name", required_argument, NULL, OPTION_NAME},
	{"operators", required_argument, NULL, OPTION_OPERATORS},
	{"readers", required_argument, NULL, OPTION_READERS},
	{"tier", required_argument, NULL, OPTION_TIER},
	{"storage", required_argument, NULL, OPTION_STORAGE},
	{"port", required_argument, NULL, OPTION_PORT},
	{"node", required_argument, NULL, OPTION_NODE},
	{"profile", required_argument, NULL, OPTION_PROFILE},
	{"destroy-keys", required_argument, NULL, OPTION_DESTROY_KEYS},
	{"yes", no_argument, NULL, OPTION_YES},
	{"stop", no_argument, NULL, OPTION_STOP},
	{"json", no_argument, NULL, OPTION_JSON},
	{"blobs", no_argument, NULL, OPTION_BLOBS},
	{"replace", no_argument, NULL, OPTION_REPLACE},
	{"verify", no_argument, NULL, OPTION_VERIFY},
	{"passphrase-file", required_argument, NULL, OPTION_PASSPHRASE_FILE},
	{"import", required_argument, NULL, OPTION_IMPORT},
	{NULL, 0, NULL, 0},
};

struct command {
	const char *root, *verb, *profile;
	struct make_request make;
	struct add_request add;
	struct remove_request remove;
	struct backup_request backup;
	const char *operands[2]; /* of export, backup, restore */
	unsigned given;          /* 1 << OPTION_ */
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
	if (code < OPTION_ROOT || code >= OPTION_CODES)
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
	case OPTION_NODE:
		if (!number_option("node", text, NODES_MAX, &number))
			return false;
		command->remove.node = (uint16_t)number;
		break;
	case OPTION_PROFILE:
		command->profile = text;
		break;
	case OPTION_DESTROY_KEYS:
		command->remove.destroy_keys = text;
		break;
	case OPTION_IMPORT:
		command->add.import = text;
		break;
	case OPTION_PASSPHRASE_FILE:
		command->backup.passphrase_file = text;
		break;
	case OPTION_BLOBS:
	case OPTION_REPLACE:
	case OPTION_VERIFY:
	case OPTION_YES:
	case OPTION_STOP:
	case OPTION_JSON: /* given is all there is to know */
	case OPTION_CODES:
		break;
	}
	return true;
}

#define GIVEN(option) (1U << OPTION_##option)

/* Each verb with the options that it knows; any other is a mistake, not something to pass over. */
static const struct {
	const char *verb;
	unsigned known;
	int operands;
} verbs[] = {
	{"export", 0, 2},
	{"backup", GIVEN(BLOBS) | GIVEN(REPLACE) | GIVEN(VERIFY) | GIVEN(PASSPHRASE_FILE) | GIVEN(JSON), 1},
	{"restore", GIVEN(PASSPHRASE_FILE) | GIVEN(JSON), 1},
	{"create", GIVEN(NAME) | GIVEN(OPERATORS) | GIVEN(READERS)},
	{"add", GIVEN(TIER) | GIVEN(STORAGE) | GIVEN(PORT) | GIVEN(IMPORT) | GIVEN(JSON)},
	{"info", GIVEN(JSON)},
	{"list", GIVEN(JSON)},
	{"tiers", GIVEN(PROFILE) | GIVEN(JSON)},
	{"verify", GIVEN(NODE) | GIVEN(JSON)},
	{"remove", GIVEN(NODE) | GIVEN(YES) | GIVEN(STOP) | GIVEN(DESTROY_KEYS) | GIVEN(JSON)},
	{"reregister", GIVEN(YES) | GIVEN(JSON)},
};

static bool options_fit(struct command *command)
{
	unsigned known = GIVEN(ROOT);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		known |= strcmp(command->verb, verbs[i].verb) == 0 ? verbs[i].known : 0;
	if (command->given & ~known)
		fprintf(stderr, "%s does not take that option\n", command->verb);
	command->remove.yes = command->given & GIVEN(YES);
	command->remove.stop = command->given & GIVEN(STOP);
	command->remove.json = command->add.json = command->backup.json = command->given & GIVEN(JSON);
	command->backup.file = command->operands[0];
	command->backup.blobs = command->given & GIVEN(BLOBS);
	command->backup.replace = command->given & GIVEN(REPLACE);
	command->backup.verify = command->given & GIVEN(VERIFY);
	return !(command->given & ~known);
}

static bool read_command(int count, char **arguments, struct command *command)
{
	*command = (struct command){.root = MACHINE_ROOT};
	for (int code; (code = getopt_long(count, arguments, "", options, NULL)) != -1;)
		if (!take_option(command, code, optarg))
			return false;
	if (optind >= count)
		return false;
	command->verb = arguments[optind];
	int operands = count - optind - 1, wanted = 0;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		wanted += strcmp(command->verb, verbs[i].verb) == 0 ? verbs[i].operands : 0;
	if (operands != wanted)
		return false;
	for (int i = 0; i < operands; i++)
		command->operands[i] = arguments[optind + 1 + i];
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
	if (strcmp(command->verb, "migrate") == 0)
		return verb_migrate(machine);
	if (strcmp(command->verb, "add") == 0 && (command->add.tier || answer_asks(command->add.json)))
		return node_add(machine, &command->add);
	if (strcmp(command->verb, "info") == 0)
		return nodes_info(machine, command->remove.json);
	if (strcmp(command->verb, "list") == 0)
		return nodes_list(machine, command->remove.json);
	if (strcmp(command->verb, "verify") == 0)
		return nodes_verify(machine, command->remove.node, command->remove.json);
	if (strcmp(command->verb, "remove") == 0 && command->remove.node)
		return node_remove(machine, &command->remove);
	if (strcmp(command->verb, "reregister") == 0)
		return machine_reregister(machine,
					  &(struct reregister_request){.yes = command->remove.yes,
								       .json = command->remove.json});
	if (strcmp(command->verb, "passphrase") == 0)
		return verb_passphrase(machine);
	if (strcmp(command->verb, "unlock") == 0)
		return verb_unlock(machine);
	if (strcmp(command->verb, "export") == 0)
		return keystore_export(machine, command->operands[0], command->operands[1]);
	if (strcmp(command->verb, "backup") == 0)
		return backup_save(machine, &command->backup);
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
		return perror("/dev/null"), 1;
	if (count == 2 && strcmp(arguments[1], "--version") == 0)
		return puts("warrend " WARREN_VERSION) < 0 || fflush(stdout) != 0;
	if (!read_command(count, arguments, &command)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(command.verb, "create") == 0)
		return create(&command);
	if (strcmp(command.verb, "tiers") == 0)
		return nodes_tiers(command.profile, command.remove.json);
	if (strcmp(command.verb, "restore") == 0)
		return backup_restore(command.root, &command.backup);
	if (strcmp(command.verb, "backup") == 0 && command.backup.verify)
		return backup_verify(command.root, &command.backup);
	if (!machine_open(&machine, command.root, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	int code = carry_out(&command, &machine);
	machine_close(&machine);
	return code;
}
