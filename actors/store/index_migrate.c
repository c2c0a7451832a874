/* An index of an older version becomes one of ours. Main thread, before the store is open.
 *
 * Version 1 is every index from before versions were counted. `meta` had three shapes under it: at first neither `synced` nor
 * `commits`, then `commits`, then both. Where `synced` was not told, a group's bytes were synced before its rows were written, so
 * all that has a row was durable. Version 2: both columns. Version 3: what pins and the trash need; nothing is pinned, nothing is in
 * the trash, and nothing holds the collector, as all of that is known. */
#include "actors/store/index_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/migrate/migrate.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct draft {
	char path[4200];
	unsigned from;
	struct index index; /* the words of an error */
};

/* As version 2 had it. */
#define META_2 \
	"CREATE TABLE meta (store BLOB NOT NULL, blobs INTEGER NOT NULL, bytes INTEGER NOT NULL, units " \
	"INTEGER NOT NULL," \
	" corrupt INTEGER NOT NULL, sequence INTEGER NOT NULL, synced INTEGER NOT NULL, commits INTEGER " \
	"NOT NULL);"

static enum migrate_end migrate_end_of(struct draft *draft, int code, char why[MIGRATE_WHY])
{
	enum index_end end = index_end_of(&draft->index, code);
	snprintf(why, MIGRATE_WHY, "the index of version %u cannot be turned into one of version %d: %s",
		 draft->from, INDEX_VERSION, draft->index.why);
	return end == INDEX_OK        ? MIGRATE_OK
	       : end == INDEX_FULL    ? MIGRATE_FULL
	       : end == INDEX_DAMAGED ? MIGRATE_DAMAGED
				      : MIGRATE_DISK;
}

static int has_column(sqlite3 *db, const char *table, const char *name, bool *has)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?", -1,
				      &statement, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
		code = sqlite3_step(statement);
		*has = code == SQLITE_ROW && sqlite3_column_int(statement, 0);
	}
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Not in WAL: a draft is one file. What of it is not on the disk is synced by whoever renames it. */
static int begin(sqlite3 *db)
{
	return sqlite3_exec(
		db, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;",
		NULL, NULL, NULL);
}

static int one_to_two(sqlite3 *db)
{
	bool synced = false, commits = false;
	char sql[1024];
	int code = has_column(db, "meta", "synced", &synced);
	if (code == SQLITE_OK)
		code = has_column(db, "meta", "commits", &commits);
	if (code != SQLITE_OK)
		return code;
	snprintf(
		sql, sizeof sql,
		"BEGIN; ALTER TABLE meta RENAME TO older;" META_2 "INSERT INTO meta SELECT store, blobs, "
		"bytes, units, corrupt, sequence, %s, %s FROM older; DROP TABLE older; PRAGMA user_version = "
		"2; COMMIT;",
		synced ? "synced" : "sequence", commits ? "commits" : "0");
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Adding a column with a default changes no row. One that is there stays: so a file whose number alone was set back is ours. */
static int two_to_three(sqlite3 *db)
{
	static const struct {
		const char *table, *name, *sql;
	} columns[] = {{"blob", "pinned", "ALTER TABLE blob ADD COLUMN " INDEX_PINNED},
		       {"blob", "trashed", "ALTER TABLE blob ADD COLUMN " INDEX_TRASHED},
		       {"meta", "held", "ALTER TABLE meta ADD COLUMN " INDEX_HELD}};
	int code = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	for (unsigned i = 0; i < sizeof columns / sizeof *columns && code == SQLITE_OK; i++) {
		bool has = false;
		code = has_column(db, columns[i].table, columns[i].name, &has);
		if (code == SQLITE_OK && !has)
			code = sqlite3_exec(db, columns[i].sql, NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(
			db, "DROP INDEX IF EXISTS trash; " INDEX_TRASH " PRAGMA user_version = 3; COMMIT;",
			NULL, NULL, NULL);
	return code;
}

static enum migrate_end step(void *context, unsigned from, char why[MIGRATE_WHY])
{
	struct draft *draft = context;
	int code = sqlite3_open_v2(draft->path, &draft->index.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				   NULL);
	bug_if(!draft->index.db);
	sqlite3_extended_result_codes(draft->index.db, 1);
	if (code == SQLITE_OK)
		code = begin(draft->index.db);
	if (code == SQLITE_OK)
		code = from == 1 ? one_to_two(draft->index.db) : two_to_three(draft->index.db);
	enum migrate_end end = MIGRATE_OK;
	if (code != SQLITE_OK)
		end = migrate_end_of(draft, sqlite3_extended_errcode(draft->index.db), why);
	sqlite3_close(draft->index.db);
	return end;
}

static int version_of(sqlite3 *db, unsigned *version)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*version = (unsigned)sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* All of the old one into one file, and its log gone: a log that stayed would be read into the new one. Says its version. */
static enum index_end settle(struct draft *draft, const char *path, char why[MIGRATE_WHY])
{
	char log[4200];
	struct stat left;
	int code = sqlite3_open_v2(path, &draft->index.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	bug_if(!draft->index.db);
	sqlite3_extended_result_codes(draft->index.db, 1);
	if (code == SQLITE_OK)
		code = sqlite3_exec(draft->index.db,
				    "PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE;", NULL, NULL,
				    NULL);
	if (code == SQLITE_OK)
		code = version_of(draft->index.db, &draft->from);
	enum index_end end = code == SQLITE_OK
				     ? INDEX_OK
				     : index_end_of(&draft->index, sqlite3_extended_errcode(draft->index.db));
	snprintf(why, MIGRATE_WHY, "the older index: %s", draft->index.why);
	sqlite3_close(draft->index.db);
	snprintf(log, sizeof log, "%s-wal", path);
	/* An empty one is left when the disk refused to remove it; SQLite takes it for none, and so never tries again. */
	if (end == INDEX_OK && stat(log, &left) == 0 && (left.st_size || unlink(log) != 0)) {
		snprintf(why, MIGRATE_WHY, "the older index does not let go of its log");
		end = INDEX_DISK;
	}
	if (end == INDEX_OK && (draft->from < 1 || draft->from >= INDEX_VERSION)) {
		snprintf(why, MIGRATE_WHY, "the index is of no older version");
		end = INDEX_DAMAGED;
	}
	return end;
}

enum index_end index_migrate(int folder, const char *path, unsigned *from, void (*alive)(void *),
			     void *alive_context, char why[INDEX_MIGRATE_WHY])
{
	_Static_assert((int)INDEX_MIGRATE_WHY == (int)MIGRATE_WHY, "a reason of migrate() fits");
	struct draft *draft = x_new(sizeof *draft);
	snprintf(draft->path, sizeof draft->path, "%s" MIGRATE_DRAFT, path);
	enum index_end end = settle(draft, path, why);
	if (end == INDEX_OK) {
		static const enum index_end ends[] = {[MIGRATE_OK] = INDEX_OK,
						      [MIGRATE_FULL] = INDEX_FULL,
						      [MIGRATE_DISK] = INDEX_DISK,
						      [MIGRATE_DAMAGED] = INDEX_DAMAGED};
		const struct migration migration = {INDEX_FILE, draft->from, INDEX_VERSION, step,
						    draft,      alive,       alive_context};
		end = ends[migrate(folder, &migration, why)];
	}
	*from = draft->from;
	x_free(&draft);
	return end;
}
