/* The steward's bounded tables under a flood, against a fake broker that speaks for more processes than a machine of a
 * test has: alerts, and the news about them that nobody fetches. The supervisor at the other end of its control socket
 * says nothing. usage: actor-steward [PROGRAM [SCENARIO]], PROGRAM a warren-steward */
#include "tests/actor/fake.h"

#include "actors/base/memory/memory.h"
#include "proto/actor.h"
#include "proto/steward.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CALL_PING = 0x0001,
	CALL_LIMITS = 0x0002,
	CALL_ALERT = 0x0320,
	CALL_ALERTS = 0x0321,
	CODES = 5, /* that a store may raise: STORE_CORRUPT and the four after it */
	NODES = 60,
	TABLE = 256, /* ALERTS_MAX and NEWS_MAX of actors/steward/alerts.h */
	ONE = 8,     /* NEWS_OF_ONE */
};

static const uint8_t nothing[] = {0x90};

struct steward {
	struct fake fake;
	int control[2];
	unsigned told;
};

static void begin(struct steward *steward)
{
	static const char settings[] = "name=test\nalert_quiet_s=600\nalert_webhook=\nalert_command=\n";
	struct birth birth = birth_of(STEWARD, 0);
	*steward = (struct steward){0};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, steward->control) != 0)
		abort();
	fake_begin(&steward->fake);
	fake_broker_begin(&steward->fake);
	fake_child(&steward->fake, &birth, settings, &steward->control[1], 1);
	if (!fake_welcome(&steward->fake) || !fake_turned(&steward->fake))
		ok(false, "the steward is ready: %s", steward->fake.child.logged);
}

static void end(struct steward *steward)
{
	ok(fake_turned(&steward->fake), "the steward lives at the end");
	fake_end(&steward->fake);
	close(steward->control[0]);
	close(steward->control[1]);
}

/* Tells it as store@NODE would. Now and then it is waited for, so that no queue of the bus loses anything. */
static void tell(struct steward *steward, unsigned node, unsigned code, bool over)
{
	uint8_t body[256];
	struct steward_alert alert = {.code = (uint16_t)code, .over = over, .detail = "flood"};
	size_t length = message_pack(&message_steward_alert, &alert, body, sizeof body);
	struct frame frame = fake_ask(&steward->fake, CALL_ALERT, STORE, node, body, length, WAIT_MS);
	frame.type = ENVELOPE_TELL;
	fake_send(&steward->fake, &frame);
	if (++steward->told % 32 == 0 && !fake_turned(&steward->fake))
		ok(false, "it keeps up");
}

static void tell_all(struct steward *steward, bool over)
{
	for (unsigned node = 1; node <= NODES; node++)
		for (unsigned code = 0; code < CODES; code++)
			tell(steward, node, ALERT_STORE_CORRUPT + code, over);
	ok(fake_turned(&steward->fake), "whoever else asks is answered");
}

static struct limit_row limit_of(struct steward *steward, const char *name)
{
	struct frame ask = fake_ask(&steward->fake, CALL_LIMITS, READER, 0, nothing, 1, WAIT_MS), end;
	struct actor_limits_reply reply = {0};
	struct limit_row found = {0};
	struct arena arena;
	arena_begin(&arena, 65536);
	if (fake_ends(&steward->fake, &ask, 0, &end) &&
	    message_unpack(&message_actor_limits_reply, end.body, end.length, &arena, &reply))
		for (uint32_t i = 0; i < reply.limits_count; i++)
			if (strcmp(reply.limits[i].name, name) == 0)
				found = reply.limits[i];
	arena_end(&arena);
	return found;
}

static uint32_t alerts_shown(struct steward *steward)
{
	struct frame ask = fake_ask(&steward->fake, CALL_ALERTS, READER, 0, nothing, 1, WAIT_MS), end;
	struct steward_alerts_reply reply = {0};
	struct arena arena;
	arena_begin(&arena, 1 << 20);
	if (fake_ends(&steward->fake, &ask, 0, &end))
		message_unpack(&message_steward_alerts_reply, end.body, end.length, &arena, &reply);
	arena_end(&arena);
	return reply.alerts_count;
}

/* 300 causes for 256 places; then all of it over again, with nobody who fetches news. */
static void flood_of_causes(void)
{
	struct steward steward;
	begin(&steward);
	tell_all(&steward, false);
	struct limit_row table, news;
	uint64_t until = frames_now_ns() + (uint64_t)WAIT_MS * 1000000;
	do /* the last place is kept for the alert that says so, which comes with the next look */
		table = limit_of(&steward, "alerts");
	while (table.depth == TABLE - 1 && frames_now_ns() < until);
	ok(table.limit == TABLE && table.depth == TABLE && table.high == TABLE, "the table is full: %u",
	   (unsigned)table.depth);
	ok(table.drops >= NODES * CODES - TABLE, "the others are counted: %u", (unsigned)table.drops);
	news = limit_of(&steward, "alert news undelivered");
	ok(alerts_shown(&steward) == TABLE, "and all that stand are shown");
	ok(news.limit == TABLE && news.depth == TABLE && news.drops == 0, "so much news waits: %u",
	   (unsigned)news.depth);
	tell_all(&steward, true);
	news = limit_of(&steward, "alert news undelivered");
	ok(news.depth == TABLE && news.high == TABLE, "the oldest news gives way: %u", (unsigned)news.depth);
	ok(news.drops >= TABLE - 1, "and is counted: %u", (unsigned)news.drops);
	uint64_t dropped = limit_of(&steward, "alerts").drops;
	tell(&steward, NODES + 1, ALERT_STORE_FULL, false);
	ok(limit_of(&steward, "alerts").drops == dropped, "what is over makes room for what is not");
	end(&steward);
}

/* One that comes and goes is told of eight times an hour. */
static void flood_of_one(void)
{
	struct steward steward;
	begin(&steward);
	for (unsigned i = 0; i < 500; i++)
		tell(&steward, 1, ALERT_STORE_FULL, i % 2);
	struct limit_row table = limit_of(&steward, "alerts"), muted = limit_of(&steward, "alert news muted");
	ok(table.depth == 1 && table.drops == 0, "it has one place: %u", (unsigned)table.depth);
	ok(muted.drops >= 500 / 2 - ONE && muted.drops <= 500 - ONE, "what was not told is counted: %u",
	   (unsigned)muted.drops);
	ok(limit_of(&steward, "alert news undelivered").high <= ONE, "and did not wait");
	end(&steward);
}

static const struct scenario scenarios[] = {
	{"steward.flood_of_causes", flood_of_causes},
	{"steward.flood_of_one", flood_of_one},
};

int main(int argc, char **argv)
{
	return scenarios_run(argc, argv, WARREN_PROGRAM, scenarios, sizeof scenarios / sizeof *scenarios);
}
