/* The codec of the contracts: the bytes that ethers writes, out of the same values; and whatever else is answered. */
#include "actors/chain/abi.h"
#include "actors/base/memory/memory.h"
#include "tests/unit/chain/abi_vectors.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes_of(const char *hex, uint8_t *bytes, size_t room)
{
	size_t length = strlen(hex) / 2;
	cr_assert(length <= room && hex_parse(hex, strlen(hex), bytes, length));
	return length;
}

static void same_as(const char *hex, const struct abi_method *method, const void *in)
{
	uint8_t expected[2048], made[2048];
	size_t length = bytes_of(hex, expected, sizeof expected);
	cr_assert_eq(abi_encode(method, in, made, sizeof made), length);
	cr_assert_arr_eq(made, expected, length);
	for (size_t room = 0; room < length; room++) { /* in its own block, so that a byte too far is seen */
		uint8_t *small = malloc(room + !room);
		cr_assert_eq(abi_encode(method, in, small, room), 0);
		free(small);
	}
}

static struct hash filled(uint8_t byte)
{
	struct hash hash;
	memset(&hash, byte, sizeof hash);
	return hash;
}

static struct u256 coins(const char *text)
{
	struct u256 number;
	cr_assert(u256_parse(text, strlen(text), 18, &number));
	return number;
}

Test(encode, what_ethers_encodes)
{
	static const char endpoint[] = "http://node.example:5001/with a long name that takes two words";
	struct RelayManager_registerNodeWithId node = {.nodeId = filled(0x11),
						       .machineIdHash_ = filled(0x22),
						       .serialHash = filled(0x33),
						       .endpoint = {endpoint, sizeof endpoint - 1},
						       .storageMB = u256_of(4096),
						       .tier = 2};
	same_as(vector_register, &abi_RelayManager_registerNodeWithId, &node);
	struct hash files[2] = {filled(0xa1), filled(0xa2)}, roots[2] = {filled(0xb1), filled(0xb2)};
	struct u256 sizes[2] = {u256_of(7), u256_of(UINT64_MAX)};
	struct RelayManager_holdFiles held = {
		filled(0x11), {(uint8_t *)files, 2}, {(uint8_t *)roots, 2}, {(uint8_t *)sizes, 2}};
	same_as(vector_hold, &abi_RelayManager_holdFiles, &held);
	struct MCTToken_approve approve = {.spender = {{0}}, .value = coins("100")};
	memset(&approve.spender, 0x44, sizeof approve.spender);
	same_as(vector_approve, &abi_MCTToken_approve, &approve);
}

Test(encode, a_number_that_its_kind_does_not_hold_is_refused)
{
	uint8_t made[1024];
	struct RelayManager_registerNodeWithId node = {.endpoint = {"x", 1}, .tier = 256};
	cr_assert_eq(abi_encode(&abi_RelayManager_registerNodeWithId, &node, made, sizeof made), 0);
	node.tier = 255;
	cr_assert_gt(abi_encode(&abi_RelayManager_registerNodeWithId, &node, made, sizeof made), 0);
}

Test(decode, what_ethers_encodes)
{
	uint8_t bytes[2048];
	struct RelayManager_getNodeByNodeId_out node;
	size_t length = bytes_of(vector_node, bytes, sizeof bytes);
	cr_assert(abi_decode(&abi_RelayManager_getNodeByNodeId, bytes, length, &node));
	struct u256 stake = coins("100");
	cr_assert(node.isActive && !node.isOnline && node.tier == 1);
	cr_assert_eq(u256_compare(&node.stakedAmount, &stake), 0);
	cr_assert_eq(node.walletAddress.bytes[19], 0x27);
	cr_assert(node.endpoint.length == 21 && memcmp(node.endpoint.at, "http://127.0.0.1:5001", 21) == 0);

	struct RelayManager_getTierInfo_out tiers;
	length = bytes_of(vector_tiers, bytes, sizeof bytes);
	cr_assert(abi_decode(&abi_RelayManager_getTierInfo, bytes, length, &tiers));
	cr_assert_eq(tiers.stakes.at[3].bytes[30] << 8 | tiers.stakes.at[3].bytes[31], 400);
	cr_assert_eq(tiers.feePercents.at[0].bytes[31], 10);

	struct RelayManager_getActiveNodeIds_out ids;
	length = bytes_of(vector_ids, bytes, sizeof bytes);
	cr_assert(abi_decode(&abi_RelayManager_getActiveNodeIds, bytes, length, &ids));
	cr_assert(ids.nodeIds.count == 2 && ids.wallets.count == 2 && ids.nodeIds.words[32] == 2 &&
		  ids.wallets.words[63] == 0x0b);
}

