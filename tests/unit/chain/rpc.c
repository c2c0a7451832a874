/* JSON-RPC: what is asked, and every way in which an answer is none. */
#include "actors/chain/rpc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static bool reads(const char *text, unsigned count, struct rpc_answer *answer, char why[RPC_WHY])
{
	char *exact = malloc(strlen(text) + 1); /* in its own block, without the NUL */
	memcpy(exact, text, strlen(text));
	bool good = rpc_read(exact, strlen(text), 7, count, answer, why);
	free(exact);
	return good;
}

static void refuses(const char *text, unsigned count, const char *because)
{
	struct rpc_answer answer;
	char why[RPC_WHY] = "";
	cr_assert_not(reads(text, count, &answer, why), "%s", text);
	cr_assert(strstr(why, because), "%s: %s", text, why);
	cr_assert_null(answer.root);
}

Test(asking, a_batch_is_the_text_that_servers_know)
{
	static struct rpc_batch batch;
	char hex[64];
	rpc_begin(&batch, 7);
	cr_assert_eq(rpc_add(&batch, "eth_chainId", "%s", ""), 0);
	cr_assert_eq(rpc_add(&batch, "eth_getCode", "%s,\"latest\"", rpc_hex("\x01\xab", 2, hex)), 1);
	rpc_end(&batch);
	cr_assert_str_eq(batch.text,
			 "[{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"eth_chainId\",\"params\":[]},"
			 "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"eth_getCode\",\"params\":[\"0x01ab\","
			 "\"latest\"]}]");
	cr_assert(!batch.full && batch.used == strlen(batch.text));
	for (unsigned i = 2; i < RPC_CALLS; i++)
		rpc_add(&batch, "x", "%s", "");
	cr_assert_not(batch.full);
	rpc_add(&batch, "x", "%s", "");
	cr_assert(batch.full);
	rpc_begin(&batch, 7);
	rpc_add(&batch, "x", "%070000d", 1);
	cr_assert(batch.full);
}

Test(reading, replies_find_their_questions_by_id)
{
	struct rpc_answer answer;
	char why[RPC_WHY];
	cr_assert(reads("[{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":-32000,\"message\":\"no "
			"\\\"such\\n\",\"data\":\"0x01\"}},"
			"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x55a\"}]",
			2, &answer, why),
		  "%s", why);
	uint64_t number;
	cr_assert(answer.replies[0].kind == RPC_RESULT && rpc_u64(answer.replies[0].result, &number) &&
		  number == 1370);
	cr_assert(answer.replies[1].kind == RPC_ERROR && answer.replies[1].code == -32000);
	cr_assert_str_eq(answer.replies[1].message, "no ?such?");
	cr_assert(json_is_string(answer.replies[1].data));
	rpc_forget(&answer);
	cr_assert(reads("[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":null}]", 1, &answer, why));
	cr_assert(json_is_null(answer.replies[0].result));
	rpc_forget(&answer);
}

Test(reading, what_is_no_answer_is_refused_with_a_reason)
{
	const char one[] = "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}]";
	refuses("", 1, "no JSON");
	refuses("<html>502</html>", 1, "no JSON");
	refuses("[", 1, "no JSON");
	refuses("null", 1, "no JSON");
	refuses("{}", 1, "does not answer");
	refuses("[]", 1, "does not answer");
	refuses(one, 2, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":1}]", 1, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":6,\"result\":1}]", 1, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":1}]", 1, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":1}]", 1, "does not answer");
	refuses("[{\"jsonrpc\":\"1.0\",\"id\":7,\"result\":1}]", 1, "does not answer");
	refuses("[{\"id\":7,\"result\":1}]", 1, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":7}]", 1, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":\"no\"}]", 1, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x1\",\"error\":{\"code\":1}}]", 1,
		"does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":2}]",
		2, "does not answer");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1,\"result\":2}]", 1, "no JSON");
	refuses("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"limit "
		"exceeded\"}}",
		1, "limit exceeded (-32005)");
	refuses("[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}] x", 1, "no JSON");
}

Test(reading, bombs_are_counted_before_they_are_parsed)
{
	size_t room = RPC_ANSWER + 2;
	char *text = malloc(room);
	struct rpc_answer answer;
	char why[RPC_WHY];
	memset(text, '[', 1000);
	cr_assert_not(rpc_read(text, 1000, 7, 1, &answer, why));
	cr_assert(strstr(why, "too deep"));
	memset(text, ',', room);
	text[0] = '[';
	cr_assert_not(rpc_read(text, RPC_ANSWER, 7, 1, &answer, why));
	cr_assert(strstr(why, "too many values"));
	cr_assert_not(rpc_read(text, room, 7, 1, &answer, why));
	cr_assert(strstr(why, "too long"));
	memset(text, '[', room); /* brackets in a string are none; a quote behind a backslash ends none */
	memcpy(text, "[\"\\\"", 4);
	cr_assert_not(rpc_read(text, 4096, 7, 1, &answer, why));
	cr_assert(strstr(why, "no JSON"));
	free(text);
}

