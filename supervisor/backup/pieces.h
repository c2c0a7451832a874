/* What stands in the sealed stream: pieces, one after the other.
 *
 *   bytes   big-endian
 *       1   number of its row in pieces.def
 *       1   zero
 *       2   node, 0 for the machine
 *      16   stamp "20261121T170518Z" of an archived node, else zeros
 *   then its bytes, in parts: u32 length, 1 to 65536, and so many bytes; a length of 0 is its end
 *
 * The last piece is FACTS; after it the stream ends. The reader trusts nothing: whoever knows the passphrase may have
 * written it. */
#ifndef WARREN_BACKUP_PIECES_H
#define WARREN_BACKUP_PIECES_H

#include "proto/actors.h"
#include "supervisor/backup/sealed.h"

enum { OURS = 0 }; /* no process */

enum piece_kind {
#define PIECE(SYMBOL, number, ...) PIECE_##SYMBOL = number,
#include "supervisor/backup/pieces.def"
#undef PIECE
};

struct piece_row {
	enum piece_kind kind;
	unsigned section;
	bool of_node;
	unsigned owner; /* enum kind, or OURS */
	unsigned mode;
	uint64_t most;
	const char *path;
};
const struct piece_row *piece_row(unsigned number); /* NULL: there is none */

enum { PIECE_HEAD = 20, PIECE_STAMP = 16, PIECE_PART = 65536, PIECE_PATH = 96 };

struct piece {
	const struct piece_row *row;
	uint16_t node;
	char stamp[PIECE_STAMP + 1]; /* "": not of the archive */
};
const char *piece_path(const struct piece *piece, char path[PIECE_PATH]);
bool piece_stamp_fits(const char *stamp); /* "20261121T170518Z" */

/* -- writing; the pieces come in order, or it is a bug() ---------------------------------------------------------------- */

enum sealed_end piece_begin(struct sealed *to, const struct piece *piece);
enum sealed_end piece_bytes(struct sealed *to, const void *bytes, size_t length);
enum sealed_end piece_end(struct sealed *to);

/* -- reading ------------------------------------------------------------------------------------------------------------ */

/* Where the stream comes from: sealed_read(), or a test. */
typedef enum sealed_end pieces_source_fn(void *source, void *bytes, size_t room, size_t *got);

struct pieces {
	pieces_source_fn *read;
	void *source;
	struct piece piece; /* the present one */
	uint64_t taken;     /* of its bytes */
	uint32_t part;      /* bytes left in its part */
	bool ended;         /* the piece; true also before the first */
};
void pieces_from(struct pieces *pieces, pieces_source_fn *read, void *source);
enum sealed_end pieces_from_sealed(void *sealed, void *bytes, size_t room, size_t *got);

/* The next piece, when the one before was read to its end. SEALED_OVER after FACTS; SEALED_DAMAGED for what is not as above,
 * is out of order or has unknown kinds. */
enum sealed_end pieces_next(struct pieces *pieces);

/* Bytes of the piece; SEALED_OVER at its end, SEALED_DAMAGED when it is longer than its row allows. */
enum sealed_end pieces_read(struct pieces *pieces, void *bytes, size_t room, size_t *got);

#endif
