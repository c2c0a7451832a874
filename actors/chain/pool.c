/* Who of the servers is believed. Pure: no socket, no clock. */
#include "actors/chain/pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	OLD_BLOCKS = 10, /* so many blocks' time without one: the chain stands, or we are shown an old one */
	OLD_LEAST_S = 60,
};

const char *pool_state_name(enum pool_state state)
{
	switch (state) {
	case POOL_UNKNOWN:
		return "unknown";
	case POOL_GOOD:
		return "good";
	case POOL_LATE:
		return "behind";
	case POOL_FAILING:
		return "failing";
	case POOL_OTHER:
		return "other-chain";
	}
	return "?";
}

void pool_begin(struct pool *pool, uint64_t chain_id, unsigned count, uint32_t block_s)
{
	*pool = (struct pool){.chain_id = chain_id, .count = count};
	if (block_s)
		pool->old_s = block_s * OLD_BLOCKS > OLD_LEAST_S ? block_s * OLD_BLOCKS : OLD_LEAST_S;
}

static bool speaks(const struct pool_server *server)
{
	return server->state == POOL_GOOD || server->state == POOL_LATE;
}

/* -- rounds ------------------------------------------------------------------------------------ */

/* The lowest head of those who speak: the highest block that all of them can have. At first it is block 0. */
uint64_t pool_round(struct pool *pool)
{
	bool any = false;
	pool->mark = 0;
	for (unsigned i = 0; i < pool->count; i++) {
		struct pool_server *server = &pool->servers[i];
		server->has_mark = false;
		if (!speaks(server) || (any && server->head.number >= pool->mark))
			continue;
		pool->mark = server->head.number;
		any = true;
	}
	return pool->mark;
}

bool pool_due(const struct pool *pool, unsigned server, uint64_t now_ms)
{
	return server < pool->count && pool->servers[server].not_before_ms <= now_ms;
}

bool pool_wants_genesis(const struct pool *pool, unsigned server)
{
	return !speaks(&pool->servers[server]);
}

/* -- what is heard ----------------------------------------------------------------------------- */

/* A block of this number that it called otherwise before. */
static bool took_back(const struct pool_server *server, const struct rpc_block *block)
{
	for (unsigned i = 0; i < POOL_SAID; i++) {
		const struct pool_head *said = &server->said[i];
		if (said->number == block->number &&
		    memcmp(&said->hash, &block->hash, sizeof block->hash) != 0 && said->number)
			return true;
		if (said->number && said->number + 1 == block->number &&
		    memcmp(&said->hash, &block->parent, sizeof block->parent) != 0)
			return true;
	}
	return false;
}

static void remember(struct pool_server *server, const struct rpc_block *block)
{
	for (unsigned i = 0; i < POOL_SAID; i++)
		if (server->said[i].number == block->number)
			return;
	server->said[server->said_next++ % POOL_SAID] = (struct pool_head){block->number, block->hash};
}

static void judge_lag(struct pool *pool)
{
	uint64_t first = 0;
	for (unsigned i = 0; i < pool->count; i++)
		if (speaks(&pool->servers[i]) && pool->servers[i].head.number > first)
			first = pool->servers[i].head.number;
	for (unsigned i = 0; i < pool->count; i++) {
		struct pool_server *server = &pool->servers[i];
		if (!speaks(server))
			continue;
		bool late = first - server->head.number > POOL_BEHIND;
		server->state = late ? POOL_LATE : POOL_GOOD;
		if (late)
			snprintf(server->why, sizeof server->why, "%" PRIu64 " blocks behind",
				 first - server->head.number);
		else
			server->why[0] = '\0';
	}
}

/* Servers may be of the same mind at the tip for once and not at the next block: each round judges anew. */
static void compare(struct pool *pool, unsigned newest)
{
	const struct pool_server *one = &pool->servers[newest];
	unsigned speaking = 0;
	for (unsigned i = 0; i < pool->count; i++) {
		const struct pool_server *other = &pool->servers[i];
		speaking += speaks(other);
		if (i == newest || !speaks(other) || !other->has_mark)
			continue;
		if (memcmp(&one->mark, &other->mark, sizeof one->mark) == 0) {
			pool->compared = true;
			pool->disagree[0] = '\0';
			continue;
		}
		char mine[65], others[65];
		hex_text(one->mark.bytes, sizeof one->mark, mine);
		hex_text(other->mark.bytes, sizeof other->mark, others);
		snprintf(pool->disagree, sizeof pool->disagree,
			 "servers %u and %u disagree about block %" PRIu64 ": 0x%.12s… and 0x%.12s…",
			 newest + 1, i + 1, pool->mark, mine, others);
		return;
	}
	if (speaking < 2)
		pool->compared = false;
}

