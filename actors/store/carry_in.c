/* A stream into a new store. Runs as store@N's own uid, in its jail, with no bus: what it reads may be anybody's bytes, though
 * whoever made them knew the backup's passphrase. Every length is checked before it is used. A death leaves a folder without a
 * marker, which the restore takes away. */
#include "actors/store/carry.h"
#include "actors/store/store_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BUFFER = 1 << 18 };

struct entering {
	const struct store_shape *shape;
	int folder;
	bool scratch;
	struct carry_head head;
	struct store_keys *keys;
	struct arena_file arena;
	struct freemap *map;
	struct slots slots;
	struct index *index;
	struct index_counts counts;
	FILE *from, *lost;
	struct carried *carried;
	uint8_t *sealed;
	char *why;
};

static enum store_end no(struct entering *in, enum store_end end, const char *sentence)
{
	snprintf(in->why, STORE_WHY, "%s", sentence);
	return end;
}

static enum store_end disk(struct entering *in, const char *what)
{
	snprintf(in->why, STORE_WHY, "%s: %s", what, strerror(errno));
	return STORE_DISK;
}

static enum store_end index_trouble(struct entering *in)
{
	snprintf(in->why, STORE_WHY, "the index cannot be made: %s", index_why(in->index));
	return STORE_DISK;
}

static bool take(struct entering *in, void *bytes, size_t length)
{
	return fread(bytes, 1, length, in->from) == length;
}

static enum store_end cut(struct entering *in)
{
	return no(in, STORE_DAMAGED, "the backup of this store is not whole");
}

/* -- beginning ----------------------------------------------------------------------------------------------------- */

static enum store_end begin(struct entering *in)
{
	uint8_t bytes[CARRY_HEAD];
	struct marker marker;
	in->folder = open(in->shape->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->folder < 0)
		return disk(in, "the folder cannot be opened");
	if (marker_read(in->folder, &marker) != MARKER_NONE)
		return no(in, STORE_DAMAGED, "there is a store in the folder already");
	if (!take(in, bytes, sizeof bytes))
		return cut(in);
	enum store_end end = carry_head_unpack(bytes, &in->head);
	if (end == STORE_NEWER)
		return no(in, end, "the backup of this store was made by a newer warren; install that");
	if (end != STORE_OK)
		return cut(in);
	if (in->head.node != in->shape->node)
		return no(in, STORE_OTHER_NODE, "the backup of this store is of another node");
	in->keys = store_keys_new(in->shape->secret, &in->head.store);
	return STORE_OK;
}

static enum store_end no_room(struct entering *in)
{
	struct statvfs fs = {0};
	fstatvfs(in->folder, &fs);
	snprintf(in->why, STORE_WHY,
		 "quota_mb %" PRIu64 " needs %" PRIu64 " MiB on the disk, and %" PRIu64
		 " MiB are free; free some",
		 in->shape->quota >> 20, arena_file_bytes(&in->arena) >> 20,
		 (uint64_t)fs.f_bavail * fs.f_frsize >> 20);
	return STORE_NO_ROOM;
}

