/* Which message two bytes of an input choose: each name has a place on a ring, and the next place belongs to the bytes. So an
 * input goes on being one of its message when rows are added, and any two bytes choose some message. */
#ifndef WARREN_FUZZ_CHOOSE_H
#define WARREN_FUZZ_CHOOSE_H

#include "tests/proto/sample.h"

#include <stdint.h>

enum { CHOICE = 2 };

/* FNV-1a, folded. */
static inline uint16_t place_of(const struct message *message)
{
	uint32_t hash = 2166136261;
	for (const char *at = message->name; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619;
	return (uint16_t)(hash ^ hash >> 16);
}

__attribute__((no_sanitize("coverage"))) static inline const struct message *
choose(const uint8_t bytes[CHOICE])
{
	static uint16_t places[1024];
	static unsigned count;
	unsigned best = 0;
	for (; count < 1024 && every_message(count); count++)
		places[count] = place_of(every_message(count));
	uint16_t wanted = (uint16_t)(bytes[0] | bytes[1] << 8);
	for (unsigned i = 1; i < count; i++)
		if ((uint16_t)(places[i] - wanted) < (uint16_t)(places[best] - wanted))
			best = i;
	return every_message(best);
}

#endif
