/* The broker: routes by the header frame and never opens a body. The kernel tells it who is asking
 * (Peer-Address against the roster for processes, which socket for people), the rows tell it who may;
 * everything else is refused. Runs as its own uid with no file, no network and no key. When it dies every
 * open ask ends GONE at its asker, the supervisor starts it again on the same listeners, and everybody says
 * HELLO anew. */
#include "actors/base/born/born.h"
#include "actors/base/clock/clock.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/reasons/reasons.h"
#include "broker/doors.h"
#include "broker/told.h"
#include "proto/call.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MESSAGES_A_TURN = 64,    /* from one door, before the others have their turn */
	LONGEST_DEADLINE_S = 60, /* an ask that wants to wait longer waits this long */
	TURN_MS = 250,           /* pulse, counts, sweep */
	DENIALS_LOGGED = 20,     /* a second */
};

struct broker {
	struct born born;
	struct doors doors;
	int roster, signals;
	struct peers peers;
	struct open_asks asks;
	struct listeners listeners;
	struct roster_counts counts;
	struct roster_limit limits[BOUNDS];
	uint32_t heard; /* kinds whose events somebody hears */
	uint64_t fingerprint, turned_ns;
	uint32_t denials; /* logged in this second */
};

/* -- sending ------------------------------------------------------------------------------------------ */

static void forget(struct broker *self, uint64_t birth);

/* A person who went without a word is noticed by the first send that fails; of processes the roster tells. */
static enum err send_to(struct broker *self, struct peer *to, struct envelope *e, const void *body,
			size_t length)
{
	enum err err = door_send(&self->doors, to, e, body, length);
	if (err == ERR_GONE && to->at.door != DOOR_BUS)
		forget(self, to->birth);
	return err;
}

/* Hands a copy to who listens: events as they are, all else to taps behind its header. A full one misses it. */
static void spread(struct broker *self, struct envelope *e, const void *body, size_t length)
{
	uint8_t *copy = NULL;
	for (unsigned i = 0; i < self->listeners.count; i++) {
		const struct listener *one = &self->listeners.all[i];
		struct peer *to = listener_hears(one, e) ? peers_by_birth(&self->peers, one->birth) : NULL;
		if (to && one->number) {
			send_to(self, to, e, body, length);
		} else if (to) {
			struct envelope tapped = {.type = ENVELOPE_TAPPED};
			copy = copy ? copy : x_new(ENVELOPE_BYTES + length);
			envelope_write(e, copy);
			memcpy(copy + ENVELOPE_BYTES, body, length);
			send_to(self, to, &tapped, copy, ENVELOPE_BYTES + length);
		}
	}
	x_free(&copy);
}

static enum err pass(struct broker *self, struct peer *to, struct envelope *e, const void *body, size_t size)
{
	enum err err = send_to(self, to, e, body, size);
	if (err == ERR_OK)
		spread(self, e, body, size);
	return err;
}

static void count(struct broker *self, enum err err)
{
	self->counts.denied += err == ERR_DENIED;
	self->counts.gone += err == ERR_GONE;
	self->counts.busy += err == ERR_BUSY;
	self->counts.late += err == ERR_LATE;
}

/* The broker's own word. Taps see who was refused, also when that one is gone. */
static void answer(struct broker *self, struct peer *to, struct envelope e, enum err err)
{
	count(self, err);
	e.type = err == ERR_OK ? ENVELOPE_REPLY : ENVELOPE_ERROR;
	e.error = (uint16_t)err;
	send_to(self, to, &e, "", 0);
	if (err != ERR_OK)
		spread(self, &e, "", 0);
}

/* Why an ask ended without its answer: about whom was asked, or, where it was the asker's fault, about the asker.
 * The codes of the four follow each other as the errors do. */
static void note_end(const struct envelope *e, enum err err)
{
	bool asked = err == ERR_LATE || err == ERR_GONE;
	const struct call_row *row = call_by_number(e->number);
	const char *call = row ? row->name : "tap";
	struct about about = {asked ? e->target_kind : e->source_kind,
			      asked ? e->target_node : e->source_node, 0};
	char from[WHO_TEXT], to[WHO_TEXT];
	reason_about(REASON_ASK_DENIED + (err - ERR_DENIED), about, call, "%s asked %s %s: %s; uid %u",
		     who_text(e->source_kind, e->source_node, from),
		     who_text(e->target_kind, e->target_node, to), call, err_name(err), e->source_uid);
}

