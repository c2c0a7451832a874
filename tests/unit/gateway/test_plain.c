/* The parsers and the buffers: targets, ranges, entity tags, chunks, facts. */
#include "actors/gateway/chunk.h"
#include "actors/gateway/facts.h"
#include "actors/gateway/range.h"
#include "proto/shards.h"
#include "actors/gateway/target.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CID \
	"bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e" /* "hello bytecave\n", FEATURES K8 */
#define HEX "360dc2bf4f61fdd2a456d38f45545b162f0143e417e1247f47e6631c3707b0e1"

struct target_case {
	const char *text;
	enum route route;
};

Test(target, table)
{
	static const struct target_case cases[] = {
		{"/store", ROUTE_STORE},
		{"/store?x=1", ROUTE_STORE},
		{"/health", ROUTE_HEALTH},
		{"/metrics", ROUTE_METRICS},
		{"/info", ROUTE_INFO},
		{"/node/info", ROUTE_INFO},
		{"/retrieve/" CID, ROUTE_BLOB},
		{"/blob/" CID, ROUTE_BLOB},
		{"/blob/" HEX, ROUTE_BLOB},
		{"http://localhost:5001/blob/" CID, ROUTE_BLOB},
		{"HTTP://h/health", ROUTE_HEALTH},
		{"/", ROUTE_UNKNOWN},
		{"/stores", ROUTE_UNKNOWN},
		{"/store/", ROUTE_UNKNOWN},
		{"/Health", ROUTE_UNKNOWN},
		{"/retrieve", ROUTE_UNKNOWN},
		{"/node", ROUTE_UNKNOWN},
		{"/retrieve/", ROUTE_BAD_CID},
		{"/retrieve/x", ROUTE_BAD_CID},
		{"/retrieve/" CID "x", ROUTE_BAD_CID},
		{"/retrieve/" CID "/", ROUTE_BAD_CID},
		{"/retrieve/BAFKREIBWBXBL6T3B7XJKIVWTR5CVIWYWF4AUHZAX4ESH6R7GMMODOB5Q4E", ROUTE_BAD_CID},
		{"/retrieve/" HEX "00", ROUTE_BAD_CID},
		{"/retrieve/bafybeibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e", ROUTE_BAD_CID},
		{"", ROUTE_BAD_PATH},
		{"store", ROUTE_BAD_PATH},
		{"*", ROUTE_BAD_PATH},
		{"//store", ROUTE_BAD_PATH},
		{"/retrieve/../store", ROUTE_BAD_PATH},
		{"/retrieve/..", ROUTE_BAD_PATH},
		{"/./store", ROUTE_BAD_PATH},
		{"/retrieve/..%2f..%2fetc%2fpasswd", ROUTE_BAD_PATH},
		{"/retrieve/%2e%2e", ROUTE_BAD_PATH},
		{"/%73tore", ROUTE_BAD_PATH},
		{"/retrieve/%00", ROUTE_BAD_PATH},
		{"/store#x", ROUTE_BAD_PATH},
		{"/retrieve\\" CID, ROUTE_BAD_PATH},
		{"/st\tore", ROUTE_BAD_PATH},
		{"/st\x80ore", ROUTE_BAD_PATH},
		{"http:///store", ROUTE_BAD_PATH},
		{"https://h/store", ROUTE_BAD_PATH},
		{"ftp://h/store", ROUTE_BAD_PATH},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert_eq(target_read(cases[i].text, strlen(cases[i].text)).route, cases[i].route, "%s",
			     cases[i].text);
	cr_assert_eq(target_read("/store\0/x", 9).route, ROUTE_BAD_PATH);
}

Test(target, both_texts_name_one_blob)
{
	struct target a = target_read("/blob/" CID, strlen("/blob/" CID)),
		      b = target_read("/retrieve/" HEX, strlen("/retrieve/" HEX));
	cr_assert_arr_eq(a.cid.bytes, b.cid.bytes, 32);
}

struct range_case {
	const char *value;
	uint64_t size;
	enum range range;
	uint64_t offset, length;
};

Test(range, table)
{
	static const struct range_case cases[] = {
		{NULL, 10, RANGE_WHOLE, 0, 10},
		{"bytes=0-0", 10, RANGE_PART, 0, 1},
		{"bytes=0-9", 10, RANGE_PART, 0, 10},
		{"bytes=0-", 10, RANGE_PART, 0, 10},
		{"bytes=9-", 10, RANGE_PART, 9, 1},
		{"bytes=3-5", 10, RANGE_PART, 3, 3},
		{"bytes=3-99", 10, RANGE_PART, 3, 7},
		{"bytes=3-99999999999999999999999", 10, RANGE_PART, 3, 7},
		{"bytes=-1", 10, RANGE_PART, 9, 1},
		{"bytes=-10", 10, RANGE_PART, 0, 10},
		{"bytes=-99", 10, RANGE_PART, 0, 10},
		{"Bytes=0-0", 10, RANGE_PART, 0, 1},
		{"bytes=0-18446744073709551615", UINT64_MAX, RANGE_PART, 0, UINT64_MAX},
		{"bytes=10-", 10, RANGE_NONE, 0, 0},
		{"bytes=10-20", 10, RANGE_NONE, 0, 0},
		{"bytes=99999999999999999999999-", 10, RANGE_NONE, 0, 0},
		{"bytes=-0", 10, RANGE_NONE, 0, 0},
		{"bytes=0-", 0, RANGE_NONE, 0, 0},
		{"bytes=-5", 0, RANGE_NONE, 0, 0},
		{"bytes=5-3", 10, RANGE_WHOLE, 0, 10},
		{"bytes=0-0,2-3", 10, RANGE_WHOLE, 0, 10},
		{"bytes=", 10, RANGE_WHOLE, 0, 10},
		{"bytes=-", 10, RANGE_WHOLE, 0, 10},
		{"bytes=a-b", 10, RANGE_WHOLE, 0, 10},
		{"bytes= 0-1", 10, RANGE_WHOLE, 0, 10},
		{"bytes=0-1x", 10, RANGE_WHOLE, 0, 10},
		{"bytes=--1", 10, RANGE_WHOLE, 0, 10},
		{"bytes=+1-2", 10, RANGE_WHOLE, 0, 10},
		{"lines=0-1", 10, RANGE_WHOLE, 0, 10},
		{"bytes 0-1", 10, RANGE_WHOLE, 0, 10},
		{"", 10, RANGE_WHOLE, 0, 10},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct range_case *c = &cases[i];
		struct span span;
		const char *name = c->value ? c->value : "(none)";
		cr_assert_eq(range_read(c->value, c->size, &span), c->range, "%s", name);
		if (c->range != RANGE_NONE)
			cr_assert(span.offset == c->offset && span.length == c->length, "%s", name);
	}
}

struct tag_case {
	const char *value;
	bool weak, strong;
};

Test(etag, lists)
{
	static const struct tag_case cases[] = {
		{"*", true, true},
		{"\"" CID "\"", true, true},
		{"W/\"" CID "\"", true, false},
		{"\"a\", \"" CID "\"", true, true},
		{" , \"a\",,\"" CID "\" ", true, true},
		{"\"\", W/\"" CID "\"", true, false},
		{"W/\"" CID "\", \"" CID "\"", true, true},
		{CID, false, false},
		{"\"" HEX "\"", false, false},
		{"\"a\"", false, false},
		{"\"a", false, false},
		{"\"a\" \"" CID "\"", false, false},
		{"w/\"" CID "\"", false, false},
		{"*, \"a\"", false, false},
		{"", false, false},
		{",", false, false},
		{"\"" CID "\"x", true, true}, /* found before the list breaks */
		{"x, \"" CID "\"", false, false},
	};
	struct target target = target_read("/blob/" CID, strlen("/blob/" CID));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_assert_eq(etags_hold(cases[i].value, &target.cid, false), cases[i].weak, "%s",
			     cases[i].value);
		cr_assert_eq(etags_hold(cases[i].value, &target.cid, true), cases[i].strong, "%s",
			     cases[i].value);
	}
}

