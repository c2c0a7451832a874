/* The broker's tables: processes and people, open asks, subscriptions and taps. Holds nothing but who they are and what they wait for. */
#include "broker/tables.h"

#include <string.h>

struct peer *peers_born(struct peers *peers, const struct roster_entry *entry)
{
	unsigned i = PEOPLE_MAX;
	while (i < PEERS_MAX && peers->all[i].birth)
		i++;
	if (i == PEERS_MAX)
		return NULL;
	if (i >= PEOPLE_MAX + peers->processes)
		peers->processes = i - PEOPLE_MAX + 1;
	struct peer *peer = &peers->all[i];
	*peer = (struct peer){.birth = entry->birth, .node = entry->node, .kind = entry->kind};
	peer->at = (struct visitor){entry->pid, entry->uid, DOOR_BUS, sizeof entry->routing, {0}};
	memcpy(peer->at.routing, entry->routing, sizeof entry->routing);
	return peer;
}

struct peer *peers_visit(struct peers *peers, const struct visitor *visitor, uint64_t now, uint64_t *evicted)
{
	struct peer *oldest = &peers->all[0]; /* of people; a free one is older than anybody */
	*evicted = 0;
	for (unsigned i = (visitor->door == DOOR_BUS) * PEOPLE_MAX; i < PEOPLE_MAX + peers->processes; i++) {
		struct peer *peer = &peers->all[i];
		if (!peer->birth || memcmp(&peer->at, visitor, sizeof *visitor) != 0)
			continue;
		peer->last_ns = now;
		return peer;
	}
	if (visitor->door == DOOR_BUS)
		return NULL;
	for (unsigned i = 1; i < PEOPLE_MAX; i++)
		if (peers->all[i].last_ns < oldest->last_ns)
			oldest = &peers->all[i];
	*evicted = oldest->birth;
	*oldest = (struct peer){++peers->drawn, now, *visitor, oldest->queue};
	oldest->kind = visitor->door == DOOR_OPERATE ? OPERATOR : READER;
	return oldest;
}

struct peer *peers_by_birth(struct peers *peers, uint64_t birth)
{
	for (unsigned i = PEOPLE_MAX + peers->processes; birth && i-- > 0;) /* processes first */
		if (peers->all[i].birth == birth)
			return &peers->all[i];
	return NULL;
}

struct peer *peers_by_duty(struct peers *peers, unsigned kind, unsigned node)
{
	for (unsigned i = PEOPLE_MAX; i < PEOPLE_MAX + peers->processes; i++) {
		struct peer *peer = &peers->all[i];
		if (peer->welcome && peer->kind == kind && peer->node == node)
			return peer;
	}
	return NULL;
}

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

bool listeners_add(struct listeners *listeners, struct listener listener)
{
	unsigned own = 0, free = LISTENERS_MAX;
	for (unsigned i = LISTENERS_MAX; i-- > 0;) {
		const struct listener *other = &listeners->all[i];
		if (memcmp(other, &listener, sizeof listener) == 0)
			return true;
		own += other->birth == listener.birth;
		free = other->birth ? free : i;
	}
	if (free == LISTENERS_MAX || own >= LISTENERS_EACH)
		return false;
	listeners->all[free] = listener;
	listeners->held++;
	if (free >= listeners->count)
		listeners->count = free + 1;
	return true;
}

void listeners_remove(struct listeners *listeners, uint64_t birth, const struct listener *only)
{
	for (struct listener *one = listeners->all; one < listeners->all + listeners->count; one++)
		if (one->birth == birth && (!only || memcmp(one, only, sizeof *only) == 0)) {
			*one = (struct listener){0};
			listeners->held--;
		}
}

bool listener_hears(const struct listener *listener, const struct envelope *e)
{
	unsigned kind = listener->kind, node = listener->node;
	bool from = !kind || (kind == e->source_kind && node == e->source_node);
	bool to = kind == e->target_kind && node == e->target_node;
	bool event = e->type == ENVELOPE_EVENT && e->number == listener->number;
	return listener->birth && (listener->number ? event && from : from || to);
}

uint32_t listeners_heard(const struct listeners *listeners)
{
	uint32_t heard = 0;
	for (unsigned i = 0; i < listeners->count; i++) {
		const struct listener *one = &listeners->all[i];
		unsigned kind = one->number ? one->number >> 8 : one->kind;
		if (one->birth)
			heard |= kind ? 1U << kind % KINDS : ~0U;
	}
	return heard;
}
