/* What is wrong with a machine, judged from reports. */
#include "actors/console/findings.h"
#include "actors/console/processes.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct findings found;

/* All of them as printed, with the fine ones. */
static const char *said(void)
{
	static char kept[256 * FINDINGS_MAX];
	char *text;
	size_t length;
	struct page page = {open_memstream(&text, &length), false};
	findings_say(&found, &page, true);
	fclose(page.to);
	snprintf(kept, sizeof kept, "%s", text);
	free(text);
	return kept;
}

static struct machine_row machine = {.name = "cassia"};

static struct steward_status_reply status(const struct node_row *nodes, uint32_t node_count,
					  const struct process_row *processes, uint32_t count)
{
	return (struct steward_status_reply){.machine = &machine,
					     .machine_count = 1,
					     .nodes = nodes,
					     .nodes_count = node_count,
					     .processes = processes,
					     .processes_count = count};
}

/* -- processes ----------------------------------------------------------------------------------------- */

Test(findings, nothing_is_said_of_what_is_ready)
{
	struct process_row processes[] = {{.actor = "store", .node = 1, .state = "ready", .pid = 5},
					  {.actor = "broker", .state = "ready", .pid = 6}};
	struct steward_status_reply reply = status(NULL, 0, processes, 2);
	char text[64];
	findings_of_processes(&found, &reply);
	cr_expect_eq(found.count, 0);
	cr_expect_str_eq(findings_verdict(&found, text), "all well");
}

Test(findings, every_other_state_is_named)
{
	static const struct {
		const char *state, *said;
		enum judged judged;
	} states[] = {{"waiting", "waits", WARN},
		      {"starting", "is starting", WARN},
		      {"back-off", "killed by signal 9", BAD},
		      {"parked", "is parked", BAD},
		      {"misconfigured", "does not start", BAD},
		      {"stopping", "is stopping", WARN},
		      {"stopped", "is stopped", WARN},
		      {"stuck", "does not let it go", BAD},
		      {"levitating", "levitating", WARN}};
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		struct process_row process = {
			.actor = "store", .node = 2, .last_end = -9, .next_ms = 4000, .restarts = 3};
		snprintf(process.state, sizeof process.state, "%s", states[i].state);
		struct steward_status_reply reply = status(NULL, 0, &process, 1);
		found = (struct findings){0};
		findings_of_processes(&found, &reply);
		cr_assert_eq(found.count, 1, "%s", states[i].state);
		cr_expect_eq(found.all[0].judged, states[i].judged, "%s", states[i].state);
		cr_expect(strstr(found.all[0].what, states[i].said), "%s", found.all[0].what);
		cr_expect(strstr(found.all[0].what, "store@2"), "%s", found.all[0].what);
	}
}

Test(findings, a_death_says_why_how_often_and_when_it_starts_again)
{
	struct process_row process = {.actor = "store",
				      .node = 3,
				      .state = "back-off",
				      .last_end = -9,
				      .next_ms = 4000,
				      .restarts = 3};
	struct steward_status_reply reply = status(NULL, 0, &process, 1);
	findings_of_processes(&found, &reply);
	cr_expect_str_eq(
		said(),
		" bad  store@3 died: killed by signal 9 (KILL); restarted 3 times so far, starts again in 4 s"
		"    warren logs store@3\n");
}

Test(findings, a_parked_node_is_one_finding_that_names_who_died)
{
	struct node_row node = {.node = 2, .parked = true};
	struct process_row processes[] = {
		{.actor = "wallet", .node = 2, .state = "parked", .restarts = 1, .last_end = 0},
		{.actor = "store", .node = 2, .state = "parked", .restarts = 5, .last_end = -11},
		{.actor = "gateway", .node = 2, .state = "parked", .restarts = 1, .last_end = 1},
		{.actor = "store", .node = 1, .state = "ready", .pid = 7}};
	struct steward_status_reply reply = status(&node, 1, processes, 4);
	findings_of_processes(&found, &reply);
	cr_assert_eq(found.count, 1);
	cr_expect_eq(found.all[0].judged, BAD);
	cr_expect(strstr(found.all[0].what, "node 2 is parked") &&
			  strstr(found.all[0].what, "store@2: killed by signal 11"),
		  "%s", found.all[0].what);
	cr_expect_str_eq(found.all[0].next, "warren logs 2, then warren start 2");
}

