/* The texts of statements. Pure: fields in, text out. */
#include "actors/wallet/saying.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "proto/policy.h"
#include "proto/u256.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t saying_peer_proof(const struct address *wallet, uint64_t timestamp, char text[SAYING_TEXT])
{
	uint8_t digest[32];
	char node[41];
	keccak256(wallet->bytes, sizeof wallet->bytes, digest);
	int length = snprintf(text, SAYING_TEXT, "mumblechat:peer:%s:%" PRIu64, hex_text(digest, 20, node),
			      timestamp);
	bug_if(length < 0 || length >= SAYING_TEXT);
	return (size_t)length;
}

size_t saying_hub_challenge(const struct address *wallet, const struct hub_challenge *challenge,
			    char text[SAYING_TEXT])
{
	char address[ADDRESS_TEXT], bytes[65], session[65] = "none";
	bug_if(!policy_hub_fits(challenge->hub));
	if (challenge->has_session)
		hex_text(challenge->session.bytes, 32, session);
	int length = snprintf(text, SAYING_TEXT,
			      "Warren hub challenge\nversion 1\nhub %s\nwallet %s\nchallenge %s\nsession %s\n"
			      "expires %" PRIu64 "\n",
			      challenge->hub, address_text(wallet, address),
			      hex_text(challenge->challenge.bytes, 32, bytes), session, challenge->expires);
	bug_if(length < 0 || length >= SAYING_TEXT);
	return (size_t)length;
}

void saying_relay_proof(const struct hash *message, const struct hash *node, uint64_t timestamp,
			const struct u256 *nonce, struct hash *said)
{
	uint8_t packed[128];
	struct u256 time = u256_of(timestamp);
	memcpy(packed, message->bytes, 32);
	memcpy(packed + 32, node->bytes, 32);
	memcpy(packed + 64, time.bytes, 32);
	memcpy(packed + 96, nonce->bytes, 32);
	keccak256(packed, sizeof packed, said->bytes);
}
