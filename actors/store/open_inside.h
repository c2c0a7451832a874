/* What open.c (what is in the folder) and birth.c (ending what a crash left open) share, and nobody else sees. */
#ifndef WARREN_STORE_OPEN_INSIDE_H
#define WARREN_STORE_OPEN_INSIDE_H

#include "actors/store/store_inside.h"

struct blobs { /* begins as all zero */
	struct blob *blob;
	size_t count, room;
};

struct opening {
	struct store *store;
	bool read_only; /* the disk takes no writes */
	bool unread;    /* the disk did not give a page of the index */
	char *why;

	/* while the rows are read */
	uint64_t *slots;
	size_t slot_count, slot_room;
	struct index_counts sums;
	struct blobs dying;    /* their units stay taken until they are buried */
	struct blobs doubtful; /* the last group of a birth that ended without notice: their bytes may not be there */
};

/* birth.c */
void blobs_keep(struct blobs *blobs, struct blob *blob); /* takes it over */
void blobs_end(struct blobs *blobs);

/* Says in the arena's head that a new birth has begun. 0 or an errno. */
int begin_birth(struct store *store);

/* Blobs whose bytes are not all there, deletes that were not acknowledged: nobody was told of either. And makes sure of the
 * index's log. */
enum index_end end_what_was_open(struct opening *opening);

#endif