static enum err denied(struct broker *self, const struct arrival *in, const char *what)
{
	char from[WHO_TEXT], to[WHO_TEXT];
	if (in->from->kind < READER) /* a process of ours: the steward raises an alert */
		self->counts.accused = (struct roster_accused){
			self->counts.accused.count + 1, in->from->node, in->e.number, in->from->kind, {0}};
	note_end(&in->e, ERR_DENIED);
	if (self->denials++ < DENIALS_LOGGED)
		log_warn("ask.denied", "from=%s to=%s call=%s uid=%u pid=%u",
			 who_text(in->from->kind, in->from->node, from),
			 who_text(in->e.target_kind, in->e.target_node, to), what, in->visitor.uid,
			 in->visitor.pid);
	return ERR_DENIED;
}

/* -- asking ------------------------------------------------------------------------------------------- */

/* Whether this may be passed on; *callee is who gets it. */
static enum err admit(struct broker *self, const struct arrival *in, struct peer **callee)
{
	const struct envelope *e = &in->e;
	const struct call_row *row = call_by_number(e->number);
	if (e->type == ENVELOPE_ASK && !e->serial)
		return ERR_MALFORMED;
	if (e->type == ENVELOPE_ASK && e->deadline <= now_ns())
		return ERR_LATE;
	if (!row || (e->number >> 8 && e->number >> 8 != e->target_kind))
		return ERR_UNKNOWN_CALL;
	if (!rights_allow(row->may, e->source_kind, e->source_node, e->target_node))
		return denied(self, in, row->name);
	*callee = peers_by_duty(&self->peers, e->target_kind, e->target_node);
	return *callee ? ERR_OK : ERR_GONE;
}

/* Keeps an ask open until its answer; NULL when its asker has too many open, or this one already. */
static struct open_ask *keep(struct broker *self, struct arrival *in)
{
	uint64_t latest = now_ns() + LONGEST_DEADLINE_S * UINT64_C(1000000000);
	uint32_t most = in->visitor.door == DOOR_BUS ? ASKS_OF_PROCESS : ASKS_OF_PERSON;
	in->e.deadline = in->e.deadline < latest ? in->e.deadline : latest;
	struct open_ask *ask = in->from->open < most ? open_asks_add(&self->asks, &in->e) : NULL;
	self->limits[BOUND_ASKS].drops += in->from->open < most && !ask;
	self->limits[BOUND_SHARES].drops += in->from->open >= most;
	in->from->open += ask != NULL;
	return ask;
}

/* The ask is over. Returns its asker; NULL when that one is gone. */
static struct peer *release(struct broker *self, struct open_ask *ask)
{
	struct peer *caller = peers_by_birth(&self->peers, ask->envelope.caller_birth);
	if (caller)
		caller->open--;
	open_asks_remove(&self->asks, ask);
	return caller;
}

/* ASK, or TELL, which has no answer. Not `here`: it was asked of an earlier broker, or before HELLO. */
static bool on_ask(struct broker *self, struct arrival *in, bool here)
{
	bool waits = in->e.type == ENVELOPE_ASK;
	struct peer *callee = NULL;
	struct open_ask *ask = NULL;
	enum err err = here ? admit(self, in, &callee) : ERR_GONE;
	if (err == ERR_OK && callee) {
		in->e.callee_birth = callee->birth;
		ask = waits ? keep(self, in) : NULL;
		err = waits && !ask ? ERR_BUSY : pass(self, callee, &in->e, in->body, in->length);
	}
	self->counts.routed += err == ERR_OK;
	if (err != ERR_OK && ask)
		release(self, ask);
	if (err == ERR_BUSY || (err == ERR_GONE && here))
		note_end(&in->e, err);
	if (err != ERR_OK && waits)
		answer(self, in->from, in->e, err);
	else
		count(self, err);
	return here;
}

