/* Signs what it is told, line by line, with the wallet's own plain files: the oracle of tests/peers, which compares the bytes with
 * other software's. Keys of tests only: they stand in the line. No part of a machine.
 *
 *   tx SECRET TYPE CHAIN NONCE GAS MAX_FEE MAX_PRIORITY TO VALUE DATA     → raw, hash    (amounts decimal; DATA hex, or - for none)
 *   peer SECRET TIMESTAMP                                                → signature, text in hex
 *   hub SECRET HUB CHALLENGE SESSION|none EXPIRES                        → signature, text in hex
 *   relay SECRET MESSAGE NODE TIMESTAMP NONCE                            → signature, 32 bytes */
#include "actors/base/crypto/crypto.h"
#include "actors/wallet/saying.h"
#include "actors/wallet/transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 12, LINE = 8192 };

static struct u256 amount(const char *text)
{
	struct u256 number;
	if (!u256_parse(text, strlen(text), 0, &number))
		exit(2);
	return number;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 10);
}

static void bytes(const char *text, uint8_t *into, size_t length)
{
	if (!hex_parse(text, strlen(text), into, length))
		exit(2);
}

static void show(const uint8_t *at, size_t length, const char *end)
{
	for (size_t i = 0; i < length; i++)
		printf("%02x", at[i]);
	printf("%s", end);
}

static void sign_tx(struct signer *signer, const uint8_t secret[WALLET_SECRET], char **words)
{
	static uint8_t data[TRANSACTION_DATA], raw[TRANSACTION_RAW];
	struct hash hash;
	struct transaction tx = {.type = (uint8_t)number(words[2]),
				 .chain_id = number(words[3]),
				 .nonce = number(words[4]),
				 .gas = number(words[5]),
				 .max_fee = amount(words[6]),
				 .max_priority = amount(words[7]),
				 .value = amount(words[9]),
				 .data = data};
	bytes(words[8], tx.to.bytes, sizeof tx.to.bytes);
	tx.data_length = strcmp(words[10], "-") == 0 ? 0 : strlen(words[10]) / 2;
	if (tx.data_length > sizeof data || transaction_wrong(&tx)) {
		printf("wrong\n");
		return;
	}
	if (tx.data_length)
		bytes(words[10], data, tx.data_length);
	size_t length = transaction_sign(&tx, signer, secret, raw, &hash);
	show(raw, length, " ");
	show(hash.bytes, sizeof hash.bytes, "\n");
}

static void sign_text(struct signer *signer, const uint8_t secret[WALLET_SECRET], const char *text,
		      size_t length)
{
	struct signature signature;
	sign_personal(signer, secret, text, length, &signature);
	show(signature.bytes, sizeof signature.bytes, " ");
	show((const uint8_t *)text, length, "\n");
}

static void sign_statement(struct signer *signer, const uint8_t secret[WALLET_SECRET], char **words)
{
	struct address address;
	struct hash message, node, said;
	char text[SAYING_TEXT];
	if (!signer_address(signer, secret, &address))
		exit(2);
	if (strcmp(words[0], "peer") == 0) {
		sign_text(signer, secret, text, saying_peer_proof(&address, number(words[2]), text));
	} else if (strcmp(words[0], "hub") == 0) {
		struct hub_challenge challenge = {.hub = words[2], .expires = number(words[5])};
		bytes(words[3], challenge.challenge.bytes, 32);
		challenge.has_session = strcmp(words[4], "none") != 0;
		if (challenge.has_session)
			bytes(words[4], challenge.session.bytes, 32);
		sign_text(signer, secret, text, saying_hub_challenge(&address, &challenge, text));
	} else {
		struct u256 nonce = amount(words[5]);
		bytes(words[2], message.bytes, 32);
		bytes(words[3], node.bytes, 32);
		saying_relay_proof(&message, &node, number(words[4]), &nonce, &said);
		sign_text(signer, secret, (const char *)said.bytes, sizeof said.bytes);
	}
}

int main(void)
{
	char line[LINE];
	uint8_t secret[WALLET_SECRET];
	crypto_warm();
	struct signer *signer = signer_new();
	while (fgets(line, sizeof line, stdin)) {
		char *words[WORDS] = {0}, *rest = line;
		line[strcspn(line, "\n")] = '\0';
		for (unsigned i = 0; i < WORDS && rest; i++)
			words[i] = strsep(&rest, " ");
		bytes(words[1], secret, sizeof secret);
		if (strcmp(words[0], "tx") == 0)
			sign_tx(signer, secret, words);
		else
			sign_statement(signer, secret, words);
	}
	signer_free(&signer);
	return 0;
}
