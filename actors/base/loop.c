/* The loop: the bus, watched descriptors, timers. One thread; nothing in it waits but poll. */
#include "actors/base/runtime.h"

#include "actors/base/tick.h"

#include <errno.h>
#include <malloc.h>

enum {
	MESSAGES_A_TURN = 64, /* so that a flood on the bus does not starve timers and descriptors */
	LONGEST_WAIT_MS = 1000,
	HELLO_AGAIN_MS = 200,
};

static void counted_up(struct counted *counted)
{
	if (++counted->depth > counted->high)
		counted->high = counted->depth;
}

/* -- watches --------------------------------------------------------------------------------------------------------- */

int actor_watch(struct actor *self, int fd, short events, watch_fn *ready, void *context)
{
	for (int i = 0; i < ACTOR_WATCHES; i++)
		if (!self->watches[i].ready) {
			self->watches[i] = (struct watch){fd, events, ready, context};
			counted_up(&self->watching);
			return i;
		}
	bug("too many watches");
}

void actor_watch_events(struct actor *self, int slot, short events)
{
	self->watches[slot].events = events;
}

void actor_unwatch(struct actor *self, int slot)
{
	self->watching.depth -= self->watches[slot].ready != NULL;
	self->watches[slot] = (struct watch){.fd = -1};
}

/* -- timers ---------------------------------------------------------------------------------------------------------- */

static int timer_set(struct actor *self, struct timer timer)
{
	for (int i = 0; i < ACTOR_TIMERS; i++)
		if (!self->timers[i].fire) {
			self->timers[i] = timer;
			counted_up(&self->timing);
			return i;
		}
	bug("too many timers");
}

int actor_after(struct actor *self, uint64_t ms, timer_fn *fire, void *context)
{
	return timer_set(self, (struct timer){now_ms() + ms, 0, fire, context});
}

int actor_every(struct actor *self, uint64_t ms, timer_fn *fire, void *context)
{
	return timer_set(self,
			 (struct timer){tick_after(now_ms(), ms, self->born.birth.node), ms, fire, context});
}

void actor_timer_cancel(struct actor *self, int slot)
{
	self->timing.depth -= self->timers[slot].fire != NULL;
	self->timers[slot] = (struct timer){0};
}

static void timers_turn(struct actor *self)
{
	uint64_t now = now_ms();
	for (int i = 0; i < ACTOR_TIMERS && !self->drained; i++) {
		struct timer *timer = &self->timers[i], due = *timer;
		if (!due.fire || due.at_ms > now)
			continue;
		if (due.every_ms) /* after a stall, once; not once for each that was missed */
			timer->at_ms = tick_after(now, due.every_ms, self->born.birth.node);
		else
			actor_timer_cancel(self, i);
		due.fire(self, due.context);
	}
}

static int timers_wait_ms(struct actor *self, int most)
{
	uint64_t now = now_ms();
	for (int i = 0; i < ACTOR_TIMERS; i++) {
		const struct timer *timer = &self->timers[i];
		if (!timer->fire)
			continue;
		uint64_t wait = timer->at_ms > now ? timer->at_ms - now : 0;
		if (wait < (uint64_t)most)
			most = (int)wait;
	}
	return most;
}

/* -- the bus --------------------------------------------------------------------------------------------------------- */

static void hello_again(struct actor *self, void *context)
{
	(void)context;
	self->helloing = false;
	if (self->bus.broker_birth)
		return;
	bus_hello(&self->bus);
	hello_soon(self);
}

/* Only while there is no welcome: who is welcome has no timer for it. */
void hello_soon(struct actor *self)
{
	if (self->helloing)
		return;
	self->helloing = true;
	actor_after(self, HELLO_AGAIN_MS, hello_again, NULL);
}

static void welcomed(struct actor *self, const struct envelope *envelope)
{
	self->bus.broker_birth = envelope->broker_birth;
	self->heard = envelope->number == 1;
	if (self->was_ready)
		return;
	self->was_ready = true;
	alerts_begin(self);
	if (self->spec->ready)
		self->spec->ready(self);
	if (!self->not_yet)
		born_pulse(LIFE_READY);
	malloc_trim(0); /* what only the start needed goes back: a machine has many of us */
}

