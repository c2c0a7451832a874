/* What others ask of it: answered, dropped, denied, malformed; whatever the broker let pass. */
#include "tests/actor/base.h"

#include "actors/base/memory/memory.h"
#include "proto/actor.h"
#include "proto/wallet.h"

#include <stdlib.h>
#include <string.h>

/* An ask of wallet_address by a reader, right in everything. */
static struct frame right_ask(struct fake *fake)
{
	return fake_ask(fake, CALL_ADDRESS, READER, 0, base_nothing, sizeof base_nothing, WAIT_MS);
}

static bool unpacks(const struct message *message, const struct frame *end, void *into, struct arena *arena)
{
	return end->type == ENVELOPE_REPLY && message_unpack(message, end->body, end->length, arena, into);
}

void calls_answered(void)
{
	struct fake fake;
	struct frame end, ask;
	struct wallet_address_reply address;
	struct actor_ping_reply ping;
	struct actor_limits_reply limits;
	struct arena arena;
	arena_begin(&arena, 65536);
	base_begin(&fake);
	ask = right_ask(&fake);
	ok(fake_ends(&fake, &ask, 0, &end), "a call is answered");
	ok(unpacks(&message_wallet_address_reply, &end, &address, &arena) &&
		   strncmp(address.text, "0x", 2) == 0,
	   "with the reply of its row: %s", address.text);
	ok(end.broker == fake.birth && end.caller == ask.caller && end.serial == ask.serial &&
		   end.callee == fake.of_child.birth && end.number == CALL_ADDRESS,
	   "under the header of the ask");
	ask = fake_ask(&fake, CALL_ADDRESS, STORE, 2, base_nothing, 1, WAIT_MS);
	ok(fake_ends(&fake, &ask, 0, &end), "also for the store of its node");
	ask = fake_ask(&fake, CALL_PING, READER, 0, base_nothing, 1, WAIT_MS);
	ok(fake_ends(&fake, &ask, 0, &end) && unpacks(&message_actor_ping_reply, &end, &ping, &arena),
	   "ping is answered by every actor");
	ok((ping.missing & fake.of_child.pretend) == fake.of_child.pretend,
	   "and says which walls are missing");
	ask = fake_ask(&fake, CALL_LIMITS, READER, 0, base_nothing, 1, WAIT_MS);
	ok(fake_ends(&fake, &ask, 0, &end) && unpacks(&message_actor_limits_reply, &end, &limits, &arena) &&
		   limits.limits_count >= 2,
	   "so are its limits");
	ok(strcmp(limits.limits[0].name, "asks open") == 0 && limits.limits[0].limit == 256 &&
		   strcmp(limits.limits[1].name, "calls kept") == 0 && limits.limits[1].depth == 1,
	   "of which this very call is one");
	struct frame tell = right_ask(&fake);
	tell.type = ENVELOPE_TELL;
	fake_send(&fake, &tell);
	ok(fake_turned(&fake) && !fake_receive(&fake, &end, 0), "what is told is not answered");
	arena_end(&arena);
	fake_end(&fake);
}

/* Sent, and not answered, while what comes after it is. */
static bool silent(struct fake *fake, const struct frame *ask)
{
	struct frame end, ping = fake_ask(fake, CALL_PING, OPERATOR, 0, base_nothing, 1, WAIT_MS);
	fake_send(fake, ask);
	fake_send(fake, &ping);
	return fake_receive(fake, &end, WAIT_MS) && end.serial == ping.serial;
}

/* A level set by an ask whose deadline is over leaves its line in the log, or none; one in time leaves one behind it. */
static bool not_done(struct fake *fake)
{
	static const uint8_t info[] = {0x92, 0xa4, 'i', 'n', 'f', 'o', 0x00};
	struct frame end, ask = fake_ask(fake, CALL_LEVEL, OPERATOR, 0, info, sizeof info, WAIT_MS);
	ask.deadline = frames_now_ns(), ask.source_uid = 4242;
	fake_send(fake, &ask);
	ask = fake_ask(fake, CALL_LEVEL, OPERATOR, 0, info, sizeof info, WAIT_MS);
	ask.source_uid = 4343;
	return fake_ends(fake, &ask, 0, &end) && child_says(&fake->child, "uid=4343") &&
	       !strstr(fake->child.logged, "uid=4242");
}

