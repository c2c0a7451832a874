/* Arguments of methods as people write them, and answers as people read them. Pure. */
#include "actors/chain/abi.h"

#include "actors/base/memory/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WHY = 160 };

static const char *complain(char why[WHY], const char *name, const char *what)
{
	snprintf(why, WHY, "%.60s: %s", name, what);
	return why;
}

/* -- reading ----------------------------------------------------------------------------------- */

/* Decimal, or hex after 0x. */
static bool read_number(const char *text, size_t length, struct u256 *number)
{
	if (length < 3 || text[0] != '0' || text[1] != 'x')
		return memchr(text, '.', length) == NULL && u256_parse(text, length, 0, number);
	char digits[65];
	if (length - 2 > 64)
		return false;
	memset(digits, '0', 64);
	memcpy(digits + 64 - (length - 2), text + 2, length - 2);
	return hex_parse(digits, 64, number->bytes, 32);
}

static bool read_hex(const char *text, size_t length, uint8_t *bytes, size_t count)
{
	if (length >= 2 && text[0] == '0' && text[1] == 'x')
		text += 2, length -= 2;
	return hex_parse(text, length, bytes, count);
}

/* One value of a kind of fixed size as the word that it is on the wire. */
static bool read_word(unsigned kind, const char *text, size_t length, uint8_t word[ABI_WORD])
{
	struct u256 number;
	memset(word, 0, ABI_WORD);
	if (kind == ABI_bool) {
		word[ABI_WORD - 1] = length == 4 && memcmp(text, "true", 4) == 0;
		return word[ABI_WORD - 1] || (length == 5 && memcmp(text, "false", 5) == 0);
	}
	if (kind == ABI_address)
		return read_hex(text, length, word + 12, 20);
	if (kind == ABI_bytes20)
		return read_hex(text, length, word, 20);
	if (kind == ABI_bytes32)
		return read_hex(text, length, word, ABI_WORD);
	if (!read_number(text, length, &number))
		return false;
	memcpy(word, &number, ABI_WORD);
	return true;
}

static bool read_list(const struct abi_field *field, const char *text, size_t length, struct arena *arena,
		      struct abi_list *list)
{
	uint32_t count = length ? 1 : 0;
	for (size_t i = 0; i < length; i++)
		count += text[i] == ',';
	uint8_t *words = count <= ABI_LIST_MAX ? arena_take(arena, (size_t)count * ABI_WORD + 1) : NULL;
	*list = (struct abi_list){words, count};
	if (!words)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const char *comma = memchr(text, ',', length);
		size_t one = comma ? (size_t)(comma - text) : length;
		if (!read_word(field->kind, text, one, words + (size_t)i * ABI_WORD))
			return false;
		text += one + 1;
		length -= comma ? one + 1 : one;
	}
	return true;
}

static bool read_bytes(const char *text, size_t length, struct arena *arena, struct view *view)
{
	if (length < 2 || text[0] != '0' || text[1] != 'x' || length % 2)
		return false;
	size_t count = length / 2 - 1;
	uint8_t *bytes = arena_take(arena, count + 1);
	*view = (struct view){bytes, (uint32_t)count};
	return bytes && hex_parse(text + 2, length - 2, bytes, count);
}

static bool read_text(const char *text, size_t length, struct arena *arena, struct view *view)
{
	char *copy = arena_take(arena, length + 1);
	if (copy)
		memcpy(copy, text, length);
	*view = (struct view){copy, (uint32_t)length};
	return copy;
}

/* A number of at most 64 bits is kept as a uint64_t, all else as the word is. */
static bool read_one(const struct abi_field *field, const char *text, size_t length, uint8_t *member)
{
	uint8_t word[ABI_WORD];
	uint64_t number = 0;
	if (!read_word(field->kind, text, length, word))
		return false;
	if (field->kind == ABI_bool) {
		*(bool *)member = word[ABI_WORD - 1];
		return true;
	}
	if (field->kind == ABI_address || field->kind == ABI_bytes20) {
		memcpy(member, word + (field->kind == ABI_address ? 12 : 0), 20);
		return true;
	}
	if (field->kind == ABI_bytes32 || field->kind == ABI_uint128 || field->kind == ABI_uint256) {
		memcpy(member, word, ABI_WORD);
		return true;
	}
	for (int i = 0; i < ABI_WORD - 8; i++)
		if (word[i])
			return false;
	for (int i = ABI_WORD - 8; i < ABI_WORD; i++)
		number = number << 8 | word[i];
	memcpy(member, &number, sizeof number); /* within its kind: abi_encode() looks */
	return true;
}

