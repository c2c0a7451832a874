/* Reasons and limits, ours and the broker's, as rows for the steward; and the last words of processes. Part of the
 * supervisor. What others say of themselves is made harmless first, and whom it is about is our own word. */
#include "supervisor/reasons_told.h"

#include "proto/birth.h"

#include <string.h>

struct about process_about(const struct process *process)
{
	return (struct about){process->row->kind, process->node, 0};
}

/* -- what others say ------------------------------------------------------------------------------ */

void broker_limit(struct supervisor *s, const struct roster_limit *limit)
{
	if (limit->index >= ROSTER_LIMITS)
		return;
	s->roster.limits[limit->index] = *limit;
	s->roster.limits[limit->index].kind = BROKER;
	s->roster.limits[limit->index].name[sizeof limit->name - 1] = '\0';
}

/* It is told up to a second late: an ask of one that was not there is over when it is there. */
void broker_reason(struct supervisor *s, const struct roster_reason *told)
{
	struct reason reason = told->reason;
	const struct process *process = family_find(s, (enum kind)reason.kind, reason.node);
	if (reason.code == REASON_ASK_GONE && process && process->state == PROCESS_READY)
		reason.over = 1;
	reason.count = 1; /* each time it is told it has happened again; our own record counts */
	reason_take(&reason, NULL);
}

void last_words(struct process *process, const void *bytes, size_t length)
{
	struct reason reason;
	struct about about = process_about(process);
	const char *at = memchr(bytes, LIFE_WORDS, length);
	size_t before = at ? (size_t)(at + 1 - (const char *)bytes) : 0;
	if (!at || length - before < sizeof reason)
		return;
	memcpy(&reason, at + 1, sizeof reason);
	reason.next_ms = 0;
	process->words = reason_rule(reason.code) ? reason.code : 0;
	reason_take(&reason, &about);
}

/* -- what is over --------------------------------------------------------------------------------- */

void reasons_end_of(const struct process *process)
{
	reasons_over_of(process->row->kind, process->node);
}

void reasons_end_of_node(uint16_t node)
{
	reasons_over_of(KIND_NONE, node);
}

/* -- rows ----------------------------------------------------------------------------------------- */

void reasons_told_begin(struct supervisor *s)
{
	s->control.reason_count = reasons_copy(s->control.reasons, REASONS_MAX);
}

bool reasons_row(const struct supervisor *s, unsigned index, struct control_row *row)
{
	bool more = index < s->control.reason_count;
	*row = (struct control_row){.type = more ? CONTROL_REASON : CONTROL_DONE};
	if (more)
		row->reason = s->control.reasons[index];
	return more;
}

static struct roster_limit own_limit(const struct supervisor *s, unsigned index)
{
	const struct roster_limit rows[] = {
		{.name = "stops waited for",
		 .depth = s->control.pending_count,
		 .high = s->control.pending_high,
		 .limit = CONTROL_PENDING,
		 .drops = s->control.pending_drops},
		{.name = "births under way",
		 .depth = births_under_way(s),
		 .high = s->births_high,
		 .limit = BIRTHS_AT_ONCE},
		{.name = "nodes declared",
		 .depth = s->config->count,
		 .high = s->config->count,
		 .limit = NODES_MAX},
		{.name = "reasons kept",
		 .depth = *reasons_depth(),
		 .high = *reasons_high(),
		 .limit = REASONS_MAX,
		 .drops = *reasons_drops()},
	};
	return index < sizeof rows / sizeof *rows ? rows[index] : (struct roster_limit){0};
}

bool limits_row(const struct supervisor *s, unsigned index, struct control_row *row)
{
	*row = (struct control_row){0};
	unsigned of_broker = 0;
	while (of_broker < ROSTER_LIMITS && s->roster.limits[of_broker].name[0])
		of_broker++;
	row->limit = index < of_broker ? s->roster.limits[index] : own_limit(s, index - of_broker);
	bool more = row->limit.name[0] != '\0';
	if (!more)
		*row = (struct control_row){0};
	row->type = more ? CONTROL_LIMIT : CONTROL_DONE;
	return more;
}