static bool is_other(const struct pool *pool, const struct pool_said *said, char why[POOL_WHY])
{
	if (said->chain_id != pool->chain_id) {
		snprintf(why, POOL_WHY, "it is of chain %" PRIu64 ", not %" PRIu64, said->chain_id,
			 pool->chain_id);
		return true;
	}
	if (!pool->has_genesis || !said->has_genesis ||
	    memcmp(&said->genesis, &pool->genesis, sizeof pool->genesis) == 0)
		return false;
	snprintf(why, POOL_WHY,
		 "another chain of the same id: its first block is not the one that the outbox knows");
	return true;
}

bool pool_heard(struct pool *pool, unsigned at, const struct pool_said *said, uint64_t now_ms,
		uint32_t took_ms)
{
	struct pool_server *server = &pool->servers[at];
	pool_answered(pool, at, now_ms);
	server->took_ms = took_ms;
	if (is_other(pool, said, server->why)) {
		server->state = POOL_OTHER;
		server->not_before_ms = now_ms + POOL_AGAIN_MOST_MS;
		return false;
	}
	bool back = took_back(server, &said->mark) || took_back(server, &said->head);
	pool->taken_back += back;
	if (back)
		memset(server->said, 0, sizeof server->said);
	remember(server, &said->mark);
	remember(server, &said->head);
	server->head = said->head;
	server->has_mark = said->mark.number == pool->mark;
	server->mark = said->mark.hash;
	server->state = POOL_GOOD;
	judge_lag(pool);
	if (server->has_mark)
		compare(pool, at);
	return back;
}

void pool_answered(struct pool *pool, unsigned at, uint64_t now_ms)
{
	struct pool_server *server = &pool->servers[at];
	server->answers++;
	server->in_a_row = 0;
	server->heard_ms = now_ms;
}

void pool_failed(struct pool *pool, unsigned at, const char *why, uint64_t now_ms)
{
	struct pool_server *server = &pool->servers[at];
	uint64_t wait = POOL_AGAIN_MS;
	for (uint32_t i = 0; i < server->in_a_row && wait < POOL_AGAIN_MOST_MS; i++)
		wait *= 2;
	server->failures++;
	server->in_a_row++;
	server->not_before_ms = now_ms + (wait < POOL_AGAIN_MOST_MS ? wait : POOL_AGAIN_MOST_MS);
	server->state = POOL_FAILING;
	server->has_mark = false;
	snprintf(server->why, sizeof server->why, "%s", why);
	judge_lag(pool);
}

/* -- whom to believe --------------------------------------------------------------------------- */

unsigned pool_good(const struct pool *pool)
{
	unsigned good = 0;
	for (unsigned i = 0; i < pool->count; i++)
		good |= (unsigned)(pool->servers[i].state == POOL_GOOD) << i;
	return good;
}

int pool_pick(const struct pool *pool, unsigned tried)
{
	unsigned good = pool_good(pool) & ~tried;
	return good ? __builtin_ctz(good) : -1;
}

const struct rpc_block *pool_head(const struct pool *pool)
{
	const struct rpc_block *newest = NULL;
	for (unsigned i = 0; i < pool->count; i++) {
		const struct pool_server *server = &pool->servers[i];
		if (server->state == POOL_GOOD && (!newest || server->head.number > newest->number))
			newest = &server->head;
	}
	return newest;
}

const char *pool_trouble(const struct pool *pool, uint64_t now_s, char text[POOL_WHY])
{
	const struct rpc_block *head = pool_head(pool);
	unsigned speaking = 0, unheard = 0;
	for (unsigned i = 0; i < pool->count; i++) {
		speaking += speaks(&pool->servers[i]);
		unheard += pool->servers[i].state == POOL_UNKNOWN;
	}
	if (!head)
		snprintf(text, POOL_WHY, "no server of the chain can be used: %.100s",
			 pool->servers[0].why[0] ? pool->servers[0].why : "none has answered yet");
	else if (pool->disagree[0])
		snprintf(text, POOL_WHY, "%s", pool->disagree);
	else if (unheard)
		snprintf(text, POOL_WHY, "not every server was heard yet");
	else if (speaking > 1 && !pool->compared)
		snprintf(text, POOL_WHY, "the servers were not compared yet");
	else if (pool->old_s && now_s > head->time && now_s - head->time > pool->old_s)
		snprintf(text, POOL_WHY,
			 "the last block is %" PRIu64 " s old; more than %u s is too old to sign for",
			 now_s - head->time, pool->old_s);
	else
		return NULL;
	return text;
}
