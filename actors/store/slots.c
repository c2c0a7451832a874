/* Slots for long lists of runs. Plain memory, one thread, no I/O. */
#include "actors/store/slots.h"

#include "actors/base/memory/memory.h"

#include <stdlib.h>

void slots_begin(struct slots *slots, struct freemap *map, uint32_t unit)
{
	*slots = (struct slots){.map = map, .per_unit = unit / SLOT};
}

void slots_end(struct slots *slots)
{
	x_free(&slots->spare);
	*slots = (struct slots){0};
}

uint32_t slots_for(uint32_t runs)
{
	return runs > HEADER_RUNS ? (runs - HEADER_RUNS - 1) / SLOT_RUNS + 1 : 0;
}

uint64_t slots_slack(uint64_t quota_units)
{
	return quota_units / 64 + 1;
}

static void spare(struct slots *slots, uint64_t slot)
{
	if (slots->count == slots->room) {
		slots->room = slots->room ? slots->room * 2 : 64;
		slots->spare = x_grow(slots->spare, slots->room * sizeof *slots->spare);
	}
	slots->spare[slots->count++] = slot;
}

static bool add_page(struct slots *slots)
{
	struct runs page = {0};
	if (!freemap_take(slots->map, 1, &page))
		return false;
	for (uint32_t i = slots->per_unit; i-- > 0;)
		spare(slots, page.run[0].start * slots->per_unit + i);
	slots->pages++;
	runs_end(&page);
	return true;
}

bool slots_take(struct slots *slots, uint64_t *into, uint32_t count)
{
	while (slots->count < count)
		if (!add_page(slots))
			return false;
	for (uint32_t i = 0; i < count; i++)
		into[i] = slots->spare[--slots->count];
	return true;
}

void slots_give(struct slots *slots, const uint64_t *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		spare(slots, from[i]);
}

static int by_number(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

bool slots_restore(struct slots *slots, uint64_t *used, size_t count)
{
	if (count)
		qsort(used, count, sizeof *used, by_number);
	for (size_t i = 0; i < count;) {
		uint64_t page = used[i] / slots->per_unit;
		if (!freemap_claim(slots->map, (struct run){.start = page, .count = 1}))
			return false;
		slots->pages++;
		for (uint64_t slot = page * slots->per_unit; slot < (page + 1) * slots->per_unit; slot++)
			if (i < count && used[i] == slot)
				i++;
			else
				spare(slots, slot);
		if (i < count && used[i] / slots->per_unit == page)
			return false;
	}
	return true;
}
