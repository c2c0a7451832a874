/* A store in a folder of its own. */
#include "tests/unit/store/house.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void house_make(struct house *house, uint64_t quota)
{
	crypto_warm();
	*house = (struct house){0};
	place_make(house->path, "store");
	for (unsigned i = 0; i < sizeof house->secret; i++)
		house->secret[i] = (uint8_t)i;
	house->shape = (struct store_shape){.folder = house->path,
					    .node = NODE,
					    .quota = quota,
					    .max_blob = 64 * MIB,
					    .secret = house->secret};
	cr_assert_null(shards_parse("", 1024, &house->shape.shards, (char[SHARDS_WHY]){0}));
}

void house_init(struct house *house)
{
	uint64_t physical;
	bool found;
	enum store_end end = store_init(&house->shape, &physical, &found, house->why);
	cr_assert_eq(end, STORE_OK, "%s", house->why);
}

enum store_end house_try(struct house *house)
{
	house->shape.secret = house->secret;
	house->why[0] = '\0';
	return store_open(&house->store, &house->shape, house->why);
}

void house_open(struct house *house)
{
	enum store_end end = house_try(house);
	cr_assert_eq(end, STORE_OK, "%s", house->why);
}

void house_close(struct house *house)
{
	if (house->store)
		store_close(&house->store);
}

void house_new(struct house *house, uint64_t quota)
{
	house_make(house, quota);
	house_init(house);
	house_open(house);
}

void house_remove(struct house *house)
{
	house_close(house);
	DIR *entries = opendir(house->path);
	for (struct dirent *entry; entries && (entry = readdir(entries));)
		unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	cr_expect_eq(rmdir(house->path), 0);
}

char *house_file(const struct house *house, const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", house->path, name);
	return path;
}

bool house_has(const struct house *house, const char *name)
{
	return access(house_file(house, name), F_OK) == 0;
}

void fill(uint8_t *bytes, size_t length, uint64_t seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (size_t i = 0; i < length; i += 8) { /* xorshift64* */
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		uint64_t eight = htole64(state * UINT64_C(0x2545f4914f6cdd1d));
		memcpy(bytes + i, &eight, length - i < 8 ? length - i : 8);
	}
}

struct cid cid_of(const void *bytes, size_t length)
{
	struct cid cid;
	sha256(bytes, length, cid.bytes);
	return cid;
}

void turn(struct house *house)
{
	struct pollfd wait = {.fd = store_fd(house->store), .events = POLLIN};
	cr_assert_eq(poll(&wait, 1, 60000), 1, "the committer says nothing");
	store_turn(house->store);
}

void settle(struct house *house)
{
	while (!store_idle(house->store))
		turn(house);
}

static void put_ended(void *context, enum err err, const struct stored *stored)
{
	*(struct outcome *)context = (struct outcome){err, *stored};
}

void put_start(struct house *house, const void *bytes, size_t length, uint64_t declared, size_t slice,
	       struct outcome *outcome)
{
	struct put *put;
	const uint8_t *from = bytes;
	outcome->err = store_put_begin(house->store, declared, &put);
	for (size_t at = 0; outcome->err == ERR_OK && at < length; at += slice)
		outcome->err = store_put_data(put, from + at, length - at < slice ? length - at : slice);
	if (outcome->err == ERR_OK)
		outcome->err = store_put_end(&put, &outcome->stored, put_ended, outcome);
	else
		store_put_abort(&put);
}

void put_wait(struct house *house, struct outcome *outcome)
{
	while (outcome->err == ERR_KEPT)
		turn(house);
}

enum err put_all(struct house *house, const void *bytes, size_t length, struct stored *stored)
{
	struct outcome outcome;
	put_start(house, bytes, length, length, CHUNK, &outcome);
	put_wait(house, &outcome);
	*stored = outcome.stored;
	return outcome.err;
}

enum err put_declared(struct house *house, const void *bytes, size_t length, uint64_t declared)
{
	struct outcome outcome;
	put_start(house, bytes, length, declared, CHUNK, &outcome);
	put_wait(house, &outcome);
	return outcome.err;
}

