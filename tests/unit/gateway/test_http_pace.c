/* Slow uploads give way to those who wait, and to nobody else. */
#include "tests/unit/gateway/house.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACE_MS = 200, STEP_MS = PACE_MS / 10, SLOW = HTTP_SLOTS_EACH - 1 };

static struct house house;
static int fds[SLOW];

/* Nothing but the pace ends anybody within a test, and no time passes but what the test lets pass. */
static void setup(void)
{
	struct http_config plan = house_plan();
	plan.connections = 1024;
	plan.wait_ms = plan.step_ms = plan.idle_ms = plan.patience_ms = 60000;
	plan.pace_ms = PACE_MS;
	house_open(&house, &plan);
	house_still(&house);
}

static void teardown(void)
{
	house_close(&house);
	cr_assert_eq(house.chunks.held, 0, "every buffer was given back");
}

TestSuite(pace, .init = setup, .fini = teardown, .timeout = 120);

#define THREE "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\n"
#define LARGE "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 1000000\r\n\r\n"

static int begin(const char *text)
{
	int fd = client_open(&house);
	must(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	house_hurry(&house);
	return fd;
}

static void wait_for_slots(unsigned count)
{
	for (int i = 0; i < 10000 && http_counts(house.http)->slots.depth < count; i++)
		house_turn(&house);
	cr_assert_eq(http_counts(house.http)->slots.depth, count);
}

static void besiege(void)
{
	unsigned others = http_counts(house.http)->slots.depth;
	for (int i = 0; i < SLOW; i++)
		fds[i] = begin(LARGE "a");
	wait_for_slots(others + SLOW);
}

static unsigned ended(void)
{
	unsigned count = 0;
	char byte;
	for (int i = 0; i < SLOW; i++)
		count += recv(fds[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
	return count;
}

/* In steps in which everything has its turn. */
static void pass(unsigned ms)
{
	for (unsigned at = 0; at < ms; at += STEP_MS) {
		house.ahead_ms += STEP_MS;
		house_turn(&house);
	}
}

static void turn_with_ten(int fd)
{
	must(send(fd, "0123456789", 10, MSG_NOSIGNAL) == 10);
	pass(STEP_MS);
}

Test(pace, who_waits_gets_the_slot_of_the_slowest)
{
	int steady = begin(LARGE);
	besiege();
	cr_assert_eq(http_counts(house.http)->slots.depth, HTTP_SLOTS_EACH);
	int honest = client_open(&house);
	size_t sent = 0;
	/* Ten bytes before each turn are some in every stretch; the others have brought none. */
	for (unsigned ms = 0; ms < 3 * PACE_MS; ms += STEP_MS, sent += 10)
		turn_with_ten(steady);
	must(send(honest, THREE "abc", strlen(THREE "abc"), MSG_NOSIGNAL) > 0);
	for (int i = 0; i < 1000 && !http_counts(house.http)->requests; i++, sent += 10)
		turn_with_ten(steady);
	cr_assert_eq(http_counts(house.http)->waiting.high, 1);
	struct reply reply = client_read(&house, honest);
	cr_assert_eq(reply.status, 201);
	reply_free(&reply);
	cr_assert_eq(http_counts(house.http)->slots.drops, 1, "one waited, one went");
	cr_assert_eq(ended(), 1);
	uint8_t *rest = pattern(1000000 - sent, 1);
	reply = client_talk(&house, steady, rest, 1000000 - sent);
	cr_assert_eq(reply.status, 201, "not the slowest, though not fast");
	reply_free(&reply);
	free(rest);
	close(honest), close(steady);
	for (int i = 0; i < SLOW; i++)
		close(fds[i]);
}

Test(pace, it_is_told_why)
{
	int slow[SLOW + 1] = {begin(LARGE)};
	besiege();
	memcpy(slow + 1, fds, sizeof fds);
	int honest[8];
	for (int i = 0; i < 8; i++)
		honest[i] = begin(THREE "abc");
	pass(3 * PACE_MS);
	for (int i = 0; i < 8; i++) {
		struct reply reply = client_read(&house, honest[i]);
		cr_assert(reply.status == 201 || reply.status == 200, "%d", reply.status);
		reply_free(&reply);
		close(honest[i]);
	}
	unsigned told = 0;
	char byte;
	for (int i = 0; i < SLOW + 1; i++) {
		if (recv(slow[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
			struct reply reply = client_read(&house, slow[i]);
			cr_assert(reply_says(&reply, 408, "TOO_SLOW"));
			cr_assert(client_closed(&house, slow[i]));
			reply_free(&reply);
			told++;
		}
		close(slow[i]);
	}
	cr_assert(told >= 1 && told <= 8, "%u", told);
	cr_assert_eq(http_counts(house.http)->failed, 0);
}

Test(pace, while_nobody_waits_a_slow_client_may_be_slow)
{
	besiege();
	pass(4 * PACE_MS);
	cr_assert_eq(ended(), 0);
	cr_assert_eq(http_counts(house.http)->slots.drops, 0);
	for (int i = 0; i < SLOW; i++)
		close(fds[i]);
}

Test(pace, who_keeps_the_pace_keeps_the_slot)
{
	enum { PIECE = 16384 };
	int steady[HTTP_SLOTS_EACH];
	uint8_t *bytes = pattern(PIECE, 2);
	for (int i = 0; i < HTTP_SLOTS_EACH; i++)
		steady[i] = begin(LARGE);
	int waiter = begin(THREE "abc");
	for (int turn = 0; turn < 24; turn++) {
		for (int i = 0; i < HTTP_SLOTS_EACH; i++)
			must(send(steady[i], bytes, PIECE, MSG_NOSIGNAL) != 0);
		pass(PACE_MS / 8);
	}
	cr_assert_eq(http_counts(house.http)->slots.drops, 0);
	cr_assert_eq(http_counts(house.http)->waiting.depth, 1);
	for (int i = 0; i < HTTP_SLOTS_EACH; i++)
		close(steady[i]);
	free(bytes);
	struct reply reply = client_read(&house, waiter);
	cr_assert_eq(reply.status, 201);
	reply_free(&reply);
	close(waiter);
}

/* All slots are held by uploads that came whole, and the store does not say stored: not they are slow. */
Test(pace, who_waits_for_the_store_is_not_slow)
{
	int held[HTTP_SLOTS_EACH];
	house.store->silent = true;
	for (int i = 0; i < HTTP_SLOTS_EACH; i++)
		held[i] = begin(THREE "abc");
	int waiter = begin(THREE "abc");
	pass(4 * PACE_MS);
	cr_assert_eq(http_counts(house.http)->waiting.depth, 1);
	cr_assert_eq(http_counts(house.http)->slots.drops, 0);
	for (int i = 0; i < HTTP_SLOTS_EACH; i++)
		close(held[i]);
	close(waiter);
}
