/* RLP, the writing half. Plain C: bytes in, bytes out, within the room that is given. */
#include "actors/wallet/rlp.h"

#include <string.h>

enum { STRING = 0x80, LIST = 0xc0, SHORT = 55 };

static void put(struct rlp *list, const void *bytes, size_t length)
{
	if (list->full || length > list->room - list->used) {
		list->full = true;
		return;
	}
	if (length)
		memcpy(list->at + list->used, bytes, length);
	list->used += length;
}

/* Big-endian without leading zeros; returns where it begins in the eight bytes. */
static const uint8_t *shortest(uint64_t number, uint8_t bytes[8], size_t *length)
{
	*length = 0;
	for (; number; number >>= 8)
		bytes[8 - ++*length] = (uint8_t)number;
	return bytes + 8 - *length;
}

static size_t head_of(size_t length, uint8_t base, uint8_t head[RLP_HEAD])
{
	uint8_t bytes[8];
	size_t count;
	const uint8_t *at = shortest(length, bytes, &count);
	if (length <= SHORT) {
		head[0] = (uint8_t)(base + length);
		return 1;
	}
	head[0] = (uint8_t)(base + SHORT + count);
	memcpy(head + 1, at, count);
	return 1 + count;
}

size_t rlp_list_head(size_t length, uint8_t head[RLP_HEAD])
{
	return head_of(length, LIST, head);
}

void rlp_bytes(struct rlp *list, const void *bytes, size_t length)
{
	uint8_t head[RLP_HEAD];
	if (length != 1 || *(const uint8_t *)bytes >= STRING)
		put(list, head, head_of(length, STRING, head));
	put(list, bytes, length);
}

void rlp_number(struct rlp *list, uint64_t number)
{
	uint8_t bytes[8];
	size_t length;
	const uint8_t *at = shortest(number, bytes, &length);
	rlp_bytes(list, at, length);
}

void rlp_u256(struct rlp *list, const struct u256 *number)
{
	size_t zeros = 0;
	while (zeros < sizeof number->bytes && number->bytes[zeros] == 0)
		zeros++;
	rlp_bytes(list, number->bytes + zeros, sizeof number->bytes - zeros);
}

void rlp_empty_list(struct rlp *list)
{
	const uint8_t empty = LIST;
	put(list, &empty, 1);
}
