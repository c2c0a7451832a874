/* Opening a store: what the folder holds is recognised, what a crash left open is ended, the map is built. Main thread, before
 * the seal; nothing is ever made anew here but a lost index. */
#include "actors/store/open_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/store/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READS = 3 }; /* of an index that the disk does not give */

static enum store_end __attribute__((format(printf, 3, 4)))
because(struct opening *o, enum store_end end, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(o->why, STORE_WHY, format, arguments);
	va_end(arguments);
	return end;
}

/* -- what is in the folder ------------------------------------------------------------------------------------------- */

static enum store_end find_marker(struct opening *o)
{
	struct store *store = o->store;
	char newer[FORMAT_SENTENCE];
	store->folder = open(store->folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->folder < 0)
		return because(o, STORE_DISK, "the folder cannot be opened: %s", strerror(errno));
	age_load(&store->age, store->folder);
	switch (marker_read(store->folder, &store->marker)) {
	case MARKER_OK:
		break;
	case MARKER_NONE:
		return because(o, STORE_NO_MARKER,
			       "no marker file in the folder: its disk is not mounted, or the store "
			       "was never made; mount it, or run warren-store --init");
	case MARKER_DAMAGED:
		return because(o, STORE_DAMAGED,
			       "the marker file is not readable as one; put it back from a backup");
	case MARKER_NEWER:
		return because(o, STORE_NEWER, "%s",
			       format_newer(MARKER_FILE, store->marker.version, MARKER_VERSION, newer));
	case MARKER_DISK:
		return because(o, STORE_DISK, "the marker file cannot be read: %s", strerror(errno));
	}
	if (store->marker.node != store->shape.node)
		return because(o, STORE_OTHER_NODE, "the folder holds the store of node %u, not of node %u",
			       store->marker.node, store->shape.node);
	return STORE_OK;
}

