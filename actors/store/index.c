/* The rows of the index. A connection belongs to one thread; this file does no locking of its own. */
#include "actors/store/index.h"

#include "actors/store/index_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <endian.h>
#include <string.h>

#define PLAIN  "cid, id, sequence, size, stored_at, corrupt"
#define FATE   ", pinned, trashed"
#define PLACES ", runs, slots"

const char *const index_sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[COUNTS] = "SELECT blobs, bytes, units, corrupt, sequence, synced, held FROM meta",
	[SET_COUNTS] =
		"UPDATE meta SET blobs = ?, bytes = ?, units = ?, corrupt = ?, sequence = ?, synced = ?,"
		" held = ?, commits = commits + 1",
	[FIND] = "SELECT " PLAIN FATE PLACES " FROM blob WHERE cid = ?",
	[LOOK] = "SELECT " PLAIN FATE " FROM blob WHERE cid = ?",
	[PAGE] = "SELECT cid, size FROM blob WHERE cid > ? AND trashed = 0 ORDER BY cid LIMIT ?",
	[ROWS] = "SELECT " PLAIN FATE " FROM blob WHERE cid > ? ORDER BY cid LIMIT ?",
	[EXPIRED] = "SELECT cid, 0 FROM blob WHERE trashed != 0 AND trashed <= ? ORDER BY trashed LIMIT ?",
	[EACH_BLOB] = "SELECT " PLAIN FATE PLACES " FROM blob",
	[EACH_DYING] = "SELECT " PLAIN ", 0, 0" PLACES " FROM dying",
	[PUT] = "INSERT INTO blob (" PLAIN FATE PLACES ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[DIE] = "INSERT INTO dying (" PLAIN PLACES ") SELECT " PLAIN PLACES " FROM blob WHERE cid = ?",
	[REMOVE] = "DELETE FROM blob WHERE cid = ?",
	[BURY] = "DELETE FROM dying WHERE id = ?",
	[CORRUPT] = "UPDATE blob SET corrupt = 1 WHERE cid = ? AND id = ? AND corrupt = 0",
	[PIN] = "UPDATE blob SET pinned = ? WHERE cid = ?",
	[TRASH] = "UPDATE blob SET trashed = ? WHERE cid = ?",
	[FOUND] = "INSERT OR IGNORE INTO found (sequence, unit) VALUES (?, ?)",
	[EACH_FOUND] = "SELECT sequence, unit FROM found ORDER BY sequence DESC",
	[FORGET_FOUND] = "DELETE FROM found",
};

/* Steps to the one row, or to the end. The statement is left where it is; ready() takes it back to its start. */
static enum index_end step(struct index *index, enum statement which)
{
	int code = sqlite3_step(index->statement[which]);
	if (code == SQLITE_ROW)
		return INDEX_OK;
	if (code == SQLITE_DONE)
		return INDEX_NONE;
	return index_end_of(index, sqlite3_extended_errcode(index->db));
}

static sqlite3_stmt *ready(struct index *index, enum statement which)
{
	sqlite3_reset(index->statement[which]);
	return index->statement[which];
}

/* For statements without rows: INDEX_OK when done. */
static enum index_end run(struct index *index, enum statement which)
{
	enum index_end end = step(index, which);
	ready(index, which);
	return end == INDEX_NONE ? INDEX_OK : end;
}

static void bind_bytes(sqlite3_stmt *statement, int column, const void *bytes, size_t length)
{
	sqlite3_bind_blob64(statement, column, bytes, length, SQLITE_STATIC);
}

static bool column_bytes(sqlite3_stmt *statement, int column, void *into, size_t length)
{
	if (sqlite3_column_bytes(statement, column) != (int)length)
		return false;
	memcpy(into, sqlite3_column_blob(statement, column), length);
	return true;
}

/* -- a blob, from its row and to it ---------------------------------------------------------------------------------- */

static bool read_plain(sqlite3_stmt *row, struct blob *blob)
{
	*blob = (struct blob){0};
	if (!column_bytes(row, 0, &blob->cid, sizeof blob->cid) ||
	    !column_bytes(row, 1, &blob->id, sizeof blob->id))
		return false;
	blob->sequence = (uint64_t)sqlite3_column_int64(row, 2);
	blob->size = (uint64_t)sqlite3_column_int64(row, 3);
	blob->stored_at = sqlite3_column_int64(row, 4);
	blob->corrupt = sqlite3_column_int(row, 5);
	blob->pinned = sqlite3_column_int(row, 6);
	blob->trashed = sqlite3_column_int64(row, 7);
	return true;
}

