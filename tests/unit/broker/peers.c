/* Who is who: the roster's processes and the people at their doors. */
#include "broker/tables.h"

#include <criterion/criterion.h>
#include <string.h>

static struct peers peers; /* each test is a process of its own, so it begins zeroed */
static uint64_t evicted;

static struct roster_entry entry_of(unsigned number)
{
	struct roster_entry entry = {
		.verb = ROSTER_BORN,
		.kind = WALLET,
		.node = (uint16_t)(number % NODES_MAX + 1),
		.pid = 10000 + number,
		.uid = 20000 + number,
		.birth = UINT64_C(0x1000000000) + number,
	};
	memset(entry.routing, (int)(number & 0xff), sizeof entry.routing);
	memcpy(entry.routing, &number, sizeof number);
	return entry;
}

static struct visitor visitor_of(const struct roster_entry *entry)
{
	struct visitor visitor = {
		.pid = entry->pid, .uid = entry->uid, .door = DOOR_BUS, .routing_length = 16};
	memcpy(visitor.routing, entry->routing, sizeof entry->routing);
	return visitor;
}

static struct visitor person(enum door door, unsigned number)
{
	struct visitor visitor = {
		.pid = 30000 + number, .uid = 1000, .door = (uint16_t)door, .routing_length = 5};
	memcpy(visitor.routing + 1, &number, 4);
	return visitor;
}

Test(peers, a_process_is_found)
{
	struct roster_entry entry = entry_of(1);
	struct visitor visitor = visitor_of(&entry);
	cr_assert_null(peers_visit(&peers, &visitor, 1, &evicted), "before it is born");
	struct peer *peer = peers_born(&peers, &entry);
	cr_assert_eq(peers_visit(&peers, &visitor, 1, &evicted), peer);
	cr_assert_eq(peers_by_birth(&peers, entry.birth), peer);
	cr_assert(peer->kind == WALLET && peer->node == entry.node && peer->at.door == DOOR_BUS);
}

Test(peers, every_part_of_it_must_match)
{
	struct roster_entry entry = entry_of(1);
	peers_born(&peers, &entry);
	struct visitor right = visitor_of(&entry), wrong;
	wrong = right, wrong.pid++;
	cr_assert_null(peers_visit(&peers, &wrong, 1, &evicted), "another pid");
	wrong = right, wrong.uid++;
	cr_assert_null(peers_visit(&peers, &wrong, 1, &evicted), "another uid");
	wrong = right, wrong.routing_length--;
	cr_assert_null(peers_visit(&peers, &wrong, 1, &evicted), "a shorter routing id");
	for (unsigned i = 0; i < 16; i++) {
		wrong = right, wrong.routing[i] ^= 1;
		cr_assert_null(peers_visit(&peers, &wrong, 1, &evicted), "byte %u of the routing id", i);
	}
	cr_assert_not_null(peers_visit(&peers, &right, 1, &evicted));
}

/* Without root all have one uid, and the kernel would open any door to a process that was taken over. */
Test(peers, a_process_is_no_person)
{
	struct roster_entry entry = entry_of(1);
	struct visitor visitor = person(DOOR_OPERATE, 0);
	visitor.pid = entry.pid;
	cr_assert_not_null(peers_visit(&peers, &visitor, 1, &evicted), "nobody's pid yet");
	struct peer *peer = peers_born(&peers, &entry);
	cr_assert_null(peers_visit(&peers, &visitor, 2, &evicted), "nor one who came before");
	visitor.door = DOOR_READ;
	cr_assert_null(peers_visit(&peers, &visitor, 2, &evicted));
	*peer = (struct peer){0}; /* gone: the pid may be anybody's */
	cr_assert_not_null(peers_visit(&peers, &visitor, 3, &evicted));
}

/* Two entries may not be mixed: the pid of one and the routing id of the other is nobody. */
Test(peers, not_half_of_two)
{
	struct roster_entry one = entry_of(1), two = entry_of(2);
	peers_born(&peers, &one);
	peers_born(&peers, &two);
	struct visitor mixed = visitor_of(&one);
	memcpy(mixed.routing, two.routing, sizeof two.routing);
	cr_assert_null(peers_visit(&peers, &mixed, 1, &evicted));
}

Test(peers, duty_needs_hello)
{
	struct roster_entry entry = entry_of(1);
	struct peer *peer = peers_born(&peers, &entry);
	cr_assert_null(peers_by_duty(&peers, WALLET, entry.node));
	peer->welcome = true;
	cr_assert_eq(peers_by_duty(&peers, WALLET, entry.node), peer);
	cr_assert_null(peers_by_duty(&peers, WALLET, entry.node + 1u));
	cr_assert_null(peers_by_duty(&peers, STORE, entry.node));
}