Test(etag, if_range_is_one_strong_tag)
{
	struct target target = target_read("/blob/" CID, strlen("/blob/" CID));
	cr_assert(etag_is("\"" CID "\"", &target.cid));
	cr_assert_not(etag_is("W/\"" CID "\"", &target.cid));
	cr_assert_not(etag_is("\"" CID "\", \"" CID "\"", &target.cid));
	cr_assert_not(etag_is("*", &target.cid));
	cr_assert_not(etag_is("Tue, 15 Nov 1994 12:45:26 GMT", &target.cid));
}

Test(chunk, counts_what_is_held_and_keeps_few)
{
	struct chunks chunks = {0};
	struct chunk *held[CHUNKS_SPARE + 8];
	for (size_t i = 0; i < CHUNKS_SPARE + 8; i++)
		held[i] = chunk_new(&chunks, CHUNK_ROOM);
	cr_assert_eq(chunks.held, (CHUNKS_SPARE + 8) * (uint64_t)CHUNK_ROOM);
	for (size_t i = 0; i < CHUNKS_SPARE + 8; i++)
		chunk_free(&held[i]);
	cr_assert(chunks.held == 0 && !held[0]);
	cr_assert_eq(chunks.spares, CHUNKS_SPARE);
	struct chunk *small = chunk_new(&chunks, 100);
	cr_assert_eq(chunks.spares, CHUNKS_SPARE, "a small one does not take a large one's memory");
	chunk_free(&small);
	chunks_forget(&chunks);
	cr_assert(chunks.spares == 0 && !chunks.spare);
	cr_assert_eq(chunks.high, (CHUNKS_SPARE + 8) * (uint64_t)CHUNK_ROOM);
}