/* Only the birth that was asked answers, and once: all else is dropped, and its sender learns nothing. */
static bool on_answer(struct broker *self, const struct arrival *in)
{
	struct open_ask *ask = open_asks_find(&self->asks, in->e.caller_birth, in->e.serial);
	if (!ask || ask->envelope.callee_birth != in->from->birth)
		return false;
	struct envelope e = ask->envelope;
	struct peer *caller = release(self, ask);
	e.type = in->e.type;
	e.error = in->e.error;
	if (e.deadline <= now_ns())
		count(self, ERR_LATE);
	else if (caller)
		pass(self, caller, &e, in->body, in->length);
	return true;
}

/* Ends the asks of one who is gone, or to one who is gone, and those past their deadline: their askers know
 * by their own clocks, the table must not wait. 0 is nobody, and no time. */
static void end_asks(struct broker *self, uint64_t gone, uint64_t now)
{
	for (unsigned i = 0; self->asks.count && i < self->asks.used; i++) {
		struct envelope e = self->asks.asks[i].envelope;
		if (!e.caller_birth || (e.caller_birth != gone && e.callee_birth != gone && e.deadline > now))
			continue;
		struct peer *caller = release(self, &self->asks.asks[i]);
		if (e.deadline <= now)
			count(self, ERR_LATE);
		else if (caller)
			answer(self, caller, e, ERR_GONE);
		note_end(&e, e.deadline <= now ? ERR_LATE : ERR_GONE);
	}
}

/* An event that nobody hears is not sent at all: who publishes is told when that changes. */
static void tell_heard(struct broker *self)
{
	uint32_t before = self->heard, now = listeners_heard(&self->listeners);
	self->heard = now;
	for (unsigned i = PEOPLE_MAX; before != now && i < PEOPLE_MAX + self->peers.processes; i++) {
		struct peer *peer = &self->peers.all[i];
		bool hears = now >> peer->kind & 1;
		struct envelope e = {.type = hears ? ENVELOPE_SUBSCRIBE : ENVELOPE_UNSUBSCRIBE};
		if (peer->welcome && hears != (before >> peer->kind & 1))
			door_send(&self->doors, peer, &e, "", 0);
	}
}

static void forget(struct broker *self, uint64_t birth)
{
	struct peer *peer = peers_by_birth(&self->peers, birth);
	if (!birth)
		return;
	if (peer) {
		door_leave(peer);
		*peer = (struct peer){0};
	}
	listeners_remove(&self->listeners, birth, NULL);
	tell_heard(self);
	end_asks(self, birth, 0);
}

/* -- receiving ---------------------------------------------------------------------------------------- */

static bool on_hello(struct broker *self, const struct arrival *in)
{
	struct envelope welcome = {.type = ENVELOPE_WELCOME,
				   .number = self->heard >> in->from->kind & 1,
				   .caller_birth = in->from->birth};
	in->from->welcome = in->e.serial == self->fingerprint;
	if (in->from->welcome) {
		send_to(self, in->from, &welcome, "", 0);
	} else {
		log_warn("hello.fingerprint", "from=%s node=%u", kind_name(in->from->kind), in->from->node);
		reason_about(REASON_OTHER_BUILD, (struct about){in->from->kind, in->from->node, 0}, "",
			     "another build was turned away; uid %u", in->visitor.uid);
		answer(self, in->from, in->e, ERR_FINGERPRINT);
	}
	return true;
}

/* SUBSCRIBE, or UNSUBSCRIBE. A tap sees bodies: operators only. */
static bool on_subscribe(struct broker *self, struct arrival *in)
{
	struct envelope *e = &in->e;
	const struct event_row *row = event_by_number(e->number);
	struct listener listener = {in->from->birth, e->number, e->target_kind, e->target_node};
	unsigned node = e->target_kind ? e->target_node : NODES_MAX + 1; /* everybody's: of any node */
	bool may = e->number ? row && rights_allow(row->may, e->source_kind, e->source_node, node)
			     : e->source_kind == OPERATOR;
	enum err err = may ? ERR_OK : denied(self, in, e->number ? "subscribe" : "tap");
	if (may && e->type == ENVELOPE_UNSUBSCRIBE)
		listeners_remove(&self->listeners, listener.birth, &listener);
	else if (may && !listeners_add(&self->listeners, listener))
		err = ERR_BUSY;
	self->limits[BOUND_LISTENERS].drops += err == ERR_BUSY;
	tell_heard(self);
	answer(self, in->from, *e, err);
	return true;
}

