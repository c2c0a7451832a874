/* Which alerts follow from the supervisor's rows and from the clock. */
#include "actors/steward/rules.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct machine_row machine;
static struct broker_row broker;
static struct node_row nodes[2];
static struct process_row processes[3];
static struct steward_status_reply status;
static struct rules *rules;
static struct alerts *alerts;
static uint64_t now_ms;

static void ignore(void *context, const struct alert_news *news)
{
	(void)context, (void)news;
}

static void set_process(int i, const char *actor, unsigned node, const char *state)
{
	processes[i] = (struct process_row){.node = (uint16_t)node, .pid = 100 + (unsigned)i};
	snprintf(processes[i].actor, sizeof processes[i].actor, "%s", actor);
	snprintf(processes[i].state, sizeof processes[i].state, "%s", state);
}

static void begin(void)
{
	machine = (struct machine_row){.up_ms = 3600000, .disk = 1000 << 20, .disk_free = 500 << 20};
	broker = (struct broker_row){0};
	memset(nodes, 0, sizeof nodes);
	nodes[0].node = 1;
	nodes[1].node = 2;
	set_process(0, "steward", 0, "ready");
	set_process(1, "store", 1, "ready");
	set_process(2, "wallet", 1, "ready");
	status = (struct steward_status_reply){&machine, 1, nodes, 2, processes, 3, &broker, 1};
	rules = rules_new();
	alerts = alerts_new(600000, ignore, NULL);
	now_ms = 10000;
}

static void end(void)
{
	rules_free(&rules);
	alerts_free(&alerts);
}

static void look(void)
{
	now_ms += 1000;
	struct alert_moment now = {now_ms, INT64_C(1700000000000) + (int64_t)now_ms};
	rules_look(rules, &status, alerts, &now);
}

static bool stands(enum alert_code code, enum kind kind, unsigned node)
{
	for (int i = 0; i < ALERTS_MAX; i++) {
		const struct alert *alert = &alerts_all(alerts)[i];
		if (alert->id && alert->active && alert->code == code && alert->kind == kind &&
		    alert->node == node)
			return true;
	}
	return false;
}

static unsigned standing(void)
{
	unsigned count = 0;
	for (int i = 0; i < ALERTS_MAX; i++)
		count += alerts_all(alerts)[i].id && alerts_all(alerts)[i].active;
	return count;
}

Test(rules, all_is_well, .init = begin, .fini = end)
{
	look();
	look();
	cr_assert_eq(standing(), 0);
}

Test(rules, states, .init = begin, .fini = end)
{
	nodes[1].parked = true;
	set_process(1, "store", 1, "stuck");
	set_process(2, "wallet", 1, "misconfigured");
	look();
	cr_assert(stands(ALERT_NODE_PARKED, KIND_NONE, 2));
	cr_assert(stands(ALERT_PROCESS_STUCK, STORE, 1));
	cr_assert(stands(ALERT_WALLET_KEY, WALLET, 1));
	cr_assert_eq(standing(), 3, "a wallet's trouble has one name");
	set_process(1, "store", 1, "misconfigured");
	look();
	cr_assert(stands(ALERT_PROCESS_MISCONFIGURED, STORE, 1));
	cr_assert_not(stands(ALERT_PROCESS_STUCK, STORE, 1));
	set_process(1, "store", 1, "ready");
	set_process(2, "wallet", 1, "ready");
	nodes[1].parked = false;
	look();
	cr_assert_eq(standing(), 0);
}

Test(rules, restarts_that_nobody_asked_for, .init = begin, .fini = end)
{
	look();
	processes[1].restarts = 3; /* by hand: it ended with 0 */
	look();
	cr_assert_eq(standing(), 0);
	processes[1].last_end = -9;
	processes[1].restarts = 5;
	look();
	cr_assert_eq(standing(), 0, "two are no series");
	processes[1].restarts = 6;
	look();
	cr_assert(stands(ALERT_PROCESS_RESTARTS, STORE, 1));
	now_ms += RESTARTS_CALM_MS - 2000;
	look();
	cr_assert(stands(ALERT_PROCESS_RESTARTS, STORE, 1));
	look();
	cr_assert_not(stands(ALERT_PROCESS_RESTARTS, STORE, 1));
	processes[1].restarts = 7; /* one now and then */
	now_ms += RESTARTS_WITHIN_MS;
	look();
	cr_assert_eq(standing(), 0);
}

