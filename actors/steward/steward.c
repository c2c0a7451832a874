/* steward: carries what people ask of the machine to the supervisor, and the answer back; and keeps the
 * alerts. One per machine, as its own uid; touches the bus, one socket to the supervisor, and one file. It
 * decides nothing about the machine: who asked goes along, as the kernel told the broker, and the supervisor
 * checks that again.
 *
 * When it dies, asks under way end `gone`: whether they happened is not known, and every one of them may be
 * asked again. Alerts are in its file, and who raised one says it again. */
#include "actors/base/actor.h"
#include "actors/base/crypto/crypto.h"
#include "actors/steward/alert_lines.h"
#include "actors/steward/control.h"
#include "actors/steward/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	EXPIRE_MS = 250,
	CARRY_MS = 15000, /* the supervisor gives alert_command ten seconds */
	LOOK_MS = 1000,   /* at the supervisor's rows, at the clock, at what is to be written */
};

struct steward {
	struct actor *actor;
	struct control *control;
	struct alerts *alerts;
	struct rules *rules;
	int file;               /* of the alerts; -1: none, they are kept in memory alone */
	bool looking, carrying; /* the supervisor was asked, and has not answered */
	uint64_t next_ms;       /* look at the rows no sooner */
	uint64_t dropped;       /* alerts, when last looked at */
	uint64_t carried;       /* seq that alert_command has now */
};

/* -- answers ----------------------------------------------------------------------------------- */

static void answer_changes(struct call *call, enum control_verb verb)
{
	switch (verb) {
	case CONTROL_START:
		reply_steward_start(call, &(struct steward_start_reply){});
		return;
	case CONTROL_STOP:
		reply_steward_stop(call, &(struct steward_stop_reply){});
		return;
	case CONTROL_RESTART:
		reply_steward_restart(call, &(struct steward_restart_reply){});
		return;
	case CONTROL_RELOAD:
		reply_steward_reload(call, &(struct steward_reload_reply){});
		return;
	case CONTROL_STATUS:
	case CONTROL_DRAIN:
	case CONTROL_INFO:
	case CONTROL_VERIFY:
	case CONTROL_ALLOCATE:
	case CONTROL_DRAINS:
	case CONTROL_REASONS:
	case CONTROL_LIMITS:
	case CONTROL_VERBS:
		break;
	}
	bug("a verb that was never asked");
}

/* False: the verb answers nothing but that it was done. */
static bool answer_looks(struct call *call, enum control_verb verb, const char *why,
			 const struct control_answer *answer)
{
	static const struct steward_info_reply none;
	const struct view reason = {why, (uint32_t)strlen(why)};
	if (verb == CONTROL_STATUS)
		reply_steward_status(call, answer->status);
	else if (verb == CONTROL_INFO)
		reply_steward_info(call, answer->info ? answer->info : &none);
	else if (verb == CONTROL_VERIFY)
		reply_steward_verify(call, &(struct steward_verify_reply){answer->holdings, answer->count});
	else if (verb == CONTROL_ALLOCATE)
		reply_steward_room(call, &(struct steward_room_reply){answer->may, reason});
	else if (verb == CONTROL_DRAIN)
		reply_steward_drain(call, &(struct steward_drain_reply){strcmp(why, "already") == 0});
	else if (verb == CONTROL_DRAINS)
		reply_steward_drains(call, &(struct steward_drains_reply){answer->drains, answer->count});
	else if (verb == CONTROL_REASONS)
		reply_steward_reasons(call, &(struct steward_reasons_reply){answer->reasons, answer->count});
	else if (verb == CONTROL_LIMITS)
		reply_steward_limits(call, &(struct steward_limits_reply){answer->limits, answer->count});
	else
		return false;
	return true;
}

static void ended(void *context, enum control_verb verb, enum err err, const char *why,
		  const struct control_answer *answer)
{
	struct call *call = context;
	if (err != ERR_OK)
		call_fail_why(call, err, why);
	else if (!answer_looks(call, verb, why, answer))
		answer_changes(call, verb);
}

/* -- asks -------------------------------------------------------------------------------------- */

static enum err carry_amount(struct actor *actor, struct call *call, enum control_verb verb,
			     struct target target, uint32_t amount, const struct call_row *row)
{
	struct steward *self = actor_state(actor);
	struct asker asker = call_asker(call);
	/* A process that may look (meter) has a reader's authority there, and no row gives it more. */
	enum kind authority = asker.kind == OPERATOR ? OPERATOR : READER;
	struct wish wish = {verb, target, asker.uid, authority, amount};
	return control_ask(self->control, &wish, now_ms() + row->deadline_ms, ended, call);
}

static enum err carry(struct actor *actor, struct call *call, enum control_verb verb, struct target target,
		      const struct call_row *row)
{
	return carry_amount(actor, call, verb, target, 0, row);
}

