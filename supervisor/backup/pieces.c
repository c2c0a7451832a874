/* The pieces of a backup to bytes and back. Pure but for the stream it is given. The reader is fuzzed (tests/fuzz/backup.c). */
#include "supervisor/backup/pieces.h"

#include "actors/base/log/log.h"

#include <stdio.h>
#include <string.h>

static const struct piece_row rows[] = {
#define PIECE(SYMBOL, number, section, node, owner, mode, most, path) \
	{PIECE_##SYMBOL, section, node, owner, mode, most, path},
#include "supervisor/backup/pieces.def"
#undef PIECE
};

const struct piece_row *piece_row(unsigned number)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if ((unsigned)rows[i].kind == number)
			return &rows[i];
	return NULL;
}

bool piece_stamp_fits(const char *stamp)
{
	static const char shape[] = "00000000T000000Z";
	if (strlen(stamp) != PIECE_STAMP)
		return false;
	for (int i = 0; i < PIECE_STAMP; i++)
		if (shape[i] == '0' ? stamp[i] < '0' || stamp[i] > '9' : stamp[i] != shape[i])
			return false;
	return true;
}

/* Every path is a row of pieces.def: the words are ours, the numbers checked. */
const char *piece_path(const struct piece *piece, char path[PIECE_PATH])
{
	size_t used = 0;
	for (const char *at = piece->row->path; *at && used + PIECE_STAMP < PIECE_PATH; at++) {
		if (*at == '#')
			used += (size_t)snprintf(path + used, PIECE_PATH - used, "%u", piece->node);
		else if (*at == '@')
			used += (size_t)snprintf(path + used, PIECE_PATH - used, "%s", piece->stamp);
		else
			path[used++] = *at;
	}
	path[used] = '\0';
	return path;
}

/* -- writing --------------------------------------------------------------------------------------------------------- */

enum sealed_end piece_begin(struct sealed *to, const struct piece *piece)
{
	uint8_t head[PIECE_HEAD] = {(uint8_t)piece->row->kind, 0, (uint8_t)(piece->node >> 8),
				    (uint8_t)piece->node};
	memcpy(head + 4, piece->stamp, strlen(piece->stamp));
	return sealed_write(to, head, sizeof head);
}

enum sealed_end piece_bytes(struct sealed *to, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	enum sealed_end end = SEALED_OK;
	while (length && end == SEALED_OK) {
		uint32_t part = length < PIECE_PART ? (uint32_t)length : PIECE_PART;
		const uint8_t count[4] = {0, (uint8_t)(part >> 16), (uint8_t)(part >> 8), (uint8_t)part};
		end = sealed_write(to, count, sizeof count);
		if (end == SEALED_OK)
			end = sealed_write(to, from, part);
		from += part;
		length -= part;
	}
	return end;
}

enum sealed_end piece_end(struct sealed *to)
{
	static const uint8_t none[4];
	return sealed_write(to, none, sizeof none);
}

/* -- reading --------------------------------------------------------------------------------------------------------- */

void pieces_from(struct pieces *pieces, pieces_source_fn *read, void *source)
{
	*pieces = (struct pieces){.read = read, .source = source, .ended = true};
}

enum sealed_end pieces_from_sealed(void *sealed, void *bytes, size_t room, size_t *got)
{
	return sealed_read(sealed, bytes, room, got);
}

/* All of it; an end in the middle is one too early. */
static enum sealed_end take(struct pieces *pieces, uint8_t *bytes, size_t length)
{
	size_t got;
	while (length) {
		enum sealed_end end = pieces->read(pieces->source, bytes, length, &got);
		if (end != SEALED_OK)
			return end == SEALED_OVER ? SEALED_DAMAGED : end;
		bytes += got;
		length -= got;
	}
	return SEALED_OK;
}

/* True when `after` comes after `before`: no piece comes twice. */
static bool rises(const struct piece *before, const struct piece *after)
{
	if (before->row->section != after->row->section)
		return before->row->section < after->row->section;
	if (before->node != after->node)
		return before->node < after->node;
	int stamps = strcmp(before->stamp, after->stamp);
	return stamps ? stamps < 0 : before->row->kind < after->row->kind;
}

static bool parse(const uint8_t head[PIECE_HEAD], struct piece *piece)
{
	static const uint8_t zeros[PIECE_STAMP];
	*piece = (struct piece){.row = piece_row(head[0]), .node = (uint16_t)(head[2] << 8 | head[3])};
	if (!piece->row || head[1] || piece->node > NODES_MAX || !piece->node == piece->row->of_node)
		return false;
	enum { ARCHIVED = 2 };
	if (piece->row->section != ARCHIVED)
		return memcmp(head + 4, zeros, PIECE_STAMP) == 0;
	memcpy(piece->stamp, head + 4, PIECE_STAMP);
	return piece_stamp_fits(piece->stamp);
}

enum sealed_end pieces_next(struct pieces *pieces)
{
	uint8_t head[PIECE_HEAD];
	struct piece next;
	size_t got;
	bug_if(!pieces->ended);
	if (pieces->piece.row && pieces->piece.row->kind == PIECE_FACTS) {
		enum sealed_end end = pieces->read(pieces->source, head, 1, &got);
		return end == SEALED_OK ? SEALED_DAMAGED : end;
	}
	enum sealed_end end = take(pieces, head, sizeof head);
	if (end != SEALED_OK)
		return end;
	if (!parse(head, &next) || (pieces->piece.row && !rises(&pieces->piece, &next)))
		return SEALED_DAMAGED;
	pieces->piece = next;
	pieces->taken = pieces->part = 0;
	pieces->ended = false;
	return SEALED_OK;
}

enum sealed_end pieces_read(struct pieces *pieces, void *bytes, size_t room, size_t *got)
{
	uint8_t count[4];
	*got = 0;
	if (pieces->ended)
		return SEALED_OVER;
	if (!pieces->part) {
		enum sealed_end end = take(pieces, count, sizeof count);
		if (end != SEALED_OK)
			return end;
		pieces->part = (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 | (uint32_t)count[2] << 8 |
			       count[3];
		pieces->ended = !pieces->part;
		if (pieces->ended)
			return SEALED_OVER;
		if (pieces->part > PIECE_PART || pieces->part > pieces->piece.row->most - pieces->taken)
			return SEALED_DAMAGED;
		pieces->taken += pieces->part;
	}
	enum sealed_end end =
		pieces->read(pieces->source, bytes, room < pieces->part ? room : pieces->part, got);
	pieces->part -= (uint32_t)*got;
	return end == SEALED_OVER ? SEALED_DAMAGED : end;
}
