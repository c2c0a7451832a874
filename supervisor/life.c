/* A process between the opening of its gate and its end: its report, its birth record, its beats, its
 * silence, its death, and what follows from that. Part of the supervisor; the only file that changes a
 * process's state while it is alive. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "supervisor/reasons_told.h"
#include "supervisor/birth.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_watched(struct supervisor *s, int *fd)
{
	if (*fd < 0)
		return;
	loop_unwatch(s->loop, *fd);
	close(*fd);
	*fd = -1;
}

void process_close_birth(struct supervisor *s, struct process *process)
{
	close_watched(s, &process->life);
	close_watched(s, &process->report);
	close_watched(s, &process->gate);
	close_watched(s, &process->record);
	close_watched(s, &process->pidfd);
	if (process->row->opens & FD_ROSTER)
		roster_close(s);
	if (process->row->opens & FD_CONTROL)
		control_close(s);
	if (process->row->opens & FD_LOGS)
		logs_close(s);
}

/* -- the report, the record -------------------------------------------------------------------- */

/* The program has begun and reads its birth record. Written only now, so that the record can say which walls
 * are missing, and the secret is in nobody's memory but the program's. */
static bool write_record(struct supervisor *s, struct process *process)
{
	struct {
		struct birth birth;
		char settings[SETTINGS_MAX];
	} record = {.birth = {.magic = BIRTH_MAGIC,
			      .version = BIRTH_VERSION,
			      .kind = (uint8_t)process->row->kind,
			      .node = process->node,
			      .pretend = (uint16_t)s->config->without,
			      .uid = process->uid,
			      .birth = process->birth,
			      .missing = process->missing}};
	const struct node_config *node = process->node ? config_node(s->config, process->node) : NULL;
	int length = config_told(s->config, node, process->row, record.settings, sizeof record.settings);
	if (length < 0 || (process->node && !node))
		return false;
	record.birth.settings_bytes = (uint32_t)length;
	dial_ports(s, process->row, record.birth.dials);
	memcpy(record.birth.routing, process->routing, sizeof record.birth.routing);
	if (place_has_secret(process->row->kind))
		unlock_derive(&s->unlock, process->row->kind, process->node, record.birth.secret);
	size_t whole = sizeof record.birth + (size_t)length;
	bool wrote = write(process->record, &record, whole) == (ssize_t)whole;
	wipe(&record, sizeof record);
	return wrote;
}

static void began(struct supervisor *s, struct process *process)
{
	char who[WHO_TEXT];
	close_watched(s, &process->report);
	if (!process->built)
		return; /* it failed, and said so; its end follows */
	if (!write_record(s, process))
		process_kill(s, process, "its birth record cannot be given to it");
	close_watched(s, &process->record);
	process->beat_ms = now_ms();
	for (unsigned wall = 0; wall < WALLS; wall++)
		if (process->missing & 1U << wall)
			reason_about(REASON_WALL_MISSING, (struct about){0}, wall_row(wall)->name,
				     "around %s and maybe others%s", process_text(process, who),
				     s->config->without & 1U << wall ? "; the configuration says without"
								     : "");
	log_info("process.begun", "process=%s pid=%d uid=%u missing=0x%x", process_text(process, who),
		 process->pid, process->uid, process->missing);
}

static void on_report(void *context, int fd, uint32_t events)
{
	(void)events;
	struct process *process = context;
	struct supervisor *s = process->supervisor;
	struct birth_report report;
	char who[WHO_TEXT];
	ssize_t got = read(fd, &report, sizeof report);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	s->dirty = true;
	if (got != sizeof report) {
		began(s, process);
		return;
	}
	process->built = report.step == JAIL_NONE;
	process->missing |= report.missing;
	if (!process->built)
		log_error("birth.failed", "process=%s pid=%d step=\"%s\" errno=\"%s\"",
			  process_text(process, who), process->pid, jail_step_name(report.step),
			  strerror(report.error));
	if (!process->built)
		reason_about(REASON_BIRTH_FAILED, process_about(process), "",
			     "its jail could not be built: %s: %s", jail_step_name(report.step),
			     strerror(report.error));
}

/* -- beats ------------------------------------------------------------------------------------- */

/* What a pulse may say; in the text of last words the same letters mean nothing. */
static bool pulsed(const char *bytes, size_t length, char what)
{
	const char *words = memchr(bytes, LIFE_WORDS, length);
	return memchr(bytes, what, words ? (size_t)(words - bytes) : length) != NULL;
}

