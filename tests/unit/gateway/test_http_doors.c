/* A node that drains: doors closed, house open. */
#include "tests/unit/gateway/house.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

static struct house house;

TestSuite(doors, .timeout = 120);

/* Doors closed, house open: what was let in ends, whoever comes is told so, on an old connection as on a new one. */
Test(doors, what_runs_ends_and_whoever_comes_is_told)
{
	struct http_config plan = house_plan();
	plan.idle_ms = plan.step_ms = plan.patience_ms = 60000;
	house_open(&house, &plan);
	uint32_t counts[HTTP_DUTIES];
	int old = client_open(&house), writer = client_open(&house);
	static const char begun[] = "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\nab";
	must(send(writer, begun, sizeof begun - 1, MSG_NOSIGNAL) == sizeof begun - 1);
	for (int i = 0; i < 1000 && (http_under_way(house.http, counts), counts[0] == 0); i++)
		house_turn(&house);
	http_under_way(house.http, counts);
	cr_assert(counts[0] == 1 && counts[1] == 0 && counts[2] == 0);
	http_close(house.http);
	cr_assert(http_closed(house.http));
	int fresh = client_open(&house);
	int turned[] = {old, fresh};
	for (unsigned i = 0; i < 2; i++) {
		static const char ask[] = "GET /health HTTP/1.1\r\n" LOCAL "\r\n";
		struct reply reply = client_talk(&house, turned[i], ask, sizeof ask - 1);
		cr_assert_eq(reply.status, 503);
		cr_assert_str_eq(reply_field(&reply, "Connection"), "close");
		reply_free(&reply);
		cr_assert(client_closed(&house, turned[i]));
	}
	struct reply reply = client_talk(&house, writer, "c", 1);
	cr_assert_eq(reply.status, 201, "it was let in before");
	cr_assert_str_eq(reply_field(&reply, "Connection"), "close");
	reply_free(&reply);
	for (int i = 0; i < 1000 && (http_under_way(house.http, counts), counts[0]); i++)
		house_turn(&house);
	cr_assert_eq(counts[0] + counts[1] + counts[2], 0);
	close(old), close(fresh), close(writer);
	house_close(&house);
}
