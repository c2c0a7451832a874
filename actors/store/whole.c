/* Whole writes and reads: an interrupted or short one is gone on with. */
#include "actors/store/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int write_whole(int fd, const void *bytes, size_t length, uint64_t at)
{
	const uint8_t *from = bytes;
	while (length) {
		ssize_t wrote = pwrite(fd, from, length, (off_t)at);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? errno : EIO;
		from += wrote;
		length -= (size_t)wrote;
		at += (uint64_t)wrote;
	}
	return 0;
}

int read_whole(int fd, void *bytes, size_t length, uint64_t at)
{
	uint8_t *into = bytes;
	while (length) {
		ssize_t got = pread(fd, into, length, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EIO;
		into += got;
		length -= (size_t)got;
		at += (uint64_t)got;
	}
	return 0;
}

uint64_t file_bytes(int folder, const char *name)
{
	struct stat stat;
	return fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)stat.st_size : 0;
}
