/* The table of open asks: chained hash over a fixed array. Part of the broker. Only the birth that was asked
 * may answer. */
#include "broker/tables.h"

static uint32_t *chain_of(struct open_asks *table, uint64_t caller, uint64_t serial)
{
	uint64_t mixed = (caller ^ serial * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
	return &table->chains[mixed >> 52 & (OPEN_ASK_CHAINS - 1)];
}

struct open_ask *open_asks_find(struct open_asks *table, uint64_t caller, uint64_t serial)
{
	for (uint32_t at = *chain_of(table, caller, serial); at; at = table->asks[at - 1].next) {
		struct open_ask *ask = &table->asks[at - 1];
		if (ask->envelope.caller_birth == caller && ask->envelope.serial == serial)
			return ask;
	}
	return NULL;
}

struct open_ask *open_asks_add(struct open_asks *table, const struct envelope *e)
{
	bool full = !table->free && table->used == OPEN_ASKS;
	if (full || open_asks_find(table, e->caller_birth, e->serial))
		return NULL;
	uint32_t *chain = chain_of(table, e->caller_birth, e->serial);
	uint32_t at = table->free ? table->free : ++table->used;
	struct open_ask *ask = &table->asks[at - 1];
	table->free = ask->next;
	*ask = (struct open_ask){*e, *chain};
	*chain = at;
	if (++table->count > table->high)
		table->high = table->count;
	return ask;
}

void open_asks_remove(struct open_asks *table, struct open_ask *ask)
{
	uint32_t *at = chain_of(table, ask->envelope.caller_birth, ask->envelope.serial);
	uint32_t index = (uint32_t)(ask - table->asks) + 1;
	while (*at != index)
		at = &table->asks[*at - 1].next;
	*at = ask->next;
	*ask = (struct open_ask){.next = table->free};
	table->free = index;
	table->count--;
}