/* False: it has no business here, and is dropped. */
static bool dispatch(struct broker *self, struct arrival *in)
{
	struct envelope *e = &in->e;
	const uint8_t type = e->type;
	bool here = in->from->welcome && e->broker_birth == self->born.birth.birth;
	e->source_kind = in->from->kind;
	e->source_node = in->from->node;
	e->source_uid = in->visitor.uid;
	if (type == ENVELOPE_REPLY || type == ENVELOPE_ERROR)
		return here && on_answer(self, in);
	e->caller_birth = in->from->birth;
	if (type == ENVELOPE_HELLO)
		return on_hello(self, in);
	if (type == ENVELOPE_ASK || type == ENVELOPE_TELL)
		return on_ask(self, in, here);
	if (type == ENVELOPE_SUBSCRIBE || type == ENVELOPE_UNSUBSCRIBE)
		return here && on_subscribe(self, in);
	if (type != ENVELOPE_PUBLISH || !here || !event_by_number(e->number) ||
	    e->number >> 8 != e->source_kind)
		return false;
	e->type = ENVELOPE_EVENT;
	spread(self, e, in->body, in->length);
	return true;
}

/* One message from a door; false when none is waiting. */
static bool receive(struct broker *self, enum door door)
{
	struct arrival in;
	uint64_t evicted = 0;
	enum arrived arrived = door_receive(&self->doors, door, &in);
	if (arrived == WHOLE || (arrived == BROKEN && door == DOOR_BUS))
		in.from = peers_visit(&self->peers, &in.visitor, now_ns(), &evicted);
	self->limits[BOUND_PEOPLE].drops += evicted != 0;
	if (evicted)
		door_leave(in.from);
	forget(self, evicted);
	if (arrived == BROKEN &&
	    in.from) { /* no program of ours does: it is taken, and off the bus for this life */
		in.e = (struct envelope){
			.number = UINT16_MAX, .source_kind = in.from->kind, .source_node = in.from->node};
		denied(self, &in, "no-message");
		forget(self, in.from->birth);
	}
	self->counts.dropped += arrived && (arrived != WHOLE || !in.from || !dispatch(self, &in));
	return arrived != NOTHING;
}

static void watch(struct broker *self, enum door door)
{
	bool flooded = door_flooded(&self->doors, door);
	self->limits[door == DOOR_BUS ? BOUND_CONNECTIONS_BUS : BOUND_CONNECTIONS].drops += flooded;
	for (unsigned i = 0; flooded && i < PEOPLE_MAX; i++)
		if (self->peers.all[i].at.door == door)
			forget(self, self->peers.all[i].birth);
}

/* -- life --------------------------------------------------------------------------------------------- */

