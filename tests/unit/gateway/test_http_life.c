/* The store comes and goes, clients are slow, many or silent, the house is drained. */
#include "tests/unit/gateway/each_house.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void reopen(const struct http_config *plan)
{
	house_close(&house);
	house_open(&house, plan);
}

TestSuite(life, .init = setup, .fini = teardown, .timeout = 120);

#define SMALL "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\nabc"

static void say(int fd, const char *text)
{
	must(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	house_run(&house, 3);
}

/* Asks, and time passes. */
static struct reply ask_and_wait(const char *request, unsigned ms)
{
	int fd = client_open(&house);
	say(fd, request);
	house_later(&house, ms);
	struct reply reply = client_read(&house, fd);
	close(fd);
	return reply;
}

/* -- the store comes and goes -------------------------------------------------------------------------------------- */

Test(life, without_a_store_503)
{
	house_store_goes(&house);
	house_run(&house, 3);
	cr_assert_eq(house.lost, 1);
	struct reply reply = ask_and_wait(SMALL, house_plan().wait_ms);
	cr_assert(reply_says(&reply, 503, "UNAVAILABLE"));
	cr_assert_str_eq(reply_field(&reply, "Retry-After"), "1");
	reply_free(&reply);
	reply = ask_and_wait(get_of(&(struct cid){{1}}), house_plan().wait_ms);
	cr_assert(reply_says(&reply, 503, "UNAVAILABLE"));
	reply_free(&reply);
	cr_assert_eq(http_counts(house.http)->waiting.drops, 2);
}

Test(life, requests_wait_for_the_store_to_come_back)
{
	struct cid cid = house_keeps(&house, 1000, 1);
	house_store_goes(&house);
	house_run(&house, 3);
	int reader = client_open(&house), writer = client_open(&house);
	say(reader, get_of(&cid));
	say(writer, SMALL);
	cr_assert_eq(http_counts(house.http)->waiting.depth, 2);
	house_store_comes(&house);
	struct reply reply = client_read(&house, reader);
	cr_assert(reply.status == 200 && reply.length == 1000);
	reply_free(&reply);
	reply = client_read(&house, writer);
	cr_assert_eq(reply.status, 201);
	reply_free(&reply);
	cr_assert_eq(http_counts(house.http)->waiting.depth, 0);
	close(reader);
	close(writer);
}

Test(life, a_read_that_was_lost_before_its_header_is_asked_again)
{
	struct cid cid = house_keeps(&house, 300000, 2);
	house.store->silent = true;
	int fd = client_open(&house);
	say(fd, get_of(&cid));
	house_store_goes(&house);
	house_run(&house, 3);
	house.store->silent = false;
	house_store_comes(&house);
	struct reply reply = client_read(&house, fd);
	cr_assert(reply.status == 200 && reply.length == 300000);
	reply_free(&reply);
	close(fd);
}

Test(life, a_read_that_is_lost_twice_is_503)
{
	struct cid cid = house_keeps(&house, 300000, 2);
	house.store->silent = true;
	int fd = client_open(&house);
	say(fd, get_of(&cid));
	house_store_goes(&house);
	house_run(&house, 3);
	house.store->silent = false;
	house_store_comes(&house);
	house.store->silent = true;
	house_run(&house, 3);
	house_store_goes(&house);
	struct reply reply = client_read(&house, fd);
	cr_assert(reply_says(&reply, 503, "STORE_GONE"), "%d", reply.status);
	reply_free(&reply);
	close(fd);
}

Test(life, the_store_goes_in_the_middle_of_a_download)
{
	struct cid cid = house_keeps(&house, 16 << 20, 3);
	int fd = client_open(&house);
	say(fd, get_of(&cid));
	house_run(&house, 5);
	cr_assert_gt(http_counts(house.http)->bytes_out, 0);
	house_store_goes(&house);
	struct reply reply = client_read(&house, fd);
	cr_assert(reply.status == 200 && reply.closed && !reply.whole);
	reply_free(&reply);
	cr_assert_eq(stream_transfers(house.stream), 0);
	close(fd);
}

Test(life, the_store_goes_in_the_middle_of_an_upload)
{
	uint8_t *bytes = pattern(1 << 20, 4);
	struct bytes request = post_of(bytes, 1 << 20);
	int fd = client_open(&house);
	client_send(&house, fd, request.at, 200000);
	house_run(&house, 10);
	cr_assert_eq(house.store->puts, 1);
	house_store_goes(&house);
	house_run(&house, 3);
	house_store_comes(&house);
	struct reply reply = client_talk(&house, fd, request.at + 200000, request.length - 200000);
	cr_assert(reply_says(&reply, 503, "STORE_GONE"));
	cr_assert(client_closed(&house, fd));
	cr_assert_eq(house.store->count, 0);
	reply_free(&reply);
	bytes_free(&request);
	free(bytes);
	close(fd);
}

Test(life, the_store_goes_before_it_says_stored)
{
	house.store->silent = true;
	int fd = client_open(&house);
	say(fd, SMALL);
	house_store_goes(&house);
	struct reply reply = client_read(&house, fd);
	cr_assert(reply_says(&reply, 503, "STORE_GONE"));
	reply_free(&reply);
	house.store->silent = false;
	house_store_comes(&house);
	reply = client_talk(&house, fd, SMALL, strlen(SMALL));
	cr_assert_eq(reply.status, 201, "the connection goes on");
	reply_free(&reply);
	close(fd);
}

Test(life, a_store_that_says_nothing_is_given_up)
{
	struct cid cid = house_keeps(&house, 1000, 5);
	house.store->silent = true;
	struct reply reply = ask_and_wait(get_of(&cid), house_plan().patience_ms);
	cr_assert(reply_says(&reply, 503, "STORE_GONE"));
	reply_free(&reply);
	reply = ask_and_wait(SMALL, house_plan().patience_ms);
	cr_assert(reply_says(&reply, 503, "STORE_GONE"));
	reply_free(&reply);
	cr_assert_eq(stream_transfers(house.stream), 0);
}

Test(life, a_store_that_breaks_the_format_is_dropped)
{
	house.store->silent = true;
	int fd = client_open(&house);
	say(fd, SMALL);
	fake_store_send(house.store, &(struct stream_frame){.type = 200}, NULL);
	struct reply reply = client_read(&house, fd);
	cr_assert(reply_says(&reply, 503, "STORE_GONE"));
	cr_assert_eq(house.lost, 1);
	reply_free(&reply);
	close(fd);
}

/* -- slow and silent clients --------------------------------------------------------------------------------------- */

Test(life, a_silent_client_is_shown_out)
{
	int fd = client_open(&house);
	cr_assert_eq(http_counts(house.http)->connections.depth, 1);
	house_later(&house, house_plan().idle_ms);
	cr_assert(client_closed(&house, fd));
	close(fd);
	fd = client_open(&house);
	say(fd, "GET /health HTTP/1.1\r\nHo");
	house_later(&house, house_plan().idle_ms);
	cr_assert(client_closed(&house, fd), "and one that stops in the middle of a head");
	close(fd);
}

Test(life, a_head_that_trickles_does_not_keep_the_door_open)
{
	int fd = client_open(&house);
	bool closed = false;
	for (int i = 0; i < 4000 && !closed; i++) {
		closed = send(fd, i ? "x" : "GET /", i ? 1 : 5, MSG_NOSIGNAL) < 0;
		house_later(&house, house_plan().idle_ms / 20);
	}
	cr_assert(closed, "a byte now and then is not a request");
	close(fd);
}

Test(life, a_body_that_trickles_is_cut)
{
	int fd = client_open(&house);
	say(fd, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 100000\r\n\r\n");
	bool closed = false;
	for (int i = 0; i < 4000 && !closed; i++) {
		closed = send(fd, "x", 1, MSG_NOSIGNAL) < 0;
		house_later(&house, house_plan().step_ms / 20);
	}
	cr_assert(closed);
	house_run(&house, 3);
	cr_assert(http_counts(house.http)->slots.depth == 0 && house.store->puts == 0);
	cr_assert_eq(http_counts(house.http)->failed, 1);
	close(fd);
}

Test(life, a_reader_that_trickles_is_cut)
{
	struct cid cid = house_keeps(&house, 32 << 20, 6);
	int fd = client_open(&house);
	say(fd, get_of(&cid));
	for (int i = 0; i < 4000 && http_counts(house.http)->slots.depth; i++) {
		char byte;
		must(recv(fd, &byte, 1, MSG_DONTWAIT) <= 1);
		house_later(&house, house_plan().step_ms / 20);
	}
	cr_assert_eq(http_counts(house.http)->slots.depth, 0);
	struct reply reply = client_read(&house, fd);
	cr_assert(!reply.whole && reply.closed);
	reply_free(&reply);
	close(fd);
}

/* -- many ---------------------------------------------------------------------------------------------------------- */

Test(life, silent_guests_make_room)
{
	int silent[64], fd;
	for (int i = 0; i < 64; i++)
		silent[i] = client_open(&house);
	house_run(&house, 20);
	cr_assert_leq(http_counts(house.http)->connections.depth, 33, "%lu",
		      http_counts(house.http)->connections.depth);
	cr_assert_geq(http_counts(house.http)->connections.drops, 31);
	fd = client_open(&house);
	struct reply reply = client_talk(&house, fd, SMALL, strlen(SMALL));
	cr_assert_eq(reply.status, 201);
	reply_free(&reply);
	close(fd);
	for (int i = 0; i < 64; i++)
		close(silent[i]);
}

Test(life, more_uploads_than_slots_wait_and_then_are_told)
{
	enum { MORE = HTTP_SLOTS_EACH + 8 };
	struct http_config plan = house_plan();
	plan.connections = 1024;
	plan.wait_ms = 60000;
	plan.step_ms = plan.idle_ms = plan.patience_ms = plan.pace_ms = 120000;
	reopen(&plan);
	struct cid cid = house_keeps(&house, 100, 7);
	int fds[MORE];
	for (int i = 0; i < MORE; i++) {
		fds[i] = client_open(&house);
		must(send(fds[i], SMALL, strlen(SMALL) - 1, 0) > 0);
	}
	house_run(&house, 5);
	cr_assert_eq(http_counts(house.http)->slots.depth, HTTP_SLOTS_EACH);
	cr_assert_eq(http_counts(house.http)->waiting.depth, 8);
	cr_assert_leq(house.chunks.held, HTTP_SLOTS_EACH * (uint64_t)CHUNK_ROOM);
	struct reply reply = client_ask(&house, get_of(&cid));
	cr_assert_eq(reply.status, 200, "reading goes on");
	reply_free(&reply);
	/* one ends, the first who waits goes on; nobody else ends, the others are told */
	reply = client_talk(&house, fds[0], "c", 1);
	cr_assert_eq(reply.status, 201);
	reply_free(&reply);
	reply = client_talk(&house, fds[HTTP_SLOTS_EACH], "c", 1);
	cr_assert_eq(reply.status, 200, "the same bytes again");
	reply_free(&reply);
	house_later(&house, plan.wait_ms);
	reply = client_read(&house, fds[HTTP_SLOTS_EACH + 2]);
	cr_assert(reply_says(&reply, 503, "BUSY"));
	reply_free(&reply);
	for (int i = 0; i < MORE; i++)
		close(fds[i]);
	for (int i = 0; i < 2000 && http_counts(house.http)->connections.depth; i++)
		house_turn(&house);
	cr_assert_eq(http_counts(house.http)->slots.depth, 0);
	cr_assert_eq(http_counts(house.http)->slots.high, HTTP_SLOTS_EACH + 1);
}

Test(life, the_queue_before_the_slots_has_an_end)
{
	struct http_config plan = house_plan();
	plan.waiting = 2;
	plan.wait_ms = 60000;
	reopen(&plan);
	house_store_goes(&house);
	house_run(&house, 3);
	int fds[3];
	for (int i = 0; i < 3; i++) {
		fds[i] = client_open(&house);
		say(fds[i], SMALL);
	}
	cr_assert_eq(http_counts(house.http)->waiting.depth, 2);
	struct reply reply = client_read(&house, fds[2]);
	cr_assert(reply_says(&reply, 503, "BUSY"));
	reply_free(&reply);
	house_store_comes(&house);
	for (int i = 0; i < 2; i++) {
		reply = client_read(&house, fds[i]);
		cr_assert(reply.status == 201 || reply.status == 200);
		reply_free(&reply);
		close(fds[i]);
	}
	close(fds[2]);
}

Test(life, one_address_does_not_fill_the_house)
{
	struct http_config plan = house_plan();
	plan.connections = 16;
	plan.step_ms = plan.idle_ms = 60000;
	reopen(&plan);
	int fds[16];
	unsigned open = 0;
	for (int i = 0; i < 16; i++) {
		fds[i] = client_open(&house);
		say(fds[i], "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\n");
	}
	house_run(&house, 10);
	for (int i = 0; i < 16; i++) {
		char byte;
		open += recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0;
		close(fds[i]);
	}
	cr_assert_leq(open, 13, "three quarters: %u", open);
}

/* -- facts --------------------------------------------------------------------------------------------------------- */

static void check_fields(const struct reply *reply, int status, const char *const *names, size_t count)
{
	cr_assert(reply->whole && reply->status == status, "%d", reply->status);
	json_t *json = json_loadb((char *)reply->body, reply->length, 0, NULL);
	cr_assert_eq(json_object_size(json), count);
	for (size_t i = 0; i < count; i++)
		cr_assert(json_object_get(json, names[i]), "%s", names[i]);
	json_decref(json);
}

static const char *const health[] = {"status", "uptime",     "storedBlobs", "totalSize",
				     "peerId", "multiaddrs", "publicKey",   "peers"};
static const char *const info[] = {"nodeId", "peerId", "publicKey", "ownerAddress", "multiaddrs", "shards"};

Test(life, facts_are_asked_for_once_a_second)
{
	for (int i = 0; i < 5; i++) {
		struct reply reply = client_ask(&house, "GET /health HTTP/1.1\r\n" LOCAL "\r\n");
		check_fields(&reply, 200, health, 8);
		cr_assert(strstr((char *)reply.body, "\"storedBlobs\":42"));
		cr_assert_str_eq(reply_field(&reply, "Cache-Control"), "no-store");
		reply_free(&reply);
		reply = client_ask(&house, i % 2 ? "GET /info HTTP/1.1\r\n" LOCAL "\r\n"
						 : "GET /node/info HTTP/1.1\r\n" LOCAL "\r\n");
		check_fields(&reply, 200, info, 6);
		cr_assert(strstr((char *)reply.body, "\"nodeId\":\"node-3\""));
		reply_free(&reply);
	}
	cr_assert_leq(house.asked, 3);
}

Test(life, those_who_ask_together_are_answered_together)
{
	house.mute = true;
	int fds[8];
	for (int i = 0; i < 8; i++) {
		fds[i] = client_open(&house);
		say(fds[i], "GET /health HTTP/1.1\r\n" LOCAL "\r\n");
	}
	cr_assert_eq(house.asked, 1);
	http_facts(house.http, &house.stat, &house.node);
	for (int i = 0; i < 8; i++) {
		struct reply reply = client_read(&house, fds[i]);
		check_fields(&reply, 200, health, 8);
		reply_free(&reply);
		close(fds[i]);
	}
}

Test(life, facts_that_never_come)
{
	house.mute = true;
	struct reply reply = ask_and_wait("GET /health HTTP/1.1\r\n" LOCAL "\r\n", house_plan().patience_ms);
	check_fields(&reply, 503, health, 8);
	cr_assert(strstr((char *)reply.body, "\"status\":\"unavailable\""));
	cr_assert_str_eq(reply_field(&reply, "Retry-After"), "1");
	reply_free(&reply);
	reply = client_ask(&house, "GET /info HTTP/1.1\r\n" LOCAL "\r\n");
	cr_assert(reply_says(&reply, 503, "UNAVAILABLE"));
	reply_free(&reply);
}

Test(life, a_node_that_does_not_know_itself_yet)
{
	house.node.known = false;
	struct reply reply = client_ask(&house, "GET /info HTTP/1.1\r\n" LOCAL "\r\n");
	cr_assert(reply_says(&reply, 503, "UNAVAILABLE"));
	reply_free(&reply);
	reply = client_ask(&house, "GET /health HTTP/1.1\r\n" LOCAL "\r\n");
	check_fields(&reply, 200, health, 8);
	reply_free(&reply);
}

/* -- the end ------------------------------------------------------------------------------------------------------- */

Test(life, draining_ends_what_runs_and_closes_what_is_idle)
{
	struct http_config plan = house_plan();
	plan.idle_ms = plan.step_ms = plan.patience_ms = 60000;
	reopen(&plan);
	struct cid cid = house_keeps(&house, 4 << 20, 8);
	int idle = client_open(&house), reader = client_open(&house), writer = client_open(&house);
	say(writer, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\nab");
	say(reader, get_of(&cid));
	http_drain(house.http);
	cr_assert_not(http_drained(house.http));
	struct reply reply = client_talk(&house, writer, "c", 1);
	cr_assert_eq(reply.status, 201);
	cr_assert_str_eq(reply_field(&reply, "Connection"), "close");
	reply_free(&reply);
	reply = client_read(&house, reader);
	cr_assert(reply.status == 200 && reply.whole);
	reply_free(&reply);
	house_later(&house,
		    1000); /* more than a house that drains waits for a request that may be on its way */
	cr_assert(client_closed(&house, idle) && client_closed(&house, reader) &&
		  client_closed(&house, writer));
	for (int i = 0; i < 1000 && !http_drained(house.http); i++)
		house_turn(&house);
	cr_assert(http_drained(house.http));
	int late = client_open(&house); /* waits in the listener's queue, which is not ours */
	house_run(&house, 5);
	cr_assert_eq(http_counts(house.http)->connections.depth, 0);
	close(late), close(idle), close(reader), close(writer);
}

Test(life, closing_cuts_what_runs)
{
	struct cid cid = house_keeps(&house, 32 << 20, 9);
	int reader = client_open(&house), writer = client_open(&house), waiter = client_open(&house);
	say(reader, get_of(&cid));
	say(writer, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\nab");
	house.store->silent = true;
	say(waiter, SMALL);
	house_close(&house);
	cr_assert_eq(house.chunks.held, 0);
	struct http_config plan = house_plan();
	house_open(&house, &plan);
	close(reader), close(writer), close(waiter);
}
