/* V3 keystores against the two vectors of Ethereum's wiki ("Web3 secret storage definition"), our own way round, and everything that is
 * refused before it costs anything. */
#include "tests/unit/wallet/fixed.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/wallet/keystore.h"

#include <stdio.h>

#define PBKDF2 \
	"{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":" \
	"\"6087dab2f9fdbbfaddc31a909735c1e6\"}," \
	"\"ciphertext\":\"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46\",\"kdf\":" \
	"\"pbkdf2\"," \
	"\"kdfparams\":{\"c\":262144,\"dklen\":32,\"prf\":\"hmac-sha256\"," \
	"\"salt\":\"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd\"}," \
	"\"mac\":\"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2\"}," \
	"\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}"
#define SCRYPT \
	"{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":" \
	"\"83dbcc02d8ccb40e466191a123791e0e\"}," \
	"\"ciphertext\":\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\",\"kdf\":" \
	"\"scrypt\"," \
	"\"kdfparams\":{\"dklen\":32,\"n\":262144,\"p\":8,\"r\":1," \
	"\"salt\":\"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19\"}," \
	"\"mac\":\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"}," \
	"\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}"
#define SECRET "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"

static void setup(void)
{
	crypto_warm();
}
TestSuite(keystore, .init = setup);

static struct keystore expect_opens(const char *json, const char *passphrase, const char *secret)
{
	struct keystore keystore;
	struct keystore_work work;
	uint8_t got[WALLET_SECRET];
	char why[KEYSTORE_WHY];
	cr_assert(keystore_parse(json, strlen(json), &keystore, why), "%s", why);
	cr_assert(keystore_open(&keystore, passphrase, &work, got));
	expect_bytes(got, sizeof got, secret);
	return keystore;
}

static void expect_shut(const struct keystore *keystore, const char *passphrase)
{
	struct keystore_work work;
	uint8_t got[WALLET_SECRET];
	memset(got, 0xa5, sizeof got);
	cr_expect_not(keystore_open(keystore, passphrase, &work, got));
	for (size_t i = 0; i < sizeof got; i++)
		cr_expect_eq(got[i], 0, "wiped");
}

Test(keystore, published_pbkdf2)
{
	struct keystore keystore = expect_opens(PBKDF2, "testpassword", SECRET);
	expect_shut(&keystore, "testpasswore");
}

/* It costs what such a keystore costs, so it is opened once; the wrong word is tried on a cheaper one below. */
Test(keystore, published_scrypt)
{
	expect_opens(SCRYPT, "testpassword", SECRET);
}

Test(keystore, there_and_back)
{
	struct keystore keystore, read;
	struct keystore_work work;
	struct address address = {{1, 2, 3}};
	uint8_t secret[WALLET_SECRET], got[WALLET_SECRET];
	char json[KEYSTORE_TEXT], why[KEYSTORE_WHY];
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	keystore_seal(secret, &address, "correct horse", 1024, &work, &keystore);
	size_t length = keystore_print(&keystore, json);
	cr_assert(keystore_parse(json, length, &read, why), "%s", why);
	cr_expect(read.has_address);
	cr_expect_arr_eq(&read.address, &address, sizeof address);
	cr_assert(keystore_open(&read, "correct horse", &work, got));
	cr_expect_arr_eq(got, secret, sizeof got);
	expect_shut(&read, "correct horst");
	cr_expect_null(strstr(json, FIXED_SECRET));
	keystore_seal(secret, &address, "correct horse", 1024, &work, &read);
	cr_expect_neq(memcmp(keystore.ciphertext, read.ciphertext, 32), 0, "a salt is new each time");
}

