/* meter: the machine's metrics over HTTP, on 127.0.0.1 and only where `metrics_port` is set. One per machine, as its own uid in an
 * empty network namespace, on a listener that the supervisor opened. It may ask every process how it fares (readers' calls), and
 * change nothing; it holds no key and no file.
 *
 * When it dies, who scrapes waits in the listener's queue until the next birth. The figures are counted by others and go on. */
#include "actors/base/actor.h"
#include "actors/base/metrics/page.h"
#include "actors/meter/face.h"
#include "proto/meter.h"

#include <string.h>

enum { ASKS = 64 /* under way at once, of ACTOR_ASKS */ };

struct meter {
	struct actor *actor;
	struct face *face;
	struct metrics_page page;
	bool open;                /* the page is being put together */
	unsigned next, under_way; /* next: process to be asked */
	uint8_t step;             /* of that process: its limits, then what its kind tells of itself */
};

static void go_on(struct meter *self);

static void answered(struct meter *self)
{
	self->under_way--;
	go_on(self);
}

/* -- answers ----------------------------------------------------------------------------------- */

/* Which process was asked travels as an index: the page stays as it is while asks are under way. */
static struct metrics_process *asked(struct meter *self, void *context)
{
	return &self->page.processes[(uintptr_t)context];
}

static void on_limits(struct actor *actor, void *context, enum err err,
		      const struct actor_limits_reply *reply)
{
	struct meter *self = actor_state(actor);
	struct metrics_process *process = asked(self, context);
	if (err == ERR_OK)
		metrics_page_limits(&self->page, process->kind, process->node, reply);
	answered(self);
}

static void on_store(struct actor *actor, void *context, enum err err, const struct store_stat_reply *reply)
{
	struct meter *self = actor_state(actor);
	if (err == ERR_OK)
		metrics_page_store(&self->page, asked(self, context)->node, reply);
	answered(self);
}

static void on_gateway(struct actor *actor, void *context, enum err err,
		       const struct gateway_stat_reply *reply)
{
	struct meter *self = actor_state(actor);
	if (err == ERR_OK)
		metrics_page_gateway(&self->page, asked(self, context)->node, reply);
	answered(self);
}

static void on_scribe(struct actor *actor, void *context, enum err err, const struct scribe_stat_reply *reply)
{
	(void)context;
	struct meter *self = actor_state(actor);
	if (err == ERR_OK)
		metrics_page_scribe(&self->page, reply);
	answered(self);
}

static void on_alerts(struct actor *actor, void *context, enum err err,
		      const struct steward_alerts_reply *reply)
{
	(void)context;
	struct meter *self = actor_state(actor);
	if (err == ERR_OK)
		metrics_page_alerts(&self->page, reply);
	answered(self);
}

/* -- asking ------------------------------------------------------------------------------------ */

static enum err ask_own(struct meter *self, const struct metrics_process *process, void *index)
{
	struct actor *actor = self->actor;
	if (process->kind == STORE)
		return ask_store_stat(actor, process->node, &(struct store_stat){}, on_store, index);
	if (process->kind == GATEWAY)
		return ask_gateway_stat(actor, process->node, &(struct gateway_stat){}, on_gateway, index);
	if (process->kind == SCRIBE)
		return ask_scribe_stat(actor, 0, &(struct scribe_stat){}, on_scribe, index);
	if (process->kind == STEWARD)
		return ask_steward_alerts(actor, 0, &(struct steward_alerts){}, on_alerts, index);
	return ERR_UNKNOWN_CALL;
}

static void serve(struct meter *self)
{
	size_t length;
	char *text = metrics_page_text(&self->page, &length);
	metrics_page_end(&self->page);
	self->open = false;
	face_page(self->face, text, length);
}

/* A call of every process has the number of nobody's kind, so its target is said here. */
static enum err ask_limits(struct meter *self, const struct metrics_process *process, void *index)
{
	return actor_ask_of(self->actor, &row_actor_limits, process->kind, process->node,
			    &(struct actor_limits){}, end_actor_limits, (void (*)(void))on_limits, index);
}

static void go_on(struct meter *self)
{
	while (self->next < self->page.process_count && self->under_way < ASKS) {
		const struct metrics_process *process = &self->page.processes[self->next];
		void *index = (void *)(uintptr_t)self->next;
		enum err err = ERR_UNKNOWN_CALL;
		if (process->ready && kind_on_bus((enum kind)process->kind) && process->kind != METER)
			err = self->step ? ask_own(self, process, index) : ask_limits(self, process, index);
		self->under_way += err == ERR_OK;
		self->next += self->step;
		self->step = !self->step;
	}
	if (self->open && !self->under_way)
		serve(self);
}

static void on_status(struct actor *actor, void *context, enum err err,
		      const struct steward_status_reply *reply)
{
	(void)context;
	struct meter *self = actor_state(actor);
	if (err != ERR_OK) {
		face_page(self->face, NULL, 0);
		return;
	}
	metrics_page_begin(&self->page, reply);
	self->open = true;
	self->next = self->under_way = self->step = 0;
	go_on(self);
}

static void need(void *context)
{
	struct meter *self = context;
	if (self->open)
		return;
	if (ask_steward_status(self->actor, 0, &(struct steward_status){}, on_status, NULL) != ERR_OK)
		face_page(self->face, NULL, 0);
}

/* -- life -------------------------------------------------------------------------------------- */

enum err on_meter_stat(struct actor *actor, struct call *call, const struct meter_stat *in,
		       struct meter_stat_reply *out)
{
	(void)call, (void)in;
	const struct face_counts *counts = face_counts(((struct meter *)actor_state(actor))->face);
	*out = (struct meter_stat_reply){counts->pages, counts->refused, (uint32_t)counts->connections};
	return ERR_OK;
}

static void on_socket(struct actor *actor, void *context, int fd, short events)
{
	(void)actor, (void)context, (void)fd, (void)events; /* the turn that follows does the work */
}

static void turn(struct actor *actor, void *context, int *timeout_ms)
{
	(void)actor;
	face_turn(((struct meter *)context)->face, timeout_ms);
}

static int start(struct actor *actor)
{
	struct meter *self = actor_state(actor);
	self->actor = actor;
	self->face = face_new(actor_inherited(actor, FD_METRICS), need, self);
	if (!self->face) {
		log_error("meter.http", "why=\"libmicrohttpd does not take the listener\"");
		return EXIT_WORLD;
	}
	const struct face_counts *counts = face_counts(self->face);
	actor_limit(actor, (struct limit){"http connections", &counts->connections, &counts->connections_high,
					  &counts->refused, FACE_CONNECTIONS});
	actor_watch(actor, face_fd(self->face), POLLIN, on_socket, NULL);
	return 0;
}

static void ready(struct actor *actor)
{
	actor_each_turn(actor, turn, actor_state(actor));
}

HANDLERS(meter_handlers, METER_CALLS);

int main(void)
{
	static struct meter self;
	static const struct actor_spec spec = {
		.kind = METER,
		.handlers = meter_handlers,
		.start = start,
		.ready = ready,
	};
	return actor_main(&spec, &self);
}
