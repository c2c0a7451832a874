/* Solidity's ABI: call data out of a struct, a struct out of an answer. What comes from a chain is a stranger's word: every offset
 * and length is held against the bytes that are there, every number against its kind. Pure; nothing is allocated. */
#include "actors/chain/abi.h"

#include <stdio.h>
#include <string.h>

static unsigned bits_of(unsigned kind)
{
	static const unsigned bits[] = {[ABI_uint8] = 8,   [ABI_uint32] = 32,   [ABI_uint40] = 40,
					[ABI_uint64] = 64, [ABI_uint128] = 128, [ABI_uint256] = 256};
	return kind < sizeof bits / sizeof *bits ? bits[kind] : 0;
}

static bool is_dynamic(const struct abi_field *field)
{
	return field->shape == ABI_MANY || field->kind == ABI_string || field->kind == ABI_bytes;
}

static bool all_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

/* -- encoding ---------------------------------------------------------------------------------- */

struct writer {
	uint8_t *head, *tail, *end, *base;
	bool full;
};

static bool push_number(struct writer *writer, uint64_t number)
{
	const struct u256 word = u256_of(number);
	memcpy(writer->head, &word, ABI_WORD);
	writer->head += ABI_WORD;
	return true;
}

static bool push_static(struct writer *writer, const struct abi_field *field, const void *member)
{
	uint8_t *word = writer->head;
	unsigned bits = bits_of(field->kind);
	memset(word, 0, ABI_WORD);
	if (field->kind == ABI_bool) {
		word[ABI_WORD - 1] = *(const bool *)member;
	} else if (bits && bits <= 64) {
		uint64_t number;
		memcpy(&number, member, sizeof number);
		if (bits < 64 && number >> bits)
			return false;
		const struct u256 wide = u256_of(number);
		memcpy(word, &wide, ABI_WORD);
	} else if (field->kind == ABI_address) {
		memcpy(word + 12, member, 20);
	} else if (field->kind == ABI_bytes20) {
		memcpy(word, member, 20);
	} else { /* 32 bytes as they are */
		memcpy(word, member, ABI_WORD);
		if (bits && bits < 256 && !all_zero(word, ABI_WORD - bits / 8))
			return false;
	}
	writer->head += ABI_WORD;
	return true;
}

static bool push_bytes(struct writer *writer, const void *bytes, size_t length, size_t count)
{
	size_t padded = (length + ABI_WORD - 1) / ABI_WORD * ABI_WORD;
	if (padded + ABI_WORD > (size_t)(writer->end - writer->tail))
		return false;
	push_number(writer, (uint64_t)(writer->tail - writer->base));
	const struct u256 said = u256_of(count);
	memcpy(writer->tail, &said, ABI_WORD);
	memset(writer->tail + ABI_WORD, 0, padded);
	if (length)
		memcpy(writer->tail + ABI_WORD, bytes, length);
	writer->tail += ABI_WORD + padded;
	return true;
}

static bool push(struct writer *writer, const struct abi_field *field, const void *from)
{
	const void *member = (const uint8_t *)from + field->offset;
	if (field->shape == ABI_MANY) {
		const struct abi_list *list = member;
		return list->count <= ABI_LIST_MAX &&
		       push_bytes(writer, list->words, (size_t)list->count * ABI_WORD, list->count);
	}
	if (!is_dynamic(field))
		return push_static(writer, field, member);
	const struct view *view = member;
	return push_bytes(writer, view->at, view->length, view->length);
}

