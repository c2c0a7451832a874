/* Blobs in and out over HTTP: sizes, status codes, ranges, conditions, backpressure, short bodies. */
#include "tests/unit/gateway/house.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct house house;

static void setup(void)
{
	struct http_config plan = house_plan();
	house_open(&house, &plan);
}

static void teardown(void)
{
	house_close(&house);
	cr_assert_eq(house.chunks.held, 0, "every buffer was given back");
}

TestSuite(blobs, .init = setup, .fini = teardown, .timeout = 120);

#define LOCAL "Host: localhost\r\n"

static struct reply store(int fd, const void *bytes, size_t size)
{
	char *request = malloc(size + 200);
	int head = sprintf(request, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: %zu\r\n\r\n", size);
	memcpy(request + head, bytes, size);
	struct reply reply = client_talk(&house, fd, request, (size_t)head + size);
	free(request);
	return reply;
}

/* In chunks of `piece` bytes; `stop` leaves the last chunk away. */
static char *chunked(const uint8_t *bytes, size_t size, size_t piece, bool stop, size_t *length)
{
	char *request = malloc(size + size / piece * 16 + 300);
	*length = (size_t)sprintf(request,
				  "POST /store HTTP/1.1\r\n" LOCAL "Transfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < size; at += piece) {
		size_t take = size - at < piece ? size - at : piece;
		*length += (size_t)sprintf(request + *length, "%zx\r\n", take);
		memcpy(request + *length, bytes + at, take);
		*length += take;
		memcpy(request + *length, "\r\n", 2);
		*length += 2;
	}
	if (!stop)
		*length += (size_t)sprintf(request + *length, "0\r\n\r\n");
	return request;
}

static struct reply get(int fd, const struct cid *cid, const char *fields)
{
	char text[CID_TEXT], request[1024];
	snprintf(request, sizeof request, "GET /retrieve/%s HTTP/1.1\r\n" LOCAL "%s\r\n", cid_text(cid, text),
		 fields);
	return client_talk(&house, fd, request, strlen(request));
}

static struct cid kept(size_t size, unsigned seed)
{
	uint8_t *bytes = pattern(size, seed);
	struct cid cid = fake_store_keep(house.store, bytes, size);
	free(bytes);
	return cid;
}

static void check_stored(const struct reply *reply, int status, const uint8_t *bytes, size_t size)
{
	cr_assert(reply->whole && reply->status == status, "%zu bytes: %d", size, reply->status);
	json_t *json = json_loadb((char *)reply->body, reply->length, 0, NULL);
	cr_assert_eq(json_object_size(json), 3);
	cr_assert_eq(json_integer_value(json_object_get(json, "size")), (json_int_t)size);
	cr_assert(json_is_true(json_object_get(json, "encrypted")));
	const char *text = json_string_value(json_object_get(json, "cid"));
	struct cid cid;
	cr_assert(strncmp(text, "bafkrei", 7) == 0 && cid_parse(text, strlen(text), &cid));
	const struct fake_blob *blob = fake_store_find(house.store, &cid);
	cr_assert(blob && blob->size == size && memcmp(blob->bytes, bytes, size) == 0);
	json_decref(json);
}

static const size_t sizes[] = {0,      1,      1024,      65535,  65536,  65537,   131071,
			       131072, 131073, 4 * 65536, 300000, 524288, 1000000, 1 << 20};

Test(blobs, put_and_get_every_size_on_one_connection)
{
	int fd = client_open(&house);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t *bytes = pattern(sizes[i], (unsigned)i);
		struct reply reply = store(fd, bytes, sizes[i]);
		check_stored(&reply, 201, bytes, sizes[i]);
		cr_assert_eq(house.store->last_put_size, sizes[i]);
		reply_free(&reply);
		reply = store(fd, bytes, sizes[i]);
		check_stored(&reply, 200, bytes, sizes[i]);
		reply_free(&reply);
		const struct fake_blob *blob = &house.store->blobs[house.store->count - 1];
		reply = get(fd, &blob->cid, "");
		cr_assert(reply.status == 200 && reply.whole && reply.length == sizes[i]);
		cr_assert(memcmp(reply.body, bytes, sizes[i]) == 0);
		reply_free(&reply);
		free(bytes);
	}
	cr_assert_eq(house.store->count, sizeof sizes / sizeof *sizes, "the same bytes are one blob");
	close(fd);
}

