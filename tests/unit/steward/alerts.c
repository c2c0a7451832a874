/* The table of alerts: raised once, said once, over once; bounded under a flood; the same after a restart. */
#include "actors/steward/alerts_inside.h"
#include "actors/base/crypto/crypto.h"
#include "actors/steward/alerts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUIET_MS = 5000, SAID_MAX = 1024 };

static struct {
	struct alert_news news[SAID_MAX];
	unsigned count;
} said;

static void hear(void *context, const struct alert_news *news)
{
	(void)context;
	cr_assert_lt(said.count, SAID_MAX);
	said.news[said.count++] = *news;
}

static struct alert_moment at(uint64_t ms)
{
	return (struct alert_moment){1000 + ms, INT64_C(1700000000000) + (int64_t)ms};
}

static struct alerts *fresh(void)
{
	said.count = 0;
	return alerts_new(QUIET_MS, hear, NULL);
}

static bool raise_at(struct alerts *alerts, enum alert_code code, enum kind kind, unsigned node, uint64_t ms)
{
	struct alert_moment now = at(ms);
	struct alert_claim claim = {(uint16_t)code, (uint16_t)node, (uint8_t)kind, "because"};
	return alerts_raise(alerts, &claim, kind != KIND_NONE, &now);
}

static const struct alert *first(const struct alerts *alerts)
{
	for (int i = 0; i < ALERTS_MAX; i++)
		if (alerts_all(alerts)[i].id)
			return &alerts_all(alerts)[i];
	return NULL;
}

static unsigned standing(const struct alerts *alerts)
{
	unsigned count = 0;
	for (int i = 0; i < ALERTS_MAX; i++)
		count += alerts_all(alerts)[i].id && alerts_all(alerts)[i].active;
	return count;
}

Test(alerts, repeated_it_is_one_alert_and_one_piece_of_news)
{
	struct alerts *alerts = fresh();
	for (uint64_t ms = 0; ms < 60000; ms += 10000)
		cr_assert(raise_at(alerts, ALERT_STORE_FULL, STORE, 3, ms));
	cr_assert_eq(standing(alerts), 1);
	cr_assert_eq(said.count, 1);
	cr_assert_eq(said.news[0].change, ALERT_RAISED);
	cr_assert_eq(first(alerts)->first_ms, at(0).wall_ms);
	cr_assert_eq(first(alerts)->last_ms, at(50000).wall_ms);
	struct alert_moment now = at(60000);
	alerts_clear(alerts, ALERT_STORE_FULL, STORE, 3, &now);
	alerts_clear(alerts, ALERT_STORE_FULL, STORE, 3, &now);
	cr_assert_eq(said.count, 2);
	cr_assert_eq(said.news[1].change, ALERT_CLEARED);
	cr_assert_eq(said.news[1].seq, 2);
	cr_assert_eq(standing(alerts), 0);
	alerts_free(&alerts);
}

Test(alerts, one_that_nobody_repeats_is_over_and_a_moment_is_over_after_quiet)
{
	struct alerts *alerts = fresh();
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 0);
	raise_at(alerts, ALERT_LOGS_DROPPED, STORE, 1, 0);
	struct alert_moment now = at(QUIET_MS - 1);
	alerts_tick(alerts, &now);
	cr_assert_eq(standing(alerts), 2);
	now = at(QUIET_MS);
	alerts_tick(alerts, &now);
	cr_assert_eq(standing(alerts), 1);
	now = at(ALERT_LEASE_MS - 1);
	alerts_tick(alerts, &now);
	cr_assert_eq(standing(alerts), 1);
	now = at(ALERT_LEASE_MS);
	alerts_tick(alerts, &now);
	cr_assert_eq(standing(alerts), 0);
	alerts_free(&alerts);
}

Test(alerts, a_birth_ends_what_the_last_one_held)
{
	struct alerts *alerts = fresh();
	struct alert_moment now = at(10);
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 0);
	raise_at(alerts, ALERT_STORE_FULL, STORE, 2, 0);
	raise_at(alerts, ALERT_LOGS_DROPPED, STORE, 1, 0);
	struct alert_claim rule = {ALERT_PROCESS_RESTARTS, 1, STORE, ""};
	alerts_raise(alerts, &rule, false, &now);
	alerts_born(alerts, STORE, 1, &now);
	cr_assert_eq(standing(alerts), 3, "another's, a moment and a rule's stay");
	cr_assert_eq(said.news[said.count - 1].change, ALERT_CLEARED);
	cr_assert_eq(said.news[said.count - 1].code, ALERT_STORE_FULL);
	alerts_free(&alerts);
}