enum err put_seeded(struct house *house, uint64_t seed, size_t length, struct cid *cid)
{
	struct stored stored;
	uint8_t *bytes = x_new(length);
	fill(bytes, length, seed);
	enum err err = put_all(house, bytes, length, &stored);
	if (err == ERR_OK) {
		struct cid right = cid_of(bytes, length);
		cr_expect_arr_eq(&stored.cid, &right, sizeof right);
		cr_expect_eq(stored.size, length);
	}
	if (cid)
		*cid = cid_of(bytes, length);
	x_free(&bytes);
	return err;
}

static void delete_ended(void *context, enum err err)
{
	*(enum err *)context = err;
}

static enum err wait_for(struct house *house, enum err err, const enum err *outcome)
{
	while (err == ERR_KEPT && *outcome == ERR_KEPT)
		turn(house);
	return err == ERR_KEPT ? *outcome : err;
}

enum err delete_now(struct house *house, const struct cid *cid)
{
	enum err outcome = ERR_KEPT;
	return wait_for(house, store_delete(house->store, cid, delete_ended, &outcome), &outcome);
}

enum err pin_now(struct house *house, const struct cid *cid, bool pinned)
{
	enum err outcome = ERR_KEPT;
	return wait_for(house, store_pin(house->store, cid, pinned, delete_ended, &outcome), &outcome);
}

enum err trash_now(struct house *house, const struct cid *cid, int64_t when)
{
	enum err outcome = ERR_KEPT;
	return wait_for(house, store_trash(house->store, cid, when, delete_ended, &outcome), &outcome);
}

enum err restore_now(struct house *house, const struct cid *cid)
{
	enum err outcome = ERR_KEPT;
	return wait_for(house, store_restore(house->store, cid, delete_ended, &outcome), &outcome);
}

enum err purge_now(struct house *house, const struct cid *cid, int64_t until)
{
	enum err outcome = ERR_KEPT;
	return wait_for(house, store_purge(house->store, cid, until, delete_ended, &outcome), &outcome);
}

enum err get_range(struct house *house, const struct cid *cid, uint64_t offset, uint64_t length,
		   uint8_t *into, size_t *got)
{
	struct get *get;
	*got = 0;
	enum err err = store_get_open(house->store, cid, &get);
	if (err == ERR_OK)
		err = store_get_range(get, offset, length);
	const uint8_t *bytes;
	size_t piece = 1;
	while (err == ERR_OK && piece) {
		err = store_get_next(get, &bytes, &piece);
		if (err == ERR_OK && piece)
			memcpy(into + *got, bytes, piece);
		*got += piece;
	}
	store_get_close(&get);
	return err;
}

enum err get_seeded(struct house *house, uint64_t seed, size_t length)
{
	uint8_t *right = x_new(length), *there = x_new(length + CHUNK);
	fill(right, length, seed);
	struct cid cid = cid_of(right, length);
	size_t got;
	enum err err = get_range(house, &cid, 0, UINT64_MAX, there, &got);
	if (err == ERR_OK) {
		cr_assert_eq(got, length);
		cr_assert(memcmp(right, there, length) == 0, "wrong bytes for seed %lu", (unsigned long)seed);
	}
	x_free(&right);
	x_free(&there);
	return err;
}

struct store_figures stat_of(struct house *house)
{
	struct store_figures stat;
	store_figures(house->store, &stat);
	return stat;
}

uint64_t charge_of(uint64_t size)
{
	uint64_t chunks = size == 0 ? 1 : (size + 65535) / 65536;
	return (256 + size + 16 * chunks + 1023) / 1024 * 1024;
}

struct listing {
	struct cid *cids;
	size_t count, room;
	uint64_t bytes, charge;
};

static void listed(void *context, const struct cid *cid, uint64_t size)
{
	struct listing *list = context;
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->cids = x_grow(list->cids, list->room * sizeof *list->cids);
	}
	list->cids[list->count++] = *cid;
	list->bytes += size;
	list->charge += charge_of(size);
}

/* By pages of 7, so that paging is always part of what is tested. */
static struct listing list(struct house *house)
{
	struct listing list = {0};
	size_t before;
	do {
		before = list.count;
		struct cid after = before ? list.cids[before - 1] : (struct cid){{0}};
		cr_assert_eq(store_list(house->store, before ? &after : NULL, 7, listed, &list), ERR_OK);
	} while (list.count > before);
	return list;
}

struct cid *list_all(struct house *house, size_t *count)
{
	struct listing all = list(house);
	*count = all.count;
	return all.cids;
}