static json_t *load(char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	free(text);
	cr_assert(json);
	return json;
}

Test(facts, health_has_the_eight_fields_whatever_is_known)
{
	struct facts facts = {.node = 2};
	json_t *json = load(facts_health(&facts, 7));
	cr_assert_eq(json_object_size(json), 8);
	cr_assert_str_eq(json_string_value(json_object_get(json, "status")), "unavailable");
	cr_assert_eq(json_integer_value(json_object_get(json, "uptime")), 7);
	cr_assert_str_eq(json_string_value(json_object_get(json, "publicKey")), "");
	cr_assert(json_is_array(json_object_get(json, "multiaddrs")));
	cr_assert(json_is_integer(json_object_get(json, "peers")));
	json_decref(json);
	facts.answers = true;
	facts.stat = (struct facts_stat){5, 6, true};
	json = load(facts_health(&facts, 7));
	cr_assert_str_eq(json_string_value(json_object_get(json, "status")), "healthy");
	cr_assert_eq(json_integer_value(json_object_get(json, "storedBlobs")), 5);
	cr_assert_eq(json_integer_value(json_object_get(json, "totalSize")), 6);
	json_decref(json);
	facts.stat.writable = false;
	json = load(facts_health(&facts, 7));
	cr_assert_str_eq(json_string_value(json_object_get(json, "status")), "degraded");
	json_decref(json);
}

Test(facts, info_has_the_six_fields)
{
	struct facts facts = {.node = 12, .who = {.known = true, .peer_id = "p\x80", .owner = "0x1\n"}};
	memset(facts.who.key.bytes, 0xcd, 32);
	facts_clean(facts.who.peer_id);
	facts_clean(facts.who.owner);
	cr_assert_null(shards_parse("0-255,512-767", 1024, &facts.who.shards, (char[SHARDS_WHY]){0}));
	json_t *json = load(facts_info(&facts));
	cr_assert_eq(json_object_size(json), 6);
	cr_assert_str_eq(json_string_value(json_object_get(json, "nodeId")), "node-12");
	cr_assert_str_eq(json_string_value(json_object_get(json, "peerId")), "p?");
	cr_assert_str_eq(json_string_value(json_object_get(json, "ownerAddress")), "0x1?");
	cr_assert_eq(strlen(json_string_value(json_object_get(json, "publicKey"))), 66);
	json_t *shards = json_object_get(json, "shards");
	cr_assert_eq(json_array_size(shards), 2);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(shards, 1), "start")), 512);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(shards, 1), "end")), 767);
	json_decref(json);
}
