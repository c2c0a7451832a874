/* What scribe would do with log pipes, as little as it takes: the broker's lines go to a file, those of the others away.
 * Part of the prober. */
#include "actors/prober/pump.h"

#include "proto/logs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool take_one(struct pump *pump)
{
	struct logs_entry entry;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {&entry, sizeof entry};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.room,
				 .msg_controllen = sizeof control.room};
	if (recvmsg(pump->from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof entry)
		return false;
	const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_type != SCM_RIGHTS)
		return true;
	int fd;
	memcpy(&fd, CMSG_DATA(head), sizeof fd);
	if (entry.verb != LOGS_PIPE || pump->count == PUMP_PIPES) {
		close(fd);
		return true;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	pump->pipes[pump->count].fd = fd;
	pump->pipes[pump->count++].kind = entry.kind;
	return true;
}

void pump_turn(struct pump *pump)
{
	char text[4096];
	while (take_one(pump))
		;
	for (unsigned i = 0; i < pump->count; i++) {
		ssize_t got = read(pump->pipes[i].fd, text, sizeof text);
		if (got > 0 && pump->pipes[i].kind == BROKER)
			(void)!write(pump->broker, text, (size_t)got);
	}
}
