/* Random messages, and what is true of them. Used by the tests of proto/ and by the fuzz targets. */
#include "tests/proto/sample.h"

#include "proto/call.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 512, FEW = 4, SHORT = 300 };

/* -- all of them -------------------------------------------------------------------------------------- */

struct list {
	const struct message *all[MESSAGES];
	unsigned count;
};

static void list_add(struct list *list, const struct message *message)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->all[i] == message)
			return;
	if (list->count == MESSAGES)
		abort();
	list->all[list->count++] = message;
	for (const struct field *field = message->fields(); field->name; field++)
		if (field->element)
			list_add(list, field->element);
}

const struct message *every_message(unsigned index)
{
	static struct list list;
	if (list.count == 0) {
		for (unsigned i = 0; call_at(i); i++) {
			list_add(&list, call_at(i)->request);
			list_add(&list, call_at(i)->reply);
		}
		for (unsigned i = 0; event_at(i); i++)
			list_add(&list, event_at(i)->body);
	}
	return index < list.count ? list.all[index] : NULL;
}

/* -- made up ------------------------------------------------------------------------------------------ */

uint64_t sample_next(struct sample *sample) /* splitmix64, by Sebastiano Vigna, public domain */
{
	uint64_t z = sample->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 to `most`, of all magnitudes, the ends more often than not. */
static uint64_t number_up_to(struct sample *sample, uint64_t most)
{
	uint64_t number = sample_next(sample) >> sample_next(sample) % 64;
	if (sample->size != SAMPLE_ANY)
		return sample->size == SAMPLE_MOST ? most : 0;
	switch (sample_next(sample) % 8) {
	case 0:
		return 0;
	case 1:
		return most;
	}
	return most == UINT64_MAX ? number : number % (most + 1);
}

static void bytes_fill(struct sample *sample, uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		at[i] = (uint8_t)sample_next(sample);
}

/* Any bytes but NUL: text is not checked for UTF-8. */
static void text_fill(struct sample *sample, uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		at[i] = (uint8_t)(1 + sample_next(sample) % 255);
}

static void message_fill(struct sample *sample, const struct message *message, uint8_t *into);

static void many_fill(struct sample *sample, const struct field *field, uint8_t *into)
{
	uint64_t most = sample->size == SAMPLE_ANY && field->bound > FEW ? FEW : field->bound;
	uint32_t count = (uint32_t)number_up_to(sample, most);
	uint8_t *elements = arena_take(sample->arena, (size_t)count * field->element->size + 1);
	for (uint32_t i = 0; i < count; i++)
		message_fill(sample, field->element, elements + (size_t)i * field->element->size);
	memcpy(into + field->offset, &elements, sizeof elements);
	memcpy(into + field->also, &count, sizeof count);
}

static void view_fill(struct sample *sample, const struct field *field, uint8_t *member)
{
	uint64_t most = sample->size == SAMPLE_ANY && field->bound > SHORT ? SHORT : field->bound;
	struct view view = {.length = (uint32_t)number_up_to(sample, most)};
	uint8_t *at = view.length ? arena_take(sample->arena, view.length) : NULL;
	if (field->kind == FIELD_text)
		text_fill(sample, at, view.length);
	else
		bytes_fill(sample, at, view.length);
	view.at = at;
	memcpy(member, &view, sizeof view);
}

static void field_fill(struct sample *sample, const struct field *field, uint8_t *into)
{
	uint8_t *member = into + field->offset;
	uint64_t number;
	switch (field->kind) {
	case FIELD_bool:
		*member = (uint8_t)number_up_to(sample, 1);
		return;
	case FIELD_u8:
	case FIELD_u16:
	case FIELD_u32:
	case FIELD_u64:
		number = field->bound ? field->bound : UINT64_MAX >> (64 - 8 * field->size);
		number = number_up_to(sample, number);
		memcpy(member, &number, field->size);
		return;
	case FIELD_i64:
		number = number_up_to(sample, UINT64_MAX);
		if (sample->size == SAMPLE_MOST)
			number = UINT64_C(1) << 63; /* the longest on the wire */
		memcpy(member, &number, 8);
		return;
	case FIELD_u256:
	case FIELD_cid:
	case FIELD_hash:
	case FIELD_address:
	case FIELD_key:
	case FIELD_signature:
	case FIELD_ed_signature:
	case FIELD_ticket:
		bytes_fill(sample, member, field->size);
		return;
	case FIELD_str:
		text_fill(sample, member, number_up_to(sample, field->bound));
		return;
	case FIELD_text:
	case FIELD_bin:
		view_fill(sample, field, member);
		return;
	case FIELD_many:
		many_fill(sample, field, into);
		return;
	}
}

static void message_fill(struct sample *sample, const struct message *message, uint8_t *into)
{
	for (const struct field *field = message->fields(); field->name; field++) {
		if (field->optional)
			into[field->also] = (uint8_t)number_up_to(sample, 1);
		if (!field->optional || into[field->also])
			field_fill(sample, field, into);
	}
}

void *sample_message(struct sample *sample, const struct message *message)
{
	uint8_t *into = arena_take(sample->arena, message->size + 1);
	message_fill(sample, message, into);
	return into;
}

/* -- looked at ---------------------------------------------------------------------------------------- */

static bool field_equal(const struct field *field, const uint8_t *a, const uint8_t *b)
{
	const struct view *left = (const struct view *)(a + field->offset);
	const struct view *right = (const struct view *)(b + field->offset);
	if (field->optional && (a[field->also] != b[field->also] || !a[field->also]))
		return a[field->also] == b[field->also];
	if (field->kind == FIELD_str)
		return strcmp((const char *)a + field->offset, (const char *)b + field->offset) == 0;
	if (field->kind == FIELD_text || field->kind == FIELD_bin)
		return left->length == right->length &&
		       (!left->length || memcmp(left->at, right->at, left->length) == 0);
	if (field->kind != FIELD_many)
		return memcmp(a + field->offset, b + field->offset, field->size) == 0;
	const uint8_t *of_a = left->at, *of_b = right->at; /* a pointer comes first in either */
	uint32_t count = *(const uint32_t *)(a + field->also);
	if (count != *(const uint32_t *)(b + field->also))
		return false;
	for (uint32_t i = 0; i < count; i++, of_a += field->element->size, of_b += field->element->size)
		if (!sample_equal(field->element, of_a, of_b))
			return false;
	return true;
}

bool sample_equal(const struct message *message, const void *a, const void *b)
{
	for (const struct field *field = message->fields(); field->name; field++)
		if (!field_equal(field, a, b))
			return false;
	return true;
}

static bool many_fits(const struct field *field, const uint8_t *at)
{
	const uint8_t *elements = ((const struct view *)(at + field->offset))->at;
	uint32_t count = *(const uint32_t *)(at + field->also);
	if (count > field->bound || (count && !elements))
		return false;
	for (uint32_t i = 0; i < count; i++, elements += field->element->size)
		if (sample_out_of_bounds(field->element, elements))
			return false;
	return true;
}

static bool view_fits(const struct field *field, const struct view *view)
{
	if (!view->length)
		return true;
	bool nul = field->kind == FIELD_text && view->at && memchr(view->at, '\0', view->length);
	return view->length <= field->bound && view->at && !nul;
}

static bool field_fits(const struct field *field, const uint8_t *at)
{
	const uint8_t *member = at + field->offset;
	uint64_t number = 0;
	if (field->kind == FIELD_bool)
		return *member <= 1;
	if (field->kind == FIELD_str)
		return strnlen((const char *)member, field->bound + 1) <= field->bound;
	if (field->kind == FIELD_text || field->kind == FIELD_bin)
		return view_fits(field, (const struct view *)member);
	if (field->kind == FIELD_many)
		return many_fits(field, at);
	memcpy(&number, member, field->size < 8 ? field->size : 8);
	return !field->bound || number <= field->bound;
}

const char *sample_out_of_bounds(const struct message *message, const void *at)
{
	const uint8_t *bytes = at;
	for (const struct field *field = message->fields(); field->name; field++) {
		if (field->optional && bytes[field->also] > 1)
			return field->name;
		if (!field_fits(field, bytes))
			return field->name;
	}
	return NULL;
}