Test(alerts, a_round_of_rules_ends_its_own_and_no_actors)
{
	struct alerts *alerts = fresh();
	struct alert_moment now = at(0);
	raise_at(alerts, ALERT_STORE_CORRUPT, STORE, 1, 0);
	alerts_round(alerts);
	raise_at(alerts, ALERT_NODE_PARKED, KIND_NONE, 1, 0);
	raise_at(alerts, ALERT_NODE_PARKED, KIND_NONE, 2, 0);
	alerts_round_end(alerts, &now);
	cr_assert_eq(standing(alerts), 3);
	alerts_round(alerts);
	raise_at(alerts, ALERT_NODE_PARKED, KIND_NONE, 2, 0);
	alerts_round_end(alerts, &now);
	cr_assert_eq(standing(alerts), 2);
	cr_assert_eq(said.news[said.count - 1].change, ALERT_CLEARED);
	cr_assert_eq(said.news[said.count - 1].node, 1);
	alerts_free(&alerts);
}

Test(alerts, acknowledged_once_by_whom_and_anew_when_it_comes_again)
{
	struct alerts *alerts = fresh();
	struct alert_moment now = at(5);
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 0);
	uint64_t id = first(alerts)->id;
	cr_assert_eq(alerts_ack(alerts, id + 1, 7, &now), ERR_NOT_FOUND);
	cr_assert_eq(alerts_ack(alerts, 0, 7, &now), ERR_NOT_FOUND);
	cr_assert_eq(alerts_ack(alerts, id, 7, &now), ERR_OK);
	cr_assert_eq(alerts_ack(alerts, id, 8, &now), ERR_OK);
	cr_assert_eq(first(alerts)->acked_by, 7);
	cr_assert_eq(said.count, 2);
	cr_assert_eq(said.news[1].change, ALERT_ACKED);
	alerts_clear(alerts, ALERT_STORE_FULL, STORE, 1, &now);
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 10);
	cr_assert_eq(first(alerts)->acked_ms, 0, "it came again: somebody should look");
	cr_assert_eq(first(alerts)->count, 2);
	alerts_free(&alerts);
}

Test(alerts, a_flood_is_bounded_and_counted)
{
	struct alerts *alerts = fresh();
	unsigned taken = 0;
	for (unsigned node = 1; node <= 300; node++)
		taken += raise_at(alerts, ALERT_STORE_FULL, STORE, node, 0);
	cr_assert_eq(taken, ALERTS_MAX - 1);
	cr_assert_eq(standing(alerts), ALERTS_MAX - 1);
	cr_assert_eq(alerts_counts(alerts)->dropped, 300 - (ALERTS_MAX - 1));
	cr_assert(raise_at(alerts, ALERT_ALERTS_DROPPED, KIND_NONE, 0, 1),
		  "that there were more can be said");
	cr_assert_eq(alerts_counts(alerts)->high, ALERTS_MAX);
	/* What is over gives way to what stands. */
	struct alert_moment now = at(10);
	alerts_clear(alerts, ALERT_STORE_FULL, STORE, 5, &now);
	cr_assert(raise_at(alerts, ALERT_STORE_FULL, STORE, 300, 20));
	cr_assert_eq(standing(alerts), ALERTS_MAX);
	alerts_free(&alerts);
}

Test(alerts, one_that_comes_and_goes_has_its_share_of_the_news_and_the_last_word_is_true)
{
	struct alerts *alerts = fresh();
	struct alert_moment now;
	for (uint64_t i = 0; i < 1000; i++) {
		raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 2 * i);
		now = at(2 * i + 1);
		alerts_clear(alerts, ALERT_STORE_FULL, STORE, 1, &now);
	}
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 3000);
	cr_assert_eq(said.count, NEWS_OF_ONE);
	cr_assert_gt(alerts_counts(alerts)->muted, 900);
	cr_assert_eq(said.news[said.count - 1].change, ALERT_CLEARED);
	for (uint64_t ms = 3000; ms < NEWS_WINDOW_MS + 20000; ms += 10000) {
		raise_at(alerts, ALERT_STORE_FULL, STORE, 1, ms);
		now = at(ms);
		alerts_tick(alerts, &now);
	}
	cr_assert_eq(said.count, NEWS_OF_ONE + 1);
	cr_assert_eq(said.news[said.count - 1].change, ALERT_RAISED, "it stands, and now that is said");
	alerts_free(&alerts);
}

