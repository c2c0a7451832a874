/* The rules. Plain C in the process of steward; knows states, counts and walls, and nobody's secrets. */
#include "actors/steward/rules.h"

#include "actors/base/memory/memory.h"
#include "proto/birth.h"
#include "proto/control.h"
#include "proto/reasons.h"

#include <stdio.h>
#include <string.h>

struct past { /* of one process */
	uint8_t kind;
	bool known, failing;
	uint16_t node;
	uint32_t restarts;
	uint64_t died_ms[RESTARTS_MANY]; /* the last ones, the newest first; 0: none */
	uint64_t changed_ms;
};

struct refusals { /* of the wallet of a node */
	bool known;
	uint16_t count;
};

struct rules {
	struct refusals refusals[NODES_MAX + 1];
	struct past past[RULES_PROCESSES];
	bool full;
	struct alert_moment clock;
};

struct look { /* one round */
	struct rules *rules;
	const struct steward_status_reply *status;
	struct alerts *alerts;
	const struct alert_moment *now;
	uint32_t lost;  /* WALL_ bits that stood before */
	unsigned fewer; /* processes that miss some of them */
	bool young;     /* the machine began a short while ago */
};

struct rules *rules_new(void)
{
	return x_new(sizeof(struct rules));
}

void rules_free(struct rules **rules)
{
	x_free(rules);
}

static void raise(const struct look *look, enum alert_code code, unsigned kind, unsigned node,
		  const char *detail)
{
	struct alert_claim claim = {(uint16_t)code, (uint16_t)node, (uint8_t)kind, detail};
	alerts_raise(look->alerts, &claim, false, look->now);
}

static bool is_state(const struct process_row *row, enum process_state state)
{
	static const char *const names[] = {
#define S(SYMBOL, name) name,
		PROCESS_STATES(S)
#undef S
	};
	return strcmp(row->state, names[state]) == 0;
}

/* -- processes --------------------------------------------------------------------------------- */

/* Rows come in one order. Where a node was added before others, what was known of those is forgotten. */
static struct past *past_of(struct rules *rules, uint32_t index, unsigned kind, unsigned node)
{
	struct past *past = &rules->past[index];
	if (past->kind != kind || past->node != node)
		*past = (struct past){.kind = (uint8_t)kind, .node = (uint16_t)node};
	return past;
}

/* Deaths that nobody asked for: by a signal, or with an exit code. Of a process that is seen for the first time all count, as
 * long as the machine itself is young. */
static void count_deaths(struct past *past, const struct process_row *row, bool young, uint64_t now)
{
	uint32_t before = past->known || !young ? past->restarts : 0, more = 0;
	if ((past->known || young) && row->last_end && row->restarts > before)
		more = row->restarts - before;
	for (more = more < RESTARTS_MANY ? more : RESTARTS_MANY; more; more--) {
		memmove(past->died_ms + 1, past->died_ms, sizeof past->died_ms - sizeof past->died_ms[0]);
		past->died_ms[0] = past->changed_ms = now;
	}
	past->known = true;
	past->restarts = row->restarts;
}

static void look_at_deaths(const struct look *look, struct past *past, const struct process_row *row)
{
	char detail[80];
	uint64_t now = look->now->ms;
	count_deaths(past, row, look->young, now);
	uint64_t first = past->died_ms[RESTARTS_MANY - 1];
	if (first && now - first <= RESTARTS_WITHIN_MS)
		past->failing = true;
	if (now - past->changed_ms >= RESTARTS_CALM_MS && is_state(row, PROCESS_READY))
		past->failing = false;
	if (!past->failing)
		return;
	snprintf(detail, sizeof detail, "%u restarts, the last end was %s %d", row->restarts,
		 row->last_end < 0 ? "by signal" : "with code",
		 (int)(row->last_end < 0 ? -row->last_end : row->last_end));
	raise(look, ALERT_PROCESS_RESTARTS, past->kind, past->node, detail);
}

/* A wall that stood around some birth of this kind is remembered for good. */
static void look_at_walls(struct look *look, const struct process_row *row, unsigned kind)
{
	const uint32_t all = (1U << WALLS) - 1;
	uint32_t had = alerts_stood(look->alerts, kind, 0), stands = all & ~row->missing;
	if (!is_state(row, PROCESS_READY))
		return;
	look->lost |= had & row->missing;
	look->fewer += (had & row->missing) != 0;
	if (stands & ~had)
		alerts_stood(look->alerts, kind, stands);
}

static const char *fallen_why(const struct steward_status_reply *status, const struct process_row *row)
{
	for (uint32_t i = 0; i < status->fallen_count; i++)
		if (status->fallen[i].node == row->node && strcmp(status->fallen[i].actor, row->actor) == 0)
			return status->fallen[i].why;
	return "";
}

static void look_at_process(struct look *look, uint32_t index, const struct process_row *row)
{
	enum kind kind = kind_by_name(row->actor, (unsigned)strlen(row->actor));
	char detail[ALERT_DETAIL];
	const struct reason_rule *rule = reason_rule_named(fallen_why(look->status, row));
	if (!kind || index >= RULES_PROCESSES)
		return;
	struct past *past = past_of(look->rules, index, kind, row->node);
	bool wrong = is_state(row, PROCESS_MISCONFIGURED);
	bool later = is_state(row, PROCESS_BACKOFF) && row->last_end == EXIT_WORLD && !row->up_ms;
	snprintf(detail, sizeof detail, "it ended with code %d%s%s%s%s", (int)row->last_end, rule ? ": " : "",
		 rule ? rule->name : "", rule ? ": " : "", rule ? rule->rule : "");
	if (kind == WALLET && (wrong || later))
		raise(look, ALERT_WALLET_KEY, kind, row->node, detail);
	else if (wrong)
		raise(look, ALERT_PROCESS_MISCONFIGURED, kind, row->node, detail);
	if (is_state(row, PROCESS_STUCK)) {
		snprintf(detail, sizeof detail, "pid %u", row->pid);
		raise(look, ALERT_PROCESS_STUCK, kind, row->node, detail);
	}
	look_at_deaths(look, past, row);
	look_at_walls(look, row, kind);
}

