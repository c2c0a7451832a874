/* An index of an older version becomes one of ours. Main thread, before the store is open.
 *
 * Version 1 is every index from before versions were counted. `meta` had three shapes under it: at first neither `synced` nor
 * `commits`, then `commits`, then both. Where `synced` was not told, a group's bytes were synced before its rows were written, so
 * all that has a row was durable. Version 2: both columns, in the order of index_open.c. */
#include "actors/store/index_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/migrate/migrate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct draft {
	char path[4200];
	struct index index; /* the words of an error */
};

static enum migrate_end migrate_end_of(struct draft *draft, int code, char why[MIGRATE_WHY])
{
	enum index_end end = index_end_of(&draft->index, code);
	snprintf(why, MIGRATE_WHY, "the index of version 1 cannot be turned into one of version %d: %s",
		 INDEX_VERSION, draft->index.why);
	return end == INDEX_OK        ? MIGRATE_OK
	       : end == INDEX_FULL    ? MIGRATE_FULL
	       : end == INDEX_DAMAGED ? MIGRATE_DAMAGED
				      : MIGRATE_DISK;
}

static int has_column(sqlite3 *db, const char *name, bool *has)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM pragma_table_info('meta') WHERE name = ?", -1,
				      &statement, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
		code = sqlite3_step(statement);
		*has = code == SQLITE_ROW && sqlite3_column_int(statement, 0);
	}
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Not in WAL: a draft is one file. What of it is not on the disk is synced by whoever renames it. */
static int rewrite(sqlite3 *db)
{
	bool synced = false, commits = false;
	char sql[1024];
	int code = sqlite3_exec(
		db, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;",
		NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = has_column(db, "synced", &synced);
	if (code == SQLITE_OK)
		code = has_column(db, "commits", &commits);
	if (code != SQLITE_OK)
		return code;
	snprintf(
		sql, sizeof sql,
		"BEGIN; ALTER TABLE meta RENAME TO older;" INDEX_META "INSERT INTO meta SELECT store, blobs, "
		"bytes, units, corrupt, sequence, %s, %s FROM older; DROP TABLE older; PRAGMA user_version = "
		"2; COMMIT;",
		synced ? "synced" : "sequence", commits ? "commits" : "0");
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static enum migrate_end step(void *context, unsigned from, char why[MIGRATE_WHY])
{
	struct draft *draft = context;
	(void)from; /* 1: there is no other yet */
	int code = sqlite3_open_v2(draft->path, &draft->index.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				   NULL);
	bug_if(!draft->index.db);
	sqlite3_extended_result_codes(draft->index.db, 1);
	if (code == SQLITE_OK)
		code = rewrite(draft->index.db);
	enum migrate_end end = MIGRATE_OK;
	if (code != SQLITE_OK)
		end = migrate_end_of(draft, sqlite3_extended_errcode(draft->index.db), why);
	sqlite3_close(draft->index.db);
	return end;
}

/* All of the old one into one file, and its log gone: a log that stayed would be read into the new one. */
static enum index_end settle(struct draft *draft, const char *path, char why[MIGRATE_WHY])
{
	char log[4200];
	int code = sqlite3_open_v2(path, &draft->index.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	bug_if(!draft->index.db);
	sqlite3_extended_result_codes(draft->index.db, 1);
	if (code == SQLITE_OK)
		code = sqlite3_exec(draft->index.db,
				    "PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE;", NULL, NULL,
				    NULL);
	enum index_end end = code == SQLITE_OK
				     ? INDEX_OK
				     : index_end_of(&draft->index, sqlite3_extended_errcode(draft->index.db));
	snprintf(why, MIGRATE_WHY, "the index of version 1: %s", draft->index.why);
	sqlite3_close(draft->index.db);
	snprintf(log, sizeof log, "%s-wal", path);
	if (end == INDEX_OK && access(log, F_OK) == 0) {
		snprintf(why, MIGRATE_WHY, "the index of version 1 does not let go of its log");
		end = INDEX_DISK;
	}
	return end;
}

enum index_end index_migrate(int folder, const char *path, void (*alive)(void *), void *alive_context,
			     char why[INDEX_MIGRATE_WHY])
{
	_Static_assert((int)INDEX_MIGRATE_WHY == (int)MIGRATE_WHY, "a reason of migrate() fits");
	struct draft *draft = x_new(sizeof *draft);
	snprintf(draft->path, sizeof draft->path, "%s" MIGRATE_DRAFT, path);
	const struct migration migration = {INDEX_FILE, 1, INDEX_VERSION, step, draft, alive, alive_context};
	enum index_end end = settle(draft, path, why);
	if (end == INDEX_OK) {
		static const enum index_end ends[] = {[MIGRATE_OK] = INDEX_OK,
						      [MIGRATE_FULL] = INDEX_FULL,
						      [MIGRATE_DISK] = INDEX_DISK,
						      [MIGRATE_DAMAGED] = INDEX_DAMAGED};
		end = ends[migrate(folder, &migration, why)];
	}
	x_free(&draft);
	return end;
}