Test(decode, a_tuple_with_a_text_lies_behind_its_offset)
{
	uint8_t bytes[2048];
	struct MumbleChatRegistry_getRelayInfo_out relay;
	size_t length = bytes_of(vector_relay, bytes, sizeof bytes);
	cr_assert(abi_decode(&abi_MumbleChatRegistry_getRelayInfo, bytes, length, &relay));
	cr_assert(relay.registeredAt == 2 && relay.place == 7 && relay.active);
	cr_assert(relay.endpoint.length == 8 && memcmp(relay.endpoint.at, "endpoint", 8) == 0);
}

/* Cut at each byte, and each byte spoiled: an answer or none, never a byte beyond it. */
Test(decode, what_is_cut_or_spoiled_is_read_within_its_bytes)
{
	const struct {
		const char *hex;
		const struct abi_method *method;
	} answers[] = {{vector_node, &abi_RelayManager_getNodeByNodeId},
		       {vector_ids, &abi_RelayManager_getActiveNodeIds},
		       {vector_relay, &abi_MumbleChatRegistry_getRelayInfo}};
	uint8_t bytes[2048];
	uint64_t out[64];
	char text[512];
	for (unsigned i = 0; i < 3; i++) {
		size_t length = bytes_of(answers[i].hex, bytes, sizeof bytes);
		cr_assert(answers[i].method->out_size <= sizeof out);
		for (size_t cut = 0; cut < length; cut++) {
			uint8_t *some = malloc(cut + !cut);
			memcpy(some, bytes, cut);
			if (abi_decode(answers[i].method, some, cut, out))
				cr_assert(length - cut < ABI_WORD, "only padding may be missing");
			free(some);
		}
		uint8_t *spoiled = malloc(length);
		for (size_t at = 0; at < length * 3; at++) {
			memcpy(spoiled, bytes, length);
			spoiled[at / 3] ^= (uint8_t[]){0x80, 0xff, 0x01}[at % 3];
			if (abi_decode(answers[i].method, spoiled, length, out))
				abi_print(answers[i].method->out, out, text, sizeof text);
		}
		free(spoiled);
	}
}

Test(decode, numbers_flags_and_addresses_are_of_their_kind)
{
	uint8_t bytes[2048];
	struct RelayManager_getNodeByNodeId_out node;
	size_t length = bytes_of(vector_node, bytes, sizeof bytes);
	const size_t wrong[] = {0 * 32 + 11, 7 * 32 + 31, 10 * 32 + 30}; /* address, flag, uint8 */
	for (unsigned i = 0; i < 3; i++) {
		uint8_t was = bytes[wrong[i]];
		bytes[wrong[i]] = 2;
		cr_assert_not(abi_decode(&abi_RelayManager_getNodeByNodeId, bytes, length, &node), "word %u",
			      i);
		cr_assert_eq(node.endpoint.at, NULL);
		bytes[wrong[i]] = was;
	}
	cr_assert(abi_decode(&abi_RelayManager_getNodeByNodeId, bytes, length, &node));
}

Test(rows, selectors_and_topics_are_those_of_the_deployed_contracts)
{
	static const struct {
		const char *contract, *name;
		uint32_t selector;
	} known[] = {{"RelayManager", "registerNodeWithId", 0xd92517e2},
		     {"RelayManager", "heartbeatByNodeId", 0x1248ab2b},
		     {"RelayManager", "deactivateNodeById", 0xda1f3be2},
		     {"RelayManager", "submitRelayProof", 0xe914c9de},
		     {"RelayManager", "claimDailyPoolReward", 0x3adff1df},
		     {"RelayManager", "getTierInfo", 0xeb6cc010},
		     {"RelayManager", "getNodeByNodeId", 0xe9cfbc99},
		     {"RelayManager", "challengeNode", 0x0640ae09},
		     {"MCTToken", "approve", 0x095ea7b3},
		     {"MumbleChatRegistry", "register_cf2d31fb", 0xcf2d31fb},
		     {"VaultRegistry", "isNodeActive", 0x84073330}};
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++) { /* FEATURES 1.3 and 1.5 */
		const struct abi_method *method = abi_method(known[i].contract, known[i].name);
		cr_assert(method && method->selector == known[i].selector, "%s", known[i].name);
		cr_assert_eq(abi_method_of(known[i].contract, known[i].selector), method);
	}
	struct hash topic;
	cr_assert(hex_parse("f8a3a9da994fd632b36825064b97821d8afec531fcb4104dae4559af915a8b33", 64,
			    topic.bytes, 32));
	cr_assert_eq(abi_event("RelayManager", &topic), &abi_RelayManager_NodeIdentityRegistered);
	cr_assert(abi_contract("NodeNexus") && !abi_contract("Nexus"));
}

