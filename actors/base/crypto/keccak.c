/* Ethereum's Keccak-256: the sponge of the Keccak submission (rate 136, padding 0x01) over nettle's public
 * Keccak-f[1600]. No library of Debian 12 offers the digest itself; their SHA3-256 pads with 0x06 and gives
 * other results. */
#include "actors/base/crypto/crypto.h"

#include <nettle/sha3.h>
#include <string.h>

enum { RATE = 136 }; /* bytes a permutation absorbs: 200 − 2·32 */

/* XORs whole lanes into the state; lanes are little-endian, whatever the machine is. */
static void absorb(struct sha3_state *state, const uint8_t block[RATE])
{
	for (unsigned lane = 0; lane < RATE / 8; lane++) {
		uint64_t value = 0;
		for (unsigned i = 8; i-- > 0;)
			value = value << 8 | block[8 * lane + i];
		state->a[lane] ^= value;
	}
	nettle_sha3_permute(state);
}

void keccak256(const void *bytes, size_t length, uint8_t out[32])
{
	struct sha3_state state = {{0}};
	const uint8_t *at = bytes;
	for (; length >= RATE; at += RATE, length -= RATE)
		absorb(&state, at);

	uint8_t last[RATE] = {0};
	if (length)
		memcpy(last, at, length);
	last[length] = 0x01;
	last[RATE - 1] |= 0x80;
	absorb(&state, last);
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(state.a[i / 8] >> 8 * (i % 8));
}
