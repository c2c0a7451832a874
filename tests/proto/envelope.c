/* The header frame: its bytes, there and back, and everything that is none. */
#include "proto/envelope.h"

#include "tests/proto/sample.h"

#include <criterion/criterion.h>
#include <string.h>

static struct envelope random_envelope(struct sample *sample)
{
	return (struct envelope){
		.type = (uint8_t)(1 + sample_next(sample) % (ENVELOPE_TYPES - 1)),
		.number = (uint16_t)sample_next(sample),
		.broker_birth = sample_next(sample),
		.caller_birth = sample_next(sample),
		.serial = sample_next(sample),
		.deadline = sample_next(sample),
		.callee_birth = sample_next(sample),
		.target_kind = (uint8_t)sample_next(sample),
		.target_node = (uint16_t)sample_next(sample),
		.source_kind = (uint8_t)sample_next(sample),
		.source_node = (uint16_t)sample_next(sample),
		.source_uid = (uint32_t)sample_next(sample),
		.error = (uint16_t)sample_next(sample),
	};
}

static bool same(const struct envelope *a, const struct envelope *b)
{
	return a->type == b->type && a->number == b->number && a->broker_birth == b->broker_birth &&
	       a->caller_birth == b->caller_birth && a->serial == b->serial && a->deadline == b->deadline &&
	       a->callee_birth == b->callee_birth && a->target_kind == b->target_kind &&
	       a->target_node == b->target_node && a->source_kind == b->source_kind &&
	       a->source_node == b->source_node && a->source_uid == b->source_uid && a->error == b->error;
}

Test(envelope, there_and_back)
{
	struct sample sample = {.state = 3};
	for (unsigned round = 0; round < 1000; round++) {
		struct envelope from = random_envelope(&sample), into;
		uint8_t bytes[ENVELOPE_BYTES];
		envelope_write(&from, bytes);
		cr_assert(envelope_read(bytes, sizeof bytes, &into));
		cr_assert(same(&from, &into), "round %u", round);
	}
}

/* Written down once, so that a build that moves a field is seen: 64 bytes, little-endian. */
Test(envelope, layout)
{
	static const uint8_t expected[ENVELOPE_BYTES] = {
		'W',  'R',  'N',  '2',  0x03, 0x00, 0x01, 0x05, /* magic, type, -, number */
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* broker_birth */
		0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21, /* caller_birth */
		0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31, /* serial */
		0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41, /* deadline */
		0x58, 0x57, 0x56, 0x55, 0x54, 0x53, 0x52, 0x51, /* callee_birth */
		0x05, 0x06, 0x02, 0x01, 0x04, 0x03, 0x14, 0x13, /* kinds, nodes, error */
		0x64, 0x63, 0x62, 0x61, 0x74, 0x73, 0x72, 0x71, /* source_uid, trace */
	};
	struct envelope e = {
		.type = ENVELOPE_ASK,
		.number = 0x0501,
		.broker_birth = 0x1112131415161718,
		.caller_birth = 0x2122232425262728,
		.serial = 0x3132333435363738,
		.deadline = 0x4142434445464748,
		.callee_birth = 0x5152535455565758,
		.target_kind = 5,
		.source_kind = 6,
		.target_node = 0x0102,
		.source_node = 0x0304,
		.error = 0x1314,
		.source_uid = 0x61626364,
		.trace = 0x71727374,
	};
	uint8_t bytes[ENVELOPE_BYTES];
	envelope_write(&e, bytes);
	for (unsigned i = 0; i < sizeof bytes; i++)
		cr_assert_eq(bytes[i], expected[i], "byte %u is %02x, not %02x", i, bytes[i], expected[i]);
}

Test(envelope, wrong_length)
{
	struct envelope e = {.type = ENVELOPE_HELLO}, into;
	uint8_t bytes[ENVELOPE_BYTES];
	envelope_write(&e, bytes);
	for (size_t length = 0; length <= 2 * ENVELOPE_BYTES; length++) {
		uint8_t *exact = x_new(length);
		memcpy(exact, bytes, length < sizeof bytes ? length : sizeof bytes);
		cr_assert_eq(envelope_read(exact, length, &into), length == ENVELOPE_BYTES, "%zu bytes",
			     length);
		x_free(&exact);
	}
}

Test(envelope, wrong_magic_or_type)
{
	struct envelope e = {.type = ENVELOPE_HELLO}, into;
	uint8_t bytes[ENVELOPE_BYTES];
	envelope_write(&e, bytes);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1U << bit);
			cr_assert_not(envelope_read(bytes, sizeof bytes, &into),
				      "byte %u, bit %u of the magic", i, bit);
			bytes[i] ^= (uint8_t)(1U << bit);
		}
	for (unsigned type = 0; type < 256; type++) {
		bytes[4] = (uint8_t)type;
		cr_assert_eq(envelope_read(bytes, sizeof bytes, &into), type >= 1 && type < ENVELOPE_TYPES,
			     "type %u", type);
	}
}
