/* What the two halves of the outbox share. */
#ifndef WARREN_CHAIN_OUTBOX_INSIDE_H
#define WARREN_CHAIN_OUTBOX_INSIDE_H

#include "actors/chain/outbox.h"

#include <sqlite3.h>

/* S(SYMBOL, sql) */
enum outbox_sql {
	SQL_ADD, SQL_SAVE, SQL_ONCE, SQL_DATA, SQL_OPEN, SQL_LIST, SQL_FORGET, SQL_FORGET_ATTEMPTS,
	SQL_ATTEMPT, SQL_SIGNED, SQL_UNSIGNED, SQL_ATTEMPTS, SQL_RAW, SQL_GENESIS, SQL_SET_GENESIS, SQL_CONFIRMED,
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK,
	SQL_COUNT
};

struct outbox {
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT];
	struct entry *open[OUTBOX_OPEN];
	unsigned count;
	uint64_t confirmed;
	char why[OUTBOX_WHY];
};

struct entry *outbox_keep(struct outbox *outbox, const struct entry *entry);
void outbox_let_go(struct outbox *outbox, const struct entry *entry);

/* outbox_file.c: a bound statement, run. */
sqlite3_stmt *outbox_sql(struct outbox *outbox, enum outbox_sql which);
bool outbox_run(struct outbox *outbox, sqlite3_stmt *statement);  /* one that gives no row */
bool outbox_row(struct outbox *outbox, sqlite3_stmt *statement);  /* whether there is one more */
void outbox_entry_of(sqlite3_stmt *row, struct entry *entry);

#endif
