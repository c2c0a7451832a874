/* Ends an ext4 as a disk that dies does: from now on every call to it fails with EIO, and what was not yet on it never is. Root, and a
 * mount of the caller's own: diskdies FOLDER. Part of the tests (chaos/disk.test.js). */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SHUTDOWN_NO_LOG_FLUSH = 2 }; /* EXT4_GOING_FLAGS_NOLOGFLUSH */
#define EXT4_SHUTDOWN _IOR('X', 125, uint32_t)

int main(int argc, char **argv)
{
	uint32_t how = SHUTDOWN_NO_LOG_FLUSH;
	if (argc != 2)
		return 2;
	int fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, EXT4_SHUTDOWN, &how) != 0) {
		perror(argv[1]);
		return 1;
	}
	return close(fd) != 0;
}
