/* The state's file. Plain C, in the keeper of anvil; touches the file and the one beside it. */
#include "actors/anvil/state.h"

#include "proto/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE = 16384, GZIP = 15 + 16 /* zlib.h: window, and a gzip header */ };
#define NEW_FILE STATE_FILE ".new"

static bool write_all(int fd, const uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t wrote = write(fd, bytes, length);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		bytes += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

/* What one piece unpacks to. */
static int unpack_piece(z_stream *stream, int fd)
{
	uint8_t out[PIECE];
	int result;
	do {
		stream->next_out = out;
		stream->avail_out = sizeof out;
		result = inflate(stream, Z_NO_FLUSH);
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return result;
		if (!write_all(fd, out, sizeof out - stream->avail_out))
			return Z_ERRNO;
	} while (result == Z_OK && !stream->avail_out);
	return result;
}

static bool unpack(const char *hex, int fd)
{
	uint8_t in[PIECE];
	z_stream stream = {0};
	size_t left = strlen(hex);
	int result = Z_OK;
	errno = EBADMSG;
	if (strncmp(hex, "0x", 2) != 0 || inflateInit2(&stream, GZIP) != Z_OK)
		return false;
	hex += 2;
	left -= 2;
	while (left && result != Z_STREAM_END && result != Z_ERRNO) {
		size_t digits = left < sizeof in * 2 ? left : sizeof in * 2;
		if (digits % 2 || !hex_parse(hex, digits, in, digits / 2)) {
			errno = EBADMSG;
			break;
		}
		stream.next_in = in;
		stream.avail_in = (uInt)(digits / 2);
		result = unpack_piece(&stream, fd);
		if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END && result != Z_ERRNO) {
			errno = EBADMSG;
			break;
		}
		hex += digits;
		left -= digits;
	}
	inflateEnd(&stream);
	if (result != Z_STREAM_END && result != Z_ERRNO)
		errno = EBADMSG;
	return result == Z_STREAM_END;
}

bool state_write(int folder, const char *hex)
{
	int fd = openat(folder, NEW_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	bool wrote = unpack(hex, fd) && fsync(fd) == 0;
	int error = errno;
	close(fd);
	errno = error;
	return wrote && renameat(folder, NEW_FILE, folder, STATE_FILE) == 0 && fsync(folder) == 0;
}

bool state_there(int folder)
{
	struct stat file;
	return fstatat(folder, STATE_FILE, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode);
}
