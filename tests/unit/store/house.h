/* A store in a folder of its own, for one test; and the shortest words for putting, getting and looking. Failing there is
 * failing the test. */
#ifndef WARREN_TESTS_STORE_HOUSE_H
#define WARREN_TESTS_STORE_HOUSE_H

#include "actors/store/blobs.h"
#include "actors/store/chunk.h"
#include "tests/unit/place.h"

#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, NODE = 7 };

struct house {
	char path[PLACE];
	uint8_t secret[32];
	struct store_shape shape;
	struct store *store; /* NULL: closed */
	char why[STORE_WHY];
};

void house_make(struct house *house, uint64_t quota); /* folder and shape; nothing in it */
void house_init(struct house *house);                 /* store_init(), which must succeed */
void house_open(struct house *house);                 /* store_open(), which must succeed */
enum store_end house_try(struct house *house);        /* store_open(), however it ends */
void house_close(struct house *house);
void house_remove(struct house *house); /* closes it too */
void house_new(struct house *house, uint64_t quota); /* the first three */

char *house_file(const struct house *house, const char *name); /* its path, valid until the next call */
bool house_has(const struct house *house, const char *name);

/* Bytes that are the same for the same seed, and not for another. */
void fill(uint8_t *bytes, size_t length, uint64_t seed);
struct cid cid_of(const void *bytes, size_t length);

void turn(struct house *house); /* waits for the committer once, and hands out what it has done */

void settle(struct house *house); /* until the committer has nothing left */

/* How a put ended: ERR_KEPT until then. */
struct outcome {
	enum err err;
	struct stored stored;
};
/* Begins, gives all bytes in slices of `slice`, ends. Comes back with ERR_KEPT when it is with the committer. */
void put_start(struct house *house, const void *bytes, size_t length, uint64_t declared, size_t slice,
	       struct outcome *outcome);
void put_wait(struct house *house, struct outcome *outcome);
enum err put_all(struct house *house, const void *bytes, size_t length, struct stored *stored); /* the two; size known */
enum err put_declared(struct house *house, const void *bytes, size_t length, uint64_t declared);
enum err put_seeded(struct house *house, uint64_t seed, size_t length, struct cid *cid);
enum err delete_now(struct house *house, const struct cid *cid);
enum err pin_now(struct house *house, const struct cid *cid, bool pinned);
enum err trash_now(struct house *house, const struct cid *cid, int64_t when);
enum err restore_now(struct house *house, const struct cid *cid);
enum err purge_now(struct house *house, const struct cid *cid, int64_t until);

/* Reads `length` bytes from `offset` (to the end: UINT64_MAX) into `into`; *got says how many came. */
enum err get_range(struct house *house, const struct cid *cid, uint64_t offset, uint64_t length, uint8_t *into,
		   size_t *got);
/* Whether the blob is exactly fill(seed, length). ERR_OK, or the error; wrong bytes fail the test. */
enum err get_seeded(struct house *house, uint64_t seed, size_t length);

struct store_figures stat_of(struct house *house);
uint64_t charge_of(uint64_t size); /* by the words of DESIGN 6, not by the code under test; in 1 KiB units */

/* All CIDs, in order; the caller frees. */
struct cid *list_all(struct house *house, size_t *count);

/* Every blob listed is readable and has its CID, and the sums are those of the list. */
void house_audit(struct house *house);

/* Runs SQL on the index of a closed store. */
void house_execute(const struct house *house, const char *sql);
/* Its files are gone; the store is closed. */
void house_lose_index(const struct house *house);
/* Closes it, loses the index, opens it: the same listing, rows and sums. */
void expect_same_after_rebuild(struct house *house);

/* Changes one bit of a file. */
void flip(const struct house *house, const char *name, uint64_t byte, unsigned bit);
/* Where in the arena file the header of this blob begins; fails the test when there is none. */
uint64_t header_in_arena(const struct house *house, const struct cid *cid);

#endif