/* A bit anywhere in what is authenticated: not opened, and nobody says which part. */
Test(keystore, any_flipped_bit_does_not_open)
{
	struct keystore good, bad;
	struct keystore_work work;
	struct address address = {{0}};
	uint8_t secret[WALLET_SECRET], got[WALLET_SECRET];
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	keystore_seal(secret, &address, "correct horse", 2, &work, &good);
	for (size_t bit = 0; bit < 8 * 32; bit += 5) {
		bad = good;
		bad.ciphertext[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_expect_not(keystore_open(&bad, "correct horse", &work, got));
		bad = good;
		bad.mac[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_expect_not(keystore_open(&bad, "correct horse", &work, got));
		bad = good;
		bad.salt[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_expect_not(keystore_open(&bad, "correct horse", &work, got));
	}
}

/* `from` in the scrypt vector becomes `to`; returns the sentence, or NULL when it is accepted. */
static const char *changed(const char *from, const char *to, char why[KEYSTORE_WHY])
{
	struct keystore keystore;
	char json[4096];
	const char *at = strstr(SCRYPT, from);
	cr_assert_not_null(at, "%s", from);
	snprintf(json, sizeof json, "%.*s%s%s", (int)(at - SCRYPT), SCRYPT, to, at + strlen(from));
	return keystore_parse(json, strlen(json), &keystore, why) ? NULL : why;
}

Test(keystore, absurd_parameters_are_named)
{
	static const struct {
		const char *from, *to, *names;
	} absurd[] = {
		{"\"n\":262144", "\"n\":524288", "n is 524288"},
		{"\"n\":262144", "\"n\":9223372036854775807", "n is 9223372036854775807"},
		{"\"n\":262144", "\"n\":92233720368547758070", "JSON"},
		{"\"n\":262144", "\"n\":1", "power of two"},
		{"\"n\":262144", "\"n\":3", "power of two"},
		{"\"n\":262144", "\"n\":0", "n is no number"},
		{"\"n\":262144", "\"n\":-2", "n is no number"},
		{"\"n\":262144", "\"n\":262144.0", "n is no number"},
		{"\"n\":262144", "\"n\":\"262144\"", "n is no number"},
		{"\"n\":262144,", "", "n is no number"},
		{"\"r\":1", "\"r\":9", "r is 9"},
		{"\"p\":8", "\"p\":1000000000", "p is 1000000000"},
		{"\"dklen\":32", "\"dklen\":31", "dklen"},
		{"\"dklen\":32", "\"dklen\":64", "dklen"},
		{"\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\"", "prf"},
		{"\"kdf\":\"scrypt\"", "\"kdf\":\"argon2\"", "kdf"},
		{"aes-128-ctr", "aes-256-ctr", "cipher"},
		{"\"version\":3", "\"version\":4", "version"},
		{"\"version\":3", "\"version\":3,\"version\":3", "JSON"},
		{"\"version\":3", "\"version\":3,\"x\":[[[[[[[[1]]]]]]]]", "deeper"},
		{"\"version\":3", "\"version\":3,\"address\":\"12\"", "address"},
		{"\"iv\":\"83", "\"iv\":\"8", "iv"},
		{"\"mac\":\"21", "\"mac\":\"2g", "mac"},
		{"\"ciphertext\":\"d1", "\"ciphertext\":\"d1d1", "ciphertext"},
	};
	char why[KEYSTORE_WHY];
	for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
		const char *said = changed(absurd[i].from, absurd[i].to, why);
		cr_assert_not_null(said, "%s", absurd[i].to);
		cr_expect_not_null(strstr(said, absurd[i].names), "%s: %s", absurd[i].to, said);
	}
	cr_expect_null(changed("\"crypto\"", "\"Crypto\"", why), "%s", why);
	cr_expect_null(changed("\"version\":3",
			       "\"version\":3,\"address\":\"0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b\"",
			       why));
}

Test(keystore, no_cut_and_no_length_is_taken_for_one)
{
	struct keystore keystore;
	char why[KEYSTORE_WHY], *longer = x_new(KEYSTORE_BYTES + 2);
	for (size_t length = 0; length < strlen(SCRYPT); length++) {
		cr_expect_not(keystore_parse(SCRYPT, length, &keystore, why));
		cr_expect(strlen(why) > 0);
	}
	memset(longer, ' ', KEYSTORE_BYTES + 1);
	memcpy(longer, SCRYPT, strlen(SCRYPT));
	cr_expect(keystore_parse(longer, KEYSTORE_BYTES, &keystore, why));
	cr_expect_not(keystore_parse(longer, KEYSTORE_BYTES + 1, &keystore, why));
	x_free(&longer);
}
