/* A call as a person types it. */
#ifndef WARREN_CONSOLE_TYPED_H
#define WARREN_CONSOLE_TYPED_H

#include "actors/console/console.h"

struct typed {
	enum kind kind;
	uint16_t node;
	const struct call_row *row;
	void *request;
	struct arena arena;
};

/* The first two words: who, and which call. Complains with the nearest names. */
enum ending typed_row(struct console *console, enum kind *kind, uint16_t *node, const struct call_row **row);

/* All of it. Complains. typed_end() whatever it ended with. */
enum ending typed_read(struct console *console, struct typed *typed);
void typed_end(struct typed *typed);
struct question typed_question(const struct typed *typed);

enum kind call_owner(const struct call_row *row); /* KIND_NONE: every process answers it */
bool call_is_answered(enum kind kind, const struct call_row *row);

#endif
