/* Messages as JSON and as lines for people. Part of the console; keeps nothing. */
#include "actors/console/values.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- JSON ---------------------------------------------------------------------------------------------- */

/* JSON escapes control characters itself; only what is not UTF-8 must go first. */
json_t *json_text(const char *at, size_t length)
{
	json_t *text = json_stringn(at, length);
	if (text)
		return text;
	char *safe = x_new(length + 1);
	size_t kept = clean(at, length, true, safe, length + 1);
	text = json_stringn(safe, kept);
	x_free(&safe);
	bug_if(!text);
	return text;
}

json_t *json_word(const char *text)
{
	return json_text(text, strlen(text));
}

json_t *json_number(uint64_t number)
{
	char digits[24];
	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	snprintf(digits, sizeof digits, "%" PRIu64, number);
	return json_string(digits);
}

json_t *json_who(unsigned kind, unsigned node)
{
	char who[WHO_TEXT];
	json_t *object = json_object();
	json_object_set_new(object, "who", json_word(who_text(kind, node, who)));
	json_object_set_new(object, "actor", json_word(kind_name(kind)));
	json_object_set_new(object, "node", json_integer((json_int_t)node));
	return object;
}

static json_t *json_hex(const uint8_t *bytes, size_t length)
{
	char *text = x_new(2 * length + 3);
	memcpy(text, "0x", 2);
	hex_text(bytes, length, text + 2);
	json_t *value = json_string(text);
	x_free(&text);
	return value;
}

static json_t *json_many(const struct field *field, const uint8_t *from)
{
	const uint8_t *elements = *(const uint8_t *const *)(from + field->offset);
	uint32_t count = *(const uint32_t *)(from + field->also);
	json_t *array = json_array();
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(
			array, message_json(field->element, elements + (size_t)i * field->element->size));
	return array;
}

static json_t *field_json(const struct field *field, const uint8_t *from)
{
	const uint8_t *member = from + field->offset;
	const struct view *view = (const struct view *)member;
	uint64_t number = 0;
	char cid[CID_TEXT];
	switch (field->kind) {
	case FIELD_bool:
		return json_boolean(*member);
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		memcpy(&number, member, field->size);
		return json_number(number);
	case FIELD_i64:
		memcpy(&number, member, 8);
		return json_integer((json_int_t)number);
	case FIELD_cid:
		return json_string(cid_text((const struct cid *)member, cid));
	case FIELD_ticket: /* opens a door: never shown */
		return json_null();
	case FIELD_u256:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
		return json_hex(member, field->size);
	case FIELD_str:
		return json_text((const char *)member, strnlen((const char *)member, field->bound));
	case FIELD_text:
		return json_text(view->length ? view->at : "", view->length);
	case FIELD_bin:
		return json_hex(view->at, view->length);
	case FIELD_many:
		return json_many(field, from);
	}
	return json_null();
}

json_t *message_json(const struct message *message, const void *from)
{
	json_t *object = json_object();
	for (const struct field *field = message->fields(); field->name; field++) {
		bool absent = field->optional && !((const uint8_t *)from)[field->also];
		json_object_set_new(object, field->name, absent ? json_null() : field_json(field, from));
	}
	return object;
}

void json_say(const struct page *page, json_t *value, bool one_line)
{
	size_t flags = JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10);
	char *text = json_dumps(value, one_line ? flags | JSON_COMPACT : flags | JSON_INDENT(2));
	bug_if(!text);
	say(page, "%s\n", text);
	free(text);
	json_decref(value);
}

/* -- lines --------------------------------------------------------------------------------------------- */

static void value_text(const json_t *value, char *out, size_t room)
{
	if (json_is_string(value))
		clean(json_string_value(value), json_string_length(value), false, out, room);
	else if (json_is_integer(value))
		snprintf(out, room, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_array(value))
		snprintf(out, room, "%zu …", json_array_size(value));
	else
		snprintf(out, room, "%s",
			 json_is_true(value)    ? "true"
			 : json_is_false(value) ? "false"
						: "–");
}