static enum err carry_target(struct actor *actor, struct call *call, enum control_verb verb, const char *text,
			     const struct call_row *row)
{
	struct target target;
	if (target_parse(text, &target))
		return carry(actor, call, verb, target, row);
	call_fail_why(call, ERR_BAD_VALUE,
		      "no such target; \"wallet@2\", \"broker\" and \"2\" (all of node 2) are targets");
	return ERR_KEPT;
}

enum err on_steward_status(struct actor *actor, struct call *call, const struct steward_status *in,
			   struct steward_status_reply *out)
{
	(void)in, (void)out;
	return carry(actor, call, CONTROL_STATUS, (struct target){0}, &row_steward_status);
}

enum err on_steward_reasons(struct actor *actor, struct call *call, const struct steward_reasons *in,
			    struct steward_reasons_reply *out)
{
	(void)in, (void)out;
	return carry(actor, call, CONTROL_REASONS, (struct target){0}, &row_steward_reasons);
}

enum err on_steward_limits(struct actor *actor, struct call *call, const struct steward_limits *in,
			   struct steward_limits_reply *out)
{
	(void)in, (void)out;
	return carry(actor, call, CONTROL_LIMITS, (struct target){0}, &row_steward_limits);
}

enum err on_steward_reload(struct actor *actor, struct call *call, const struct steward_reload *in,
			   struct steward_reload_reply *out)
{
	(void)in, (void)out;
	return carry(actor, call, CONTROL_RELOAD, (struct target){0}, &row_steward_reload);
}

enum err on_steward_start(struct actor *actor, struct call *call, const struct steward_start *in,
			  struct steward_start_reply *out)
{
	(void)out;
	return carry_target(actor, call, CONTROL_START, in->target, &row_steward_start);
}

enum err on_steward_stop(struct actor *actor, struct call *call, const struct steward_stop *in,
			 struct steward_stop_reply *out)
{
	(void)out;
	return carry_target(actor, call, CONTROL_STOP, in->target, &row_steward_stop);
}

enum err on_steward_restart(struct actor *actor, struct call *call, const struct steward_restart *in,
			    struct steward_restart_reply *out)
{
	(void)out;
	return carry_target(actor, call, CONTROL_RESTART, in->target, &row_steward_restart);
}

enum err on_steward_drain(struct actor *actor, struct call *call, const struct steward_drain *in,
			  struct steward_drain_reply *out)
{
	(void)out;
	return carry_amount(actor, call, CONTROL_DRAIN, (struct target){.node = in->node}, in->within_ms,
			    &row_steward_drain);
}

enum err on_steward_drains(struct actor *actor, struct call *call, const struct steward_drains *in,
			   struct steward_drains_reply *out)
{
	(void)in, (void)out;
	return carry(actor, call, CONTROL_DRAINS, (struct target){0}, &row_steward_drains);
}

enum err on_steward_info(struct actor *actor, struct call *call, const struct steward_info *in,
			 struct steward_info_reply *out)
{
	(void)in, (void)out;
	return carry(actor, call, CONTROL_INFO, (struct target){0}, &row_steward_info);
}

enum err on_steward_verify(struct actor *actor, struct call *call, const struct steward_verify *in,
			   struct steward_verify_reply *out)
{
	(void)out;
	return carry(actor, call, CONTROL_VERIFY, (struct target){.node = in->node}, &row_steward_verify);
}

enum err on_steward_room(struct actor *actor, struct call *call, const struct steward_room *in,
			 struct steward_room_reply *out)
{
	(void)out;
	return carry_amount(actor, call, CONTROL_ALLOCATE, (struct target){0}, in->storage_mb,
			    &row_steward_room);
}

/* -- alerts ------------------------------------------------------------------------------------ */

static struct alert_moment moment(void)
{
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct alert_moment){now_ms(), (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000};
}

/* Every piece of news is a line in the log and an event. */
static void on_news(void *context, const struct alert_news *news)
{
	struct steward *self = context;
	const struct alert_row *row = alert_row(news->code);
	char subject[WHO_TEXT], detail[ALERT_DETAIL + 1];
	log_line(alert_loudness(news), "alert",
		 "change=%s id=%" PRIu64
		 " code=%s severity=%s subject=\"%s\" what=\"%s\" detail=\"%s\" next=\"%s\"",
		 alert_change_name(news->change), news->id, row->name, alert_severity_name(row->severity),
		 alert_subject(news->kind, news->node, subject), row->what, alert_quotable(news, detail),
		 row->next);
	struct steward_alerted event = ALERT_NEWS(news);
	snprintf(event.detail, sizeof event.detail, "%s", news->detail);
	publish_steward_alerted(self->actor, &event);
}

