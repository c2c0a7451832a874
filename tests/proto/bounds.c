/* Each bound exceeded by one, when packing and, by hand, when unpacking; each field given every other type.
 */
#include "tests/proto/sample.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROOM = 1024 * 1024, SMALL = 64 * 1024, MEMORY = 16 * 1024 * 1024 };

static struct arena arena, into_arena;

static void begin(void)
{
	arena_begin(&arena, MEMORY);
	arena_begin(&into_arena, MEMORY);
}

static void end(void)
{
	arena_end(&arena);
	arena_end(&into_arena);
}

TestSuite(bounds, .init = begin, .fini = end);
TestSuite(types, .init = begin, .fini = end);

/* What message_unpack() says of a message one of whose fields is these bytes. */
static bool accepts(const struct message *message, const struct field *field, const struct bytes *value)
{
	struct sample sample = {.state = 7, .arena = &arena, .size = SAMPLE_ANY};
	struct flaw flaw = {field, value->at, value->length};
	static uint8_t room[ROOM]; /* made once: to zero it for each takes longer than all the rest */
	struct bytes whole = {.at = room, .room = ROOM};
	hand_message(&whole, message, sample_message(&sample, message), &flaw);
	uint8_t *into = arena_take(&into_arena, message->size + 1);
	bool accepted = message_unpack(message, whole.at, whole.length, &into_arena, into);
	const char *bad = accepted ? sample_out_of_bounds(message, into) : NULL;
	cr_assert_null(bad, "%s.%s is out of bounds", message->name, bad);
	for (uint32_t i = 0; i < message->size && !accepted; i++)
		cr_assert_eq(into[i], 0, "%s.%s is refused, and something is left", message->name,
			     field->name);
	end();
	begin();
	return accepted;
}

static uint64_t highest(const struct field *field)
{
	return field->bound ? field->bound : UINT64_MAX >> (64 - 8 * field->size);
}

static struct bytes text_of(uint64_t length, bool binary)
{
	struct bytes bytes = bytes_in(&arena, length + 16);
	uint8_t *letters = arena_take(&arena, length + 1);
	memset(letters, 'a', length);
	if (binary)
		hand_bin(&bytes, letters, length);
	else
		hand_str(&bytes, letters, length);
	return bytes;
}

static struct bytes number_of(uint64_t number)
{
	struct bytes bytes = bytes_in(&arena, 16);
	hand_uint(&bytes, number);
	return bytes;
}

static struct bytes list_of(const struct field *field, uint64_t count)
{
	struct sample sample = {.state = 9, .arena = &arena, .size = SAMPLE_LEAST};
	struct bytes bytes = bytes_in(&arena, ROOM);
	const void *element = sample_message(&sample, field->element);
	hand_array(&bytes, (uint32_t)count);
	for (uint64_t i = 0; i < count; i++)
		hand_message(&bytes, field->element, element, NULL);
	return bytes;
}

/* The bytes of this field at its bound, or one above; empty when there is no such thing. */
static struct bytes at_bound(const struct field *field, unsigned above)
{
	struct bytes none = {0};
	switch (field->kind) {
	case FIELD_bool:
		return none;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		return highest(field) == UINT64_MAX && above ? none : number_of(highest(field) + above);
	case FIELD_i64:
		return number_of((uint64_t)INT64_MAX + above);
	case FIELD_u256:
	case FIELD_cid:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		return text_of(field->size + above, true);
	case FIELD_str:
	case FIELD_text:
		return text_of(field->bound + above, false);
	case FIELD_bin:
		return text_of(field->bound + above, true);
	case FIELD_many:
		return list_of(field, field->bound + above);
	}
	return none;
}

static void each_field(void (*try)(const struct message *, const struct field *))
{
	const struct message *message;
	for (unsigned i = 0; (message = every_message(i)); i++)
		for (const struct field *field = message->fields(); field->name; field++)
			try(message, field);
}

static void bound_of(const struct message *message, const struct field *field)
{
	struct bytes value = at_bound(field, 0);
	if (value.at)
		cr_assert(accepts(message, field, &value), "%s.%s at its bound is refused", message->name,
			  field->name);
	value = at_bound(field, 1);
	if (value.at)
		cr_assert_not(accepts(message, field, &value), "%s.%s above its bound is accepted",
			      message->name, field->name);
}

Test(bounds, unpacking)
{
	each_field(bound_of);
}

/* An id that is too short is no id either. */
static void shorter_id(const struct message *message, const struct field *field)
{
	if (field->kind < FIELD_u256 || field->kind > FIELD_ticket)
		return;
	struct bytes value = text_of(field->size - 1, true);
	cr_assert_not(accepts(message, field, &value), "%s.%s one byte short is accepted", message->name,
		      field->name);
}

Test(bounds, shorter_ids)
{
	each_field(shorter_id);
}

/* Raises the member one above its bound in the struct itself; false when it cannot be. */
static bool raise(const struct field *field, uint8_t *in)
{
	uint8_t *member = in + field->offset;
	uint64_t above = field->bound + 1;
	if (field->optional)
		in[field->also] = true;
	if (field->kind >= FIELD_u8 && field->kind <= FIELD_u64 && field->bound) {
		if (above > UINT64_MAX >> (64 - 8 * field->size))
			return false;
		memcpy(member, &above, field->size);
		return true;
	}
	if (field->kind == FIELD_text || field->kind == FIELD_bin) {
		uint8_t *letters = arena_take(&arena, above);
		memset(letters, 'a', above);
		memcpy(member, &(struct view){letters, (uint32_t)above}, sizeof(struct view));
		return true;
	}
	if (field->kind != FIELD_many)
		return false;
	void *elements = arena_take(&arena, above * field->element->size + 1);
	memcpy(member, &elements, sizeof elements);
	memcpy(in + field->also, &(uint32_t){(uint32_t)above}, 4);
	return true;
}

