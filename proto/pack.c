/* Messages to and from msgpack, driven by their tables. The only file that knows msgpack-c. Pure but for the
 * arena. */
#include "actors/base/memory/memory.h"
#include "proto/msg.h"

#include <msgpack.h>
#include <string.h>

struct out {
	uint8_t *at;
	size_t used, room;
	bool failed; /* did not fit, or a value broke its row */
};

static int out_write(void *to, const char *bytes, size_t length)
{
	struct out *out = to;
	if (length > out->room - out->used) {
		out->failed = true;
		return -1;
	}
	if (length) /* an empty view may point nowhere */
		memcpy(out->at + out->used, bytes, length);
	out->used += length;
	return 0;
}

static uint64_t load(const void *at, uint32_t size)
{
	uint64_t value = 0;
	memcpy(&value, at, size); /* little-endian machines only; checked below */
	return value;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "load() and store() copy the low bytes");

static void pack_message(msgpack_packer *packer, struct out *out, const struct message *message,
			 const void *from);

static void pack_bytes(msgpack_packer *packer, const void *at, size_t length)
{
	msgpack_pack_bin(packer, length);
	msgpack_pack_bin_body(packer, at, length);
}

static void pack_text(msgpack_packer *packer, const void *at, size_t length)
{
	msgpack_pack_str(packer, length);
	msgpack_pack_str_body(packer, at, length);
}

static void pack_many(msgpack_packer *packer, struct out *out, const struct field *field, const void *member,
		      uint32_t count)
{
	const uint8_t *elements = *(const uint8_t *const *)member;
	out->failed |= count > field->bound;
	msgpack_pack_array(packer, count);
	for (uint32_t i = 0; i < count && !out->failed; i++)
		pack_message(packer, out, field->element, elements + (size_t)i * field->element->size);
}

static void pack_field(msgpack_packer *packer, struct out *out, const struct field *field,
		       const uint8_t *from)
{
	const uint8_t *member = from + field->offset;
	const struct view *view = (const struct view *)member;
	uint64_t number;
	switch (field->kind) {
	case FIELD_bool:
		*member ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
		return;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		number = load(member, field->size);
		out->failed |= field->bound && number > field->bound;
		msgpack_pack_uint64(packer, number);
		return;
	case FIELD_i64:
		msgpack_pack_int64(packer, (int64_t)load(member, 8));
		return;
	case FIELD_u256:
	case FIELD_cid:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		pack_bytes(packer, member, field->size);
		return;
	case FIELD_str:
		pack_text(packer, member, strnlen((const char *)member, field->bound));
		return;
	case FIELD_text:
		out->failed |=
			view->length > field->bound || (view->length && memchr(view->at, '\0', view->length));
		pack_text(packer, view->at, view->length);
		return;
	case FIELD_bin:
		out->failed |= view->length > field->bound;
		pack_bytes(packer, view->at, view->length);
		return;
	case FIELD_many:
		pack_many(packer, out, field, member, *(const uint32_t *)(from + field->also));
		return;
	}
}

static void pack_message(msgpack_packer *packer, struct out *out, const struct message *message,
			 const void *from)
{
	msgpack_pack_array(packer, message->count);
	for (const struct field *field = message->fields(); field->name && !out->failed; field++) {
		if (field->optional && !*((const uint8_t *)from + field->also))
			msgpack_pack_nil(packer);
		else
			pack_field(packer, out, field, from);
	}
}

size_t message_pack(const struct message *message, const void *from, uint8_t *at, size_t room)
{
	struct out out = {.at = at, .room = room};
	msgpack_packer packer;
	msgpack_packer_init(&packer, &out, out_write);
	pack_message(&packer, &out, message, from);
	return out.failed ? 0 : out.used;
}

/* -- the other way
 * --------------------------------------------------------------------------------------------------- */

static bool read_message(const struct message *message, const msgpack_object *object, struct arena *arena,
			 uint8_t *into);

static bool read_number(const struct field *field, const msgpack_object *object, uint8_t *member)
{
	if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return false;
	uint64_t number = object->via.u64, most = UINT64_MAX >> (64 - 8 * field->size);
	if (number > most || (field->bound && number > field->bound))
		return false;
	memcpy(member, &number, field->size);
	return true;
}

