/* msgpack written by hand from its specification, so that what pack.c writes is compared with something else
 * than itself. */
#include "tests/proto/sample.h"

#include <stdlib.h>
#include <string.h>

struct bytes bytes_in(struct arena *arena, size_t room)
{
	struct bytes bytes = {arena_take(arena, room), 0, room};
	if (!bytes.at)
		abort();
	return bytes;
}

void hand_raw(struct bytes *out, const void *at, size_t length)
{
	if (length > out->room - out->length)
		abort();
	if (length)
		memcpy(out->at + out->length, at, length);
	out->length += length;
}

static void put(struct bytes *out, uint8_t lead, uint64_t number, unsigned width)
{
	uint8_t bytes[9] = {lead};
	for (unsigned i = 0; i < width; i++)
		bytes[1 + i] = (uint8_t)(number >> 8 * (width - 1 - i));
	hand_raw(out, bytes, 1 + width);
}

void hand_uint(struct bytes *out, uint64_t number)
{
	if (number < 128)
		put(out, (uint8_t)number, 0, 0);
	else if (number <= UINT8_MAX)
		put(out, 0xcc, number, 1);
	else if (number <= UINT16_MAX)
		put(out, 0xcd, number, 2);
	else if (number <= UINT32_MAX)
		put(out, 0xce, number, 4);
	else
		put(out, 0xcf, number, 8);
}

void hand_int(struct bytes *out, int64_t number)
{
	if (number >= 0)
		hand_uint(out, (uint64_t)number);
	else if (number >= -32)
		put(out, (uint8_t)number, 0, 0);
	else if (number >= INT8_MIN)
		put(out, 0xd0, (uint64_t)number, 1);
	else if (number >= INT16_MIN)
		put(out, 0xd1, (uint64_t)number, 2);
	else if (number >= INT32_MIN)
		put(out, 0xd2, (uint64_t)number, 4);
	else
		put(out, 0xd3, (uint64_t)number, 8);
}

void hand_str(struct bytes *out, const void *at, size_t length)
{
	if (length < 32)
		put(out, (uint8_t)(0xa0 | length), 0, 0);
	else if (length <= UINT8_MAX)
		put(out, 0xd9, length, 1);
	else if (length <= UINT16_MAX)
		put(out, 0xda, length, 2);
	else
		put(out, 0xdb, length, 4);
	hand_raw(out, at, length);
}

void hand_bin(struct bytes *out, const void *at, size_t length)
{
	if (length <= UINT8_MAX)
		put(out, 0xc4, length, 1);
	else if (length <= UINT16_MAX)
		put(out, 0xc5, length, 2);
	else
		put(out, 0xc6, length, 4);
	hand_raw(out, at, length);
}

void hand_array(struct bytes *out, uint32_t count)
{
	if (count < 16)
		put(out, (uint8_t)(0x90 | count), 0, 0);
	else if (count <= UINT16_MAX)
		put(out, 0xdc, count, 2);
	else
		put(out, 0xdd, count, 4);
}

static void hand_field(struct bytes *out, const struct field *field, const uint8_t *from)
{
	const uint8_t *member = from + field->offset;
	const struct view *view = (const struct view *)member;
	uint64_t number = 0;
	uint32_t count;
	switch (field->kind) {
	case FIELD_bool:
		put(out, *member ? 0xc3 : 0xc2, 0, 0);
		return;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		memcpy(&number, member, field->size);
		hand_uint(out, number);
		return;
	case FIELD_i64:
		memcpy(&number, member, 8);
		hand_int(out, (int64_t)number);
		return;
	case FIELD_u256:
	case FIELD_cid:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		hand_bin(out, member, field->size);
		return;
	case FIELD_str:
		hand_str(out, member, strlen((const char *)member));
		return;
	case FIELD_text:
		hand_str(out, view->at, view->length);
		return;
	case FIELD_bin:
		hand_bin(out, view->at, view->length);
		return;
	case FIELD_many:
		count = *(const uint32_t *)(from + field->also);
		hand_array(out, count);
		for (uint32_t i = 0; i < count; i++)
			hand_message(out, field->element,
				     (const uint8_t *)view->at + (size_t)i * field->element->size, NULL);
		return;
	}
}

void hand_message(struct bytes *out, const struct message *message, const void *from, const struct flaw *flaw)
{
	const uint8_t *at = from;
	hand_array(out, message->count);
	for (const struct field *field = message->fields(); field->name; field++) {
		if (flaw && flaw->field == field)
			hand_raw(out, flaw->at, flaw->length);
		else if (field->optional && !at[field->also])
			put(out, 0xc0, 0, 0);
		else
			hand_field(out, field, at);
	}
}
