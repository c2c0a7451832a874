/* Every wall left standing alone in turn: what is then stopped, that wall stops by itself, as attacks.def says of it. Part of the
 * selftest. */
#include "actors/prober/selftest.h"

#include <stdio.h>
#include <string.h>

enum { ALL = (1U << WALLS) - 1 };

/* By row: 1 << wall, where that wall alone stopped it from every kind's place; and what is stopped with no wall at all. */
struct alone {
	uint32_t stops[ROWS_MOST];
	bool nobody[ROWS_MOST];
};

/* Who dials out has no network of its own (SECURITY.md), so of that wall it says nothing. */
static bool stopped_everywhere(const struct selftest *self, unsigned row, unsigned wall)
{
	for (unsigned kind = 1; kind < KINDS; kind++) {
		const struct reading *reading = &self->kinds[kind];
		if (!kind_is_probed(kind) || !reading->done ||
		    (wall == WALL_NETWORK && (kind == HERALD || kind == CHAIN)))
			continue;
		if (*reading->outcome[row] && strcmp(reading->outcome[row], "through") == 0)
			return false;
	}
	return true;
}

static bool run_with(struct selftest *self, uint32_t without, bool user)
{
	memset(self->kinds, 0, sizeof self->kinds);
	self->without = without;
	self->user = user;
	return scratch_build(self) && probe(self, 1U << PHASE_OTHERS, false);
}

/* Uids and control groups are root's; the others are tried without root, where no uid stands behind them. */
static bool take_alone(struct selftest *self, struct alone *alone, unsigned wall)
{
	bool of_root = wall == WALL_UID || wall == WALL_MEMORY || wall == WALL_PIDS;
	printf("alone %s\n", wall_row(wall)->name);
	fflush(stdout);
	if (!run_with(self, ALL & ~(1U << wall) & ~(1U << WALL_UID), !of_root))
		return false;
	for (unsigned row = 0; attack_rows[row].name; row++)
		if (stopped_everywhere(self, row, wall))
			alone->stops[row] |= 1U << wall;
	return true;
}

static bool names(const char *walls, unsigned wall)
{
	char word[16];
	for (int used = 0; sscanf(walls, " %15s%n", word, &used) == 1; walls += used)
		if (strcmp(word, wall_row(wall)->name) == 0)
			return true;
	return false;
}

/* Runs as root with a uid of its own stop what the uid stops, whatever else stands: so of memory and pids only rows are looked at
 * that a uid does not stop. Without root mounts and network bring a user namespace, which stops more than they do. What no wall is needed for says nothing about any. */
static bool compare(const struct alone *alone)
{
	bool held = true;
	for (unsigned row = 0; attack_rows[row].name; row++) {
		const struct attack_row *attack = &attack_rows[row];
		for (unsigned wall = 0; wall < WALLS; wall++) {
			bool does = alone->stops[row] & 1U << wall, named = names(attack->walls, wall);
			bool by_uid = (wall == WALL_MEMORY || wall == WALL_PIDS) &&
				      alone->stops[row] & 1U << WALL_UID;
			bool by_namespace = does && (wall == WALL_MOUNTS || wall == WALL_NETWORK);
			if (alone->nobody[row] || by_uid || by_namespace || does == named)
				continue;
			printf("bad   row %-2u %s: the wall %s %s it alone, attacks.def says it %s\n",
			       attack->row, attack->name, wall_row(wall)->name,
			       does ? "stops" : "does not stop", named ? "does" : "does not");
			held = false;
		}
	}
	return held;
}

bool alone_run(struct selftest *self)
{
	static struct alone alone;
	puts("alone nothing");
	if (!run_with(self, ALL & ~(1U << WALL_UID), true))
		return false;
	for (unsigned row = 0; attack_rows[row].name; row++)
		alone.nobody[row] = stopped_everywhere(self, row, WALLS);
	for (unsigned wall = 0; wall < WALLS; wall++)
		if (!take_alone(self, &alone, wall))
			return false;
	bool held = compare(&alone);
	unsigned silent = 0;
	for (unsigned row = 0; attack_rows[row].name; row++)
		silent += alone.nobody[row];
	printf("%s   what attacks.def says of walls is so; %u attempts that get nowhere without any wall "
	       "said nothing\n",
	       held ? "ok " : "bad", silent);
	return held;
}
