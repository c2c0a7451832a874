/* What index.c (the rows) and index_open.c (the file) share, and nobody else sees. */
#ifndef WARREN_STORE_INDEX_INSIDE_H
#define WARREN_STORE_INDEX_INSIDE_H

#include "actors/store/index.h"

#include <sqlite3.h>

enum statement {
	BEGIN, COMMIT, ROLLBACK,
	COUNTS, SET_COUNTS, FIND, LOOK, PAGE, EACH_BLOB, EACH_DYING,
	PUT, DIE, REMOVE, BURY, CORRUPT,
	FOUND, EACH_FOUND, FORGET_FOUND,
	STATEMENTS
};
extern const char *const index_sql[STATEMENTS];

/* The table that a migration makes again. */
#define INDEX_META                                                                                                     \
	"CREATE TABLE meta (store BLOB NOT NULL, blobs INTEGER NOT NULL, bytes INTEGER NOT NULL, units INTEGER NOT NULL," \
	" corrupt INTEGER NOT NULL, sequence INTEGER NOT NULL, synced INTEGER NOT NULL, commits INTEGER NOT NULL);"

struct index {
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENTS];
	int log_pages; /* in the write-ahead log after the last commit */
	char why[INDEX_WHY];
};

/* What SQLite's code means for us; keeps its words for index_why(). */
enum index_end index_end_of(struct index *index, int code);
enum index_end index_damaged(struct index *index, const char *why);

#endif
