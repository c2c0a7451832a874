/* Making a store: `warren-store --init`. Runs as store@N's own uid, in its folder; leaves a whole store or no marker. */
#include "actors/store/store_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct making {
	const struct store_shape *shape;
	int folder, fd;
	struct arena_file arena;
	struct head *head;
	uint64_t reserve;
	char *why;
};

void store_path(const struct store_shape *shape, const char *name, char path[STORE_PATH])
{
	snprintf(path, STORE_PATH, "%s/%s", shape->folder, name);
}

bool index_put_in_place(int folder)
{
	int fd = openat(folder, INDEX_UNFINISHED, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0;
	close(fd);
	/* A log that was left behind would be played into the new file. */
	unlinkat(folder, INDEX_FILE "-wal", 0);
	unlinkat(folder, INDEX_FILE "-shm", 0);
	return synced && renameat(folder, INDEX_UNFINISHED, folder, INDEX_FILE) == 0 && fsync(folder) == 0;
}

static enum store_end disk(char why[STORE_WHY], const char *what)
{
	snprintf(why, STORE_WHY, "%s: %s", what, strerror(errno));
	return STORE_DISK;
}

static enum store_end no_room(const struct making *making, uint64_t bytes)
{
	struct statvfs fs = {0};
	fstatvfs(making->folder, &fs);
	snprintf(making->why, STORE_WHY,
		 "quota_mb %llu needs %llu MiB on the disk, and %llu MiB are free; free some, or set "
		 "quota_mb lower",
		 (unsigned long long)(making->shape->quota >> 20), (unsigned long long)(bytes >> 20),
		 (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize >> 20));
	return STORE_NO_ROOM;
}

/* Whether an arena without a marker is only half made. One that was ever opened may hold blobs. */
static enum store_end look_before(struct making *making)
{
	int fd = openat(making->folder, ARENA_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? STORE_OK : disk(making->why, "the arena file cannot be opened");
	uint8_t mac[32];
	struct stat stat;
	bool begun = fstat(fd, &stat) == 0 && stat.st_size >= HEAD;
	enum head_end end = begun ? head_read(fd, making->head, mac) : HEAD_DAMAGED;
	close(fd);
	if (end == HEAD_DAMAGED || (end == HEAD_OK && making->head->birth == 0))
		return STORE_OK;
	snprintf(making->why, STORE_WHY,
		 "the marker file is missing, but the arena file beside it was in use; put the marker back "
		 "from a backup");
	return STORE_DAMAGED;
}

static enum store_end make_arena(struct making *making)
{
	struct head *head = making->head;
	*head = (struct head){
		.unit = arena_unit_for(making->shape->quota), .node = making->shape->node, .clean = true};
	random_bytes(&head->store, sizeof head->store);
	making->arena = (struct arena_file){.unit = head->unit,
					    .units = arena_units_for(making->shape->quota, head->unit)};
	making->fd =
		openat(making->folder, ARENA_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (making->fd < 0)
		return disk(making->why, "the arena file cannot be made");
	if (flock(making->fd, LOCK_EX | LOCK_NB) != 0) {
		snprintf(making->why, STORE_WHY, "another process is making this store");
		return STORE_TAKEN;
	}
	bool promised;
	uint64_t bytes = arena_file_bytes(&making->arena);
	errno = arena_reserve(making->fd, bytes, &promised);
	if (errno == ENOSPC)
		return no_room(making, bytes + making->reserve);
	if (!promised)
		log_warn("store.not_reserved",
			 "why=\"this file system reserves nothing; what was promised may not be there\"");
	for (int copy = 0; copy < 2 && !errno; copy++)
		errno = head_write(making->fd, head, NULL);
	if (errno || fsync(making->fd) != 0)
		return disk(making->why, "the arena file cannot be written");
	return STORE_OK;
}

static enum store_end make_rest(struct making *making)
{
	char path[STORE_PATH];
	struct index *index;
	store_path(making->shape, INDEX_UNFINISHED, path);
	enum index_end end = index_make(&index, path, &making->head->store);
	if (end != INDEX_OK)
		snprintf(making->why, STORE_WHY, "the index cannot be made: %s", index_why(index));
	index_close(&index);
	if (end != INDEX_OK)
		return STORE_DISK;
	if (!index_put_in_place(making->folder))
		return disk(making->why, "the index cannot be put in place");
	struct ballast ballast;
	if (!ballast_open(&ballast, making->folder, making->reserve))
		return disk(making->why, "the ballast file cannot be made");
	bool filled = ballast_fill(&ballast, 0);
	ballast_close(&ballast);
	if (!filled)
		return no_room(making, arena_file_bytes(&making->arena) + making->reserve);
	struct marker marker = {MARKER_VERSION, making->shape->node, making->head->store};
	return marker_write(making->folder, &marker) ? STORE_OK
						     : disk(making->why, "the marker file cannot be written");
}

static enum store_end make(struct making *making)
{
	enum store_end end = look_before(making);
	if (end == STORE_OK)
		end = make_arena(making);
	if (end == STORE_OK)
		end = make_rest(making);
	if (making->fd >= 0)
		close(making->fd);
	return end;
}

/* A store that has its marker is whole, or a person must look at it. */
static enum store_end find(struct making *making, const struct marker *marker)
{
	struct stat stat;
	if (marker->node != making->shape->node) {
		snprintf(making->why, STORE_WHY, "the folder holds the store of node %u, not of node %u",
			 marker->node, making->shape->node);
		return STORE_OTHER_NODE;
	}
	if (fstatat(making->folder, ARENA_FILE, &stat, AT_SYMLINK_NOFOLLOW) != 0) {
		snprintf(making->why, STORE_WHY,
			 "the marker is here and the arena file is not; bring it back");
		return STORE_NO_ARENA;
	}
	making->arena = (struct arena_file){.unit = 1, .units = (uint64_t)stat.st_size - HEAD};
	return STORE_OK;
}

enum store_end store_init(const struct store_shape *shape, uint64_t *physical, bool *found,
			  char why[STORE_WHY])
{
	struct making making = {
		.shape = shape, .fd = -1, .reserve = ballast_reserve_for(shape->quota), .why = why};
	making.folder = open(shape->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (making.folder < 0)
		return disk(why, "the folder cannot be opened");
	making.head = x_new(sizeof *making.head);
	struct marker marker;
	enum store_end end = STORE_DAMAGED;
	*found = false;
	switch (marker_read(making.folder, &marker)) {
	case MARKER_OK:
		*found = true;
		end = find(&making, &marker);
		break;
	case MARKER_NONE:
		end = make(&making);
		break;
	case MARKER_DAMAGED:
		snprintf(why, STORE_WHY, "the marker file is not readable as one; put it back from a backup");
		break;
	case MARKER_NEWER:
		format_newer(MARKER_FILE, marker.version, MARKER_VERSION, why);
		end = STORE_NEWER;
		break;
	case MARKER_DISK:
		end = disk(why, "the marker file cannot be read");
		break;
	}
	*physical = arena_file_bytes(&making.arena) + making.reserve;
	close(making.folder);
	x_free(&making.head);
	return end;
}
