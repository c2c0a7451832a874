/* The real runtime against a fake broker: see README.md. usage: actor-base [PROGRAM [SCENARIO]], PROGRAM a warren-wallet */
#include "tests/actor/base.h"

#include <string.h>

const uint8_t base_nothing[1] = {0x90};

struct birth base_birth(void)
{
	struct birth birth = birth_of(WALLET, 2);
	memset(birth.secret, 0x5a, sizeof birth.secret);
	return birth;
}

void base_begin(struct fake *fake)
{
	struct birth birth = base_birth();
	fake_begin(fake);
	if (!fake_init(fake, birth, NULL, NULL, 0))
		ok(false, "the wallet makes its keys");
	fake_broker_begin(fake);
	fake_child(fake, &birth, NULL, NULL, 0);
	if (!fake_welcome(fake) || !fake_turned(fake))
		ok(false, "the wallet is ready: %s", fake->child.logged);
}

static const struct scenario scenarios[] = {
	{"start.order", start_order},
	{"start.refused", start_refused},
	{"start.without_keys", start_without_keys},
	{"calls.answered", calls_answered},
	{"calls.dropped", calls_dropped},
	{"calls.denied", calls_denied},
	{"calls.malformed", calls_malformed},
	{"calls.bombs", calls_bombs},
	{"calls.frames", calls_frames},
	{"calls.flood", calls_flood},
	{"life.reborn", life_reborn},
	{"life.drains", life_drains},
	{"life.supervisor_gone", life_supervisor_gone},
	{"life.level", life_level},
	{"life.slow_broker", life_slow_broker},
};

int main(int argc, char **argv)
{
	return scenarios_run(argc, argv, WARREN_PROGRAM, scenarios, sizeof scenarios / sizeof *scenarios);
}
