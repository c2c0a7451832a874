/* What the wallet parses of others: a V3 keystore's JSON, and the policy's line. The first byte chooses which. What is accepted is within
 * the bounds that keep memory and time small, or is written again as it was read. */
#include "tests/fuzz/target.h"

#include "actors/base/memory/memory.h"
#include "actors/wallet/keystore.h"
#include "proto/policy.h"

#include <string.h>

static void keystore(const char *json, size_t length)
{
	struct keystore read;
	char why[KEYSTORE_WHY] = "";
	if (!keystore_parse(json, length, &read, why)) {
		must(*why && strlen(why) < sizeof why);
		return;
	}
	must(read.salt_length >= 1 && read.salt_length <= KEYSTORE_SALT);
	if (read.kdf == KDF_PBKDF2) {
		must(read.rounds >= 1 && read.rounds <= KEYSTORE_ROUNDS);
		return;
	}
	must(read.n > 1 && read.n <= KEYSTORE_N && (read.n & (read.n - 1)) == 0);
	must(read.r >= 1 && read.r <= KEYSTORE_R && read.p >= 1 && read.p <= KEYSTORE_P);
	must((uint64_t)128 * read.n * read.r <= UINT64_C(256) << 20);
	if (!read.has_address)
		return;
	struct keystore again;
	char text[KEYSTORE_TEXT];
	must(keystore_parse(text, keystore_print(&read, text), &again, why));
	must(again.n == read.n && memcmp(again.mac, read.mac, sizeof read.mac) == 0 &&
	     again.salt_length == read.salt_length && memcmp(again.salt, read.salt, read.salt_length) == 0);
}

static void policy(const char *line)
{
	static struct policy read;
	char again[POLICY_TEXT];
	if (!policy_parse(line, &read))
		return;
	must(read.chain_count <= POLICY_CHAINS && read.rule_count <= POLICY_RULES &&
	     read.hub_count <= POLICY_HUBS);
	for (unsigned i = 0; i < read.rule_count; i++)
		must(read.rules[i].chain < read.chain_count && read.rules[i].method_count <= POLICY_METHODS &&
		     read.rules[i].fixed_count <= POLICY_FIXED && read.rules[i].amount_word <= POLICY_WORDS);
	must(policy_print(&read, again) == strlen(line) && strcmp(again, line) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	char *text = x_new(length); /* terminated, as the first byte is no part of it */
	memcpy(text, bytes + 1, length - 1);
	if (bytes[0] & 1)
		keystore(text, length - 1);
	else
		policy(text);
	x_free(&text);
	return 0;
}
