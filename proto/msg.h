/* Messages as rows: F(kind, name, bound). From the rows of a message come its struct, and a table from which the plain
 * functions of pack.c (msgpack), scan.c (the pre-scan) and text.c (people) do all the rest.
 *
 *   kind                          member                          bound
 *   bool                          bool name                       0
 *   u8 u16 u32 u64 i64            the integer                     highest value; 0: any
 *   u256 cid hash address key     the struct of ids.h             0
 *   signature ed_signature ticket
 *   str                           char name[bound + 1]            bytes, at most 160; UTF-8 is not checked, NUL is refused
 *   text                          struct view name (arena)        bytes; as str
 *   bin                           struct view name (arena)        bytes
 *   many(message)                 const struct message *name;     count
 *                                 uint32_t name_count (arena)
 *   O(kind)                       bool has_name; the member       as the kind's; scalars and ids only
 *
 * On the wire: a msgpack array of exactly as many elements as rows, in order, each of exactly its type; O is nil or the
 * value. A message that changes gets a new call number. */
#ifndef WARREN_PROTO_MSG_H
#define WARREN_PROTO_MSG_H

#include "proto/ids.h"

enum field_kind {
	FIELD_bool, FIELD_u8, FIELD_u16, FIELD_u32, FIELD_u64, FIELD_i64,
	FIELD_u256, FIELD_cid, FIELD_hash, FIELD_address, FIELD_key, FIELD_signature, FIELD_ed_signature, FIELD_ticket,
	FIELD_str, FIELD_text, FIELD_bin, FIELD_many,
};

struct view { /* bytes in an arena, or in a buffer that outlives the message */
	const void *at;
	uint32_t length;
};

struct message;

struct field {
	const char *name;
	enum field_kind kind;
	bool optional;
	uint32_t size;   /* of the member, or of one element */
	uint64_t bound;
	uint32_t offset; /* of the member in the struct */
	uint32_t also;   /* of name_count or has_name; 0 where there is none */
	const struct message *element; /* of many(…), else NULL */
};

struct message {
	const char *name;
	uint32_t size;  /* of the struct */
	uint32_t count; /* of its fields */
	const struct field *(*fields)(void);
};

/* -- from here to the end of the block: how the rows expand ---------------------------------------------------------- */

#define MSG_CAT(a, b)  MSG_CAT_(a, b)
#define MSG_CAT_(a, b) a##b

#define MSG_TYPE_bool         bool
#define MSG_TYPE_u8           uint8_t
#define MSG_TYPE_u16          uint16_t
#define MSG_TYPE_u32          uint32_t
#define MSG_TYPE_u64          uint64_t
#define MSG_TYPE_i64          int64_t
#define MSG_TYPE_u256         struct u256
#define MSG_TYPE_cid          struct cid
#define MSG_TYPE_hash         struct hash
#define MSG_TYPE_address      struct address
#define MSG_TYPE_key          struct key
#define MSG_TYPE_signature    struct signature
#define MSG_TYPE_ed_signature struct ed_signature
#define MSG_TYPE_ticket       struct ticket
#define MSG_TYPE_str          char
#define MSG_TYPE_text         struct view
#define MSG_TYPE_bin          struct view
#define MSG_TYPE_many(T)      struct T
#define MSG_TYPE_O(kind)      MSG_TYPE_##kind

/* The shape of a member: ONE value, a CHARS array, MANY elements, or OPTIONAL. */
#define MSG_SHAPE_bool         ONE
#define MSG_SHAPE_u8           ONE
#define MSG_SHAPE_u16          ONE
#define MSG_SHAPE_u32          ONE
#define MSG_SHAPE_u64          ONE
#define MSG_SHAPE_i64          ONE
#define MSG_SHAPE_u256         ONE
#define MSG_SHAPE_cid          ONE
#define MSG_SHAPE_hash         ONE
#define MSG_SHAPE_address      ONE
#define MSG_SHAPE_key          ONE
#define MSG_SHAPE_signature    ONE
#define MSG_SHAPE_ed_signature ONE
#define MSG_SHAPE_ticket       ONE
#define MSG_SHAPE_str          CHARS
#define MSG_SHAPE_text         ONE
#define MSG_SHAPE_bin          ONE
#define MSG_SHAPE_many(T)      MANY
#define MSG_SHAPE_O(kind)      OPTIONAL

#define MSG_MEMBER_ONE(type, name, bound)      type name;
#define MSG_MEMBER_CHARS(type, name, bound)    type name[(bound) + 1];
#define MSG_MEMBER_MANY(type, name, bound)     const type *name; uint32_t name##_count;
#define MSG_MEMBER_OPTIONAL(type, name, bound) bool has_##name; type name;
#define MSG_MEMBER(kind, name, bound) MSG_CAT(MSG_MEMBER_, MSG_SHAPE_##kind)(MSG_TYPE_##kind, name, bound)

#define MSG_KIND_O(kind)     FIELD_##kind
#define MSG_KIND_many(T)     FIELD_many
#define MSG_ELEMENT_many(T)  &message_##T
#define MSG_ALSO_ONE(T, name)      0
#define MSG_ALSO_CHARS(T, name)    0
#define MSG_ALSO_MANY(T, name)     offsetof(T, name##_count)
#define MSG_ALSO_OPTIONAL(T, name) offsetof(T, has_##name)

/* Declares `struct T` and its table `message_T`, which tables.c defines. */
#define MESSAGE(T, ROWS)                                                                                               \
	struct T {                                                                                                     \
		ROWS(MSG_MEMBER)                                                                                       \
	};                                                                                                             \
	extern const struct message message_##T;

/* -- what is done with a message ------------------------------------------------------------------------------------- */

struct arena;

enum { MESSAGE_DEPTH = 8 }; /* many inside many; deeper is refused before msgpack-c sees it */

/* Packs into `out` of `room` bytes; returns the bytes used, or 0 when it does not fit or a value breaks its row. */
size_t message_pack(const struct message *message, const void *from, uint8_t *out, size_t room);

/* Unpacks exactly `length` bytes. Strings, bytes and arrays lie in the arena. False for anything that is not exactly this
 * message; `*into` is then zeroed. */
bool message_unpack(const struct message *message, const uint8_t *bytes, size_t length, struct arena *arena, void *into);

/* The pre-scan: whether these bytes are one whole msgpack value whose counts fit in the bytes that are there and whose
 * depth is small. No allocation, linear time. */
bool message_scan(const uint8_t *bytes, size_t length);

/* Likewise, and there are no more values than this message may have at most: msgpack-c takes 24 bytes for each, and a body
 * has room for a quarter of a million. */
bool message_fits(const struct message *message, const uint8_t *bytes, size_t length);

/* "key=value key=value" for people: bytes as hex, CIDs in base32, long values cut. Returns the length, always terminated. */
size_t message_print(const struct message *message, const void *from, char *out, size_t room);

/* Reads one "key=value" into the struct. NULL, or the complaint as a sentence (in `why`, 160 bytes). Not for many(…). */
const char *message_set(const struct message *message, void *into, const char *assignment, struct arena *arena, char why[160]);

#endif
