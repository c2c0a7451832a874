/* The loop: a table indexed by descriptor, so that an event for a watch that went away in the same turn finds
 * nothing. Part of the supervisor. */
#include "supervisor/loop.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_A_TURN = 128 };

struct loop_watch {
	loop_fn *ready; /* NULL: not watched */
	void *context;
	uint32_t number; /* of this watch: a descriptor that was closed and opened again is another one */
};

struct loop {
	int epoll;
	uint32_t numbers;
	int room;
	struct loop_watch *watches;
};

struct loop *loop_new(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return NULL;
	struct loop *loop = x_new(sizeof *loop);
	loop->epoll = epoll;
	return loop;
}

void loop_free(struct loop **loop)
{
	close((*loop)->epoll);
	x_free(&(*loop)->watches);
	x_free(loop);
}

static uint64_t label(const struct loop *loop, int fd)
{
	return (uint64_t)loop->watches[fd].number << 32 | (uint32_t)fd;
}

bool loop_watch(struct loop *loop, int fd, uint32_t events, loop_fn *ready, void *context)
{
	bug_if(fd < 0);
	if (fd >= loop->room) {
		int room = fd + 64;
		loop->watches = x_grow(loop->watches, (size_t)room * sizeof *loop->watches);
		memset(loop->watches + loop->room, 0, (size_t)(room - loop->room) * sizeof *loop->watches);
		loop->room = room;
	}
	bug_if(loop->watches[fd].ready);
	loop->watches[fd] = (struct loop_watch){ready, context, ++loop->numbers};
	struct epoll_event event = {.events = events, .data.u64 = label(loop, fd)};
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return true;
	loop->watches[fd].ready = NULL;
	return false;
}

void loop_events(struct loop *loop, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = label(loop, fd)};
	bug_if(epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) != 0);
}

void loop_unwatch(struct loop *loop, int fd)
{
	if (fd < 0 || fd >= loop->room || !loop->watches[fd].ready)
		return;
	loop->watches[fd].ready = NULL;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void loop_turn(struct loop *loop, int ms)
{
	struct epoll_event events[EVENTS_A_TURN];
	int count = epoll_wait(loop->epoll, events, EVENTS_A_TURN, ms);
	bug_if(count < 0 && errno != EINTR);
	for (int i = 0; i < count; i++) {
		int fd = (int)(uint32_t)events[i].data.u64;
		const struct loop_watch *watch = &loop->watches[fd];
		if (watch->ready && watch->number == events[i].data.u64 >> 32)
			watch->ready(watch->context, fd, events[i].events);
	}
}

uint64_t elapsed_ms(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}
