/* RLP against the examples of Ethereum's wiki and the lengths at which its form changes. */
#include "tests/unit/crypto/vectors.h"

#include "actors/wallet/rlp.h"
#include "proto/u256.h"

static uint8_t room[5000];

static struct rlp empty(void)
{
	return (struct rlp){.at = room, .room = sizeof room};
}

Test(rlp, published)
{
	struct rlp list = empty();
	rlp_bytes(&list, "dog", 3);
	rlp_bytes(&list, "", 0);
	rlp_number(&list, 0);
	rlp_number(&list, 15);
	rlp_number(&list, 1024);
	rlp_bytes(&list, "\x00", 1);
	rlp_bytes(&list, "\x7f", 1);
	rlp_bytes(&list, "\x80", 1);
	rlp_empty_list(&list);
	expect_bytes(room, list.used, "83646f6780800f820400007f8180c0");
	uint8_t head[RLP_HEAD];
	expect_bytes(head, rlp_list_head(8, head), "c8"); /* [ "cat", "dog" ] */
}

/* "Lorem ipsum dolor sit amet, consectetur adipisicing elit": 56 bytes, the first long form. */
Test(rlp, long_forms)
{
	static const struct {
		size_t length;
		const char *string, *list;
	} heads[] = {{55, "b7", "f7"},
		     {56, "b838", "f838"},
		     {255, "b8ff", "f8ff"},
		     {256, "b90100", "f90100"},
		     {4000, "b90fa0", "f90fa0"}};
	static const uint8_t many[4000];
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		struct rlp list = empty();
		uint8_t head[RLP_HEAD];
		rlp_bytes(&list, many, heads[i].length);
		cr_assert_not(list.full);
		expect_bytes(room, strlen(heads[i].string) / 2, heads[i].string);
		cr_expect_eq(list.used, heads[i].length + strlen(heads[i].string) / 2);
		expect_bytes(head, rlp_list_head(heads[i].length, head), heads[i].list);
	}
}

Test(rlp, numbers_have_no_leading_zero)
{
	struct rlp list = empty();
	rlp_number(&list, 0x7f);
	rlp_number(&list, 0x80);
	rlp_number(&list, UINT64_MAX);
	const struct u256 numbers[] = {u256_of(0), u256_of(1), u256_of(0x80), u256_of(0xffff)};
	for (size_t i = 0; i < 4; i++)
		rlp_u256(&list, &numbers[i]);
	struct u256 most;
	memset(&most, 0xff, sizeof most);
	rlp_u256(&list, &most);
	expect_bytes(room, list.used,
		     "7f818088ffffffffffffffff8001818082ffffa0"
		     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
}

Test(rlp, what_does_not_fit_is_told)
{
	for (size_t most = 0; most < 8; most++) {
		struct rlp list = {.at = room, .room = most};
		memset(room, 0xa5, sizeof room);
		rlp_bytes(&list, "dog", 3);
		rlp_bytes(&list, "dog", 3);
		cr_expect(list.full);
		cr_expect_eq(room[most], 0xa5, "nothing beyond the room");
	}
}
