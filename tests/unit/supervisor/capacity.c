/* How many nodes and of what size: K1's tables, K2 and K16 on machines that are made up. */
#include "supervisor/capacity.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint64_t GIB = UINT64_C(1) << 30;
static struct why why;

static struct capacity of(uint64_t total, uint64_t free, uint64_t memory, unsigned nodes)
{
	return (struct capacity){.room = {.total = total * GIB, .free = free * GIB},
				 .memory = memory * GIB,
				 .cores = 2,
				 .nodes = nodes,
				 .ram_rule = true,
				 .profile = PROFILE_multinode};
}

static void says(const char *words)
{
	cr_assert_not_null(strstr(why.text, words), "\"%s\" is not in:\n%s", words, why.text);
}

Test(capacity, both_tables_of_tiers_are_there)
{
	static const struct {
		const char *name;
		uint32_t v4, multinode;
	} tiers[] = {{"bronze", 1024, 1024},
		     {"silver", 2048, 4096},
		     {"gold", 4096, 10240},
		     {"platinum", 8192, 51200}};
	char names[TIER_NAMES_TEXT];
	for (unsigned i = 0; i < 4; i++) {
		cr_assert_eq(tier_mib(PROFILE_v4, tiers[i].name), tiers[i].v4);
		cr_assert_eq(tier_mib(PROFILE_multinode, tiers[i].name), tiers[i].multinode);
		cr_assert_str_eq(tier_at(PROFILE_multinode, i)->name, tiers[i].name);
	}
	cr_assert_null(tier_at(PROFILE_v4, 4));
	cr_assert_eq(tier_mib(PROFILE_v4, "Bronze"), 0);
	cr_assert_eq(tier_mib(PROFILE_v4, ""), 0);
	cr_assert_str_eq(tier_names(names), "bronze, silver, gold or platinum");
}

Test(capacity, a_profile_has_a_name)
{
	enum profile profile;
	cr_assert(profile_by_name("multinode", &profile));
	cr_assert_eq(profile, PROFILE_multinode);
	cr_assert_not(profile_by_name("v5", &profile));
}

Test(capacity, the_largest_tier_that_fits_is_recommended)
{
	cr_assert_str_eq(tier_that_fits(PROFILE_v4, store_takes(4096))->name, "gold");
	cr_assert_str_eq(tier_that_fits(PROFILE_v4, store_takes(4096) - 1)->name, "silver");
	cr_assert_null(tier_that_fits(PROFILE_v4, store_takes(1024) - 1));
	struct capacity machine = of(100, 80, 16, 0);
	cr_assert_str_eq(capacity_recommends(&machine)->name, "platinum", "52 of 64 GiB");
	machine = of(100, 80, 2, 2);
	cr_assert_null(capacity_recommends(&machine), "its memory carries two");
}

Test(capacity, nodes_by_memory_are_those_of_the_seed)
{
	static const struct {
		uint64_t gib;
		unsigned nodes;
	} table[] = {{1, 1}, {2, 2}, {4, 4}, {6, 4}, {8, 8}, {12, 8}, {16, 10}, {64, 10}};
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
		cr_assert_eq(nodes_by_memory(table[i].gib * GIB), table[i].nodes, "%lu GiB",
			     (unsigned long)table[i].gib);
	cr_assert_eq(nodes_by_memory(16 * GIB - GIB / 2), 10, "a kernel never has all of it");
	cr_assert_eq(nodes_by_memory(13 * GIB), 8);
}

Test(capacity, one_node_more_than_memory_carries_is_refused_as_ram)
{
	static const struct {
		uint64_t gib;
		unsigned nodes;
	} machines[] = {{2, 2}, {4, 4}, {8, 8}, {16, 10}, {64, 10}};
	for (unsigned i = 0; i < 5; i++) {
		struct capacity last = of(1000, 1000, machines[i].gib, machines[i].nodes - 1);
		cr_assert_eq(capacity_check(&last, 1024, "/x", &why), CAPACITY_NONE);
		struct capacity full = of(1000, 1000, machines[i].gib, machines[i].nodes);
		cr_assert_eq(capacity_check(&full, 1024, "/x", &why), CAPACITY_RAM);
		says("rule \"ram\"");
		says("<- binds");
		full.ram_rule = false;
		cr_assert_eq(capacity_check(&full, 1024, "/x", &why), CAPACITY_NONE);
	}
	cr_assert_str_eq(capacity_rule_name(CAPACITY_RAM), "ram");
}

Test(capacity, a_configured_most_is_never_above_the_table)
{
	struct capacity machine = of(1000, 1000, 8, 3);
	machine.max_nodes = 3;
	cr_assert_eq(capacity_check(&machine, 1024, "/x", &why), CAPACITY_MAX_NODES);
	says("raise max_nodes");
	machine.max_nodes = 20;
	machine.nodes = 8;
	cr_assert_eq(capacity_check(&machine, 1024, "/x", &why), CAPACITY_RAM);
	machine.ram_rule = false;
	cr_assert_eq(capacity_check(&machine, 1024, "/x", &why), CAPACITY_NONE);
}

Test(capacity, a_hundred_with_eighty_free_gives_sixty_four_and_after_fifteen_forty_nine)
{
	struct capacity machine = of(100, 80, 16, 0);
	cr_assert_eq(room_left(&machine.room).allocatable, 64 * GIB);
	cr_assert_eq(capacity_check(&machine, 65 * 1024, "/x", &why), CAPACITY_SHARE);
	says("rule \"80 % of free\": 64.0 GiB may still be promised  <- binds");
	says("at least 1 GiB\": 70.0 GiB");
	machine.room.free = 65 * GIB;
	machine.room.reserved = machine.room.allocated = 15 * GIB;
	machine.nodes = 3;
	cr_assert_eq(room_left(&machine.room).allocatable, 49 * GIB);
	cr_assert_eq(capacity_check(&machine, 49 * 1024, "/x", &why), CAPACITY_SHARE,
		     "with slack it is more");
	says("free 80.0 GiB, of it promised to 3 nodes: 15.0 GiB");
	says("49.0 GiB");
}

/* One after the other, each promised before the next is asked for. */
Test(capacity, ten_platinum_nodes_do_not_fit_on_a_small_disk)
{
	struct capacity machine = of(250, 200, 16, 0);
	unsigned added = 0;
	while (capacity_check(&machine, tier_mib(PROFILE_multinode, "platinum"), "/data", &why) ==
	       CAPACITY_NONE) {
		machine.room.allocated += store_takes(51200);
		machine.nodes = ++added;
	}
	cr_assert_eq(added, 3, "3 x 51.6 of 160 GiB");
	says("51200 MiB do not fit on /data");
	says("rule \"80 % of free\"");
	says("silver (4096 MiB) fits: warren add --tier silver");
}

Test(capacity, cores_and_small_memory_only_warn)
{
	char text[CAPACITY_WARNING];
	struct capacity machine = of(1000, 1000, 16, 9);
	cr_assert_eq(capacity_check(&machine, 1024, "/x", &why), CAPACITY_NONE, "2 cores, 10 nodes");
	cr_assert_not_null(strstr(capacity_warning(&machine, 10, text), "2 cores"), "%s", text);
	cr_assert_str_eq(capacity_warning(&machine, 4, text), "");
	machine.cores = 64;
	machine.memory = GIB;
	cr_assert_not_null(strstr(capacity_warning(&machine, 5, text), "256 MiB"), "%s", text);
}
