/* `warren start|stop|restart|drain|reload`: what an operator may want of the declared topology, through the
 * steward. `warren add|up|down`: handed to warrend, the only program that makes users, folders and keys; for
 * root, or whoever owns ROOT. */
#include "actors/console/processes.h"
#include "actors/console/handover.h"
#include "actors/console/root.h"
#include "actors/console/target.h"
#include "actors/console/units.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- waiting for it -------------------------------------------------------------------------------------- */

enum { SETTLE_MS = 10000, LOOK_MS = 100 };

enum settled { NOT_YET, ALL_READY, NEVER };

/* Whether what was started is ready, or will not be without somebody's help. */
static enum settled settled(const struct steward_status_reply *status, const struct target *target)
{
	bool all = true;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		if (!in_target(target, &status->processes[i]))
			continue;
		enum process_state state = process_state(&status->processes[i]);
		if (state == PROCESS_PARKED || state == PROCESS_MISCONFIGURED || state == PROCESS_STUCK ||
		    state == PROCESS_LOCKED)
			return NEVER;
		all = all && state == PROCESS_READY;
	}
	return all ? ALL_READY : NOT_YET;
}

/* Says how the target stands; with `wait`, once it has settled. */
static enum ending say_after(struct console *console, struct client *client, const struct target *target,
			     bool wait)
{
	const uint64_t until = clock_ns() + SETTLE_MS * UINT64_C(1000000);
	for (;;) {
		struct question question = {.row = &row_steward_status, .kind = STEWARD};
		if (client_ask_one(client, &question) != ERR_OK)
			return complain_of(console, client, &question);
		enum settled now = wait ? settled(question.reply, target) : ALL_READY;
		if (now == NOT_YET && clock_ns() < until) {
			usleep(LOOK_MS * 1000);
			continue;
		}
		say_target(console, question.reply, target, now == ALL_READY);
		if (now != ALL_READY && !console->json)
			say(&console->err, "warren: not all of it is ready; warren status says why\n");
		return now == ALL_READY ? END_OK : END_FAILED;
	}
}

/* -- restarting those who carry the answer ----------------------------------------------------------------
 */

static uint32_t pid_of(struct client *client, const struct target *target)
{
	struct question question = {.row = &row_steward_status, .kind = STEWARD};
	if (client_ask_one(client, &question) != ERR_OK)
		return 0;
	const struct process_row *process = find_process(question.reply, target->kind, target->node);
	return process && process_ready(process) ? process->pid : 0;
}

/* The broker or the steward took the answer with it when it died: whether it was born again is to be seen. */
static bool reborn(struct client *client, const struct target *target, uint32_t old)
{
	char why[SENTENCE_TEXT];
	const uint64_t until = clock_ns() + SETTLE_MS * UINT64_C(1000000);
	while (clock_ns() < until) {
		if (!client->bus.broker_birth && client_welcome(client, SETTLE_MS, why) != END_OK)
			return false;
		uint32_t now = pid_of(client, target);
		if (now && now != old)
			return true;
		usleep(LOOK_MS * 1000);
	}
	return false;
}

static enum ending order_refused(struct console *console, const struct client *client,
				 const struct question *question, const struct target *target)
{
	char text[2 * SENTENCE_TEXT];
	if (question->err == ERR_DENIED)
		return complain_of(console, client, question);
	return complain(console, ending_of(question->err), err_name(question->err), "%s %s: %s",
			console->arguments.command, target->text,
			err_text(question->err, question->why, text));
}

static enum ending order_one(struct console *console, struct client *client, const struct call_row *row,
			     const struct target *target)
{
	_Static_assert(sizeof(struct steward_start) == sizeof(struct steward_stop) &&
			       sizeof(struct steward_start) == sizeof(struct steward_restart),
		       "the three have one shape: STEWARD_TARGET");
	struct steward_start request = {0};
	snprintf(request.target, sizeof request.target, "%s", target->text);
	struct question question = {.row = row, .kind = STEWARD, .request = &request};
	bool carrier = row == &row_steward_restart && (target->kind == BROKER || target->kind == STEWARD);
	uint32_t old = carrier ? pid_of(client, target) : 0;
	enum err err = client_ask_one(client, &question);
	bool unknown = err == ERR_GONE || err == ERR_LATE;
	if (err != ERR_OK && !(carrier && old && unknown && reborn(client, target, old)))
		return order_refused(console, client, &question, target);
	return say_after(console, client, target, row == &row_steward_start || row == &row_steward_restart);
}

