/* What the contracts understand and say, as C: from each row of abi.def (which contracts/abi makes of the compiled ABI) come
 * a struct of what a method is given, a struct of what it answers, its selector, and a table from which the plain functions
 * of abi.c encode, decode and print. Solidity ABI 2: https://docs.soliditylang.org/en/latest/abi-spec.html
 *
 *   kind                          member
 *   bool                          bool name
 *   uint8 … uint64                uint64_t name
 *   uint128 uint256               struct u256 name
 *   address bytes20 bytes32       struct address name, struct address name, struct hash name
 *   string bytes                  struct view name, into the bytes that were decoded
 *   many(kind)                    struct abi_list name: words of 32 bytes, in the bytes that were decoded
 *   four(kind)                    struct abi_four name
 *
 * struct RelayManager_heartbeatByNodeId is what that method is given, struct RelayManager_getNodeByNodeId_out what that one
 * answers, abi_RelayManager_getNodeByNodeId its table. Pure. */
#ifndef WARREN_CHAIN_ABI_H
#define WARREN_CHAIN_ABI_H

#include "proto/msg.h"
#include "proto/u256.h"

enum {
	ABI_WORD = 32,
	ABI_SELECTOR = 4,
	ABI_LIST_MAX = 16384, /* elements of a list that are believed */
};

struct abi_list {
	const uint8_t *words; /* `count` of 32 bytes each, each checked to be of its kind */
	uint32_t count;
};

enum abi_kind {
	ABI_END, ABI_bool, ABI_uint8, ABI_uint32, ABI_uint40, ABI_uint64, ABI_uint128, ABI_uint256,
	ABI_address, ABI_bytes20, ABI_bytes32, ABI_string, ABI_bytes,
	ABI_into, ABI_back, /* a tuple behind an offset begins, ends */
};
enum abi_shape { ABI_ONE, ABI_MANY, ABI_FOUR };

struct abi_field {
	const char *name;
	uint8_t kind, shape;
	uint16_t offset;
};

enum abi_effect { ABI_VIEW, ABI_WRITE, ABI_PAYABLE };

struct abi_method {
	const char *contract, *name;
	uint32_t selector;
	enum abi_effect effect;
	const struct abi_field *in, *out; /* end with ABI_END */
	uint16_t in_size, out_size;       /* of the structs */
};

struct abi_event {
	const char *contract, *name;
	struct hash topic;               /* Keccak-256 of its signature */
	const struct abi_field *indexed, *data;
	uint16_t size;
};

/* -- how the rows expand ------------------------------------------------------------------------------------------------ */


#define ABI_TYPE_bool       bool
#define ABI_TYPE_uint8      uint64_t
#define ABI_TYPE_uint32     uint64_t
#define ABI_TYPE_uint40     uint64_t
#define ABI_TYPE_uint64     uint64_t
#define ABI_TYPE_uint128    struct u256
#define ABI_TYPE_uint256    struct u256
#define ABI_TYPE_address    struct address
#define ABI_TYPE_bytes20    struct address
#define ABI_TYPE_bytes32    struct hash
#define ABI_TYPE_string     struct view
#define ABI_TYPE_bytes      struct view
#define ABI_TYPE_many(kind) struct abi_list
#define ABI_TYPE_four(kind) struct abi_four
#define ABI_TYPE_into       struct abi_nothing
#define ABI_TYPE_back       struct abi_nothing

struct abi_nothing {};
struct abi_four {
	struct u256 at[4];
};

#define CONTRACT(contract)
#define LEFT_OUT(contract, name, why)
#define EVENT(contract, name, ...)     struct contract##_##name {
#define TOPIC(event, kind, name)       ABI_TYPE_##kind name;
#define DATA(event, kind, name)        ABI_TYPE_##kind name;
#define END_EVENT(contract, name)      }; extern const struct abi_event abi_##contract##_##name;
#define METHOD(contract, name, ...)    struct contract##_##name {
#define IN(method, kind, name)         ABI_TYPE_##kind name;
#define OUT(method, kind, name)
#define END_METHOD(contract, name)     }; extern const struct abi_method abi_##contract##_##name;
#include "actors/chain/abi.def"
#undef EVENT
#undef TOPIC
#undef DATA
#undef END_EVENT
#undef METHOD
#undef IN
#undef OUT
#undef END_METHOD

#define EVENT(...)
#define TOPIC(...)
#define DATA(...)
#define END_EVENT(...)
#define METHOD(contract, name, ...)    struct contract##_##name##_out {
#define IN(method, kind, name)
#define OUT(method, kind, name)        ABI_TYPE_##kind name;
#define END_METHOD(contract, name)     };
#include "actors/chain/abi.def"
#undef CONTRACT
#undef LEFT_OUT
#undef EVENT
#undef TOPIC
#undef DATA
#undef END_EVENT
#undef METHOD
#undef IN
#undef OUT
#undef END_METHOD

/* -- what is done with them --------------------------------------------------------------------------------------------- */

const struct abi_method *abi_method(const char *contract, const char *name); /* NULL: none of these names */
const struct abi_method *abi_method_at(unsigned index);                      /* 0, 1, …; NULL past the last */
const struct abi_method *abi_method_of(const char *contract, uint32_t selector);
const struct abi_event *abi_event(const char *contract, const struct hash *topic);
bool abi_contract(const char *name);

/* The call data: selector and arguments. Its length; 0 when it does not fit in `room`, or a value is out of its kind's bounds. */
size_t abi_encode(const struct abi_method *method, const void *in, uint8_t *out, size_t room);

/* What a call of `method` answered. Strict: offsets and lengths within the bytes, numbers within their kind, nothing
 * trusted. What is dynamic points into `bytes`. False: it is not such an answer; *out is then zeroed. */
bool abi_decode(const struct abi_method *method, const uint8_t *bytes, size_t length, void *out);

/* A log of `event`: its topics (the first is the event's own) and data. */
bool abi_decode_event(const struct abi_event *event, const struct hash *topics, unsigned count, const uint8_t *bytes,
		      size_t length, void *out);

/* Standard refusals of a call: Error(string), Panic(uint256); or the selector of one of its own. Cut to `room`, one line. */
const char *abi_revert_text(const uint8_t *bytes, size_t length, char *text, size_t room);

/* One "name=value" into the struct that a method is given; numbers in decimal, bytes in hex after 0x, lists with commas.
 * NULL, or the complaint (in `why`, 160 bytes). Strings, bytes and lists lie in the arena. */
struct arena;
const char *abi_set(const struct abi_method *method, void *in, const char *assignment, struct arena *arena, char why[160]);

/* "name=value name=value" of what it answered. Cut to `room`; the length. */
size_t abi_print(const struct abi_field *fields, const void *from, char *text, size_t room);

#endif
