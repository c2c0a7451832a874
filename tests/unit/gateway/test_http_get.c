/* GET and HEAD of a blob: status, headers, ranges, conditions, short bodies, slow readers. */
#include "tests/unit/gateway/each_house.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(get, .init = setup, .fini = teardown, .timeout = 120);

Test(get, unknown_is_404_and_elsewhere_421)
{
	struct cid cid = {{1, 2, 3}};
	int fd = client_open(&house);
	struct reply reply = client_get(&house, fd, &cid, "");
	cr_assert(reply_says(&reply, 404, "NOT_FOUND"));
	cr_assert_null(reply_field(&reply, "ETag"));
	reply_free(&reply);
	close(fd);
	house_close(&house);
	struct http_config plan = house_plan();
	cr_assert_null(shards_parse("0-0", 1024, &plan.shards, (char[SHARDS_WHY]){0}));
	house_open(&house, &plan);
	/* "hello bytecave\n" is in shard 971 of 1024 (FEATURES K8) */
	static const char text[] = "bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e";
	cr_assert(cid_parse(text, strlen(text), &cid));
	fd = client_open(&house);
	reply = client_get(&house, fd, &cid, "");
	cr_assert(reply_says(&reply, 421, "WRONG_SHARD"));
	cr_assert(strstr((char *)reply.body, "shard 971 of 1024") && strstr((char *)reply.body, "1-1023"));
	reply_free(&reply);
	house.store->put_err = ERR_WRONG_SHARD;
	house.store->put_argument = 5;
	reply = client_post(&house, fd, "x", 1);
	cr_assert(reply_says(&reply, 421, "WRONG_SHARD"));
	cr_assert(strstr((char *)reply.body, "shard 5 of 1024") && strstr((char *)reply.body, "keeps 0-0"));
	reply_free(&reply);
	close(fd);
}

Test(get, corrupt_before_the_header_is_500)
{
	struct cid cid = house_keeps(&house, 300000, 4);
	int fd = client_open(&house);
	house.store->corrupt_from = 0;
	struct reply reply = client_get(&house, fd, &cid, "");
	cr_assert(reply_says(&reply, 500, "CORRUPT"));
	reply_free(&reply);
	house.store->corrupt_from = SIZE_MAX;
	reply = client_get(&house, fd, &cid, "");
	cr_assert(reply.status == 200 && reply.whole, "the connection goes on");
	reply_free(&reply);
	close(fd);
}

Test(get, corrupt_in_the_middle_cuts_the_body_short)
{
	uint8_t *bytes = pattern(1 << 20, 5);
	struct cid cid = fake_store_keep(house.store, bytes, 1 << 20);
	int fd = client_open(&house);
	house.store->corrupt_from = 9 * STREAM_DATA_MAX;
	struct reply reply = client_get(&house, fd, &cid, "");
	cr_assert(reply.status == 200 && reply.closed && !reply.whole, "%d", reply.status);
	cr_assert_str_eq(reply_field(&reply, "Content-Length"), "1048576");
	cr_assert_leq(reply.length, 9 * STREAM_DATA_MAX, "nothing of the bad chunk");
	cr_assert(memcmp(reply.body, bytes, reply.length) == 0);
	reply_free(&reply);
	free(bytes);
	close(fd);
}

Test(get, a_store_that_answers_something_else)
{
	struct cid cid = house_keeps(&house, 1000, 20);
	int fd = client_open(&house);
	house.store->wrong_cid = true;
	struct reply reply = client_get(&house, fd, &cid, "");
	cr_assert(reply_says(&reply, 500, "INTERNAL"));
	reply_free(&reply);
	house.store->wrong_cid = false;
	house.store->found_less = 10;
	reply = client_get(&house, fd, &cid, "");
	cr_assert(reply_says(&reply, 500, "INTERNAL"));
	reply_free(&reply);
	house.store->found_less = 0;
	reply = client_get(&house, fd, &cid, "");
	cr_assert(reply.status == 200 && reply.length == 1000);
	reply_free(&reply);
	close(fd);
}

/* -- headers, conditions, ranges ----------------------------------------------------------------------------------- */