Test(events, an_indexed_field_is_in_its_topic)
{
	struct hash topics[4] = {abi_MCTToken_Approval.topic};
	topics[1].bytes[31] = 1, topics[2].bytes[31] = 2;
	struct u256 amount = coins("3");
	struct MCTToken_Approval approval;
	cr_assert(abi_decode_event(&abi_MCTToken_Approval, topics, 3, amount.bytes, 32, &approval));
	cr_assert(approval.owner.bytes[19] == 1 && approval.spender.bytes[19] == 2);
	cr_assert_eq(u256_compare(&approval.value, &amount), 0);
	cr_assert_not(abi_decode_event(&abi_MCTToken_Approval, topics, 2, amount.bytes, 32, &approval));
	cr_assert_not(abi_decode_event(&abi_MCTToken_Approval, topics, 4, amount.bytes, 32, &approval));
	cr_assert_not(abi_decode_event(&abi_MCTToken_Approval, topics, 3, amount.bytes, 31, &approval));
	topics[0].bytes[0] ^= 1;
	cr_assert_not(abi_decode_event(&abi_MCTToken_Approval, topics, 3, amount.bytes, 32, &approval));
}

Test(texts, arguments_come_from_words_and_answers_become_words)
{
	struct arena arena;
	char why[160], text[256];
	uint8_t made[1024], expected[1024];
	arena_begin(&arena, 65536);
	struct RelayManager_registerNodeWithId node = {0};
	const struct abi_method *method = &abi_RelayManager_registerNodeWithId;
	const char *const words[] = {
		"nodeId=0x1111111111111111111111111111111111111111111111111111111111111111",
		"machineIdHash_=2222222222222222222222222222222222222222222222222222222222222222",
		"serialHash=0x3333333333333333333333333333333333333333333333333333333333333333",
		"endpoint=http://node.example:5001/with a long name that takes two words",
		"storageMB=4096",
		"tier=0x2"};
	for (unsigned i = 0; i < 6; i++)
		cr_assert_null(abi_set(method, &node, words[i], &arena, why), "%s", words[i]);
	size_t length = bytes_of(vector_register, expected, sizeof expected);
	cr_assert_eq(abi_encode(method, &node, made, sizeof made), length);
	cr_assert_arr_eq(made, expected, length);
	const char *const wrong[] = {"nodeId=0x11",
				     "tier=-1",
				     "tier=1.5",
				     "storageMB=",
				     "tier",
				     "nobody=1",
				     "tier=99999999999999999999"};
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_not_null(abi_set(method, &node, wrong[i], &arena, why), "%s", wrong[i]);
	struct RelayManager_holdFiles held = {0};
	cr_assert_null(abi_set(&abi_RelayManager_holdFiles, &held, "sizes=7,8", &arena, why));
	cr_assert(held.sizes.count == 2 && held.sizes.words[63] == 8);

	struct RelayManager_getNodeByNodeId_out out;
	length = bytes_of(vector_node, made, sizeof made);
	cr_assert(abi_decode(&abi_RelayManager_getNodeByNodeId, made, length, &out));
	abi_print(abi_RelayManager_getNodeByNodeId.out, &out, text, sizeof text);
	cr_assert(strstr(text, " instanceNumber=1 endpoint=\"http://127.0.0.1:5001\" "
			       "stakedAmount=100000000000000000000 "),
		  "%s", text);
	cr_assert_eq(strlen(text), sizeof text - 1, "cut where there is no more room");
	length = bytes_of(vector_revert, made, sizeof made);
	cr_assert_str_eq(abi_revert_text(made, length, text, sizeof text), "not enough");
	cr_assert_str_eq(abi_revert_text(made, 6, text, sizeof text), "error 0x08c379a0");
	arena_end(&arena);
}
