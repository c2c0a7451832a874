/* The pre-scan against msgpack-c itself: what passes is one whole value to msgpack-c too, and asks for no more memory than
 * its bytes are worth. */
#include "tests/fuzz/target.h"

#include "proto/msg.h"

#include <msgpack.h>

enum { BYTES_A_VALUE = 64 }; /* msgpack-c's object is 24; its zone grows in pieces */

static size_t memory_of(const msgpack_zone *zone)
{
	size_t sum = 0;
	for (const msgpack_zone_chunk *chunk = zone->chunk_list.head; chunk;
	     chunk = *(msgpack_zone_chunk *const *)chunk)
		sum += zone->chunk_size;
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	size_t used = 0;
	if (!message_scan(bytes, length))
		return 0;
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	must(msgpack_unpack_next(&unpacked, (const char *)bytes, length, &used) == MSGPACK_UNPACK_SUCCESS);
	must(used == length);
	must(!unpacked.zone ||
	     memory_of(unpacked.zone) <= length * BYTES_A_VALUE + 4 * unpacked.zone->chunk_size);
	msgpack_unpacked_destroy(&unpacked);
	return 0;
}