/* -- nodes ------------------------------------------------------------------------------------- */

/* A wallet may tell nobody anything but that: the supervisor counts the beats in which it refused. What it was, it keeps for
 * who asks (`warren why`). Of one that is seen for the first time all count, as long as the machine itself is young. */
static void look_at_refusals(const struct look *look, const struct node_row *row)
{
	struct refusals *past = &look->rules->refusals[row->node];
	bool more = (past->known || look->young) && row->refused && row->refused != past->count;
	*past = (struct refusals){true, row->refused};
	if (more)
		raise(look, ALERT_WALLET_REFUSED, WALLET, row->node, "");
}

static void look_at_node(const struct look *look, const struct node_row *row)
{
	if (row->node > NODES_MAX)
		return;
	if (row->parked)
		raise(look, ALERT_NODE_PARKED, KIND_NONE, row->node, "");
	look_at_refusals(look, row);
}

/* -- the machine ------------------------------------------------------------------------------- */

static void walls_text(uint32_t walls, char *text, size_t room)
{
	size_t length = 0;
	text[0] = '\0';
	for (unsigned wall = 0; wall < WALLS; wall++)
		if (walls & 1U << wall && length + 16 < room)
			length += (size_t)snprintf(text + length, room - length, "%s%s", length ? ", " : "",
						   wall_row(wall)->name);
}

static void look_at_machine(struct look *look, const struct machine_row *machine)
{
	char walls[120], detail[ALERT_DETAIL];
	walls_text(look->lost, walls, sizeof walls);
	snprintf(detail, sizeof detail, "%s, around %u processes", walls, look->fewer);
	if (look->lost)
		raise(look, ALERT_WALL_LOST, KIND_NONE, 0, detail);
	walls_text(machine->missing, walls, sizeof walls);
	if (machine->missing)
		raise(look, ALERT_WALL_MISSING, KIND_NONE, 0, walls);
	if (machine->id_changed)
		raise(look, ALERT_MACHINE_CHANGED, KIND_NONE, 0, "");
	uint64_t percent = machine->disk ? machine->disk_free / (machine->disk / 100 + 1) : 100;
	look->rules->full = percent < (uint64_t)DISK_FULL_PERCENT + look->rules->full;
	snprintf(detail, sizeof detail, "%llu MiB of %llu MiB are free",
		 (unsigned long long)(machine->disk_free >> 20), (unsigned long long)(machine->disk >> 20));
	if (look->rules->full)
		raise(look, ALERT_DISK_NEARLY_FULL, KIND_NONE, 0, detail);
}

static const char *number_name(unsigned number)
{
	const struct call_row *call = call_by_number(number);
	const struct event_row *event = call ? NULL : event_by_number(number);
	return call ? call->name : event ? event->name : number ? "no call at all" : "a tap";
}

static void look_at_broker(const struct look *look, const struct broker_row *broker)
{
	char detail[ALERT_DETAIL];
	uint64_t before = alerts_accused(look->alerts, broker->accused);
	bool more = broker->accused > before || (broker->accused && broker->accused < before); /* reborn */
	snprintf(detail, sizeof detail, "it asked for %s; %llu refusals since the broker began",
		 number_name(broker->accused_number), (unsigned long long)broker->accused);
	if (more && actor_row(broker->accused_kind))
		raise(look, ALERT_ASK_DENIED, broker->accused_kind, broker->accused_node, detail);
}

void rules_look(struct rules *rules, const struct steward_status_reply *status, struct alerts *alerts,
		const struct alert_moment *now)
{
	struct look look = {.rules = rules, .status = status, .alerts = alerts, .now = now};
	look.young = status->machine_count && status->machine[0].up_ms < RESTARTS_WITHIN_MS;
	bool herald = false;
	alerts_round(alerts);
	for (uint32_t i = 0; i < status->nodes_count; i++)
		look_at_node(&look, &status->nodes[i]);
	for (uint32_t i = 0; i < status->processes_count; i++) {
		look_at_process(&look, i, &status->processes[i]);
		herald = herald || strcmp(status->processes[i].actor, kind_name(HERALD)) == 0;
	}
	if (status->machine_count)
		look_at_machine(&look, &status->machine[0]);
	if (status->broker_count)
		look_at_broker(&look, &status->broker[0]);
	if (!herald)
		alerts_absent(alerts, CARRY_WEBHOOK);
	alerts_round_end(alerts, now);
}

int64_t rules_clock(struct rules *rules, const struct alert_moment *now)
{
	struct alert_moment before = rules->clock;
	rules->clock = *now;
	int64_t step = now->wall_ms - before.wall_ms - (int64_t)(now->ms - before.ms);
	bool set = before.ms && (step >= CLOCK_STEP_MS || step <= -CLOCK_STEP_MS);
	return set ? step : 0;
}
