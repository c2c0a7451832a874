/* The table of subscriptions and taps. Part of the broker. */
#include "broker/tables.h"

#include <string.h>

bool listeners_add(struct listeners *listeners, struct listener listener)
{
	unsigned own = 0, free = LISTENERS_MAX;
	for (unsigned i = LISTENERS_MAX; i-- > 0;) {
		const struct listener *other = &listeners->all[i];
		if (memcmp(other, &listener, sizeof listener) == 0)
			return true;
		own += other->birth == listener.birth;
		free = other->birth ? free : i;
	}
	if (free == LISTENERS_MAX || own >= LISTENERS_EACH)
		return false;
	listeners->all[free] = listener;
	listeners->held++;
	if (free >= listeners->count)
		listeners->count = free + 1;
	return true;
}

void listeners_remove(struct listeners *listeners, uint64_t birth, const struct listener *only)
{
	for (struct listener *one = listeners->all; one < listeners->all + listeners->count; one++)
		if (one->birth == birth && (!only || memcmp(one, only, sizeof *only) == 0)) {
			*one = (struct listener){0};
			listeners->held--;
		}
}

bool listener_hears(const struct listener *listener, const struct envelope *e)
{
	unsigned kind = listener->kind, node = listener->node;
	bool from = !kind || (kind == e->source_kind && node == e->source_node);
	bool to = kind == e->target_kind && node == e->target_node;
	bool event = e->type == ENVELOPE_EVENT && e->number == listener->number;
	return listener->birth && (listener->number ? event && from : from || to);
}

uint32_t listeners_heard(const struct listeners *listeners)
{
	uint32_t heard = 0;
	for (unsigned i = 0; i < listeners->count; i++) {
		const struct listener *one = &listeners->all[i];
		unsigned kind = one->number ? one->number >> 8 : one->kind;
		if (one->birth)
			heard |= kind ? 1U << kind % KINDS : ~0U;
	}
	return heard;
}
