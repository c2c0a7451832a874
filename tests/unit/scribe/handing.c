/* The test as the supervisor. */
#include "handing.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct room room;
struct files files;
struct pipes *pipes;
int ours, theirs; /* FD_LOGS: scribe's end, the supervisor's */

void begin(void)
{
	room = room_open();
	files_begin(&files, room.folder, 1 << 20, 3, 77);
	pipes = pipes_open(&files);
	cr_assert_not_null(pipes);
	int pair[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ours = pair[0];
	theirs = pair[1];
}

void end(void)
{
	struct moment now = at(0);
	pipes_close(&pipes, &now);
	cr_assert_eq(files.open_count, 0);
	close(ours);
	close(theirs);
}

void leave(void)
{
	room_close(&room);
}

void hand(const void *entry, size_t length, const int *fds, unsigned count)
{
	static _Alignas(struct cmsghdr) char control[CMSG_SPACE(64 * sizeof(int))];
	struct iovec vector = {(void *)entry, length};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *part = CMSG_FIRSTHDR(&message);
		*part = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(part), fds, count * sizeof(int));
	}
	cr_assert_eq(sendmsg(theirs, &message, MSG_DONTWAIT), (ssize_t)length);
}

void tell(enum logs_verb verb, unsigned kind, unsigned node, uint32_t pid, int fd)
{
	struct logs_entry entry = {(uint8_t)verb, (uint8_t)kind, (uint16_t)node, pid};
	struct moment now = at(0);
	hand(&entry, sizeof entry, &fd, fd >= 0);
	cr_assert(pipes_receive(pipes, ours, &now));
}

/* The write end; the read end is handed over and, unless `kept`, closed here. */
int declare(unsigned kind, unsigned node, uint32_t pid, int *kept)
{
	int fds[2];
	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	tell(LOGS_PIPE, kind, node, pid, fds[0]);
	if (kept)
		*kept = fds[0];
	else
		close(fds[0]);
	return fds[1];
}

void say(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

unsigned turn(uint64_t ms)
{
	struct moment now = at(ms);
	return pipes_turn(pipes, &now);
}

void assert_file(const char *name, const char *expect)
{
	char *text = room_read(&room, name);
	cr_assert_not_null(text, "there is no %s", name);
	cr_assert_str_eq(text, expect);
	free(text);
}
