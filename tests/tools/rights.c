/* Prints proto/rights.txt from the rows: who may ask whom what, one line for each call and kind of caller, and who may hear
 * which event. Sorted, so that a new right is a new line in a diff and nothing else moves. */
#include "proto/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 4096, LINE = 160 };

struct lines {
	char text[LINES][LINE];
	unsigned count;
};

/* "gateway@N": the node of the right; "gateway@*": any; "steward": there is one. */
static const char *who(unsigned kind, bool same_node, char text[WHO_TEXT])
{
	const struct actor_row *row = actor_row(kind);
	const char *node = row && row->scope == PER_NODE ? same_node ? "@N" : "@*" : "";
	snprintf(text, WHO_TEXT, "%s%s", kind ? kind_name(kind) : "every process", node);
	return text;
}

static void add(struct lines *lines, const char *verb, unsigned caller, bool same_node, unsigned callee,
		const char *name, const char *terms)
{
	char from[WHO_TEXT], to[WHO_TEXT];
	if (lines->count == LINES)
		abort();
	snprintf(lines->text[lines->count++], LINE, "%-11s  %-8s  %-13s  %-16s  %s",
		 who(caller, same_node, from), verb, who(callee, same_node, to), name, terms);
}

static const char *effect_text(enum effect effect)
{
	switch (effect) {
	case READ:
		return "read";
	case IDEMPOTENT:
		return "idempotent";
	case ONCE:
		return "once";
	}
	return "?";
}

static void add_cells(struct lines *lines, const char *verb, rights may, unsigned callee, const char *name,
		      const char *terms)
{
	for (unsigned kind = 1; kind < KINDS; kind++) {
		if (may & MAY(kind, ANY_NODE))
			add(lines, verb, kind, false, callee, name, terms);
		else if (may & MAY(kind, SAME_NODE))
			add(lines, verb, kind, true, callee, name, terms);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int main(void)
{
	static struct lines lines;
	char terms[64];
	for (unsigned i = 0; call_at(i); i++) {
		const struct call_row *row = call_at(i);
		snprintf(terms, sizeof terms, "%-10s %5u ms", effect_text(row->effect), row->deadline_ms);
		add_cells(&lines, "may ask", row->may, row->number >> 8, row->name, terms);
	}
	for (unsigned i = 0; event_at(i); i++)
		add_cells(&lines, "may hear", event_at(i)->may, event_at(i)->number >> 8, event_at(i)->name,
			  "event");
	qsort(lines.text, lines.count, LINE, by_text);
	for (unsigned i = 0; i < lines.count; i++)
		puts(lines.text[i]);
	return fflush(stdout) == 0 ? 0 : 1;
}
