/* The facts of a backup as text, and back. Pure. */
#include "supervisor/backup/facts.h"

#include "actors/base/memory/memory.h"
#include "proto/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 320 };

void facts_end(struct facts *facts)
{
	x_free(&facts->nodes);
	facts->count = facts->room = 0;
}

static struct node_facts *next_node(struct facts *facts)
{
	if (facts->count == facts->room) {
		facts->room = facts->room * 2 + 8;
		facts->nodes = x_grow(facts->nodes, facts->room * sizeof *facts->nodes);
	}
	facts->nodes[facts->count] = (struct node_facts){0};
	return &facts->nodes[facts->count++];
}

static const char *word(const char *text)
{
	return *text ? text : "-";
}

void facts_add(struct facts *facts, uint16_t node, const struct init_said *said)
{
	struct node_facts *new = next_node(facts);
	new->node = node;
	snprintf(new->wallet, sizeof new->wallet, "%s", word(said->address));
	snprintf(new->peer, sizeof new->peer, "%s", word(said->peer));
	snprintf(new->store, sizeof new->store, "%s", word(said->store));
	new->blobs = strtoull(said->blobs, NULL, 10);
	new->bytes = strtoull(said->bytes, NULL, 10);
	new->listed = strtoull(said->listed, NULL, 10);
	new->damaged = strtoull(said->damaged, NULL, 10);
}

const struct node_facts *facts_node(const struct facts *facts, uint16_t node)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (facts->nodes[i].node == node)
			return &facts->nodes[i];
	return NULL;
}

char *facts_print(const struct facts *facts)
{
	size_t room = ((size_t)facts->count + 8) * LINE, used;
	char *text = x_new(room);
	used = (size_t)snprintf(text, room, "warren %s\nmade %" PRId64 "\nmachine %s\nsecret %s\nblobs %d\n",
				WARREN_VERSION, facts->made, word(facts->machine), facts->secret,
				facts->blobs);
	for (unsigned i = 0; i < facts->count; i++) {
		const struct node_facts *node = &facts->nodes[i];
		used += (size_t)snprintf(text + used, room - used,
					 "node %u %s %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
					 node->node, node->wallet, node->peer, node->store, node->blobs,
					 node->bytes, node->listed, node->damaged);
	}
	return text;
}

static bool parse_node(const char *line, struct facts *facts)
{
	unsigned number;
	int end = 0;
	struct node_facts read;
	if (sscanf(line, "node %5u %43s %64s %32s %20" SCNu64 " %20" SCNu64 " %20" SCNu64 " %20" SCNu64 "%n",
		   &number, read.wallet, read.peer, read.store, &read.blobs, &read.bytes, &read.listed,
		   &read.damaged, &end) != 8 ||
	    line[end] != '\n' || !number || number > NODES_MAX ||
	    (facts->count && facts->nodes[facts->count - 1].node >= number))
		return false;
	read.node = (uint16_t)number;
	*next_node(facts) = read;
	return true;
}

bool facts_parse(const char *text, struct facts *facts)
{
	int end = 0, blobs = 0;
	*facts = (struct facts){0};
	bool fine = sscanf(text, "warren %23s made %20" SCNd64 " machine %67s secret %23s blobs %1d%n",
			   facts->version, &facts->made, facts->machine, facts->secret, &blobs, &end) == 5 &&
		    text[end] == '\n';
	facts->blobs = blobs;
	for (text += end; fine && *++text; text = strchr(text, '\n'))
		fine = strchr(text, '\n') && parse_node(text, facts);
	if (!fine)
		facts_end(facts);
	return fine;
}

bool facts_same(const struct node_facts *a, const struct node_facts *b, const char **what)
{
	*what = strcmp(a->wallet, b->wallet) != 0 ? "the address of its wallet"
		: strcmp(a->peer, b->peer) != 0   ? "its peer id"
		: strcmp(a->store, b->store) != 0 ? "the id of its store"
		: a->blobs != b->blobs || a->bytes != b->bytes || a->listed != b->listed ? "what it stores"
											 : NULL;
	return !*what;
}