static void on_roster(struct broker *self)
{
	struct roster_entry entry;
	ssize_t got = recv(self->roster, &entry, sizeof entry, MSG_DONTWAIT);
	if (got == 0) /* no supervisor */
		exit(EXIT_WORLD);
	if (got != sizeof entry)
		return;
	if (entry.verb == ROSTER_BORN && !peers_born(&self->peers, &entry)) {
		log_error("roster.full", "processes=%d", PROCESSES_MAX);
		self->limits[BOUND_PROCESSES].drops++;
	}
	if (entry.verb == ROSTER_GONE)
		forget(self, entry.birth);
	entry.verb = ROSTER_ACK;
	if (send(self->roster, &entry, sizeof entry, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_warn("roster.ack", "errno=%d", errno);
}

static void send_counts(struct broker *self)
{
	struct roster_counts counts = self->counts;
	counts.open = self->asks.count;
	counts.open_high = self->asks.high;
	for (unsigned i = 0; i < PEOPLE_MAX + self->peers.processes; i++)
		*(i < PEOPLE_MAX ? &counts.people : &counts.peers) += self->peers.all[i].welcome;
	send(self->roster, &counts, sizeof counts, MSG_DONTWAIT | MSG_NOSIGNAL);
	self->limits[BOUND_ASKS].high = counts.open_high;
	self->limits[BOUND_ASKS].depth = counts.open;
	self->limits[BOUND_PEOPLE].depth = counts.people;
	self->limits[BOUND_PROCESSES].depth = counts.peers;
	self->limits[BOUND_LISTENERS].depth = self->listeners.held;
	self->limits[BOUND_CONNECTIONS].depth =
		self->doors.connections[DOOR_OPERATE] + self->doors.connections[DOOR_READ];
	self->limits[BOUND_CONNECTIONS_BUS].depth = self->doors.connections[DOOR_BUS];
	told(self->roster, self->limits);
}

static void turn(struct broker *self)
{
	uint64_t now = now_ns(), last = self->turned_ns;
	if (now - last < TURN_MS * UINT64_C(1000000))
		return;
	self->turned_ns = now;
	end_asks(self, 0, now);
	if (now / 1000000000 == last / 1000000000)
		return;
	self->denials = 0;
	born_pulse(LIFE_BEAT);
	if (poll(&(struct pollfd){self->roster, POLLOUT, 0}, 1, 0) == 1) /* acknowledgements need room */
		send_counts(self);
}

/* Reads a door until nothing is left, or its share of this turn is used up. */
static void serve(struct broker *self, enum door door)
{
	int taken = 0;
	while (taken < MESSAGES_A_TURN && receive(self, door))
		taken++;
	self->doors.stirred[door] = taken == MESSAGES_A_TURN;
}

/* poll(2) on libzmq's own descriptors: zmq_poll asks the kernel several times a turn for each socket. */
static void loop(struct broker *self)
{
	enum { ROSTER, SIGNALS, FIRST_DOOR, ITEMS = FIRST_DOOR + 2 * DOORS };
	struct pollfd items[ITEMS] = {[ROSTER] = {.fd = self->roster, .events = POLLIN},
				      [SIGNALS] = {.fd = self->signals, .events = POLLIN}};
	do {
		bool stirred = false;
		for (int i = 0; i < 2 * DOORS; i++) { /* other descriptors, when a door was shut */
			items[FIRST_DOOR + i] = (struct pollfd){.fd = self->doors.fds[i], .events = POLLIN};
			stirred |= self->doors.stirred[i % DOORS];
		}
		bug_if(poll(items, ITEMS, stirred ? 0 : TURN_MS) < 0 && errno != EINTR);
		if (items[ROSTER].revents) /* first: who was born and who died comes before what they say */
			on_roster(self);
		for (int door = 0; door < DOORS; door++) {
			if (items[FIRST_DOOR + DOORS + door].revents)
				watch(self, (enum door)door);
			if (items[FIRST_DOOR + door].revents)
				serve(self, (enum door)door);
		}
		for (int door = 0; door < DOORS; door++) /* where we sent; spares most turns a second poll */
			if (self->doors.stirred[door])
				serve(self, (enum door)door);
		turn(self);
	} while (!items[SIGNALS].revents || !born_told_to_end(self->signals));
}

int main(void)
{
	static struct broker self = {.limits = {BOUNDS_OF_BROKER(BOUND_ROW)},
				     .counts = {.verb = ROSTER_COUNTS, .open_limit = OPEN_ASKS}};
	mallopt(M_ARENA_MAX, 1);
	if (!born_read(&self.born, BROKER))
		return EXIT_CONFIG;
	self.fingerprint = calls_fingerprint();
	self.roster = birth_fd(self.born.row, FD_ROSTER);
	self.signals = born_signals();
	if (!born_close_files(&self.born, NULL))
		return EXIT_WORLD;
	doors_open(&self.doors, &self.born);
	if (!born_close_syscalls(&self.born))
		return EXIT_WORLD;
	born_pulse(LIFE_READY);
	log_info("life.start", "uid=%u missing=0x%x", getuid(), self.born.birth.missing);
	loop(&self);
	born_pulse(LIFE_DRAINED);
	log_info("life.end", "routed=%" PRIu64, self.counts.routed);
	return 0;
}
