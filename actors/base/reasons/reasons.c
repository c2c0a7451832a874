/* The ring of reasons. Linked by every program; like the log it is per process by nature, as whoever decides is often deep in
 * a plain file that knows of no `self`: the second exception to "no globals". When the process dies its records die; the
 * supervisor keeps the last words. */
#include "actors/base/reasons/reasons.h"

#include "actors/base/clock/clock.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct record {
	struct reason reason; /* code 0: free */
	uint64_t changed;     /* counts up; when it was last written */
};

static struct {
	pthread_mutex_t mutex;
	unsigned kind, node, most;
	uint64_t changes, told; /* the newest `changed`; up to which reasons_changed() has told */
	uint64_t depth, high, drops;
	struct record records[REASONS_MAX];
} ring = {.mutex = PTHREAD_MUTEX_INITIALIZER, .most = REASONS_OF_ACTOR};

void reasons_begin(unsigned kind, unsigned node, unsigned most)
{
	ring.kind = kind;
	ring.node = node;
	ring.most = most < REASONS_MAX ? most : REASONS_MAX;
}

const uint64_t *reasons_depth(void)
{
	return &ring.depth;
}

const uint64_t *reasons_high(void)
{
	return &ring.high;
}

const uint64_t *reasons_drops(void)
{
	return &ring.drops;
}

/* -- writing --------------------------------------------------------------------------------------------------------- */

static bool same(const struct reason *a, const struct reason *b)
{
	return a->code == b->code && a->kind == b->kind && a->node == b->node &&
	       strcmp(a->thing, b->thing) == 0;
}

/* Where a record of the same goes, or a new one. */
static struct record *place_for(const struct reason *reason)
{
	struct record *free = NULL, *oldest = NULL;
	for (unsigned i = 0; i < ring.most; i++) {
		struct record *record = &ring.records[i];
		if (record->reason.code && same(&record->reason, reason))
			return record;
		if (!record->reason.code) {
			free = free ? free : record;
			continue;
		}
		bool sooner =
			!oldest || record->reason.over > oldest->reason.over ||
			(record->reason.over == oldest->reason.over && record->changed < oldest->changed);
		oldest = sooner ? record : oldest;
	}
	if (free) {
		if (++ring.depth > ring.high)
			ring.high = ring.depth;
		return free;
	}
	ring.drops++;
	*oldest = (struct record){0};
	return oldest;
}

/* One that was over begins anew; one that holds is counted. */
static void keep(const struct reason *reason)
{
	pthread_mutex_lock(&ring.mutex);
	struct record *record = place_for(reason);
	bool again = record->reason.code && !record->reason.over;
	uint32_t count = again ? record->reason.count + reason->count : reason->count;
	int64_t first = again ? record->reason.first_ms : reason->first_ms;
	record->reason = *reason;
	record->reason.count = count;
	record->reason.first_ms = first;
	record->changed = ++ring.changes;
	pthread_mutex_unlock(&ring.mutex);
}

__attribute__((format(printf, 4, 0))) static void write_down(enum reason_code code, struct about about,
							     const char *thing, const char *format,
							     va_list arguments)
{
	int64_t now = wall_ms();
	struct reason reason = {.code = (uint16_t)code,
				.kind = (uint8_t)about.kind,
				.node = (uint16_t)about.node,
				.count = 1,
				.first_ms = now,
				.last_ms = now,
				.next_ms = about.next_in_ms ? now + (int64_t)about.next_in_ms : 0};
	snprintf(reason.thing, sizeof reason.thing, "%s", thing);
	vsnprintf(reason.inputs, sizeof reason.inputs, format, arguments);
	if (reason_sound(&reason))
		keep(&reason);
}

void reason_note(enum reason_code code, const char *thing, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_down(code, (struct about){ring.kind, ring.node, 0}, thing, format, arguments);
	va_end(arguments);
}

void reason_about(enum reason_code code, struct about about, const char *thing, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_down(code, about, thing, format, arguments);
	va_end(arguments);
}

void reason_take(const struct reason *reason, const struct about *whose)
{
	struct reason copy = *reason;
	if (!reason_sound(&copy))
		return;
	if (whose) {
		copy.kind = (uint8_t)whose->kind;
		copy.node = (uint16_t)whose->node;
	}
	keep(&copy);
}

/* Code 0: of every code. */
static void end_matching(unsigned code, struct about about, const char *thing)
{
	pthread_mutex_lock(&ring.mutex);
	for (unsigned i = 0; i < ring.most; i++) {
		struct reason *reason = &ring.records[i].reason;
		if (!reason->code || (code && reason->code != code) || reason->over ||
		    reason->kind != about.kind || reason->node != about.node ||
		    (thing && strcmp(reason->thing, thing) != 0))
			continue;
		reason->over = 1;
		reason->next_ms = 0;
		reason->last_ms = wall_ms();
		ring.records[i].changed = ++ring.changes;
	}
	pthread_mutex_unlock(&ring.mutex);
}

void reason_over_about(enum reason_code code, struct about about, const char *thing)
{
	end_matching(code, about, thing);
}

void reasons_over_of(unsigned kind, unsigned node)
{
	end_matching(0, (struct about){kind, node, 0}, NULL);
}

void reason_over(enum reason_code code, const char *thing)
{
	reason_over_about(code, (struct about){ring.kind, ring.node, 0}, thing);
}

/* -- reading --------------------------------------------------------------------------------------------------------- */

/* The record whose last change is nearest to `mark`, before it or after it; NULL: none. */
static const struct record *nearest(uint64_t mark, bool before)
{
	const struct record *found = NULL;
	for (unsigned i = 0; i < ring.most; i++) {
		const struct record *record = &ring.records[i];
		if (!record->reason.code || (before ? record->changed >= mark : record->changed <= mark))
			continue;
		if (!found || (before ? record->changed > found->changed : record->changed < found->changed))
			found = record;
	}
	return found;
}

unsigned reasons_copy(struct reason *into, unsigned most)
{
	unsigned count = 0;
	pthread_mutex_lock(&ring.mutex);
	const struct record *record = nearest(UINT64_MAX, true);
	for (; record && count < most; record = nearest(record->changed, true))
		into[count++] = record->reason;
	pthread_mutex_unlock(&ring.mutex);
	return count;
}

unsigned reasons_changed(struct reason *into, unsigned most)
{
	unsigned count = 0;
	pthread_mutex_lock(&ring.mutex);
	const struct record *record = ring.told == ring.changes ? NULL : nearest(ring.told, false);
	for (; record && count < most; record = nearest(ring.told, false)) {
		into[count++] = record->reason;
		ring.told = record->changed;
	}
	pthread_mutex_unlock(&ring.mutex);
	return count;
}

bool reasons_newest(struct reason *into)
{
	pthread_mutex_lock(&ring.mutex);
	const struct record *record = nearest(UINT64_MAX, true);
	while (record && record->reason.over)
		record = nearest(record->changed, true);
	if (record)
		*into = record->reason;
	pthread_mutex_unlock(&ring.mutex);
	return record != NULL;
}
