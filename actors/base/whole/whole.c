/* All of the bytes, however the kernel portions them. Holds nothing; touches the descriptor it is given. */
#include "actors/base/whole/whole.h"

#include <errno.h>
#include <unistd.h>

int write_whole(int fd, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	while (length) {
		ssize_t wrote = write(fd, from, length);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? errno : (errno = EIO);
		from += wrote;
		length -= (size_t)wrote;
	}
	return 0;
}

int write_whole_at(int fd, const void *bytes, size_t length, uint64_t at)
{
	const uint8_t *from = bytes;
	while (length) {
		ssize_t wrote = pwrite(fd, from, length, (off_t)at);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? errno : (errno = EIO);
		from += wrote;
		length -= (size_t)wrote;
		at += (uint64_t)wrote;
	}
	return 0;
}

int read_whole(int fd, void *bytes, size_t room, size_t *got)
{
	uint8_t *into = bytes;
	for (*got = 0; *got < room;) {
		ssize_t piece = read(fd, into + *got, room - *got);
		if (piece < 0 && errno == EINTR)
			continue;
		if (piece <= 0)
			return piece < 0 ? errno : 0;
		*got += (size_t)piece;
	}
	return 0;
}

int read_whole_at(int fd, void *bytes, size_t length, uint64_t at)
{
	uint8_t *into = bytes;
	while (length) {
		ssize_t got = pread(fd, into, length, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : (errno = EIO);
		into += got;
		length -= (size_t)got;
		at += (uint64_t)got;
	}
	return 0;
}
