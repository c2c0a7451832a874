/* What a restore reads as root: the pieces of a backup, and what it says of itself; as if whoever made it knew the passphrase. The first
 * byte chooses which. What is accepted is in order, within its bounds and below ROOT. */
#include "tests/fuzz/target.h"

#include "actors/base/memory/memory.h"
#include "supervisor/backup/facts.h"
#include "supervisor/backup/pieces.h"

#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t left;
};

static enum sealed_end take(void *source, void *into, size_t room, size_t *got)
{
	struct bytes *bytes = source;
	*got = bytes->left < room ? bytes->left : room;
	if (*got)
		memcpy(into, bytes->at, *got);
	bytes->at += *got;
	bytes->left -= *got;
	return *got ? SEALED_OK : SEALED_OVER;
}

static void pieces(const uint8_t *bytes, size_t length)
{
	struct bytes source = {bytes, length};
	struct pieces read;
	uint8_t some[64];
	char path[PIECE_PATH];
	size_t got, count = 0;
	enum sealed_end end;
	pieces_from(&read, take, &source);
	while ((end = pieces_next(&read)) == SEALED_OK) {
		uint64_t sum = 0;
		must(read.piece.row && read.piece.node <= NODES_MAX && ++count <= length / PIECE_HEAD);
		piece_path(&read.piece, path);
		must(strlen(path) < PIECE_PATH - 1 && path[0] != '/' && !strstr(path, ".."));
		while ((end = pieces_read(&read, some, sizeof some, &got)) == SEALED_OK) {
			must(got && got <= sizeof some);
			sum += got;
		}
		must(sum <= read.piece.row->most && sum <= length);
		if (end != SEALED_OVER)
			break;
	}
	must(end == SEALED_OVER || end == SEALED_DAMAGED);
	must(end != SEALED_OVER || (read.piece.row->kind == PIECE_FACTS && !source.left));
}

static void facts(const char *text)
{
	struct facts read, again;
	const char *what;
	if (!facts_parse(text, &read))
		return;
	char *printed = facts_print(&read);
	must(facts_parse(printed, &again) && again.count == read.count && read.count <= NODES_MAX);
	for (unsigned i = 0; i < read.count; i++)
		must(facts_same(&read.nodes[i], &again.nodes[i], &what));
	facts_end(&read);
	facts_end(&again);
	x_free(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	char *text = x_new(length); /* terminated, as the first byte is no part of it */
	memcpy(text, bytes + 1, length - 1);
	if (bytes[0] & 1)
		pieces((const uint8_t *)text, length - 1);
	else
		facts(text);
	x_free(&text);
	return 0;
}