static uint64_t word_at(const uint8_t *bytes, size_t i)
{
	uint64_t word;
	memcpy(&word, bytes + i * sizeof word, sizeof word);
	return le64toh(word);
}

static bool read_runs(sqlite3_stmt *row, struct blob *blob)
{
	const uint8_t *runs = sqlite3_column_blob(row, 8), *slots = sqlite3_column_blob(row, 9);
	size_t run_bytes = (size_t)sqlite3_column_bytes(row, 8),
	       slot_bytes = (size_t)sqlite3_column_bytes(row, 9);
	size_t count = run_bytes / 8;
	if (!count || run_bytes % 8 || count > RUNS_MOST ||
	    slot_bytes != slots_for((uint32_t)count) * UINT64_C(8))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct run run = run_unpack(word_at(runs, i));
		if (!run.count)
			return false;
		runs_add(&blob->runs, run);
	}
	blob->slot_count = (uint32_t)(slot_bytes / 8);
	if (blob->slot_count)
		blob->slots = x_new_array(blob->slot_count, sizeof *blob->slots);
	for (uint32_t i = 0; i < blob->slot_count; i++)
		blob->slots[i] = word_at(slots, i);
	return blob->runs.count == count;
}

static bool read_blob(sqlite3_stmt *row, struct blob *blob)
{
	if (read_plain(row, blob) && read_runs(row, blob))
		return true;
	blob_end(blob);
	return false;
}

/* One blob by its CID; `with_runs` says which columns there are. */
static enum index_end fetch(struct index *index, enum statement which, const struct cid *cid,
			    struct blob *blob)
{
	sqlite3_stmt *row = ready(index, which);
	bind_bytes(row, 1, cid, sizeof *cid);
	enum index_end end = step(index, which);
	if (end == INDEX_OK && !(which == FIND ? read_blob(row, blob) : read_plain(row, blob)))
		end = index_damaged(index, "a row is not in its shape");
	ready(index, which);
	return end;
}

enum index_end index_find(struct index *index, const struct cid *cid, struct blob *blob)
{
	return fetch(index, FIND, cid, blob);
}

enum index_end index_look(struct index *index, const struct cid *cid, struct blob *blob)
{
	return fetch(index, LOOK, cid, blob);
}

/* Words in the byte order of the disk; a blob of one run needs no memory for it. */
static uint8_t *words(uint64_t few[4], size_t count)
{
	return count <= 4 ? (uint8_t *)few : x_new_array(count, sizeof *few);
}

static void words_end(uint64_t few[4], uint8_t *at)
{
	if (at != (uint8_t *)few)
		x_free(&at);
}

enum index_end index_put(struct index *index, const struct blob *blob)
{
	sqlite3_stmt *row = ready(index, PUT);
	uint64_t few_runs[4], few_slots[4];
	uint8_t *runs = words(few_runs, blob->runs.count), *slots = words(few_slots, blob->slot_count);
	for (uint32_t i = 0; i < blob->runs.count; i++) {
		uint64_t word = htole64(run_pack(blob->runs.run[i]));
		memcpy(runs + i * sizeof word, &word, sizeof word);
	}
	for (uint32_t i = 0; i < blob->slot_count; i++) {
		uint64_t word = htole64(blob->slots[i]);
		memcpy(slots + i * sizeof word, &word, sizeof word);
	}
	bind_bytes(row, 1, &blob->cid, sizeof blob->cid);
	bind_bytes(row, 2, &blob->id, sizeof blob->id);
	sqlite3_bind_int64(row, 3, (sqlite3_int64)blob->sequence);
	sqlite3_bind_int64(row, 4, (sqlite3_int64)blob->size);
	sqlite3_bind_int64(row, 5, blob->stored_at);
	sqlite3_bind_int(row, 6, blob->corrupt);
	sqlite3_bind_int(row, 7, blob->pinned);
	sqlite3_bind_int64(row, 8, blob->trashed);
	bind_bytes(row, 9, runs, blob->runs.count * UINT64_C(8));
	if (blob->slot_count)
		bind_bytes(row, 10, slots, blob->slot_count * UINT64_C(8));
	else
		sqlite3_bind_null(row, 10);
	enum index_end end = run(index, PUT);
	words_end(few_runs, runs);
	words_end(few_slots, slots);
	return end;
}

