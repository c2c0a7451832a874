/* `warren doctor`: what is missing on this machine, and what to do about it. Asks every process; looks at the
 * clock and the disk itself. Ends 1 when something is bad. */
#include "actors/console/findings.h"
#include "actors/console/processes.h"
#include "actors/console/root.h"
#include "actors/console/units.h"
#include "proto/actor.h"
#include "proto/scribe.h"
#include "proto/store.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <time.h>

enum {
	FREE_BAD_MIB = 64, /* less is left on the disk of ROOT */
	FREE_WARN_MIB = 1024,
	CLOCK_WARN_MS =
		1000, /* FEATURES I15 asks for word of 30 s; the kernel's own estimate is better than that */
};
#define ZFS_SUPER_MAGIC 0x2fc12fc1 /* OpenZFS, include/sys/fs/zfs.h; not in the kernel's magic.h */

/* -- what the console sees itself ------------------------------------------------------------------------ */

/* The kernel's own estimate of its clock's error, as a time service told it (adjtimex(2); no privilege is
 * needed to read). */
static void look_at_clock(struct findings *findings)
{
	struct timex state = {.modes = 0};
	char error[UNIT_TEXT], program[4096];
	struct stat file;
	int synced = adjtimex(&state);
	uint64_t error_ms = state.maxerror > 0 ? (uint64_t)state.maxerror / 1000 : 0;
	if (program_path(program, sizeof program) && stat(program, &file) == 0 && time(NULL) < file.st_mtime)
		finding_add(findings, BAD, "set the clock; run a time service (chrony, systemd-timesyncd)",
			    "the clock is wrong: it is earlier than the day this program was installed");
	else if (synced == TIME_ERROR || state.status & STA_UNSYNC)
		finding_add(findings, WARN, "run a time service (chrony, systemd-timesyncd)",
			    "nobody tells the kernel the time, so the clock may drift");
	else if (error_ms > CLOCK_WARN_MS)
		finding_add(findings, WARN, "see what the time service says", "the clock may be wrong by %s",
			    duration_text(error_ms, error));
	else
		finding_add(findings, FINE, "", "clock within %s", duration_text(error_ms, error));
}

/* Where preallocated space is no promise (DESIGN 6): NULL when it is one. */
static const char *no_promise(const struct statfs *disk)
{
	unsigned long type = (unsigned long)disk->f_type;
	return type == TMPFS_MAGIC         ? "tmpfs"
	       : type == BTRFS_SUPER_MAGIC ? "btrfs"
	       : type == ZFS_SUPER_MAGIC   ? "zfs"
					   : NULL;
}

static void look_at_disk(struct findings *findings, const char *root)
{
	struct statfs disk;
	char left[UNIT_TEXT];
	if (statfs(root, &disk) != 0) {
		finding_add(findings, BAD, "", "%.100s cannot be looked at: %s", root, strerror(errno));
		return;
	}
	uint64_t free_mib = (uint64_t)disk.f_bavail * (uint64_t)disk.f_bsize >> 20;
	enum judged judged = free_mib < FREE_BAD_MIB ? BAD : free_mib < FREE_WARN_MIB ? WARN : FINE;
	finding_add(findings, judged, judged == FINE ? "" : "free space there",
		    "%s free on the disk of %.100s", size_text(free_mib << 20, left), root);
	if (no_promise(&disk))
		finding_add(findings, WARN, "put it on ext4 or xfs",
			    "%.100s is on %s, where reserved space may still run out", root,
			    no_promise(&disk));
}

/* -- what the processes say ------------------------------------------------------------------------------ */

struct answers {
	const struct steward_status_reply *status;
	struct question *pings, *limits, *stores, *scribes;
	unsigned ping_count, limit_count, store_count, scribe_count;
};

static void look_at_processes(struct findings *findings, const struct answers *answers)
{
	const struct steward_status_reply *status = answers->status;
	unsigned before = findings->bad + findings->warn;
	char who[WHO_TEXT], next[80];
	findings_of_processes(findings, status);
	for (unsigned i = 0; i < answers->ping_count; i++) {
		const struct question *ping = &answers->pings[i];
		if (ping->err == ERR_OK)
			continue;
		snprintf(next, sizeof next, "warren logs %s", who_text(ping->kind, ping->node, who));
		finding_add(findings, BAD, next, "%s is said to be ready and does not answer: %s", who,
			    err_name(ping->err));
	}
	if (before == findings->bad + findings->warn)
		finding_add(findings, FINE, "", "%u of %u processes are ready and answer",
			    status->processes_count, status->processes_count);
}

