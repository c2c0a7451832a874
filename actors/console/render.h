/* What reaches the terminal: text made harmless, lines, tables, marks. What processes say is never printed as
 * it came: they may be broken or taken over, and a terminal obeys what it is sent. */
#ifndef WARREN_CONSOLE_RENDER_H
#define WARREN_CONSOLE_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Copies UTF-8 so that it is harmless: each control character (C0, C1, marks of writing direction and of no
 * width, line separators) and each byte that is not UTF-8 becomes "?", a tab a space. With `lines` a line
 * feed stays. The result is UTF-8, terminated, cut between characters; returns its length. `out` may not be
 * `at`. */
size_t clean(const char *at, size_t length, bool lines, char *out, size_t room);

/* Of a terminated text, into an array. */
#define clean_text(text, out) clean_into(text, out, sizeof(out))
const char *clean_into(const char *text, char *out, size_t room);

/* Characters, each taken to be one column wide; `text` is UTF-8. */
size_t width(const char *text);

enum tint { PLAIN, GOOD, DOUBTFUL, BAD_NEWS, FAINT };

/* Where lines go. */
struct page {
	FILE *to;
	bool tinted; /* only ever on a terminal */
};

/* Standard output; tinted on a terminal, unless NO_COLOR is set or TERM is dumb. */
struct page page_open(FILE *to);

/* Prints; whatever the arguments were, what comes out is clean, with line feeds. */
void say(const struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_in(const struct page *page, enum tint tint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* -- tables ----------------------------------------------------------------------------------------------- */

enum { COLUMNS_MAX = 16 };

struct table {
	unsigned columns;
	char *headers[COLUMNS_MAX];
	bool right[COLUMNS_MAX]; /* aligned to the right */
	char **cells;
	enum tint *tints; /* of each row */
	size_t count, room;
};

/* `headers` are separated by spaces, "~" in one is a space in print; one that begins with ">" is aligned to
 * the right. */
void table_begin(struct table *table, const char *headers);

/* The next cell; after the last column comes the next row. One line, cleaned. */
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_tint(struct table *table, enum tint tint); /* of the row of the last cell */

/* Prints it with `indent` spaces before each line. A table without rows prints nothing. */
void table_print(const struct table *table, const struct page *page, unsigned indent);
void table_end(struct table *table);

#endif
