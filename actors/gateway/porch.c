/* The porch: closing without a reset. Runs in gateway@N; what stands there when it dies is reset by the
 * kernel. */
#include "actors/gateway/porch.h"

#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 64 }; /* reads of one connection in a turn */

struct guest {
	int fd; /* -1: free */
	uint64_t until_ms, bytes;
};

struct porch {
	int epoll;
	uint64_t count, high, drops;
	struct guest guests[PORCH_GUESTS];
};

struct porch *porch_new(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return NULL;
	struct porch *porch = x_new(sizeof *porch);
	porch->epoll = epoll;
	for (unsigned i = 0; i < PORCH_GUESTS; i++)
		porch->guests[i].fd = -1;
	return porch;
}

static void end(struct porch *porch, struct guest *guest)
{
	if (guest->fd < 0)
		return;
	epoll_ctl(porch->epoll, EPOLL_CTL_DEL, guest->fd,
		  NULL); /* the library may still hold its own descriptor of it */
	close(guest->fd);
	guest->fd = -1;
	porch->count--;
}

void porch_free(struct porch **at)
{
	if (!*at)
		return;
	for (unsigned i = 0; i < PORCH_GUESTS; i++)
		end(*at, &(*at)->guests[i]);
	close((*at)->epoll);
	x_free(at);
}

int porch_fd(const struct porch *porch)
{
	return porch->epoll;
}

const uint64_t *porch_count(const struct porch *porch)
{
	return &porch->count;
}

const uint64_t *porch_high(const struct porch *porch)
{
	return &porch->high;
}

const uint64_t *porch_drops(const struct porch *porch)
{
	return &porch->drops;
}

static struct guest *place(struct porch *porch)
{
	struct guest *oldest = &porch->guests[0];
	for (unsigned i = 0; i < PORCH_GUESTS; i++) {
		struct guest *guest = &porch->guests[i];
		if (guest->fd < 0)
			return guest;
		if (guest->until_ms < oldest->until_ms)
			oldest = guest;
	}
	porch->drops++;
	end(porch, oldest);
	return oldest;
}

void porch_add(struct porch *porch, int fd, uint64_t now_ms)
{
	int mine = fcntl(fd, F_DUPFD, 0); /* the seal lets this through, and not dup(2) */
	if (mine < 0)
		return; /* then it is reset after all */
	struct guest *guest = place(porch);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = guest};
	if (epoll_ctl(porch->epoll, EPOLL_CTL_ADD, mine, &event) != 0) {
		close(mine);
		return;
	}
	*guest = (struct guest){.fd = mine, .until_ms = now_ms + PORCH_MS};
	if (++porch->count > porch->high)
		porch->high = porch->count;
	shutdown(mine, SHUT_WR);
}

static void throw_away(struct porch *porch, struct guest *guest)
{
	char nowhere[16384];
	for (unsigned round = 0; guest->bytes < PORCH_BYTES; round++) {
		if (round == ROUNDS)
			return; /* others have their turn; the descriptor stays readable */
		ssize_t got = recv(guest->fd, nowhere, sizeof nowhere, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0)
			break;
		guest->bytes += (uint64_t)got;
	}
	end(porch, guest);
}

void porch_turn(struct porch *porch, uint64_t now_ms)
{
	if (!porch->count)
		return;
	struct epoll_event events[PORCH_GUESTS];
	int count = epoll_wait(porch->epoll, events, PORCH_GUESTS, 0);
	for (int i = 0; i < count; i++)
		throw_away(porch, events[i].data.ptr);
	for (unsigned i = 0; i < PORCH_GUESTS; i++)
		if (porch->guests[i].fd >= 0 && porch->guests[i].until_ms <= now_ms)
			end(porch, &porch->guests[i]);
}
