/* Connections that are seen off: no reset, and no longer than they should. */
#include "actors/gateway/porch.h"
#include "tests/unit/gateway/fake_store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static struct porch *porch;

static void setup(void)
{
	porch = porch_new();
	must(porch);
}

static void teardown(void)
{
	porch_free(&porch);
}

TestSuite(porch, .init = setup, .fini = teardown);

/* The library closes its descriptor right after; the guest's end is returned. */
static int guest(uint64_t now_ms)
{
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	porch_add(porch, pair[0], now_ms);
	close(pair[0]);
	return pair[1];
}

static bool may_send(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL) == 1 || errno == EAGAIN;
}

Test(porch, hears_the_end_at_once_and_may_go_on_sending)
{
	int fd = guest(1000);
	char byte;
	cr_assert_eq(recv(fd, &byte, 1, 0), 0);
	static char much[100000];
	for (int i = 0; i < 100; i++) {
		cr_assert(send(fd, much, sizeof much, MSG_NOSIGNAL) > 0 || errno == EAGAIN);
		porch_turn(porch, 1001);
	}
	cr_assert_eq(*porch_count(porch), 1);
	close(fd);
	porch_turn(porch, 1002);
	cr_assert_eq(*porch_count(porch), 0);
}

Test(porch, time_is_up)
{
	int fd = guest(1000);
	porch_turn(porch, 1000 + PORCH_MS - 1);
	cr_assert(may_send(fd));
	porch_turn(porch, 1000 + PORCH_MS);
	cr_assert(!may_send(fd) && *porch_count(porch) == 0);
	close(fd);
}

Test(porch, enough_was_thrown_away)
{
	int fd = guest(1000);
	static char much[1 << 20];
	uint64_t sent = 0;
	for (int i = 0; i < 100000 && *porch_count(porch); i++) {
		ssize_t n = send(fd, much, sizeof much, MSG_NOSIGNAL);
		sent += n > 0 ? (uint64_t)n : 0;
		porch_turn(porch, 1001);
	}
	cr_assert_eq(*porch_count(porch), 0);
	cr_assert_geq(sent, PORCH_BYTES);
	cr_assert_not(may_send(fd));
	close(fd);
}

Test(porch, the_longest_there_makes_room)
{
	int fds[PORCH_GUESTS + 1];
	for (int i = 0; i <= PORCH_GUESTS; i++)
		fds[i] = guest(1000 + (uint64_t)i);
	cr_assert_eq(*porch_count(porch), PORCH_GUESTS);
	cr_assert_not(may_send(fds[0]));
	for (int i = 1; i <= PORCH_GUESTS; i++)
		cr_assert(may_send(fds[i]));
	for (int i = 0; i <= PORCH_GUESTS; i++)
		close(fds[i]);
}