/* Every node, many at once; the first that fails is complained of, when all have ended. */
static enum ending order_all(struct console *console, struct client *client, const struct call_row *row,
			     const struct target *all)
{
	const struct steward_status_reply *status = NULL;
	enum ending ending = ask_status(console, client, &status);
	if (ending != END_OK)
		return ending;
	struct question *questions = x_new_array(status->nodes_count, sizeof *questions);
	struct steward_start *requests = x_new_array(status->nodes_count, sizeof *requests);
	for (uint32_t i = 0; i < status->nodes_count; i++) {
		snprintf(requests[i].target, sizeof requests[i].target, "%u", status->nodes[i].node);
		questions[i] = (struct question){.row = row, .kind = STEWARD, .request = &requests[i]};
	}
	client_ask(client, questions, status->nodes_count, PATIENT);
	for (uint32_t i = 0; i < status->nodes_count && ending == END_OK; i++)
		if (questions[i].err != ERR_OK)
			ending = order_refused(console, client, &questions[i],
					       &(struct target){.text = requests[i].target});
	x_free(&questions);
	x_free(&requests);
	return ending == END_OK ? say_after(console, client, all, row != &row_steward_stop) : ending;
}

static enum ending order(struct console *console, const struct call_row *row)
{
	struct client client;
	struct target target = {0};
	enum ending ending = parse_target(console, &target);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	ending = (target.all ? order_all : order_one)(console, &client, row, &target);
	client_close(&client);
	return ending;
}

enum ending command_start(struct console *console)
{
	return order(console, &row_steward_start);
}

enum ending command_stop(struct console *console)
{
	return order(console, &row_steward_stop);
}

enum ending command_restart(struct console *console)
{
	return order(console, &row_steward_restart);
}

enum ending command_start_all(struct console *console)
{
	console->arguments.words[0] = "all";
	console->arguments.count = 1;
	return order(console, &row_steward_start);
}

enum ending command_reload(struct console *console)
{
	struct client client;
	struct question question = {.row = &row_steward_reload, .kind = STEWARD};
	enum ending ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	if (client_ask_one(&client, &question) != ERR_OK)
		ending = complain_of(console, &client, &question);
	else if (console->json)
		json_say(&console->out, json_pack("{s:b}", "ok", 1), false);
	else
		say(&console->out, "the configuration was read again\n");
	client_close(&client);
	return ending;
}

/* -- handing over to warrend ------------------------------------------------------------------------------
 */

/* Root must not run a program that somebody else could have put there. */
static bool trusted(int fd)
{
	struct stat file;
	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
		return false;
	return (file.st_uid == 0 || file.st_uid == geteuid()) && !(file.st_mode & (S_IWGRP | S_IWOTH));
}

/* ROOT/bin/NAME; of an installed warren, and while a machine has none yet, the one beside this program. To be executed: without root
 * nobody may read it (scripts/up). */
static int open_program(const char *root, const char *name, char *path, size_t room)
{
	char program[PATH_MAX], folder[PATH_MAX];
	bool known = program_path(program, sizeof program) && folder_of(program, folder, sizeof folder);
	snprintf(path, room, "%s/bin/%s", root, name);
	if (!known || !is_installed(program)) {
		int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 || errno != ENOENT || !known)
			return fd;
	}
	snprintf(path, room, "%s/%s", folder, name);
	return open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
}

/* One that is still to be restored belongs to nobody yet: whether we may make it, the kernel says. */
static bool may_make(const char *root, const char *verb)
{
	struct stat folder;
	if (geteuid() == 0)
		return true;
	if (stat(root, &folder) != 0)
		return errno == ENOENT && strcmp(verb, "restore") == 0;
	return folder.st_uid == geteuid();
}

/* Some verbs of warrend write JSON themselves. */
static bool writes_json(const char *const *argv)
{
	while (*argv && strcmp(*argv, "--json") != 0)
		argv++;
	return *argv != NULL;
}