/* At once, so that nothing that was told, and nobody who has seen it, is forgotten with us. */
static void save(struct steward *self)
{
	if (self->file < 0 || !alerts_unsaved(self->alerts) || alerts_save(self->alerts, self->file))
		return;
	log_warn("alerts.file", "errno=%d then=\"they are kept in memory\"", errno);
}

/* Only about themselves, and only what is theirs to say. */
enum err on_steward_alert(struct actor *actor, struct call *call, const struct steward_alert *in,
			  struct steward_alert_reply *out)
{
	(void)out;
	struct steward *self = actor_state(actor);
	struct asker asker = call_asker(call);
	const struct alert_row *row = alert_row(in->code);
	struct alert_moment now = moment();
	struct alert_claim claim = {in->code, asker.node, (uint8_t)asker.kind, in->detail};
	bool birth = !in->code && in->over;
	if (!birth && (!row || !(row->by >> asker.kind & 1)))
		return ERR_REFUSED;
	if (birth)
		alerts_born(self->alerts, asker.kind, asker.node, &now);
	else if (in->over)
		alerts_clear(self->alerts, in->code, asker.kind, asker.node, &now);
	else
		alerts_raise(self->alerts, &claim, true, &now);
	save(self);
	return ERR_OK;
}

enum err on_steward_alerts(struct actor *actor, struct call *call, const struct steward_alerts *in,
			   struct steward_alerts_reply *out)
{
	(void)in;
	struct steward *self = actor_state(actor);
	const struct alerts_counts *counts = alerts_counts(self->alerts);
	struct alert_line *lines = arena_take(call_arena(call), ALERTS_MAX * sizeof *lines);
	out->alerts_count = alert_lines(self->alerts, lines);
	out->alerts = lines;
	out->raised = counts->raised;
	out->cleared = counts->cleared;
	out->dropped = counts->dropped;
	out->muted = counts->muted;
	out->news = alerts_newest(self->alerts);
	out->delivered = alerts_place(self->alerts, CARRY_WEBHOOK);
	return ERR_OK;
}

enum err on_steward_ack(struct actor *actor, struct call *call, const struct steward_ack *in,
			struct steward_ack_reply *out)
{
	(void)out;
	struct steward *self = actor_state(actor);
	struct alert_moment now = moment();
	enum err err = alerts_ack(self->alerts, in->id, call_asker(call).uid, &now);
	save(self);
	return err;
}

enum err on_steward_news(struct actor *actor, struct call *call, const struct steward_news *in,
			 struct steward_news_reply *out)
{
	struct steward *self = actor_state(actor);
	struct alert_news news[NEWS_AT_ONCE];
	alerts_delivered(self->alerts, CARRY_WEBHOOK, in->delivered);
	unsigned count = alerts_news(self->alerts, CARRY_WEBHOOK, news);
	save(self);
	struct news_row *rows = arena_take(call_arena(call), NEWS_AT_ONCE * sizeof *rows);
	for (unsigned i = 0; i < count; i++) {
		rows[i] = (struct news_row)ALERT_NEWS(&news[i]);
		snprintf(rows[i].detail, sizeof rows[i].detail, "%s", news[i].detail);
	}
	out->news = rows;
	out->news_count = count;
	out->delivered = alerts_place(self->alerts, CARRY_WEBHOOK);
	return ERR_OK;
}

/* -- looking ----------------------------------------------------------------------------------- */

static void looked(void *context, enum control_verb verb, enum err err, const char *why,
		   const struct control_answer *answer)
{
	(void)verb, (void)why;
	struct steward *self = context;
	struct alert_moment now = moment();
	self->looking = false;
	if (err == ERR_OK) {
		/* rows cost something: a machine of 1,500 processes is looked at every four seconds */
		self->next_ms = now.ms + 2 * answer->status->processes_count;
		rules_look(self->rules, answer->status, self->alerts, &now);
	}
	save(self);
}

static void look_at_drops(struct steward *self, const struct alert_moment *now)
{
	char detail[80];
	uint64_t dropped = alerts_counts(self->alerts)->dropped;
	if (dropped == self->dropped)
		return;
	self->dropped = dropped;
	snprintf(detail, sizeof detail, "%" PRIu64 " since the steward began", dropped);
	alerts_raise(self->alerts, &(struct alert_claim){ALERT_ALERTS_DROPPED, 0, KIND_NONE, detail}, false,
		     now);
}

static void look_at_clock(struct steward *self, const struct alert_moment *now)
{
	char detail[80];
	int64_t step = rules_clock(self->rules, now);
	snprintf(detail, sizeof detail, "by %+" PRId64 " ms", step);
	if (step)
		alerts_raise(self->alerts, &(struct alert_claim){ALERT_CLOCK_STEPPED, 0, KIND_NONE, detail},
			     false, now);
}