Test(blobs, chunked_bodies)
{
	static const size_t pieces[] = {100000, 7, 65536, 1000};
	int fd = client_open(&house);
	for (size_t i = 0; i < 4; i++) {
		size_t size = pieces[i] == 7 ? 5000 : 200000 + i, length;
		uint8_t *bytes = pattern(size, 50 + (unsigned)i);
		char *request = chunked(bytes, size, pieces[i], false, &length);
		struct reply reply = client_talk(&house, fd, request, length);
		check_stored(&reply, 201, bytes, size);
		reply_free(&reply);
		free(request);
		free(bytes);
	}
	struct reply reply = client_talk(
		&house, fd, "POST /store HTTP/1.1\r\n" LOCAL "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		strlen("POST /store HTTP/1.1\r\n" LOCAL "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
	check_stored(&reply, 201, (const uint8_t *)"", 0);
	reply_free(&reply);
	close(fd);
}

Test(blobs, a_small_body_is_shown_to_the_store_only_when_it_is_whole)
{
	int fd = client_open(&house);
	static const char part[] = "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 10\r\n\r\n12345";
	must(send(fd, part, strlen(part), 0) == (ssize_t)strlen(part));
	house_run(&house, 5);
	cr_assert_eq(house.store->puts, 0);
	struct reply reply = client_talk(&house, fd, "67890", 5);
	check_stored(&reply, 201, (const uint8_t *)"1234567890", 10);
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

Test(blobs, truncated_bodies_store_nothing)
{
	reopen_patient();
	static const size_t sent[] = {0, 1, 70000, 299999};
	for (size_t k = 0; k < 4; k++) {
		int fd = client_open(&house);
		uint8_t *bytes = pattern(300000, 9);
		char *request = malloc(400000);
		int head =
			sprintf(request, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 300000\r\n\r\n");
		memcpy(request + head, bytes, 300000);
		for (size_t at = 0, all = (size_t)head + sent[k]; at < all;) {
			ssize_t n = send(fd, request + at, all - at, MSG_DONTWAIT);
			at += n > 0 ? (size_t)n : 0;
			house_turn(&house);
		}
		close(fd);
		for (int i = 0; i < 1000 && http_counts(house.http)->connections.depth; i++)
			house_turn(&house);
		house_run(&house, 5);
		free(request);
		free(bytes);
	}
	cr_assert(house.store->count == 0 && house.store->stored == 0);
	cr_assert_eq(house.store->puts, 2);
	cr_assert_eq(house.store->dropped, 2, "those that were shown to the store were taken back");
	cr_assert_eq(stream_transfers(house.stream), 0);
	cr_assert_eq(http_counts(house.http)->slots.depth, 0);
}

Test(blobs, a_truncated_chunked_body_stores_nothing)
{
	reopen_patient();
	int fd = client_open(&house);
	uint8_t *bytes = pattern(100000, 3);
	size_t length;
	char *request = chunked(bytes, 100000, 10000, true, &length);
	for (size_t at = 0; at < length;) {
		ssize_t n = send(fd, request + at, length - at, MSG_DONTWAIT);
		at += n > 0 ? (size_t)n : 0;
		house_turn(&house);
	}
	close(fd);
	for (int i = 0; i < 1000 && http_counts(house.http)->connections.depth; i++)
		house_turn(&house);
	house_run(&house, 5);
	cr_assert(house.store->count == 0 && house.store->dropped == 1);
	free(request);
	free(bytes);
}

/* -- too large
 * ------------------------------------------------------------------------------------------------------- */

Test(blobs, too_large_is_said_before_the_body_is_read)
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

Test(blobs, too_large_is_heard_by_a_client_that_sends_it_all)
{
	int fd = client_open(&house);
	uint8_t *bytes = pattern(8 << 20, 1);
	struct reply reply = store(fd, bytes, 8 << 20);
	cr_assert(reply_says(&reply, 413, "TOO_LARGE"));
	reply_free(&reply);
	free(bytes);
	close(fd);
}

Test(blobs, expect_100_is_not_met_for_what_is_too_large)
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

Test(blobs, expect_100_is_met)
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
	check_stored(&reply, 201, (const uint8_t *)"abc", 3);
	reply_free(&reply);
	close(fd);
}

Test(blobs, chunked_and_too_large)
{
	int fd = client_open(&house);
	uint8_t *bytes = pattern(3 << 20, 2);
	size_t length;
	char *request = chunked(bytes, 3 << 20, 100000, false, &length);
	struct reply reply = client_talk(&house, fd, request, length);
	cr_assert(reply_says(&reply, 413, "TOO_LARGE"));
	cr_assert(house.store->count == 0 && house.store->dropped == 1);
	cr_assert(client_closed(&house, fd));
	reply_free(&reply);
	free(request);
	free(bytes);
	close(fd);
}

Test(blobs, chunked_and_exactly_as_large_as_may_be)
{
	int fd = client_open(&house);
	uint8_t *bytes = pattern(1 << 20, 2);
	size_t length;
	char *request = chunked(bytes, 1 << 20, 100000, false, &length);
	struct reply reply = client_talk(&house, fd, request, length);
	check_stored(&reply, 201, bytes, 1 << 20);
	reply_free(&reply);
	free(request);
	free(bytes);
	close(fd);
}

/* -- what the store may say
 * ------------------------------------------------------------------------------------------ */

struct said {
	enum err err;
	int status;
	const char *code;
};
static const struct said put_errors[] = {{ERR_FULL, 507, "STORAGE_FULL"},
					 {ERR_BUSY, 503, "BUSY"},
					 {ERR_WRONG_SHARD, 421, "WRONG_SHARD"},
					 {ERR_TOO_LARGE, 413, "TOO_LARGE"},
					 {ERR_DISK, 500, "DISK"},
					 {ERR_NOT_READY, 503, "UNAVAILABLE"},
					 {ERR_LATE, 503, "STORE_GONE"},
					 {ERR_BAD_VALUE, 500, "INTERNAL"},
					 {ERR_TRUNCATED, 400, "TRUNCATED"}};

Test(blobs, the_stores_refusals_at_the_end)
{
	for (size_t i = 0; i < sizeof put_errors / sizeof *put_errors; i++) {
		int fd = client_open(&house);
		house.store->put_err = put_errors[i].err;
		struct reply reply = store(fd, "abc", 3);
		cr_assert(reply_says(&reply, put_errors[i].status, put_errors[i].code));
		cr_assert_eq(reply_field(&reply, "Retry-After") != NULL, put_errors[i].status == 503);
		reply_free(&reply);
		house.store->put_err = ERR_OK;
		reply = store(fd, "abc", 3);
		cr_assert(reply.status == 201 || reply.status == 200, "the connection goes on");
		reply_free(&reply);
		close(fd);
	}
}

Test(blobs, the_stores_refusal_in_the_middle_is_heard_by_a_client_that_sends_it_all)
{
	house.store->put_err = ERR_FULL;
	house.store->put_err_at_once = true;
	int fd = client_open(&house);
	uint8_t *bytes = pattern(1 << 20, 2);
	struct reply reply = store(fd, bytes, 1 << 20);
	cr_assert(reply_says(&reply, 507, "STORAGE_FULL"));
	cr_assert_str_eq(reply_field(&reply, "Connection"), "close");
	cr_assert(reply_field(&reply, "Date"));
	cr_assert(client_closed(&house, fd));
	cr_assert_eq(http_counts(house.http)->failed, 1);
	reply_free(&reply);
	free(bytes);
	close(fd);
}

Test(blobs, unknown_is_404_and_elsewhere_421)
{
	struct cid cid = {{1, 2, 3}};
	int fd = client_open(&house);
	struct reply reply = get(fd, &cid, "");
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
	reply = get(fd, &cid, "");
	cr_assert(reply_says(&reply, 421, "WRONG_SHARD"));
	cr_assert(strstr((char *)reply.body, "shard 971 of 1024") && strstr((char *)reply.body, "1-1023"));
	reply_free(&reply);
	house.store->put_err = ERR_WRONG_SHARD;
	reply = store(fd, "x", 1);
	cr_assert(reply_says(&reply, 421, "WRONG_SHARD"));
	cr_assert(strstr((char *)reply.body, "0-0"));
	reply_free(&reply);
	close(fd);
}

Test(blobs, corrupt_before_the_header_is_500)
{
	struct cid cid = kept(300000, 4);
	int fd = client_open(&house);
	house.store->corrupt_from = 0;
	struct reply reply = get(fd, &cid, "");
	cr_assert(reply_says(&reply, 500, "CORRUPT"));
	reply_free(&reply);
	house.store->corrupt_from = SIZE_MAX;
	reply = get(fd, &cid, "");
	cr_assert(reply.status == 200 && reply.whole, "the connection goes on");
	reply_free(&reply);
	close(fd);
}

Test(blobs, corrupt_in_the_middle_cuts_the_body_short)
{
	uint8_t *bytes = pattern(1 << 20, 5);
	struct cid cid = fake_store_keep(house.store, bytes, 1 << 20);
	int fd = client_open(&house);
	house.store->corrupt_from = 9 * STREAM_DATA_MAX;
	struct reply reply = get(fd, &cid, "");
	cr_assert(reply.status == 200 && reply.closed && !reply.whole, "%d", reply.status);
	cr_assert_str_eq(reply_field(&reply, "Content-Length"), "1048576");
	cr_assert_leq(reply.length, 9 * STREAM_DATA_MAX, "nothing of the bad chunk");
	cr_assert(memcmp(reply.body, bytes, reply.length) == 0);
	reply_free(&reply);
	free(bytes);
	close(fd);
}

/* -- headers, conditions, ranges
 * ------------------------------------------------------------------------------------- */

Test(blobs, headers_of_a_blob)
{
	struct cid cid = kept(100, 6);
	char text[CID_TEXT], tag[CID_TEXT + 2], request[256];
	int fd = client_open(&house);
	struct reply reply = get(fd, &cid, "");
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
	reply = get(fd, &cid, "");
	cr_assert(reply.status == 200 && reply.length == 100, "nothing of a body followed the HEAD");
	reply_free(&reply);
	close(fd);
}

Test(blobs, a_store_that_does_not_end_heads)
{
	struct cid cid = kept(100, 6);
	char text[CID_TEXT], request[256];
	house.store->no_head_end = true;
	int fd = client_open(&house);
	snprintf(request, sizeof request, "HEAD /blob/%s HTTP/1.1\r\n" LOCAL "\r\n", cid_text(&cid, text));
	struct reply reply = client_head(&house, fd, request);
	cr_assert_eq(reply.status, 200);
	reply_free(&reply);
	cr_assert_eq(stream_transfers(house.stream), 0);
	close(fd);
}

Test(blobs, head_of_what_is_not_there)
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

Test(blobs, ranges)
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
		struct reply reply = get(fd, &cid, field);
		cr_assert(reply.status == parts[i].status && reply.whole, "%s: %d", parts[i].field,
			  reply.status);
		cr_assert_eq(reply.length, parts[i].length, "%s", parts[i].field);
		cr_assert(memcmp(reply.body, bytes + parts[i].offset, parts[i].length) == 0, "%s",
			  parts[i].field);
		const char *said = reply_field(&reply, "Content-Range");
		cr_assert(parts[i].content_range ? said && strcmp(said, parts[i].content_range) == 0 : !said);
		reply_free(&reply);
	}
	struct reply reply = get(fd, &cid, "Range: bytes=200000-\r\n");
	cr_assert(reply_says(&reply, 416, "RANGE_NOT_SATISFIABLE"));
	cr_assert_str_eq(reply_field(&reply, "Content-Range"), "bytes */200000");
	reply_free(&reply);
	struct cid empty = fake_store_keep(house.store, "", 0);
	reply = get(fd, &empty, "Range: bytes=0-\r\n");
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
	struct reply reply = get(fd, cid, field);
	cr_assert(reply.whole);
	*length = reply.length;
	int status = reply.status;
	reply_free(&reply);
	return status;
}

