/* The real broker against fake processes and people: see README.md. usage: actor-broker [PROGRAM [SCENARIO]] */
#include "tests/actor/broker.h"

#include <string.h>

bool hears(struct speaker *speaker, unsigned type, struct frame *frame, const char *what)
{
	bool heard = speaker_receive(speaker, frame, WAIT_MS);
	ok(heard && frame->type == type, "%s%s", what, !heard ? " (nothing came)" : "");
	return heard && frame->type == type;
}

bool round_trip(struct speaker *asker, struct speaker *asked)
{
	struct frame ask;
	uint64_t serial = speaker_ask(asker, CALL_ADDRESS, WALLET, asked->node, "question", WAIT_MS);
	return serial && speaker_receive(asked, &ask, WAIT_MS) && ask.type == ENVELOPE_ASK &&
	       speaker_answer(asked, &ask, ENVELOPE_REPLY, 0, "answer") && speaker_ends(asker, serial, 0);
}

void hears_nothing(struct speaker *speaker, struct speaker *asker, struct speaker *asked, const char *what)
{
	struct frame frame;
	bool turned = round_trip(asker, asked);
	bool heard = speaker_receive(speaker, &frame, 50);
	ok(turned && !heard, "%s%s", what, heard ? " (something came)" : "");
}

static const struct scenario scenarios[] = {
	{"asks.hello", asks_hello},
	{"asks.answered", asks_answered},
	{"asks.refused", asks_refused},
	{"asks.told", asks_told},
	{"asks.serials", asks_serials},
	{"asks.answers", asks_answers},
	{"ends.gone", ends_gone},
	{"ends.late", ends_late},
	{"ends.deadline", ends_deadline_is_bounded},
	{"rights.every_cell", rights_every_cell},
	{"strangers.unknown", strangers_unknown},
	{"strangers.live_id", strangers_live_id},
	{"strangers.dead_id", strangers_dead_id},
	{"strangers.forged", strangers_forged},
	{"strangers.process", strangers_process},
	{"bounds.per_caller", bounds_per_caller},
	{"bounds.per_person", bounds_per_person},
	{"bounds.full_queue", bounds_full_queue},
	{"bounds.slow_people", bounds_slow_people},
	{"bounds.people", bounds_people},
	{"people.authority", people_authority},
	{"people.events", people_events},
	{"people.heard", people_heard},
	{"people.gone", people_gone},
	{"people.taps", people_taps},
	{"people.full_tap", people_full_tap},
	{"hostile.frames", hostile_frames},
	{"hostile.cut", hostile_cut},
	{"hostile.bytes", hostile_bytes},
	{"hostile.flood", hostile_flood},
	{"life.beats", life_beats},
	{"life.ends", life_ends},
	{"life.reborn", life_reborn},
	{"life.unread", life_unread},
};

int main(int argc, char **argv)
{
	stranger_main(argc, argv);
	return scenarios_run(argc, argv, WARREN_PROGRAM, scenarios, sizeof scenarios / sizeof *scenarios);
}
