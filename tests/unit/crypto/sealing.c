/* AES-256-GCM against the test cases of the GCM specification (McGrew and Viega, appendix B; NIST's own set),
 * and against everything that must not open. */
#include "tests/unit/crypto/vectors.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#define KEY_15 "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define PLAIN_15 \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b1" \
	"6aedf5" \
	"aa0de657ba637b39"
#define CIPHER_15 \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5" \
	"f61e63" \
	"93ba7a0abcc9f662"
#define ZERO_32 "0000000000000000000000000000000000000000000000000000000000000000"
#define ZERO_12 "000000000000000000000000"

static const struct {
	const char *key, *nonce, *about, *plain, *sealed;
} cases[] = {
	{ZERO_32, ZERO_12, "", "", "530f8afbc74536b9a963b4f1c4cb738b"}, /* 13 */
	{ZERO_32, ZERO_12, "", "00000000000000000000000000000000",
	 "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"}, /* 14 */
	{KEY_15, "cafebabefacedbaddecaf888", "", PLAIN_15 "1aafd255",
	 CIPHER_15 "898015adb094dac5d93471bdec1a502270e3cc6c"}, /* 15 */
	{KEY_15, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2", PLAIN_15,
	 CIPHER_15 "76fc6ece0f4e1768cddf8853bb2d551b"}, /* 16 */
};
enum { CASES = sizeof cases / sizeof *cases };

struct message {
	uint8_t key[SEAL_KEY], nonce[SEAL_NONCE], about[32], plain[64], sealed[64 + SEAL_TAG];
	size_t about_length, length;
};

static struct message message_of(unsigned i)
{
	struct message message = {0};
	bytes_of(cases[i].key, message.key, sizeof message.key);
	bytes_of(cases[i].nonce, message.nonce, sizeof message.nonce);
	message.about_length = bytes_of(cases[i].about, message.about, sizeof message.about);
	message.length = bytes_of(cases[i].plain, message.plain, sizeof message.plain);
	bytes_of(cases[i].sealed, message.sealed, sizeof message.sealed);
	return message;
}

Test(sealing, published)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct message message = message_of(i);
		uint8_t out[sizeof message.sealed];
		struct sealer *sealer = sealer_new(message.key);
		seal(sealer, message.nonce, message.about, message.about_length, message.plain,
		     message.length, out);
		expect_bytes(out, message.length + SEAL_TAG, cases[i].sealed);
		cr_expect(unseal(sealer, message.nonce, message.about, message.about_length, message.sealed,
				 message.length, out));
		expect_bytes(out, message.length, cases[i].plain);
		sealer_free(&sealer);
		cr_expect_null(sealer);
		sealer_free(&sealer);
	}
}

/* One sealer for many messages, in both directions in any order: only the nonce is new each time. */
Test(sealing, one_sealer_turns_both_ways)
{
	struct message message = message_of(3);
	uint8_t out[sizeof message.sealed], other_nonce[SEAL_NONCE] = {9};
	struct sealer *sealer = sealer_new(message.key);
	for (unsigned round = 0; round < 50; round++) {
		seal(sealer, other_nonce, NULL, 0, message.plain, 16, out);
		cr_assert_not(unseal(sealer, message.nonce, NULL, 0, out, 16, out));
		cr_assert(unseal(sealer, message.nonce, message.about, message.about_length, message.sealed,
				 message.length, out));
		cr_assert_arr_eq(out, message.plain, message.length);
		seal(sealer, message.nonce, message.about, message.about_length, message.plain,
		     message.length, out);
		cr_assert_arr_eq(out, message.sealed, message.length + SEAL_TAG);
	}
	sealer_free(&sealer);
}

Test(sealing, in_place)
{
	struct message message = message_of(3);
	uint8_t at[sizeof message.sealed];
	memcpy(at, message.plain, message.length);
	struct sealer *sealer = sealer_new(message.key);
	seal(sealer, message.nonce, message.about, message.about_length, at, message.length, at);
	cr_expect_arr_eq(at, message.sealed, message.length + SEAL_TAG);
	cr_expect(unseal(sealer, message.nonce, message.about, message.about_length, at, message.length, at));
	cr_expect_arr_eq(at, message.plain, message.length);
	sealer_free(&sealer);
}

static bool opens(const struct message *message)
{
	uint8_t out[64], zero[64] = {0};
	memset(out, 0xa5, sizeof out);
	struct sealer *sealer = sealer_new(message->key);
	bool opened = unseal(sealer, message->nonce, message->about, message->about_length, message->sealed,
			     message->length, out);
	sealer_free(&sealer);
	if (!opened)
		cr_expect_arr_eq(out, zero, message->length, "refused bytes are not handed out");
	return opened;
}

Test(sealing, any_flipped_bit_is_refused)
{
	const struct message whole = message_of(3);
	struct message message = whole;
	cr_assert(opens(&message));
	struct {
		uint8_t *at;
		size_t length;
	} parts[] = {
		{message.sealed, message.length + SEAL_TAG},
		{message.about, message.about_length},
		{message.nonce, SEAL_NONCE},
		{message.key, SEAL_KEY},
	};
	unsigned refused = 0;
	for (unsigned part = 0; part < 4; part++)
		for (size_t bit = 0; bit < 8 * parts[part].length; bit++) {
			parts[part].at[bit / 8] ^= (uint8_t)(1 << bit % 8);
			cr_assert_not(opens(&message), "part %u bit %zu", part, bit);
			parts[part].at[bit / 8] ^= (uint8_t)(1 << bit % 8);
			refused++;
		}
	cr_expect_eq(refused, 8U * (60 + 16 + 20 + 12 + 32));
	cr_expect(opens(&message));
}

Test(sealing, any_other_length_is_refused)
{
	struct message message = message_of(3);
	const size_t length = message.length, about_length = message.about_length;
	for (message.length = 0; message.length < length; message.length++)
		cr_assert_not(opens(&message), "%zu of %zu bytes", message.length, length);
	for (message.about_length = 0; message.about_length < about_length; message.about_length++)
		cr_assert_not(opens(&message), "about %zu of %zu bytes", message.about_length, about_length);
}

Test(sealing, a_chunk_of_64_kib)
{
	enum { CHUNK = 64 * 1024 };
	uint8_t *plain = x_new(CHUNK), *sealed = x_new(CHUNK + SEAL_TAG), *out = x_new(CHUNK);
	const uint8_t key[SEAL_KEY] = {3}, nonce[SEAL_NONCE] = {4};
	for (size_t i = 0; i < CHUNK; i++)
		plain[i] = (uint8_t)(i * 31 >> 3);
	struct sealer *sealer = sealer_new(key);
	seal(sealer, nonce, "id", 2, plain, CHUNK, sealed);
	cr_expect_arr_neq(sealed, plain, CHUNK);
	cr_expect(unseal(sealer, nonce, "id", 2, sealed, CHUNK, out));
	cr_expect_arr_eq(out, plain, CHUNK);
	sealed[CHUNK - 1] ^= 0x80;
	cr_expect_not(unseal(sealer, nonce, "id", 2, sealed, CHUNK, out));
	sealer_free(&sealer);
	x_free(&plain);
	x_free(&sealed);
	x_free(&out);
}
