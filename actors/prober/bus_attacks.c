/* Attacks over the bus. Part of the prober; speaks through actors/base/bus.h, as the real process would. */
#include "actors/prober/bus_attacks.h"

#include "actors/base/bus.h"
#include "actors/base/clock/clock.h"
#include "actors/prober/forged.h"
#include "proto/call.h"

#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WELCOME_MS = 1000, ANSWER_MS = 2000, ALLOWED_MS = 150, FORGERIES = 200 };

/* Waits for one message of `type`; false when none came in time. */
static bool await(struct bus_attack *attack, struct bus *bus, enum envelope_type type, struct envelope *e,
		  int ms)
{
	zmq_msg_t body;
	for (uint64_t end = now_ns() + (uint64_t)ms * 1000000; now_ns() < end;) {
		if (attack->live)
			attack->live(attack->context);
		while (bus_changed(bus) != BUS_NOTHING)
			;
		if (!bus_receive(bus, e, &body)) {
			nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
			continue;
		}
		zmq_msg_close(&body);
		if (e->type == type || (type == ENVELOPE_REPLY && e->type == ENVELOPE_ERROR))
			return true;
	}
	return false;
}

static bool welcomed(struct bus_attack *attack, struct bus *bus, const uint8_t *routing)
{
	struct envelope e;
	if (!bus_open(bus, attack->path, routing))
		return false;
	for (int i = 0; i < 5; i++) {
		bus_hello(bus);
		if (await(attack, bus, ENVELOPE_WELCOME, &e, WELCOME_MS / 5)) {
			bus->broker_birth = e.broker_birth;
			return true;
		}
	}
	return false;
}

/* As ourselves: the control. More than once, as the broker may still have our last connection, and while it has, another of
 * the same routing id is not heard. */
static bool welcomed_as_ourselves(struct bus_attack *attack, struct bus *bus)
{
	for (int tries = 0; tries < 4; tries++) {
		if (welcomed(attack, bus, attack->born->birth.routing))
			return true;
		bus_close(bus);
	}
	return false;
}

/* In a child, whose pid the roster does not know. True when the broker let it in. */
static bool child_is_welcome(struct bus_attack *attack, const uint8_t *routing)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		struct bus bus;
		attack->live = NULL; /* the beats are our parent's */
		_exit(welcomed(attack, &bus, routing));
	}
	if (child < 0)
		return true;
	while (waitpid(child, &status, WNOHANG) == 0) {
		attack->live(attack->context);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static bool unknown_process(struct bus_attack *attack)
{
	return child_is_welcome(attack, NULL);
}

static bool known_routing_unknown_process(struct bus_attack *attack)
{
	return child_is_welcome(attack, attack->born->birth.routing);
}

static bool known_process_other_routing(struct bus_attack *attack)
{
	uint8_t routing[16];
	struct bus bus;
	(void)!getrandom(routing, sizeof routing, 0);
	bool through = welcomed(attack, &bus, routing);
	bus_close(&bus);
	return through;
}

/* Answers that nobody asked us for. They are dropped without a word; what we can see is that the broker still
 * serves us. */
static bool forge_answers(struct bus_attack *attack)
{
	struct bus bus;
	struct envelope e;
	attack->welcomed = welcomed_as_ourselves(attack, &bus);
	if (!attack->welcomed)
		return false; /* the control says so */
	for (unsigned i = 0; i < FORGERIES; i++) {
		struct envelope forged = {.type = ENVELOPE_REPLY, .number = 0x0501, .serial = i + 1};
		(void)!getrandom(&forged.caller_birth, sizeof forged.caller_birth, 0);
		bus_send(&bus, &forged, "\x90", 1);
	}
	bus_hello(&bus);
	bool lost = !await(attack, &bus, ENVELOPE_WELCOME, &e, ANSWER_MS);
	bus_close(&bus);
	return lost;
}

/* One that the rows allow gets little time: the other process may be a prober too, which answers nobody. */
static enum err ask(struct bus_attack *attack, struct bus *bus, const struct call_row *row, unsigned kind,
		    unsigned node, bool may)
{
	struct envelope e = {.type = ENVELOPE_ASK,
			     .number = row->number,
			     .serial = ++bus->serial,
			     .deadline = now_ns() + (may ? ALLOWED_MS : ANSWER_MS) * UINT64_C(1000000),
			     .target_kind = (uint8_t)kind,
			     .target_node = (uint16_t)node};
	if (!bus_send(bus, &e, "\x90", 1))
		return ERR_BUSY;
	for (struct envelope answer; await(attack, bus, ENVELOPE_REPLY, &answer, ANSWER_MS);)
		if (answer.serial == e.serial)
			return answer.type == ENVELOPE_REPLY ? ERR_OK : (enum err)answer.error;
	return ERR_LATE;
}

/* Every call of every kind, of every node there is: what the rows forbid must be denied. Asks that they allow
 * are made with an empty body and do nothing; that they are not denied is the control. */
static bool ask_everything(struct bus_attack *attack)
{
	struct bus bus;
	const struct birth *us = &attack->born->birth;
	bool through = !welcomed_as_ourselves(attack, &bus);
	const struct call_row *row;
	if (through)
		return true;
	for (unsigned i = 0; !through && (row = call_at(i)); i++) {
		unsigned kind = row->number >> 8;
		const struct actor_row *target = actor_row(kind ? kind : STORE);
		for (unsigned node = target->scope == PER_NODE; node <= (target->scope == PER_NODE ? 2U : 0U);
		     node++) {
			bool may = rights_allow(row->may, us->kind, us->node, node);
			enum err err = may && row->effect != READ
					       ? ERR_OK
					       : ask(attack, &bus, row, target->kind, node, may);
			through = through || (!may && err != ERR_DENIED) || (may && err == ERR_DENIED);
			attack->forbidden += !may;
			attack->allowed += may;
		}
	}
	bus_close(&bus);
	return through;
}

/* Whether scribe let itself be fooled is seen in its files, by the selftest (forged.c). */
static bool forge_lines(struct bus_attack *attack)
{
	(void)attack;
	return write(FD_LOG, FORGED_LINES, sizeof FORGED_LINES - 1) != sizeof FORGED_LINES - 1;
}

const struct bus_attempt bus_attempts[] = {
#define ATTACK(row, symbol, except, walls, name)
#define BUS(row, symbol, walls, name) {row, #symbol, name, symbol},
#define OPEN(row, what, why)
#include "actors/prober/attacks.def"
#undef ATTACK
#undef BUS
#undef OPEN
	{0, NULL, NULL, NULL},
};
