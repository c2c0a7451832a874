/* The file of the outbox: made, opened, recognised; and what SQLite's errors mean for us. */
#include "actors/chain/outbox_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "proto/formats.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { APPLICATION = 0x57524e43 /* "WRNC" */, BUSY_MS = 2000 };

#define ENTRY \
	"id, once, node, purpose, method, receiver, value, gas, fee_cap, asked, length, state, settled, " \
	"cancelling, " \
	"nonce, max_fee, priority, attempts, hash, block_hash, block, fee_paid, reverted, instead, why"

static const char schema[] =
	"CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, once BLOB NOT NULL UNIQUE, node INTEGER "
	"NOT NULL,"
	" purpose TEXT NOT NULL, method TEXT NOT NULL, receiver BLOB NOT NULL, value BLOB NOT NULL, gas "
	"INTEGER NOT NULL,"
	" fee_cap BLOB NOT NULL, asked INTEGER NOT NULL, length INTEGER NOT NULL, state INTEGER NOT NULL,"
	" settled INTEGER NOT NULL, cancelling INTEGER NOT NULL, nonce INTEGER, max_fee BLOB NOT NULL,"
	" priority BLOB NOT NULL, attempts INTEGER NOT NULL, hash BLOB, block_hash BLOB NOT NULL, block "
	"INTEGER NOT NULL,"
	" fee_paid BLOB NOT NULL, reverted INTEGER NOT NULL, instead INTEGER NOT NULL, why TEXT NOT NULL,"
	" data BLOB NOT NULL);"
	"CREATE INDEX entry_open ON entry (id) WHERE settled = 0;"
	"CREATE TABLE attempt (entry INTEGER NOT NULL, number INTEGER NOT NULL, once BLOB NOT NULL, nonce "
	"INTEGER NOT NULL,"
	" max_fee BLOB NOT NULL, priority BLOB NOT NULL, cancel INTEGER NOT NULL, hash BLOB, raw BLOB,"
	" PRIMARY KEY (entry, number)) WITHOUT ROWID;"
	"CREATE TABLE meta (chain INTEGER NOT NULL, genesis BLOB);";

static const char *const sql[SQL_COUNT] = {
	[SQL_ADD] =
		"INSERT INTO entry (once, node, purpose, method, receiver, value, gas, fee_cap, asked, "
		"length, data,"
		" state, settled, cancelling, max_fee, priority, attempts, block_hash, block, fee_paid, "
		"reverted,"
		" instead, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, 0, zeroblob(32),"
		" zeroblob(32), 0, zeroblob(32), 0, zeroblob(32), 0, 0, '')",
	[SQL_SAVE] =
		"UPDATE entry SET gas = ?2, fee_cap = ?3, state = ?4, settled = ?5, cancelling = ?6, nonce = "
		"?7,"
		" max_fee = ?8, priority = ?9, attempts = ?10, hash = ?11, block_hash = ?12, block = ?13,"
		" fee_paid = ?14, reverted = ?15, instead = ?16, why = ?17 WHERE id = ?1",
	[SQL_ONCE] = "SELECT " ENTRY ", data FROM entry WHERE once = ?1",
	[SQL_DATA] = "SELECT data FROM entry WHERE id = ?1",
	[SQL_OPEN] = "SELECT " ENTRY " FROM entry WHERE settled = 0 ORDER BY id",
	[SQL_LIST] =
		"SELECT " ENTRY
		" FROM entry WHERE (?1 = 0 OR node = ?1) AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
	[SQL_FORGET] = "DELETE FROM entry WHERE settled = 1 AND id <= ?1",
	[SQL_FORGET_ATTEMPTS] =
		"DELETE FROM attempt WHERE entry NOT IN (SELECT id FROM entry) AND entry <= ?1",
	[SQL_ATTEMPT] = "INSERT INTO attempt (entry, number, once, nonce, max_fee, priority, cancel)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_SIGNED] = "UPDATE attempt SET hash = ?3, raw = ?4 WHERE entry = ?1 AND number = ?2",
	[SQL_UNSIGNED] = "DELETE FROM attempt WHERE entry = ?1 AND number = ?2 AND hash IS NULL",
	[SQL_ATTEMPTS] = "SELECT number, once, nonce, max_fee, priority, cancel, hash FROM attempt"
			 " WHERE entry = ?1 AND nonce = ?2 ORDER BY number DESC LIMIT ?3",
	[SQL_RAW] = "SELECT raw FROM attempt WHERE entry = ?1 AND number = ?2",
	[SQL_GENESIS] = "SELECT genesis FROM meta WHERE genesis IS NOT NULL",
	[SQL_SET_GENESIS] = "UPDATE meta SET genesis = ?1",
	[SQL_CONFIRMED] = "SELECT count(*) FROM entry WHERE state = ?1",
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
};

