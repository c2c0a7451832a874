/* POST /store: sizes, framing, truncation, what is too large, what the store may say, backpressure. */
#include "tests/unit/gateway/each_house.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(put, .init = setup, .fini = teardown, .timeout = 120);

static const size_t sizes[] = {0,      1,      1024,      65535,  65536,  65537,   131071,
			       131072, 131073, 4 * 65536, 300000, 524288, 1000000, 1 << 20};

Test(put, put_and_get_every_size_on_one_connection)
{
	int fd = client_open(&house);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t *bytes = pattern(sizes[i], (unsigned)i);
		struct reply reply = client_post(&house, fd, bytes, sizes[i]);
		check_stored(&house, &reply, 201, bytes, sizes[i]);
		cr_assert_eq(house.store->last_put_size, sizes[i]);
		reply_free(&reply);
		reply = client_post(&house, fd, bytes, sizes[i]);
		check_stored(&house, &reply, 200, bytes, sizes[i]);
		reply_free(&reply);
		const struct fake_blob *blob = &house.store->blobs[house.store->count - 1];
		reply = client_get(&house, fd, &blob->cid, "");
		cr_assert(reply.status == 200 && reply.whole && reply.length == sizes[i]);
		cr_assert(memcmp(reply.body, bytes, sizes[i]) == 0);
		reply_free(&reply);
		free(bytes);
	}
	cr_assert_eq(house.store->count, sizeof sizes / sizeof *sizes, "the same bytes are one blob");
	close(fd);
}

Test(put, chunked_bodies)
{
	static const size_t pieces[] = {100000, 7, 65536, 1000};
	for (size_t i = 0; i < 4; i++) {
		int fd = client_open(&house); /* it may end behind a chunked body: framing.h */
		size_t size = pieces[i] == 7 ? 5000 : 200000 + i;
		uint8_t *bytes = pattern(size, 50 + (unsigned)i);
		struct bytes request = chunked_post_of(bytes, size, pieces[i], true);
		struct reply reply = client_talk(&house, fd, request.at, request.length);
		check_stored(&house, &reply, 201, bytes, size);
		reply_free(&reply);
		bytes_free(&request);
		free(bytes);
		close(fd);
	}
	struct bytes none = chunked_post_of(NULL, 0, 1, true);
	int fd = client_open(&house);
	struct reply reply = client_talk(&house, fd, none.at, none.length);
	check_stored(&house, &reply, 201, (const uint8_t *)"", 0);
	reply_free(&reply);
	bytes_free(&none);
	close(fd);
}

Test(put, a_small_body_is_shown_to_the_store_only_when_it_is_whole)
{
	int fd = client_open(&house);
	static const char part[] = "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 10\r\n\r\n12345";
	must(send(fd, part, strlen(part), 0) == (ssize_t)strlen(part));
	house_run(&house, 5);
	cr_assert_eq(house.store->puts, 0);
	struct reply reply = client_talk(&house, fd, "67890", 5);
	check_stored(&house, &reply, 201, (const uint8_t *)"1234567890", 10);
	cr_assert(house.store->puts == 1 && house.store->last_put_size == 10);
	reply_free(&reply);
	close(fd);
}

/* Patient enough that what ends is ended by the client's hanging up, not by a deadline. */
static void reopen_patient(void)
{
	house_close(&house);
	struct http_config plan = house_plan();
	plan.idle_ms = plan.step_ms = plan.patience_ms = 3600 * 1000;
	house_open(&house, &plan);
}

static void until_all_are_gone(void)
{
	for (int i = 0; i < 5000 && http_counts(house.http)->connections.depth; i++)
		house_turn(&house);
	house_run(&house, 5);
}

Test(put, truncated_bodies_store_nothing)
{
	static const size_t missing[] = {300000, 299999, 230000, 1};
	reopen_patient();
	uint8_t *bytes = pattern(300000, 9);
	struct bytes request = post_of(bytes, 300000);
	for (size_t i = 0; i < 4; i++) {
		int fd = client_open(&house);
		client_send(&house, fd, request.at, request.length - missing[i]);
		close(fd);
		until_all_are_gone();
	}
	cr_assert(house.store->count == 0 && house.store->stored == 0);
	cr_assert_eq(house.store->puts, 2);
	cr_assert_eq(house.store->dropped, 2, "those that were shown to the store were taken back");
	cr_assert_eq(stream_transfers(house.stream), 0);
	cr_assert_eq(http_counts(house.http)->slots.depth, 0);
	bytes_free(&request);
	free(bytes);
}