void calls_dropped(void)
{
	struct fake fake;
	struct frame ask, end;
	base_begin(&fake);
	ask = right_ask(&fake), ask.callee ^= 1;
	ok(silent(&fake, &ask), "an ask of another birth");
	ask = right_ask(&fake), ask.callee = 0;
	ok(silent(&fake, &ask), "an ask of no birth");
	ask = right_ask(&fake), ask.broker ^= 1;
	ok(silent(&fake, &ask), "an ask of another broker");
	ask = right_ask(&fake), ask.broker = 0;
	ok(silent(&fake, &ask), "an ask of no broker");
	ask = right_ask(&fake), ask.deadline = frames_now_ns();
	ok(silent(&fake, &ask), "an ask whose deadline is over");
	ask = right_ask(&fake), ask.deadline = 0;
	ok(silent(&fake, &ask), "an ask without a deadline");
	ok(not_done(&fake), "and what was asked too late is not done either");
	static const unsigned none_of_its_business[] = {ENVELOPE_HELLO,   ENVELOPE_REPLY, ENVELOPE_ERROR,
							ENVELOPE_PUBLISH, ENVELOPE_EVENT, ENVELOPE_TAPPED};
	for (unsigned i = 0; i < sizeof none_of_its_business / sizeof *none_of_its_business; i++) {
		ask = right_ask(&fake), ask.type = none_of_its_business[i];
		ok(silent(&fake, &ask), "a message of type %u", ask.type);
	}
	ask = right_ask(&fake);
	ok(fake_ends(&fake, &ask, 0, &end), "and the right one is answered");
	fake_end(&fake);
}

/* A taken broker passes on what nobody may ask: the rows are looked at again. */
void calls_denied(void)
{
	struct fake fake;
	struct frame ask, end;
	unsigned wrong = 0, tried = 0;
	base_begin(&fake);
	for (unsigned i = 0; call_at(i); i++)
		for (unsigned kind = 0; kind <= KINDS; kind++)
			for (unsigned node = 1; node <= 2; node++, tried++) {
				const struct call_row *row = call_at(i);
				bool own = row->number >> 8 == WALLET || !(row->number >> 8);
				unsigned error = !own                                     ? ERR_UNKNOWN_CALL
						 : !rights_allow(row->may, kind, node, 2) ? ERR_DENIED
											  : ERR_OK;
				bool has_fields = row->request->count > 0;
				ask = fake_ask(&fake, row->number, kind, node, base_nothing, 1, WAIT_MS);
				error = error == ERR_OK && has_fields ? ERR_MALFORMED : error;
				bool right = fake_ends(&fake, &ask, error, &end);
				wrong += !right;
				if (!right)
					note("%s asked by %s@%u", row->name, kind_name(kind), node);
			}
	ok(wrong == 0, "%u cells, asked behind the broker's back", tried);
	ask = fake_ask(&fake, CALL_ADDRESS, STORE, 1, base_nothing, 1, WAIT_MS);
	ok(fake_ends(&fake, &ask, ERR_DENIED, &end), "the store of another node is denied");
	ask = fake_ask(&fake, CALL_ADDRESS, GATEWAY, 2, base_nothing, 1, WAIT_MS);
	ok(fake_ends(&fake, &ask, ERR_DENIED, &end), "so is the gateway of its own");
	ask = fake_ask(&fake, 0x05ff, OPERATOR, 0, base_nothing, 1, WAIT_MS);
	ok(fake_ends(&fake, &ask, ERR_UNKNOWN_CALL, &end), "a number that is no call is unknown");
	fake_end(&fake);
}

void calls_malformed(void)
{
	static const struct {
		const char *what;
		unsigned number, length;
		uint8_t bytes[16];
	} bodies[] = {
		{"no body", CALL_ADDRESS, 0, {0}},
		{"nil", CALL_ADDRESS, 1, {0xc0}},
		{"a field too many", CALL_ADDRESS, 2, {0x91, 0x01}},
		{"a byte too many", CALL_ADDRESS, 2, {0x90, 0x00}},
		{"an array in an array", CALL_ADDRESS, 2, {0x91, 0x90}},
		{"a map", CALL_ADDRESS, 1, {0x80}},
		{"a level without seconds", CALL_LEVEL, 6, {0x91, 0xa4, 'w', 'a', 'r', 'n'}},
		{"seconds above their bound",
		 CALL_LEVEL,
		 11,
		 {0x92, 0xa4, 'w', 'a', 'r', 'n', 0xce, 0x00, 0x01, 0x51, 0x81}},
		{"a level that is too long",
		 CALL_LEVEL,
		 12,
		 {0x92, 0xa9, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 0x00}},
		{"a level that is a number", CALL_LEVEL, 3, {0x92, 0x01, 0x00}},
		{"a level with a NUL", CALL_LEVEL, 6, {0x92, 0xa3, 'a', 0, 'b', 0x00}},
	};
	struct fake fake;
	struct frame ask, end;
	base_begin(&fake);
	for (unsigned i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		ask = fake_ask(&fake, bodies[i].number, OPERATOR, 0, bodies[i].bytes, bodies[i].length,
			       WAIT_MS);
		ok(fake_ends(&fake, &ask, ERR_MALFORMED, &end), "%s is malformed", bodies[i].what);
	}
	static const uint8_t unknown[] = {0x92, 0xa4, 'l', 'o', 'u', 'd', 0x00};
	ask = fake_ask(&fake, CALL_LEVEL, OPERATOR, 0, unknown, sizeof unknown, WAIT_MS);
	ok(fake_ends(&fake, &ask, ERR_BAD_VALUE, &end), "a level that is none is a bad value");
	fake_end(&fake);
}

