/* Datagrams to and from a child. Part of the supervisor. */
#include "supervisor/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int channel_open(int *ours)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	*ours = pair[0];
	return pair[1];
}

enum channel_end channel_send(int fd, const void *datagram, size_t length, int descriptor)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof descriptor)];
	} control = {0};
	struct iovec part = {(void *)datagram, length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (descriptor >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof control.room;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof descriptor);
		memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)length)
		return CHANNEL_SENT;
	/* ETOOMANYREFS: too many descriptors on their way at once; they arrive, and there is room again. */
	return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? CHANNEL_FULL : CHANNEL_BROKEN;
}

ssize_t channel_receive(int fd, void *datagram, size_t room)
{
	ssize_t got;
	do
		got = recv(fd, datagram, room, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno != EAGAIN)
		return 0;
	return got;
}