Test(alerts, news_are_handed_out_in_order_and_a_gap_is_seen)
{
	struct alerts *alerts = fresh();
	struct alert_news news[NEWS_AT_ONCE];
	cr_assert_eq(alerts_news(alerts, CARRY_WEBHOOK, news), 0);
	for (unsigned node = 1; node <= 20; node++)
		raise_at(alerts, ALERT_STORE_FULL, STORE, node, 0);
	cr_assert_eq(alerts_news(alerts, CARRY_WEBHOOK, news), NEWS_AT_ONCE);
	cr_assert_eq(news[0].seq, 1);
	cr_assert_eq(news[15].seq, 16);
	alerts_delivered(alerts, CARRY_WEBHOOK, 16);
	cr_assert_eq(alerts_news(alerts, CARRY_WEBHOOK, news), 4);
	cr_assert_eq(news[0].seq, 17);
	alerts_delivered(alerts, CARRY_WEBHOOK, 3);   /* back: no */
	alerts_delivered(alerts, CARRY_WEBHOOK, 999); /* from a future that we do not know: no */
	cr_assert_eq(alerts_place(alerts, CARRY_WEBHOOK), 16);
	cr_assert_eq(alerts_news(alerts, CARRY_COMMAND, news), NEWS_AT_ONCE,
		     "the other carrier has its own place");
	struct alert_moment now;
	for (uint64_t round = 1; round <= 20; round++)
		for (unsigned node = 1; node <= 20; node++) {
			now = at(round * 10 * NEWS_WINDOW_MS);
			alerts_clear(alerts, ALERT_STORE_FULL, STORE, node, &now);
			raise_at(alerts, ALERT_STORE_FULL, STORE, node, round * 10 * NEWS_WINDOW_MS);
		}
	cr_assert_eq(alerts_newest(alerts), 820);
	alerts_news(alerts, CARRY_WEBHOOK, news);
	cr_assert_eq(news[0].seq, 820 - NEWS_MAX + 1, "the oldest gave way, and seq shows it");
	cr_assert_gt(alerts_counts(alerts)->lost, 0);
	alerts_absent(alerts, CARRY_WEBHOOK);
	cr_assert_eq(alerts_news(alerts, CARRY_WEBHOOK, news), 0);
	alerts_free(&alerts);
}

Test(alerts, what_a_process_says_is_one_clean_line)
{
	struct alerts *alerts = fresh();
	struct alert_moment now = at(0);
	char long_one[400];
	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	long_one[1] = '\n';
	long_one[2] = '\x1b';
	struct alert_claim claim = {ALERT_STORE_FULL, 1, STORE, long_one};
	alerts_raise(alerts, &claim, true, &now);
	cr_assert_eq(strlen(first(alerts)->detail), ALERT_DETAIL);
	cr_assert_eq(strncmp(first(alerts)->detail, "x??x", 4), 0);
	claim.code = ALERT_CODES;
	cr_assert_not(alerts_raise(alerts, &claim, true, &now), "no such code");
	cr_assert_eq(standing(alerts), 1);
	alerts_free(&alerts);
}

/* -- the file ------------------------------------------------------------------------------------ */

static int scratch(void)
{
	char path[] = "/tmp/warren-alerts-XXXXXX";
	int fd = mkstemp(path);
	unlink(path);
	return fd;
}