/* With --json, what has none: runs it beside us, and tells what it said and how it ended. */
static enum ending run_beside(struct console *console, int program, const char *const *argv)
{
	int said[2], status = 0;
	char text[16384];
	size_t length = 0;
	if (pipe2(said, O_CLOEXEC) != 0)
		return complain(console, END_FAILED, "failed", "%s", strerror(errno));
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		if (dup2(said[1], STDOUT_FILENO) >= 0 && dup2(said[1], STDERR_FILENO) >= 0)
			fexecve(program, (char *const *)(uintptr_t)argv, environ);
		_exit(127);
	}
	close(said[1]);
	for (ssize_t got; child > 0 && (got = read(said[0], text + length, sizeof text - length)) != 0;) {
		if (got < 0 && errno != EINTR)
			break;
		length += got > 0 ? (size_t)got : 0;
		if (length == sizeof text) /* the rest is not told, and not waited for in a full pipe */
			length = sizeof text / 2;
	}
	close(said[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	int code = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 127;
	json_t *object = json_object();
	json_object_set_new(object, "ok", json_boolean(code == 0));
	json_object_set_new(object, "code", json_integer(code));
	json_object_set_new(object, "said", json_text(text, length));
	json_say(&console->out, object, false);
	return code ? END_FAILED : END_OK;
}

enum ending become(struct console *console, const char *const *argv)
{
	char path[PATH_MAX + 16];
	int fd = open_program(console->root, argv[0], path, sizeof path);
	if (fd < 0)
		return complain(console, END_FAILED, "failed", "%s: %s (scripts/up installs it)", path,
				strerror(errno));
	if (!trusted(fd))
		return complain(console, END_FAILED, "refused", "refused: %s can be written by others", path);
	if (console->json && !writes_json(argv))
		return run_beside(console, fd, argv);
	fflush(stdout);
	fexecve(fd, (char *const *)(uintptr_t)argv, environ);
	return complain(console, END_FAILED, "failed", "%s: %s", path, strerror(errno));
}

enum ending hand_over(struct console *console, const char *verb, const char *const *more)
{
	const char *argv[HANDED_MOST] = {"warrend", "--root", console->root, verb};
	for (unsigned i = 0; more[i] && i + 5 < sizeof argv / sizeof *argv; i++)
		argv[4 + i] = more[i];
	if (!may_make(console->root, verb))
		return complain(console, END_DENIED, "denied",
				"denied: only root, or whoever owns %s, may do that: sudo warren %s …",
				console->root, console->arguments.command);
	return become(console, argv);
}

/* On a scratch machine of its own, never on this one: nothing here needs to run. */
enum ending command_selftest(struct console *console)
{
	const char *argv[4] = {"warren-selftest"};
	unsigned count = 1;
	if (argument(&console->arguments, "verbose"))
		argv[count++] = "-v";
	if (argument(&console->arguments, "matrix"))
		argv[count++] = "--matrix";
	if (console->arguments.count && strcmp(console->arguments.words[0], "isolation") != 0)
		return complain(console, END_USAGE, "usage",
				"there is one selftest: warren selftest isolation");
	if (geteuid() != 0)
		return complain(
			console, END_DENIED, "denied",
			"denied: the selftest builds jails, which is root's: sudo warren selftest isolation");
	return become(console, argv);
}

/* What asks a person for a passphrase needs the terminal for itself. */
static enum ending hand_over_to_ask(struct console *console, const char *verb, const char *const *more)
{
	if (console->json)
		return complain(console, END_USAGE, "usage",
				"%s asks for a passphrase: it has no answer as JSON", verb);
	return hand_over(console, verb, more);
}

enum ending command_unlock(struct console *console)
{
	static const char *const none[] = {NULL};
	return hand_over_to_ask(console, "unlock", none);
}

enum ending command_export(struct console *console)
{
	const char *const more[] = {console->arguments.words[0], console->arguments.words[1], NULL};
	return hand_over_to_ask(console, "export", more);
}

enum ending command_up(struct console *console)
{
	static const char *const none[] = {NULL};
	return hand_over(console, "start", none);
}

enum ending command_down(struct console *console)
{
	static const char *const none[] = {NULL};
	return hand_over(console, "stop", none);
}
