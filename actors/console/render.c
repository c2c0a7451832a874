/* What reaches the terminal. Part of the console, which runs as whoever started it; writes to standard output
 * and error. */
#include "actors/console/render.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "proto/utf8.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- clean --------------------------------------------------------------------------------------------- */

size_t clean(const char *at, size_t length, bool lines, char *out, size_t room)
{
	size_t used = 0;
	for (size_t i = 0; i < length && room;) {
		uint32_t code = 0;
		unsigned bytes = utf8_read(at + i, length - i, &code);
		bool keep = bytes && (!utf8_steers(code) || (lines && code == '\n'));
		unsigned takes = keep ? bytes : 1;
		if (used + takes >= room)
			break;
		if (keep)
			memcpy(out + used, at + i, bytes);
		else
			out[used] = code == '\t' ? ' ' : '?';
		used += takes;
		i += bytes ? bytes : 1;
	}
	if (room)
		out[used] = '\0';
	return used;
}

const char *clean_into(const char *text, char *out, size_t room)
{
	clean(text, strlen(text), false, out, room);
	return out;
}

size_t width(const char *text)
{
	size_t columns = 0;
	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

/* -- lines --------------------------------------------------------------------------------------------- */

struct page page_open(FILE *to)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool plain = (no_colour && *no_colour) || !term || strcmp(term, "dumb") == 0;
	return (struct page){to, !plain && isatty(fileno(to))};
}

__attribute__((format(printf, 3, 0))) static void put(const struct page *page, enum tint tint,
						      const char *format, va_list arguments)
{
	static const char *const codes[] = {"", "\033[32m", "\033[33m", "\033[31m", "\033[2m"};
	char *text;
	int length = vasprintf(&text, format, arguments);
	bug_if(length < 0);
	char *safe = x_new((size_t)length + 1);
	clean(text, (size_t)length, true, safe, (size_t)length + 1);
	bool tinted = page->tinted && tint != PLAIN;
	fprintf(page->to, "%s%s%s", tinted ? codes[tint] : "", safe, tinted ? "\033[0m" : "");
	x_free(&safe);
	free(text);
}

void say(const struct page *page, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	put(page, PLAIN, format, arguments);
	va_end(arguments);
}

void say_in(const struct page *page, enum tint tint, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	put(page, tint, format, arguments);
	va_end(arguments);
}

/* -- tables -------------------------------------------------------------------------------------------- */

static char *copy_cleaned(const char *text, size_t length)
{
	char *copy = x_new(length + 1);
	clean(text, length, false, copy, length + 1);
	return copy;
}

void table_begin(struct table *table, const char *headers)
{
	*table = (struct table){0};
	while (*headers) {
		bug_if(table->columns == COLUMNS_MAX);
		unsigned column = table->columns++;
		table->right[column] = *headers == '>';
		headers += table->right[column];
		size_t length = strcspn(headers, " ");
		char *header = copy_cleaned(headers, length);
		for (char *at = header; *at; at++)
			*at = *at == '~' ? ' ' : *at;
		table->headers[column] = header;
		headers += length + strspn(headers + length, " ");
	}
}

void table_cell(struct table *table, const char *format, ...)
{
	if (table->count == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->cells = x_grow(table->cells, table->room * sizeof *table->cells);
		table->tints = x_grow(table->tints, table->room * sizeof *table->tints);
	}
	if (table->count % table->columns == 0)
		table->tints[table->count / table->columns] = PLAIN;
	char *text;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	bug_if(length < 0);
	table->cells[table->count++] = copy_cleaned(text, (size_t)length);
	free(text);
}

void table_tint(struct table *table, enum tint tint)
{
	table->tints[(table->count - 1) / table->columns] = tint;
}

/* One line; the last column gets no spaces after it. */
static void print_row(const struct table *table, const struct page *page, enum tint tint, unsigned indent,
		      char *const *cells, const size_t *widths)
{
	char *line = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&line, &length);
	bug_if(!to);
	for (unsigned i = 0; i < table->columns; i++) {
		int space = (int)(widths[i] - width(cells[i]));
		bool last = i + 1 == table->columns;
		fprintf(to, "%*s%s%*s%s", table->right[i] ? space : 0, "", cells[i],
			table->right[i] || last ? 0 : space, "", last ? "" : "  ");
	}
	fclose(to);
	while (length && line[length - 1] == ' ')
		line[--length] = '\0';
	say(page, "%*s", (int)indent, "");
	say_in(page, tint, "%s", line);
	say(page, "\n");
	free(line);
}

void table_print(const struct table *table, const struct page *page, unsigned indent)
{
	size_t widths[COLUMNS_MAX];
	if (table->count == 0 || table->columns == 0)
		return;
	for (unsigned i = 0; i < table->columns; i++)
		widths[i] = width(table->headers[i]);
	for (size_t i = 0; i < table->count; i++) {
		size_t wide = width(table->cells[i]);
		if (wide > widths[i % table->columns])
			widths[i % table->columns] = wide;
	}
	print_row(table, page, FAINT, indent, table->headers, widths);
	for (size_t i = 0; i + table->columns <= table->count; i += table->columns)
		print_row(table, page, table->tints[i / table->columns], indent, table->cells + i, widths);
}

void table_end(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		x_free(&table->cells[i]);
	for (unsigned i = 0; i < table->columns; i++)
		x_free(&table->headers[i]);
	x_free(&table->cells);
	x_free(&table->tints);
}