Test(get, headers_of_a_blob)
{
	struct cid cid = house_keeps(&house, 100, 6);
	char text[CID_TEXT], tag[CID_TEXT + 2], request[256];
	int fd = client_open(&house);
	struct reply reply = client_get(&house, fd, &cid, "");
	snprintf(tag, sizeof tag, "\"%s\"", cid_text(&cid, text));
	cr_assert_str_eq(reply_field(&reply, "ETag"), tag);
	cr_assert_str_eq(reply_field(&reply, "Content-Type"), "application/octet-stream");
	cr_assert_str_eq(reply_field(&reply, "X-Content-Type-Options"), "nosniff");
	cr_assert_str_eq(reply_field(&reply, "Accept-Ranges"), "bytes");
	cr_assert(strstr(reply_field(&reply, "Cache-Control"), "immutable"));
	reply_free(&reply);
	snprintf(request, sizeof request, "HEAD /blob/%s HTTP/1.1\r\n" LOCAL "\r\n", text);
	reply = client_head(&house, fd, request);
	cr_assert(reply.status == 200 && reply.length == 0);
	cr_assert_str_eq(reply_field(&reply, "Content-Length"), "100");
	cr_assert_str_eq(reply_field(&reply, "ETag"), tag);
	cr_assert(house.store->heads == 1 && house.store->gets == 1);
	reply_free(&reply);
	reply = client_get(&house, fd, &cid, "");
	cr_assert(reply.status == 200 && reply.length == 100, "nothing of a body followed the HEAD");
	reply_free(&reply);
	close(fd);
}

Test(get, head_of_what_is_not_there)
{
	char request[256], text[CID_TEXT];
	snprintf(request, sizeof request, "HEAD /blob/%s HTTP/1.1\r\n" LOCAL "\r\n",
		 cid_text(&(struct cid){{5}}, text));
	int fd = client_open(&house);
	struct reply reply = client_head(&house, fd, request);
	cr_assert(reply.status == 404 && reply.length == 0);
	reply_free(&reply);
	close(fd);
}

struct part {
	const char *field;
	int status;
	size_t offset, length;
	const char *content_range;
};

Test(get, ranges)
{
	enum { SIZE = 200000 };
	static const struct part parts[] = {
		{"bytes=0-0", 206, 0, 1, "bytes 0-0/200000"},
		{"bytes=0-", 206, 0, SIZE, "bytes 0-199999/200000"},
		{"bytes=65535-65536", 206, 65535, 2, "bytes 65535-65536/200000"},
		{"bytes=100-150099", 206, 100, 150000, "bytes 100-150099/200000"},
		{"bytes=-5", 206, SIZE - 5, 5, "bytes 199995-199999/200000"},
		{"bytes=-999999", 206, 0, SIZE, "bytes 0-199999/200000"},
		{"bytes=199999-", 206, 199999, 1, "bytes 199999-199999/200000"},
		{"bytes=131072-196607", 206, 131072, 65536, "bytes 131072-196607/200000"},
		{"bytes=0-1,5-6", 200, 0, SIZE, NULL},
		{"bytes=9-3", 200, 0, SIZE, NULL},
		{"words=1-2", 200, 0, SIZE, NULL},
	};
	uint8_t *bytes = pattern(SIZE, 7);
	struct cid cid = fake_store_keep(house.store, bytes, SIZE);
	int fd = client_open(&house);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char field[64];
		snprintf(field, sizeof field, "Range: %s\r\n", parts[i].field);
		struct reply reply = client_get(&house, fd, &cid, field);
		cr_assert(reply.status == parts[i].status && reply.whole, "%s: %d", parts[i].field,
			  reply.status);
		cr_assert_eq(reply.length, parts[i].length, "%s", parts[i].field);
		cr_assert(memcmp(reply.body, bytes + parts[i].offset, parts[i].length) == 0, "%s",
			  parts[i].field);
		const char *said = reply_field(&reply, "Content-Range");
		cr_assert(parts[i].content_range ? said && strcmp(said, parts[i].content_range) == 0 : !said);
		reply_free(&reply);
	}
	struct reply reply = client_get(&house, fd, &cid, "Range: bytes=200000-\r\n");
	cr_assert(reply_says(&reply, 416, "RANGE_NOT_SATISFIABLE"));
	cr_assert_str_eq(reply_field(&reply, "Content-Range"), "bytes */200000");
	reply_free(&reply);
	struct cid empty = fake_store_keep(house.store, "", 0);
	reply = client_get(&house, fd, &empty, "Range: bytes=0-\r\n");
	cr_assert_eq(reply.status, 416);
	reply_free(&reply);
	free(bytes);
	close(fd);
}