Test(peers, a_dead_birth_never_matches)
{
	struct roster_entry entry = entry_of(1), reborn = entry_of(1);
	struct visitor visitor = visitor_of(&entry);
	struct peer *peer = peers_born(&peers, &entry);
	peer->welcome = true;
	*peer = (struct peer){0}; /* how the broker forgets */
	cr_assert_null(peers_visit(&peers, &visitor, 1, &evicted));
	cr_assert_null(peers_by_birth(&peers, entry.birth));
	cr_assert_null(peers_by_duty(&peers, WALLET, entry.node));
	reborn.birth++;
	reborn.routing[15] ^= 1;
	cr_assert_eq(peers_born(&peers, &reborn), peer, "the place is taken again");
	cr_assert_null(peers_visit(&peers, &visitor, 1, &evicted), "the old routing id");
	cr_assert_null(peers_by_birth(&peers, entry.birth));
	cr_assert_null(peers_by_birth(&peers, 0), "0 is nobody");
}

Test(peers, the_roster_full)
{
	struct roster_entry entry;
	for (unsigned i = 0; i < PROCESSES_MAX; i++) {
		entry = entry_of(i);
		cr_assert_not_null(peers_born(&peers, &entry), "%u", i);
	}
	entry = entry_of(PROCESSES_MAX);
	cr_assert_null(peers_born(&peers, &entry));
	struct visitor last = visitor_of(&entry);
	entry = entry_of(PROCESSES_MAX - 1);
	last = visitor_of(&entry);
	cr_assert_eq(peers_visit(&peers, &last, 1, &evicted)->birth, entry.birth);
	struct visitor console = person(DOOR_READ, 1);
	cr_assert_not_null(peers_visit(&peers, &console, 1, &evicted), "people have a place of their own");
	cr_assert_eq(evicted, 0);
}

Test(people, the_door_is_the_authority)
{
	struct visitor reader = person(DOOR_READ, 1), operator= person(DOOR_OPERATE, 1);
	struct peer *one = peers_visit(&peers, &reader, 1, &evicted),
		    *two = peers_visit(&peers, &operator, 1, &evicted);
	cr_assert_neq(one, two, "the same pid and routing id at another door is another visitor");
	cr_assert_eq(one->kind, READER);
	cr_assert_eq(two->kind, OPERATOR);
	cr_assert(one->birth && two->birth && one->birth != two->birth);
	cr_assert_not(one->welcome);
	cr_assert_eq(peers_visit(&peers, &reader, 2, &evicted), one, "known again");
}

/* A person's place in the table is no process's: whatever they say on their doors, nobody reaches them as a duty. */
Test(people, are_no_process)
{
	struct visitor reader = person(DOOR_READ, 1);
	struct peer *peer = peers_visit(&peers, &reader, 1, &evicted);
	peer->welcome = true;
	cr_assert_null(peers_by_duty(&peers, READER, 0));
	reader.door = DOOR_BUS;
	cr_assert_null(peers_visit(&peers, &reader, 1, &evicted), "a stranger at the processes' door");
}

Test(people, the_one_silent_longest_goes)
{
	struct visitor visitor;
	uint64_t births[PEOPLE_MAX];
	for (unsigned i = 0; i < PEOPLE_MAX; i++) {
		visitor = person(DOOR_READ, i);
		births[i] = peers_visit(&peers, &visitor, 100 + i, &evicted)->birth;
		cr_assert_eq(evicted, 0, "%u", i);
	}
	visitor = person(DOOR_READ, 0);
	cr_assert_eq(peers_visit(&peers, &visitor, 1000, &evicted)->birth, births[0],
		     "the first speaks again");
	visitor = person(DOOR_OPERATE, 9999);
	struct peer *late = peers_visit(&peers, &visitor, 1001, &evicted);
	cr_assert_eq(evicted, births[1]);
	cr_assert_null(peers_by_birth(&peers, births[1]));
	cr_assert_eq(late->kind, OPERATOR);
	cr_assert_eq(late->open, 0);
	for (unsigned i = 0; i < PEOPLE_MAX; i++)
		cr_assert_neq(late->birth, births[i], "a birth is never given twice");
	cr_assert_not_null(peers_by_birth(&peers, births[0]));
	cr_assert_not_null(peers_by_birth(&peers, births[2]));
}
