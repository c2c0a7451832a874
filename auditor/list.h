/* The list of what a node should hold: a CID and a root in each line, then whatever (size and name, as `warren cid` prints them).
 * Empty lines and those that begin with "#" are passed over. */
#ifndef WARREN_AUDITOR_LIST_H
#define WARREN_AUDITOR_LIST_H

#include "proto/ids.h"

#include <stdio.h>

enum { LIST_MOST = 1000000 };

struct listed {
	struct cid cid;
	struct hash root;
};

/* x_new'd rows, `*count` of them; NULL: `*line` is the first that is wrong (0: the file cannot be read, is empty or too long). */
struct listed *list_read(FILE *file, size_t *count, size_t *line);

#endif