/* -- the rest of the rows -------------------------------------------------------------------------------------------- */

enum index_end index_counts(struct index *index, struct index_counts *counts)
{
	sqlite3_stmt *row = ready(index, COUNTS);
	enum index_end end = step(index, COUNTS);
	if (end == INDEX_OK)
		*counts = (struct index_counts){.blobs = (uint64_t)sqlite3_column_int64(row, 0),
						.bytes = (uint64_t)sqlite3_column_int64(row, 1),
						.units = (uint64_t)sqlite3_column_int64(row, 2),
						.corrupt = (uint64_t)sqlite3_column_int64(row, 3),
						.sequence = (uint64_t)sqlite3_column_int64(row, 4),
						.synced = (uint64_t)sqlite3_column_int64(row, 5),
						.held = sqlite3_column_int(row, 6)};
	if (end == INDEX_NONE)
		end = index_damaged(index, "no sums");
	ready(index, COUNTS);
	return end;
}

static sqlite3_stmt *ready_after(struct index *index, enum statement which, const struct cid *after,
				 uint32_t most)
{
	sqlite3_stmt *at = ready(index, which);
	bind_bytes(at, 1, after, after ? sizeof *after : 0);
	if (!after)
		sqlite3_bind_zeroblob(at, 1, 0); /* below every CID; NULL would be beside them all */
	sqlite3_bind_int64(at, 2, most);
	return at;
}

/* Gives every row that is left of a statement of CIDs and sizes. */
static enum index_end give_cids(struct index *index, enum statement which, index_row_fn *row, void *context)
{
	sqlite3_stmt *at = index->statement[which];
	enum index_end end;
	while ((end = step(index, which)) == INDEX_OK) {
		struct cid cid;
		if (!column_bytes(at, 0, &cid, sizeof cid)) {
			end = index_damaged(index, "a row is not in its shape");
			break;
		}
		row(context, &cid, (uint64_t)sqlite3_column_int64(at, 1));
	}
	ready(index, which);
	return end == INDEX_NONE ? INDEX_OK : end;
}

enum index_end index_page(struct index *index, const struct cid *after, uint32_t most, index_row_fn *row,
			  void *context)
{
	ready_after(index, PAGE, after, most);
	return give_cids(index, PAGE, row, context);
}

enum index_end index_expired(struct index *index, int64_t until, uint32_t most, index_row_fn *row,
			     void *context)
{
	sqlite3_stmt *at = ready(index, EXPIRED);
	sqlite3_bind_int64(at, 1, until);
	sqlite3_bind_int64(at, 2, most);
	return give_cids(index, EXPIRED, row, context);
}

enum index_end index_rows(struct index *index, const struct cid *after, uint32_t most, index_blob_fn *row,
			  void *context)
{
	sqlite3_stmt *at = ready_after(index, ROWS, after, most);
	enum index_end end;
	while ((end = step(index, ROWS)) == INDEX_OK) {
		struct blob blob;
		if (!read_plain(at, &blob)) {
			end = index_damaged(index, "a row is not in its shape");
			break;
		}
		row(context, &blob);
	}
	ready(index, ROWS);
	return end == INDEX_NONE ? INDEX_OK : end;
}

static enum index_end each_of(struct index *index, enum statement which, index_each_fn *each, void *context)
{
	sqlite3_stmt *row = ready(index, which);
	enum index_end end;
	while ((end = step(index, which)) == INDEX_OK) {
		struct blob blob;
		bool read = read_blob(row, &blob);
		if (!read || !each(context, &blob, which == EACH_DYING)) {
			end = index_damaged(index, read ? "rows contradict each other"
							: "a row is not in its shape");
			if (read)
				blob_end(&blob);
			break;
		}
		blob_end(&blob);
	}
	ready(index, which);
	return end == INDEX_NONE ? INDEX_OK : end;
}

enum index_end index_each(struct index *index, index_each_fn *each, void *context)
{
	enum index_end end = each_of(index, EACH_BLOB, each, context);
	return end == INDEX_OK ? each_of(index, EACH_DYING, each, context) : end;
}

