/* The list of blobs. Pure but for the reading. */
#include "auditor/list.h"

#include "actors/base/memory/memory.h"

#include <stdlib.h>
#include <string.h>

static bool read_line(const char *line, struct listed *row)
{
	size_t cid = strcspn(line, " \t\r\n");
	const char *root = line + cid + strspn(line + cid, " \t");
	size_t length = strcspn(root, " \t\r\n");
	return cid_parse(line, cid, &row->cid) && hex_parse(root, length, row->root.bytes, 32);
}

struct listed *list_read(FILE *file, size_t *count, size_t *line)
{
	struct listed *rows = NULL;
	char *text = NULL;
	size_t room = 0, number = 0, bytes = 0;
	bool wrong = false;
	*count = *line = 0;
	while (!wrong && getline(&text, &bytes, file) >= 0) {
		number++;
		if (text[0] == '#' || text[strspn(text, " \t\r\n")] == '\0')
			continue;
		if (*count == room) {
			room = room ? 2 * room : 64;
			rows = x_grow(rows, room * sizeof *rows);
		}
		wrong = *count == LIST_MOST || !read_line(text, &rows[*count]);
		*count += !wrong;
	}
	free(text);
	if (wrong)
		*line = number;
	if (wrong || ferror(file) || !*count)
		x_free(&rows);
	return rows;
}
