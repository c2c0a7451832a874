/* Judging: what holds, and each way to fail under its own name. */
#include "actors/base/crypto/crypto.h"
#include "tests/unit/proof/maker.h"

#include <criterion/criterion.h>
#include <string.h>

static struct made made;

static void expect(enum proof_verdict verdict, const char *what)
{
	enum proof_verdict said = proof_judge(&made.proof, &made.wanted);
	cr_expect_eq(said, verdict, "%s: %s, not %s", what, proof_verdict_name(said),
		     proof_verdict_name(verdict));
}

Test(verdicts, proofs_of_many_sizes_hold)
{
	const uint64_t sizes[] = {0, 1, 1023, 1024, 1025, 65536, 65537, MADE_BYTES};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		make(&made, sizes[i], PROOF_SAMPLES);
		expect(PROOF_HOLDS, "as it was made");
	}
}

/* The layout of proof.h, computed once by hand with other programs: this is what other implementations must get. */
Test(verdicts, the_root_and_the_draw_are_those_of_the_text)
{
	struct hash tree, root, challenge, draw;
	struct key node;
	struct cid cid;
	uint8_t bytes[128];
	memset(&tree, 0x11, sizeof tree);
	proof_root(5, &tree, &root);
	bytes[0] = 2;
	memset(bytes + 1, 0, 8);
	bytes[8] = 5;
	memset(bytes + 9, 0x11, 32);
	uint8_t sum[32];
	sha256(bytes, 41, sum);
	cr_expect_arr_eq(root.bytes, sum, 32);
	memset(&challenge, 1, 32);
	memset(&node, 2, 32);
	memset(&cid, 3, 32);
	proof_draw(&challenge, &node, &cid, &draw);
	memcpy(bytes, "warren proof draw 1\n", 20);
	memset(bytes + 20, 1, 32);
	memset(bytes + 52, 2, 32);
	memset(bytes + 84, 3, 32);
	sha256(bytes, 116, sum);
	cr_expect_arr_eq(draw.bytes, sum, 32);
}

Test(verdicts, its_time_is_within_an_hour_and_five_minutes)
{
	const struct {
		int64_t away;
		enum proof_verdict verdict;
	} rows[] = {{0, PROOF_HOLDS},    {3600, PROOF_HOLDS},     {3601, PROOF_TOO_OLD},
		    {-300, PROOF_HOLDS}, {-301, PROOF_TOO_YOUNG}, {1000000000, PROOF_TOO_OLD}};
	make(&made, 5000, 8);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		made.wanted.now = (uint64_t)(MADE_TIME + rows[i].away);
		expect(rows[i].verdict, "by the verifier's clock");
	}
}

Test(verdicts, each_way_to_fail_has_its_name)
{
	static uint8_t other[MERKLE_LEAF];
	make(&made, MADE_BYTES, 8);
	made.wanted.cid.bytes[31] ^= 1;
	expect(PROOF_OTHER_BLOB, "another cid");
	make(&made, MADE_BYTES, 8);
	made.wanted.node.bytes[0] ^= 1;
	expect(PROOF_OTHER_NODE, "another key");
	make(&made, MADE_BYTES, 8);
	made.challenge.bytes[5] ^= 1;
	expect(PROOF_OTHER_CHALLENGE, "an old answer");
	make(&made, MADE_BYTES, 8);
	made.wanted.root.bytes[5] ^= 1;
	expect(PROOF_OTHER_ROOT, "another root");
	make(&made, MADE_BYTES, 8);
	made.proof.size = 1;
	sign(&made);
	expect(PROOF_OTHER_ROOT, "a smaller size, signed");
	make(&made, MADE_BYTES, 8);
	made.proof.count = 7;
	sign(&made);
	expect(PROOF_TOO_FEW, "one sample less, signed");
	make(&made, MADE_BYTES, 8);
	made.proof.samples[7] = made.proof.samples[6];
	sign(&made);
	expect(PROOF_OTHER_LEAVES, "a leaf of its choice, signed");
	make(&made, MADE_BYTES, 8);
	made.proof.samples[3].bytes = other;
	sign(&made);
	expect(PROOF_WRONG_BYTES, "bytes it does not have, signed");
	make(&made, MADE_BYTES, 8);
	made.proof.signature.bytes[10] ^= 1;
	expect(PROOF_NOT_SIGNED, "a bit of the signature");
	make(&made, MADE_BYTES, 8);
	made.proof.time++;
	expect(PROOF_NOT_SIGNED, "a time that was not signed");
}

Test(verdicts, any_challenge_will_do_when_none_is_given)
{
	make(&made, 5000, 8);
	made.wanted.challenge = NULL;
	made.proof.challenge.bytes[0] ^= 1;
	cr_expect_neq(proof_judge(&made.proof, &made.wanted), PROOF_HOLDS,
		      "but the leaves are those of its own");
	make(&made, 5000, 8);
	made.wanted.challenge = NULL;
	expect(PROOF_HOLDS, "without one");
}
