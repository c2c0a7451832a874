/* What a chain's server answers: the first byte says how many questions it is the answer to; what is read of it is then read as
 * everything that it may be. And what a contract answers: the rest of the bytes as its ABI. */
#include "tests/fuzz/target.h"

#include "actors/base/memory/memory.h"
#include "actors/chain/abi.h"
#include "actors/chain/rpc.h"

#include <string.h>

static void one(const struct rpc_reply *reply)
{
	struct rpc_block block;
	struct rpc_receipt receipt;
	struct rpc_log log;
	struct u256 number;
	uint64_t small;
	uint8_t bytes[256];
	size_t length = 0;
	if (reply->kind == RPC_ERROR) {
		must(strlen(reply->message) < sizeof reply->message);
		for (const char *at = reply->message; *at; at++)
			must(*at >= ' ' && *at <= '~' && *at != '"');
		return;
	}
	must(reply->result);
	if (rpc_u64(reply->result, &small)) {
		must(rpc_u256(reply->result, &number));
		const struct u256 same = u256_of(small);
		must(u256_compare(&number, &same) == 0);
	}
	if (rpc_bytes(reply->result, bytes, sizeof bytes, &length))
		must(length <= sizeof bytes);
	rpc_block(reply->result, &block);
	rpc_receipt(reply->result, &receipt);
	if (rpc_log(reply->result, &log))
		must(log.topic_count <= RPC_TOPICS && log.length <= RPC_DATA);
}

static void contract(const struct abi_method *method, const uint8_t *bytes, size_t length)
{
	void *out = x_new(method->out_size + 1U);
	char text[256];
	if (abi_decode(method, bytes, length, out))
		must(abi_print(method->out, out, text, sizeof text) < sizeof text);
	x_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct rpc_answer answer;
	char why[RPC_WHY] = "", text[64];
	if (length == 0)
		return 0;
	unsigned count = bytes[0] % RPC_CALLS + 1;
	const char *json = (const char *)bytes + 1;
	if (rpc_read(json, length - 1, 1, count, &answer, why)) {
		must(answer.count == count);
		for (unsigned i = 0; i < count; i++)
			one(&answer.replies[i]);
		rpc_forget(&answer);
	} else {
		must(*why && strlen(why) < sizeof why);
	}
	contract(&abi_RelayManager_getNodeByNodeId, bytes + 1, length - 1);
	contract(&abi_RelayManager_getActiveNodeIds, bytes + 1, length - 1);
	contract(&abi_RelayManager_getTierInfo, bytes + 1, length - 1);
	contract(&abi_MumbleChatRegistry_getRelayInfo, bytes + 1, length - 1);
	must(strlen(abi_revert_text(bytes + 1, length - 1, text, sizeof text)) < sizeof text);
	return 0;
}