static enum store_end find_arena(struct opening *o)
{
	struct store *store = o->store;
	struct stat stat;
	store->arena.fd = openat(store->folder, ARENA_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (store->arena.fd < 0 && (errno == EROFS || errno == EACCES)) {
		o->read_only = true;
		store->arena.fd = openat(store->folder, ARENA_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (store->arena.fd < 0 && errno == ENOENT)
		return because(o, STORE_NO_ARENA,
			       "the marker is here and the arena file is not; bring it back");
	if (store->arena.fd < 0)
		return because(o, STORE_DISK, "the arena file cannot be opened: %s", strerror(errno));
	if (flock(store->arena.fd, LOCK_EX | LOCK_NB) != 0)
		return because(o, STORE_TAKEN, "another process has this store open");
	if (fstat(store->arena.fd, &stat) != 0)
		return because(o, STORE_DISK, "the arena file: %s", strerror(errno));
	if (stat.st_size <= HEAD)
		return because(o, STORE_DAMAGED, "the arena file is cut short; restore a backup");
	store->arena.units = (uint64_t)stat.st_size - HEAD; /* bytes, as yet */
	return STORE_OK;
}

static enum store_end read_head(struct opening *o)
{
	struct store *store = o->store;
	uint8_t mac[32];
	char newer[FORMAT_SENTENCE];
	switch (head_read(store->arena.fd, &store->head, mac)) {
	case HEAD_OK:
		break;
	case HEAD_DAMAGED:
		return because(o, STORE_DAMAGED,
			       "both copies of the arena's head are damaged; restore a backup");
	case HEAD_NEWER:
		return because(o, STORE_NEWER, "%s",
			       format_newer(ARENA_FILE, store->head.newer, FORMAT_arena, newer));
	case HEAD_DISK:
		return because(o, STORE_DISK, "the arena's head cannot be read: %s", strerror(errno));
	}
	if (memcmp(&store->head.store, &store->marker.store, sizeof store->head.store) != 0)
		return because(o, STORE_DAMAGED, "marker and arena are of two different stores");
	if (!head_signed(&store->head, store->keys, mac))
		return because(o, STORE_OTHER_SECRET,
			       "the unlock secret is not the one this store was sealed with");
	store->arena.unit = store->head.unit;
	store->arena.units /= store->arena.unit;
	if (!store->arena.units)
		return because(o, STORE_DAMAGED, "the arena file is cut short; restore a backup");
	return STORE_OK;
}

/* The quota may have been raised since, or the file cut short. When the disk has no room for what was never there, the old
 * quota holds, and it is said; what was cut off must have its place back, so that nothing else is said to lie there. */
static enum store_end grow(struct opening *o)
{
	struct store *store = o->store;
	struct arena_file *arena = &store->arena;
	uint64_t units = arena_units_for(store->shape.quota, arena->unit);
	bool promised, cut = arena->units < store->head.units;
	if (cut) {
		log_error("store.arena_cut", "units=%" PRIu64 " were=%" PRIu64, arena->units,
			  store->head.units);
		store->check_all = true;
	}
	if (units < store->head.units)
		units = store->head.units;
	if (units > arena->units && !o->read_only) {
		struct arena_file grown = {arena->fd, arena->unit, units};
		int failed = arena_reserve(arena->fd, arena_file_bytes(&grown), &promised);
		if (failed) {
			log_warn("store.not_grown", "why=\"the arena cannot grow: %s\"", strerror(failed));
			/* what was reserved before it failed */
			if (ftruncate(arena->fd, (off_t)arena_file_bytes(arena)) != 0)
				log_warn("store.not_shrunk", "errno=%d", errno);
		} else {
			arena->units = units;
		}
	}
	if (arena->units < store->head.units)
		return because(o, STORE_DAMAGED,
			       "the arena file was cut short, and its end cannot be put back; free "
			       "disk space, or restore a backup");
	uint64_t carries = arena_quota_units(arena->units), asked = store->shape.quota / arena->unit;
	store->quota_units = asked < carries ? asked : carries;
	return STORE_OK;
}

/* -- the index ------------------------------------------------------------------------------------------------------- */

static bool row(void *context, struct blob *blob, bool dying)
{
	struct opening *o = context;
	struct store *store = o->store;
	if (!blob_fits(blob, store->arena.unit))
		return false;
	for (uint32_t i = 0; i < blob->runs.count; i++)
		if (!freemap_claim(store->map, blob->runs.run[i]))
			return false;
	for (uint32_t i = 0; i < blob->slot_count; i++) {
		if (o->slot_count == o->slot_room) {
			o->slot_room = o->slot_room ? o->slot_room * 2 : 64;
			o->slots = x_grow(o->slots, o->slot_room * sizeof *o->slots);
		}
		o->slots[o->slot_count++] = blob->slots[i];
	}
	o->sums.units += blob->runs.units;
	if (!dying) {
		o->sums.blobs++;
		o->sums.bytes += blob->size;
		o->sums.corrupt += blob->corrupt;
	}
	bool doubtful = !dying && !store->head.clean && blob->sequence > store->counts.synced;
	if (dying)
		blobs_keep(&o->dying, blob);
	else if (doubtful)
		blobs_keep(&o->doubtful, blob);
	if (store->shape.working && (o->sums.blobs & 4095) == 0)
		store->shape.working(store->shape.working_context);
	return true;
}

static void forget_rows(struct opening *o)
{
	blobs_end(&o->dying);
	blobs_end(&o->doubtful);
	x_free(&o->slots);
	o->slot_count = o->slot_room = 0;
	o->sums = (struct index_counts){0};
}

/* Builds the map from the rows, and compares the sums: a row or a sum that contradicts another shows here. */
static enum index_end load(struct opening *o, struct index *index)
{
	struct store *store = o->store;
	forget_rows(o);
	freemap_end(&store->map);
	slots_end(&store->slots);
	store->map = freemap_new(store->arena.units);
	slots_begin(&store->slots, store->map, store->arena.unit);
	enum index_end end = index_counts(index, &store->counts);
	if (end == INDEX_OK)
		end = index_each(index, row, o);
	if (end != INDEX_OK)
		return end;
	const struct index_counts *told = &store->counts, *found = &o->sums;
	bool agree = told->blobs == found->blobs && told->bytes == found->bytes &&
		     told->units == found->units && told->corrupt == found->corrupt;
	if (!agree || !slots_restore(&store->slots, o->slots, o->slot_count)) {
		snprintf(o->why, STORE_WHY, "its rows and its sums contradict each other");
		return INDEX_DAMAGED;
	}
	store->used_units = found->units;
	return INDEX_OK;
}

static enum index_end open_and_load(struct opening *o);

static enum index_end renew_index(struct opening *o, const char *path)
{
	const struct store_shape *shape = &o->store->shape;
	unsigned from = 0;
	if (o->read_only) {
		snprintf(o->why, STORE_WHY,
			 "the index is of an older version, and the disk takes no new one");
		return INDEX_DISK;
	}
	enum index_end end =
		index_migrate(o->store->folder, path, &from, shape->working, shape->working_context, o->why);
	if (end != INDEX_OK)
		return end;
	log_info("store.migrated", "file=" INDEX_FILE " version=%d kept=" INDEX_FILE ".v%u", INDEX_VERSION,
		 from);
	return open_and_load(o);
}

static enum index_end open_and_load(struct opening *o)
{
	struct store *store = o->store;
	char path[STORE_PATH];
	store_path(&store->shape, INDEX_FILE, path);
	struct index **index = o->read_only ? &store->reads : &store->writes;
	o->why[0] = '\0';
	enum index_end end = index_open(index, path, &store->marker.store,
					o->read_only ? INDEX_READ_ONLY_DISK : INDEX_WRITES);
	if (end == INDEX_OK)
		end = load(o, *index);
	if (end != INDEX_OK && !o->why[0])
		snprintf(o->why, STORE_WHY, "%s%s",
			 end == INDEX_NEWER ? "" : "the index: ", index_why(*index));
	o->unread = end == INDEX_DISK && index_was_unread(*index);
	if (end != INDEX_OK)
		index_close(index);
	return end == INDEX_OLDER ? renew_index(o, path) : end;
}

static enum store_end index_trouble(enum index_end end)
{
	return end == INDEX_NEWER ? STORE_NEWER : STORE_DISK; /* why is filled in */
}

static enum store_end find_index(struct opening *o)
{
	struct store *store = o->store;
	bool flagged = faccessat(store->folder, REBUILD_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	enum index_end end = INDEX_DAMAGED;
	if (!flagged && errno != ENOENT)
		return because(o, STORE_DISK, "the folder cannot be looked at: %s", strerror(errno));
	if (flagged)
		snprintf(o->why, STORE_WHY, "it was found damaged");
	else
		end = open_and_load(o);
	/* A page that the disk does not give may be given when it is asked again; what it never gives is lost. */
	for (int tries = 1; end == INDEX_DISK && o->unread && tries < READS; tries++)
		end = open_and_load(o);
	if (end == INDEX_DISK && o->unread)
		end = INDEX_DAMAGED;
	while (end == INDEX_FULL && ballast_yield(&store->ballast, FOR_DELETES))
		end = open_and_load(o);
	if ((end == INDEX_DAMAGED || end == INDEX_NONE) && !o->read_only) {
		if (!index_rebuild(store, o->why))
			return STORE_DISK;
		end = open_and_load(o);
	}
	return end == INDEX_OK ? STORE_OK : index_trouble(end);
}

/* -- writing ---------------------------------------------------------------------------------------------------------- */

/* The disk turned out to take no writes: what was opened for writing is opened again for reading. */
static enum store_end only_read(struct opening *o, const char *what, int number)
{
	struct store *store = o->store;
	index_close(&store->writes);
	index_close(&store->reads);
	o->read_only = true;
	log_warn("store.read_only", "what=\"%s\"", what);
	store_troubled(store, "the disk takes no writes", number);
	enum index_end end = open_and_load(o);
	return end == INDEX_OK ? STORE_OK : index_trouble(end);
}

static enum store_end begin_writing(struct opening *o)
{
	struct store *store = o->store;
	int failed = begin_birth(store);
	if (failed)
		return only_read(o, "a new birth", failed);
	enum index_end end = end_what_was_open(o);
	if (end != INDEX_OK)
		return only_read(o, "what a crash left open", EIO);
	char path[STORE_PATH];
	store_path(&store->shape, INDEX_FILE, path);
	if (index_open(&store->reads, path, &store->marker.store, INDEX_READS) != INDEX_OK)
		return because(o, STORE_DISK, "the index: %s", index_why(store->reads));
	uint64_t index = file_bytes(store->folder, INDEX_FILE) + file_bytes(store->folder, INDEX_FILE "-wal");
	if (!ballast_fill(&store->ballast, index))
		log_warn("store.reserve", "why=\"the disk is full: the reserve of the index is not whole\"");
	store->committer = committer_start(&(struct committer_parts){
		store->folder, &store->arena, store->writes, &store->ballast, store->counts});
	return STORE_OK;
}

/* -- all of it ------------------------------------------------------------------------------------------------------- */

static enum store_end open_all(struct opening *o)
{
	struct store *store = o->store;
	enum store_end end = find_marker(o);
	if (end == STORE_OK)
		end = find_arena(o);
	if (end != STORE_OK)
		return end;
	store->keys = store_keys_new(store->shape.secret, &store->marker.store);
	store->shape.secret = NULL;
	end = read_head(o);
	if (end != STORE_OK)
		return end;
	end = grow(o);
	if (end != STORE_OK)
		return end;
	if (o->read_only)
		store_troubled(store, "the disk takes no writes", EROFS);
	else if (!ballast_open(&store->ballast, store->folder, ballast_reserve_for(store->shape.quota)))
		log_warn("store.no_ballast", "errno=%d", errno);
	store->was_read_only = disk_is_read_only(store);
	end = find_index(o);
	if (end == STORE_OK && !o->read_only)
		end = begin_writing(o);
	return end;
}

enum store_end store_open(struct store **at, const struct store_shape *shape, char why[STORE_WHY])
{
	struct store *store = x_new(sizeof *store);
	struct opening o = {.store = store, .why = why};
	store->shape = *shape;
	snprintf(store->folder_path, sizeof store->folder_path, "%s", shape->folder);
	store->shape.folder = store->folder_path;
	store->folder = store->arena.fd = store->ballast.fd = -1;
	enum store_end end = open_all(&o);
	forget_rows(&o);
	*at = store;
	if (end != STORE_OK)
		store_close(at);
	else
		store_check_from(store, NULL);
	return end;
}

/* The last word of a birth: nothing that was written after the last sync counts. */
static void end_birth(struct store *store)
{
	store->head.clean = true;
	if (head_write(store->arena.fd, &store->head, store->keys) != 0 || fdatasync(store->arena.fd) != 0)
		log_warn("store.not_closed", "errno=%d", errno);
}

void store_close(struct store **at)
{
	struct store *store = *at;
	check_stop(store);
	puts_drop(store);
	gets_drop(store);
	if (store->committer) {
		committer_finish(store->committer);
		store_turn(store);
		committer_end(&store->committer);
	}
	bool wrote = store->writes && store->reads && !store->trouble;
	index_close(&store->reads);
	index_close(&store->writes);
	if (wrote)
		end_birth(store);
	ballast_close(&store->ballast);
	freemap_end(&store->map);
	slots_end(&store->slots);
	store_keys_free(&store->keys);
	if (store->arena.fd >= 0)
		close(store->arena.fd);
	if (store->folder >= 0)
		close(store->folder);
	x_free(at);
}
