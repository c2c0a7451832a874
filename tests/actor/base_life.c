/* Its life with a broker that dies, a supervisor that ends it or is gone, and an operator who wants to hear more. */
#include "tests/actor/base.h"

#include "actors/base/memory/memory.h"
#include "proto/actor.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void life_reborn(void)
{
	struct fake fake;
	struct frame end, frame;
	base_begin(&fake);
	for (unsigned round = 0; round < 3; round++) {
		struct frame old = fake_ask(&fake, CALL_ADDRESS, READER, 0, base_nothing, 1, 60000);
		fake_broker_end(&fake);
		ok(child_beats(&fake.child), "without its broker it lives");
		fake_broker_begin(&fake);
		ok(fake_welcome(&fake), "to the next one it says HELLO by itself");
		ok(fake_turned(&fake), "and answers it");
		fake_send(&fake, &old);
		ok(fake_turned(&fake) && !fake_receive(&fake, &frame, 0),
		   "but not what the earlier one asks");
		struct frame ask = fake_ask(&fake, CALL_ADDRESS, READER, 0, base_nothing, 1, WAIT_MS);
		ok(fake_ends(&fake, &ask, 0, &end), "what the next one asks, it answers");
	}
	fake_end(&fake);
}

void life_drains(void)
{
	struct fake fake;
	base_begin(&fake);
	child_kill(&fake.child, SIGTERM);
	ok(child_ends(&fake.child), "told to end, it ends");
	ok(WIFEXITED(fake.child.status) && WEXITSTATUS(fake.child.status) == 0, "with 0");
	ok(fake.child.drained, "after it said that it is drained");
	ok(strstr(fake.child.logged, "info life.end up_ms=") != NULL, "and logged it");
	fake_end(&fake);

	struct birth birth = base_birth();
	fake_begin(&fake);
	fake_init(&fake, birth, NULL, NULL, 0);
	fake_child(&fake, &birth, NULL, NULL, 0);
	child_beats(&fake.child);
	child_kill(&fake.child, SIGTERM);
	ok(child_ends(&fake.child) && WIFEXITED(fake.child.status) && WEXITSTATUS(fake.child.status) == 0,
	   "also when it never met a broker");
	fake_end(&fake);
}

void life_supervisor_gone(void)
{
	struct fake fake;
	base_begin(&fake);
	close(fake.child.life);
	fake.child.life = open("/dev/null", O_RDONLY);
	ok(child_ends(&fake.child), "whose life nobody reads any more, ends");
	ok(WIFEXITED(fake.child.status) && WEXITSTATUS(fake.child.status) == EXIT_WORLD, "with 75");
	fake_end(&fake);
}

void life_level(void)
{
	static const uint8_t warn[] = {0x92, 0xa4, 'w', 'a', 'r', 'n', 0x00},
			     info[] = {0x92, 0xa4, 'i', 'n', 'f', 'o', 0x00};
	struct fake fake;
	struct frame end, ask;
	base_begin(&fake);
	ask = fake_ask(&fake, CALL_LEVEL, READER, 0, info, sizeof info, WAIT_MS);
	ok(fake_ends(&fake, &ask, ERR_DENIED, &end), "a reader may not say how much it logs");
	ask = fake_ask(&fake, CALL_LEVEL, OPERATOR, 0, info, sizeof info, WAIT_MS);
	ask.source_uid = 4242;
	ok(fake_ends(&fake, &ask, 0, &end), "an operator may");
	ok(child_says(&fake.child, "info log.level level=info seconds=0 uid=4242"), "and who did is logged");
	ask = fake_ask(&fake, CALL_LEVEL, OPERATOR, 0, warn, sizeof warn, WAIT_MS);
	ok(fake_ends(&fake, &ask, 0, &end), "from now on warnings only");
	child_look(&fake.child);
	size_t before = fake.child.logged_length;
	child_kill(&fake.child, SIGTERM);
	child_ends(&fake.child);
	ok(fake.child.logged_length == before, "so its end is not told");
	fake_end(&fake);
}

/* The drops of its second limit, "calls kept": answers that nobody took in. */
static uint64_t answers_dropped(struct fake *fake)
{
	struct frame end, ask = fake_ask(fake, CALL_LIMITS, READER, 0, base_nothing, 1, WAIT_MS);
	struct actor_limits_reply limits = {0};
	struct arena arena;
	arena_begin(&arena, 65536);
	uint64_t drops = 0;
	if (fake_ends(fake, &ask, 0, &end) &&
	    message_unpack(&message_actor_limits_reply, end.body, end.length, &arena, &limits) &&
	    limits.limits_count > 1)
		drops = limits.limits[1].drops;
	arena_end(&arena);
	return drops;
}

/* Answers that nobody takes in are dropped and counted, and it goes on. */
void life_slow_broker(void)
{
	enum { ASKS = 3000 };
	struct fake fake;
	struct frame end;
	unsigned answered = 0, sent = 0;
	base_begin(&fake);
	while (sent < ASKS) {
		struct frame ask = fake_ask(&fake, CALL_BINDING, OPERATOR, 0, base_nothing, 1, 60000);
		if (fake_send(&fake, &ask))
			sent++;
		else if (!child_beats(&fake.child))
			break;
	}
	ok(sent == ASKS && child_beats(&fake.child), "while nobody takes its answers it lives");
	while (fake_receive(&fake, &end, 500))
		answered += end.type == ENVELOPE_REPLY;
	uint64_t dropped = answers_dropped(&fake);
	ok(dropped > 0 && answered + dropped == ASKS, "of %d answers %u arrive and %u are counted as dropped",
	   ASKS, answered, (unsigned)dropped);
	ok(fake_turned(&fake), "and it answers as before when somebody listens");
	fake_end(&fake);
}
