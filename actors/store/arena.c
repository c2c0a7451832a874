/* Bytes to and from the arena file. Touches that one descriptor; keeps nothing in memory. */
#include "actors/store/arena.h"

#include "actors/base/memory/memory.h"
#include "actors/base/whole/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_GROWS (UINT64_C(64) << 30)

enum { AGAIN = 256 * 1024 };

uint32_t arena_unit_for(uint64_t quota)
{
	return quota <= UNIT_GROWS ? 1024 : 4096;
}

uint64_t arena_units_for(uint64_t quota, uint32_t unit)
{
	uint64_t units = quota / unit;
	return units + slots_slack(units);
}

uint64_t arena_quota_units(uint64_t units)
{
	uint64_t quota = units - units / 65;
	while (quota + slots_slack(quota) > units)
		quota--;
	return quota;
}

uint64_t arena_file_bytes(const struct arena_file *arena)
{
	return HEAD + arena->units * arena->unit;
}

int arena_reserve(int fd, uint64_t bytes, bool *promised)
{
	*promised = true;
	int failed;
	do
		failed = fallocate(fd, 0, 0, (off_t)bytes);
	while (failed && errno == EINTR);
	if (!failed)
		return 0;
	if (errno != EOPNOTSUPP)
		return errno;
	*promised = false;
	return ftruncate(fd, (off_t)bytes) ? errno : 0;
}

/* -- by the runs of a blob ------------------------------------------------------------------------------------------- */

/* Where byte `at` of a blob lies in the file, and in *together how many bytes lie there in a row; 0: past its end. Blobs are
 * mostly walked forward, so the run found last is remembered. */
static uint64_t place(const struct arena_file *arena, struct runs *runs, uint64_t at, uint64_t *together)
{
	uint64_t unit = at / arena->unit;
	if (unit < runs->near_unit)
		runs->near = 0, runs->near_unit = 0;
	while (runs->near < runs->count && unit >= runs->near_unit + runs->run[runs->near].count)
		runs->near_unit += runs->run[runs->near++].count;
	if (runs->near == runs->count) {
		runs->near = 0, runs->near_unit = 0;
		*together = 0;
		return 0;
	}
	struct run run = runs->run[runs->near];
	uint64_t into = at - runs->near_unit * arena->unit, bytes = (uint64_t)run.count * arena->unit;
	bool there = run.start + run.count <= arena->units;
	*together = there ? bytes - into : 0;
	return HEAD + run.start * arena->unit + into;
}

int arena_write(const struct arena_file *arena, struct runs *runs, uint64_t at, const void *bytes,
		size_t length)
{
	const uint8_t *from = bytes;
	while (length) {
		uint64_t together, to = place(arena, runs, at, &together);
		size_t piece = together < length ? (size_t)together : length;
		int failed = piece ? write_whole_at(arena->fd, from, piece, to) : EIO;
		if (failed)
			return failed;
		from += piece;
		at += piece;
		length -= piece;
	}
	return 0;
}

int arena_read(const struct arena_file *arena, struct runs *runs, uint64_t at, void *bytes, size_t length)
{
	uint8_t *into = bytes;
	while (length) {
		uint64_t together, from = place(arena, runs, at, &together);
		size_t piece = together < length ? (size_t)together : length;
		int failed = piece ? read_whole_at(arena->fd, into, piece, from) : EIO;
		if (failed)
			return failed;
		into += piece;
		at += piece;
		length -= piece;
	}
	return 0;
}

/* -- headers --------------------------------------------------------------------------------------------------------- */

static int write_slots(const struct arena_file *arena, const struct blob *blob, const uint8_t *slots)
{
	for (uint32_t i = 0; i < blob->slot_count; i++) {
		int failed = write_whole_at(arena->fd, slots + (size_t)i * SLOT, SLOT,
					    HEAD + blob->slots[i] * SLOT);
		if (failed)
			return failed;
	}
	return 0;
}

int arena_write_start(const struct arena_file *arena, const struct store_keys *keys,
		      const struct store_id *store, struct blob *blob, uint64_t through, uint8_t *image,
		      size_t length)
{
	uint8_t *slots = NULL;
	if (blob->slot_count)
		slots = x_new_array(blob->slot_count, SLOT);
	header_write(keys, store, blob, through, image, slots);
	int failed = write_slots(arena, blob, slots);
	x_free(&slots);
	return failed ? failed : arena_write(arena, &blob->runs, 0, image, length);
}

struct fetch {
	const struct arena_file *arena;
	int failed;
};

static bool fetch_slot(void *context, uint64_t slot, uint8_t bytes[SLOT])
{
	struct fetch *fetch = context;
	if (slot >= fetch->arena->units * (fetch->arena->unit / SLOT))
		return false;
	fetch->failed = read_whole_at(fetch->arena->fd, bytes, SLOT, HEAD + slot * SLOT);
	return !fetch->failed;
}

int arena_read_header(const struct arena_file *arena, const struct store_keys *keys,
		      const struct store_id *store, uint64_t unit, struct blob *blob, uint64_t *through)
{
	uint8_t header[BLOB_HEADER];
	int failed = read_whole_at(arena->fd, header, sizeof header, HEAD + unit * arena->unit);
	if (failed)
		return failed;
	struct fetch fetch = {arena, 0};
	if (!header_read(keys, store, header, fetch_slot, &fetch, blob, through))
		return fetch.failed ? fetch.failed : ENOENT;
	/* A header that was copied elsewhere by other means than ours is no header there. */
	if (blob->runs.run[0].start == unit && blob_fits(blob, arena->unit))
		return 0;
	blob_end(blob);
	return ENOENT;
}

int arena_void(const struct arena_file *arena, uint64_t unit)
{
	static const uint8_t zero[HEADER_MAGIC];
	return write_whole_at(arena->fd, zero, sizeof zero, HEAD + unit * arena->unit);
}

/* A piece that cannot be read stays as it is: it is on the disk, or nowhere. */
static int again(const struct arena_file *arena, uint64_t at, uint64_t length)
{
	uint8_t *bytes = x_new(AGAIN);
	int failed = 0;
	for (size_t piece; length && !failed; at += piece, length -= piece) {
		piece = length < AGAIN ? (size_t)length : AGAIN;
		if (read_whole_at(arena->fd, bytes, piece, at) == 0)
			failed = write_whole_at(arena->fd, bytes, piece, at);
	}
	x_free(&bytes);
	return failed;
}

int arena_write_again(const struct arena_file *arena, const struct blob *blob)
{
	int failed = 0;
	for (uint32_t i = 0; i < blob->runs.count && !failed; i++)
		failed = again(arena, HEAD + blob->runs.run[i].start * arena->unit,
			       (uint64_t)blob->runs.run[i].count * arena->unit);
	for (uint32_t i = 0; i < blob->slot_count && !failed; i++)
		failed = again(arena, HEAD + blob->slots[i] * SLOT, SLOT);
	return failed;
}

uint64_t file_bytes(int folder, const char *name)
{
	struct stat stat;
	return fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)stat.st_size : 0;
}
