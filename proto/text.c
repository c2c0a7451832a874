/* Messages to and from the texts that people read and type (tap, `warren call`). Pure but for the arena. */
#include "actors/base/memory/memory.h"
#include "proto/msg.h"
#include "proto/u256.h"
#include "proto/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	char *at;
	size_t used, room;
};

enum { SHOWN_BYTES = 32, SHOWN_TEXT = 256, SHOWN_ELEMENTS = 8 };

__attribute__((format(printf, 2, 3))) static void put(struct page *page, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int wrote = vsnprintf(page->at + page->used, page->room - page->used, format, arguments);
	va_end(arguments);
	page->used += (size_t)wrote;
	if (page->used >= page->room)
		page->used = page->room - 1;
}

static void put_hex(struct page *page, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length && i < SHOWN_BYTES * 4; i++)
		put(page, "%02x", bytes[i]);
	if (length > SHOWN_BYTES * 4)
		put(page, "…(%zu bytes)", length);
}

/* Quoted when it holds a space, and harmless on a terminal whatever it holds. */
static void put_text(struct page *page, const char *text, size_t length)
{
	bool quote = length == 0 || memchr(text, ' ', length);
	put(page, "%s", quote ? "\"" : "");
	for (size_t i = 0; i < length && i < SHOWN_TEXT;) {
		uint32_t code = 0;
		unsigned bytes = utf8_read(text + i, length - i, &code);
		if (text[i] == '\n')
			put(page, "\\n");
		else if (bytes == 0 || utf8_steers(code) || code == '"')
			put(page, "?");
		else
			put(page, "%.*s", (int)bytes, text + i);
		i += bytes ? bytes : 1;
	}
	put(page, "%s%s", length > SHOWN_TEXT ? "…" : "", quote ? "\"" : "");
}

static void put_message(struct page *page, const struct message *message, const uint8_t *from);

static void put_many(struct page *page, const struct field *field, const uint8_t *from)
{
	const uint8_t *elements = *(const uint8_t *const *)(from + field->offset);
	uint32_t count = *(const uint32_t *)(from + field->also);
	put(page, "[");
	for (uint32_t i = 0; i < count && i < SHOWN_ELEMENTS; i++) {
		put(page, i ? " {" : "{");
		put_message(page, field->element, elements + (size_t)i * field->element->size);
		put(page, "}");
	}
	put(page, count > SHOWN_ELEMENTS ? " …%u]" : "]", count);
}

static void put_field(struct page *page, const struct field *field, const uint8_t *from)
{
	const uint8_t *member = from + field->offset;
	const struct view *view = (const struct view *)member;
	uint64_t number = 0;
	char cid[CID_TEXT];
	switch (field->kind) {
	case FIELD_bool:
		put(page, "%s", *member ? "true" : "false");
		return;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		memcpy(&number, member, field->size);
		put(page, "%" PRIu64, number);
		return;
	case FIELD_i64:
		memcpy(&number, member, 8);
		put(page, "%" PRId64, (int64_t)number);
		return;
	case FIELD_cid:
		put(page, "%s", cid_text((const struct cid *)member, cid));
		return;
	case FIELD_ticket:
		put(page, "…"); /* opens a door: never shown */
		return;
	case FIELD_u256:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
		put(page, "0x");
		put_hex(page, member, field->size);
		return;
	case FIELD_str:
		put_text(page, (const char *)member, strnlen((const char *)member, field->bound));
		return;
	case FIELD_text:
		put_text(page, view->at, view->length);
		return;
	case FIELD_bin:
		put(page, "0x");
		put_hex(page, view->at, view->length);
		return;
	case FIELD_many:
		put_many(page, field, from);
		return;
	}
}

static void put_message(struct page *page, const struct message *message, const uint8_t *from)
{
	for (const struct field *field = message->fields(); field->name; field++) {
		put(page, "%s%s=", field == message->fields() ? "" : " ", field->name);
		if (field->optional && !from[field->also])
			put(page, "–");
		else
			put_field(page, field, from);
	}
}

size_t message_print(const struct message *message, const void *from, char *out, size_t room)
{
	struct page page = {.at = out, .room = room};
	out[0] = '\0';
	put_message(&page, message, from);
	return page.used;
}

/* -- the other way
 * --------------------------------------------------------------------------------------------------- */

