/* Blocks. Plain C, in the keeper of anvil; asks through wire.c, writes through journal.c and state.c.
 * A transaction is on the disk before it is in a block, and a block that is made again of the same transactions at the same second
 * has the same hash: so nothing that anybody was shown is taken back by a death. */
#include "actors/anvil/chain.h"

#include "actors/anvil/state.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
	ASK_MS = 10000,
	SAVE_MS = 120000,
	FOREIGN_MOST = 64, /* blocks that others made since we looked: more of them are saved as a state */
	SAVE_AFTER = 256,  /* blocks in the journal: this many are made again in half a second */
	SAVE_BYTES = 16 << 20, /* or so many bytes */
	BLOCK_MOST = 512,      /* transactions that we put into one block */
};

static json_t *ask(struct chain *chain, const char *method, json_t *params)
{
	chain->why = NULL;
	return wire_ask(&chain->wire, method, params, ASK_MS);
}

static bool ask_only(struct chain *chain, const char *method, json_t *params)
{
	json_t *result = ask(chain, method, params);
	json_decref(result);
	return result != NULL;
}

static bool fail(struct chain *chain, const char *why)
{
	chain->why = why;
	return false;
}

/* -- blocks as they are ------------------------------------------------------------------------- */

static json_t *block_of(struct chain *chain, const char *which)
{
	return ask(chain, "eth_getBlockByNumber", json_pack("[s,b]", which, 0));
}

static bool stamp_of(const json_t *block, uint64_t *number, uint64_t *timestamp)
{
	return wire_number(json_object_get(block, "number"), number) &&
	       wire_number(json_object_get(block, "timestamp"), timestamp);
}

bool chain_look(struct chain *chain)
{
	json_t *block = block_of(chain, "latest");
	bool fine = block && stamp_of(block, &chain->head, &chain->time);
	json_decref(block);
	return fine || fail(chain, block ? "a block without number" : NULL);
}

struct raws {
	char *text; /* parted by commas */
	size_t length, room;
	unsigned count;
};

static void add_raw(struct raws *raws, const char *raw)
{
	size_t length = strlen(raw);
	if (raws->room < raws->length + length + 2) {
		raws->room = (raws->length + length) * 2 + 4096;
		raws->text = x_grow(raws->text, raws->room);
	}
	if (raws->count++)
		raws->text[raws->length++] = ',';
	memcpy(raws->text + raws->length, raw, length + 1);
	raws->length += length;
}

/* One that is not there any more, as another took its place, is left out. */
static bool add_by_hash(struct chain *chain, struct raws *raws, const char *hash)
{
	json_t *raw = ask(chain, "eth_getRawTransactionByHash", json_pack("[s]", hash));
	if (json_string_value(raw))
		add_raw(raws, json_string_value(raw));
	json_decref(raw);
	return raw != NULL;
}

static bool write_down(struct chain *chain, uint64_t number, uint64_t timestamp, const struct raws *raws)
{
	struct block block = {number, timestamp, raws->text ? raws->text : ""};
	return journal_append(&chain->journal, &block) || fail(chain, "the disk does not take it");
}

/* Block `number` as anvil made it: its time and its transactions. */
static bool read_made(struct chain *chain, uint64_t number, uint64_t *timestamp, struct raws *raws)
{
	char which[24];
	snprintf(which, sizeof which, "0x%" PRIx64, number);
	json_t *block = block_of(chain, which), *hash;
	uint64_t got;
	size_t i;
	bool fine = block && stamp_of(block, &got, timestamp) && got == number;
	json_array_foreach(json_object_get(block, "transactions"), i, hash) fine =
		fine && json_string_value(hash) && add_by_hash(chain, raws, json_string_value(hash));
	json_decref(block);
	return fine;
}

/* -- the whole state ---------------------------------------------------------------------------- */

bool chain_save(struct chain *chain)
{
	if (!chain_look(chain))
		return false;
	json_t *state = wire_ask(&chain->wire, "anvil_dumpState", json_array(), SAVE_MS);
	bool saved =
		state && (json_string_value(state) && state_write(chain->folder, json_string_value(state)));
	json_decref(state);
	if (state && !saved)
		return fail(chain, "its state cannot be written");
	saved = saved && (journal_clear(&chain->journal) || fail(chain, "the journal cannot be cleared"));
	if (saved)
		log_info("chain.saved", "block=%" PRIu64, chain->head);
	return saved;
}

/* -- again -------------------------------------------------------------------------------------- */

static bool make_again(struct chain *chain, const struct block *block)
{
	char *copy = x_copy(block->raws), *rest = *copy ? copy : NULL;
	for (const char *raw; (raw = strsep(&rest, ","));)
		if (!ask_only(chain, "eth_sendRawTransaction", json_pack("[s]", raw)))
			log_warn("chain.replay", "block=%" PRIu64 " why=\"%s\"", block->number,
				 chain->wire.why);
	x_free(&copy);
	return ask_only(chain, "evm_setNextBlockTimestamp", json_pack("[I]", (json_int_t)block->timestamp)) &&
	       ask_only(chain, "evm_mine", json_array()) && chain_look(chain) &&
	       (chain->head == block->number || fail(chain, "a block came out as another one"));
}

bool chain_replay(struct chain *chain)
{
	unsigned made = 0;
	if (!chain_look(chain) ||
	    !ask_only(chain, "anvil_setTime", json_pack("[I]", (json_int_t)chain->time)))
		return false;
	for (unsigned i = 0; i < chain->journal.count; i++) {
		const struct block *block = &chain->journal.blocks[i];
		if (block->number <= chain->head)
			continue; /* the state was written, and a death came before the journal was cleared */
		if (block->number != chain->head + 1)
			return fail(chain, "a block is missing in the journal");
		if (!make_again(chain, block))
			return false;
		made++;
	}
	if (made)
		log_info("chain.replayed", "blocks=%u head=%" PRIu64, made, chain->head);
	return true;
}