Test(put, a_truncated_chunked_body_stores_nothing)
{
	reopen_patient();
	uint8_t *bytes = pattern(100000, 3);
	struct bytes request = chunked_post_of(bytes, 100000, 10000, false);
	int fd = client_open(&house);
	client_send(&house, fd, request.at, request.length);
	close(fd);
	until_all_are_gone();
	cr_assert(house.store->count == 0 && house.store->dropped == 1);
	bytes_free(&request);
	free(bytes);
}

/* -- too large ----------------------------------------------------------------------------------------------------- */

Test(put, too_large_is_said_before_the_body_is_read)
{
	int fd = client_open(&house);
	static const char head[] = "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 1048577\r\n\r\n";
	struct reply reply = client_talk(&house, fd, head, strlen(head));
	cr_assert(reply_says(&reply, 413, "TOO_LARGE"));
	cr_assert_str_eq(reply_field(&reply, "Connection"), "close");
	cr_assert(client_closed(&house, fd));
	cr_assert_eq(house.store->puts, 0);
	reply_free(&reply);
	close(fd);
}

Test(put, too_large_is_heard_by_a_client_that_sends_it_all)
{
	int fd = client_open(&house);
	uint8_t *bytes = pattern(8 << 20, 1);
	struct reply reply = client_post(&house, fd, bytes, 8 << 20);
	cr_assert(reply_says(&reply, 413, "TOO_LARGE"));
	cr_assert_not(reply.broken);
	reply_free(&reply);
	free(bytes);
	close(fd);
}

Test(put, expect_100_is_not_met_for_what_is_too_large)
{
	int fd = client_open(&house);
	static const char head[] =
		"POST /store HTTP/1.1\r\n" LOCAL "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n";
	must(send(fd, head, strlen(head), 0) == (ssize_t)strlen(head));
	char got[64] = "";
	for (int i = 0; i < 100 && recv(fd, got, 20, MSG_DONTWAIT) <= 0; i++)
		house_turn(&house);
	cr_assert(strncmp(got, "HTTP/1.1 413", 12) == 0, "%s", got);
	close(fd);
}

Test(put, expect_100_is_met)
{
	int fd = client_open(&house);
	static const char head[] =
		"POST /store HTTP/1.1\r\n" LOCAL "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
	must(send(fd, head, strlen(head), 0) == (ssize_t)strlen(head));
	char got[64] = "";
	for (int i = 0; i < 100 && recv(fd, got, 25, MSG_DONTWAIT) <= 0; i++)
		house_turn(&house);
	cr_assert(strncmp(got, "HTTP/1.1 100", 12) == 0, "%s", got);
	struct reply reply = client_talk(&house, fd, "abc", 3);
	check_stored(&house, &reply, 201, (const uint8_t *)"abc", 3);
	reply_free(&reply);
	close(fd);
}

Test(put, chunked_and_too_large)
{
	int fd = client_open(&house);
	uint8_t *bytes = pattern(3 << 20, 2);
	struct bytes request = chunked_post_of(bytes, 3 << 20, 100000, true);
	struct reply reply = client_talk(&house, fd, request.at, request.length);
	cr_assert(reply_says(&reply, 413, "TOO_LARGE"));
	cr_assert(house.store->count == 0 && house.store->dropped == 1);
	cr_assert(client_closed(&house, fd));
	reply_free(&reply);
	bytes_free(&request);
	free(bytes);
	close(fd);
}

Test(put, chunked_and_exactly_as_large_as_may_be)
{
	int fd = client_open(&house);
	uint8_t *bytes = pattern(1 << 20, 2);
	struct bytes request = chunked_post_of(bytes, 1 << 20, 100000, true);
	struct reply reply = client_talk(&house, fd, request.at, request.length);
	check_stored(&house, &reply, 201, bytes, 1 << 20);
	reply_free(&reply);
	bytes_free(&request);
	free(bytes);
	close(fd);
}

/* -- what the store may say ---------------------------------------------------------------------------------------- */

struct said {
	enum err err;
	int status;
	const char *code;
};
static const struct said put_errors[] = {{ERR_FULL, 507, "STORAGE_FULL"},
					 {ERR_BUSY, 503, "BUSY"},
					 {ERR_WRONG_SHARD, 421, "WRONG_SHARD"},
					 {ERR_TOO_LARGE, 413, "TOO_LARGE"},
					 {ERR_DISK, 503, "DISK"},
					 {ERR_NOT_READY, 503, "UNAVAILABLE"},
					 {ERR_LATE, 503, "STORE_GONE"},
					 {ERR_BAD_VALUE, 500, "INTERNAL"},
					 {ERR_TRUNCATED, 400, "TRUNCATED"}};

