/* A store into a stream, beside the process that has it open, or without one. Runs as store@N's own uid, in its jail; reads the
 * arena, and the index through a connection of its own; changes nothing, and holds nothing that the store would wait for. When it
 * dies, the stream has no end. */
#include "actors/store/carry.h"
#include "actors/store/store_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_ROWS = 256, BUFFER = 1 << 18 };

struct leaving {
	const struct store_shape *shape;
	int folder;
	struct marker marker;
	struct store_keys *keys;
	struct arena_file arena;
	struct head *head;
	struct index *index;
	FILE *to;
	bool blobs;
	struct carried *carried;
	uint8_t *sealed, *plain; /* a chunk each */
	struct cid page[PAGE_ROWS];
	unsigned count;
	char *why;
};

static enum store_end no(struct leaving *out, enum store_end end, const char *sentence)
{
	snprintf(out->why, STORE_WHY, "%s", sentence);
	return end;
}

static enum store_end disk(struct leaving *out, const char *what)
{
	snprintf(out->why, STORE_WHY, "%s: %s", what, strerror(errno));
	return STORE_DISK;
}

/* -- opening ------------------------------------------------------------------------------------------------------- */

static enum store_end open_arena(struct leaving *out)
{
	uint8_t mac[32];
	struct stat at;
	out->arena.fd = openat(out->folder, ARENA_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (out->arena.fd < 0 || fstat(out->arena.fd, &at) != 0)
		return disk(out, "the arena file cannot be opened");
	enum head_end end = head_read(out->arena.fd, out->head, mac);
	if (end == HEAD_NEWER)
		return no(out, STORE_NEWER, "the store was made by a newer warren; install that");
	if (end != HEAD_OK || at.st_size <= HEAD ||
	    memcmp(&out->head->store, &out->marker.store, sizeof out->head->store) != 0)
		return no(out, STORE_DAMAGED, "the arena file cannot be read as the store's own");
	if (!head_signed(out->head, out->keys, mac))
		return no(out, STORE_OTHER_SECRET,
			  "the unlock secret is not the one this store was sealed with");
	out->arena.unit = out->head->unit;
	out->arena.units = ((uint64_t)at.st_size - HEAD) / out->arena.unit;
	return STORE_OK;
}

static enum store_end open_index(struct leaving *out)
{
	char path[STORE_PATH];
	if (faccessat(out->folder, REBUILD_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return no(out, STORE_DAMAGED, "its index was found damaged; start the node, which mends it");
	store_path(out->shape, INDEX_FILE, path);
	enum index_end end = index_open(&out->index, path, &out->marker.store, INDEX_READS);
	if (end == INDEX_OK)
		return STORE_OK;
	if (end == INDEX_NEWER)
		return no(out, STORE_NEWER, "the index was made by a newer warren; install that");
	snprintf(out->why, STORE_WHY, "the index: %s; start the node, which mends a lost one",
		 index_why(out->index));
	return end == INDEX_DAMAGED || end == INDEX_NONE ? STORE_DAMAGED : STORE_DISK;
}

static enum store_end open_all(struct leaving *out)
{
	out->folder = open(out->shape->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->folder < 0)
		return disk(out, "the folder cannot be opened");
	if (marker_read(out->folder, &out->marker) != MARKER_OK || out->marker.node != out->shape->node)
		return no(out, STORE_NO_MARKER, "there is no marker of this node's store in the folder");
	out->keys = store_keys_new(out->shape->secret, &out->marker.store);
	enum store_end end = open_arena(out);
	return end == STORE_OK ? open_index(out) : end;
}

/* -- a blob -------------------------------------------------------------------------------------------------------- */

static bool tell(struct leaving *out, const void *bytes, size_t length)
{
	return fwrite(bytes, 1, length, out->to) == length;
}

enum stands { STANDS, NOT_ANY_MORE, DAMAGED, REFUSED };

/* Whether the blob is where its row says, still. *root is filled in. */
static enum stands look_at_header(struct leaving *out, const struct blob *blob, struct hash *root)
{
	struct blob there, row;
	uint64_t through;
	int failed = arena_read_header(&out->arena, out->keys, &out->marker.store, blob->runs.run[0].start,
				       &there, &through);
	if (failed && failed != ENOENT)
		errno = failed;
	if (failed && failed != ENOENT)
		return REFUSED;
	if (!failed) {
		bool same = memcmp(&there.id, &blob->id, sizeof there.id) == 0 && there.size == blob->size;
		*root = there.root;
		blob_end(&there);
		if (same)
			return STANDS;
	}
	/* Its row goes before its header does. */
	enum index_end end = index_look(out->index, &blob->cid, &row);
	if (end == INDEX_OK && memcmp(&row.id, &blob->id, sizeof row.id) == 0)
		return DAMAGED;
	return end == INDEX_OK || end == INDEX_NONE ? NOT_ANY_MORE : REFUSED;
}

/* Every chunk is authenticated as it passes: what is rotten must not be carried as if it were whole. *telling is false when
 * nobody takes it. */
static enum stands carry_chunks(struct leaving *out, struct blob *blob, bool *telling)
{
	struct sealer *sealer = blob_sealer(out->keys, &blob->id);
	uint64_t count = chunk_count(blob->size);
	enum stands whole = STANDS;
	for (uint64_t number = 0; number < count && *telling; number++) {
		size_t length = chunk_length(blob->size, number);
		int failed = arena_read(&out->arena, &blob->runs, chunk_at(number), out->sealed,
					length + SEAL_TAG);
		if (failed ||
		    !chunk_unseal(sealer, number, number + 1 == count, out->sealed, length, out->plain))
			whole = DAMAGED; /* the stream's length is kept all the same */
		*telling = tell(out, out->sealed, length + SEAL_TAG);
	}
	sealer_free(&sealer);
	return whole;
}

static void named_damaged(struct leaving *out, const struct blob *blob)
{
	char text[CID_TEXT];
	log_error("store.backup_damaged", "cid=%s then=\"it is not in the backup\"",
		  cid_text(&blob->cid, text));
	out->carried->damaged++;
}

static bool carry_whole(struct leaving *out, struct blob *blob)
{
	uint8_t row[CARRY_ROW];
	struct hash root;
	enum stands before = blob->corrupt ? DAMAGED : look_at_header(out, blob, &blob->root);
	if (before == REFUSED)
		return false;
	if (before != STANDS) {
		if (before == DAMAGED)
			named_damaged(out, blob);
		return true;
	}
	carry_row_pack(blob, row);
	bool telling = tell(out, "B", 1) && tell(out, row, sizeof row);
	enum stands chunks = carry_chunks(out, blob, &telling), after = look_at_header(out, blob, &root);
	if (!telling || after == REFUSED)
		return false;
	bool kept = chunks == STANDS && after == STANDS;
	if (!kept && after != NOT_ANY_MORE)
		named_damaged(out, blob);
	out->carried->blobs += kept;
	out->carried->bytes += kept ? blob->size : 0;
	return tell(out, !kept ? "D" : blob->pinned ? "P" : "K", 1);
}

static bool carry_row(struct leaving *out, const struct blob *blob)
{
	uint8_t row[CARRY_ROW];
	carry_row_pack(blob, row);
	out->carried->listed++;
	return tell(out, "L", 1) && tell(out, row, sizeof row);
}

/* -- all of them --------------------------------------------------------------------------------------------------- */

static void note(void *context, const struct cid *cid, uint64_t size)
{
	struct leaving *out = context;
	(void)size;
	out->page[out->count++] = *cid;
}

static bool carry_one(struct leaving *out, const struct cid *cid)
{
	struct blob blob;
	enum index_end end = index_find(out->index, cid, &blob);
	if (end == INDEX_NONE) /* deleted since the page was read */
		return true;
	if (end != INDEX_OK)
		return false;
	bool carried = blob.trashed || (out->blobs ? carry_whole(out, &blob) : carry_row(out, &blob));
	blob_end(&blob);
	return carried;
}

static enum store_end carry_all(struct leaving *out)
{
	struct cid after;
	bool first = true;
	do {
		out->count = 0;
		errno = 0;
		if (index_page(out->index, first ? NULL : &after, PAGE_ROWS, note, out) != INDEX_OK) {
			snprintf(out->why, STORE_WHY, "the index: %s", index_why(out->index));
			return STORE_DISK;
		}
		for (unsigned i = 0; i < out->count; i++)
			if (!carry_one(out, &out->page[i]))
				return disk(out, "a blob cannot be carried");
		first = false;
		after = out->page[PAGE_ROWS - 1];
	} while (out->count == PAGE_ROWS);
	return STORE_OK;
}

static enum store_end carry(struct leaving *out)
{
	uint8_t head[CARRY_HEAD], ending[CARRY_END];
	carry_head_pack(
		&(struct carry_head){out->shape->node, out->blobs, out->marker.store, out->head->birth},
		head);
	if (!tell(out, head, sizeof head))
		return disk(out, "the backup was not taken");
	enum store_end end = carry_all(out);
	if (end != STORE_OK)
		return end;
	carry_end_pack(out->carried, ending);
	return tell(out, "E", 1) && tell(out, ending, sizeof ending) && fflush(out->to) == 0
		       ? STORE_OK
		       : disk(out, "the backup was not taken");
}

enum store_end carry_out(const struct store_shape *shape, bool blobs, int to, struct carried *carried,
			 char why[STORE_WHY])
{
	struct leaving *out = x_new(sizeof *out);
	*out = (struct leaving){
		.shape = shape, .folder = -1, .arena.fd = -1, .blobs = blobs, .carried = carried, .why = why};
	int own = fcntl(to, F_DUPFD_CLOEXEC, 0);
	out->to = own < 0 ? NULL : fdopen(own, "w");
	if (own >= 0 && !out->to)
		close(own);
	out->head = x_new(sizeof *out->head);
	out->sealed = x_new(CHUNK_SEALED);
	out->plain = x_new(CHUNK);
	*carried = (struct carried){0};
	if (out->to)
		setvbuf(out->to, NULL, _IOFBF, BUFFER);
	enum store_end end = out->to ? open_all(out) : disk(out, "no descriptor");
	carried->store = out->marker.store;
	if (end == STORE_OK)
		end = carry(out);
	if (out->to && fclose(out->to) != 0 && end == STORE_OK)
		end = disk(out, "the backup was not taken");
	index_close(&out->index);
	if (out->arena.fd >= 0)
		close(out->arena.fd);
	if (out->folder >= 0)
		close(out->folder);
	if (out->keys)
		store_keys_free(&out->keys);
	wipe(out->plain, CHUNK);
	x_free(&out->head);
	x_free(&out->sealed);
	x_free(&out->plain);
	x_free(&out);
	return end;
}