/* kB of memory that the process has had at most. */
static unsigned long peak_kb(pid_t pid)
{
	char path[64], line[128];
	unsigned long kb = 0;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "VmPeak: %lu", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

/* RELIABILITY C1 row 13. */
void calls_bombs(void)
{
	static const struct {
		const char *what;
		unsigned length;
		uint8_t bytes[8];
	} bombs[] = {
		{"array of 2^32-1", 5, {0xdd, 0xff, 0xff, 0xff, 0xff}},
		{"array of 16 million", 5, {0xdd, 0xff, 0x00, 0x00, 0x00}},
		{"str of 4 GiB", 5, {0xdb, 0xff, 0xff, 0xff, 0xff}},
		{"bin of 4 GiB", 5, {0xc6, 0xff, 0xff, 0xff, 0xff}},
		{"map of 2^32-1", 5, {0xdf, 0xff, 0xff, 0xff, 0xff}},
		{"ext of 4 GiB", 6, {0xc9, 0xff, 0xff, 0xff, 0xff, 0x00}},
	};
	struct fake fake;
	struct frame ask, end;
	uint8_t *deep = malloc(BODY_MAX);
	memset(deep, 0x91, BODY_MAX);
	base_begin(&fake);
	ask = fake_ask(&fake, CALL_ADDRESS, OPERATOR, 0, deep, BODY_MAX, WAIT_MS);
	ok(fake_ends(&fake, &ask, ERR_MALFORMED, &end), "arrays in each other, as deep as a body is long");
	unsigned long before = peak_kb(fake.child.pid);
	for (unsigned i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		ask = fake_ask(&fake, CALL_ADDRESS, OPERATOR, 0, bombs[i].bytes, bombs[i].length, WAIT_MS);
		ok(fake_ends(&fake, &ask, ERR_MALFORMED, &end), "%s", bombs[i].what);
	}
	unsigned long grown = peak_kb(fake.child.pid) - before;
	ok(grown < 1024, "for which it took %lu kB", grown);
	free(deep);
	fake_end(&fake);
}

/* What is no message: not two parts, or the first one no header. A whole one behind it in the same multipart is none either. */
void calls_frames(void)
{
	struct fake fake;
	struct frame ask, end;
	uint8_t header[ENVELOPE_BYTES], bad[ENVELOPE_BYTES];
	base_begin(&fake);
	ask = right_ask(&fake);
	frame_write(&ask, header);
	memcpy(bad, header, sizeof bad);
	bad[0] ^= 1;
	const struct view good = {header, ENVELOPE_BYTES}, wrong = {bad, ENVELOPE_BYTES},
			  body = {base_nothing, 1};
	const struct view shorter = {header, ENVELOPE_BYTES - 1}, none = {"", 0};
	const struct {
		const char *what;
		unsigned count;
		struct view parts[4];
	} multiparts[] = {
		{"a header alone", 1, {good}},
		{"a body alone", 1, {body}},
		{"nothing", 1, {none}},
		{"a header with another magic", 2, {wrong, body}},
		{"a header that is cut", 2, {shorter, body}},
		{"a body first", 2, {body, good}},
		{"a message and a part more", 3, {good, body, body}},
		{"a message behind a bad header", 3, {wrong, good, body}},
		{"a message behind nothing", 3, {none, good, body}},
		{"a message behind a bad one", 4, {wrong, body, good, body}},
	};
	for (unsigned i = 0; i < sizeof multiparts / sizeof *multiparts; i++) {
		struct frame ping = fake_ask(&fake, CALL_PING, OPERATOR, 0, base_nothing, 1, WAIT_MS);
		fake_send_parts(&fake, multiparts[i].count, multiparts[i].parts);
		fake_send(&fake, &ping);
		ok(fake_receive(&fake, &end, WAIT_MS) && end.serial == ping.serial, "%s is passed over",
		   multiparts[i].what);
	}
	fake_end(&fake);
}

void calls_flood(void)
{
	enum { ASKS = 5000, AT_ONCE = 100 };
	struct fake fake;
	struct frame end;
	unsigned answered = 0;
	base_begin(&fake);
	for (unsigned i = 0; i < ASKS; i += AT_ONCE) {
		for (unsigned sent = 0; sent < AT_ONCE; sent++) {
			struct frame ask = fake_ask(&fake, sent % 2 ? CALL_BINDING : CALL_PING, OPERATOR, 0,
						    base_nothing, 1, WAIT_MS);
			fake_send(&fake, &ask);
		}
		for (unsigned got = 0; got < AT_ONCE && fake_receive(&fake, &end, WAIT_MS); got++)
			answered += end.type == ENVELOPE_REPLY;
	}
	ok(answered == ASKS, "%u of %d asks in bursts are answered", answered, ASKS);
	fake_end(&fake);
}
