/* Every way in which an ask can end, and every complaint a person can be given: a code, a name, a sentence that says what
 * to do. Codes travel in envelopes and frames and are never reused. */
#ifndef WARREN_PROTO_ERR_H
#define WARREN_PROTO_ERR_H

/* E(SYMBOL, code, name, sentence) */
#define ERRORS(E)                                                                                                      \
	E(OK, 0, "ok", "done")                                                                                         \
	E(KEPT, 1, "kept", "the answer comes later")                                                                   \
	/* how an ask ends without its answer */                                                                       \
	E(DENIED, 2, "denied", "the caller has no right to ask this; proto/rights.txt lists who may")                  \
	E(GONE, 3, "gone", "the process asked, or the broker, died; whether it happened is not known: look, then ask again") \
	E(BUSY, 4, "busy", "its queue is full; ask again shortly")                                                     \
	E(LATE, 5, "late", "no answer before the deadline; whether it happened is not known: look, then ask again")    \
	/* theirs: what was sent is wrong */                                                                           \
	E(MALFORMED, 10, "malformed", "the bytes are not the message they claim to be")                                \
	E(UNKNOWN_CALL, 11, "unknown-call", "nobody answers that call")                                                \
	E(FINGERPRINT, 12, "fingerprint", "the two programs come from different builds; install both from one")        \
	E(BAD_VALUE, 13, "bad-value", "a value is out of its bounds")                                                  \
	E(NOT_FOUND, 14, "not-found", "there is no such thing here")                                                   \
	E(BAD_CID, 15, "bad-cid", "not a CID: bafkrei and 52 letters, or 64 hex digits, are")                          \
	E(TOO_LARGE, 16, "too-large", "larger than this node accepts (max_blob_mb)")                                   \
	E(FULL, 17, "full", "the node's quota is used up; delete something or raise quota_mb")                         \
	E(WRONG_SHARD, 18, "wrong-shard", "this node does not keep that shard; ask a node that does")                  \
	E(BAD_TICKET, 19, "bad-ticket", "the ticket was used, or was never given")                                     \
	E(TRUNCATED, 20, "truncated", "the body ended before it was whole; nothing was stored")                        \
	E(REFUSED, 21, "refused", "the policy forbids it")                                                             \
	E(ABORTED, 22, "aborted", "the other side gave up; nothing was stored")                                        \
	/* the world's */                                                                                              \
	E(CORRUPT, 30, "corrupt", "stored bytes failed their check and are not served; restore the blob from elsewhere") \
	E(DISK, 31, "disk", "the disk refused; see the process's log, free space or mend the disk")                    \
	E(MEMORY, 32, "memory", "out of memory; ask again shortly")                                                    \
	E(NOT_READY, 33, "not-ready", "still starting; ask again shortly")                                             \
	E(UNAVAILABLE, 34, "unavailable", "something it depends on does not answer; warren status shows what")         \
	E(LOCKED, 35, "locked", "its key is sealed; unlock it first")

enum err {
#define E(SYMBOL, code, name, sentence) ERR_##SYMBOL = code,
	ERRORS(E)
#undef E
};

const char *err_name(unsigned err);     /* "late"; "unknown" for a code that is none */
const char *err_sentence(unsigned err); /* what it means and what to do */

#endif
