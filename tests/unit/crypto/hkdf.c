/* HKDF-SHA-256 against RFC 5869, appendix A. */
#include "tests/unit/crypto/vectors.h"

#include "actors/base/crypto/crypto.h"

static void count_up(uint8_t *bytes, size_t length, uint8_t from)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(from + i);
}

Test(hkdf, case_1)
{
	uint8_t key[22], salt[13], info[10], out[42];
	memset(key, 0x0b, sizeof key);
	count_up(salt, sizeof salt, 0x00);
	count_up(info, sizeof info, 0xf0);
	hkdf_sha256(key, sizeof key, salt, sizeof salt, info, sizeof info, out, sizeof out);
	expect_bytes(out, sizeof out,
		     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

Test(hkdf, case_2_long)
{
	uint8_t key[80], salt[80], info[80], out[82];
	count_up(key, sizeof key, 0x00);
	count_up(salt, sizeof salt, 0x60);
	count_up(info, sizeof info, 0xb0);
	hkdf_sha256(key, sizeof key, salt, sizeof salt, info, sizeof info, out, sizeof out);
	expect_bytes(out, sizeof out,
		     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c"
		     "65e590e09"
		     "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

Test(hkdf, case_3_nothing_but_a_key)
{
	uint8_t key[22], out[42];
	memset(key, 0x0b, sizeof key);
	hkdf_sha256(key, sizeof key, NULL, 0, NULL, 0, out, sizeof out);
	expect_bytes(out, sizeof out,
		     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

Test(hkdf, lengths_are_prefixes_of_each_other)
{
	static uint8_t longest[255 * 32], out[255 * 32];
	const uint8_t key[32] = {1, 2, 3};
	hkdf_sha256(key, sizeof key, "salt", 4, "info", 4, longest, sizeof longest);
	for (size_t length = 1; length < 100; length++) {
		memset(out, 0xa5, sizeof out);
		hkdf_sha256(key, sizeof key, "salt", 4, "info", 4, out, length);
		cr_assert_arr_eq(out, longest, length);
		cr_assert_eq(out[length], 0xa5, "wrote past %zu", length);
	}
}

Test(hkdf, every_input_counts)
{
	const uint8_t key[32] = {7}, other[32] = {8};
	uint8_t out[4][32];
	hkdf_sha256(key, 32, "salt", 4, "node 1", 6, out[0], 32);
	hkdf_sha256(key, 32, "salt", 4, "node 2", 6, out[1], 32);
	hkdf_sha256(key, 32, "sald", 4, "node 1", 6, out[2], 32);
	hkdf_sha256(other, 32, "salt", 4, "node 1", 6, out[3], 32);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < i; j++)
			cr_expect_arr_neq(out[i], out[j], 32, "%u and %u", i, j);
}