static bool read_signed(const msgpack_object *object, uint8_t *member)
{
	int64_t number = object->via.i64;
	if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? object->via.u64 > INT64_MAX
							    : object->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return false;
	memcpy(member, &number, 8);
	return true;
}

/* Copied into the arena: the frame it came in does not live as long as a kept call. */
static bool read_view(struct arena *arena, const char *at, uint32_t length, uint8_t *member)
{
	struct view view = {NULL, length};
	if (length) {
		void *copy = arena_take(arena, length);
		if (!copy)
			return false;
		memcpy(copy, at, length);
		view.at = copy;
	}
	memcpy(member, &view, sizeof view);
	return true;
}

static bool read_text(const struct field *field, const msgpack_object *object, struct arena *arena,
		      uint8_t *member)
{
	const msgpack_object_str *str = &object->via.str;
	if (object->type != MSGPACK_OBJECT_STR || str->size > field->bound)
		return false;
	if (str->size && memchr(str->ptr, '\0', str->size))
		return false;
	if (field->kind == FIELD_text)
		return read_view(arena, str->ptr, str->size, member);
	if (str->size)
		memcpy(member, str->ptr, str->size);
	member[str->size] = '\0';
	return true;
}

static bool read_many(const struct field *field, const msgpack_object *object, struct arena *arena,
		      uint8_t *into)
{
	if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size > field->bound)
		return false;
	uint32_t count = object->via.array.size;
	uint8_t *elements = count ? arena_take(arena, (size_t)count * field->element->size + 1) : NULL;
	if (count && !elements)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!read_message(field->element, &object->via.array.ptr[i], arena,
				  elements + (size_t)i * field->element->size))
			return false;
	memcpy(into + field->offset, &elements, sizeof elements);
	memcpy(into + field->also, &count, sizeof count);
	return true;
}

static bool read_field(const struct field *field, const msgpack_object *object, struct arena *arena,
		       uint8_t *into)
{
	uint8_t *member = into + field->offset;
	switch (field->kind) {
	case FIELD_bool:
		*member = object->type == MSGPACK_OBJECT_BOOLEAN && object->via.boolean;
		return object->type == MSGPACK_OBJECT_BOOLEAN;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		return read_number(field, object, member);
	case FIELD_i64:
		return read_signed(object, member);
	case FIELD_u256:
	case FIELD_cid:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		if (object->type != MSGPACK_OBJECT_BIN || object->via.bin.size != field->size)
			return false;
		memcpy(member, object->via.bin.ptr, field->size);
		return true;
	case FIELD_str:
	case FIELD_text:
		return read_text(field, object, arena, member);
	case FIELD_bin:
		return object->type == MSGPACK_OBJECT_BIN && object->via.bin.size <= field->bound &&
		       read_view(arena, object->via.bin.ptr, object->via.bin.size, member);
	case FIELD_many:
		return read_many(field, object, arena, into);
	}
	return false;
}

static bool read_message(const struct message *message, const msgpack_object *object, struct arena *arena,
			 uint8_t *into)
{
	if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size != message->count)
		return false;
	const msgpack_object *value = object->via.array.ptr;
	for (const struct field *field = message->fields(); field->name; field++, value++) {
		if (field->optional) {
			into[field->also] = value->type != MSGPACK_OBJECT_NIL;
			if (value->type == MSGPACK_OBJECT_NIL)
				continue;
		}
		if (!read_field(field, value, arena, into))
			return false;
	}
	return true;
}

bool message_unpack(const struct message *message, const uint8_t *bytes, size_t length, struct arena *arena,
		    void *into)
{
	memset(into, 0, message->size);
	if (!message_fits(message, bytes, length))
		return false;
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	size_t used = 0;
	bool ok = msgpack_unpack_next(&unpacked, (const char *)bytes, length, &used) ==
			  MSGPACK_UNPACK_SUCCESS &&
		  used == length && read_message(message, &unpacked.data, arena, into);
	msgpack_unpacked_destroy(&unpacked);
	if (!ok)
		memset(into, 0, message->size);
	return ok;
}
