/* What the attacks aim at outside of the scratch machine: sockets that listen, a shared memory segment, as any service of a host
 * might have them. And the sign on which the probers wait. Part of the selftest; removes what it made. */
#include "actors/prober/attack.h"
#include "actors/prober/selftest.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Nobody takes what comes: what each attempt of each run leaves stays in the queue. */
enum { BACKLOG = 4096, SEGMENT = 4096 };

static int listens(const struct sockaddr *address, size_t length)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, address, (socklen_t)length) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool host_open(struct selftest *self)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = SELFTEST_SOCKET},
			   name = {.sun_family = AF_UNIX};
	socklen_t length = sizeof here;
	memcpy(name.sun_path + 1, SELFTEST_ABSTRACT, sizeof SELFTEST_ABSTRACT - 1);
	unlink(SELFTEST_SOCKET);
	self->listeners[0] = listens((struct sockaddr *)&here, sizeof here);
	self->listeners[1] = listens((struct sockaddr *)&path, sizeof path);
	self->listeners[2] = listens((struct sockaddr *)&name,
				     offsetof(struct sockaddr_un, sun_path) + sizeof SELFTEST_ABSTRACT);
	self->segment = shmget(SELFTEST_SEGMENT, SEGMENT, IPC_CREAT | 0666);
	bool there = self->listeners[0] >= 0 && self->listeners[1] >= 0 && self->listeners[2] >= 0 &&
		     self->segment >= 0 && chmod(SELFTEST_SOCKET, 0666) == 0 &&
		     getsockname(self->listeners[0], (struct sockaddr *)&here, &length) == 0;
	self->port = ntohs(here.sin_port);
	if (!there)
		printf("bad   what the attacks aim at cannot be made; does another selftest run?\n");
	return there;
}

void host_close(struct selftest *self)
{
	for (int i = 0; i < 3; i++)
		if (self->listeners[i] >= 0)
			close(self->listeners[i]);
	unlink(SELFTEST_SOCKET);
	if (self->segment >= 0)
		shmctl(self->segment, IPC_RMID, NULL);
}

/* A symlink is there whole or not at all. */
bool host_sign(const struct selftest *self)
{
	char text[2048];
	int length = snprintf(text, sizeof text, "%d", self->port);
	for (size_t i = 0; i < self->child_count && length < (int)sizeof text - 16; i++)
		length += snprintf(text + length, sizeof text - (size_t)length, " %d", self->children[i]);
	return symlink(text, SELFTEST_ROOT "/run/" SELFTEST_SIGN) == 0;
}