const char *abi_set(const struct abi_method *method, void *in, const char *assignment, struct arena *arena,
		    char why[WHY])
{
	size_t name = strcspn(assignment, "=");
	if (!assignment[name])
		return complain(why, assignment, "not of the form name=value");
	const struct abi_field *field = method->in;
	while (field->kind != ABI_END &&
	       (strlen(field->name) != name || memcmp(field->name, assignment, name) != 0))
		field++;
	if (field->kind == ABI_END)
		return complain(why, assignment, "it is given no such argument");
	const char *text = assignment + name + 1;
	size_t length = strlen(text);
	uint8_t *member = (uint8_t *)in + field->offset;
	bool good;
	if (field->shape == ABI_MANY)
		good = read_list(field, text, length, arena, (struct abi_list *)member);
	else if (field->kind == ABI_string)
		good = read_text(text, length, arena, (struct view *)member);
	else if (field->kind == ABI_bytes)
		good = read_bytes(text, length, arena, (struct view *)member);
	else
		good = field->shape == ABI_ONE && read_one(field, text, length, member);
	return good ? NULL : complain(why, field->name, "not a value of its kind");
}

/* -- writing ----------------------------------------------------------------------------------- */

struct line {
	char *text;
	size_t used, room;
};

static void put(struct line *line, const char *text, size_t length)
{
	size_t left = line->room - line->used - 1;
	length = length < left ? length : left;
	memcpy(line->text + line->used, text, length);
	line->used += length;
	line->text[line->used] = '\0';
}

static void put_hex(struct line *line, const void *bytes, size_t length)
{
	char pair[3];
	put(line, "0x", 2);
	for (size_t i = 0; i < length && line->used + 1 < line->room; i++)
		put(line, hex_text((const uint8_t *)bytes + i, 1, pair), 2);
}

static void put_u256(struct line *line, const void *number)
{
	char text[U256_TEXT];
	struct u256 copy;
	memcpy(&copy, number, sizeof copy);
	u256_text(&copy, 0, text);
	put(line, text, strlen(text));
}

/* What strangers wrote: no quote, no control byte, nothing beyond ASCII gets through. */
static void put_string(struct line *line, const struct view *view)
{
	put(line, "\"", 1);
	for (uint32_t i = 0; i < view->length; i++) {
		char letter = ((const char *)view->at)[i];
		put(line, letter < ' ' || letter > '~' || letter == '"' ? "?" : &letter, 1);
	}
	put(line, "\"", 1);
}

static void put_word(struct line *line, unsigned kind, const uint8_t *word)
{
	if (kind == ABI_address)
		put_hex(line, word + 12, 20);
	else if (kind == ABI_bytes20)
		put_hex(line, word, 20);
	else if (kind == ABI_bytes32)
		put_hex(line, word, ABI_WORD);
	else
		put_u256(line, word);
}

static void put_one(struct line *line, const struct abi_field *field, const uint8_t *member)
{
	uint64_t number;
	if (field->kind == ABI_bool) {
		bool yes = *(const bool *)member;
		put(line, yes ? "true" : "false", yes ? 4 : 5);
	} else if (field->kind == ABI_string) {
		put_string(line, (const struct view *)member);
	} else if (field->kind == ABI_bytes) {
		const struct view *view = (const struct view *)member;
		put_hex(line, view->at, view->length);
	} else if (field->kind == ABI_address || field->kind == ABI_bytes20) {
		put_hex(line, member, 20);
	} else if (field->kind == ABI_bytes32) {
		put_hex(line, member, ABI_WORD);
	} else if (field->kind == ABI_uint128 || field->kind == ABI_uint256) {
		put_u256(line, member);
	} else {
		char text[24];
		memcpy(&number, member, sizeof number);
		snprintf(text, sizeof text, "%" PRIu64, number);
		put(line, text, strlen(text));
	}
}

size_t abi_print(const struct abi_field *fields, const void *from, char *text, size_t room)
{
	struct line line = {text, 0, room};
	text[0] = '\0';
	for (const struct abi_field *field = fields; field->kind != ABI_END; field++) {
		const uint8_t *member = (const uint8_t *)from + field->offset;
		if (field->kind == ABI_into || field->kind == ABI_back)
			continue;
		put(&line, " ", line.used > 0);
		put(&line, field->name, strlen(field->name));
		put(&line, "=", 1);
		const struct abi_list *list = (const struct abi_list *)member;
		uint32_t count = field->shape == ABI_MANY ? list->count : field->shape == ABI_FOUR ? 4 : 0;
		const uint8_t *words = field->shape == ABI_MANY ? list->words : member;
		for (uint32_t i = 0; i < count && line.used + 1 < room; i++) {
			put(&line, ",", i > 0);
			put_word(&line, field->kind, words + (size_t)i * ABI_WORD);
		}
		if (field->shape == ABI_ONE)
			put_one(&line, field, member);
	}
	return line.used;
}
