/* The rows of reasons.def as a table. Pure. */
#include "proto/reasons.h"

#include "proto/actor.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct reason_rule rows[] = {
#define REASON(SYMBOL, code, name, rule, can) {REASON_##SYMBOL, name, rule, can},
#include "proto/reasons.def"
#undef REASON
};

const struct reason_rule *reason_rule_at(unsigned index)
{
	return index < sizeof rows / sizeof *rows ? &rows[index] : NULL;
}

const struct reason_rule *reason_rule(unsigned code)
{
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

const struct reason_rule *reason_rule_named(const char *name)
{
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static void flatten(char *text, size_t room)
{
	text[room - 1] = '\0';
	size_t length = strlen(text);
	memset(text + length, 0, room - length);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
}

bool reason_sound(struct reason *reason)
{
	flatten(reason->thing, sizeof reason->thing);
	flatten(reason->inputs, sizeof reason->inputs);
	reason->over = reason->over != 0;
	return reason_rule(reason->code) != NULL && reason->count > 0;
}

void reason_to_row(const struct reason *reason, struct reason_row *row)
{
	const struct reason_rule *rule = reason_rule(reason->code);
	*row = (struct reason_row){
		.node = reason->node,
		.inputs = {reason->inputs, (uint32_t)strnlen(reason->inputs, REASON_INPUTS)},
		.count = reason->count,
		.first_ms = reason->first_ms,
		.last_ms = reason->last_ms,
		.next_ms = reason->next_ms,
		.over = reason->over != 0};
	snprintf(row->name, sizeof row->name, "%s", rule ? rule->name : "?");
	snprintf(row->actor, sizeof row->actor, "%s", reason->kind ? kind_name(reason->kind) : "");
	snprintf(row->thing, sizeof row->thing, "%.*s", REASON_THING, reason->thing);
}