Test(alerts, the_file_brings_back_what_stood_who_saw_it_and_where_the_carriers_were)
{
	struct alerts *alerts = fresh(), *again;
	struct alert_moment now = at(100);
	int fd = scratch();
	cr_assert_not(alerts_load(alerts, fd, &now), "an empty file is no file");
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 0);
	raise_at(alerts, ALERT_NODE_PARKED, KIND_NONE, 2, 1);
	alerts_ack(alerts, 1, 42, &now);
	alerts_delivered(alerts, CARRY_WEBHOOK, 2);
	alerts_stood(alerts, WALLET, 5);
	alerts_accused(alerts, 9);
	cr_assert(alerts_unsaved(alerts));
	cr_assert(alerts_save(alerts, fd));
	cr_assert_not(alerts_unsaved(alerts));
	alerts_free(&alerts);
	again = fresh();
	now = at(0);
	cr_assert(alerts_load(again, fd, &now));
	cr_assert_eq(standing(again), 2);
	cr_assert_eq(first(again)->acked_by, 42);
	cr_assert_eq(alerts_place(again, CARRY_WEBHOOK), 2);
	cr_assert_eq(alerts_newest(again), 3);
	cr_assert_eq(alerts_stood(again, WALLET, 0), 5);
	cr_assert_eq(alerts_accused(again, 9), 9);
	cr_assert_eq(said.count, 0, "nothing is said twice");
	raise_at(again, ALERT_STORE_FULL, STORE, 1, 10);
	cr_assert_eq(said.count, 0);
	raise_at(again, ALERT_STORE_FULL, STORE, 2, 10);
	cr_assert_eq(said.news[0].id, 3, "numbers are not used twice");
	/* Whoever does not say it again within a lease has ended. */
	now = at(ALERT_LEASE_MS + 10);
	alerts_tick(again, &now);
	cr_assert_eq(standing(again), 1);
	alerts_free(&again);
	close(fd);
}

Test(alerts, a_place_that_is_torn_leaves_the_one_before)
{
	struct alerts *alerts = fresh(), *again = NULL;
	struct alert_moment now = at(0);
	int fd = scratch();
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 0);
	alerts_save(alerts, fd);
	off_t one = lseek(fd, 0, SEEK_END);
	raise_at(alerts, ALERT_STORE_FULL, STORE, 2, 0);
	alerts_save(alerts, fd);
	off_t two = lseek(fd, 0, SEEK_END);
	off_t newest = two > one ? two / 2 : 0; /* the second save went to the other place */
	uint8_t byte;
	cr_assert_neq(two, 0);
	cr_assert_eq(pread(fd, &byte, 1, newest + 500), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, newest + 500), 1);
	again = fresh();
	cr_assert(alerts_load(again, fd, &now));
	cr_assert_eq(standing(again), 1);
	alerts_free(&again);
	cr_assert_eq(ftruncate(fd, 300), 0);
	again = fresh();
	cr_assert_not(alerts_load(again, fd, &now));
	cr_assert_eq(standing(again), 0);
	alerts_free(&again);
	alerts_free(&alerts);
	close(fd);
}

/* As if another build had written it: what lasts, from byte `from` on, and a digest that fits. */
static void rewrite(int fd, size_t from, const void *bytes, size_t length)
{
	enum { OF = 48, SIZE = OF + 8 + sizeof(struct alerts_kept) };
	static uint8_t place[SIZE];
	cr_assert_eq(pread(fd, place, SIZE, SIZE), SIZE); /* the first save went to the second place */
	memcpy(place + OF + 8 + from, bytes, length);
	sha256(place + OF, SIZE - OF, place + 16);
	cr_assert_eq(pwrite(fd, place, SIZE, SIZE), SIZE);
}

Test(alerts, what_another_build_wrote_is_looked_at)
{
	struct alerts *alerts = fresh(), *again = fresh();
	struct alert_moment now = at(0);
	struct alert_news news[NEWS_AT_ONCE];
	const uint16_t nobodys = 19000;
	const uint64_t too_many = UINT64_MAX;
	int fd = scratch();
	raise_at(alerts, ALERT_STORE_FULL, STORE, 1, 0);
	raise_at(alerts, ALERT_STORE_FULL, STORE, 2, 0);
	alerts_save(alerts, fd);
	rewrite(fd, offsetof(struct alerts_kept, all) + offsetof(struct alert, code), &nobodys,
		sizeof nobodys);
	cr_assert(alerts_load(again, fd, &now));
	cr_expect_eq(standing(again), 1, "an alert that nobody knows is forgotten");
	cr_expect_eq(alerts_news(again, CARRY_WEBHOOK, news), 2);
	rewrite(fd, offsetof(struct alerts_kept, news) + offsetof(struct alert_news, code), &nobodys,
		sizeof nobodys);
	cr_assert(alerts_load(again, fd, &now));
	cr_expect_eq(alerts_news(again, CARRY_WEBHOOK, news), 1, "nor is it told any more");
	cr_expect_eq(news[0].seq, 2);
	rewrite(fd, offsetof(struct alerts_kept, newest), &too_many, sizeof too_many);
	cr_expect_not(alerts_load(again, fd, &now), "nobody counts so far");
	alerts_free(&again);
	alerts_free(&alerts);
	close(fd);
}
