/* Runs `warren-wallet --init` and `warren-store --init`: the same jail and uid as in life, no bus, the
 * terminal as descriptor 0 where one is wanted, stdout to the caller. Waits for the end, unlike the rest of
 * the supervisor: nothing else is going on. Control groups are left out, as one import of a keystore needs
 * more memory than a life of signing. */
#include "supervisor/add.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "supervisor/birth.h"
#include "supervisor/config.h"
#include "supervisor/room.h"
#include "supervisor/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INIT_FILE_MIB = 64 };

struct initial {
	const struct machine *machine;
	const struct unlock *unlock;
	const struct config *config;
	const struct node_config *node;
	const struct actor_row *row;
	struct init_how how;
	int program, self, null, record[2], out[2];
	bool readable;
	char self_path[PATH_TEXT + ROOT_TEXT], run_path[ROOT_TEXT + 8];
};

static bool open_initial(struct initial *in, struct why *why)
{
	char place[PATH_TEXT];
	in->program = program_open(in->machine, in->row->kind, &in->readable, why);
	in->self = in->program < 0 ? -1 : place_open(in->machine, in->row->kind, in->node->node, why);
	if (in->self < 0)
		return false;
	in->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (in->null < 0 || pipe2(in->record, O_CLOEXEC) != 0 || pipe2(in->out, O_CLOEXEC) != 0)
		return refuse(why, "cannot begin: %s", strerror(errno));
	snprintf(in->self_path, sizeof in->self_path, "%s/%s", in->machine->root,
		 place_path(in->row->kind, in->node->node, place));
	snprintf(in->run_path, sizeof in->run_path, "%s/run", in->machine->root);
	return true;
}

static void close_initial(struct initial *in)
{
	int fds[] = {in->program, in->self, in->null, in->record[0], in->record[1], in->out[0], in->out[1]};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static struct birth_plan plan_of(const struct initial *in)
{
	uint32_t uid = machine_uid(in->machine, in->row->kind, in->node->node);
	uint64_t files = (uint64_t)INIT_FILE_MIB << 20;
	if (in->row->kind == STORE)
		files += store_takes(in->node->values[SETTING_quota_mb].number);
	return (struct birth_plan){.row = in->row,
				   .init = true,
				   .in = in->how.terminal ? STDIN_FILENO : in->null,
				   .out = in->out[1],
				   .log = STDERR_FILENO,
				   .life = in->null,
				   .record = in->record[0],
				   .extra = in->how.file,
				   .jail = {.as_root = in->machine->as_root,
					    .uid = uid,
					    .gid = in->machine->as_root ? uid : in->machine->own_gid,
					    .without = in->config->without,
					    .root = in->machine->root,
					    .self = in->self_path,
					    .run = in->run_path,
					    .self_fd = in->self,
					    .run_fd = in->machine->run,
					    .program = in->program,
					    .files = in->row->files,
					    .file_bytes = files,
					    .supervisor = getpid()}};
}

/* Until the program has begun. */
static bool wait_for_exec(const struct newborn *newborn, struct birth_report *report, struct why *why)
{
	*report = (struct birth_report){.step = JAIL_GATE};
	for (;;) {
		struct birth_report next;
		struct pollfd wait = {.fd = newborn->report, .events = POLLIN};
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return refuse(why, "cannot wait for it: %s", strerror(errno));
		ssize_t got = read(newborn->report, &next, sizeof next);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got != sizeof next)
			return report->step == JAIL_NONE ||
			       refuse(why, "it failed at: %s (%s)", jail_step_name(report->step),
				      strerror(report->error));
		*report = next;
	}
}

