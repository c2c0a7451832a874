/* The free units. Plain memory, one thread, no I/O. */
#include "actors/store/freemap.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

enum {
	LEVELS = 7, /* 64^7 units are more than a run can name */
	LOOK = 16,
};
#define NONE UINT64_MAX

struct freemap {
	uint64_t units, left, cursor;
	unsigned levels;
	uint64_t *level[LEVELS]; /* a set bit: free, or "this word below has a free one" */
	uint64_t words[LEVELS];
};

uint64_t run_pack(struct run run)
{
	return run.start << 24 | run.count;
}

struct run run_unpack(uint64_t packed)
{
	return (struct run){.start = packed >> 24, .count = packed & RUN_MOST};
}

void runs_add(struct runs *runs, struct run run)
{
	runs->units += run.count;
	struct run *last = runs->count ? &runs->run[runs->count - 1] : NULL;
	if (last && last->start + last->count == run.start && last->count + run.count <= RUN_MOST) {
		last->count += run.count;
		return;
	}
	if (runs->count == runs->room) {
		runs->room = runs->room ? runs->room * 2 : 2;
		runs->run = x_grow(runs->run, runs->room * sizeof *runs->run);
	}
	runs->run[runs->count++] = run;
}

void runs_end(struct runs *runs)
{
	x_free(&runs->run);
	*runs = (struct runs){0};
}

/* -- bits ------------------------------------------------------------------------------------------------------------ */

/* Says in the levels above whether this word of `level` has a free unit. */
static void tell_above(struct freemap *map, unsigned level, uint64_t word)
{
	while (level + 1 < map->levels) {
		uint64_t *above = &map->level[level + 1][word / 64], bit = UINT64_C(1) << word % 64;
		uint64_t before = *above;
		*above = map->level[level][word] ? before | bit : before & ~bit;
		if (!before == !*above)
			return;
		level++;
		word /= 64;
	}
}

static void set_range(struct freemap *map, uint64_t start, uint64_t count, bool to_free)
{
	while (count) {
		uint64_t word = start / 64, first = start % 64;
		uint64_t here = 64 - first < count ? 64 - first : count;
		uint64_t mask = (here == 64 ? UINT64_MAX : (UINT64_C(1) << here) - 1) << first;
		uint64_t *bits = &map->level[0][word], before = *bits;
		bug_if((before & mask) != (to_free ? 0 : mask)); /* else two blobs would share it next */
		*bits = before ^ mask;
		if (!before != !*bits)
			tell_above(map, 0, word);
		start += here;
		count -= here;
	}
}

static uint64_t next_free(const struct freemap *map, uint64_t from)
{
	uint64_t at = from;
	for (unsigned l = 0; l < map->levels; l++) {
		uint64_t word = at / 64;
		if (word >= map->words[l])
			return NONE;
		uint64_t bits = map->level[l][word] & (UINT64_MAX << at % 64);
		if (bits) {
			at = word * 64 + (unsigned)__builtin_ctzll(bits);
			while (l) {
				l--;
				at = at * 64 + (unsigned)__builtin_ctzll(map->level[l][at]);
			}
			return at;
		}
		at = word + 1;
	}
	return NONE;
}

/* How many units are free from `at` on, counted up to `most`. */
static uint64_t stretch(const struct freemap *map, uint64_t at, uint64_t most)
{
	uint64_t length = 0;
	while (length < most && at + length < map->units) {
		uint64_t here = at + length, room = 64 - here % 64;
		uint64_t taken = ~map->level[0][here / 64] >> here % 64;
		uint64_t ones = taken ? (unsigned)__builtin_ctzll(taken) : room;
		if (ones < room)
			return length + ones < most ? length + ones : most;
		length += room;
	}
	return length < most ? length : most;
}

/* -- the map --------------------------------------------------------------------------------------------------------- */

struct freemap *freemap_new(uint64_t units)
{
	bug_if(units == 0 || units > UINT64_C(1) << 40);
	struct freemap *map = x_new(sizeof *map);
	map->units = map->left = units;
	uint64_t bits = units;
	do {
		bug_if(map->levels == LEVELS);
		map->words[map->levels] = (bits + 63) / 64;
		map->level[map->levels] = x_new_array(map->words[map->levels], sizeof(uint64_t));
		bits = map->words[map->levels++];
	} while (bits > 1);
	set_range(map, 0, units, true);
	return map;
}

void freemap_end(struct freemap **map)
{
	if (!*map)
		return;
	for (unsigned l = 0; l < (*map)->levels; l++)
		x_free(&(*map)->level[l]);
	x_free(map);
}

uint64_t freemap_left(const struct freemap *map)
{
	return map->left;
}

/* The next stretch to take from; there is a free unit somewhere. */
static struct run choose(const struct freemap *map, uint64_t want)
{
	struct run best = {0};
	uint64_t from = map->cursor;
	for (unsigned looked = 0; looked < LOOK; looked++) {
		uint64_t start = next_free(map, from);
		if (start == NONE) {
			if (from == 0)
				break;
			from = 0;
			continue;
		}
		uint64_t length = stretch(map, start, want < RUN_MOST ? want : RUN_MOST);
		if (length > best.count)
			best = (struct run){.start = start, .count = (uint32_t)length};
		if (length == want)
			break;
		from = start + length;
	}
	bug_if(!best.count);
	return best;
}

bool freemap_take(struct freemap *map, uint64_t want, struct runs *into)
{
	if (want > map->left)
		return false;
	while (want) {
		struct run run = choose(map, want);
		set_range(map, run.start, run.count, false);
		runs_add(into, run);
		map->cursor = run.start + run.count;
		map->left -= run.count;
		want -= run.count;
	}
	return true;
}

bool freemap_claim(struct freemap *map, struct run run)
{
	if (!run.count || run.start + run.count > map->units ||
	    stretch(map, run.start, run.count) != run.count)
		return false;
	set_range(map, run.start, run.count, false);
	map->left -= run.count;
	return true;
}

void freemap_give(struct freemap *map, struct run run)
{
	bug_if(run.start + run.count > map->units);
	set_range(map, run.start, run.count, true);
	map->left += run.count;
}

void freemap_give_all(struct freemap *map, struct runs *runs)
{
	for (uint32_t i = 0; i < runs->count; i++)
		freemap_give(map, runs->run[i]);
	runs_end(runs);
}