Test(put, the_stores_refusals_at_the_end)
{
	for (size_t i = 0; i < sizeof put_errors / sizeof *put_errors; i++) {
		int fd = client_open(&house);
		house.store->put_err = put_errors[i].err;
		struct reply reply = client_post(&house, fd, "abc", 3);
		cr_assert(reply_says(&reply, put_errors[i].status, put_errors[i].code));
		cr_assert_eq(reply_field(&reply, "Retry-After") != NULL, put_errors[i].status == 503);
		reply_free(&reply);
		house.store->put_err = ERR_OK;
		reply = client_post(&house, fd, "abc", 3);
		cr_assert(reply.status == 201 || reply.status == 200, "the connection goes on");
		reply_free(&reply);
		close(fd);
	}
}

Test(put, the_stores_refusal_in_the_middle_is_heard_by_a_client_that_sends_it_all)
{
	house_close(&house);
	struct http_config plan = house_plan();
	plan.max_blob = 16 << 20; /* more than the sockets hold */
	house_open(&house, &plan);
	house.store->put_err = ERR_FULL;
	house.store->put_err_at_once = true;
	int fd = client_open(&house);
	uint8_t *bytes = pattern(16 << 20, 2);
	struct reply reply = client_post(&house, fd, bytes, 16 << 20);
	cr_assert(reply_says(&reply, 507, "STORAGE_FULL"));
	cr_assert_not(reply.broken);
	cr_assert_str_eq(reply_field(&reply, "Connection"), "close");
	cr_assert(reply_field(&reply, "Date"));
	cr_assert(client_closed(&house, fd));
	cr_assert_eq(http_counts(house.http)->failed, 1);
	reply_free(&reply);
	free(bytes);
	close(fd);
}

/* -- backpressure -------------------------------------------------------------------------------------------------- */

/* A store that gives no credit: the body is not taken from the socket. */
Test(put, a_slow_store_holds_the_upload_back)
{
	uint8_t *bytes = pattern(1 << 20, 10);
	struct bytes request = post_of(bytes, 1 << 20);
	int fd = client_open(&house);
	house.store->no_credit = true;
	size_t at = 0;
	for (int i = 0; i < 50; i++) {
		ssize_t n = send(fd, request.at + at, request.length - at, MSG_DONTWAIT);
		at += n > 0 ? (size_t)n : 0;
		house_turn(&house);
		cr_assert_leq(house.chunks.held, (STREAM_WINDOW + 1) * (uint64_t)STREAM_DATA_MAX);
	}
	cr_assert_eq(house.store->datas, STREAM_WINDOW);
	cr_assert_leq(http_counts(house.http)->bytes_in, (STREAM_WINDOW + 1) * (uint64_t)STREAM_DATA_MAX);
	/* it comes to its senses */
	house.store->no_credit = false;
	for (unsigned i = 0; i < FAKE_TRANSFERS; i++)
		if (house.store->transfers[i].kind == FAKE_PUT) {
			house.store->transfers[i].credit = STREAM_WINDOW;
			fake_store_send(house.store,
					&(struct stream_frame){.type = STREAM_CREDIT,
							       .transfer = house.store->transfers[i].number,
							       .argument = STREAM_WINDOW},
					NULL);
		}
	struct reply reply = client_talk(&house, fd, request.at + at, request.length - at);
	check_stored(&house, &reply, 201, bytes, 1 << 20);
	reply_free(&reply);
	bytes_free(&request);
	free(bytes);
	close(fd);
}

Test(put, pipelined_requests_are_answered_in_order)
{
	struct cid a = house_keeps(&house, 1000, 12), b = house_keeps(&house, 100000, 13);
	struct bytes requests = {0};
	bytes_print(&requests, "%s", get_of(&a));
	bytes_print(&requests, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\nxyz");
	bytes_print(&requests, "%s", get_of(&b));
	int fd = client_open(&house);
	client_send(&house, fd, requests.at, requests.length);
	house_run(&house, 50);
	char *all = malloc(200000);
	size_t got = 0;
	for (ssize_t n; (n = recv(fd, all + got, 200000 - got, MSG_DONTWAIT)) > 0; got += (size_t)n)
		house_turn(&house);
	char *first = memmem(all, got, "Content-Length: 1000\r\n", 22),
	     *second = memmem(all, got, "201 Created", 11),
	     *third = memmem(all, got, "Content-Length: 100000\r\n", 24);
	cr_assert(first && second && third && first < second && second < third);
	bytes_free(&requests);
	free(all);
	close(fd);
}