/* -- errors ------------------------------------------------------------------------------------ */

static enum outbox_end end_of(struct outbox *outbox)
{
	int code = sqlite3_errcode(outbox->db) & 0xff;
	snprintf(outbox->why, sizeof outbox->why, "%s", sqlite3_errmsg(outbox->db));
	if (code == SQLITE_OK)
		return OUTBOX_OK;
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR ? OUTBOX_DAMAGED
										       : OUTBOX_DISK;
}

sqlite3_stmt *outbox_sql(struct outbox *outbox, enum outbox_sql which)
{
	sqlite3_stmt *statement = outbox->statements[which];
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return statement;
}

bool outbox_run(struct outbox *outbox, sqlite3_stmt *statement)
{
	bool done = sqlite3_step(statement) == SQLITE_DONE;
	if (!done)
		end_of(outbox);
	sqlite3_reset(statement);
	return done;
}

bool outbox_row(struct outbox *outbox, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		end_of(outbox);
	sqlite3_reset(statement);
	return false;
}

/* -- rows -------------------------------------------------------------------------------------- */

static void blob_at(sqlite3_stmt *row, int column, void *into, size_t size)
{
	const void *bytes = sqlite3_column_blob(row, column);
	if (bytes && (size_t)sqlite3_column_bytes(row, column) == size)
		memcpy(into, bytes, size);
}

static void text_at(sqlite3_stmt *row, int column, char *into, size_t room)
{
	const unsigned char *words = sqlite3_column_text(row, column);
	snprintf(into, room, "%s", words ? (const char *)words : "");
}

