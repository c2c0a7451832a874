/* The books of the wallet in memory: what was charged, for which nonce, under which rule. Runs as wallet@N. What is on
 * the disk is spent_file.c's; here only the newest charge of each nonce counts, and carries the highest amounts. */
#include "actors/wallet/spent_inside.h"

#include "actors/base/memory/memory.h"

#include <string.h>

uint64_t spent_now(struct spent *spent, uint64_t wall)
{
	if (wall > spent->clock)
		spent->clock = wall;
	return spent->clock;
}

const struct hash *spent_once(const struct spent *spent, const struct hash *once)
{
	for (unsigned i = spent->count; i-- > 0;)
		if (memcmp(&spent->entries[i].once, once, sizeof *once) == 0)
			return &spent->entries[i].digest;
	return NULL;
}

static bool recent(const struct entry *entry, uint64_t now)
{
	return entry->time + SPENT_DAY_S > now;
}

static void raise(struct tally *tally, const struct tally *by)
{
	tally->value = u256_larger(&tally->value, &by->value);
	tally->fee = u256_larger(&tally->fee, &by->fee);
	tally->amount = u256_larger(&tally->amount, &by->amount);
}

static void sum_up(struct sums *sums, const struct tally *tally)
{
	u256_add(&sums->value, &sums->value,
		 &tally->value); /* overflow: the highest, which no budget allows */
	u256_add(&sums->fee, &sums->fee, &tally->fee);
	u256_add(&sums->amount, &sums->amount, &tally->amount);
	sums->count++;
}

/* `nonce`: of one that is left out and whose tally goes to *own; NULL: none. */
static struct sums sum_of(const struct spent *spent, uint64_t chain, const char *rule, const uint64_t *nonce,
			  struct tally *own, uint64_t now)
{
	struct sums sums = {0};
	for (unsigned i = 0; i < spent->count; i++) {
		const struct entry *entry = &spent->entries[i];
		if (entry->chain != chain || (rule && strcmp(entry->rule, rule) != 0) ||
		    (rule ? entry->old_in_rule : entry->old_in_chain))
			continue;
		bool same = nonce && entry->nonce == *nonce;
		if (!same && entry->time > sums.newest_s)
			sums.newest_s = entry->time;
		if (!recent(entry, now))
			continue;
		const struct tally *tally = rule ? &entry->in_rule : &entry->in_chain;
		if (same)
			raise(own, tally);
		else
			sum_up(&sums, tally);
	}
	return sums;
}

struct sums spent_sums(const struct spent *spent, uint64_t chain, const char *rule, uint64_t now)
{
	return sum_of(spent, chain, rule, NULL, NULL, now);
}

struct sums spent_with(const struct spent *spent, const struct charge *charge, bool of_rule, uint64_t now)
{
	struct tally own = {charge->value, charge->fee, charge->amount};
	struct sums sums =
		sum_of(spent, charge->chain, of_rule ? charge->rule : NULL, &charge->nonce, &own, now);
	sum_up(&sums, &own);
	return sums;
}

uint64_t spent_restored(const struct spent *spent, uint64_t now)
{
	for (unsigned i = spent->count; i-- > 0;)
		if (spent->entries[i].chain == 0 && recent(&spent->entries[i], now) &&
		    strcmp(spent->entries[i].rule, SPENT_RESTORED) == 0)
			return spent->entries[i].time + SPENT_DAY_S;
	return 0;
}

bool spent_full(const struct spent *spent, uint64_t now)
{
	return spent->count >= SPENT_SLOTS && recent(&spent->entries[spent->count - SPENT_SLOTS], now);
}

/* Those that nobody asks about any more, when they are many. The order of time is the order of the table. */
static void forget_old(struct spent *spent, uint64_t now)
{
	unsigned old = 0;
	while (old < spent->count && spent->entries[old].time + SPENT_KEEP_S <= now)
		old++;
	if (spent->count - old > SPENT_SLOTS - 1) /* not within a day: spent_full() was asked before */
		old = spent->count - (SPENT_SLOTS - 1);
	if (old <= spent->count / 2 && spent->count < SPENT_SLOTS)
		return;
	spent->count -= old;
	memmove(spent->entries, spent->entries + old, spent->count * sizeof *spent->entries);
	memmove(spent->marks, spent->marks + old, spent->count * sizeof *spent->marks);
}

/* The same for the same nonce of a chain, and seldom for another. */
static uint32_t mark_of(uint64_t chain, uint64_t nonce)
{
	return (uint32_t)((chain * UINT64_C(0x9e3779b97f4a7c15) ^ nonce) * UINT64_C(0xd6e8feb86659fd93) >>
			  32);
}

void spent_enter(struct spent *spent, const struct charge *charge, uint64_t time)
{
	struct tally own = {charge->value, charge->fee, charge->amount};
	struct entry fresh = {.time = time,
			      .chain = charge->chain,
			      .nonce = charge->nonce,
			      .once = charge->once,
			      .digest = charge->digest,
			      .in_chain = own,
			      .in_rule = own};
	memcpy(fresh.rule, charge->rule, sizeof fresh.rule);
	forget_old(spent, time);
	uint32_t mark = mark_of(fresh.chain, fresh.nonce);
	for (unsigned i = 0; i < spent->count; i++) {
		if (spent->marks[i] != mark)
			continue;
		struct entry *entry = &spent->entries[i];
		if (entry->chain != fresh.chain || entry->nonce != fresh.nonce)
			continue;
		if (!entry->old_in_chain && recent(entry, time))
			raise(&fresh.in_chain, &entry->in_chain);
		entry->old_in_chain = true;
		if (strcmp(entry->rule, fresh.rule) != 0)
			continue;
		if (!entry->old_in_rule && recent(entry, time))
			raise(&fresh.in_rule, &entry->in_rule);
		entry->old_in_rule = true;
	}
	if (spent->count == spent->room) {
		spent->room = spent->room * 2 + 16;
		spent->entries = x_grow(spent->entries, spent->room * sizeof *spent->entries);
		spent->marks = x_grow(spent->marks, spent->room * sizeof *spent->marks);
	}
	spent->marks[spent->count] = mark;
	spent->entries[spent->count++] = fresh;
	spent_now(spent, time);
}

uint64_t spent_add(struct spent *spent, const struct charge *charge, uint64_t now, uint8_t slot[SPENT_SLOT])
{
	uint64_t time = spent_now(spent, now), sequence = spent->sequence++;
	spent_enter(spent, charge, time);
	spent_slot(charge, sequence, time, slot);
	return sequence % SPENT_SLOTS * SPENT_SLOT;
}
