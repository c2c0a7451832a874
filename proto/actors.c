/* The rows of actors.def and walls.def as tables, and the words for them. Pure: no I/O, no state. */
#include "proto/actors.h"

#include "proto/birth.h"

#include <stdio.h>
#include <string.h>

static const struct actor_row rows[] = {
#define ACTOR(SYMBOL, name, number, ...) {SYMBOL, #name, __VA_ARGS__},
#include "proto/actors.def"
#undef ACTOR
};

static const struct wall_row walls[WALLS] = {
#define WALL(SYMBOL, name, stops, remedy) {#name, stops, remedy},
#include "proto/walls.def"
#undef WALL
};

const struct actor_row *actor_row(unsigned kind)
{
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].kind == kind)
			return &rows[i];
	return NULL;
}

const struct wall_row *wall_row(unsigned wall)
{
	return &walls[wall];
}

const char *kind_name(unsigned kind)
{
	const struct actor_row *row = actor_row(kind);
	if (row)
		return row->name;
	if (kind == READER)
		return "reader";
	return kind == OPERATOR ? "operator" : "?";
}

enum kind kind_by_name(const char *name, unsigned length)
{
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
			return rows[i].kind;
	return KIND_NONE;
}

const char *who_text(unsigned kind, unsigned node, char text[WHO_TEXT])
{
	const struct actor_row *row = actor_row(kind);
	if (row && row->scope == PER_NODE)
		snprintf(text, WHO_TEXT, "%s@%u", row->name, node % (NODES_MAX + 1));
	else
		snprintf(text, WHO_TEXT, "%s", kind_name(kind));
	return text;
}

bool who_parse(const char *text, enum kind *kind, uint16_t *node)
{
	unsigned length = (unsigned)strcspn(text, "@"), number = 0;
	*kind = kind_by_name(text, length);
	const struct actor_row *row = actor_row(*kind);
	if (!row)
		return false;
	if (row->scope == PER_MACHINE) {
		*node = 0;
		return text[length] == '\0';
	}
	if (text[length] != '@' || text[length + 1] < '1' || text[length + 1] > '9')
		return false;
	for (const char *digit = text + length + 1; *digit; digit++) {
		if (*digit < '0' || *digit > '9' || number > NODES_MAX)
			return false;
		number = number * 10 + (unsigned)(*digit - '0');
	}
	*node = (uint16_t)number;
	return number <= NODES_MAX;
}
