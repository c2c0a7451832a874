/* The file of the index: made, opened, checkpointed, closed; and what SQLite's errors mean for us. */
#include "actors/store/index_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	APPLICATION = 0x57524e53, /* "WRNS" */
	PAGE_BYTES = 4096,
	GROWS_BY = 1 << 20,
	BUSY_MS = 2000,   /* the other connection may hold a lock for the length of a checkpoint's start */
	LOG_PAGES = 1000, /* written back above this many: about 4 MiB of log */
};

static const char schema[] =
	"CREATE TABLE blob (cid BLOB PRIMARY KEY, id BLOB NOT NULL, sequence INTEGER NOT NULL, size INTEGER "
	"NOT NULL,"
	" stored_at INTEGER NOT NULL, corrupt INTEGER NOT NULL, runs BLOB NOT NULL, slots BLOB, " INDEX_PINNED
	", " INDEX_TRASHED ") WITHOUT ROWID;"
	"CREATE TABLE dying (id BLOB PRIMARY KEY, cid BLOB NOT NULL, sequence INTEGER NOT NULL, size INTEGER "
	"NOT NULL,"
	" stored_at INTEGER NOT NULL, corrupt INTEGER NOT NULL, runs BLOB NOT NULL, slots BLOB) WITHOUT "
	"ROWID;"
	"CREATE TABLE found (sequence INTEGER PRIMARY KEY, unit INTEGER NOT NULL);"
	"CREATE TABLE meta (store BLOB NOT NULL, blobs INTEGER NOT NULL, bytes INTEGER NOT NULL, units "
	"INTEGER NOT NULL,"
	" corrupt INTEGER NOT NULL, sequence INTEGER NOT NULL, synced INTEGER NOT NULL, commits INTEGER NOT "
	"NULL, " INDEX_HELD ");" INDEX_TRASH;

enum index_end index_damaged(struct index *index, const char *why)
{
	snprintf(index->why, sizeof index->why, "%s", why);
	return INDEX_DAMAGED;
}

/* Whether a file of the database could not be read: SQLite's own code for that (SQLITE_IOERR_CORRUPTFS) becomes SQLITE_CORRUPT on its
 * way to us, and what it keeps of errno is what its files remember. */