Test(rules, walls_that_stood_before, .init = begin, .fini = end)
{
	processes[2].missing = 1U << WALL_SECRETS; /* never stood here */
	machine.missing = 1U << WALL_SECRETS;
	look();
	cr_assert(stands(ALERT_WALL_MISSING, KIND_NONE, 0));
	cr_assert_not(stands(ALERT_WALL_LOST, KIND_NONE, 0));
	processes[1].missing = 1U << WALL_SECCOMP;
	look();
	cr_assert(stands(ALERT_WALL_LOST, KIND_NONE, 0));
	processes[1].missing = 0;
	look();
	cr_assert_not(stands(ALERT_WALL_LOST, KIND_NONE, 0));
}

Test(rules, the_disk_has_two_thresholds, .init = begin, .fini = end)
{
	machine.disk_free = 51 << 20;
	look();
	cr_assert_not(stands(ALERT_DISK_NEARLY_FULL, KIND_NONE, 0));
	machine.disk_free = 45 << 20;
	look();
	cr_assert(stands(ALERT_DISK_NEARLY_FULL, KIND_NONE, 0));
	machine.disk_free = 51 << 20;
	look();
	cr_assert(stands(ALERT_DISK_NEARLY_FULL, KIND_NONE, 0), "not to and fro at one figure");
	machine.disk_free = 70 << 20;
	look();
	cr_assert_not(stands(ALERT_DISK_NEARLY_FULL, KIND_NONE, 0));
}

Test(rules, a_process_that_asked_what_it_may_not, .init = begin, .fini = end)
{
	look();
	broker.denied = 100; /* people */
	look();
	cr_assert_eq(standing(), 0);
	broker.accused = 1;
	broker.accused_kind = GATEWAY;
	broker.accused_node = 2;
	look();
	cr_assert(stands(ALERT_ASK_DENIED, GATEWAY, 2));
	/* Of one time it is told one time; a broker that was born again counts from 0. */
	uint32_t count = alerts_all(alerts)[0].count;
	look();
	cr_assert_eq(alerts_all(alerts)[0].count, count);
	broker.accused = 0;
	look();
	broker.accused = 1;
	look();
	cr_assert_eq(alerts_all(alerts)[0].count, count + 1);
	broker.accused = 2;
	broker.accused_kind = 29; /* nobody */
	look();
	cr_assert_eq(standing(), 1);
}

Test(rules, the_clock, .init = begin, .fini = end)
{
	struct alert_moment now = {1000, 5000000};
	cr_assert_eq(rules_clock(rules, &now), 0, "the first look knows no other");
	now = (struct alert_moment){2000, 5001000};
	cr_assert_eq(rules_clock(rules, &now), 0);
	now = (struct alert_moment){3000, 5001000 + 1000 + CLOCK_STEP_MS - 1};
	cr_assert_eq(rules_clock(rules, &now), 0, "slewed a little");
	now.ms += 60000; /* we slept, and the clock went on */
	now.wall_ms += 60000;
	cr_assert_eq(rules_clock(rules, &now), 0);
	now.ms += 1000;
	now.wall_ms += 3601000;
	cr_assert_eq(rules_clock(rules, &now), 3600000);
	now.ms += 1000;
	now.wall_ms -= 3599000;
	cr_assert_eq(rules_clock(rules, &now), -3600000);
}

Test(rules, a_machine_with_another_id, .init = begin, .fini = end)
{
	look();
	cr_assert_not(stands(ALERT_MACHINE_CHANGED, KIND_NONE, 0));
	machine.id_changed = true;
	look();
	cr_assert(stands(ALERT_MACHINE_CHANGED, KIND_NONE, 0));
	machine.id_changed = false;
	look();
	cr_assert_not(stands(ALERT_MACHINE_CHANGED, KIND_NONE, 0));
}

Test(rules, a_wallet_that_refuses_more_than_before, .init = begin, .fini = end)
{
	nodes[0].refused = 7; /* before we looked for the first time */
	look();
	look();
	cr_expect_eq(standing(), 0);
	nodes[0].refused = 8;
	look();
	cr_expect(stands(ALERT_WALLET_REFUSED, WALLET, 1));
	cr_expect_eq(standing(), 1);
	nodes[0].refused = 0; /* a new supervisor */
	look();
	nodes[0].refused = 9;
	look();
	now_ms += 600000; /* quiet for as long as begin() says */
	alerts_tick(alerts, &(struct alert_moment){now_ms, INT64_C(1700000000000) + (int64_t)now_ms});
	cr_expect_eq(standing(), 0, "over by itself");
}