enum index_end index_begin(struct index *index)
{
	return run(index, BEGIN);
}

enum index_end index_die(struct index *index, const struct cid *cid, const struct blob_id *only,
			 struct blob *was)
{
	enum index_end end = index_find(index, cid, was);
	if (end == INDEX_OK && only && memcmp(only, &was->id, sizeof *only) != 0) {
		blob_end(was);
		return INDEX_NONE;
	}
	if (end != INDEX_OK)
		return end;
	bind_bytes(ready(index, DIE), 1, cid, sizeof *cid);
	end = run(index, DIE);
	if (end == INDEX_OK) {
		bind_bytes(ready(index, REMOVE), 1, cid, sizeof *cid);
		end = run(index, REMOVE);
	}
	if (end != INDEX_OK)
		blob_end(was);
	return end;
}

enum index_end index_bury(struct index *index, const struct blob_id *id)
{
	bind_bytes(ready(index, BURY), 1, id, sizeof *id);
	return run(index, BURY);
}

enum index_end index_corrupt(struct index *index, const struct cid *cid, const struct blob_id *id,
			     bool *first)
{
	sqlite3_stmt *row = ready(index, CORRUPT);
	bind_bytes(row, 1, cid, sizeof *cid);
	bind_bytes(row, 2, id, sizeof *id);
	enum index_end end = run(index, CORRUPT);
	*first = end == INDEX_OK && sqlite3_changes(index->db) == 1;
	return end;
}

enum index_end index_pin(struct index *index, const struct cid *cid, bool pinned)
{
	sqlite3_stmt *row = ready(index, PIN);
	sqlite3_bind_int(row, 1, pinned);
	bind_bytes(row, 2, cid, sizeof *cid);
	return run(index, PIN);
}

enum index_end index_trash(struct index *index, const struct cid *cid, int64_t when)
{
	sqlite3_stmt *row = ready(index, TRASH);
	sqlite3_bind_int64(row, 1, when);
	bind_bytes(row, 2, cid, sizeof *cid);
	return run(index, TRASH);
}

enum index_end index_commit(struct index *index, const struct index_counts *counts)
{
	sqlite3_stmt *row = ready(index, SET_COUNTS);
	sqlite3_bind_int64(row, 1, (sqlite3_int64)counts->blobs);
	sqlite3_bind_int64(row, 2, (sqlite3_int64)counts->bytes);
	sqlite3_bind_int64(row, 3, (sqlite3_int64)counts->units);
	sqlite3_bind_int64(row, 4, (sqlite3_int64)counts->corrupt);
	sqlite3_bind_int64(row, 5, (sqlite3_int64)counts->sequence);
	sqlite3_bind_int64(row, 6, (sqlite3_int64)counts->synced);
	sqlite3_bind_int(row, 7, counts->held);
	enum index_end end = run(index, SET_COUNTS);
	return end == INDEX_OK ? run(index, COMMIT) : end;
}

void index_rollback(struct index *index)
{
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_reset(index->statement[i]);
	if (!sqlite3_get_autocommit(index->db)) /* some failures have rolled back already */
		run(index, ROLLBACK);
}

/* -- what a rebuild finds -------------------------------------------------------------------------------------------- */

enum index_end index_found(struct index *index, uint64_t sequence, uint64_t unit)
{
	sqlite3_stmt *row = ready(index, FOUND);
	sqlite3_bind_int64(row, 1, (sqlite3_int64)sequence);
	sqlite3_bind_int64(row, 2, (sqlite3_int64)unit);
	return run(index, FOUND);
}

enum index_end index_each_found(struct index *index, index_found_fn *found, void *context)
{
	sqlite3_stmt *row = ready(index, EACH_FOUND);
	enum index_end end;
	while ((end = step(index, EACH_FOUND)) == INDEX_OK)
		if (!found(context, (uint64_t)sqlite3_column_int64(row, 0),
			   (uint64_t)sqlite3_column_int64(row, 1)))
			break;
	ready(index, EACH_FOUND);
	return end == INDEX_NONE ? INDEX_OK : end == INDEX_OK ? INDEX_DISK : end;
}

enum index_end index_forget_found(struct index *index)
{
	return run(index, FORGET_FOUND);
}
