/* A lost index, made again from the headers in the arena. Main thread, before the store is open; reads the whole arena.
 *
 * Every header with a right HMAC counts, unless it is void (head.h). The highest sequence wins: a header whose CID, units or
 * slots were taken by a higher one is erased. The last birth may have ended before its newest headers reached the index, and
 * with only a part of their chunks on the disk: those that no later header vouches for (`through`) are read whole, and count if
 * every chunk is right. */
#include "actors/store/store_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/reasons/reasons.h"
#include "actors/base/whole/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, READS = 3 };

/* -- looking at every unit ------------------------------------------------------------------------------------------- */

typedef void seen_fn(void *context, uint64_t unit);

static void seen_in(struct store *store, const uint8_t *block, uint64_t first, uint64_t count, seen_fn *seen,
		    void *context)
{
	for (uint64_t i = 0; i < count; i++)
		if (header_looks(block + i * store->arena.unit, &store->marker.store))
			seen(context, first + i);
}

/* The first unit from `at` on that was ever written to, so that a preallocated arena that is nearly empty is read quickly. */
static uint64_t written_from(const struct arena_file *arena, uint64_t at)
{
	off_t data = lseek(arena->fd, (off_t)(HEAD + at * arena->unit), SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? arena->units
				      : at; /* nothing more; or a file system that cannot say */
	uint64_t unit = ((uint64_t)data - HEAD) / arena->unit;
	return unit > at ? unit : at;
}

/* What the disk did not give it may give when it is asked again. */
static bool read_units(const struct arena_file *arena, struct runs *runs, uint64_t at, uint8_t *into,
		       size_t length)
{
	for (int tries = 0; tries < READS; tries++)
		if (arena_read(arena, runs, at, into, length) == 0)
			return true;
	return false;
}

/* Calls `seen` for each unit that begins like a header. What cannot be read is passed over, and counted; a block of which nothing can be
 * is no bad sector but a disk that has gone (*gone). */
static uint64_t scan(struct store *store, seen_fn *seen, void *context, bool *gone)
{
	const struct arena_file *arena = &store->arena;
	uint64_t a_block = BLOCK / arena->unit, unreadable = 0;
	uint8_t *block = x_new(BLOCK);
	for (uint64_t at = written_from(arena, 0); at < arena->units;
	     at = written_from(arena, at + a_block)) {
		uint64_t count = arena->units - at < a_block ? arena->units - at : a_block;
		struct run run = {.start = at, .count = (uint32_t)count};
		struct runs all = {.run = &run, .count = 1, .units = count};
		if (arena_read(arena, &all, 0, block, count * arena->unit) == 0) {
			seen_in(store, block, at, count, seen, context);
		} else {
			uint64_t before = unreadable;
			for (uint64_t i = 0; i < count; i++)
				if (read_units(arena, &all, i * arena->unit, block, arena->unit))
					seen_in(store, block, at + i, 1, seen, context);
				else
					unreadable++;
			*gone |= unreadable - before == count;
		}
		if (store->shape.working)
			store->shape.working(store->shape.working_context);
	}
	x_free(&block);
	return unreadable;
}

/* 0, ENOENT: there is none, or the errno of a disk that does not give it. */
static int header_at(struct store *store, uint64_t unit, struct blob *blob, uint64_t *through)
{
	int failed = EIO;
	for (int tries = 0; tries < READS && failed && failed != ENOENT; tries++)
		failed = arena_read_header(&store->arena, store->keys, &store->marker.store, unit, blob,
					   through);
	if (failed && failed != ENOENT)
		log_error("store.header_unread", "unit=%" PRIu64 " errno=%d", unit, failed);
	return failed;
}

/* Its header was read a moment ago. If that is not given any more, it is the disk that goes; if it is, a slot lies on a bad sector. */
static bool is_going(const struct store *store, uint64_t unit, int failed)
{
	uint8_t header[BLOB_HEADER];
	return failed && failed != ENOENT &&
	       read_whole_at(store->arena.fd, header, sizeof header, HEAD + unit * store->arena.unit) != 0;
}

/* -- which of them count --------------------------------------------------------------------------------------------- */

struct rebuild {
	struct store *store;
	struct index *index;
	enum index_end end;
	uint64_t vouched;            /* the highest sequence that some header knew to be in the index */
	struct freemap *map, *pages; /* taken by blobs; and by slots */
	struct index_counts counts;
	uint64_t erased;
	bool gone; /* the disk gives nothing of a part of the arena */
};

static void note(void *context, uint64_t unit)
{
	struct rebuild *rebuild = context;
	struct blob blob;
	uint64_t through;
	int failed = rebuild->end == INDEX_OK ? header_at(rebuild->store, unit, &blob, &through) : ENOENT;
	rebuild->gone |= is_going(rebuild->store, unit, failed);
	if (failed)
		return;
	if (!head_voids(&rebuild->store->head, blob.sequence)) {
		rebuild->end = index_found(rebuild->index, blob.sequence, unit);
		if (through > rebuild->vouched)
			rebuild->vouched = through;
	}
	blob_end(&blob);
}

/* False when a chunk is there and is not right. One that the disk will not give may be right. */
static bool seems_whole(struct store *store, struct blob *blob)
{
	uint8_t *chunk = x_grow(NULL, CHUNK_SEALED);
	struct sealer *sealer = blob_sealer(store->keys, &blob->id);
	uint64_t count = chunk_count(blob->size), i = 0;
	for (; i < count; i++) {
		size_t length = chunk_length(blob->size, i);
		if (arena_read(&store->arena, &blob->runs, chunk_at(i), chunk, length + SEAL_TAG) == 0 &&
		    !chunk_unseal(sealer, i, i + 1 == count, chunk, length, chunk))
			break;
	}
	sealer_free(&sealer);
	x_free(&chunk);
	return i == count;
}

bool blob_is_there(struct store *store, struct blob *blob)
{
	struct blob there;
	uint64_t through;
	int failed = arena_read_header(&store->arena, store->keys, &store->marker.store,
				       blob->runs.run[0].start, &there, &through);
	if (failed)
		return failed != ENOENT;
	bool same = memcmp(&there.id, &blob->id, sizeof there.id) == 0;
	blob_end(&there);
	return same && seems_whole(store, blob);
}

/* Its units, and the units of its slots, which it may share with others' slots. All or none. */
static bool claim(struct rebuild *rebuild, const struct blob *blob)
{
	uint32_t runs = 0, slots = 0, a_unit = rebuild->store->arena.unit / SLOT;
	while (runs < blob->runs.count && freemap_claim(rebuild->map, blob->runs.run[runs]))
		runs++;
	struct runs pages = {0};
	for (; runs == blob->runs.count && slots < blob->slot_count; slots++) {
		struct run page = {.start = blob->slots[slots] / a_unit, .count = 1};
		if (!freemap_claim(rebuild->pages, page))
			continue; /* known as a page of slots */
		runs_add(&pages, page);
		if (freemap_claim(rebuild->map, page))
			continue;
		freemap_give(rebuild->pages, page);
		pages.run[pages.count - 1].count--; /* not this one */
		break;
	}
	bool whole = runs == blob->runs.count && slots == blob->slot_count;
	if (!whole) {
		for (uint32_t i = 0; i < runs; i++)
			freemap_give(rebuild->map, blob->runs.run[i]);
		for (uint32_t i = 0; i < pages.count; i++)
			if (pages.run[i].count) {
				freemap_give(rebuild->pages, pages.run[i]);
				freemap_give(rebuild->map, pages.run[i]);
			}
	}
	runs_end(&pages);
	return whole;
}

static bool stands(struct rebuild *rebuild, struct blob *blob)
{
	struct store *store = rebuild->store;
	struct blob newer;
	if (index_look(rebuild->index, &blob->cid, &newer) != INDEX_NONE)
		return false;
	bool last_birth = blob->sequence >> SEQUENCE_BITS == store->head.birth && !store->head.clean;
	if (last_birth && blob->sequence > rebuild->vouched && !seems_whole(store, blob))
		return false;
	return claim(rebuild, blob);
}

static bool take(void *context, uint64_t sequence, uint64_t unit)
{
	struct rebuild *rebuild = context;
	struct store *store = rebuild->store;
	struct blob blob;
	uint64_t through;
	(void)sequence;
	int failed = header_at(store, unit, &blob, &through);
	rebuild->gone |= is_going(store, unit, failed);
	if (failed)
		return !rebuild->gone;
	if (stands(rebuild, &blob)) {
		rebuild->end = index_put(rebuild->index, &blob);
		rebuild->counts.blobs++;
		rebuild->counts.bytes += blob.size;
		rebuild->counts.units += blob.runs.units;
		if (blob.sequence > rebuild->counts.sequence)
			rebuild->counts.sequence = rebuild->counts.synced = blob.sequence;
	} else {
		rebuild->erased++;
		arena_void(&store->arena, unit);
	}
	blob_end(&blob);
	if (store->shape.working)
		store->shape.working(store->shape.working_context);
	return rebuild->end == INDEX_OK;
}

/* -- the new index --------------------------------------------------------------------------------------------------- */

static bool raise_flag(int folder)
{
	int fd = openat(folder, REBUILD_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return fsync(folder) == 0;
}

static void fill(struct rebuild *rebuild, uint64_t *unreadable)
{
	rebuild->end = index_begin(rebuild->index);
	if (rebuild->end == INDEX_OK)
		*unreadable = scan(rebuild->store, note, rebuild, &rebuild->gone);
	/* From here on headers are erased: until the new one is in place, the old one is not to be trusted, whatever it looks like. */
	if (rebuild->end == INDEX_OK && !rebuild->gone && !raise_flag(rebuild->store->folder))
		rebuild->end = INDEX_DISK;
	if (rebuild->end == INDEX_OK && !rebuild->gone) {
		enum index_end end = index_each_found(rebuild->index, take, rebuild);
		if (rebuild->end == INDEX_OK)
			rebuild->end = end;
	}
	if (rebuild->end == INDEX_OK && rebuild->gone)
		rebuild->end = INDEX_DISK;
	if (rebuild->end == INDEX_OK)
		rebuild->end = index_forget_found(rebuild->index);
	if (rebuild->end == INDEX_OK)
		rebuild->end = index_commit(rebuild->index, &rebuild->counts);
}

static bool put_in_place(struct store *store, char why[STORE_WHY])
{
	if (fdatasync(store->arena.fd) == 0 && index_put_in_place(store->folder) &&
	    unlinkat(store->folder, REBUILD_FILE, 0) == 0 && fsync(store->folder) == 0)
		return true;
	snprintf(why, STORE_WHY, "the index cannot be put in place: %s", strerror(errno));
	return false;
}

bool index_rebuild(struct store *store, char why[STORE_WHY])
{
	struct rebuild rebuild = {.store = store, .counts.held = true}; /* no header knows a pin */
	uint64_t unreadable = 0;
	char path[STORE_PATH];
	log_warn("store.rebuild", "why=\"%s\" arena_bytes=%" PRIu64, why, arena_file_bytes(&store->arena));
	reason_note(REASON_STORE_REBUILT, "", "%s", why);
	store_path(&store->shape, INDEX_UNFINISHED, path);
	rebuild.end = index_make(&rebuild.index, path, &store->marker.store);
	rebuild.map = freemap_new(store->arena.units);
	rebuild.pages = freemap_new(store->arena.units);
	if (rebuild.end == INDEX_OK)
		fill(&rebuild, &unreadable);
	freemap_end(&rebuild.map);
	freemap_end(&rebuild.pages);
	if (rebuild.gone)
		snprintf(
			why, STORE_WHY,
			"the disk does not give a part of the arena (%" PRIu64
			" units or more), and an index without it would give its place away; see to the disk",
			unreadable);
	else if (rebuild.end != INDEX_OK)
		snprintf(why, STORE_WHY, "the index cannot be rebuilt: %s", index_why(rebuild.index));
	index_close(&rebuild.index);
	if (rebuild.end != INDEX_OK || !put_in_place(store, why))
		return false;
	log_warn("store.rebuilt",
		 "blobs=%" PRIu64 " bytes=%" PRIu64 " erased=%" PRIu64 " unreadable_units=%" PRIu64,
		 rebuild.counts.blobs, rebuild.counts.bytes, rebuild.erased, unreadable);
	store->rebuilt = true;
	return true;
}

/* -- orphans --------------------------------------------------------------------------------------------------------- */

static void erase_void(void *context, uint64_t unit)
{
	struct store *store = context;
	struct blob blob;
	uint64_t through;
	if (header_at(store, unit, &blob, &through) != 0)
		return;
	if (head_voids(&store->head, blob.sequence))
		arena_void(&store->arena, unit);
	blob_end(&blob);
}

int orphans_erase(struct store *store)
{
	bool gone = false;
	scan(store, erase_void, store, &gone);
	if (gone)
		return EIO;
	return fdatasync(store->arena.fd) == 0 ? 0 : errno;
}