static unsigned raised;

static void raise_one(const struct message *message, const struct field *field)
{
	struct sample sample = {.state = 11, .arena = &arena, .size = SAMPLE_LEAST};
	uint8_t *packed = arena_take(&arena, ROOM), *in = sample_message(&sample, message);
	cr_assert(message_pack(message, in, packed, ROOM) > 0);
	if (raise(field, in)) {
		raised++;
		cr_assert_eq(message_pack(message, in, packed, ROOM), 0, "%s.%s above its bound is packed",
			     message->name, field->name);
	}
	end();
	begin();
}

Test(bounds, packing)
{
	each_field(raise_one);
	cr_assert(raised >= 10, "only %u fields have bounds", raised);
}

/* NUL in a text: the receiver would refuse it, so the sender must. */
static void nul_inside(const struct message *message, const struct field *field)
{
	if (field->kind != FIELD_str && field->kind != FIELD_text)
		return;
	struct bytes value = bytes_in(&arena, 16);
	hand_str(&value, "a\0b", 3);
	cr_assert_not(accepts(message, field, &value), "%s.%s with a NUL is accepted", message->name,
		      field->name);
	if (field->kind != FIELD_text)
		return;
	struct sample sample = {.state = 13, .arena = &arena, .size = SAMPLE_LEAST};
	uint8_t *packed = arena_take(&arena, ROOM), *in = sample_message(&sample, message);
	memcpy(in + field->offset, &(struct view){"a\0b", 3}, sizeof(struct view));
	cr_assert_eq(message_pack(message, in, packed, ROOM), 0, "%s.%s with a NUL is packed", message->name,
		     field->name);
}

Test(bounds, nul_in_text)
{
	each_field(nul_inside);
}

/* -- types -------------------------------------------------------------------------------------------- */

enum type { NIL, BOOLEAN, NATURAL, NEGATIVE, STRING, BINARY, ARRAY, MAP, FLOAT, DOUBLE, EXTENSION, NEVER };

static const struct {
	enum type type;
	const char *name;
	uint8_t length;
	uint8_t bytes[12];
} values[] = {
	{NIL, "nil", 1, {0xc0}},
	{BOOLEAN, "false", 1, {0xc2}},
	{BOOLEAN, "true", 1, {0xc3}},
	{NATURAL, "1", 1, {0x01}},
	{NEGATIVE, "-1", 1, {0xff}},
	{NEGATIVE, "-2^63", 9, {0xd3, 0x80}},
	{STRING, "an empty str", 1, {0xa0}},
	{BINARY, "an empty bin", 2, {0xc4, 0}},
	{ARRAY, "an empty array", 1, {0x90}},
	{MAP, "an empty map", 1, {0x80}},
	{MAP, "a map", 3, {0x81, 0x01, 0x01}},
	{MAP, "a map 16", 3, {0xde, 0, 0}},
	{FLOAT, "a float", 5, {0xca}},
	{DOUBLE, "a double", 9, {0xcb}},
	{EXTENSION, "fixext 1", 3, {0xd4, 0, 0}},
	{EXTENSION, "ext 8", 3, {0xc7, 0, 0}},
	{NEVER, "the byte that is never used", 1, {0xc1}},
};

static bool suits(const struct field *field, enum type type)
{
	if (field->optional && type == NIL)
		return true;
	switch (field->kind) {
	case FIELD_bool:
		return type == BOOLEAN;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		return type == NATURAL;
	case FIELD_i64:
		return type == NATURAL || type == NEGATIVE;
	case FIELD_u256:
	case FIELD_cid:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		return false; /* an empty bin is none of them */
	case FIELD_str:
	case FIELD_text:
		return type == STRING;
	case FIELD_bin:
		return type == BINARY;
	case FIELD_many:
		return type == ARRAY;
	}
	return false;
}

static void every_type(const struct message *message, const struct field *field)
{
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
		struct bytes value = bytes_in(&arena, 16);
		hand_raw(&value, values[i].bytes, values[i].length);
		bool right = suits(field, values[i].type), accepted = accepts(message, field, &value);
		cr_assert_eq(accepted, right, "%s.%s: %s is %s", message->name, field->name, values[i].name,
			     accepted ? "accepted" : "refused");
	}
}

Test(types, of_every_field)
{
	each_field(every_type);
}

/* The same fields under another count: one fewer, one more, none. */
Test(types, count_of_fields)
{
	const struct message *message;
	for (unsigned i = 0; (message = every_message(i)); i++) {
		struct sample sample = {.state = i, .arena = &arena, .size = SAMPLE_ANY};
		const void *from = sample_message(&sample, message);
		void *into = arena_take(&into_arena, message->size + 1);
		for (uint32_t count = 0; count < message->count + 2; count++) {
			struct bytes right = bytes_in(&arena, SMALL), wrong = bytes_in(&arena, SMALL);
			hand_message(&right, message, from, NULL);
			hand_array(&wrong, count);
			hand_raw(&wrong, right.at + (message->count < 16 ? 1 : 3),
				 right.length - (message->count < 16 ? 1 : 3));
			if (count > message->count)
				hand_uint(&wrong, 0); /* a whole value for the array that claims one more */
			bool accepted = message_unpack(message, wrong.at, wrong.length, &into_arena, into);
			cr_assert_eq(accepted, count == message->count, "%s with %u fields", message->name,
				     count);
			arena_end(&into_arena);
			into = arena_take(&into_arena, message->size + 1);
		}
		end();
		begin();
	}
}
