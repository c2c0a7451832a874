/* The rules of how many nodes, and of what size, with the sentences that refuse one more. Pure: no I/O, no
 * state. */
#include "supervisor/capacity.h"

#include "proto/actors.h"

#include <stdio.h>

enum { NODES_A_CORE = 2, MIB_A_NODE = 256 };
static const uint64_t MIB = UINT64_C(1) << 20, GIB = UINT64_C(1) << 30;

static const struct {
	uint64_t gib;
	unsigned nodes;
} by_memory[] = {{16, 10}, {8, 8}, {4, 4}, {2, 2}};

const char *capacity_rule_name(enum capacity_rule rule)
{
	static const char *const names[] = {
#define R(SYMBOL, name) name,
		CAPACITY_RULES(R)
#undef R
	};
	return names[rule];
}

unsigned nodes_by_memory(uint64_t bytes)
{
	for (unsigned i = 0; i < sizeof by_memory / sizeof *by_memory; i++)
		if (bytes >= by_memory[i].gib * GIB / 8 * 7)
			return by_memory[i].nodes;
	return 1;
}

struct nodes_most capacity_nodes(const struct capacity *capacity)
{
	struct nodes_most nodes = {NODES_MAX, CAPACITY_NONE};
	if (capacity->max_nodes && capacity->max_nodes < nodes.most)
		nodes = (struct nodes_most){capacity->max_nodes, CAPACITY_MAX_NODES};
	if (capacity->ram_rule && nodes_by_memory(capacity->memory) < nodes.most)
		nodes = (struct nodes_most){nodes_by_memory(capacity->memory), CAPACITY_RAM};
	return nodes;
}

const char *gib_text(uint64_t bytes, char text[GIB_TEXT])
{
	snprintf(text, GIB_TEXT, "%.1f GiB", (double)bytes / (double)GIB);
	return text;
}

static void refuse_node(const struct capacity *capacity, const struct nodes_most *nodes, struct why *why)
{
	char memory[GIB_TEXT], most[48] = "not set";
	bool max = nodes->binds == CAPACITY_MAX_NODES;
	if (capacity->max_nodes)
		snprintf(most, sizeof most, "%u", capacity->max_nodes);
	refuse(why,
	       "node %u is more than this machine may have.\n"
	       "  memory %s, nodes now: %u\n"
	       "  rule \"ram\", nodes by memory (2 GB 2, 4 GB 4, 8 GB 8, 16 GB and more 10): %s%u%s\n"
	       "  rule \"max_nodes\": %s%s\n"
	       "  next: %s",
	       capacity->nodes + 1, gib_text(capacity->memory, memory), capacity->nodes,
	       capacity->ram_rule ? "" : "off, else ", nodes_by_memory(capacity->memory),
	       nodes->binds == CAPACITY_RAM ? "  <- binds" : "", most, max ? "  <- binds" : "",
	       max ? "raise max_nodes in etc/warren.conf"
		   : "more memory, another machine, or ram_rule = \"off\" in etc/warren.conf");
}

static void refuse_room(const struct capacity *capacity, const struct room_left *left, uint32_t quota_mib,
			const char *root, struct why *why)
{
	const struct room *room = &capacity->room;
	const struct tier *tier = tier_that_fits(capacity->profile, left->allocatable);
	char free[GIB_TEXT], promised[GIB_TEXT], share[GIB_TEXT], keep[GIB_TEXT], needs[GIB_TEXT];
	char fit[96] = "no tier fits";
	if (tier)
		snprintf(fit, sizeof fit, "%s (%u MiB) fits: warren add --tier %s", tier->name, tier->mib,
			 tier->name);
	refuse(why,
	       "%u MiB do not fit on %s: with slack and index they take %s.\n"
	       "  free %s, of it promised to %u nodes: %s\n"
	       "  rule \"80 %% of free\": %s may still be promised%s\n"
	       "  rule \"keep 10 %% of the disk, at least 1 GiB\": %s%s\n"
	       "  %s",
	       quota_mib, root, gib_text(store_takes(quota_mib), needs),
	       gib_text(room->free + room->reserved, free), capacity->nodes,
	       gib_text(room->allocated, promised), gib_text(left->share, share),
	       left->binds == ROOM_SHARE ? "  <- binds" : "", gib_text(left->keep, keep),
	       left->binds == ROOM_KEEP ? "  <- binds" : "", fit);
}

enum capacity_rule capacity_check(const struct capacity *capacity, uint32_t quota_mib, const char *root,
				  struct why *why)
{
	struct nodes_most nodes = capacity_nodes(capacity);
	struct room_left left = room_left(&capacity->room);
	if (capacity->nodes >= nodes.most) {
		refuse_node(capacity, &nodes, why);
		return nodes.binds == CAPACITY_NONE ? CAPACITY_MAX_NODES : nodes.binds;
	}
	if (store_takes(quota_mib) <= left.allocatable)
		return CAPACITY_NONE;
	refuse_room(capacity, &left, quota_mib, root, why);
	return left.binds == ROOM_SHARE ? CAPACITY_SHARE : CAPACITY_KEEP;
}

const struct tier *capacity_recommends(const struct capacity *capacity)
{
	if (capacity->nodes >= capacity_nodes(capacity).most)
		return NULL;
	return tier_that_fits(capacity->profile, room_left(&capacity->room).allocatable);
}

const char *capacity_warning(const struct capacity *capacity, unsigned nodes, char text[CAPACITY_WARNING])
{
	char memory[GIB_TEXT];
	text[0] = '\0';
	if (nodes > NODES_A_CORE * capacity->cores)
		snprintf(text, CAPACITY_WARNING,
			 "%u nodes on %u cores are more than two a core: expect them slow", nodes,
			 capacity->cores);
	else if (nodes * MIB_A_NODE * MIB > capacity->memory)
		snprintf(text, CAPACITY_WARNING, "%u nodes in %s have less than 256 MiB each", nodes,
			 gib_text(capacity->memory, memory));
	return text;
}