static bool set_number(const struct field *field, uint8_t *member, const char *text)
{
	uint64_t most = field->bound ? field->bound : UINT64_MAX >> (64 - 8 * field->size);
	char *end;
	errno = 0;
	uint64_t number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > most)
		return false;
	memcpy(member, &number, field->size);
	return true;
}

static bool set_signed(uint8_t *member, const char *text)
{
	char *end;
	errno = 0;
	int64_t number = strtoll(text, &end, 10);
	if ((*text != '-' && (*text < '0' || *text > '9')) || end == text || *end || errno)
		return false;
	memcpy(member, &number, 8);
	return true;
}

static const char *without_0x(const char *text)
{
	return text[0] == '0' && text[1] == 'x' ? text + 2 : text;
}

static bool set_view(const struct field *field, uint8_t *member, const char *text, struct arena *arena)
{
	size_t length = strlen(text);
	if (field->kind == FIELD_bin) {
		text = without_0x(text);
		length = strlen(text) / 2;
	}
	void *copy = length <= field->bound ? arena_take(arena, length + 1) : NULL;
	if (!copy)
		return false;
	if (field->kind == FIELD_text)
		memcpy(copy, text, length);
	else if (!hex_parse(text, strlen(text), copy, length))
		return false;
	memcpy(member, &(struct view){copy, (uint32_t)length}, sizeof(struct view));
	return true;
}

static bool set_field(const struct field *field, uint8_t *member, const char *text, struct arena *arena)
{
	switch (field->kind) {
	case FIELD_bool:
		*member = strcmp(text, "true") == 0;
		return *member || strcmp(text, "false") == 0;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		return set_number(field, member, text);
	case FIELD_i64:
		return set_signed(member, text);
	case FIELD_cid:
		return cid_parse(text, strlen(text), (struct cid *)member);
	case FIELD_u256:
		if (text[0] && text[1] != 'x' && strlen(text) != 2 * field->size)
			return u256_parse(text, strlen(text), 0, (struct u256 *)member);
		__attribute__((fallthrough)); /* to hex */
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		text = without_0x(text);
		return hex_parse(text, strlen(text), member, field->size);
	case FIELD_str:
		if (strlen(text) > field->bound)
			return false;
		memcpy(member, text, strlen(text) + 1);
		return true;
	case FIELD_text:
	case FIELD_bin:
		return set_view(field, member, text, arena);
	case FIELD_many:
		return false;
	}
	return false;
}

/* What a person should have typed. */
static const char *expected(const struct field *field, char text[64])
{
	switch (field->kind) {
	case FIELD_bool:
		return "true or false";
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		snprintf(text, 64, "a number from 0 to %" PRIu64,
			 field->bound ? field->bound : UINT64_MAX >> (64 - 8 * field->size));
		return text;
	case FIELD_i64:
		return "a whole number";
	case FIELD_u256:
		return "a whole number, or 64 hex digits";
	case FIELD_cid:
		return "a CID: bafkrei and 52 letters, or 64 hex digits";
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		snprintf(text, 64, "%u hex digits", 2 * field->size);
		return text;
	case FIELD_str:
	case FIELD_text:
		snprintf(text, 64, "at most %" PRIu64 " bytes of text", field->bound);
		return text;
	case FIELD_bin:
		snprintf(text, 64, "hex digits, at most %" PRIu64 " bytes", field->bound);
		return text;
	case FIELD_many:
		return "a list, which cannot be typed";
	}
	return "something else";
}

const char *message_set(const struct message *message, void *into, const char *assignment,
			struct arena *arena, char why[160])
{
	size_t length = strcspn(assignment, "=");
	char wanted[64];
	if (assignment[length] == '\0') {
		snprintf(why, 160, "\"%.60s\" is not field=value", assignment);
		return why;
	}
	for (const struct field *field = message->fields(); field->name; field++) {
		if (strlen(field->name) != length || memcmp(field->name, assignment, length) != 0)
			continue;
		if (!set_field(field, (uint8_t *)into + field->offset, assignment + length + 1, arena)) {
			snprintf(why, 160, "%s must be %s", field->name, expected(field, wanted));
			return why;
		}
		if (field->optional)
			*((uint8_t *)into + field->also) = true;
		return NULL;
	}
	snprintf(why, 160, "%s has no field \"%.*s\"", message->name, (int)(length > 60 ? 60 : length),
		 assignment);
	return why;
}