size_t abi_encode(const struct abi_method *method, const void *in, uint8_t *out, size_t room)
{
	unsigned heads = 0;
	for (const struct abi_field *field = method->in; field->kind != ABI_END; field++) {
		if (field->shape == ABI_FOUR || field->kind == ABI_into || field->kind == ABI_back)
			return 0; /* no method of ours is given one */
		heads++;
	}
	if (room < ABI_SELECTOR + (size_t)heads * ABI_WORD)
		return 0;
	for (int i = 0; i < ABI_SELECTOR; i++)
		out[i] = (uint8_t)(method->selector >> (24 - 8 * i));
	uint8_t *base = out + ABI_SELECTOR;
	struct writer writer = {
		.head = base, .tail = base + (size_t)heads * ABI_WORD, .end = out + room, .base = base};
	for (const struct abi_field *field = method->in; field->kind != ABI_END; field++)
		if (!push(&writer, field, in))
			return 0;
	return (size_t)(writer.tail - out);
}

/* -- decoding ---------------------------------------------------------------------------------- */

/* A tuple is read from `base`; its next word is at `at`. Tuples lie in tuples at most once here. */
enum { DEPTH = 2 };
struct reader {
	const uint8_t *end;
	struct {
		const uint8_t *base, *at;
	} level[DEPTH];
	unsigned depth;
};

static const uint8_t *next_word(struct reader *reader)
{
	const uint8_t *word = reader->level[reader->depth].at;
	if (reader->end - word < ABI_WORD)
		return NULL;
	reader->level[reader->depth].at += ABI_WORD;
	return word;
}

/* A number in a word that may be at most `most`. */
static bool small_number(const uint8_t *word, size_t most, size_t *number)
{
	uint64_t low = 0;
	if (!all_zero(word, ABI_WORD - 8))
		return false;
	for (int i = ABI_WORD - 8; i < ABI_WORD; i++)
		low = low << 8 | word[i];
	*number = (size_t)low;
	return low <= most;
}

/* Whether these 32 bytes are a value of the kind. */
static bool fits(unsigned kind, const uint8_t *word)
{
	unsigned bits = bits_of(kind);
	if (kind == ABI_bool)
		return all_zero(word, ABI_WORD - 1) && word[ABI_WORD - 1] <= 1;
	if (kind == ABI_address)
		return all_zero(word, 12);
	if (kind == ABI_bytes20)
		return all_zero(word + 20, 12);
	return !bits || all_zero(word, ABI_WORD - bits / 8);
}

static bool take_static(const struct abi_field *field, const uint8_t *word, void *member)
{
	unsigned bits = bits_of(field->kind);
	if (!word || !fits(field->kind, word))
		return false;
	if (field->kind == ABI_bool) {
		*(bool *)member = word[ABI_WORD - 1];
	} else if (bits && bits <= 64) {
		uint64_t number = 0;
		for (int i = ABI_WORD - 8; i < ABI_WORD; i++)
			number = number << 8 | word[i];
		memcpy(member, &number, sizeof number);
	} else if (field->kind == ABI_address) {
		memcpy(member, word + 12, 20);
	} else if (field->kind == ABI_bytes20) {
		memcpy(member, word, 20);
	} else {
		memcpy(member, word, ABI_WORD);
	}
	return true;
}

/* Where the offset in `word` leads: at least a word of it is there. */
static const uint8_t *behind(const struct reader *reader, const uint8_t *word)
{
	const uint8_t *base = reader->level[reader->depth].base;
	size_t room = (size_t)(reader->end - base), offset;
	if (!word || room < ABI_WORD || !small_number(word, room - ABI_WORD, &offset))
		return NULL;
	return base + offset;
}

static bool take_dynamic(struct reader *reader, const struct abi_field *field, void *member)
{
	const uint8_t *at = behind(reader, next_word(reader));
	size_t room = at ? (size_t)(reader->end - at) - ABI_WORD : 0, count;
	if (!at)
		return false;
	if (field->shape != ABI_MANY) {
		if (!small_number(at, room, &count))
			return false;
		*(struct view *)member = (struct view){at + ABI_WORD, (uint32_t)count};
		return true;
	}
	if (!small_number(at, room / ABI_WORD, &count) || count > ABI_LIST_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!fits(field->kind, at + ABI_WORD + i * ABI_WORD))
			return false;
	*(struct abi_list *)member = (struct abi_list){at + ABI_WORD, (uint32_t)count};
	return true;
}

