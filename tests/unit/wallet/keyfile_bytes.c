/* The bytes of the key file: the format, and every way in which they can be wrong. */
#include "tests/unit/wallet/folder.h"

#include "actors/base/crypto/crypto.h"

static struct folder folder;
static uint8_t whole[KEYFILE_BYTES];

static void setup(void)
{
	folder_make(&folder);
	keyfile_seal(NODE, folder.secret, folder.keys, whole);
}

static void teardown(void)
{
	folder_remove(&folder);
}

TestSuite(keyfile_bytes, .init = setup, .fini = teardown);

static enum keyfile_end open_bytes(const uint8_t *file, size_t length, uint16_t node, const uint8_t *secret)
{
	memset(folder.opened, 0xa5, sizeof *folder.opened);
	return keyfile_unseal(file, length, node, secret, folder.signer, folder.opened);
}

static void renew_digest(uint8_t *file, size_t length)
{
	sha256(file, length - 32, file + length - 32);
}

/* Version 1 as Node's crypto module wrote it from the description in keyfile.h: what is on operators' disks
 * stays readable. */
static const struct {
	uint16_t node;
	const char *file;
} golden[] = {
	{7, "57415252454e4b5900010007808182838485868788898a8b8c8d8e8f909192939495969798999a"
	    "9b9c9d9e9f7f3b8ea02052e6f3c8cc1d540d10ead18a8012561fab5a1df8ff3948c9d1999be22a"
	    "dc26c105f46b441dfa14729c9521dc2d0bba4208759a36c507cabaaffa1454dc4f4c5acdd88956"
	    "127a378facc26d5b0acd2d96fd2695f302e3006711214df2a7e23c7e360e048a7fab45c6796d09"},
	{300, "57415252454e4b590001012c404142434445464748494a4b4c4d4e4f505152535455565758595a"
	      "5b5c5d5e5f72897064488d16110442cdb5abbb068b78d5a84622ca0d58ca4ef5190068641c4eca"
	      "4dd9c8a8c3422db47e01be533f6371326150259a3819ebcd1efba7663cb28164bcbc02f754f786"
	      "89fbfc6d1b383a77ccff61ae93ac4aed8e998ddd2c38b50a2afcdf128a10be22eb27b7610f9244"},
};

Test(keyfile_bytes, written_by_another_program)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t file[KEYFILE_BYTES];
		cr_assert_eq(bytes_of(golden[i].file, file, sizeof file), sizeof file);
		expect_opened(&folder, open_bytes(file, sizeof file, golden[i].node, folder.secret),
			      KEYFILE_OK, "golden", i);
	}
}

Test(keyfile_bytes, what_was_sealed_opens)
{
	expect_opened(&folder, open_bytes(whole, sizeof whole, NODE, folder.secret), KEYFILE_OK, "whole", 0);
}

Test(keyfile_bytes, each_is_sealed_anew)
{
	uint8_t again[KEYFILE_BYTES];
	keyfile_seal(NODE, folder.secret, folder.keys, again);
	cr_expect_arr_eq(whole, again, 12, "magic, version, node");
	cr_expect_arr_neq(whole + 12, again + 12, 32, "salt");
	for (unsigned at = 44; at + 16 <= 124; at += 16)
		cr_expect_arr_neq(whole + at, again + at, 16, "at %u", at);
}

Test(keyfile_bytes, show_no_secret)
{
	for (unsigned at = 0; at + 8 <= sizeof whole; at++)
		for (unsigned from = 0; from + 8 <= 32; from++) {
			cr_assert_arr_neq(whole + at, folder.keys->wallet_secret + from, 8);
			cr_assert_arr_neq(whole + at, folder.keys->node_secret + from, 8);
			cr_assert_arr_neq(whole + at, folder.secret + from, 8);
		}
}

Test(keyfile_bytes, every_other_length_is_damage)
{
	uint8_t longer[KEYFILE_MOST + 2] = {0};
	memcpy(longer, whole, sizeof whole);
	for (size_t length = 0; length < sizeof longer; length += length < 400 ? 1 : 61)
		if (length != sizeof whole)
			expect_opened(&folder, open_bytes(longer, length, NODE, folder.secret),
				      KEYFILE_DAMAGED, "length", length);
	/* also with a digest that is right for that length */
	for (size_t length = 42; length < 400; length++) {
		memcpy(longer, whole, sizeof whole);
		renew_digest(longer, length);
		if (length != sizeof whole)
			expect_opened(&folder, open_bytes(longer, length, NODE, folder.secret),
				      KEYFILE_DAMAGED, "renewed", length);
	}
}

Test(keyfile_bytes, every_flipped_bit_is_damage)
{
	for (size_t bit = 0; bit < 8 * sizeof whole; bit++) {
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_opened(&folder, open_bytes(whole, sizeof whole, NODE, folder.secret), KEYFILE_DAMAGED,
			      "bit", bit);
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* Changed by somebody who also renewed the digest, which protects nothing: the seal must. */
static enum keyfile_end end_for(size_t byte)
{
	if (byte < 8)
		return KEYFILE_DAMAGED; /* magic */
	if (byte < 10)
		return byte == 9 && whole[9] == 0 ? KEYFILE_DAMAGED : KEYFILE_NEWER; /* version 0 never was */
	return byte < 12 ? KEYFILE_OTHER_NODE : KEYFILE_WRONG_SECRET;
}

Test(keyfile_bytes, every_forged_bit_is_refused)
{
	for (size_t bit = 0; bit < 8 * 124; bit++) {
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
		renew_digest(whole, sizeof whole);
		expect_opened(&folder, open_bytes(whole, sizeof whole, NODE, folder.secret), end_for(bit / 8),
			      "forged bit", bit);
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

Test(keyfile_bytes, every_other_secret_is_wrong)
{
	for (size_t bit = 0; bit < 8 * SEALING_SECRET; bit++) {
		folder.secret[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_opened(&folder, open_bytes(whole, sizeof whole, NODE, folder.secret),
			      KEYFILE_WRONG_SECRET, "bit", bit);
		folder.secret[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* Another node's file is named as such; one that was renamed to ours does not open even under the same
 * secret. */
Test(keyfile_bytes, another_nodes)
{
	for (unsigned node = 0; node < 0x10000; node += node < 16 ? 1 : 257)
		if (node != NODE)
			expect_opened(&folder, open_bytes(whole, sizeof whole, (uint16_t)node, folder.secret),
				      KEYFILE_OTHER_NODE, "node", node);
	whole[11] = NODE + 1;
	renew_digest(whole, sizeof whole);
	expect_opened(&folder, open_bytes(whole, sizeof whole, NODE + 1, folder.secret), KEYFILE_WRONG_SECRET,
		      "renamed", 0);
}

/* A later version may have any length; it is named as such as long as it keeps what the header promises. */
Test(keyfile_bytes, a_later_version)
{
	uint8_t later[KEYFILE_MOST] = {0};
	memcpy(later, whole, sizeof whole);
	later[9] = KEYFILE_VERSION + 1;
	for (size_t length = 42; length <= KEYFILE_MOST; length += length < 300 ? 1 : 113) {
		renew_digest(later, length);
		expect_opened(&folder, open_bytes(later, length, NODE, folder.secret), KEYFILE_NEWER,
			      "length", length);
		memset(later + length - 32, 0, 32);
	}
}