Test(findings, a_stopped_node_is_one_finding_and_a_drained_one_too)
{
	struct node_row node = {.node = 2};
	struct process_row processes[] = {{.actor = "wallet", .node = 2, .state = "stopped"},
					  {.actor = "store", .node = 2, .state = "stopped"},
					  {.actor = "scribe", .state = "stopped"}};
	struct steward_status_reply reply = status(&node, 1, processes, 3);
	findings_of_processes(&found, &reply);
	cr_assert_eq(found.count, 2);
	cr_expect(strstr(said(), "scribe is stopped") && strstr(said(), "node 2 is stopped"), "%s", said());
	cr_expect_str_eq(found.all[1].next, "warren start 2");
	node.draining = true;
	found = (struct findings){0};
	findings_of_processes(&found, &reply);
	cr_expect(strstr(said(), "node 2 is drained"), "%s", said());
	snprintf(processes[0].state, sizeof processes[0].state, "stopping");
	found = (struct findings){0};
	findings_of_processes(&found, &reply);
	cr_expect(strstr(said(), "node 2 drains"), "%s", said());
	cr_expect_not(strstr(said(), "wallet@2"), "%s", said());
}

Test(findings, one_stopped_process_of_a_node_is_named)
{
	struct node_row node = {.node = 2};
	struct process_row processes[] = {{.actor = "wallet", .node = 2, .state = "ready"},
					  {.actor = "store", .node = 2, .state = "stopped"}};
	struct steward_status_reply reply = status(&node, 1, processes, 2);
	findings_of_processes(&found, &reply);
	cr_assert_eq(found.count, 1);
	cr_expect(strstr(said(), "store@2 is stopped"), "%s", said());
}

Test(findings, a_process_of_an_undeclared_node_is_not_forgotten)
{
	struct process_row process = {.actor = "store", .node = 9, .state = "stuck"};
	struct steward_status_reply reply = status(NULL, 0, &process, 1);
	findings_of_processes(&found, &reply);
	cr_expect_eq(found.count, 1);
}

Test(findings, a_stuck_process_of_a_parked_node_is_still_named)
{
	struct node_row node = {.node = 2, .parked = true};
	struct process_row process = {.actor = "store", .node = 2, .state = "stuck"};
	struct steward_status_reply reply = status(&node, 1, &process, 1);
	findings_of_processes(&found, &reply);
	cr_expect_eq(found.count, 2);
}

Test(findings, hostile_names_are_harmless)
{
	struct process_row process = {.actor = "st\033[2J", .node = 2, .state = "x\nready"};
	struct steward_status_reply reply = status(NULL, 0, &process, 1);
	findings_of_processes(&found, &reply);
	cr_assert_eq(found.count, 1);
	cr_expect(strstr(found.all[0].what, "st?[2J@2 is \"x?ready\""), "%s", found.all[0].what);
}

/* -- stores, scribe, limits ------------------------------------------------------------------------------ */

Test(findings, stores)
{
	struct store_stat_reply stat = {.writable = true, .quota = 1000, .used = 949};
	findings_of_store(&found, 1, &stat);
	cr_expect_eq(found.count, 0);
	stat.used = 950;
	findings_of_store(&found, 1, &stat);
	cr_expect_eq(found.warn, 1);
	stat.corrupt = 2;
	snprintf(stat.trouble, sizeof stat.trouble, "disk says no\033");
	stat.writable = false;
	findings_of_store(&found, 1, &stat);
	cr_expect_eq(found.bad, 2);
	cr_expect(strstr(said(), "takes no writes: disk says no?"));
	cr_expect(strstr(said(), "2 corrupt blobs"));
}

