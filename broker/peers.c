/* The table of processes and people. Part of the broker; holds nothing but who they are. */
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
	for (unsigned i = PEOPLE_MAX + peers->processes; i-- > (visitor->door == DOOR_BUS) * PEOPLE_MAX;) {
		struct peer *peer = &peers->all[i];
		if (i >= PEOPLE_MAX && visitor->door != DOOR_BUS && peer->birth &&
		    peer->at.pid == visitor->pid)
			return NULL; /* a process is no person, whatever its uid may open */
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
	*oldest = (struct peer){
		.birth = ++peers->drawn, .at = *visitor, .last_ns = now, .queue = oldest->queue};
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