/* A text of several lines is indented, so that none of them can pass for a key of ours. */
static void say_block(const struct page *page, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		say(page, "  %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void say_many(const struct page *page, const struct message *element, const json_t *array)
{
	char names[1024] = "", value[600];
	size_t used = 0;
	for (const struct field *field = element->fields(); field->name && used < sizeof names; field++) {
		bool number = field->kind >= FIELD_u8 && field->kind <= FIELD_i64;
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s ", number ? ">" : "",
					 field->name);
	}
	struct table table;
	table_begin(&table, names);
	for (size_t i = 0; i < json_array_size(array); i++)
		for (const struct field *field = element->fields(); field->name; field++) {
			value_text(json_object_get(json_array_get(array, i), field->name), value,
				   sizeof value);
			table_cell(&table, "%s", value);
		}
	table_print(&table, page, 2);
	table_end(&table);
}

void message_lines(const struct page *page, const struct message *message, const void *from)
{
	json_t *object = message_json(message, from);
	for (const struct field *field = message->fields(); field->name; field++) {
		const json_t *value = json_object_get(object, field->name);
		const char *text = json_string_value(value);
		if (text && strchr(text, '\n')) {
			say(page, "%s=\n", field->name);
			say_block(page, text);
		} else if (json_is_array(value)) {
			say(page, "%s=%zu\n", field->name, json_array_size(value));
			say_many(page, field->element, value);
		} else if (text) {
			say(page, "%s=%s\n", field->name, text);
		} else {
			char number[32];
			value_text(value, number, sizeof number);
			say(page, "%s=%s\n", field->name, number);
		}
	}
	json_decref(object);
}

/* -- what a row says about itself ------------------------------------------------------------------------ */

const char *field_takes(const struct field *field, char text[FIELD_TEXT])
{
	const char *or_not = field->optional ? ", may be left out" : "";
	switch (field->kind) {
	case FIELD_bool:
		snprintf(text, FIELD_TEXT, "true or false%s", or_not);
		return text;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		snprintf(text, FIELD_TEXT, "number, 0 to %" PRIu64 "%s",
			 field->bound ? field->bound : UINT64_MAX >> (64 - 8 * field->size), or_not);
		return text;
	case FIELD_i64:
		snprintf(text, FIELD_TEXT, "whole number%s", or_not);
		return text;
	case FIELD_cid:
		snprintf(text, FIELD_TEXT, "CID: bafkrei…, or 64 hex digits%s", or_not);
		return text;
	case FIELD_u256:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		snprintf(text, FIELD_TEXT, "%u hex digits%s", 2 * field->size, or_not);
		return text;
	case FIELD_str:
	case FIELD_text:
		snprintf(text, FIELD_TEXT, "text, at most %" PRIu64 " bytes%s", field->bound, or_not);
		return text;
	case FIELD_bin:
		snprintf(text, FIELD_TEXT, "hex digits, at most %" PRIu64 " bytes%s", field->bound, or_not);
		return text;
	case FIELD_many:
		snprintf(text, FIELD_TEXT, "at most %" PRIu64 " × %s", field->bound, field->element->name);
		return text;
	}
	return "?";
}

static const char *people_name(unsigned kind)
{
	return kind == READER ? "readers" : kind == OPERATOR ? "operators" : kind_name(kind);
}

const char *rights_text(rights may, char text[RIGHTS_TEXT])
{
	size_t used = 0;
	text[0] = '\0';
	for (unsigned kind = 0; kind < KINDS && used < RIGHTS_TEXT; kind++) {
		bool any = may & MAY(kind, ANY_NODE), same = may & MAY(kind, SAME_NODE);
		if (!any && !same)
			continue;
		const struct actor_row *row = actor_row(kind);
		const char *which = !row || row->scope == PER_MACHINE ? ""
				    : any                             ? " of any node"
								      : " of the same node";
		used += (size_t)snprintf(text + used, RIGHTS_TEXT - used, "%s%s%s", used ? ", " : "",
					 people_name(kind), which);
	}
	if (!used)
		snprintf(text, RIGHTS_TEXT, "nobody");
	return text;
}

const char *effect_text(enum effect effect)
{
	switch (effect) {
	case READ:
		return "changes nothing";
	case IDEMPOTENT:
		return "asking again is harmless";
	case ONCE:
		return "once: carries a key";
	}
	return "?";
}