Test(findings, a_store_whose_numbers_make_no_sense)
{
	struct store_stat_reply stat = {.writable = true, .quota = 0, .used = UINT64_MAX};
	findings_of_store(&found, 1, &stat);
	cr_expect_eq(found.count, 0);
	stat.quota = 100;
	findings_of_store(&found, 1, &stat);
	cr_expect_eq(found.warn, 1);
}

Test(findings, limits)
{
	struct limit_row fine = {.name = "asks", .depth = 9, .high = 10, .limit = 10};
	struct limit_row full = {.name = "asks", .depth = 10, .high = 10, .limit = 10};
	struct limit_row dropped = {.name = "asks", .depth = 1, .drops = 3};
	findings_of_limit(&found, "store@1", &fine);
	cr_expect_eq(found.count, 0);
	findings_of_limit(&found, "store@1", &full);
	findings_of_limit(&found, "store@1", &dropped);
	cr_expect_eq(found.warn, 2);
	struct broker_row broker = {.open_limit = 10, .open = 10, .denied = 1};
	findings_of_broker(&found, &broker);
	cr_expect_eq(found.bad, 1);
	cr_expect_eq(found.warn, 3);
	struct scribe_stat_reply scribe = {.dropped = 7, .trouble = "no space"};
	findings_of_scribe(&found, &scribe);
	cr_expect_eq(found.bad, 2);
	cr_expect_eq(found.warn, 4);
}

/* -- walls --------------------------------------------------------------------------------------------- */

static struct process_row three[] = {{.actor = "wallet", .node = 1, .state = "ready", .pid = 1},
				     {.actor = "store", .node = 1, .state = "ready", .pid = 2},
				     {.actor = "gateway", .node = 1, .state = "stopped", .pid = 0}};

Test(walls, all_there)
{
	struct steward_status_reply reply = status(NULL, 0, three, 3);
	uint32_t missing[] = {0, 0, 0};
	findings_of_walls(&found, &reply, missing);
	cr_assert_eq(found.count, 1);
	cr_expect_eq(found.all[0].judged, FINE);
	cr_expect(strstr(found.all[0].what, "2 of 2 processes"));
}

Test(walls, one_finding_a_wall_with_its_remedy)
{
	struct steward_status_reply reply = status(NULL, 0, three, 3);
	uint32_t missing[] = {1U << WALL_SECCOMP | 1U << WALL_MEMORY, 1U << WALL_MEMORY, 1U << WALL_UID};
	findings_of_walls(&found, &reply, missing);
	cr_assert_eq(found.count, 2); /* one that does not run has no walls to miss */
	cr_expect_eq(found.bad, 1);
	cr_expect_eq(found.warn, 1);
	findings_sort(&found);
	cr_expect(strstr(found.all[0].what, "\"seccomp\" is missing around 1 of 2 processes (wallet@1)"),
		  "%s", found.all[0].what);
	cr_expect_str_eq(found.all[0].next, wall_row(WALL_SECCOMP)->remedy);
	cr_expect(strstr(found.all[1].what,
			 "\"memory\" is missing around 2 of 2 processes (wallet@1, store@1)"),
		  "%s", found.all[1].what);
}

Test(walls, what_the_machine_cannot_build_is_named_before_anybody_misses_it)
{
	struct steward_status_reply reply = status(NULL, 0, three, 3);
	uint32_t missing[] = {0, 0, 0};
	machine.missing = 1U << WALL_LANDLOCK;
	findings_of_walls(&found, &reply, missing);
	cr_assert_eq(found.count, 1);
	cr_expect(strstr(found.all[0].what, "\"landlock\" could not be built"), "%s", found.all[0].what);
}

