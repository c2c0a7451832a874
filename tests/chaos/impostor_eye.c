/* Root's eye: finds the broker's tables in its memory and reads from them what an impostor should know. */
#include "tests/chaos/impostor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOKED_AT = 16 /* processes of a small machine */, ASKS_LOOKED_AT = 32 };

static bool is_process(const struct peer *peer)
{
	return peer->birth && peer->at.pid && peer->at.door == DOOR_BUS &&
	       peer->at.routing_length == ROUTING_MAX;
}

/* The table of processes is compact while nobody has died: its beginning is where the row of entries begins. */
static uint64_t beginning(int memory, uint64_t at)
{
	struct peer peer;
	while (pread(memory, &peer, sizeof peer, (off_t)(at - sizeof peer)) == sizeof peer &&
	       is_process(&peer))
		at -= sizeof peer;
	return at - PEOPLE_MAX * sizeof peer;
}

static uint64_t find(int memory, uint64_t from, uint64_t to, uint32_t wallet)
{
	uint8_t *bytes = malloc(to - from);
	uint64_t found = 0;
	ssize_t got = bytes ? pread(memory, bytes, to - from, (off_t)from) : -1;
	for (ssize_t i = 0; !found && i + (ssize_t)sizeof(struct peer) <= got; i += 8) {
		struct peer peer;
		memcpy(&peer, bytes + i, sizeof peer);
		if (is_process(&peer) && peer.at.pid == wallet && peer.kind == WALLET && peer.node == 1)
			found = beginning(memory, from + (uint64_t)i);
	}
	free(bytes);
	return found;
}

bool eye_open(struct eye *eye, pid_t broker, uint32_t wallet)
{
	char path[64], line[512], rights[8];
	uint64_t from, to;
	snprintf(path, sizeof path, "/proc/%d/mem", broker);
	eye->memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", broker);
	FILE *maps = fopen(path, "re");
	while (maps && !eye->peers && fgets(line, sizeof line, maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, rights) == 3 && rights[1] == 'w')
			eye->peers = find(eye->memory, from, to, wallet);
	if (maps)
		fclose(maps);
	return eye->peers;
}

/* `from_death`: an id is known once the supervisor has said that its owner is gone; else as soon as its owner has said hello. */
static void look_for_id(struct eye *eye, struct plot *plot, bool from_death)
{
	static const uint8_t nobody[ROUTING_MAX];
	struct peer peers[LOOKED_AT];
	const uint8_t *now = nobody;
	if (pread(eye->memory, peers, sizeof peers, (off_t)(eye->peers + PEOPLE_MAX * sizeof *peers)) !=
	    sizeof peers)
		return;
	for (unsigned i = 0; i < LOOKED_AT; i++)
		if (is_process(&peers[i]) && peers[i].kind == WALLET && peers[i].node == 1 &&
		    peers[i].welcome)
			now = peers[i].at.routing;
	if (memcmp(eye->last, now, ROUTING_MAX) == 0)
		return;
	const uint8_t *known = from_death ? eye->last : now;
	if (memcmp(known, nobody, ROUTING_MAX) != 0) {
		memcpy(plot->routing[1], plot->ids ? plot->routing[0] : known, ROUTING_MAX);
		memcpy(plot->routing[0], known, ROUTING_MAX);
		plot->ids++;
	}
	memcpy(eye->last, now, ROUTING_MAX);
}

/* The open asks lie behind the peers (broker/broker.c). */
void eye_look(struct eye *eye, struct plot *plot, bool from_death)
{
	struct open_ask asks[ASKS_LOOKED_AT];
	uint64_t table = eye->peers + sizeof(struct peers) + offsetof(struct open_asks, asks);
	unsigned found = 0;
	look_for_id(eye, plot, from_death);
	if (pread(eye->memory, asks, sizeof asks, (off_t)table) != sizeof asks)
		return;
	for (unsigned i = 0; i < ASKS_LOOKED_AT && found < PLOT_OPEN; i++)
		if (asks[i].envelope.caller_birth && asks[i].envelope.target_kind == WALLET)
			plot->open[found++] = asks[i].envelope;
	while (found < PLOT_OPEN)
		plot->open[found++].serial = 0;
}
