/* The first 128 KiB of the arena file: which store this is, and which headers in it count. Two copies of 64 KiB, written by
 * turns, so that a torn write leaves the other; the one with the higher generation that checks is valid.
 *
 *   byte  size  little-endian
 *      0     8  magic "WRNARENA"
 *      8     4  version, 1
 *     12     4  bytes in a unit: 1024, or 4096 when the quota it was made for is above 64 GiB
 *     16    16  store id
 *     32     8  generation
 *     40     8  birth: how often the store was opened for writing
 *     48     4  node
 *     52     4  flags: 1 closed in good order, 2 signed
 *     56     8  when the machine started, as told at this birth, Unix time in seconds
 *     64     8  for how long it had run then, seconds
 *     72     4  voids: how many
 *     76     4  zero
 *     80     8  units in the file, as told at this birth
 *     88   104  zero
 *    192    32  SHA-256 of bytes 0..191 and the voids
 *    224    32  HMAC-SHA-256 of the same under the header key; zero before the first birth, when no key is known
 *    256    16  each void: birth, and the highest number of that birth that reached the index (u64 each)
 *
 * A birth that did not end in good order may leave headers whose blobs never reached the index; nobody was told that they were
 * stored. At the next start the void of that birth is written down here, and a rebuild passes over them. When the list is
 * full, the orphans themselves are erased (open.c) and it begins anew. */
#ifndef WARREN_STORE_HEAD_H
#define WARREN_STORE_HEAD_H

#include "actors/store/chunk.h"

enum {
	HEAD_COPY = 65536,
	HEAD = 2 * HEAD_COPY, /* the first unit begins here */
	HEAD_VOIDS = (HEAD_COPY - 256) / 16,
};

/* sequence = birth << SEQUENCE_BITS | number; numbers begin at 1. */
enum { SEQUENCE_BITS = 40 };
#define SEQUENCE_NUMBER ((UINT64_C(1) << SEQUENCE_BITS) - 1)

struct head_void {
	uint64_t birth, through;
};

struct head {
	struct store_id store;
	uint32_t unit;
	uint16_t node;
	uint64_t generation, birth, units;
	bool clean;
	uint32_t newer; /* HEAD_NEWER: the version that it says */
	int64_t machine_started; /* Unix time, seconds */
	uint64_t machine_up;     /* seconds */
	uint32_t void_count;
	struct head_void voids[HEAD_VOIDS];
};

/* Writes generation + 1. 0, or an errno. Not synced. */
int head_write(int arena, struct head *head, const struct store_keys *keys);

enum head_end { HEAD_OK, HEAD_DAMAGED, HEAD_NEWER, HEAD_DISK /* errno says why */ };
enum head_end head_read(int arena, struct head *head, uint8_t mac[32]); /* mac: for head_signed() */

/* Whether this head was signed under these keys; true for one that was never signed. */
bool head_signed(const struct head *head, const struct store_keys *keys, const uint8_t mac[32]);

/* Whether a header of this sequence is one that never reached the index. */
bool head_voids(const struct head *head, uint64_t sequence);

/* Fills in machine_started and machine_up. */
void head_machine_now(struct head *head);

/* Whether the machine was started anew since `before` was filled in. When in doubt (the clock was set) it says yes. */
bool head_machine_restarted(const struct head *before);

#endif
