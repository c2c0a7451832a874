/* store@N: the blobs of node N, sealed under a key of its own. Bulk bytes go over proto/stream.h; this opens that door. */
#ifndef WARREN_PROTO_STORE_H
#define WARREN_PROTO_STORE_H

#include "proto/call.h"

#define STORE_OPEN_REPLY(F) F(ticket, ticket, 0)

#define STORE_STAT_REPLY(F)                                                                                            \
	F(u64, blobs, 0) F(u64, bytes, 0) F(u64, used, 0) F(u64, quota, 0) F(u64, physical, 0) F(u64, corrupt, 0)      \
	F(bool, writable, 0) F(str, trouble, 64) F(u64, puts, 0) F(u64, gets, 0) F(u64, groups, 0)

/* Who the node is, as its own wallet told the store; empty until the wallet has answered. */
#define STORE_NODE_REPLY(F)                                                                                            \
	F(bool, known, 0) F(key, key, 0) F(str, peer_id, 64) F(str, owner, 42) F(u32, shard_count, 65536)              \
	F(many(shard_range), shards, 64)
#define SHARD_RANGE(F) F(u32, start, 65535) F(u32, end, 65535)

#define STORE_CID(F)        F(cid, cid, 0)
#define STORE_HEAD_REPLY(F) F(u64, size, 0) F(u64, charge, 0) F(i64, stored_at, 0)
#define STORE_LIST(F)       F(O(cid), after, 0) F(u32, most, 1000)
#define STORE_LIST_REPLY(F) F(many(blob_row), blobs, 1000)
#define BLOB_ROW(F)         F(cid, cid, 0) F(u64, size, 0)

/* A proof of possession, version 1; actors/base/proof/proof.h. A path is 32 bytes a step. */
#define STORE_PROVE(F) F(cid, cid, 0) F(hash, challenge, 0) F(u8, samples, 64)
#define STORE_PROVE_REPLY(F)                                                                                           \
	F(u64, size, 0) F(hash, tree, 0) F(hash, root, 0) F(key, node, 0) F(u64, time, 0)                              \
	F(ed_signature, signature, 0) F(many(sample_row), samples, 64)
#define SAMPLE_ROW(F) F(u64, leaf, 0) F(bin, bytes, 1024) F(bin, path, 1728)

/* The last ones, the newest first; how many ended how since the start. `cid`: only those of this blob. */
#define STORE_PROOFS(F)       F(O(cid), cid, 0)
#define STORE_PROOFS_REPLY(F) F(u64, proved, 0) F(many(proof_sum), failed, 64) F(many(proof_row), proofs, 64)
#define PROOF_SUM(F)          F(str, end, 16) F(u64, count, 0)
#define PROOF_ROW(F)          F(cid, cid, 0) F(hash, challenge, 0) F(i64, at, 0) F(u32, ms, 0) F(str, end, 16)

/* The scan that runs, or the last one. done: blobs looked at, of so many that there are now; found: corrupt ones among them;
 * corrupt: all that are known to be; broke: it ended before the last blob. Unix time in ms, 0: never. */
#define STORE_SCAN_START_REPLY(F) F(bool, already, 0)
#define STORE_SCAN_REPLY(F)                                                                                            \
	F(bool, running, 0) F(bool, broke, 0) F(u64, done, 0) F(u64, of, 0) F(u64, found, 0) F(u64, unreadable, 0)     \
	F(u64, corrupt, 0) F(i64, since_ms, 0) F(i64, finished_ms, 0)

/* A page looks at a thousand blobs; without `next` it was the last. */
#define STORE_CORRUPT(F)       F(O(cid), after, 0)
#define STORE_CORRUPT_REPLY(F) F(many(blob_row), blobs, 1000) F(O(cid), next, 0)

/* Every blob above `after` in the order of CIDs, pinned and in the trash or not. At most `most` are looked at; `which` of them
 * are given: all, pinned, trash. `next`: ask again after it; absent: there are no more. Times are Unix time in seconds. */
#define STORE_BLOBS(F)       F(O(cid), after, 0) F(u32, most, 1000) F(str, which, 8)
#define STORE_BLOBS_REPLY(F) F(many(kept_row), blobs, 1000) F(O(cid), next, 0)
#define KEPT_ROW(F)                                                                                                    \
	F(cid, cid, 0) F(u64, size, 0) F(u64, charge, 0) F(i64, stored_at, 0) F(bool, pinned, 0) F(i64, trashed, 0)    \
	F(bool, corrupt, 0)

#define STORE_PIN(F) F(cid, cid, 0) F(bool, pinned, 0)

/* One pass of the collector; actors/store/gc.h. `chosen`: the oldest first. `release`: the pins that a rebuild lost were looked
 * after. `free` and `floor` are bytes, as of the beginning; `collected` is 0 of a plan. */
#define STORE_GC(F) F(bool, release, 0)
#define STORE_GC_REPLY(F)                                                                                              \
	F(str, mode, 8) F(bool, held, 0) F(u64, free, 0) F(u64, floor, 0) F(u32, days, 0) F(u64, looked, 0)            \
	F(u64, pinned, 0) F(u64, collected, 0) F(u64, bytes, 0) F(bool, more, 0) F(many(chosen_row), chosen, 1000)