/* -- new ---------------------------------------------------------------------------------------- */

bool chain_set_time(struct chain *chain)
{
	uint64_t now = (uint64_t)time(NULL);
	if (!chain_look(chain))
		return false;
	return chain->time <= now ||
	       ask_only(chain, "evm_increaseTime", json_pack("[I]", (json_int_t)(chain->time - now)));
}

bool chain_listen(struct chain *chain)
{
	return ask_only(chain, "eth_subscribe", json_pack("[s]", "newPendingTransactions")) &&
	       ask_only(chain, "eth_subscribe", json_pack("[s]", "newHeads"));
}

/* evm_mine, evm_revert and their like, asked for by whoever tests something. */
static bool take_over(struct chain *chain)
{
	uint64_t from = chain->head;
	if (!chain_look(chain))
		return false;
	uint64_t head = chain->head;
	if (head < from || head - from > FOREIGN_MOST)
		return chain_save(chain);
	for (uint64_t number = from + 1; number <= head; number++) {
		struct raws raws = {0};
		uint64_t timestamp;
		bool fine = read_made(chain, number, &timestamp, &raws) &&
			    write_down(chain, number, timestamp, &raws);
		x_free(&raws.text);
		if (!fine)
			return false;
	}
	return true;
}

/* Those of the pool that could be in a block now; of many senders in no certain order. */
static bool from_pool(struct chain *chain, struct raws *raws)
{
	json_t *pool = ask(chain, "txpool_content", json_array()), *sender, *transaction;
	const char *address, *nonce;
	bool fine = pool != NULL;
	json_object_foreach(json_object_get(pool, "pending"), address, sender)
		json_object_foreach(sender, nonce, transaction)
	{
		const char *hash = json_string_value(json_object_get(transaction, "hash"));
		if (fine && hash && raws->count < BLOCK_MOST)
			fine = add_by_hash(chain, raws, hash);
	}
	json_decref(pool);
	return fine;
}

/* Those we were told of, in the order of their coming; or, when there are none or too many, as they lie in the pool. */
static bool waiting(struct chain *chain, struct raws *raws)
{
	struct wire *wire = &chain->wire;
	unsigned count = wire->lost ? 0 : wire->hash_count;
	char(*hashes)[WIRE_HASH] = count ? x_new_array(count, sizeof *hashes) : NULL;
	bool fine = true;
	if (count)
		memcpy(hashes, wire->hashes, count * sizeof *hashes);
	wire->hash_count = 0;
	wire->lost = false;
	for (unsigned i = 0; fine && i < count && i < BLOCK_MOST; i++)
		fine = add_by_hash(chain, raws, hashes[i]);
	x_free(&hashes);
	return fine && (raws->count || from_pool(chain, raws));
}

static bool pool_waits(struct chain *chain, bool *waits)
{
	json_t *status = ask(chain, "txpool_status", json_array());
	uint64_t pending = 0;
	bool fine = status && wire_number(json_object_get(status, "pending"), &pending);
	json_decref(status);
	*waits = pending != 0;
	return fine;
}

static bool next_time(struct chain *chain, uint64_t *timestamp)
{
	uint64_t number;
	json_t *block = block_of(chain, "pending");
	bool fine = block && stamp_of(block, &number, timestamp);
	json_decref(block);
	if (fine && *timestamp <= chain->time)
		*timestamp = chain->time + 1;
	return fine;
}

/* What came in between the look into the pool and the block is in it, too: then it is written down as it was made. */
static bool make(struct chain *chain, struct raws *raws, unsigned *count)
{
	uint64_t timestamp, made_at = 0, number = chain->head + 1;
	struct raws made = {0};
	if (!next_time(chain, &timestamp) || !write_down(chain, number, timestamp, raws) ||
	    !ask_only(chain, "evm_setNextBlockTimestamp", json_pack("[I]", (json_int_t)timestamp)) ||
	    !ask_only(chain, "evm_mine", json_array()))
		return false;
	bool fine = read_made(chain, number, &made_at, &made);
	bool same = made_at == timestamp && made.count == raws->count &&
		    strcmp(made.text ? made.text : "", raws->text ? raws->text : "") == 0;
	if (fine && !same)
		fine = write_down(chain, number, made_at, &made);
	x_free(&made.text);
	*count = made.count;
	chain->head = number;
	chain->time = made_at;
	return fine;
}

static bool make_block(struct chain *chain, unsigned *count)
{
	struct raws raws = {0};
	bool fine = waiting(chain, &raws) && make(chain, &raws, count);
	x_free(&raws.text);
	return fine;
}

bool chain_turn(struct chain *chain, bool all)
{
	struct wire *wire = &chain->wire;
	bool waits = wire->hash_count || wire->lost, look = all || wire->head;
	wire->head = false;
	if ((look && !take_over(chain)) || (all && !waits && !pool_waits(chain, &waits)))
		return false;
	/* A block into which nothing fitted (they offer less than the base fee, which falls with it): the next look goes on. */
	for (unsigned count = 1; waits && count;)
		if (!make_block(chain, &count) || !pool_waits(chain, &waits))
			return false;
	bool full = chain->journal.appended >= SAVE_AFTER || chain->journal.bytes >= SAVE_BYTES;
	return !full || chain_save(chain);
}
