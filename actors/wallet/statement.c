/* The binding statement: written, signed, checked. Signing runs as wallet@N; checking needs no key and runs
 * anywhere. */
#include "actors/wallet/statement.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char domain[] = "Warren node binding\nversion 1\nwallet 0x";
static const char between[] = "\nnode-key ";

enum {
	AT_WALLET = sizeof domain - 1, /* of the address's digits */
	AT_BETWEEN = AT_WALLET + 40,
	AT_NODE_KEY = AT_BETWEEN + sizeof between - 1,
	SHORTEST = AT_NODE_KEY + 64,
};
_Static_assert(STATEMENT_TEXT - 1 <= PERSONAL_TEXT, "all of it can be signed");

size_t statement_text(const struct binding *binding, char text[STATEMENT_TEXT])
{
	char wallet[ADDRESS_TEXT], node[2 * sizeof binding->node.bytes + 1], peer[PEER_ID_TEXT];
	address_text(&binding->wallet, wallet);
	hex_text(binding->node.bytes, sizeof binding->node.bytes, node);
	peer_id_text(&binding->node, peer);
	int length = snprintf(text, STATEMENT_TEXT, "%s%s%s%s\npeer-id %s\n", domain, wallet + 2, between,
			      node, peer);
	bug_if(length < 0 || length >= STATEMENT_TEXT);
	return (size_t)length;
}

void statement_make(const struct wallet_keys *keys, struct signer *signer, struct statement *statement)
{
	const struct binding binding = {.wallet = keys->address, .node = keys->node_key};
	statement->length = statement_text(&binding, statement->text);
	sign_personal(signer, keys->wallet_secret, statement->text, statement->length, &statement->by_wallet);
	bug_if(crypto_sign_detached(statement->by_node.bytes, NULL, (const uint8_t *)statement->text,
				    statement->length, keys->node_secret) != 0);
	secret_wipe_stack();

	struct binding proved;
	bug_if(statement_verify(statement->text, statement->length, &statement->by_wallet,
				&statement->by_node, &proved) != STATEMENT_OK);
}

/* Reads the two keys where they must be, and compares the whole with the one text that these keys have. */
static bool parse(const char *text, size_t length, struct binding *binding)
{
	char whole[STATEMENT_TEXT];
	return length >= SHORTEST &&
	       hex_parse(text + AT_WALLET, 40, binding->wallet.bytes, sizeof binding->wallet.bytes) &&
	       hex_parse(text + AT_NODE_KEY, 64, binding->node.bytes, sizeof binding->node.bytes) &&
	       statement_text(binding, whole) == length && memcmp(whole, text, length) == 0;
}

static enum statement_end verify(const char *text, size_t length, const struct signature *by_wallet,
				 const struct ed_signature *by_node, struct binding *binding)
{
	struct address signer;
	if (!parse(text, length, binding))
		return STATEMENT_MALFORMED;
	if (!personal_signer(text, length, by_wallet, &signer) ||
	    memcmp(signer.bytes, binding->wallet.bytes, sizeof signer.bytes) != 0)
		return STATEMENT_NOT_BY_WALLET;
	if (crypto_sign_verify_detached(by_node->bytes, (const uint8_t *)text, length, binding->node.bytes) !=
	    0)
		return STATEMENT_NOT_BY_NODE;
	return STATEMENT_OK;
}

enum statement_end statement_verify(const char *text, size_t length, const struct signature *by_wallet,
				    const struct ed_signature *by_node, struct binding *binding)
{
	enum statement_end end = verify(text, length, by_wallet, by_node, binding);
	if (end != STATEMENT_OK)
		*binding = (struct binding){0};
	return end;
}