static uint64_t number_at(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

/* The columns of ENTRY, in their order. */
void outbox_entry_of(sqlite3_stmt *row, struct entry *entry)
{
	*entry = (struct entry){.id = number_at(row, 0),
				.node = (uint16_t)number_at(row, 2),
				.gas = number_at(row, 7),
				.asked_s = number_at(row, 9),
				.length = (uint32_t)number_at(row, 10),
				.state = (enum outbox_state)number_at(row, 11),
				.settled = number_at(row, 12),
				.cancelling = number_at(row, 13),
				.has_nonce = sqlite3_column_type(row, 14) != SQLITE_NULL,
				.nonce = number_at(row, 14),
				.attempts = (uint32_t)number_at(row, 17),
				.has_hash = sqlite3_column_type(row, 18) != SQLITE_NULL,
				.block = number_at(row, 20),
				.reverted = number_at(row, 22),
				.nothing = number_at(row, 23)};
	blob_at(row, 1, &entry->once, sizeof entry->once);
	text_at(row, 3, entry->purpose, sizeof entry->purpose);
	text_at(row, 4, entry->method, sizeof entry->method);
	blob_at(row, 5, &entry->to, sizeof entry->to);
	blob_at(row, 6, &entry->value, sizeof entry->value);
	blob_at(row, 8, &entry->fee_cap, sizeof entry->fee_cap);
	blob_at(row, 15, &entry->fee.max, sizeof entry->fee.max);
	blob_at(row, 16, &entry->fee.priority, sizeof entry->fee.priority);
	blob_at(row, 18, &entry->hash, sizeof entry->hash);
	blob_at(row, 19, &entry->block_hash, sizeof entry->block_hash);
	blob_at(row, 21, &entry->fee_paid, sizeof entry->fee_paid);
	text_at(row, 24, entry->why, sizeof entry->why);
}

/* -- opening ----------------------------------------------------------------------------------- */

void outbox_warm(void)
{
	uint8_t seed;
	sqlite3_initialize();
	sqlite3_randomness(1, &seed); /* from a file, which it cannot open later */
}

static bool execute(struct outbox *outbox, const char *statements)
{
	return sqlite3_exec(outbox->db, statements, NULL, NULL, NULL) == SQLITE_OK;
}

static bool pragma(struct outbox *outbox, const char *question, int64_t *value)
{
	sqlite3_stmt *statement = NULL;
	bool good = sqlite3_prepare_v2(outbox->db, question, -1, &statement, NULL) == SQLITE_OK &&
		    sqlite3_step(statement) == SQLITE_ROW;
	*value = good ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return good;
}

static bool make(struct outbox *outbox, uint64_t chain_id)
{
	char more[192];
	snprintf(
		more, sizeof more,
		"PRAGMA application_id = %d; PRAGMA user_version = %d; INSERT INTO meta VALUES (%llu, NULL);",
		APPLICATION, OUTBOX_VERSION, (unsigned long long)chain_id);
	return execute(outbox, "BEGIN") && execute(outbox, schema) && execute(outbox, more) &&
	       execute(outbox, "COMMIT");
}

/* Whether it is ours: the application, the version, the chain. Version 0 of nobody's application is a new file. */
static enum outbox_end recognise(struct outbox *outbox, uint64_t chain_id)
{
	int64_t application, version, tables, chain;
	if (!pragma(outbox, "PRAGMA application_id", &application) ||
	    !pragma(outbox, "PRAGMA user_version", &version) ||
	    !pragma(outbox, "SELECT count(*) FROM sqlite_schema", &tables))
		return end_of(outbox);
	if (!application && !version && !tables)
		return make(outbox, chain_id) ? OUTBOX_OK : end_of(outbox);
	if (application == APPLICATION && version > OUTBOX_VERSION) {
		format_newer("outbox", (unsigned long long)version, OUTBOX_VERSION, outbox->why);
		return OUTBOX_NEWER;
	}
	snprintf(outbox->why, sizeof outbox->why, "not an outbox of ours");
	if (application != APPLICATION || version != OUTBOX_VERSION)
		return OUTBOX_DAMAGED;
	if (!pragma(outbox, "SELECT chain FROM meta", &chain))
		return end_of(outbox);
	snprintf(outbox->why, sizeof outbox->why,
		 "the outbox of chain %lld, and the profile is of chain %llu: move it away, or go back to "
		 "that profile",
		 (long long)chain, (unsigned long long)chain_id);
	return (uint64_t)chain == chain_id ? OUTBOX_OK : OUTBOX_DAMAGED;
}

static enum outbox_end prepare(struct outbox *outbox)
{
	for (int i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(outbox->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &outbox->statements[i], NULL) != SQLITE_OK)
			return end_of(outbox);
	return OUTBOX_OK;
}

static enum outbox_end load(struct outbox *outbox)
{
	struct entry entry;
	outbox->why[0] = '\0';
	sqlite3_stmt *row = outbox_sql(outbox, SQL_OPEN);
	while (outbox->count < OUTBOX_OPEN && outbox_row(outbox, row)) {
		outbox_entry_of(row, &entry);
		outbox_keep(outbox, &entry);
	}
	row = outbox_sql(outbox, SQL_CONFIRMED);
	sqlite3_bind_int(row, 1, SENT_CONFIRMED);
	if (outbox_row(outbox, row))
		outbox->confirmed = number_at(row, 0);
	sqlite3_reset(row);
	return outbox->why[0] ? OUTBOX_DISK : OUTBOX_OK;
}

enum outbox_end outbox_open(struct outbox **at, const char *path, uint64_t chain_id, char why[OUTBOX_WHY])
{
	struct outbox *outbox = *at = x_new(sizeof *outbox);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); /* SQLite would make it 0644 */
	if (fd >= 0)
		close(fd);
	int code =
		sqlite3_open_v2(path, &outbox->db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	bug_if(!outbox->db);
	enum outbox_end end = code == SQLITE_OK ? OUTBOX_OK : end_of(outbox);
	sqlite3_busy_timeout(outbox->db, BUSY_MS);
	sqlite3_db_config(outbox->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* One process, one connection: the log's index needs no shared memory. */
	if (end == OUTBOX_OK &&
	    !execute(outbox, "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
			     "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			     "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;"))
		end = end_of(outbox);
	if (end == OUTBOX_OK)
		end = recognise(outbox, chain_id);
	if (end == OUTBOX_OK)
		end = prepare(outbox);
	if (end == OUTBOX_OK)
		end = load(outbox);
	snprintf(why, OUTBOX_WHY, "%s", end == OUTBOX_OK ? "" : outbox->why);
	if (end != OUTBOX_OK)
		outbox_close(at);
	return end;
}

void outbox_close(struct outbox **at)
{
	struct outbox *outbox = *at;
	while (outbox->count)
		outbox_let_go(outbox, outbox->open[0]);
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(outbox->statements[i]);
	sqlite3_close(outbox->db);
	x_free(at);
}
