/* A call as a person types it: "ACTOR CALL field=value …". Part of the console; everything it knows comes from the rows. */
#include "actors/console/typed.h"

#include "actors/console/words.h"

#include <string.h>

/* The kind that answers a call; KIND_NONE: every process does. */
enum kind call_owner(const struct call_row *row)
{
	return (enum kind)(row->number >> 8);
}

bool call_is_answered(enum kind kind, const struct call_row *row)
{
	return kind_on_bus(kind) && (call_owner(row) == kind || call_owner(row) == KIND_NONE);
}

/* "store_stat", or "stat" to a store; "ping" to anybody. */
static const struct call_row *find_call(enum kind kind, const char *name)
{
	char full[2 * WORD_MAX];
	const struct call_row *row = call_by_name(name);
	if (!row) {
		snprintf(full, sizeof full, "%s_%.*s", kind_name(kind), WORD_MAX, name);
		row = call_by_name(full);
	}
	if (!row) {
		snprintf(full, sizeof full, "actor_%.*s", WORD_MAX, name);
		row = call_by_name(full);
	}
	return row && call_is_answered(kind, row) ? row : NULL;
}

static enum ending unknown_call(struct console *console, enum kind kind, const char *name)
{
	struct nearest nearest = {0};
	char meant[WHY_TEXT];
	const struct call_row *elsewhere = call_by_name(name), *row;
	if (elsewhere)
		return complain(console, END_USAGE, "usage", "%s does not answer %s; %s does",
				kind_name(kind), name, kind_name(call_owner(elsewhere)));
	for (unsigned i = 0; (row = call_at(i)); i++)
		if (call_is_answered(kind, row))
			nearest_offer(&nearest, name, row->name);
	return complain(console, END_USAGE, "usage", "%s has no call \"%s\"%s (warren calls %s)",
			kind_name(kind), name, nearest_text(&nearest, meant, sizeof meant), kind_name(kind));
}

static bool is_given(const struct arguments *arguments, const char *field)
{
	size_t length = strlen(field);
	for (unsigned i = 2; i < arguments->count; i++)
		if (strncmp(arguments->words[i], field, length) == 0 && arguments->words[i][length] == '=')
			return true;
	return false;
}

static enum ending wrong_field(struct console *console, const struct call_row *row, const char *word,
			       const char *why)
{
	struct nearest nearest = {0};
	char name[WORD_MAX], meant[WHY_TEXT];
	size_t length = strcspn(word, "=");
	snprintf(name, sizeof name, "%.*s", (int)(length < WORD_MAX ? length : WORD_MAX - 1), word);
	for (const struct field *field = row->request->fields(); field->name; field++)
		if (strcmp(field->name, name) != 0)
			nearest_offer(&nearest, name, field->name);
	bool exists = strstr(why, " must be ") != NULL;
	return complain(console, END_USAGE, "usage", "%s%s (warren call %s %s --help)", why,
			exists ? "" : nearest_text(&nearest, meant, sizeof meant),
			console->arguments.words[0], row->name);
}

/* The request from field=value words. A missing field is a mistake, as a zero would be somebody's answer. */
static enum ending fill(struct console *console, const struct call_row *row, struct arena *arena,
			void *request)
{
	const struct arguments *arguments = &console->arguments;
	char why[160];
	for (unsigned i = 2; i < arguments->count; i++)
		if (message_set(row->request, request, arguments->words[i], arena, why))
			return wrong_field(console, row, arguments->words[i], why);
	for (const struct field *field = row->request->fields(); field->name; field++)
		if (!field->optional && !is_given(arguments, field->name)) {
			char takes[FIELD_TEXT];
			return complain(console, END_USAGE, "usage", "%s needs %s=… (%s)", row->name,
					field->name, field_takes(field, takes));
		}
	return END_OK;
}

/* -- the whole line --------------------------------------------------------------------------------------- */

enum ending typed_row(struct console *console, enum kind *kind, uint16_t *node, const struct call_row **row)
{
	const struct arguments *arguments = &console->arguments;
	enum ending ending = parse_who(console, arguments->words[0], kind, node);
	if (ending != END_OK)
		return ending;
	*row = find_call(*kind, arguments->words[1]);
	return *row ? END_OK : unknown_call(console, *kind, arguments->words[1]);
}

enum ending typed_read(struct console *console, struct typed *typed)
{
	*typed = (struct typed){0};
	arena_begin(&typed->arena, BODY_MAX * 4);
	enum ending ending = typed_row(console, &typed->kind, &typed->node, &typed->row);
	if (ending != END_OK)
		return ending;
	typed->request = x_new(typed->row->request->size + 1);
	return fill(console, typed->row, &typed->arena, typed->request);
}

void typed_end(struct typed *typed)
{
	x_free(&typed->request);
	arena_end(&typed->arena);
}

struct question typed_question(const struct typed *typed)
{
	return (struct question){
		.row = typed->row, .kind = typed->kind, .node = typed->node, .request = typed->request};
}
