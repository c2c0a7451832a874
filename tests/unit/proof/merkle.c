/* The tree and its paths. */
#include "actors/base/crypto/crypto.h"
#include "tests/unit/proof/maker.h"

#include <criterion/criterion.h>
#include <string.h>

/* RFC 6962 2.1 as it is written there: by splitting, not by a stack. */
static void by_splitting(const uint8_t *bytes, uint64_t length, uint8_t out[32])
{
	uint64_t leaves = (length + 1023) / 1024, k = 1;
	if (leaves <= 1) {
		uint8_t leaf[1025] = {0};
		memcpy(leaf + 1, bytes, length);
		sha256(leaf, length ? 1 + length : 0, out);
		return;
	}
	while (k * 2 < leaves)
		k *= 2;
	uint8_t node[65] = {1};
	by_splitting(bytes, k * 1024, node + 1);
	by_splitting(bytes + k * 1024, length - k * 1024, node + 33);
	sha256(node, 65, out);
}

Test(merkle, the_merkle_root_is_that_of_rfc_6962)
{
	crypto_warm();
	static uint8_t bytes[70 * 1024 + 17];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8));
	const size_t lengths[] = {0,    1,    1023,     1024,     1025,  2048,        2049,
				  3072, 5000, 7 * 1024, 8 * 1024, 65536, sizeof bytes};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		uint8_t right[32];
		struct hash root;
		by_splitting(bytes, lengths[i], right);
		const size_t slices[] = {1, 777, 1024, 65536};
		for (size_t s = 0; s < 4; s++) {
			struct merkle merkle = {0};
			for (size_t at = 0; at < lengths[i]; at += slices[s])
				merkle_add(&merkle, bytes + at,
					   lengths[i] - at < slices[s] ? lengths[i] - at : slices[s]);
			merkle_end(&merkle, &root);
			cr_expect_arr_eq(root.bytes, right, 32, "%zu bytes in slices of %zu", lengths[i],
					 slices[s]);
		}
	}
}

/* RFC 6962 2.1: the hash of an empty list is that of an empty string (FIPS 180-4's vector). */
Test(merkle, the_merkle_root_of_nothing)
{
	crypto_warm();
	struct merkle merkle = {0};
	struct hash root;
	char text[65];
	merkle_end(&merkle, &root);
	cr_expect_str_eq(hex_text(root.bytes, 32, text),
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* Every leaf of trees of every shape up to 70 leaves: its path leads to the root; as another leaf, of another size, or one step longer
 * or shorter, it leads nowhere. */
Test(merkle, each_leaf_has_its_own_path)
{
	static uint8_t bytes[70 * 1024];
	static struct merkle_watch watches[70];
	crypto_warm();
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 10));
	for (uint64_t leaves = 1; leaves <= 70; leaves++) {
		uint64_t size = leaves * 1024 - leaves % 3 * 100;
		struct merkle merkle = {.watches = watches, .watch_count = (unsigned)leaves};
		struct hash root;
		memset(watches, 0, sizeof watches);
		for (uint64_t i = 0; i < leaves; i++)
			watches[i].leaf = i;
		merkle_add(&merkle, bytes, size);
		merkle_end(&merkle, &root);
		for (uint64_t i = 0; i < leaves; i++) {
			const struct merkle_watch *watch = &watches[i];
			const struct merkle_claim right = {
				size, i, watch->bytes, watch->length, watch->path[0], watch->steps};
			cr_assert(merkle_leads_to(&right, &root), "leaf %lu of %lu", (unsigned long)i,
				  (unsigned long)leaves);
			struct merkle_claim wrong = right;
			wrong.leaf = (i + 1) % (leaves + 1);
			cr_assert(leaves == 1 || !merkle_leads_to(&wrong, &root));
			wrong = right;
			wrong.steps++;
			cr_assert(!merkle_leads_to(&wrong, &root));
			wrong = right;
			wrong.steps--;
			cr_assert(!right.steps || !merkle_leads_to(&wrong, &root));
			wrong = right;
			wrong.length--;
			cr_assert(!merkle_leads_to(&wrong, &root));
			wrong = right;
			wrong.leaf = leaves;
			cr_assert(!merkle_leads_to(&wrong, &root), "a leaf past the end");
		}
	}
}

/* Of a node's two halves, neither passes for a leaf: the prefix byte tells them apart. */
Test(merkle, an_inner_node_is_no_leaf)
{
	struct made made;
	make(&made, 2048, 1);
	uint8_t halves[64], leaf[1025] = {0};
	for (int i = 0; i < 2; i++) {
		memcpy(leaf + 1, made.bytes + 1024 * i, 1024);
		sha256(leaf, sizeof leaf, halves + 32 * i);
	}
	const struct merkle_claim claim = {
		.size = 64, .leaf = 0, .bytes = halves, .length = 64, .path = halves};
	cr_expect(!merkle_leads_to(&claim, &made.proof.tree));
}