#define CHOSEN_ROW(F) F(cid, cid, 0) F(u64, size, 0) F(u64, charge, 0) F(i64, stored_at, 0)

#define STORE_PUT_DONE(F)  F(cid, cid, 0) F(u64, size, 0) F(bool, fresh, 0) F(u32, ms, 0)
#define STORE_GET_DONE(F)  F(cid, cid, 0) F(u64, bytes, 0) F(u32, ms, 0) F(str, end, 16)
#define STORE_COLLECTED(F) F(cid, cid, 0) F(u64, size, 0) F(i64, stored_at, 0)
#define STORE_CORRUPTED(F) F(cid, cid, 0) F(u64, chunk, 0)

#define STORE_MESSAGES(M)                                                                                              \
	M(shard_range, SHARD_RANGE) M(blob_row, BLOB_ROW) M(sample_row, SAMPLE_ROW) M(proof_sum, PROOF_SUM)            \
	M(proof_row, PROOF_ROW) M(kept_row, KEPT_ROW) M(chosen_row, CHOSEN_ROW)
#define STORE_CALLS(C)                                                                                                 \
	C(store_open, 0x0401, MAY(GATEWAY, SAME_NODE), IDEMPOTENT, 2000, NOTHING, STORE_OPEN_REPLY,                    \
	  "a ticket for one stream; an earlier unused one is void")                                                    \
	C(store_stat, 0x0402, READERS | MAY(GATEWAY, SAME_NODE) | MAY(METER, ANY_NODE), READ, 2000, NOTHING, STORE_STAT_REPLY, \
	  "blobs, bytes, used and quota, and whether it accepts writes")                                               \
	C(store_node, 0x0403, READERS | MAY(GATEWAY, SAME_NODE), READ, 2000, NOTHING, STORE_NODE_REPLY,                \
	  "the node's key, peer id, owner and shards")                                                                 \
	C(store_head, 0x0404, READERS, READ, 2000, STORE_CID, STORE_HEAD_REPLY,                                       \
	  "whether a blob is here, its size and what it is charged")                                                   \
	C(store_delete, 0x0405, OPERATORS, IDEMPOTENT, 5000, STORE_CID, NOTHING, \
	  "delete a blob; into the trash, where trash_hours says so")                                                  \
	C(store_list, 0x0406, READERS, READ, 5000, STORE_LIST, STORE_LIST_REPLY, "CIDs in order, a page at a time")  \
	C(store_prove, 0x0407, OPERATORS | MAY(GATEWAY, SAME_NODE), READ, 10000, STORE_PROVE, STORE_PROVE_REPLY,       \
	  "prove that a blob's bytes are here: the leaves that the challenge draws, signed by the node's key")         \
	C(store_proofs, 0x0408, READERS | MAY(GATEWAY, SAME_NODE), READ, 2000, STORE_PROOFS, STORE_PROOFS_REPLY,       \
	  "how the last proofs went")                                                                                  \
	C(store_blobs, 0x0409, READERS, READ, 5000, STORE_BLOBS, STORE_BLOBS_REPLY,                                    \
	  "every blob with its pin and its place in the trash, a page at a time")                                      \
	C(store_pin, 0x040A, OPERATORS, IDEMPOTENT, 5000, STORE_PIN, NOTHING,                                          \
	  "pin a blob, so that it is neither deleted nor collected; or unpin it")                                      \
	C(store_restore, 0x040B, OPERATORS, IDEMPOTENT, 5000, STORE_CID, NOTHING, "take a blob out of the trash")      \
	C(store_purge, 0x040C, OPERATORS, IDEMPOTENT, 5000, STORE_CID, NOTHING, "delete a blob in the trash for good") \
	C(store_gc_plan, 0x040D, READERS, READ, 30000, NOTHING, STORE_GC_REPLY,                                        \
	  "what the collector would delete now; touches nothing")                                                      \
	C(store_gc, 0x040E, OPERATORS, IDEMPOTENT, 60000, STORE_GC, STORE_GC_REPLY,                                    \
	  "one pass of the collector now, by the rules of gc, gc_days and gc_free_mb")                                 \
	C(store_scan_start, 0x0431, OPERATORS, IDEMPOTENT, 2000, NOTHING, STORE_SCAN_START_REPLY,                      \
	  "read and hash every blob again, from the first; one that runs goes on, quickly")                            \
	C(store_scan, 0x0432, READERS, READ, 2000, NOTHING, STORE_SCAN_REPLY, "how far the scan is, or how the last went") \
	C(store_corrupt, 0x0433, READERS, READ, 5000, STORE_CORRUPT, STORE_CORRUPT_REPLY,                              \
	  "blobs that failed their check and are not served, by name, a page at a time")
#define STORE_EVENTS(E)                                                                                                \
	E(store_put_done, 0x0411, READERS, STORE_PUT_DONE, "a blob was stored, or was here already")                   \
	E(store_get_done, 0x0412, READERS, STORE_GET_DONE, "a blob was read")                                          \
	E(store_corrupted, 0x0413, READERS, STORE_CORRUPTED, "a stored chunk failed its check: an alert")             \
	E(store_collected, 0x0414, READERS, STORE_COLLECTED, "the collector deleted a blob")

DECLARE_PROTOCOL(STORE)

#endif