static bool take_tuple(struct reader *reader)
{
	const uint8_t *at = behind(reader, next_word(reader));
	if (!at || reader->depth + 1 == DEPTH)
		return false;
	reader->depth++;
	reader->level[reader->depth].base = reader->level[reader->depth].at = at;
	return true;
}

static bool take(struct reader *reader, const struct abi_field *field, uint8_t *out)
{
	void *member = out + field->offset;
	if (field->kind == ABI_into)
		return take_tuple(reader);
	if (field->kind == ABI_back)
		return reader->depth-- > 0;
	if (is_dynamic(field))
		return take_dynamic(reader, field, member);
	if (field->shape != ABI_FOUR)
		return take_static(field, next_word(reader), member);
	for (int i = 0; i < 4; i++) {
		const uint8_t *word = next_word(reader);
		if (!word || !fits(field->kind, word))
			return false;
		memcpy((struct u256 *)member + i, word, ABI_WORD);
	}
	return true;
}

static bool take_all(const struct abi_field *fields, const uint8_t *bytes, size_t length, uint8_t *out)
{
	struct reader reader = {.end = bytes + length, .level = {{bytes, bytes}}};
	for (const struct abi_field *field = fields; field->kind != ABI_END; field++)
		if (!take(&reader, field, out))
			return false;
	return true;
}

bool abi_decode(const struct abi_method *method, const uint8_t *bytes, size_t length, void *out)
{
	memset(out, 0, method->out_size);
	if (length <= UINT32_MAX && take_all(method->out, bytes, length, out))
		return true;
	memset(out, 0, method->out_size);
	return false;
}

bool abi_decode_event(const struct abi_event *event, const struct hash *topics, unsigned count,
		      const uint8_t *bytes, size_t length, void *out)
{
	unsigned used = 1;
	memset(out, 0, event->size);
	bool good = count >= 1 && length <= UINT32_MAX &&
		    memcmp(&topics[0], &event->topic, sizeof event->topic) == 0;
	for (const struct abi_field *field = event->indexed; good && field->kind != ABI_END; field++, used++)
		good = used < count && take_static(field, topics[used].bytes, (uint8_t *)out + field->offset);
	if (good && used == count && take_all(event->data, bytes, length, out))
		return true;
	memset(out, 0, event->size);
	return false;
}

/* -- refusals ---------------------------------------------------------------------------------- */

/* Of solc: Error(string) of require and revert, Panic(uint256) of its own checks. */
static const uint8_t error_string[] = {0x08, 0xc3, 0x79, 0xa0}, panic[] = {0x4e, 0x48, 0x7b, 0x71};

const char *abi_revert_text(const uint8_t *bytes, size_t length, char *text, size_t room)
{
	static const struct abi_field said[] = {{"text", ABI_string, ABI_ONE, 0},
						{NULL, ABI_END, ABI_ONE, 0}};
	struct view view;
	if (length < ABI_SELECTOR) {
		snprintf(text, room, "without a reason");
	} else if (memcmp(bytes, error_string, ABI_SELECTOR) == 0 &&
		   take_all(said, bytes + ABI_SELECTOR, length - ABI_SELECTOR, (uint8_t *)&view)) {
		size_t used = 0;
		for (uint32_t i = 0; i < view.length && used + 1 < room; i++) {
			uint8_t byte = ((const uint8_t *)view.at)[i];
			text[used++] = byte < ' ' || byte > '~' || byte == '"' ? '?' : (char)byte;
		}
		text[used] = '\0';
	} else if (memcmp(bytes, panic, ABI_SELECTOR) == 0 && length == ABI_SELECTOR + ABI_WORD) {
		snprintf(text, room, "a check of the compiler's, 0x%02x", bytes[length - 1]);
	} else {
		char selector[2 * ABI_SELECTOR + 1];
		snprintf(text, room, "error 0x%s", hex_text(bytes, ABI_SELECTOR, selector));
	}
	return text;
}
