/* steward: carries what people ask of the machine to the supervisor, and the answer back. One per machine, as
 * its own uid; touches the bus and one socket to the supervisor, no file. It decides nothing: who asked goes
 * along, as the kernel told the broker, and the supervisor checks that again.
 *
 * When it dies, asks under way end `gone`: whether they happened is not known, and every one of them may be
 * asked again. */
#include "actors/base/actor.h"
#include "actors/base/crypto/crypto.h"
#include "actors/steward/control.h"

#include <stdlib.h>

enum { EXPIRE_MS = 250 };

struct steward {
	struct control *control;
};

/* -- answers ----------------------------------------------------------------------------------- */

static void answer(struct call *call, enum control_verb verb, const void *reply)
{
	switch (verb) {
	case CONTROL_STATUS:
		reply_steward_status(call, reply);
		return;
	case CONTROL_START:
		reply_steward_start(call, &(struct steward_start_reply){});
		return;
	case CONTROL_STOP:
		reply_steward_stop(call, &(struct steward_stop_reply){});
		return;
	case CONTROL_RESTART:
		reply_steward_restart(call, &(struct steward_restart_reply){});
		return;
	case CONTROL_DRAIN:
		reply_steward_drain(call, &(struct steward_drain_reply){});
		return;
	case CONTROL_REASONS:
		reply_steward_reasons(call, reply);
		return;
	case CONTROL_LIMITS:
		reply_steward_limits(call, reply);
		return;
	case CONTROL_RELOAD:
		reply_steward_reload(call, &(struct steward_reload_reply){});
		return;
	}
	bug("a verb that was never asked");
}

static void ended(void *context, enum control_verb verb, enum err err, const char *why, const void *reply)
{
	struct call *call = context;
	if (err == ERR_OK)
		answer(call, verb, reply);
	else
		call_fail_why(call, err, why);
}

/* -- asks -------------------------------------------------------------------------------------- */

static enum err carry(struct actor *actor, struct call *call, enum control_verb verb, struct target target,
		      const struct call_row *row)
{
	struct steward *self = actor_state(actor);
	struct asker asker = call_asker(call);
	struct wish wish = {verb, target, asker.uid, asker.kind};
	return control_ask(self->control, &wish, now_ms() + row->deadline_ms, ended, call);
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
	return carry_target(actor, call, CONTROL_DRAIN, in->target, &row_steward_drain);
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

static int start(struct actor *actor)
{
	struct steward *self = actor_state(actor);
	uint32_t serial;
	random_bytes(&serial, sizeof serial);
	self->control = control_open(actor_inherited(actor, FD_CONTROL), serial);
	const struct control_counts *counts = control_counts(self->control);
	actor_limit(actor, (struct limit){"asks to the supervisor", &counts->open, &counts->high,
					  &counts->busy, CONTROL_ASKS});
	actor_limit(actor, (struct limit){"stray rows", NULL, NULL, &counts->stray, 0});
	actor_watch(actor, actor_inherited(actor, FD_CONTROL), POLLIN, on_rows, NULL);
	actor_every(actor, EXPIRE_MS, expire, NULL);
	return 0;
}

HANDLERS(steward_handlers, STEWARD_CALLS);

int main(void)
{
	static struct steward self;
	static const struct actor_spec spec = {.kind = STEWARD, .handlers = steward_handlers, .start = start};
	return actor_main(&spec, &self);
}