static int status_with(int fd, const struct cid *cid, const char *name, const char *value, size_t *length)
{
	char field[256];
	snprintf(field, sizeof field, "%s: %s\r\n%s", name, value,
		 strcmp(name, "If-Range") ? "" : "Range: bytes=1-2\r\n");
	struct reply reply = client_get(&house, fd, cid, field);
	cr_assert(reply.whole);
	*length = reply.length;
	int status = reply.status;
	reply_free(&reply);
	return status;
}

Test(get, conditions)
{
	struct cid cid = house_keeps(&house, 100, 8);
	char text[CID_TEXT], tag[CID_TEXT + 2], weak[CID_TEXT + 4];
	snprintf(tag, sizeof tag, "\"%s\"", cid_text(&cid, text));
	snprintf(weak, sizeof weak, "W/%s", tag);
	int fd = client_open(&house);
	size_t length;
	cr_assert_eq(status_with(fd, &cid, "If-None-Match", tag, &length), 304);
	cr_assert_eq(length, 0);
	cr_assert_eq(status_with(fd, &cid, "If-None-Match", weak, &length), 304);
	cr_assert_eq(status_with(fd, &cid, "If-None-Match", "*", &length), 304);
	cr_assert_eq(status_with(fd, &cid, "If-None-Match", "\"other\"", &length), 200);
	cr_assert_eq(length, 100);
	cr_assert_eq(status_with(fd, &cid, "If-Match", tag, &length), 200);
	cr_assert_eq(status_with(fd, &cid, "If-Match", weak, &length), 412);
	cr_assert_eq(status_with(fd, &cid, "If-Range", tag, &length), 206);
	cr_assert_eq(length, 2);
	cr_assert_eq(status_with(fd, &cid, "If-Range", weak, &length), 200);
	cr_assert_eq(status_with(fd, &cid, "If-Range", "Tue, 15 Nov 1994 12:45:26 GMT", &length), 200);
	cr_assert_eq(length, 100);
	struct cid absent = {{9}};
	cr_assert_eq(status_with(fd, &absent, "If-None-Match", "*", &length), 404);
	close(fd);
}

/* -- backpressure -------------------------------------------------------------------------------------------------- */

/* A reader that reads nothing: no more is fetched from the store than the window, one block of the library,
 * and what the sockets hold. */
Test(get, a_slow_reader_holds_little)
{
	enum { SIZE = 32 << 20 };
	uint8_t *bytes = pattern(SIZE, 9);
	struct cid cid = fake_store_keep(house.store, bytes, SIZE);
	int fd = client_open(&house);
	char text[CID_TEXT], request[256];
	snprintf(request, sizeof request, "GET /blob/%s HTTP/1.1\r\n" LOCAL "\r\n", cid_text(&cid, text));
	must(send(fd, request, strlen(request), 0) == (ssize_t)strlen(request));
	for (int i = 0; i < 60; i++) {
		house_turn(&house);
		cr_assert_leq(house.chunks.held, STREAM_WINDOW * (uint64_t)STREAM_DATA_MAX);
	}
	uint64_t stuck = http_counts(house.http)->bytes_out;
	cr_assert_lt(stuck, SIZE / 2, "the store is not asked for what nobody reads");
	cr_assert_eq(house.chunks.high, STREAM_WINDOW * (uint64_t)STREAM_DATA_MAX, "and the window was used");
	struct reply reply = client_read(&house, fd);
	cr_assert(reply.status == 200 && reply.whole && memcmp(reply.body, bytes, SIZE) == 0);
	cr_assert_leq(house.chunks.high, STREAM_WINDOW * (uint64_t)STREAM_DATA_MAX);
	reply_free(&reply);
	free(bytes);
	close(fd);
}

Test(get, many_at_once)
{
	enum { CLIENTS = 40 };
	int fds[CLIENTS];
	uint8_t *bytes = pattern(400000, 11);
	struct cid cid = fake_store_keep(house.store, bytes, 400000);
	char text[CID_TEXT], request[256];
	snprintf(request, sizeof request, "GET /blob/%s HTTP/1.1\r\n" LOCAL "\r\n", cid_text(&cid, text));
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_open(&house);
		must(send(fds[i], request, strlen(request), 0) > 0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		struct reply reply = client_read(&house, fds[i]);
		cr_assert(reply.status == 200 && reply.whole && memcmp(reply.body, bytes, 400000) == 0);
		reply_free(&reply);
		close(fds[i]);
	}
	cr_assert_leq(house.chunks.high, CLIENTS * STREAM_WINDOW * (uint64_t)STREAM_DATA_MAX);
	free(bytes);
}