static void on_life(void *context, int fd, uint32_t events)
{
	(void)events;
	struct process *process = context;
	struct supervisor *s = process->supervisor;
	char bytes[1024], who[WHO_TEXT]; /* beats, and once the last words */
	ssize_t got = read(fd, bytes, sizeof bytes);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) { /* it closed the pipe: it is dying, or it falls silent from here on */
		loop_unwatch(s->loop, fd);
		return;
	}
	process->beat_ms = now_ms();
	if (process->closed && !process->drained && pulsed(bytes, (size_t)got, LIFE_DRAINED)) {
		process->drained = true;
		s->dirty = true;
	}
	last_words(process, bytes, (size_t)got);
	if (process->row->kind == WALLET && pulsed(bytes, (size_t)got, LIFE_REFUSED))
		s->nodes[process->node].refused++;
	if (process->state == PROCESS_STARTING && pulsed(bytes, (size_t)got, LIFE_READY)) {
		process->state = PROCESS_READY;
		process->words = 0;
		process->ready_ms = process->beat_ms;
		reasons_end_of(process);
		log_info("process.ready", "process=%s pid=%d ms=%llu", process_text(process, who),
			 process->pid, (unsigned long long)(process->ready_ms - process->born_ms));
		s->dirty = true;
	}
}

/* -- the end ----------------------------------------------------------------------------------- */

