/* What an Ethereum node's results are made of: quantities, bytes, blocks, receipts, logs. Strict, and pure. */
#include "actors/chain/rpc.h"

#include <string.h>

/* Behind "0x": the digits. False: not such a string, or longer than `most` digits. */
static bool digits_of(const json_t *value, size_t most, const char **digits, size_t *count)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	if (!text || length < 2 || text[0] != '0' || text[1] != 'x' || length - 2 > most)
		return false;
	*digits = text + 2;
	*count = length - 2;
	return true;
}

/* A quantity is hex of any number of digits but none; zeros in front are let pass, as some servers send them. */
bool rpc_u256(const json_t *value, struct u256 *number)
{
	const char *digits;
	size_t count;
	char padded[64];
	if (!digits_of(value, 64, &digits, &count) || !count)
		return false;
	memset(padded, '0', sizeof padded);
	memcpy(padded + sizeof padded - count, digits, count);
	return hex_parse(padded, sizeof padded, number->bytes, sizeof number->bytes);
}

bool rpc_u64(const json_t *value, uint64_t *number)
{
	struct u256 wide;
	if (!rpc_u256(value, &wide))
		return false;
	uint64_t low = 0;
	for (int i = 24; i < 32; i++)
		low = low << 8 | wide.bytes[i];
	const struct u256 again = u256_of(low);
	*number = low;
	return u256_compare(&wide, &again) == 0;
}

bool rpc_bytes(const json_t *value, uint8_t *bytes, size_t room, size_t *length)
{
	const char *digits;
	size_t count;
	if (!digits_of(value, 2 * room, &digits, &count) || count % 2)
		return false;
	*length = count / 2;
	return hex_parse(digits, count, bytes, *length);
}

bool rpc_exactly(const json_t *value, void *bytes, size_t length)
{
	size_t got;
	return rpc_bytes(value, bytes, length, &got) && got == length;
}

static bool hash_of(const json_t *object, const char *name, struct hash *hash)
{
	return rpc_exactly(json_object_get(object, name), hash, sizeof *hash);
}

static bool number_of(const json_t *object, const char *name, uint64_t *number)
{
	return rpc_u64(json_object_get(object, name), number);
}

bool rpc_block(const json_t *value, struct rpc_block *block)
{
	*block = (struct rpc_block){0};
	const json_t *fee = json_object_get(value, "baseFeePerGas");
	block->has_base_fee = fee && !json_is_null(fee);
	return number_of(value, "number", &block->number) && number_of(value, "timestamp", &block->time) &&
	       hash_of(value, "hash", &block->hash) && hash_of(value, "parentHash", &block->parent) &&
	       (!block->has_base_fee || rpc_u256(fee, &block->base_fee));
}

bool rpc_receipt(const json_t *value, struct rpc_receipt *receipt)
{
	*receipt = (struct rpc_receipt){0};
	const json_t *price = json_object_get(value, "effectiveGasPrice");
	uint64_t status;
	if (!hash_of(value, "transactionHash", &receipt->transaction) ||
	    !hash_of(value, "blockHash", &receipt->block_hash) ||
	    !number_of(value, "blockNumber", &receipt->block) ||
	    !number_of(value, "gasUsed", &receipt->gas_used) || !number_of(value, "status", &status) ||
	    status > 1)
		return false;
	receipt->ok = status == 1;
	return !price || json_is_null(price) || rpc_u256(price, &receipt->price);
}

bool rpc_log(const json_t *value, struct rpc_log *log)
{
	const json_t *topics = json_object_get(value, "topics"), *removed = json_object_get(value, "removed");
	memset(log, 0, sizeof *log);
	if (!json_is_array(topics) || json_array_size(topics) > RPC_TOPICS)
		return false;
	log->topic_count = (unsigned)json_array_size(topics);
	for (unsigned i = 0; i < log->topic_count; i++)
		if (!rpc_exactly(json_array_get(topics, i), &log->topics[i], sizeof log->topics[i]))
			return false;
	log->removed = json_is_true(removed);
	return rpc_exactly(json_object_get(value, "address"), &log->by, sizeof log->by) &&
	       hash_of(value, "blockHash", &log->block_hash) &&
	       hash_of(value, "transactionHash", &log->transaction) &&
	       number_of(value, "blockNumber", &log->block) && number_of(value, "logIndex", &log->index) &&
	       rpc_bytes(json_object_get(value, "data"), log->data, sizeof log->data, &log->length);
}