void house_audit(struct house *house)
{
	struct listing all = list(house);
	struct store_figures stat = stat_of(house);
	cr_assert_eq(stat.blobs, all.count, "%lu blobs counted, %zu listed", (unsigned long)stat.blobs,
		     all.count);
	cr_assert_eq(stat.bytes, all.bytes);
	cr_assert_eq(stat.used, all.charge, "used %lu, charges %lu", (unsigned long)stat.used,
		     (unsigned long)all.charge);
	for (size_t i = 0; i < all.count; i++) {
		if (i)
			cr_assert_lt(memcmp(&all.cids[i - 1], &all.cids[i], sizeof *all.cids), 0);
		struct store_row row;
		cr_assert_eq(store_head(house->store, &all.cids[i], &row), ERR_OK);
		cr_assert_eq(row.charge, charge_of(row.size));
		uint8_t *bytes = x_new(row.size + CHUNK);
		size_t got;
		enum err err = get_range(house, &all.cids[i], 0, UINT64_MAX, bytes, &got);
		cr_assert_eq(err, ERR_OK, "%s", err_name(err));
		cr_assert_eq(got, row.size);
		struct cid right = cid_of(bytes, got);
		cr_assert_arr_eq(&right, &all.cids[i], sizeof right);
		x_free(&bytes);
	}
	x_free(&all.cids);
}

void flip(const struct house *house, const char *name, uint64_t byte, unsigned bit)
{
	int fd = open(house_file(house, name), O_RDWR | O_CLOEXEC);
	uint8_t at;
	cr_assert_geq(fd, 0);
	cr_assert_eq(pread(fd, &at, 1, (off_t)byte), 1);
	at ^= (uint8_t)(1U << bit);
	cr_assert_eq(pwrite(fd, &at, 1, (off_t)byte), 1);
	close(fd);
}

uint64_t header_in_arena(const struct house *house, const struct cid *cid)
{
	enum { CID_AT = 80 }; /* header.h */
	int fd = open(house_file(house, "arena"), O_RDONLY | O_CLOEXEC);
	struct stat stat;
	cr_assert(fd >= 0 && fstat(fd, &stat) == 0);
	uint8_t *all = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0),
		*end = all + stat.st_size;
	cr_assert_neq(all, MAP_FAILED);
	uint8_t *at = all;
	while ((at = memmem(at, (size_t)(end - at), cid, sizeof *cid)) &&
	       memcmp(at - CID_AT, "WRNBLOB\n", 8) != 0)
		at++;
	cr_assert_not_null(at, "no header of it in the arena");
	uint64_t offset = (uint64_t)(at - all) - CID_AT;
	munmap(all, (size_t)stat.st_size);
	close(fd);
	return offset;
}

void house_execute(const struct house *house, const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(house_file(house, "index.db"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

void house_lose_index(const struct house *house)
{
	static const char *const files[] = {"index.db", "index.db-wal", "index.db-shm"};
	for (int i = 0; i < 3; i++)
		unlink(house_file(house, files[i]));
}

void expect_same_after_rebuild(struct house *house)
{
	size_t before, after;
	struct cid *all = list_all(house, &before);
	struct store_figures stat = stat_of(house);
	struct store_row *rows = x_new_array(before, sizeof *rows);
	for (size_t i = 0; i < before; i++)
		cr_assert_eq(store_head(house->store, &all[i], &rows[i]), ERR_OK);
	house_close(house);
	house_lose_index(house);
	house_open(house);
	cr_expect(stat_of(house).rebuilt);
	struct cid *again = list_all(house, &after);
	cr_assert_eq(before, after);
	cr_assert(!before || memcmp(all, again, before * sizeof *all) == 0);
	for (size_t i = 0; i < after; i++) {
		struct store_row row;
		cr_assert_eq(store_head(house->store, &all[i], &row), ERR_OK);
		cr_expect(memcmp(&row, &rows[i], sizeof row) == 0);
	}
	cr_expect_eq(stat.used, stat_of(house).used);
	cr_expect_eq(stat.bytes, stat_of(house).bytes);
	cr_expect_eq(stat.units_free, stat_of(house).units_free);
	x_free(&all);
	x_free(&again);
	x_free(&rows);
	house_audit(house);
}