static bool value(const char *text, json_t **made)
{
	json_decref(*made);
	*made = json_loads(text, JSON_DECODE_ANY, NULL);
	cr_assert(*made, "%s", text);
	return true;
}

Test(values, quantities_and_bytes_are_strict)
{
	json_t *made = NULL;
	uint64_t number = 0;
	struct u256 wide;
	uint8_t bytes[4];
	size_t length;
	cr_assert(value("\"0xffffffffffffffff\"", &made) && rpc_u64(made, &number) && number == UINT64_MAX);
	cr_assert(value("\"0x0\"", &made) && rpc_u64(made, &number) && number == 0);
	const char *const wrong[] = {"\"0x10000000000000000\"",
				     "\"0x\"",
				     "\"1\"",
				     "1",
				     "null",
				     "\"\"",
				     "\"0xg\"",
				     "\"0x1 \"",
				     "[\"0x1\"]"};
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert(value(wrong[i], &made) && !rpc_u64(made, &number), "%s", wrong[i]);
	char most[80] = "\"0x";
	memset(most + 3, 'f', 64);
	memcpy(most + 67, "\"", 2);
	cr_assert(value(most, &made) && rpc_u256(made, &wide) && wide.bytes[0] == 0xff);
	memcpy(most + 67, "f\"", 3);
	cr_assert(value(most, &made) && !rpc_u256(made, &wide));
	cr_assert(value("\"0x01020304\"", &made) && rpc_bytes(made, bytes, 4, &length) && length == 4 &&
		  bytes[3] == 4);
	cr_assert(value("\"0x\"", &made) && rpc_bytes(made, bytes, 4, &length) && length == 0);
	cr_assert(value("\"0x0102030405\"", &made) && !rpc_bytes(made, bytes, 4, &length));
	cr_assert(value("\"0x010\"", &made) && !rpc_bytes(made, bytes, 4, &length));
	cr_assert(value("\"0x0102\"", &made) && !rpc_exactly(made, bytes, 4));
	json_decref(made);
}

#define H "\"0x1111111111111111111111111111111111111111111111111111111111111111\""
#define A "\"0x2222222222222222222222222222222222222222\""

Test(values, blocks_receipts_and_logs)
{
	json_t *made = NULL;
	struct rpc_block block;
	struct rpc_receipt receipt;
	struct rpc_log log;
	cr_assert(value("{\"number\":\"0x9\",\"timestamp\":\"0x65\",\"hash\":" H ",\"parentHash\":" H
			",\"baseFeePerGas\":\"0x7\"}",
			&made));
	cr_assert(rpc_block(made, &block) && block.number == 9 && block.time == 101 && block.has_base_fee &&
		  block.base_fee.bytes[31] == 7);
	cr_assert(value("{\"number\":\"0x9\",\"timestamp\":\"0x65\",\"hash\":" H ",\"parentHash\":" H "}",
			&made));
	cr_assert(rpc_block(made, &block) && !block.has_base_fee);
	cr_assert(
		value("{\"number\":null,\"timestamp\":\"0x65\",\"hash\":null,\"parentHash\":" H "}", &made) &&
		!rpc_block(made, &block));
	cr_assert(value("[]", &made) && !rpc_block(made, &block) && !rpc_receipt(made, &receipt) &&
		  !rpc_log(made, &log));
	cr_assert(value("{\"transactionHash\":" H ",\"blockHash\":" H
			",\"blockNumber\":\"0x2\",\"gasUsed\":\"0x5208\",\"status\":\"0x0\","
			"\"effectiveGasPrice\":\"0x3\"}",
			&made));
	cr_assert(rpc_receipt(made, &receipt) && !receipt.ok && receipt.gas_used == 21000 &&
		  receipt.price.bytes[31] == 3);
	cr_assert(value("{\"transactionHash\":" H ",\"blockHash\":" H
			",\"blockNumber\":\"0x2\",\"gasUsed\":\"0x5208\",\"status\":\"0x2\"}",
			&made));
	cr_assert_not(rpc_receipt(made, &receipt));
	cr_assert(value("{\"address\":" A ",\"topics\":[" H "," H "],\"data\":\"0x01\",\"blockHash\":" H
			",\"transactionHash\":" H ",\"blockNumber\":\"0x2\",\"logIndex\":\"0x1\"}",
			&made));
	cr_assert(rpc_log(made, &log) && log.topic_count == 2 && log.length == 1 && !log.removed);
	cr_assert(value("{\"address\":" A ",\"topics\":[" H "," H "," H "," H "," H
			"],\"data\":\"0x\",\"blockHash\":" H ",\"transactionHash\":" H
			",\"blockNumber\":\"0x2\",\"logIndex\":\"0x1\"}",
			&made));
	cr_assert_not(rpc_log(made, &log));
	json_decref(made);
}