static bool disk_gave_nothing(sqlite3 *db)
{
	static const int files[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
	for (int i = 0; i < 2; i++) {
		sqlite3_file *file = NULL;
		int error = 0;
		if (sqlite3_file_control(db, "main", files[i], &file) == SQLITE_OK && file &&
		    file->pMethods &&
		    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK &&
		    (error == EIO || error == ENXIO || error == ERANGE))
			return true;
	}
	return false;
}

bool index_was_unread(const struct index *index)
{
	return index && index->unread;
}

enum index_end index_end_of(struct index *index, int code)
{
	snprintf(index->why, sizeof index->why, "%s (%d)", sqlite3_errmsg(index->db), code);
	if (code == SQLITE_IOERR_READ || code == SQLITE_IOERR_CORRUPTFS ||
	    ((code & 0xff) == SQLITE_CORRUPT && disk_gave_nothing(index->db))) {
		snprintf(index->why, sizeof index->why, "the disk does not give a page of it (%d)", code);
		index->unread = true;
		return INDEX_DISK;
	}
	if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
		return INDEX_SYNC;
	if (code == SQLITE_IOERR_SHMSIZE) /* no room for the log's own index */
		return INDEX_FULL;
	switch (code & 0xff) {
	case SQLITE_OK:
		return INDEX_OK;
	case SQLITE_FULL:
		return INDEX_FULL;
	case SQLITE_ERROR: /* our own SQL does not fit its tables */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* a CID or an id that we know not to be there is there */
		return INDEX_DAMAGED;
	case SQLITE_NOMEM:
		bug("out of memory in the index");
	}
	return INDEX_DISK;
}

const char *index_why(struct index *index)
{
	return index ? index->why : "no such file";
}

static enum index_end execute(struct index *index, const char *sql)
{
	int code = sqlite3_exec(index->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? INDEX_OK : index_end_of(index, sqlite3_extended_errcode(index->db));
}

/* One number that a pragma or a query gives. */
static enum index_end number(struct index *index, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(index->db, sql, -1, &statement, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_step(statement);
		*value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		code = sqlite3_extended_errcode(index->db);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? INDEX_OK : index_end_of(index, code);
}

static int count_log(void *context, sqlite3 *db, const char *name, int pages)
{
	(void)db, (void)name;
	((struct index *)context)->log_pages = pages;
	return SQLITE_OK;
}

/* Pages are taken one by one: SQLite would take 20 at once for each connection, 88 KiB, and a small index needs few. */
static void save_memory(void)
{
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0,
		       0); /* refused after the first database: then as it is */
}

static struct index *connect(const char *path, int flags, enum index_end *end)
{
	struct index *index = x_new(sizeof *index);
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	bug_if(pthread_once(&once, save_memory) != 0);
	int code = sqlite3_open_v2(path, &index->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
				   NULL);
	bug_if(!index->db);
	sqlite3_db_config(index->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0,
			  0); /* 48 KiB of slots; malloc does */
	sqlite3_extended_result_codes(index->db, 1);
	sqlite3_busy_timeout(index->db, BUSY_MS);
	sqlite3_db_config(index->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	*end = code == SQLITE_OK ? INDEX_OK : index_end_of(index, sqlite3_extended_errcode(index->db));
	return index;
}

static void grow_in_steps(struct index *index)
{
	int bytes = GROWS_BY;
	sqlite3_file_control(index->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes);
}

static enum index_end prepare(struct index *index)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(index->db, index_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &index->statement[i], NULL) != SQLITE_OK)
			return index_end_of(index, sqlite3_extended_errcode(index->db));
	return INDEX_OK;
}

static enum index_end write_meta(struct index *index, const struct store_id *store)
{
	sqlite3_stmt *row = NULL;
	int code = sqlite3_prepare_v2(index->db, "INSERT INTO meta VALUES (?, 0, 0, 0, 0, 0, 0, 0, 0)", -1,
				      &row, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_blob(row, 1, store, sizeof *store, SQLITE_STATIC);
		code = sqlite3_step(row);
	}
	enum index_end end =
		code == SQLITE_DONE ? INDEX_OK : index_end_of(index, sqlite3_extended_errcode(index->db));
	sqlite3_finalize(row);
	return end;
}

enum index_end index_make(struct index **index, const char *path, const struct store_id *store)
{
	enum index_end end;
	char pragmas[256];
	unlink(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		      0600); /* SQLite would make it 0644 */
	if (fd >= 0)
		close(fd);
	*index = connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &end);
	/* Nobody else sees this file before it is renamed into place: its syncs are its maker's (open.c). */
	snprintf(pragmas, sizeof pragmas,
		 "PRAGMA page_size = %d; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = OFF; PRAGMA "
		 "synchronous = OFF;"
		 "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		 PAGE_BYTES, APPLICATION, INDEX_VERSION);
	if (end == INDEX_OK)
		end = execute(*index, pragmas);
	grow_in_steps(*index);
	if (end == INDEX_OK)
		end = execute(*index, schema);
	if (end == INDEX_OK)
		end = write_meta(*index, store);
	return end == INDEX_OK ? prepare(*index) : end;
}

/* Whether it is ours: the application, the version, the store. */
static enum index_end recognise(struct index *index, const struct store_id *store)
{
	int64_t application = 0, version = 0, same = 0;
	enum index_end end = number(index, "PRAGMA application_id", &application);
	if (end == INDEX_OK)
		end = number(index, "PRAGMA user_version", &version);
	if (end != INDEX_OK)
		return end;
	if (application == APPLICATION && version > INDEX_VERSION) {
		format_newer(INDEX_FILE, (unsigned long long)version, INDEX_VERSION, index->why);
		return INDEX_NEWER;
	}
	if (application != APPLICATION || version < 1)
		return index_damaged(index, "not an index of ours");
	char sql[96], id[33];
	snprintf(sql, sizeof sql, "SELECT store = x'%s' FROM meta",
		 hex_text(store->bytes, sizeof store->bytes, id));
	end = number(index, sql, &same);
	if (end != INDEX_OK)
		return end;
	if (!same)
		return index_damaged(index, "the index of another store");
	return version == INDEX_VERSION ? INDEX_OK : INDEX_OLDER;
}

static enum index_end arrange(struct index *index, enum index_mode mode)
{
	enum index_end end = execute(index, "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;");
	if (end == INDEX_OK && mode == INDEX_WRITES) {
		end = execute(index, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				     "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216;");
		grow_in_steps(index);
		sqlite3_wal_hook(index->db, count_log, index);
	}
	if (end == INDEX_OK && mode != INDEX_WRITES)
		end = execute(index, "PRAGMA query_only = ON; PRAGMA cache_size = -1024;");
	return end;
}

/* A disk that takes no writes: SQLite reads a log that is there; where there is none it must be told that none will come. */
static struct index *connect_read_only(const char *path, enum index_end *end)
{
	char text[4200];
	snprintf(text, sizeof text, "%s-wal", path);
	if (access(text, F_OK) == 0)
		return connect(path, SQLITE_OPEN_READONLY, end);
	snprintf(text, sizeof text, "file:%s?immutable=1", path);
	return connect(text, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, end);
}

enum index_end index_open(struct index **index, const char *path, const struct store_id *store,
			  enum index_mode mode)
{
	*index = NULL;
	if (access(path, F_OK) != 0)
		return errno == ENOENT ? INDEX_NONE : INDEX_DISK;
	enum index_end end;
	*index = mode == INDEX_READ_ONLY_DISK ? connect_read_only(path, &end)
					      : connect(path, SQLITE_OPEN_READWRITE, &end);
	if (end == INDEX_OK)
		end = recognise(*index, store);
	if (end == INDEX_OK)
		end = arrange(*index, mode);
	return end == INDEX_OK ? prepare(*index) : end;
}

void index_close(struct index **index)
{
	if (!*index)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize((*index)->statement[i]);
	bug_if(sqlite3_close((*index)->db) != SQLITE_OK);
	x_free(index);
}

enum index_end index_checkpoint(struct index *index, bool *done)
{
	*done = index->log_pages >= LOG_PAGES;
	if (!*done)
		return INDEX_OK;
	index->log_pages = 0; /* the next commit says how many there are */
	int code = sqlite3_wal_checkpoint_v2(index->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code == SQLITE_OK || code == SQLITE_BUSY)
		return INDEX_OK;
	return index_end_of(index, sqlite3_extended_errcode(index->db));
}

enum index_end index_begin_log_anew(struct index *index)
{
	index->log_pages = 0;
	int code = sqlite3_wal_checkpoint_v2(index->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (code == SQLITE_BUSY)
		return INDEX_DISK;
	return code == SQLITE_OK ? INDEX_OK : index_end_of(index, sqlite3_extended_errcode(index->db));
}

bool index_is_sound(struct index *index)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(index->db, "PRAGMA integrity_check(1)", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	const unsigned char *said = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
	bool sound = said && strcmp((const char *)said, "ok") == 0;
	if (!sound)
		snprintf(index->why, sizeof index->why, "%s",
			 said ? (const char *)said : sqlite3_errmsg(index->db));
	sqlite3_finalize(statement);
	return sound;
}
