/* The outbox's rows: added, saved, found. Each step is on the disk when its function returns. */
#include "actors/chain/outbox_inside.h"

#include <stdio.h>
#include <string.h>

static void bind_blob(sqlite3_stmt *row, int place, const void *bytes, size_t size)
{
	sqlite3_bind_blob(row, place, bytes, (int)size, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *row, int place, uint64_t number)
{
	sqlite3_bind_int64(row, place, (sqlite3_int64)number);
}

static bool run_plain(struct outbox *outbox, enum outbox_sql which)
{
	return outbox_run(outbox, outbox_sql(outbox, which));
}

/* Two statements that are one step. */
static bool together(struct outbox *outbox, bool first, sqlite3_stmt *second)
{
	if (first && outbox_run(outbox, second) && run_plain(outbox, SQL_COMMIT))
		return true;
	char why[OUTBOX_WHY];
	memcpy(why, outbox->why, sizeof why);
	run_plain(outbox, SQL_ROLLBACK);
	memcpy(outbox->why, why, sizeof why);
	return false;
}

/* -- the chain that it is of ------------------------------------------------------------------- */

bool outbox_genesis(struct outbox *outbox, struct hash *genesis)
{
	sqlite3_stmt *row = outbox_sql(outbox, SQL_GENESIS);
	bool known = outbox_row(outbox, row) && sqlite3_column_bytes(row, 0) == sizeof *genesis;
	if (known)
		memcpy(genesis, sqlite3_column_blob(row, 0), sizeof *genesis);
	sqlite3_reset(row);
	return known;
}

bool outbox_set_genesis(struct outbox *outbox, const struct hash *genesis)
{
	sqlite3_stmt *row = outbox_sql(outbox, SQL_SET_GENESIS);
	bind_blob(row, 1, genesis, sizeof *genesis);
	return outbox_run(outbox, row);
}

/* -- entries ----------------------------------------------------------------------------------- */

bool outbox_once(struct outbox *outbox, const struct entry *wanted, const uint8_t *data, uint64_t *id,
		 unsigned *state, bool *same)
{
	struct entry found;
	sqlite3_stmt *row = outbox_sql(outbox, SQL_ONCE);
	bind_blob(row, 1, &wanted->once, sizeof wanted->once);
	if (!outbox_row(outbox, row))
		return false;
	outbox_entry_of(row, &found);
	const void *was = sqlite3_column_blob(row, 25);
	*id = found.id;
	*state = found.state;
	*same = found.node == wanted->node && memcmp(&found.to, &wanted->to, sizeof found.to) == 0 &&
		u256_compare(&found.value, &wanted->value) == 0 && found.length == wanted->length &&
		(size_t)sqlite3_column_bytes(row, 25) == wanted->length &&
		(!wanted->length || memcmp(was, data, wanted->length) == 0);
	sqlite3_reset(row);
	return true;
}

bool outbox_add(struct outbox *outbox, struct entry *entry, const uint8_t *data, struct entry **made)
{
	sqlite3_stmt *row = outbox_sql(outbox, SQL_ADD);
	*made = NULL;
	bind_blob(row, 1, &entry->once, sizeof entry->once);
	sqlite3_bind_int(row, 2, entry->node);
	sqlite3_bind_text(row, 3, entry->purpose, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 4, entry->method, -1, SQLITE_STATIC);
	bind_blob(row, 5, &entry->to, sizeof entry->to);
	bind_blob(row, 6, &entry->value, sizeof entry->value);
	bind_number(row, 7, entry->gas);
	bind_blob(row, 8, &entry->fee_cap, sizeof entry->fee_cap);
	bind_number(row, 9, entry->asked_s);
	bind_number(row, 10, entry->length);
	bind_blob(row, 11, entry->length ? data : (const uint8_t *)"", entry->length);
	if (outbox->count == OUTBOX_OPEN || !outbox_run(outbox, row))
		return false;
	entry->id = (uint64_t)sqlite3_last_insert_rowid(outbox->db);
	entry->state = SENT_QUEUED;
	*made = outbox_keep(outbox, entry);
	return true;
}

static sqlite3_stmt *saving(struct outbox *outbox, const struct entry *entry)
{
	sqlite3_stmt *row = outbox_sql(outbox, SQL_SAVE);
	bind_number(row, 1, entry->id);
	bind_number(row, 2, entry->gas);
	bind_blob(row, 3, &entry->fee_cap, sizeof entry->fee_cap);
	sqlite3_bind_int(row, 4, (int)entry->state);
	sqlite3_bind_int(row, 5, entry->settled);
	sqlite3_bind_int(row, 6, entry->cancelling);
	if (entry->has_nonce)
		bind_number(row, 7, entry->nonce);
	bind_blob(row, 8, &entry->fee.max, sizeof entry->fee.max);
	bind_blob(row, 9, &entry->fee.priority, sizeof entry->fee.priority);
	bind_number(row, 10, entry->attempts);
	if (entry->has_hash)
		bind_blob(row, 11, &entry->hash, sizeof entry->hash);
	bind_blob(row, 12, &entry->block_hash, sizeof entry->block_hash);
	bind_number(row, 13, entry->block);
	bind_blob(row, 14, &entry->fee_paid, sizeof entry->fee_paid);
	sqlite3_bind_int(row, 15, entry->reverted);
	sqlite3_bind_int(row, 16, entry->nothing);
	sqlite3_bind_text(row, 17, entry->why, -1, SQLITE_STATIC);
	return row;
}

/* Now and then, when one settles: what is too old is forgotten. */
static bool forget_old(struct outbox *outbox, uint64_t newest)
{
	if (newest <= OUTBOX_KEPT || newest % 100)
		return true;
	sqlite3_stmt *row = outbox_sql(outbox, SQL_FORGET);
	bind_number(row, 1, newest - OUTBOX_KEPT);
	sqlite3_stmt *attempts = outbox_sql(outbox, SQL_FORGET_ATTEMPTS);
	bind_number(attempts, 1, newest - OUTBOX_KEPT);
	return outbox_run(outbox, row) && outbox_run(outbox, attempts);
}

bool outbox_save(struct outbox *outbox, struct entry *entry)
{
	if (!outbox_run(outbox, saving(outbox, entry)))
		return false;
	if (!entry->settled)
		return true;
	uint64_t id = entry->id;
	outbox->confirmed += entry->state == SENT_CONFIRMED;
	outbox_let_go(outbox, entry);
	return forget_old(outbox, id);
}

bool outbox_data(struct outbox *outbox, const struct entry *entry, uint8_t data[OUTBOX_DATA])
{
	sqlite3_stmt *row = outbox_sql(outbox, SQL_DATA);
	bind_number(row, 1, entry->id);
	bool there = outbox_row(outbox, row) && (uint32_t)sqlite3_column_bytes(row, 0) == entry->length &&
		     entry->length <= OUTBOX_DATA;
	if (there && entry->length)
		memcpy(data, sqlite3_column_blob(row, 0), entry->length);
	sqlite3_reset(row);
	return there;
}

unsigned outbox_list(struct outbox *outbox, uint16_t node, uint64_t before, struct entry rows[OUTBOX_LIST])
{
	unsigned count = 0;
	sqlite3_stmt *row = outbox_sql(outbox, SQL_LIST);
	sqlite3_bind_int(row, 1, node);
	bind_number(row, 2, before);
	sqlite3_bind_int(row, 3, OUTBOX_LIST);
	while (count < OUTBOX_LIST && outbox_row(outbox, row))
		outbox_entry_of(row, &rows[count++]);
	sqlite3_reset(row);
	return count;
}

/* -- attempts ---------------------------------------------------------------------------------- */

bool outbox_attempt(struct outbox *outbox, struct entry *entry, const struct attempt *attempt)
{
	if (!run_plain(outbox, SQL_BEGIN))
		return false;
	sqlite3_stmt *row = outbox_sql(outbox, SQL_ATTEMPT);
	bind_number(row, 1, entry->id);
	bind_number(row, 2, attempt->number);
	bind_blob(row, 3, &attempt->once, sizeof attempt->once);
	bind_number(row, 4, attempt->nonce);
	bind_blob(row, 5, &attempt->fee.max, sizeof attempt->fee.max);
	bind_blob(row, 6, &attempt->fee.priority, sizeof attempt->fee.priority);
	sqlite3_bind_int(row, 7, attempt->cancel);
	return together(outbox, outbox_run(outbox, row), saving(outbox, entry));
}

bool outbox_signed(struct outbox *outbox, struct entry *entry, uint32_t number, const struct hash *hash,
		   const uint8_t *raw, size_t length)
{
	if (!run_plain(outbox, SQL_BEGIN))
		return false;
	sqlite3_stmt *row = outbox_sql(outbox, SQL_SIGNED);
	bind_number(row, 1, entry->id);
	bind_number(row, 2, number);
	bind_blob(row, 3, hash, sizeof *hash);
	bind_blob(row, 4, raw, length);
	return together(outbox, outbox_run(outbox, row), saving(outbox, entry));
}

bool outbox_unsigned(struct outbox *outbox, struct entry *entry, uint32_t number)
{
	if (!run_plain(outbox, SQL_BEGIN))
		return false;
	sqlite3_stmt *row = outbox_sql(outbox, SQL_UNSIGNED);
	bind_number(row, 1, entry->id);
	bind_number(row, 2, number);
	bool settles = entry->settled;
	if (!together(outbox, outbox_run(outbox, row), saving(outbox, entry)))
		return false;
	if (settles)
		outbox_let_go(outbox, entry);
	return true;
}

unsigned outbox_attempts(struct outbox *outbox, const struct entry *entry,
			 struct attempt attempts[OUTBOX_ATTEMPTS])
{
	unsigned count = 0;
	sqlite3_stmt *row = outbox_sql(outbox, SQL_ATTEMPTS);
	bind_number(row, 1, entry->id);
	bind_number(row, 2, entry->nonce);
	sqlite3_bind_int(row, 3, OUTBOX_ATTEMPTS);
	while (count < OUTBOX_ATTEMPTS && outbox_row(outbox, row)) {
		struct attempt *attempt = &attempts[count++];
		*attempt =
			(struct attempt){.number = (uint32_t)sqlite3_column_int64(row, 0),
					 .nonce = (uint64_t)sqlite3_column_int64(row, 2),
					 .cancel = sqlite3_column_int(row, 5),
					 .is_signed = sqlite3_column_bytes(row, 6) == sizeof attempt->hash};
		memcpy(&attempt->once, sqlite3_column_blob(row, 1), sizeof attempt->once);
		memcpy(&attempt->fee.max, sqlite3_column_blob(row, 3), sizeof attempt->fee.max);
		memcpy(&attempt->fee.priority, sqlite3_column_blob(row, 4), sizeof attempt->fee.priority);
		if (attempt->is_signed)
			memcpy(&attempt->hash, sqlite3_column_blob(row, 6), sizeof attempt->hash);
	}
	sqlite3_reset(row);
	return count;
}

bool outbox_raw(struct outbox *outbox, const struct entry *entry, uint32_t number, uint8_t raw[OUTBOX_RAW],
		size_t *length)
{
	sqlite3_stmt *row = outbox_sql(outbox, SQL_RAW);
	bind_number(row, 1, entry->id);
	bind_number(row, 2, number);
	bool there = outbox_row(outbox, row) && sqlite3_column_bytes(row, 0) > 0 &&
		     sqlite3_column_bytes(row, 0) <= OUTBOX_RAW;
	*length = there ? (size_t)sqlite3_column_bytes(row, 0) : 0;
	if (there)
		memcpy(raw, sqlite3_column_blob(row, 0), *length);
	sqlite3_reset(row);
	return there;
}
