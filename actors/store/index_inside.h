/* What index.c (the rows) and index_open.c (the file) share, and nobody else sees. */
#ifndef WARREN_STORE_INDEX_INSIDE_H
#define WARREN_STORE_INDEX_INSIDE_H

#include "actors/store/index.h"

#include <sqlite3.h>

enum statement {
	BEGIN, COMMIT, ROLLBACK,
	COUNTS, SET_COUNTS, FIND, LOOK, PAGE, ROWS, EXPIRED, EACH_BLOB, EACH_DYING,
	PUT, DIE, REMOVE, BURY, CORRUPT, PIN, TRASH,
	FOUND, EACH_FOUND, FORGET_FOUND,
	STATEMENTS
};
extern const char *const index_sql[STATEMENTS];

/* What version 3 has above version 2: in a new index, and at the end of a migration. */
#define INDEX_PINNED "pinned INTEGER NOT NULL DEFAULT 0"
#define INDEX_TRASHED "trashed INTEGER NOT NULL DEFAULT 0"
#define INDEX_HELD "held INTEGER NOT NULL DEFAULT 0"
#define INDEX_TRASH "CREATE INDEX trash ON blob (trashed) WHERE trashed != 0;"

struct index {
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENTS];
	int log_pages; /* in the write-ahead log after the last commit */
	bool unread;   /* the disk did not give a page */
	char why[INDEX_WHY];
};

/* What SQLite's code means for us; keeps its words for index_why(). A page that the disk did not give (EIO) SQLite calls
 * corrupt; here it is INDEX_DISK. */
enum index_end index_end_of(struct index *index, int code);
enum index_end index_damaged(struct index *index, const char *why);

#endif
