/* The header frame to and from bytes. Pure. */
#include "proto/envelope.h"

#include <endian.h>
#include <string.h>

/* The layout on the wire: naturally aligned, no gaps. */
struct wire {
	uint32_t magic;
	uint8_t type, padding1;
	uint16_t number;
	uint64_t broker_birth, caller_birth, serial, deadline, callee_birth;
	uint8_t target_kind, source_kind;
	uint16_t target_node, source_node, error;
	uint32_t source_uid, trace;
};
_Static_assert(sizeof(struct wire) == ENVELOPE_BYTES, "the header frame has no gaps");

void envelope_write(const struct envelope *e, uint8_t bytes[ENVELOPE_BYTES])
{
	struct wire wire = {
		.magic = htole32(ENVELOPE_MAGIC),
		.type = e->type,
		.number = htole16(e->number),
		.broker_birth = htole64(e->broker_birth),
		.caller_birth = htole64(e->caller_birth),
		.serial = htole64(e->serial),
		.deadline = htole64(e->deadline),
		.callee_birth = htole64(e->callee_birth),
		.target_kind = e->target_kind,
		.source_kind = e->source_kind,
		.target_node = htole16(e->target_node),
		.source_node = htole16(e->source_node),
		.error = htole16(e->error),
		.source_uid = htole32(e->source_uid),
		.trace = htole32(e->trace),
	};
	memcpy(bytes, &wire, sizeof wire);
}

bool envelope_read(const uint8_t *bytes, size_t length, struct envelope *e)
{
	struct wire wire;
	if (length != sizeof wire)
		return false;
	memcpy(&wire, bytes, sizeof wire);
	*e = (struct envelope){
		.type = wire.type,
		.number = le16toh(wire.number),
		.broker_birth = le64toh(wire.broker_birth),
		.caller_birth = le64toh(wire.caller_birth),
		.serial = le64toh(wire.serial),
		.deadline = le64toh(wire.deadline),
		.callee_birth = le64toh(wire.callee_birth),
		.target_kind = wire.target_kind,
		.source_kind = wire.source_kind,
		.target_node = le16toh(wire.target_node),
		.source_node = le16toh(wire.source_node),
		.error = le16toh(wire.error),
		.source_uid = le32toh(wire.source_uid),
		.trace = le32toh(wire.trace),
	};
	return le32toh(wire.magic) == ENVELOPE_MAGIC && wire.type > 0 && wire.type < ENVELOPE_TYPES;
}