static enum store_end make_arena(struct entering *in)
{
	bool promised;
	in->arena.unit = arena_unit_for(in->shape->quota);
	in->arena.units = arena_units_for(in->shape->quota, in->arena.unit);
	in->arena.fd =
		openat(in->folder, ARENA_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (in->arena.fd < 0)
		return disk(in, "the arena file cannot be made");
	uint64_t bytes = arena_file_bytes(&in->arena);
	errno = in->scratch ? (ftruncate(in->arena.fd, (off_t)bytes) == 0 ? 0 : errno)
			    : arena_reserve(in->arena.fd, bytes, &promised);
	if (errno == ENOSPC)
		return no_room(in);
	if (errno)
		return disk(in, "the arena file cannot be made");
	in->map = freemap_new(in->arena.units);
	slots_begin(&in->slots, in->map, in->arena.unit);
	return STORE_OK;
}

static enum store_end make_index(struct entering *in)
{
	char path[STORE_PATH];
	store_path(in->shape, INDEX_UNFINISHED, path);
	return index_make(&in->index, path, &in->head.store) == INDEX_OK && index_begin(in->index) == INDEX_OK
		       ? STORE_OK
		       : index_trouble(in);
}

/* -- a blob -------------------------------------------------------------------------------------------------------- */

static enum store_end write_chunks(struct entering *in, struct blob *blob)
{
	uint64_t count = chunk_count(blob->size);
	for (uint64_t number = 0; number < count; number++) {
		size_t length = chunk_length(blob->size, number) + SEAL_TAG;
		if (!take(in, in->sealed, length))
			return cut(in);
		errno = arena_write(&in->arena, &blob->runs, chunk_at(number), in->sealed, length);
		if (errno)
			return disk(in, "the arena file cannot be written");
	}
	return STORE_OK;
}

static enum store_end write_header(struct entering *in, struct blob *blob)
{
	uint8_t image[BLOB_HEADER];
	blob->slot_count = slots_for(blob->runs.count);
	if (blob->slot_count) {
		blob->slots = x_new_array(blob->slot_count, sizeof *blob->slots);
		bug_if(!slots_take(&in->slots, blob->slots, blob->slot_count));
	}
	errno = arena_write_start(&in->arena, in->keys, &in->head.store, blob, in->counts.sequence, image,
				  sizeof image);
	return errno ? disk(in, "the arena file cannot be written") : STORE_OK;
}

static enum store_end keep(struct entering *in, struct blob *blob)
{
	struct blob same;
	if (index_look(in->index, &blob->cid, &same) != INDEX_NONE)
		return no(in, STORE_DAMAGED, "the backup of this store has a blob twice");
	enum store_end end = write_header(in, blob);
	if (end != STORE_OK)
		return end;
	if (index_put(in->index, blob) != INDEX_OK)
		return index_trouble(in);
	in->counts.blobs++;
	in->counts.bytes += blob->size;
	in->counts.units += blob->runs.units;
	if (blob->sequence > in->counts.sequence)
		in->counts.sequence = blob->sequence;
	in->carried->blobs++;
	in->carried->bytes += blob->size;
	return STORE_OK;
}

/* No more than the quota, though the arena has a little: what is stored must fit again into what was promised. */
static bool has_room(const struct entering *in, uint64_t units)
{
	uint64_t quota = arena_quota_units(in->arena.units);
	return in->counts.units <= quota && units <= quota - in->counts.units;
}

static enum store_end take_blob(struct entering *in)
{
	uint8_t row[CARRY_ROW], verdict = 0;
	struct blob blob;
	if (!in->head.blobs || !take(in, row, sizeof row) || !carry_row_unpack(row, &blob) ||
	    blob.sequence >> SEQUENCE_BITS > in->head.birth)
		return cut(in);
	uint64_t units = blob_units(blob.size, in->arena.unit);
	if (!has_room(in, units) || !freemap_take(in->map, units, &blob.runs))
		return no(in, STORE_NO_ROOM, "its blobs do not fit into quota_mb; raise it");
	enum store_end end = write_chunks(in, &blob);
	if (end == STORE_OK &&
	    (!take(in, &verdict, 1) || (verdict != 'K' && verdict != 'P' && verdict != 'D')))
		end = cut(in);
	blob.pinned = verdict == 'P';
	if (end == STORE_OK && verdict != 'D')
		end = keep(in, &blob);
	else if (end == STORE_OK)
		freemap_give_all(in->map, &blob.runs);
	blob_end(&blob);
	return end;
}

static enum store_end take_listed(struct entering *in)
{
	uint8_t row[CARRY_ROW];
	struct blob blob;
	char text[CID_TEXT];
	if (in->head.blobs || !take(in, row, sizeof row) || !carry_row_unpack(row, &blob))
		return cut(in);
	if (!in->lost) {
		int fd = openat(in->folder, LOST_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
				0600);
		in->lost = fd < 0 ? NULL : fdopen(fd, "w");
		if (fd >= 0 && !in->lost)
			close(fd);
		if (!in->lost)
			return disk(in, "the list of lost blobs cannot be made");
	}
	in->carried->listed++;
	return fprintf(in->lost, "%s %" PRIu64 " %" PRId64 "\n", cid_text(&blob.cid, text), blob.size,
		       blob.stored_at) > 0
		       ? STORE_OK
		       : disk(in, "the list of lost blobs cannot be written");
}

static enum store_end take_all(struct entering *in)
{
	uint8_t kind, ending[CARRY_END];
	enum store_end end = STORE_OK;
	while (end == STORE_OK) {
		if (!take(in, &kind, 1))
			return cut(in);
		if (kind == 'E')
			return take(in, ending, sizeof ending) && carry_end_fits(in->carried, ending) &&
					       fgetc(in->from) == EOF
				       ? STORE_OK
				       : cut(in);
		if (kind != 'B' && kind != 'L')
			return cut(in);
		end = kind == 'B' ? take_blob(in) : take_listed(in);
	}
	return end;
}

/* -- the end ------------------------------------------------------------------------------------------------------- */

static bool synced(FILE *file)
{
	bool fine = fflush(file) == 0 && fsync(fileno(file)) == 0;
	return fclose(file) == 0 && fine;
}

/* As if the store had just been closed in good order, by a birth that all of its blobs are older than. */
static enum store_end write_head(struct entering *in)
{
	struct head *head = x_new(sizeof *head);
	*head = (struct head){.store = in->head.store,
			      .unit = in->arena.unit,
			      .node = in->shape->node,
			      .birth = in->head.birth,
			      .units = in->arena.units,
			      .clean = true};
	head_machine_now(head);
	errno = 0;
	for (int copy = 0; copy < 2 && !errno; copy++)
		errno = head_write(in->arena.fd, head, in->keys);
	x_free(&head);
	return errno || fsync(in->arena.fd) != 0 ? disk(in, "the arena file cannot be written") : STORE_OK;
}

static enum store_end finish(struct entering *in)
{
	in->counts.synced = in->counts.sequence;
	if (index_commit(in->index, &in->counts) != INDEX_OK)
		return index_trouble(in);
	index_close(&in->index);
	if (!index_put_in_place(in->folder))
		return disk(in, "the index cannot be put in place");
	FILE *lost = in->lost;
	in->lost = NULL;
	if (lost && !synced(lost))
		return disk(in, "the list of lost blobs cannot be written");
	enum store_end end = write_head(in);
	struct ballast ballast;
	if (end == STORE_OK && !in->scratch &&
	    ballast_open(&ballast, in->folder, ballast_reserve_for(in->shape->quota))) {
		if (!ballast_fill(&ballast, 0))
			end = no_room(in);
		ballast_close(&ballast);
	}
	struct marker marker = {MARKER_VERSION, in->shape->node, in->head.store};
	if (end == STORE_OK && !marker_write(in->folder, &marker))
		end = disk(in, "the marker file cannot be written");
	return end;
}

static void leave(struct entering *in)
{
	index_close(&in->index);
	if (in->lost)
		fclose(in->lost);
	if (in->from)
		fclose(in->from);
	freemap_end(&in->map);
	slots_end(&in->slots);
	if (in->keys)
		store_keys_free(&in->keys);
	if (in->arena.fd >= 0)
		close(in->arena.fd);
	if (in->folder >= 0)
		close(in->folder);
	x_free(&in->sealed);
}

enum store_end carry_in(const struct store_shape *shape, bool scratch, int from, struct carried *carried,
			char why[STORE_WHY])
{
	struct entering in = {.shape = shape,
			      .folder = -1,
			      .arena.fd = -1,
			      .scratch = scratch,
			      .carried = carried,
			      .sealed = x_new(CHUNK_SEALED),
			      .why = why};
	int own = fcntl(from, F_DUPFD_CLOEXEC, 0);
	in.from = own < 0 ? NULL : fdopen(own, "r");
	if (own >= 0 && !in.from)
		close(own);
	*carried = (struct carried){0};
	if (in.from)
		setvbuf(in.from, NULL, _IOFBF, BUFFER);
	enum store_end end = in.from ? begin(&in) : disk(&in, "no descriptor");
	carried->store = in.head.store;
	if (end == STORE_OK)
		end = make_arena(&in);
	if (end == STORE_OK)
		end = make_index(&in);
	if (end == STORE_OK)
		end = take_all(&in);
	if (end == STORE_OK)
		end = finish(&in);
	leave(&in);
	return end;
}

/* -- looking at all of it --------------------------------------------------------------------------------------------- */

enum store_end carry_check(const struct store_shape *shape, const struct carried *carried,
			   char why[STORE_WHY])
{
	struct store *store;
	struct store_figures figures;
	enum store_end end = store_open(&store, shape, why);
	if (end != STORE_OK)
		return end;
	if (!index_is_sound(store->reads)) {
		snprintf(why, STORE_WHY, "the index: %s", index_why(store->reads));
		end = STORE_DAMAGED;
	}
	while (end == STORE_OK && store_check_next(store) != CHECK_END)
		store_turn(store);
	store_figures(store, &figures);
	bool corrupt = figures.corrupt || store->marks || figures.rebuilt;
	if (end == STORE_OK &&
	    (corrupt || figures.blobs != carried->blobs || figures.bytes != carried->bytes)) {
		snprintf(why, STORE_WHY, "%s; %" PRIu64 " blobs of %" PRIu64 " are there",
			 corrupt ? "a blob fails its check" : "the sums differ", figures.blobs,
			 carried->blobs);
		end = STORE_DAMAGED;
	}
	store_close(&store);
	return end;
}