/* Looks without reaping: until the broker knows, the pid must stay taken. */
static void look_for_end(struct supervisor *s, struct process *process)
{
	siginfo_t end = {0};
	char who[WHO_TEXT];
	if (process->dead || waitid(P_PID, (id_t)process->pid, &end, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    end.si_pid == 0)
		return;
	process->dead = true;
	process->died_ms = now_ms();
	if (process->life >= 0) /* its end may be seen before what it said last */
		on_life(process, process->life, EPOLLIN);
	process->last_end = end.si_code == CLD_EXITED ? end.si_status : -end.si_status;
	process_close_birth(s, process);
	process->state = process->wanted && !process->ending ? PROCESS_BACKOFF : PROCESS_STOPPING;
	process->next_ms = process->died_ms; /* how long it will wait is known when it is buried */
	s->roster.behind = s->dirty = true;
	bool asked = process->ending && (process->last_end == 0 || process->termed);
	log_line(asked ? LOG_INFO : LOG_WARN, "process.ended", "process=%s pid=%d %s=%d up_ms=%llu",
		 process_text(process, who), process->pid, process->last_end < 0 ? "signal" : "exit",
		 process->last_end < 0 ? -process->last_end : process->last_end,
		 (unsigned long long)(process->died_ms - process->born_ms));
}

static void on_end(void *context, int fd, uint32_t events)
{
	(void)fd, (void)events;
	struct process *process = context;
	look_for_end(process->supervisor, process);
}

static void bury(struct supervisor *s, struct process *process)
{
	char group[GROUP_TEXT];
	siginfo_t end;
	waitid(P_PID, (id_t)process->pid, &end, WEXITED | WNOHANG);
	limits_kill(&s->limits, limits_group(process->row->name, process->node, group));
	process->pid = 0;
	process->birth = 0;
	process->dead = false;
	process->pss_kib = 0;
	process_fell(s, process, true, process->last_end);
}

static void note_end(const struct process *process, const struct verdict *verdict, const struct death *death,
		     bool lived)
{
	char end[64];
	struct about about = process_about(process);
	about.next_in_ms = verdict->delay_ms;
	const char *signal_name = death->exit_code < 0 ? sigabbrev_np(-death->exit_code) : NULL;
	if (death->exit_code < 0)
		snprintf(end, sizeof end, "killed by signal %d (%s)", -death->exit_code,
			 signal_name ? signal_name : "?");
	else
		snprintf(end, sizeof end, "ended with code %d", death->exit_code);
	if (verdict->after == AFTER_CHANGE)
		reason_about(REASON_PROCESS_MISCONFIGURED, about, "", "it %s",
			     lived ? end : "could not be born");
	else if (verdict->after == AFTER_RESTART && verdict->delay_ms)
		reason_about(REASON_PROCESS_BACKS_OFF, about, "", "%s%s, %u in a row; it waits %llu ms",
			     lived ? "" : "its birth failed: ", end, process->streak.deaths,
			     (unsigned long long)verdict->delay_ms);
	else if (verdict->after == AFTER_RESTART)
		reason_about(REASON_PROCESS_DIED, about, "", "%s after %llu ms", end,
			     (unsigned long long)elapsed_ms(death->now_ms, process->born_ms));
	if (verdict->after == AFTER_PARK)
		reason_about(REASON_PROCESS_DIED, about, "", "%s, as its node had died too often already",
			     end);
}

/* Exit code, or minus a signal. Not `lived`: a birth that came to nothing, which is no death of its node. */
void process_fell(struct supervisor *s, struct process *process, bool lived, int exit_code)
{
	uint64_t now = now_ms();
	char who[WHO_TEXT];
	bool asked = process->ending;
	process->ending = false;
	process->last_end = exit_code;
	process->died_ms = now;
	s->dirty = s->logs.behind = true;
	if (asked || !process->wanted || s->stopping) {
		process->state = process->wanted ? PROCESS_WAITING : PROCESS_STOPPED;
		return;
	}
	struct death death = {.now_ms = now,
			      .was_ready = process->ready_ms != 0,
			      .ready_ms = process->ready_ms ? elapsed_ms(now, process->ready_ms) : 0,
			      .exit_code = exit_code};
	struct deaths *deaths = process->node && lived ? &s->nodes[process->node].deaths : NULL;
	uint32_t most = s->config->values[SETTING_park_deaths].number;
	struct verdict verdict = restart_after(&process->streak, deaths, most, &death);
	process->state = PROCESS_BACKOFF;
	process->next_ms = now + verdict.delay_ms;
	note_end(process, &verdict, &death, lived);
	if (verdict.after == AFTER_PARK)
		node_park(s, process->node);
	if (verdict.after == AFTER_CHANGE) {
		process->state = PROCESS_MISCONFIGURED;
		log_error("process.misconfigured",
			  "process=%s next=\"mend what its log says, then warren reload\"",
			  process_text(process, who));
	}
}

/* -- watching ---------------------------------------------------------------------------------- */

bool process_watch(struct supervisor *s, struct process *process)
{
	return loop_watch(s->loop, process->pidfd, EPOLLIN, on_end, process) &&
	       loop_watch(s->loop, process->life, EPOLLIN, on_life, process) &&
	       loop_watch(s->loop, process->report, EPOLLIN, on_report, process);
}

void process_kill(struct supervisor *s, struct process *process, const char *why)
{
	char who[WHO_TEXT];
	if (process->killed || !process->pid)
		return;
	log_warn("process.killed", "process=%s pid=%d why=\"%s\"", process_text(process, who), process->pid,
		 why);
	kill(process->pid, SIGKILL); /* not reaped by us, so the pid is still its own */
	process->killed = true;
	process->killed_ms = now_ms();
	s->dirty = true;
}

static void step_ending(struct supervisor *s, struct process *process, uint64_t now)
{
	if (!process->termed && stop_turn_has_come(s, process)) {
		process->state = PROCESS_STOPPING;
		process->termed = true;
		process->termed_ms = now;
		kill(process->pid, SIGTERM);
	}
	if (process->termed && !process->killed &&
	    elapsed_ms(now, process->termed_ms) > stop_grace_ms(s, process)) {
		process_kill(s, process, "it did not end in time");
		reason_about(REASON_PROCESS_UNGRACEFUL, process_about(process), "", "it had %llu ms to end",
			     (unsigned long long)stop_grace_ms(s, process));
	}
}

static void step_alive(struct supervisor *s, struct process *process, uint64_t now)
{
	uint64_t silence = elapsed_ms(now, process->beat_ms);
	char who[WHO_TEXT];
	if (process->killed) {
		look_for_end(s, process);
		if (!process->dead && process->state != PROCESS_STUCK &&
		    elapsed_ms(now, process->killed_ms) > KILL_PATIENCE_MS) {
			process->state = PROCESS_STUCK;
			reason_about(REASON_PROCESS_STUCK, process_about(process), "",
				     "killed %d s ago, and still there", KILL_PATIENCE_MS / 1000);
			log_error("process.stuck",
				  "process=%s pid=%d why=\"killed, and the kernel does not let go\"",
				  process_text(process, who), process->pid);
		}
	} else if (process->ending) {
		step_ending(s, process, now);
	} else if (process->state == PROCESS_READY && silence > LIFE_SILENCE_MS) {
		process_kill(s, process, "it was silent for 3 s");
		reason_about(REASON_PROCESS_SILENT, process_about(process), "",
			     "its last beat was %llu ms ago", (unsigned long long)silence);
	} else if (process->state == PROCESS_STARTING && silence > START_SILENCE_MS) {
		process_kill(s, process, "it did not become ready");
		reason_about(REASON_PROCESS_NOT_READY, process_about(process), "",
			     "no beat for %llu ms before it was ready", (unsigned long long)silence);
	}
}

static void step_absent(struct supervisor *s, struct process *process, uint64_t now)
{
	process->ending = false;
	if (!process->wanted) {
		if (process->state == PROCESS_LOCKED)
			reason_over_about(REASON_NODE_LOCKED, process_about(process), NULL);
		process->state = s->nodes[process->node].parked ? PROCESS_PARKED : PROCESS_STOPPED;
		if (process->row->opens & FD_HTTP) /* strangers are refused at once, not left waiting */
			close_watched(s, &process->listener);
		return;
	}
	bool due = process->state == PROCESS_WAITING ||
		   (process->state == PROCESS_BACKOFF && now >= process->next_ms);
	if (due && s->locked && place_has_secret(process->row->kind)) {
		process->state = PROCESS_LOCKED;
		reason_about(
			REASON_NODE_LOCKED, process_about(process), "",
			"its keys are sealed, and nobody has typed the passphrase since the machine began");
		return;
	}
	bool known = !kind_on_bus(process->row->kind) || s->roster.fd >= 0;
	if (due && known && !s->stopping && s->births < BIRTHS_AT_ONCE)
		process_begin(s, process);
}

void process_step(struct supervisor *s, struct process *process, uint64_t now)
{
	if (process->dead && roster_has_buried(s, process, now))
		bury(s, process);
	if (process->pid && !process->dead)
		step_alive(s, process, now);
	else if (!process->pid)
		step_absent(s, process, now);
}
