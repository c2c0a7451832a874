/* The outbox in memory: what is under way, and which nonce is free. The disk is outbox_file.c's. */
#include "actors/chain/outbox_inside.h"

#include "actors/base/memory/memory.h"

#include <string.h>

const char *outbox_state_name(unsigned state)
{
	static const char *const names[] = {
#define S(SYMBOL, name) name,
		OUTBOX_STATES(S)
#undef S
	};
	return state < OUTBOX_STATE_COUNT ? names[state] : "?";
}

unsigned outbox_count(const struct outbox *outbox)
{
	return outbox->count;
}

struct entry *outbox_at(struct outbox *outbox, unsigned index)
{
	return index < outbox->count ? outbox->open[index] : NULL;
}

struct entry *outbox_by_id(struct outbox *outbox, uint64_t id)
{
	for (unsigned i = 0; i < outbox->count; i++)
		if (outbox->open[i]->id == id)
			return outbox->open[i];
	return NULL;
}

uint64_t outbox_confirmed(const struct outbox *outbox)
{
	return outbox->confirmed;
}

const char *outbox_why(const struct outbox *outbox)
{
	return outbox->why;
}

struct entry *outbox_keep(struct outbox *outbox, const struct entry *entry)
{
	struct entry *kept = x_new(sizeof *kept);
	*kept = *entry;
	outbox->open[outbox->count++] = kept;
	return kept;
}

void outbox_let_go(struct outbox *outbox, const struct entry *entry)
{
	for (unsigned i = 0; i < outbox->count; i++) {
		if (outbox->open[i] != entry)
			continue;
		x_free(&outbox->open[i]);
		outbox->count--;
		memmove(outbox->open + i, outbox->open + i + 1, (outbox->count - i) * sizeof *outbox->open);
		return;
	}
}

static bool taken(const struct outbox *outbox, uint16_t node, uint64_t nonce)
{
	for (unsigned i = 0; i < outbox->count; i++) {
		const struct entry *entry = outbox->open[i];
		if (entry->node == node && entry->has_nonce && entry->nonce == nonce)
			return true;
	}
	return false;
}

uint64_t outbox_nonce(struct outbox *outbox, uint16_t node, uint64_t next)
{
	while (taken(outbox, node, next))
		next++;
	return next;
}
