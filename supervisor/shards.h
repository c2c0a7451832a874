/* The syntax of the setting `shards`: "0-255,512-767", or a single number. Pure. */
#ifndef WARREN_SUPERVISOR_SHARDS_H
#define WARREN_SUPERVISOR_SHARDS_H

#include "supervisor/why.h"

#include <stdint.h>

enum { SHARD_RANGES_MAX = 64 }; /* as many as store_node tells (proto/store.h) */

/* Each range start <= end < count, none overlapping another. Empty means all and is fine. */
bool shards_check(const char *text, uint32_t count, struct why *why);

#endif