Test(blobs, conditions)
{
	struct cid cid = kept(100, 8);
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

/* -- backpressure
 * ---------------------------------------------------------------------------------------------------- */

/* A reader that reads nothing: no more is fetched from the store than the window, one block of the library,
 * and what the sockets hold. */
Test(blobs, a_slow_reader_holds_little)
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

/* A store that gives no credit: the body is not taken from the socket. */
Test(blobs, a_slow_store_holds_the_upload_back)
{
	uint8_t *bytes = pattern(1 << 20, 10);
	char *request = malloc((1 << 20) + 200);
	int head = sprintf(request, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: %d\r\n\r\n", 1 << 20);
	memcpy(request + head, bytes, 1 << 20);
	int fd = client_open(&house);
	house.store->no_credit = true;
	size_t at = 0;
	for (int i = 0; i < 50; i++) {
		ssize_t n = send(fd, request + at, (size_t)head + (1 << 20) - at, MSG_DONTWAIT);
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
	struct reply reply = client_talk(&house, fd, request + at, (size_t)head + (1 << 20) - at);
	check_stored(&reply, 201, bytes, 1 << 20);
	reply_free(&reply);
	free(request);
	free(bytes);
	close(fd);
}

Test(blobs, many_at_once)
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

Test(blobs, pipelined_requests_are_answered_in_order)
{
	struct cid a = kept(1000, 12), b = kept(100000, 13);
	char text[CID_TEXT], requests[1024];
	int length = sprintf(requests, "GET /blob/%s HTTP/1.1\r\n" LOCAL "\r\n", cid_text(&a, text));
	length += sprintf(requests + length, "POST /store HTTP/1.1\r\n" LOCAL "Content-Length: 3\r\n\r\nxyz");
	length += sprintf(requests + length, "GET /blob/%s HTTP/1.1\r\n" LOCAL "\r\n", cid_text(&b, text));
	int fd = client_open(&house);
	must(send(fd, requests, (size_t)length, 0) == length);
	for (int i = 0; i < 100 && house.store->gets < 2; i++)
		house_turn(&house);
	house_run(&house, 10);
	char *all = malloc(200000);
	size_t got = 0;
	for (ssize_t n; (n = recv(fd, all + got, 200000 - got, MSG_DONTWAIT)) > 0; got += (size_t)n)
		house_turn(&house);
	char *first = memmem(all, got, "Content-Length: 1000\r\n", 22),
	     *second = memmem(all, got, "201 Created", 11),
	     *third = memmem(all, got, "Content-Length: 100000\r\n", 24);
	cr_assert(first && second && third && first < second && second < third);
	free(all);
	close(fd);
}