static bool write_initial(const struct initial *in, uint32_t missing)
{
	struct {
		struct birth birth;
		char settings[SETTINGS_MAX];
	} record = {.birth = {.magic = BIRTH_MAGIC,
			      .version = BIRTH_VERSION,
			      .kind = (uint8_t)in->row->kind,
			      .flags = BIRTH_INIT | in->how.flags,
			      .node = in->node->node,
			      .pretend = (uint16_t)in->config->without,
			      .uid = machine_uid(in->machine, in->row->kind, in->node->node),
			      .missing = missing}};
	int length = config_told(in->config, in->node, in->row, record.settings, sizeof record.settings);
	if (length < 0)
		return false;
	record.birth.settings_bytes = (uint32_t)length;
	random_bytes(&record.birth.birth, sizeof record.birth.birth);
	record.birth.birth |= 1;
	if (place_has_secret(in->row->kind))
		unlock_derive(in->unlock, in->row->kind, in->node->node, record.birth.secret);
	size_t whole = sizeof record.birth + (size_t)length;
	bool wrote = write(in->record[1], &record, whole) == (ssize_t)whole;
	wipe(&record, sizeof record);
	return wrote;
}

/* A line "name value" of what it says, as it passes. */
static void take_line(const char *line, const char *name, char *value, size_t room)
{
	size_t length = strlen(name);
	if (strncmp(line, name, length) == 0 && line[length] == ' ')
		snprintf(value, room, "%s", line + length + 1);
}

/* Shows what it says at once (it may be asking something), and keeps the lines that the caller wants. */
static void relay(struct initial *in, struct init_said *said)
{
	char bytes[256], line[128];
	size_t length = 0;
	ssize_t got;
	close(in->out[1]);
	in->out[1] = -1;
	while ((got = read(in->out[0], bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)) {
		if (got > 0 && !said->quiet && write(STDOUT_FILENO, bytes, (size_t)got) != got)
			said->quiet = true; /* nobody listens */
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] != '\n') {
				line[length] = bytes[i];
				length += length + 1 < sizeof line;
				continue;
			}
			line[length] = '\0';
			length = 0;
			take_line(line, "address", said->address, sizeof said->address);
			take_line(line, "peer", said->peer, sizeof said->peer);
			take_line(line, "store", said->store, sizeof said->store);
			take_line(line, "blobs", said->blobs, sizeof said->blobs);
			take_line(line, "bytes", said->bytes, sizeof said->bytes);
			take_line(line, "listed", said->listed, sizeof said->listed);
			take_line(line, "damaged", said->damaged, sizeof said->damaged);
		}
	}
}

static bool run(struct initial *in, struct why *why)
{
	struct newborn newborn;
	struct birth_report report;
	struct birth_plan plan = plan_of(in);
	int status = 0;
	if (!birth_fork(&plan, &newborn))
		return refuse(why, "no process: %s", strerror(errno));
	ssize_t opened = write(newborn.gate, "", 1);
	(void)opened; /* to one who died meanwhile: the report ends */
	close(newborn.gate);
	bool fine = wait_for_exec(&newborn, &report, why);
	if (fine && !write_initial(in, report.missing | (in->readable ? 1U << WALL_DUMPABLE : 0)))
		fine = refuse(why, "its birth record cannot be given to it");
	close(newborn.report);
	close(in->record[1]);
	in->record[1] = -1;
	struct why unheard;
	bool talked = !in->how.talk || in->how.talk(in->how.context, fine ? why : &unheard);
	relay(in, in->how.said);
	while (waitpid(newborn.pid, &status, 0) < 0 && errno == EINTR)
		;
	close(newborn.pidfd);
	if (fine && talked && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		fine = refuse(why, "it ended by %s %d", WIFEXITED(status) ? "exit code" : "signal",
			      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return fine && talked;
}

bool init_run(const struct machine *machine, const struct unlock *unlock, const struct config *config,
	      const struct node_config *node, enum kind kind, const struct init_how *how, struct why *why)
{
	struct initial in = {.machine = machine,
			     .unlock = unlock,
			     .config = config,
			     .node = node,
			     .row = actor_row(kind),
			     .how = *how,
			     .program = -1,
			     .self = -1,
			     .null = -1,
			     .record = {-1, -1},
			     .out = {-1, -1}};
	struct why inner = {"?"};
	fflush(stdout);
	bool fine = open_initial(&in, &inner) && run(&in, &inner);
	close_initial(&in);
	return fine || refuse(why, "warren-%s --init: %s", in.row->name, inner.text);
}
