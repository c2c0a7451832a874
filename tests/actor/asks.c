/* The asking half of the runtime against a fake broker, with a store as the actor: it asks its wallet who the node is, until it
 * knows. usage: actor-asks [PROGRAM [SCENARIO]], PROGRAM a warren-store */
#include "tests/actor/fake.h"

#include "actors/base/memory/memory.h"
#include "proto/actor.h"
#include "proto/store.h"
#include "proto/wallet.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CALL_LIMITS = 0x0002, CALL_NODE = 0x0403, CALL_ADDRESS = 0x0501, CALL_NODE_KEY = 0x0502, NODE = 3 };

static const uint8_t nothing[] = {0x90};

struct store {
	struct fake fake;
	int listener;
	struct frame address, node_key; /* its latest asks; without their bodies */
	unsigned asks;                  /* so far, of this broker */
};

/* A store of node 3, made and started, welcomed by a fake broker. */
static void begin(struct store *store)
{
	static const char settings[] = "quota_mb=8\nmax_blob_mb=1\nshard_count=1024\nshards=\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct birth birth = birth_of(STORE, NODE);
	memset(birth.secret, 0x5b, sizeof birth.secret);
	*store = (struct store){.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	fake_begin(&store->fake);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/stream.sock", store->fake.run);
	if (bind(store->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(store->listener, 4) != 0)
		abort();
	if (!fake_init(&store->fake, birth, settings, &store->listener, 1))
		ok(false, "the store is made");
	fake_broker_begin(&store->fake);
	fake_child(&store->fake, &birth, settings, &store->listener, 1);
	if (!fake_welcome(&store->fake))
		ok(false, "the store says HELLO: %s", store->fake.child.logged);
}

static void end(struct store *store)
{
	fake_end(&store->fake);
	close(store->listener);
}

/* Waits until it has asked anew: for both, or, once it knows its address, for the key alone. Bodies are not kept. */
static void next_asks(struct store *store, bool both)
{
	struct frame frame;
	store->address = store->node_key = (struct frame){0};
	while (!(store->node_key.serial && (store->address.serial || !both)) &&
	       fake_receive(&store->fake, &frame, WAIT_MS)) {
		frame.body = NULL;
		store->asks += frame.type == ENVELOPE_ASK;
		if (frame.type == ENVELOPE_ASK && frame.number == CALL_ADDRESS)
			store->address = frame;
		if (frame.type == ENVELOPE_ASK && frame.number == CALL_NODE_KEY)
			store->node_key = frame;
	}
}

static void answer(struct store *store, const struct frame *ask, unsigned type, unsigned error,
		   const void *body, size_t length)
{
	struct frame frame = *ask;
	frame.type = type;
	frame.error = error;
	frame.body = body;
	frame.length = length;
	fake_send(&store->fake, &frame);
}

static void answer_address(struct store *store, const struct frame *ask)
{
	uint8_t packed[256];
	struct wallet_address_reply reply = {.address = {{1, 2, 3}},
					     .text = "0x0102030000000000000000000000000000000000"};
	answer(store, ask, ENVELOPE_REPLY, 0, packed,
	       message_pack(&message_wallet_address_reply, &reply, packed, sizeof packed));
}

static void answer_node_key(struct store *store, const struct frame *ask)
{
	uint8_t packed[256];
	struct wallet_node_key_reply reply = {.key = {{9, 8, 7}}, .peer_id = "12D3KooWtest"};
	answer(store, ask, ENVELOPE_REPLY, 0, packed,
	       message_pack(&message_wallet_node_key_reply, &reply, packed, sizeof packed));
}

/* What the store knows of its node; asked of it, and its own asks meanwhile counted. */
static bool knows(struct store *store, struct store_node_reply *reply)
{
	struct frame ask = fake_ask(&store->fake, CALL_NODE, READER, 0, nothing, 1, WAIT_MS), frame;
	struct arena arena;
	bool known = false;
	arena_begin(&arena, 65536);
	fake_send(&store->fake, &ask);
	while (fake_receive(&store->fake, &frame, WAIT_MS)) {
		store->asks += frame.type == ENVELOPE_ASK;
		if (frame.type != ENVELOPE_REPLY || frame.serial != ask.serial)
			continue;
		known = message_unpack(&message_store_node_reply, frame.body, frame.length, &arena, reply) &&
			reply->known;
		break;
	}
	arena_end(&arena);
	return known;
}

/* Its first limit: asks that are open. */
static unsigned open_asks(struct store *store)
{
	struct frame ask = fake_ask(&store->fake, CALL_LIMITS, READER, 0, nothing, 1, WAIT_MS), frame;
	struct actor_limits_reply limits = {0};
	struct arena arena;
	unsigned open = 999;
	arena_begin(&arena, 65536);
	fake_send(&store->fake, &ask);
	while (fake_receive(&store->fake, &frame, WAIT_MS)) {
		store->asks += frame.type == ENVELOPE_ASK;
		if (frame.type != ENVELOPE_REPLY || frame.serial != ask.serial)
			continue;
		if (message_unpack(&message_actor_limits_reply, frame.body, frame.length, &arena, &limits))
			open = (unsigned)limits.limits[0].depth;
		break;
	}
	arena_end(&arena);
	return open;
}

static void asks_sent_and_answered(void)
{
	struct store store;
	struct store_node_reply node;
	begin(&store);
	next_asks(&store, true);
	const struct frame *ask = &store.address, *other = &store.node_key;
	ok(ask->serial && other->serial && ask->serial != other->serial,
	   "it asks its wallet two things, each under a serial");
	ok(ask->target_kind == WALLET && ask->target_node == NODE && ask->length == 1,
	   "of its own node, with an empty request");
	ok(ask->broker == store.fake.birth && ask->caller == store.fake.of_child.birth, "under both births");
	uint64_t now = frames_now_ns();
	ok(ask->deadline > now - UINT64_C(1000000000) && ask->deadline <= now + UINT64_C(1000000000),
	   "with the deadline of the row");
	ok(!knows(&store, &node), "before the answers it does not know");
	answer_address(&store, ask);
	answer_node_key(&store, other);
	ok(knows(&store, &node) && node.key.bytes[0] == 9 && strncmp(node.owner, "0x010203", 8) == 0,
	   "after them it knows what they said");
	ok(open_asks(&store) == 0, "and no ask is open");
	unsigned before = store.asks;
	child_beats(&store.fake.child);
	child_beats(&store.fake.child);
	open_asks(&store);
	ok(store.asks == before, "nor does it ask again");
	end(&store);
}

static void asks_wrong_answers(void)
{
	static const uint8_t junk[] = {0x92, 0xc0, 0xc0}, bomb[] = {0xdd, 0xff, 0xff, 0xff, 0xff};
	struct store store;
	struct store_node_reply node;
	begin(&store);
	next_asks(&store, true);
	struct frame wrong = store.node_key;
	answer_address(&store, &store.address);
	wrong.serial += 1000;
	answer_node_key(&store, &wrong);
	wrong = store.node_key, wrong.serial = 0;
	answer_node_key(&store, &wrong);
	wrong = store.node_key, wrong.caller ^= 1;
	answer_node_key(&store, &wrong);
	ok(!knows(&store, &node), "answers under another serial, none, or another's birth are none");
	answer(&store, &store.node_key, ENVELOPE_REPLY, 0, junk, sizeof junk);
	answer_node_key(&store, &store.node_key);
	ok(!knows(&store, &node), "a malformed one ends the ask; the right one after it is too late");
	next_asks(&store, false);
	answer(&store, &store.node_key, ENVELOPE_REPLY, 0, bomb, sizeof bomb);
	next_asks(&store, false);
	answer(&store, &store.node_key, ENVELOPE_ERROR, ERR_NOT_READY, "wait", 4);
	next_asks(&store, false);
	answer(&store, &store.node_key, ENVELOPE_ERROR, 0, "", 0);
	ok(!knows(&store, &node), "so does a bomb, an error, and an error without a code");
	next_asks(&store, false);
	answer_node_key(&store, &store.node_key);
	ok(knows(&store, &node), "it asks again each time, until the answer is right");
	end(&store);
}

static bool is_later(uint64_t deadline)
{
	return frames_now_ns() > deadline;
}

static void asks_late(void)
{
	struct store store;
	struct store_node_reply node;
	begin(&store);
	next_asks(&store, true);
	struct frame late = store.node_key;
	answer_address(&store, &store.address);
	while (!is_later(late.deadline)) /* it goes on asking meanwhile, one each half second */
		child_beats(&store.fake.child);
	child_beats(&store.fake.child);
	child_beats(&store.fake.child);
	answer_node_key(&store, &late);
	ok(!knows(&store, &node), "an answer after the deadline is none");
	ok(open_asks(&store) <= 3, "and the asks that nobody answers do not pile up");
	end(&store);
}

/* The broker dies with asks open: they end there and then, and the next broker's asks are the only ones. */
static void asks_gone(void)
{
	struct store store;
	struct store_node_reply node;
	begin(&store);
	next_asks(&store, true);
	struct frame old = store.node_key;
	ok(open_asks(&store) >= 2, "asks are open");
	fake_broker_end(&store.fake);
	fake_broker_begin(&store.fake);
	store.asks = 0;
	ok(fake_welcome(&store.fake), "the next broker is told HELLO");
	unsigned open = open_asks(&store);
	ok(open == store.asks, "of the asks of before none is open (%u, asked since: %u)", open, store.asks);
	old.broker = store.fake.birth;
	answer_node_key(&store, &old);
	next_asks(&store, true);
	ok(store.node_key.serial > old.serial, "it asks again, under new serials");
	answer_address(&store, &store.address);
	ok(!knows(&store, &node), "an answer to an ask of before is none");
	next_asks(&store, false);
	answer_node_key(&store, &store.node_key);
	ok(knows(&store, &node), "the new one's is");
	end(&store);
}

static const struct scenario scenarios[] = {
	{"asks.answered", asks_sent_and_answered},
	{"asks.wrong_answers", asks_wrong_answers},
	{"asks.late", asks_late},
	{"asks.gone", asks_gone},
};

int main(int argc, char **argv)
{
	return scenarios_run(argc, argv, WARREN_PROGRAM, scenarios, sizeof scenarios / sizeof *scenarios);
}
