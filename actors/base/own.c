/* What every process answers, whatever its kind: whether its loop turns, what its bounds are, how much it logs. */
#include "actors/base/runtime.h"

#include "actors/base/reasons/reasons.h"
#include "actors/base/seal/seal.h"
#include "proto/actor.h"

#include <stdio.h>

HANDLERS(handlers, ACTOR_CALLS);

const struct handler *own_handlers(void)
{
	return handlers;
}

enum err on_actor_ping(struct actor *self, struct call *call, const struct actor_ping *in,
		       struct actor_ping_reply *out)
{
	(void)call, (void)in;
	out->up_ms = now_ms() - self->born_ms;
	out->missing = self->born.birth.missing;
	return ERR_OK;
}

enum err on_actor_limits(struct actor *self, struct call *call, const struct actor_limits *in,
			 struct actor_limits_reply *out)
{
	(void)in;
	self->strange = seal_strange(NULL);
	struct limit_row *rows = arena_take(call_arena(call), LIMITS * sizeof *rows);
	for (unsigned i = 0; i < self->limit_count; i++) {
		const struct limit *limit = &self->limits[i];
		snprintf(rows[i].name, sizeof rows[i].name, "%s", limit->name);
		rows[i].depth = limit->depth ? *limit->depth : 0;
		rows[i].high = limit->high ? *limit->high : 0;
		rows[i].drops = limit->drops ? *limit->drops : 0;
		rows[i].limit = limit->limit;
	}
	out->limits = rows;
	out->limits_count = self->limit_count;
	return ERR_OK;
}

enum err on_actor_duties(struct actor *self, struct call *call, const struct actor_duties *in,
			 struct actor_duties_reply *out)
{
	(void)in;
	struct duty duties[DUTIES_MAX];
	struct duty_row *rows = arena_take(call_arena(call), sizeof *rows * DUTIES_MAX);
	out->duties_count = actor_under_way(self, duties);
	for (unsigned i = 0; i < out->duties_count; i++) {
		snprintf(rows[i].what, sizeof rows[i].what, "%s", duties[i].what);
		rows[i].count = duties[i].count;
	}
	out->duties = rows;
	out->closed = self->closed;
	return ERR_OK;
}

enum err on_actor_reasons(struct actor *self, struct call *call, const struct actor_reasons *in,
			  struct actor_reasons_reply *out)
{
	(void)self, (void)in;
	struct reason *reasons = arena_take(call_arena(call), REASONS_OF_ACTOR * sizeof *reasons);
	struct reason_row *rows = arena_take(call_arena(call), REASONS_OF_ACTOR * sizeof *rows);
	out->reasons_count = reasons_copy(reasons, REASONS_OF_ACTOR);
	for (unsigned i = 0; i < out->reasons_count; i++)
		reason_to_row(&reasons[i], &rows[i]);
	out->reasons = rows;
	return ERR_OK;
}

enum err on_actor_work(struct actor *self, struct call *call, const struct actor_work *in,
		       struct actor_work_reply *out)
{
	(void)in;
	struct time_bucket *times = arena_take(call_arena(call), WORK_TIMES * sizeof *times);
	*out = (struct actor_work_reply){0, self->asked_count, self->published, times, WORK_TIMES};
	for (unsigned i = 0; i < WORK_TIMES; i++) {
		times[i].count = self->times[i];
		out->calls += self->times[i];
	}
	return ERR_OK;
}

enum err on_actor_level(struct actor *self, struct call *call, const struct actor_level *in,
			struct actor_level_reply *out)
{
	(void)out;
	int level = log_level_by_name(in->level);
	if (level < 0)
		return ERR_BAD_VALUE;
	log_threshold((enum log_level)level);
	self->level_until_ms = in->seconds ? now_ms() + in->seconds * UINT64_C(1000) : 0;
	log_info("log.level", "level=%s seconds=%u uid=%u", in->level, in->seconds, call_asker(call).uid);
	return ERR_OK;
}

void actor_limit(struct actor *self, struct limit limit)
{
	bug_if(self->limit_count == LIMITS);
	self->limits[self->limit_count++] = limit;
}
