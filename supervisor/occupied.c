/* Locks that say which nodes have processes. Part of the supervisor, and of the commands beside it. */
#include "supervisor/occupied.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 20 };

static struct flock byte_of(uint16_t node, short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = node, .l_len = 1};
}

int occupied_open(const struct machine *machine)
{
	return openat(machine->own, "nodes", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

bool occupied_say(int fd, uint16_t node, bool occupied)
{
	struct flock lock = byte_of(node, occupied ? F_WRLCK : F_UNLCK);
	return fcntl(fd, F_SETLK, &lock) == 0;
}

bool node_occupied(const struct machine *machine, uint16_t node)
{
	struct flock lock = byte_of(node, F_WRLCK);
	int fd = openat(machine->own, "nodes", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false; /* no supervisor has run yet */
	bool occupied = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return occupied;
}

bool node_wait_free(const struct machine *machine, uint16_t node, unsigned ms)
{
	for (unsigned waited = 0; node_occupied(machine, node); waited += LOOK_MS) {
		if (waited >= ms)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
	}
	return true;
}
