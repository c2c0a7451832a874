/* The loop and the channels. */
#include "supervisor/channel.h"
#include "supervisor/loop.h"
#include "supervisor/notify.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct pair {
	struct loop *loop;
	int fds[2];
	int calls;
};

static void close_both(void *context, int fd, uint32_t events)
{
	struct pair *pair = context;
	(void)fd, (void)events;
	pair->calls++;
	for (int i = 0; i < 2; i++) {
		loop_unwatch(pair->loop, pair->fds[i]);
		close(pair->fds[i]);
	}
}

static void count(void *context, int fd, uint32_t events)
{
	(void)fd, (void)events;
	++*(int *)context;
}

static int readable(void)
{
	int pipe[2];
	cr_assert_eq(pipe2(pipe, O_CLOEXEC), 0);
	cr_assert_eq(write(pipe[1], "x", 1), 1);
	return pipe[0];
}

Test(loop, a_handler_may_take_away_what_was_to_be_called_next)
{
	struct pair pair = {.loop = loop_new(), .fds = {readable(), readable()}};
	loop_watch(pair.loop, pair.fds[0], EPOLLIN, close_both, &pair);
	loop_watch(pair.loop, pair.fds[1], EPOLLIN, close_both, &pair);
	loop_turn(pair.loop, 100);
	cr_assert_eq(pair.calls, 1);
	loop_free(&pair.loop);
}

static void swap(void *context, int fd, uint32_t events)
{
	struct pair *pair = context;
	(void)fd, (void)events;
	int other = pair->fds[0] == fd ? pair->fds[1] : pair->fds[0];
	loop_unwatch(pair->loop, other);
	close(other);
	int again = readable(); /* takes the number that was just given back */
	cr_assert_eq(dup2(again, other), other);
	loop_watch(pair->loop, other, EPOLLIN, count, &pair->calls);
	loop_unwatch(pair->loop, fd);
}

Test(loop, an_event_for_a_descriptor_that_was_closed_is_not_the_new_one_s)
{
	struct pair pair = {.loop = loop_new(), .fds = {readable(), readable()}};
	loop_watch(pair.loop, pair.fds[0], EPOLLIN, swap, &pair);
	loop_watch(pair.loop, pair.fds[1], EPOLLIN, swap, &pair);
	loop_turn(pair.loop, 100);
	cr_assert_eq(pair.calls, 0, "in the same turn, the old event");
	loop_turn(pair.loop, 100);
	cr_assert_eq(pair.calls, 1, "in the next, its own");
	loop_free(&pair.loop);
}

Test(loop, what_is_not_watched_may_be_unwatched)
{
	struct loop *loop = loop_new();
	loop_unwatch(loop, -1);
	loop_unwatch(loop, 100000);
	loop_unwatch(loop, 0);
	loop_free(&loop);
	cr_assert_null(loop);
}

Test(loop, time_does_not_run_backwards)
{
	cr_assert_eq(elapsed_ms(10, 4), 6);
	cr_assert_eq(elapsed_ms(4, 10), 0);
	uint64_t then = now_ms();
	cr_assert_leq(then, now_ms());
}

Test(channel, datagrams_stay_whole_and_descriptors_go_with_them)
{
	int ours, theirs = channel_open(&ours), sent = readable();
	struct stat before, after;
	char byte, room[8];
	cr_assert_eq(channel_receive(ours, room, sizeof room), -1, "none yet");
	cr_assert_eq(channel_send(ours, "abc", 3, sent), CHANNEL_SENT);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {room, sizeof room};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	cr_assert_eq(recvmsg(theirs, &message, 0), 3);
	int got;
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
	cr_assert(fstat(sent, &before) == 0 && fstat(got, &after) == 0);
	cr_assert_eq(before.st_ino, after.st_ino);
	cr_assert_eq(read(got, &byte, 1), 1);
	cr_assert_eq(send(theirs, "xy", 2, 0), 2);
	cr_assert_eq(channel_receive(ours, room, sizeof room), 2);
	cr_assert_eq(fcntl(ours, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(fcntl(theirs, F_GETFD), FD_CLOEXEC);
}

Test(channel, one_that_is_full_says_so_and_one_that_is_closed_is_broken)
{
	int ours, theirs = channel_open(&ours);
	char datagram[512] = {0}, room[8];
	enum channel_end end = CHANNEL_SENT;
	for (int i = 0; i < 100000 && end == CHANNEL_SENT; i++)
		end = channel_send(ours, datagram, sizeof datagram, -1);
	cr_assert_eq(end, CHANNEL_FULL);
	close(theirs);
	cr_assert_eq(channel_send(ours, datagram, sizeof datagram, -1), CHANNEL_BROKEN);
	cr_assert_eq(channel_receive(ours, room, sizeof room), 0);
}

static int manager(struct sockaddr_un *address, socklen_t length)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)address, length), 0);
	return fd;
}

Test(notify, a_manager_at_a_path_or_at_an_abstract_name_is_told)
{
	char text[64] = "", name[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "/tmp/warren-unit-notify-%d", getpid());
	int fd = manager(&address, sizeof address);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	cr_assert(notify("READY=1\nSTATUS=fine"));
	cr_assert_eq(recv(fd, text, sizeof text, MSG_DONTWAIT), 19);
	cr_assert_str_eq(text, "READY=1\nSTATUS=fine");
	unlink(address.sun_path);
	snprintf(name, sizeof name, "@warren-unit-%d", getpid());
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	fd = manager(&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
	setenv("NOTIFY_SOCKET", name, 1);
	cr_assert(notify("WATCHDOG=1"));
	cr_assert_eq(recv(fd, text, sizeof text, MSG_DONTWAIT), 10);
}

Test(notify, without_a_manager_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	cr_assert_not(notify("READY=1"));
	setenv("NOTIFY_SOCKET", "relative", 1);
	cr_assert_not(notify("READY=1"));
	setenv("NOTIFY_SOCKET", "/nobody/listens/here", 1);
	cr_assert_not(notify("READY=1"));
}

Test(notify, the_watchdog_is_fed_twice_as_often_as_it_asks)
{
	char pid[16];
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	cr_assert_eq(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	cr_assert_eq(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(notify_watchdog_ms(), 0, "it is somebody else's");
	snprintf(pid, sizeof pid, "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(notify_watchdog_ms(), 15000);
}
