/* JSON-RPC 2.0 in batches, as Ethereum nodes speak it (https://ethereum.org/en/developers/docs/apis/json-rpc/): requests are
 * built, answers read. An answer is a stranger's: its size, depth and number of values are looked at before any of it is
 * parsed, each reply must be to one question of the batch, and each question has exactly one. Pure. */
#ifndef WARREN_CHAIN_RPC_H
#define WARREN_CHAIN_RPC_H

#include "proto/ids.h"
#include "proto/u256.h"

#include <jansson.h>

enum {
	RPC_CALLS = 24,             /* of a batch */
	RPC_BODY = 64 * 1024,       /* bytes of a request */
	RPC_ANSWER = 1024 * 1024,   /* bytes of an answer; a longer one is cut off and worth nothing */
	RPC_DEPTH = 12,             /* of brackets; what is asked here has 6 */
	RPC_VALUES = 40000,         /* in an answer: at most some 4 MiB of memory */
	RPC_WHY = 160,
	RPC_DATA = 1024,            /* bytes of a log that are read */
	RPC_TOPICS = 4,
};

/* -- asking ------------------------------------------------------------------------------------------------------------- */

struct rpc_batch {
	uint64_t first; /* the id of its first question; the next ones follow */
	unsigned count;
	size_t used;
	bool full; /* something did not fit: not to be sent */
	char text[RPC_BODY];
};

void rpc_begin(struct rpc_batch *batch, uint64_t first);

/* `format` makes the JSON of the parameters, without the brackets around them. What is put in is ours (numbers, hex): nothing is
 * escaped. The place of its reply. */
unsigned rpc_add(struct rpc_batch *batch, const char *method, const char *format, ...) __attribute__((format(printf, 3, 4)));

void rpc_end(struct rpc_batch *batch);

/* "0x…" in quotes, for the parameters. `room` is 2 * length + 5. */
const char *rpc_hex(const void *bytes, size_t length, char *text);

/* The same as a quantity: without zeros in front. `text` holds 69 bytes. */
const char *rpc_quantity(const struct u256 *number, char *text);

/* -- reading ------------------------------------------------------------------------------------------------------------ */

enum rpc_kind { RPC_RESULT, RPC_ERROR };
struct rpc_reply {
	enum rpc_kind kind;
	const json_t *result;  /* of the answer; also `null` */
	int64_t code;          /* of the error; -32000 and below are the server's own */
	char message[RPC_WHY]; /* one printable line */
	const json_t *data;    /* of the error: what a contract said; NULL: none */
};

struct rpc_answer {
	json_t *root;
	unsigned count;
	struct rpc_reply replies[RPC_CALLS];
};

/* The answer to a batch of `count` questions from `first` on. False: it is none, and `why` says so. Ends with rpc_forget(). */
bool rpc_read(const char *bytes, size_t length, uint64_t first, unsigned count, struct rpc_answer *answer,
	      char why[RPC_WHY]);
void rpc_forget(struct rpc_answer *answer);

/* jansson's hash is seeded from a file: to be called before the process has none. */
void rpc_warm(void);

/* What a result is, strictly. False for anything else. */
bool rpc_u64(const json_t *value, uint64_t *number);
bool rpc_u256(const json_t *value, struct u256 *number);
bool rpc_bytes(const json_t *value, uint8_t *bytes, size_t room, size_t *length);
bool rpc_exactly(const json_t *value, void *bytes, size_t length); /* a hash, an address */

struct rpc_block {
	uint64_t number, time; /* seconds since 1970 */
	struct hash hash, parent;
	bool has_base_fee; /* EIP-1559 */
	struct u256 base_fee;
};
bool rpc_block(const json_t *value, struct rpc_block *block);

struct rpc_receipt {
	struct hash transaction, block_hash;
	uint64_t block, gas_used;
	bool ok; /* not reverted */
	struct u256 price; /* of a unit of gas, what was paid; 0: it does not say */
};
bool rpc_receipt(const json_t *value, struct rpc_receipt *receipt);

struct rpc_log {
	struct address by;
	struct hash topics[RPC_TOPICS], block_hash, transaction;
	unsigned topic_count;
	uint64_t block, index;
	bool removed;
	uint8_t data[RPC_DATA];
	size_t length;
};
bool rpc_log(const json_t *value, struct rpc_log *log);

#endif