Test(walls, those_that_keep_processes_apart_are_bad)
{
	struct steward_status_reply reply = status(NULL, 0, three, 3);
	for (unsigned wall = 0; wall < WALLS; wall++) {
		uint32_t missing[] = {1U << wall, 0, 0};
		bool starves = wall == WALL_MEMORY || wall == WALL_PIDS || wall == WALL_SECRETS;
		found = (struct findings){0};
		findings_of_walls(&found, &reply, missing);
		cr_expect_eq(found.bad, starves ? 0 : 1, "%s", wall_row(wall)->name);
	}
}

/* -- saying them --------------------------------------------------------------------------------------- */

Test(findings, bad_news_first_and_the_order_kept_within)
{
	finding_add(&found, FINE, "", "f");
	finding_add(&found, WARN, "", "w1");
	finding_add(&found, BAD, "do it", "b1");
	finding_add(&found, WARN, "", "w2");
	finding_add(&found, BAD, "", "b2");
	findings_sort(&found);
	const char *text = said();
	cr_expect(strstr(text, " bad  b1 ") < strstr(text, " bad  b2\n"));
	cr_expect(strstr(text, " bad  b2\n") < strstr(text, " warn w1\n"));
	cr_expect(strstr(text, " warn w1\n") < strstr(text, " warn w2\n"));
	cr_expect(strstr(text, " warn w2\n") < strstr(text, " ok   f\n"));
	char verdict[64];
	cr_expect_str_eq(findings_verdict(&found, verdict), "2 troubles, 2 warnings");
}

Test(findings, too_many_are_counted)
{
	for (unsigned i = 0; i < FINDINGS_MAX + 5; i++)
		finding_add(&found, BAD, "", "%u", i);
	cr_expect_eq(found.count, FINDINGS_MAX);
	cr_expect_eq(found.bad, FINDINGS_MAX + 5);
	cr_expect(strstr(said(), "and 5 more"));
}

Test(findings, as_json)
{
	finding_add(&found, FINE, "", "fine");
	finding_add(&found, WARN, "next", "a \"quote\"");
	json_t *all = findings_json(&found, true), *some = findings_json(&found, false);
	cr_expect_eq(json_array_size(all), 2);
	cr_assert_eq(json_array_size(some), 1);
	const json_t *row = json_array_get(some, 0);
	cr_expect_str_eq(json_string_value(json_object_get(row, "level")), "warn");
	cr_expect_str_eq(json_string_value(json_object_get(row, "what")), "a \"quote\"");
	cr_expect(json_is_null(json_object_get(json_array_get(all, 0), "next")));
	json_decref(all);
	json_decref(some);
}

/* -- rows ---------------------------------------------------------------------------------------------- */

Test(processes, who_can_be_asked)
{
	struct process_row store = {.actor = "store", .node = 1, .state = "ready"};
	struct process_row broker = {.actor = "broker", .state = "ready"};
	struct process_row dead = {.actor = "store", .node = 2, .state = "back-off"};
	struct process_row stranger = {.actor = "parrot", .state = "ready"};
	cr_expect(process_answers(&store));
	cr_expect_not(process_answers(&broker));
	cr_expect_not(process_answers(&dead));
	cr_expect_not(process_answers(&stranger)); /* a kind that this build does not know */
}

Test(processes, as_json)
{
	struct process_row process = {.actor = "store",
				      .node = 3,
				      .state = "back-off",
				      .uid = 700100,
				      .restarts = 2,
				      .last_end = -9,
				      .missing = 1U << WALL_PIDS};
	json_t *json = process_json(&process);
	cr_expect_str_eq(json_string_value(json_object_get(json, "who")), "store@3");
	cr_expect_str_eq(json_string_value(json_object_get(json, "actor")), "store");
	cr_expect_eq(json_integer_value(json_object_get(json, "node")), 3);
	cr_expect(json_is_null(json_object_get(json, "pid")));
	cr_expect(json_is_null(json_object_get(json, "pss")));
	cr_expect_eq(json_integer_value(json_object_get(json, "uid")), 700100);
	cr_expect_eq(json_integer_value(json_object_get(json, "last_end")), -9);
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(json, "missing"), 0)), "pids");
	json_decref(json);
}
