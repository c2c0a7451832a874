/* The arena file: a head (head.h), then an array of units that hold blobs and slots. Preallocated once, so that neither a full
 * disk nor fragmentation of the file system can break a promise that was given.
 *
 * (Not to be mistaken for `struct arena` of actors/base/memory, which is memory.) */
#ifndef WARREN_STORE_ARENA_H
#define WARREN_STORE_ARENA_H

#include "actors/store/head.h"
#include "actors/store/header.h"

struct arena_file {
	int fd;
	uint32_t unit;
	uint64_t units;
};

/* Bytes of one unit for a quota: 1 KiB up to 64 GiB, else 4 KiB. */
uint32_t arena_unit_for(uint64_t quota);

/* Units that a quota of so many bytes needs, slack included; and the largest quota, in units, that so many units carry. */
uint64_t arena_units_for(uint64_t quota, uint32_t unit);
uint64_t arena_quota_units(uint64_t units);

uint64_t arena_file_bytes(const struct arena_file *arena);

/* Reserves the file's bytes on the disk; on a file system that has no reservation it only sets the length, and *promised is
 * false. 0, or an errno (ENOSPC: it does not fit). */
int arena_reserve(int fd, uint64_t bytes, bool *promised);

/* `length` bytes at byte `at` of a blob whose units are `runs`. Whole or an errno; EIO too for what lies past the end of the
 * file or of the runs. */
int arena_write(const struct arena_file *arena, struct runs *runs, uint64_t at, const void *bytes, size_t length);
int arena_read(const struct arena_file *arena, struct runs *runs, uint64_t at, void *bytes, size_t length);

/* Writes the slots of a blob and the first `length` bytes of it, which lie in `image`; the header is made in its first
 * BLOB_HEADER bytes. */
int arena_write_start(const struct arena_file *arena, const struct store_keys *keys, const struct store_id *store,
		      struct blob *blob, uint64_t through, uint8_t *image, size_t length);

/* Reads the header that lies at the first byte of `unit`: 0 with *blob filled in, ENOENT when none is valid there, or the
 * errno of a read that failed. */
int arena_read_header(const struct arena_file *arena, const struct store_keys *keys, const struct store_id *store,
		      uint64_t unit, struct blob *blob, uint64_t *through);

/* The header's magic becomes zero: no rebuild will find this blob again. */
int arena_void(const struct arena_file *arena, uint64_t unit);

/* Writes what is there once more. A sync that failed leaves pages in memory that count as written, and read well, and are on no
 * disk (a later sync says that all is well): only new writes and a sync of those make sure. 0, or an errno. Not synced. */
int arena_write_again(const struct arena_file *arena, const struct blob *blob);

/* Of a file in this folder; 0 for one that is not there. */
uint64_t file_bytes(int folder, const char *name);

#endif
