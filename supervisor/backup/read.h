/* Reading the files of a machine that may be running: never through a link, never more than is allowed. */
#ifndef WARREN_BACKUP_READ_H
#define WARREN_BACKUP_READ_H

#include "supervisor/backup/pieces.h"
#include "supervisor/machine.h"

struct file_bytes {
	uint8_t *at; /* NULL: there is no such file */
	size_t length;
};

/* A file below ROOT. False and the sentence when it is no file, too long, or the disk refuses. */
bool file_read(const struct machine *machine, const char *path, uint64_t most, struct file_bytes *bytes, struct why *why);

/* The same for one that somebody writes into in place: read until it is the same twice; what is zero at its end is left out.
 * The books of a wallet: each slot is whole or torn by itself, and those under way are few; what was read between two slots
 * could lack more of them than the books allow (actors/wallet/spent.h). */
bool file_read_still(const struct machine *machine, const char *path, uint64_t most, struct file_bytes *bytes,
		     struct why *why);
void file_forget(struct file_bytes *bytes); /* wiped */

/* The folders of ROOT/archive, in the order of pieces; x_new'd. Others than nodeN-<time> are passed over. */
struct archived {
	uint16_t node;
	char stamp[PIECE_STAMP + 1];
};
bool archive_list(const struct machine *machine, struct archived **archived, unsigned *count, struct why *why);

#endif
