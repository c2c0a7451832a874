/* What a store finds on its disk: the head of the arena, headers of blobs with their slots, the marker, rows of the index. The first byte
 * chooses. Sums and signatures are made right where its higher bits say so, so that what lies behind them is tried as well. What is
 * accepted is written again as it was read, lies within the arena, and overlaps nothing. */
#include "tests/fuzz/target.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/store/head.h"
#include "actors/store/header.h"
#include "actors/store/index_inside.h"
#include "actors/store/marker.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RIGHT = 8, UNIT = 1024, UNITS = 4096, AT_MAC = 224, AT_SUM = 192, AT_COUNT = 72, AT_VOIDS = 256 };

static const struct store_keys keys = {{1}, {2}};
static const struct store_id id = {"a store's id..."};
static char folder[FUZZ_PLACE];
static int at = -1;
static struct index *rows;
static sqlite3_stmt *add, *doom;

static void leave(void)
{
	char name[FUZZ_PLACE + 16];
	sqlite3_finalize(add);
	sqlite3_finalize(doom);
	index_close(&rows);
	snprintf(name, sizeof name, "%s/index.db", folder);
	unlink(name);
	unlinkat(at, MARKER_FILE, 0);
	rmdir(folder);
}

static void enter(void)
{
	char name[FUZZ_PLACE + 16];
	log_threshold(LOG_ERROR);
	must(*fuzz_place(folder) && (at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
	snprintf(name, sizeof name, "%s/index.db", folder);
	must(index_make(&rows, name, &id) == INDEX_OK);
	must(sqlite3_exec(rows->db, "PRAGMA journal_mode = MEMORY", NULL, NULL, NULL) == SQLITE_OK);
	atexit(leave);
}

/* -- headers ---------------------------------------------------------------------------------------------------------- */

struct slots_given {
	const uint8_t *bytes;
	size_t count;
	unsigned asked;
};

static bool fetch(void *context, uint64_t slot, uint8_t bytes[SLOT])
{
	struct slots_given *given = context;
	given->asked++;
	if (slot >= given->count)
		return false;
	memcpy(bytes, given->bytes + slot * SLOT, SLOT);
	return true;
}

/* The mac of a header and its chain of slots, as far as it goes. */
static void sign(uint8_t header[BLOB_HEADER], const struct slots_given *given)
{
	static uint8_t all[AT_MAC + 64 * SLOT];
	size_t length = AT_MAC;
	uint32_t runs;
	uint64_t next;
	memcpy(&runs, header + 12, sizeof runs);
	memcpy(&next, header + 144, sizeof next);
	uint32_t slots = le32toh(runs) <= RUNS_MOST ? slots_for(le32toh(runs)) : 0;
	memcpy(all, header, AT_MAC);
	for (next = le64toh(next); slots-- && next && next <= given->count && length < sizeof all;
	     next = le64toh(next)) {
		memcpy(all + length, given->bytes + (next - 1) * SLOT, SLOT);
		memcpy(&next, all + length, sizeof next);
		length += SLOT;
	}
	hmac_sha256(keys.header, all, length, header + AT_MAC);
}

static void check_runs(const struct blob *blob)
{
	uint64_t units = 0;
	must(blob->runs.count && blob->runs.count <= RUNS_MOST &&
	     blob->slot_count == slots_for(blob->runs.count));
	for (uint32_t i = 0; i < blob->runs.count; i++) {
		must(blob->runs.run[i].count && blob->runs.run[i].start < UINT64_C(1) << 40);
		units += blob->runs.run[i].count;
	}
	must(units == blob->runs.units);
}

static void header(const uint8_t *bytes, size_t length, bool right)
{
	uint8_t first[BLOB_HEADER], again[BLOB_HEADER];
	struct blob blob;
	uint64_t through;
	if (length < BLOB_HEADER)
		return;
	struct slots_given given = {bytes + BLOB_HEADER, (length - BLOB_HEADER) / SLOT, 0};
	memcpy(first, bytes, sizeof first);
	if (right) {
		memcpy(first, "WRNBLOB\n\1\0\0\0", 12);
		memcpy(first + 16, &id, sizeof id);
		sign(first, &given);
	}
	bool looks = header_looks(first, &id);
	if (!header_read(&keys, &id, first, fetch, &given, &blob, &through)) {
		must(!blob.runs.run && !blob.slots && given.asked <= slots_for(RUNS_MOST));
		return;
	}
	must(looks);
	check_runs(&blob);
	uint8_t *slots = x_new(blob.slot_count * (size_t)SLOT + 1);
	header_write(&keys, &id, &blob, through, again, slots);
	must(memcmp(again, first, 12) == 0 && memcmp(again + 48, first + 48, 96) == 0);
	x_free(&slots);
	blob_end(&blob);
}

/* -- the head of the arena -------------------------------------------------------------------------------------------- */

/* Half of the bytes are the first copy, half the second. */
static void head(const uint8_t *bytes, size_t length, bool right)
{
	static int arena = -1;
	static uint8_t copy[HEAD_COPY];
	static struct head read, again;
	uint8_t mac[32];
	if (arena < 0)
		arena = memfd_create("arena", MFD_CLOEXEC);
	must(ftruncate(arena, 0) == 0 && ftruncate(arena, HEAD) == 0);
	for (unsigned i = 0; i < 2; i++) {
		size_t part = i ? length - length / 2 : length / 2;
		memset(copy, 0, sizeof copy);
		memcpy(copy, bytes + (i ? length / 2 : 0), part);
		uint32_t count;
		memcpy(&count, copy + AT_COUNT, sizeof count);
		if (right && le32toh(count) <= HEAD_VOIDS) {
			static uint8_t signs[HEAD_COPY];
			size_t signs_length = AT_SUM + le32toh(count) * 16;
			memcpy(copy, "WRNARENA\1\0\0\0\0\4\0\0", 16);
			memcpy(signs, copy, AT_SUM);
			memcpy(signs + AT_SUM, copy + AT_VOIDS, signs_length - AT_SUM);
			sha256(signs, signs_length, copy + AT_SUM);
			hmac_sha256(keys.header, signs, signs_length, copy + AT_MAC);
		}
		must(pwrite(arena, copy, part < AT_VOIDS ? AT_VOIDS : part, (off_t)i * HEAD_COPY) > 0);
	}
	if (head_read(arena, &read, mac) != HEAD_OK)
		return;
	must((read.unit == 1024 || read.unit == 4096) && read.void_count <= HEAD_VOIDS);
	head_signed(&read, &keys, mac);
	head_voids(&read, read.generation);
	head_machine_restarted(&read);
	again = read;
	must(read.generation == UINT64_MAX || head_write(arena, &again, &keys) == 0);
	if (again.generation == read.generation)
		return;
	must(head_read(arena, &read, mac) == HEAD_OK && read.generation == again.generation);
	must(head_signed(&read, &keys, mac) && read.void_count == again.void_count &&
	     read.units == again.units);
}

/* -- the marker ------------------------------------------------------------------------------------------------------- */

static void marker(const uint8_t *bytes, size_t length)
{
	struct marker read, again;
	int fd = openat(at, MARKER_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	close(fd);
	if (marker_read(at, &read) != MARKER_OK)
		return;
	must(read.version <= MARKER_VERSION && marker_write(at, &read));
	must(marker_read(at, &again) == MARKER_OK && again.node == read.node &&
	     memcmp(&again.store, &read.store, sizeof read.store) == 0);
}

/* -- rows of the index ------------------------------------------------------------------------------------------------ */

struct loading {
	struct freemap *map;
	uint64_t slots[1024];
	size_t slot_count;
	unsigned seen;
};

/* As open.c takes them. */
static bool each(void *context, struct blob *blob, bool dying)
{
	struct loading *loading = context;
	(void)dying;
	loading->seen++;
	check_runs(blob);
	if (!blob_fits(blob, UNIT))
		return false;
	must(blob->size <= blob->runs.units * UNIT && blob_stored(blob->size) > blob->size);
	for (uint32_t i = 0; i < blob->runs.count; i++)
		if (!freemap_claim(loading->map, blob->runs.run[i]))
			return false;
	for (uint32_t i = 0; i < blob->slot_count && loading->slot_count < 1024; i++)
		loading->slots[loading->slot_count++] = blob->slots[i];
	return true;
}

static void on_row(void *context, const struct cid *cid, uint64_t size)
{
	(void)size;
	must(context && cid);
}

static void on_blob(void *context, const struct blob *blob)
{
	must(context && !blob->runs.run && !blob->slots);
}

/* A column: what type it is (1), how many bytes (1), those. Returns how many were used. */
static size_t bind(sqlite3_stmt *row, int column, const uint8_t *bytes, size_t length, bool is_blob)
{
	if (length < 2)
		return length;
	size_t size = bytes[1] < length - 2 ? bytes[1] : length - 2;
	int64_t number = 0;
	memcpy(&number, bytes + 2, size < sizeof number ? size : sizeof number);
	unsigned type = bytes[0] % 8;
	if (type == 7)
		sqlite3_bind_text(row, column, (const char *)bytes + 2, (int)size, SQLITE_STATIC);
	else if (type == 6)
		sqlite3_bind_double(row, column, (double)number / 3);
	else if (type == 5 || is_blob == (type == 4))
		sqlite3_bind_int64(row, column, number);
	else
		sqlite3_bind_blob(row, column, bytes + 2, (int)size, SQLITE_STATIC);
	return 2 + size;
}

static void insert(sqlite3_stmt *row, const uint8_t **bytes, size_t *length)
{
	static const char blobs[] = {1, 1, 0, 0, 0, 0, 1, 1, 0, 0};
	for (int column = 0; column < sqlite3_bind_parameter_count(row); column++) {
		size_t used = bind(row, column + 1, *bytes, *length, blobs[column]);
		*bytes += used;
		*length -= used;
	}
	sqlite3_step(row);
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
}

static void index_rows_of(const uint8_t *bytes, size_t length)
{
	static struct loading loading;
	struct index_counts counts;
	struct blob blob;
	struct cid cid = {{0}};
	struct slots slots;
	if (!add)
		must(sqlite3_prepare_v2(rows->db,
					"INSERT OR REPLACE INTO blob (cid, id, sequence, size, stored_at, "
					"corrupt, runs, slots,"
					" pinned, trashed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
					-1, &add, NULL) == SQLITE_OK &&
		     sqlite3_prepare_v2(rows->db,
					"INSERT OR REPLACE INTO dying (id, cid, sequence, size, stored_at, "
					"corrupt, runs, slots)"
					" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
					-1, &doom, NULL) == SQLITE_OK);
	must(index_begin(rows) == INDEX_OK);
	if (length > 1 && bytes[0] == 2)
		memcpy(&cid, bytes + 2,
		       bytes[1] < length - 2 && bytes[1] < 32 ? bytes[1]
		       : length - 2 < 32                      ? length - 2
							      : 32);
	for (unsigned i = 0; i < 4 && length; i++)
		insert(i == 2 ? doom : add, &bytes, &length);
	loading = (struct loading){.map = freemap_new(UNITS)};
	index_counts(rows, &counts);
	if (index_each(rows, each, &loading) == INDEX_OK) {
		slots_begin(&slots, loading.map, UNIT);
		slots_restore(&slots, loading.slots, loading.slot_count);
		must(freemap_left(loading.map) <= UNITS);
		slots_end(&slots);
	}
	index_page(rows, NULL, 16, on_row, &loading);
	index_rows(rows, NULL, 16, on_blob, &loading);
	index_expired(rows, INT64_MAX, 16, on_row, &loading);
	if (index_find(rows, &cid, &blob) == INDEX_OK) {
		check_runs(&blob);
		blob_end(&blob);
	}
	if (index_look(rows, &cid, &blob) == INDEX_OK)
		must(!blob.runs.run && !blob.slots);
	index_rollback(rows);
	freemap_end(&loading.map);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (at < 0)
		enter();
	if (length == 0)
		return 0;
	bool right = bytes[0] & RIGHT;
	switch (bytes[0] % 4) {
	case 0:
		header(bytes + 1, length - 1, right);
		break;
	case 1:
		head(bytes + 1, length - 1, right);
		break;
	case 2:
		marker(bytes + 1, length - 1);
		break;
	case 3:
		index_rows_of(bytes + 1, length - 1);
		break;
	}
	return 0;
}
