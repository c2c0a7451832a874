/* The blocks on the disk. Lines "<number> <timestamp> <raw>,…|- <CRC-32 of all before it, 8 hex digits>". Plain C, in the keeper of
 * anvil; touches the one file. */
#include "actors/anvil/journal.h"

#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>

enum { CRC_TEXT = 9, HEAD_TEXT = 48 };

static uint32_t checksum(const char *text, size_t length)
{
	return (uint32_t)crc32(0, (const unsigned char *)text, (uInt)length);
}

/* One line without its end; the text is cut up in place. */
static bool read_block(char *line, size_t length, struct block *block)
{
	char *end, *sum = length > CRC_TEXT ? line + length - CRC_TEXT : NULL;
	if (!sum || *sum != ' ' || strtoul(sum + 1, &end, 16) != checksum(line, (size_t)(sum - line)) || *end)
		return false;
	*sum = '\0';
	block->number = strtoull(line, &end, 10);
	if (*end != ' ')
		return false;
	block->timestamp = strtoull(end + 1, &end, 10);
	if (*end != ' ')
		return false;
	block->raws = strcmp(end + 1, "-") == 0 ? "" : end + 1;
	return true;
}

/* The length of what is whole. */
static size_t read_blocks(struct journal *journal, size_t length)
{
	size_t at = 0;
	unsigned room = 0;
	for (char *end; (end = memchr(journal->text + at, '\n', length - at));) {
		struct block block;
		*end = '\0';
		if (!read_block(journal->text + at, (size_t)(end - journal->text) - at, &block))
			return at;
		at = (size_t)(end - journal->text) + 1;
		while (journal->count && journal->blocks[journal->count - 1].number >= block.number)
			journal->count--;
		if (journal->count == room) {
			room = room * 2 + 64;
			journal->blocks = x_grow(journal->blocks, room * sizeof *journal->blocks);
		}
		journal->blocks[journal->count++] = block;
	}
	return at;
}

bool journal_open(struct journal *journal, int folder)
{
	struct stat file;
	*journal = (struct journal){
		.fd = openat(folder, JOURNAL_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
	if (journal->fd < 0 || fstat(journal->fd, &file) != 0)
		return false;
	if (file.st_size > JOURNAL_BYTES_MOST) {
		errno = EFBIG;
		return false;
	}
	size_t length = (size_t)file.st_size;
	journal->text = x_new(length + 1);
	for (size_t got = 0; got < length;) {
		ssize_t part = pread(journal->fd, journal->text + got, length - got, (off_t)got);
		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return false;
		got += (size_t)part;
	}
	journal->bytes = read_blocks(journal, length);
	journal->appended = journal->count;
	return journal->bytes == length || ftruncate(journal->fd, (off_t)journal->bytes) == 0;
}

bool journal_append(struct journal *journal, const struct block *block)
{
	size_t room = HEAD_TEXT + strlen(block->raws) + CRC_TEXT + 2;
	char *line = x_new(room);
	int length = snprintf(line, room, "%" PRIu64 " %" PRIu64 " %s", block->number, block->timestamp,
			      *block->raws ? block->raws : "-");
	length += snprintf(line + length, room - (size_t)length, " %08x\n", checksum(line, (size_t)length));
	bool wrote = pwrite(journal->fd, line, (size_t)length, (off_t)journal->bytes) == length &&
		     fdatasync(journal->fd) == 0;
	x_free(&line);
	if (!wrote)
		return false;
	journal->bytes += (uint64_t)length;
	journal->appended++;
	return true;
}

bool journal_clear(struct journal *journal)
{
	if (ftruncate(journal->fd, 0) != 0 || fdatasync(journal->fd) != 0)
		return false;
	journal->bytes = 0;
	journal->appended = 0;
	return true;
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	x_free(&journal->text);
	x_free(&journal->blocks);
	journal->fd = -1;
}