/* One at a time, each once: what failed is said, and not repeated. What found the supervisor busy is. */
static void carried(void *context, enum control_verb verb, enum err err, const char *why,
		    const struct control_answer *answer)
{
	(void)verb, (void)answer;
	struct steward *self = context;
	struct alert_moment now = moment();
	self->carrying = false;
	if (err == ERR_BUSY)
		return;
	alerts_delivered(self->alerts, CARRY_COMMAND, self->carried);
	save(self);
	const char *detail = *why ? why : err_name(err);
	struct alert_claim claim = {ALERT_COMMAND_FAILED, 0, KIND_NONE, detail};
	if (err != ERR_OK)
		alerts_raise(self->alerts, &claim, false, &now);
}

static void carry_news(struct steward *self, const struct alert_moment *now)
{
	struct alert_news news[NEWS_AT_ONCE];
	if (self->carrying || !alerts_news(self->alerts, CARRY_COMMAND, news))
		return;
	self->carried = news[0].seq;
	self->carrying =
		control_carry(self->control, &news[0], now->ms + CARRY_MS, carried, self) == ERR_KEPT;
}

static void look(struct actor *actor, void *context)
{
	(void)context;
	struct steward *self = actor_state(actor);
	struct alert_moment now = moment();
	look_at_clock(self, &now);
	look_at_drops(self, &now);
	alerts_tick(self->alerts, &now);
	if (!*actor_setting(actor, "alert_command"))
		alerts_absent(self->alerts, CARRY_COMMAND);
	else
		carry_news(self, &now);
	struct wish wish = {.verb = CONTROL_STATUS, .uid = getuid(), .authority = READER};
	if (!self->looking && now.ms >= self->next_ms)
		self->looking = control_ask(self->control, &wish, now.ms + row_steward_status.deadline_ms,
					    looked, self) == ERR_KEPT;
	save(self);
}

/* -- birth ------------------------------------------------------------------------------------- */

static void on_rows(struct actor *actor, void *context, int fd, short events)
{
	(void)context, (void)fd, (void)events;
	struct steward *self = actor_state(actor);
	if (control_receive(self->control))
		return;
	log_error("steward.alone", "why=\"the supervisor is dead\"");
	exit(EXIT_WORLD);
}

static void expire(struct actor *actor, void *context)
{
	(void)context;
	struct steward *self = actor_state(actor);
	control_expire(self->control, now_ms());
}

static void open_alerts(struct actor *actor, struct steward *self)
{
	struct alert_moment now = moment();
	self->alerts = alerts_new(actor_setting_number(actor, "alert_quiet_s") * 1000, on_news, self);
	self->rules = rules_new();
	self->file = alerts_open(actor_self_path(actor));
	if (self->file >= 0 && !alerts_load(self->alerts, self->file, &now))
		log_info("alerts.new", "path=\"%s/" ALERTS_FILE "\"", actor_self_path(actor));
	const struct alerts_counts *counts = alerts_counts(self->alerts);
	actor_limit(actor,
		    (struct limit){"alerts", &counts->depth, &counts->high, &counts->dropped, ALERTS_MAX});
	actor_limit(actor, (struct limit){"alert news undelivered", &counts->waiting, &counts->waiting_high,
					  &counts->lost, NEWS_MAX});
	actor_limit(actor, (struct limit){"alert news muted", NULL, NULL, &counts->muted, 0});
}

static int start(struct actor *actor)
{
	struct steward *self = actor_state(actor);
	uint32_t serial;
	self->actor = actor;
	random_bytes(&serial, sizeof serial);
	self->control = control_open(actor_inherited(actor, FD_CONTROL), serial);
	const struct control_counts *counts = control_counts(self->control);
	actor_limit(actor, (struct limit){"asks to the supervisor", &counts->open, &counts->high,
					  &counts->busy, CONTROL_ASKS});
	actor_limit(actor, (struct limit){"stray rows", NULL, NULL, &counts->stray, 0});
	actor_watch(actor, actor_inherited(actor, FD_CONTROL), POLLIN, on_rows, NULL);
	actor_every(actor, EXPIRE_MS, expire, NULL);
	open_alerts(actor, self);
	return 0;
}

static void ready(struct actor *actor)
{
	actor_every(actor, LOOK_MS, look, NULL);
}

static void drain(struct actor *actor)
{
	save(actor_state(actor));
	actor_drained(actor);
}

HANDLERS(steward_handlers, STEWARD_CALLS);

int main(void)
{
	static struct steward self;
	static const struct actor_spec spec = {.kind = STEWARD,
					       .handlers = steward_handlers,
					       .start = start,
					       .ready = ready,
					       .drain = drain};
	return actor_main(&spec, &self);
}
