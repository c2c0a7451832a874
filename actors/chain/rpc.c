/* JSON-RPC in batches: text out of questions, replies out of a stranger's text. Pure. */
#include "actors/chain/rpc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- asking ------------------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 0))) static void put(struct rpc_batch *batch, const char *format,
						      va_list arguments)
{
	size_t room = sizeof batch->text - batch->used;
	int length = vsnprintf(batch->text + batch->used, room, format, arguments);
	if (length < 0 || (size_t)length >= room)
		batch->full = true;
	else
		batch->used += (size_t)length;
}

__attribute__((format(printf, 2, 3))) static void say(struct rpc_batch *batch, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	put(batch, format, arguments);
	va_end(arguments);
}

void rpc_begin(struct rpc_batch *batch, uint64_t first)
{
	batch->first = first;
	batch->count = 0;
	batch->used = 0;
	batch->full = false;
	say(batch, "[");
}

unsigned rpc_add(struct rpc_batch *batch, const char *method, const char *format, ...)
{
	va_list arguments;
	if (batch->count == RPC_CALLS) {
		batch->full = true;
		return 0;
	}
	say(batch, "%s{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":\"%s\",\"params\":[",
	    batch->count ? "," : "", batch->first + batch->count, method);
	va_start(arguments, format);
	put(batch, format, arguments);
	va_end(arguments);
	say(batch, "]}");
	return batch->count++;
}

void rpc_end(struct rpc_batch *batch)
{
	say(batch, "]");
}

const char *rpc_hex(const void *bytes, size_t length, char *text)
{
	text[0] = '"';
	text[1] = '0';
	text[2] = 'x';
	hex_text(bytes, length, text + 3);
	text[3 + 2 * length] = '"';
	text[4 + 2 * length] = '\0';
	return text;
}

const char *rpc_quantity(const struct u256 *number, char *text)
{
	char digits[65];
	const char *from = hex_text(number->bytes, sizeof number->bytes, digits);
	while (from[0] == '0' && from[1])
		from++;
	snprintf(text, 69, "\"0x%s\"", from);
	return text;
}

/* -- before parsing ---------------------------------------------------------------------------- */

/* jansson takes memory for each value and goes down with each bracket: both are counted first, over the bytes outside of
 * strings. What is no JSON passes here, and not there. */
static const char *too_much(const char *bytes, size_t length)
{
	size_t depth = 0, values = 0;
	bool inside = false;
	if (length > RPC_ANSWER)
		return "the answer is too long";
	for (size_t i = 0; i < length; i++) {
		char byte = bytes[i];
		if (inside && byte == '\\') {
			i++;
			continue;
		}
		if (byte == '"')
			inside = !inside;
		if (inside)
			continue;
		if (byte == '[' || byte == '{')
			depth++, values++;
		if ((byte == ']' || byte == '}') && depth)
			depth--;
		values += byte == ',';
		if (depth > RPC_DEPTH)
			return "the answer is nested too deep";
		if (values > RPC_VALUES)
			return "the answer has too many values";
	}
	return NULL;
}

/* -- reading ----------------------------------------------------------------------------------- */

/* One printable line of what a stranger wrote. */
static void copy_line(char *line, size_t room, const char *text)
{
	size_t used = 0;
	for (; text && text[used] && used + 1 < room; used++)
		line[used] = text[used] < ' ' || text[used] > '~' || text[used] == '"' ? '?' : text[used];
	line[used] = '\0';
}

static bool read_error(const json_t *error, struct rpc_reply *reply)
{
	const json_t *code = json_object_get(error, "code");
	if (!json_is_object(error) || !json_is_integer(code))
		return false;
	reply->kind = RPC_ERROR;
	reply->code = json_integer_value(code);
	copy_line(reply->message, sizeof reply->message,
		  json_string_value(json_object_get(error, "message")));
	reply->data = json_object_get(error, "data");
	return true;
}

static bool read_reply(const json_t *said, uint64_t first, struct rpc_answer *answer, bool *seen)
{
	const json_t *id = json_object_get(said, "id"), *error = json_object_get(said, "error");
	const char *version = json_string_value(json_object_get(said, "jsonrpc"));
	if (!version || strcmp(version, "2.0") != 0 || !json_is_integer(id))
		return false;
	uint64_t place = (uint64_t)json_integer_value(id) - first;
	if (json_integer_value(id) < 0 || place >= answer->count || seen[place])
		return false;
	struct rpc_reply *reply = &answer->replies[place];
	seen[place] = true;
	reply->result = json_object_get(said, "result");
	if (error && !json_is_null(error))
		return !json_is_string(reply->result) && read_error(error, reply);
	reply->kind = RPC_RESULT;
	return reply->result != NULL;
}

/* One error instead of a list: the server takes no such batch, or nothing from us just now. */
static bool is_refusal(const json_t *root, char why[RPC_WHY])
{
	struct rpc_reply reply = {0};
	if (!json_is_object(root) || !read_error(json_object_get(root, "error"), &reply))
		return false;
	snprintf(why, RPC_WHY, "it refuses: %.120s (%" PRId64 ")", reply.message, reply.code);
	return true;
}

static bool read_all(struct rpc_answer *answer, uint64_t first, char why[RPC_WHY])
{
	bool seen[RPC_CALLS] = {false};
	if (is_refusal(answer->root, why))
		return false;
	snprintf(why, RPC_WHY, "it does not answer what was asked");
	if (!json_is_array(answer->root) || json_array_size(answer->root) != answer->count)
		return false;
	for (unsigned i = 0; i < answer->count; i++)
		if (!read_reply(json_array_get(answer->root, i), first, answer, seen))
			return false;
	why[0] = '\0';
	return true;
}

bool rpc_read(const char *bytes, size_t length, uint64_t first, unsigned count, struct rpc_answer *answer,
	      char why[RPC_WHY])
{
	json_error_t error;
	*answer = (struct rpc_answer){.count = count};
	const char *much = count > RPC_CALLS ? "too many questions" : too_much(bytes, length);
	if (much) {
		snprintf(why, RPC_WHY, "%s", much);
		return false;
	}
	answer->root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
	if (!answer->root) {
		snprintf(why, RPC_WHY, "its answer is no JSON");
		return false;
	}
	if (read_all(answer, first, why))
		return true;
	rpc_forget(answer);
	return false;
}

void rpc_forget(struct rpc_answer *answer)
{
	json_decref(answer->root);
	*answer = (struct rpc_answer){0};
}

void rpc_warm(void)
{
	json_object_seed(0);
}
