/* The tables that the rows of abi.def expand to, and how one is found. Constant data; nothing here can fail. */
#include "actors/chain/abi.h"

#include <string.h>

/* clang-format off */
#define SHAPE_bool       ABI_bool, ABI_ONE
#define SHAPE_uint8      ABI_uint8, ABI_ONE
#define SHAPE_uint32     ABI_uint32, ABI_ONE
#define SHAPE_uint40     ABI_uint40, ABI_ONE
#define SHAPE_uint64     ABI_uint64, ABI_ONE
#define SHAPE_uint128    ABI_uint128, ABI_ONE
#define SHAPE_uint256    ABI_uint256, ABI_ONE
#define SHAPE_address    ABI_address, ABI_ONE
#define SHAPE_bytes20    ABI_bytes20, ABI_ONE
#define SHAPE_bytes32    ABI_bytes32, ABI_ONE
#define SHAPE_string     ABI_string, ABI_ONE
#define SHAPE_bytes      ABI_bytes, ABI_ONE
#define SHAPE_into       ABI_into, ABI_ONE
#define SHAPE_back       ABI_back, ABI_ONE
#define SHAPE_many(kind) ABI_##kind, ABI_MANY
#define SHAPE_four(kind) ABI_##kind, ABI_FOUR

#define CONTRACT(contract)
#define LEFT_OUT(contract, name, why)

/* What methods are given, and the indexed fields of events. */
#define METHOD(contract, name, ...)  static const struct abi_field in_##contract##_##name[] = {
#define IN(method, kind, name)       {#name, SHAPE_##kind, offsetof(struct method, name)},
#define OUT(method, kind, name)
#define END_METHOD(contract, name)   {NULL, ABI_END, ABI_ONE, 0}};
#define EVENT(contract, name, ...)   static const struct abi_field topics_##contract##_##name[] = {
#define TOPIC(event, kind, name)     {#name, SHAPE_##kind, offsetof(struct event, name)},
#define DATA(event, kind, name)
#define END_EVENT(contract, name)    {NULL, ABI_END, ABI_ONE, 0}};
#include "actors/chain/abi.def"
#undef METHOD
#undef IN
#undef OUT
#undef END_METHOD
#undef EVENT
#undef TOPIC
#undef DATA
#undef END_EVENT

/* What they answer, and the other fields of events. */
#define METHOD(contract, name, ...)  static const struct abi_field out_##contract##_##name[] = {
#define IN(method, kind, name)
#define OUT(method, kind, name)      {#name, SHAPE_##kind, offsetof(struct method##_out, name)},
#define END_METHOD(contract, name)   {NULL, ABI_END, ABI_ONE, 0}};
#define EVENT(contract, name, ...)   static const struct abi_field data_##contract##_##name[] = {
#define TOPIC(event, kind, name)
#define DATA(event, kind, name)      {#name, SHAPE_##kind, offsetof(struct event, name)},
#define END_EVENT(contract, name)    {NULL, ABI_END, ABI_ONE, 0}};
#include "actors/chain/abi.def"
#undef METHOD
#undef IN
#undef OUT
#undef END_METHOD
#undef EVENT
#undef TOPIC
#undef DATA
#undef END_EVENT

#define IN(...)
#define OUT(...)
#define TOPIC(...)
#define DATA(...)
#define BYTES(word) (uint8_t)((word) >> 56), (uint8_t)((word) >> 48 & 255), (uint8_t)((word) >> 40 & 255), \
	(uint8_t)((word) >> 32 & 255), (uint8_t)((word) >> 24 & 255), (uint8_t)((word) >> 16 & 255), \
	(uint8_t)((word) >> 8 & 255), (uint8_t)((word) & 255)
#define METHOD(contract, name, selector, effect) \
	const struct abi_method abi_##contract##_##name = {#contract, #name, selector, ABI_##effect, \
		in_##contract##_##name, out_##contract##_##name, sizeof(struct contract##_##name), \
		sizeof(struct contract##_##name##_out)};
#define END_METHOD(contract, name)
#define EVENT(contract, name, a, b, c, d) \
	const struct abi_event abi_##contract##_##name = {#contract, #name, {{BYTES(UINT64_C(a)), BYTES(UINT64_C(b)), \
		BYTES(UINT64_C(c)), BYTES(UINT64_C(d))}}, topics_##contract##_##name, data_##contract##_##name, \
		sizeof(struct contract##_##name)};
#define END_EVENT(contract, name)
#include "actors/chain/abi.def"
#undef METHOD
#undef EVENT

static const struct abi_method *const methods[] = {
#define METHOD(contract, name, ...) &abi_##contract##_##name,
#define EVENT(...)
#include "actors/chain/abi.def"
#undef METHOD
#undef EVENT
};

static const struct abi_event *const events[] = {
#define METHOD(...)
#define EVENT(contract, name, ...) &abi_##contract##_##name,
#include "actors/chain/abi.def"
#undef METHOD
#undef EVENT
};

#undef CONTRACT
static const char *const contracts[] = {
#define METHOD(...)
#define EVENT(...)
#define CONTRACT(contract) #contract,
#include "actors/chain/abi.def"
};
/* clang-format on */

enum {
	METHODS = sizeof methods / sizeof *methods,
	EVENTS = sizeof events / sizeof *events,
	CONTRACTS = sizeof contracts / sizeof *contracts,
};

const struct abi_method *abi_method_at(unsigned index)
{
	return index < METHODS ? methods[index] : NULL;
}

const struct abi_method *abi_method(const char *contract, const char *name)
{
	for (unsigned i = 0; i < METHODS; i++)
		if (strcmp(methods[i]->contract, contract) == 0 && strcmp(methods[i]->name, name) == 0)
			return methods[i];
	return NULL;
}

const struct abi_method *abi_method_of(const char *contract, uint32_t selector)
{
	for (unsigned i = 0; i < METHODS; i++)
		if (methods[i]->selector == selector && strcmp(methods[i]->contract, contract) == 0)
			return methods[i];
	return NULL;
}

const struct abi_event *abi_event(const char *contract, const struct hash *topic)
{
	for (unsigned i = 0; i < EVENTS; i++)
		if (strcmp(events[i]->contract, contract) == 0 &&
		    memcmp(&events[i]->topic, topic, sizeof *topic) == 0)
			return events[i];
	return NULL;
}

bool abi_contract(const char *name)
{
	for (unsigned i = 0; i < CONTRACTS; i++)
		if (strcmp(contracts[i], name) == 0)
			return true;
	return false;
}