/* What the supervisor could not build, and what the process itself found missing when it sealed itself. */
static void look_at_walls(struct findings *findings, const struct answers *answers)
{
	const struct steward_status_reply *status = answers->status;
	uint32_t *missing = x_new_array(status->processes_count, sizeof *missing);
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		const struct actor_ping_reply *ping =
			answer_of(answers->pings, answers->ping_count, &row_actor_ping, process_kind(process),
				  process->node);
		missing[i] = process->missing | (ping ? ping->missing : 0);
	}
	findings_of_walls(findings, status, missing);
	x_free(&missing);
}

static void look_at_stores(struct findings *findings, const struct answers *answers)
{
	unsigned fine = 0, before = findings->bad + findings->warn;
	for (unsigned i = 0; i < answers->store_count; i++) {
		const struct question *store = &answers->stores[i];
		if (store->err != ERR_OK)
			continue; /* that it is silent was said already */
		findings_of_store(findings, store->node, store->reply);
		fine++;
	}
	if (fine && before == findings->bad + findings->warn)
		finding_add(findings, FINE, "", "%u of %u stores take writes", fine, answers->store_count);
}

static void look_at_limits(struct findings *findings, const struct answers *answers)
{
	unsigned seen = 0, before = findings->bad + findings->warn;
	char who[WHO_TEXT];
	for (unsigned i = 0; i < answers->limit_count; i++) {
		const struct question *question = &answers->limits[i];
		const struct actor_limits_reply *reply = question->reply;
		for (uint32_t j = 0; question->err == ERR_OK && j < reply->limits_count; j++, seen++)
			findings_of_limit(findings, who_text(question->kind, question->node, who),
					  &reply->limits[j]);
	}
	if (answers->status->broker_count)
		findings_of_broker(findings, &answers->status->broker[0]);
	if (before == findings->bad + findings->warn)
		finding_add(findings, FINE, "", "nothing is full, dropped or denied (%u bounds)", seen);
}

static void look_at_scribe(struct findings *findings, const struct answers *answers)
{
	unsigned before = findings->bad + findings->warn;
	const struct scribe_stat_reply *stat =
		answer_of(answers->scribes, answers->scribe_count, &row_scribe_stat, SCRIBE, 0);
	if (!stat)
		return;
	findings_of_scribe(findings, stat);
	if (before == findings->bad + findings->warn)
		finding_add(findings, FINE, "", "logs are written, none was dropped");
}

static void ask_all(struct client *client, struct answers *answers)
{
	answers->pings = ask_each(client, answers->status, &row_actor_ping, KIND_NONE, &answers->ping_count);
	answers->stores = ask_each(client, answers->status, &row_store_stat, STORE, &answers->store_count);
	answers->limits =
		ask_each(client, answers->status, &row_actor_limits, KIND_NONE, &answers->limit_count);
	answers->scribes =
		ask_each(client, answers->status, &row_scribe_stat, SCRIBE, &answers->scribe_count);
}

static void forget_all(struct answers *answers)
{
	x_free(&answers->pings);
	x_free(&answers->stores);
	x_free(&answers->limits);
	x_free(&answers->scribes);
}

/* -- the whole ----------------------------------------------------------------------------------------- */

static void say_findings(const struct console *console, struct findings *findings)
{
	findings_sort(findings);
	if (!console->json) {
		findings_say(findings, &console->out, true);
		return;
	}
	json_t *object = json_object();
	json_object_set_new(object, "ok", json_boolean(!findings->bad));
	json_object_set_new(object, "findings", findings_json(findings, true));
	json_say(&console->out, object, false);
}

/* What can be seen without a machine is still said when none runs. */
static enum ending without_machine(struct console *console, struct findings *findings, enum ending ending,
				   const char *why)
{
	look_at_disk(findings, console->root);
	look_at_clock(findings);
	finding_add(findings, BAD, ending == END_NO_MACHINE ? "warren up" : "", "%s", why);
	say_findings(console, findings);
	return ending;
}

enum ending command_doctor(struct console *console)
{
	struct client client;
	struct answers answers = {0};
	struct findings findings = {0};
	char why[SENTENCE_TEXT];
	enum ending ending =
		client_open(&client, console->root, WELCOME_MS, (struct slow){console_slow, console}, why);
	if (ending != END_OK)
		return without_machine(console, &findings, ending, why);
	ending = ask_status(console, &client, &answers.status);
	if (ending == END_OK) {
		ask_all(&client, &answers);
		look_at_processes(&findings, &answers);
		look_at_walls(&findings, &answers);
		look_at_stores(&findings, &answers);
		look_at_limits(&findings, &answers);
		look_at_scribe(&findings, &answers);
		look_at_disk(&findings, console->root);
		look_at_clock(&findings);
		say_findings(console, &findings);
		ending = findings.bad ? END_FAILED : END_OK;
		forget_all(&answers);
	}
	client_close(&client);
	return ending;
}