static void message(struct actor *self, const struct envelope *envelope, const void *body, size_t length)
{
	switch ((enum envelope_type)envelope->type) {
	case ENVELOPE_WELCOME:
		welcomed(self, envelope);
		return;
	case ENVELOPE_ASK:
	case ENVELOPE_TELL:
		calls_received(self, envelope, body, length);
		return;
	case ENVELOPE_REPLY:
	case ENVELOPE_ERROR:
		asks_answered(self, envelope, body, length);
		return;
	case ENVELOPE_SUBSCRIBE:
	case ENVELOPE_UNSUBSCRIBE:
		self->heard = envelope->type == ENVELOPE_SUBSCRIBE;
		return;
	case ENVELOPE_HELLO: /* for the broker alone; no actor subscribes yet */
	case ENVELOPE_PUBLISH:
	case ENVELOPE_EVENT:
	case ENVELOPE_TAPPED:
	case ENVELOPE_TYPES:
		return;
	}
}

static void bus_changes(struct actor *self)
{
	enum bus_change change;
	while ((change = bus_changed(&self->bus)) != BUS_NOTHING) {
		if (change == BUS_FOUND)
			bus_hello(&self->bus);
		else
			asks_lost(self);
		hello_soon(self);
	}
}

/* True when there may be more: the turn's share was used up. */
static bool bus_messages(struct actor *self)
{
	struct envelope envelope;
	zmq_msg_t body;
	int taken = 0;
	for (; taken < MESSAGES_A_TURN && bus_receive(&self->bus, &envelope, &body); taken++) {
		message(self, &envelope, zmq_msg_data(&body), zmq_msg_size(&body));
		zmq_msg_close(&body);
	}
	return taken == MESSAGES_A_TURN;
}

/* -- turning --------------------------------------------------------------------------------------------------------- */

void actor_each_turn(struct actor *self, turn_fn *turn, void *context)
{
	self->turn = turn;
	self->turn_context = context;
}

static int wait_ms(struct actor *self)
{
	int most = asks_wait_ms(self, timers_wait_ms(self, LONGEST_WAIT_MS));
	if (self->turn)
		self->turn(self, self->turn_context, &most);
	return most;
}

enum { BUS_ITEM, MONITOR_ITEM, FIRST_WATCH };

/* What we wait for: the bus, its monitor, then the watches; `slots` says which watch an item is. */
static nfds_t gather(struct actor *self, struct pollfd *items, int *slots)
{
	nfds_t count = FIRST_WATCH;
	items[BUS_ITEM] = (struct pollfd){self->bus.socket_fd, POLLIN, 0};
	items[MONITOR_ITEM] = (struct pollfd){self->bus.monitor_fd, POLLIN, 0};
	for (int i = 0; i < ACTOR_WATCHES; i++) {
		const struct watch *watch = &self->watches[i];
		if (!watch->ready || !watch->events)
			continue;
		slots[count] = i;
		items[count++] = (struct pollfd){watch->fd, watch->events, 0};
	}
	return count;
}

static void serve(struct actor *self, const struct pollfd *item, int slot)
{
	struct watch watch = self->watches[slot];
	if (!item->revents || !watch.ready || watch.fd != item->fd)
		return; /* unwatched by another's handler in this very turn */
	short events = (short)((item->revents & (POLLIN | POLLERR | POLLHUP) ? POLLIN : 0) |
			       (item->revents & POLLOUT));
	watch.ready(self, watch.context, watch.fd, events);
}

/* Nobody is called any more once the actor has drained: what its handlers stand on may be gone.
 * poll(2) on libzmq's own descriptors instead of zmq_poll, which asks the kernel several times a turn for each socket. They
 * tell of a change and not of a state, so the bus is read until it is empty before each wait, also after we sent. */
void loop_run(struct actor *self)
{
	struct pollfd items[ACTOR_WATCHES + FIRST_WATCH];
	int slots[ACTOR_WATCHES + FIRST_WATCH];
	bus_changes(self);
	while (!self->drained) {
		bool more = bus_messages(self);
		timers_turn(self);
		if (self->drained)
			break;
		asks_turn(self);
		int wait = wait_ms(self);
		nfds_t count = gather(self, items, slots);
		int ready = poll(items, count, more ? 0 : wait);
		if (ready < 0 && errno != EINTR)
			bug("poll");
		if (ready > 0 && items[MONITOR_ITEM].revents)
			bus_changes(self);
		for (nfds_t i = FIRST_WATCH; ready > 0 && i < count && !self->drained; i++)
			serve(self, &items[i], slots[i]);
	}
}
