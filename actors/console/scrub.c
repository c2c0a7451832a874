/* Takes secrets out of texts. Part of the console; pure. */
#include "actors/console/scrub.h"

#include "actors/base/memory/memory.h"

#include <ctype.h>
#include <string.h>

#define REMOVED "(removed)"

struct shown {
	const char *name, *kind;
};
static const struct shown words[] = {
#define SETTING(name, where, kind, ...) {#name, #kind},
#include "proto/settings.def"
#undef SETTING
};

bool scrub_may_show(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].name) == length && memcmp(words[i].name, name, length) == 0)
			return strcmp(words[i].kind, "SECRET") != 0;
	return length == 7 && memcmp(name, "version", 7) == 0;
}

void secrets_end(struct secrets *secrets)
{
	for (unsigned i = 0; i < secrets->count; i++)
		x_free(&secrets->text[i]);
	*secrets = (struct secrets){0};
}

static void remember(struct secrets *secrets, const char *at, size_t length)
{
	length = strnlen(at, length); /* what comes after a NUL is searched for by nobody */
	if (length < SECRET_LEAST || secrets->count == SECRETS_MAX)
		return;
	char *text = x_new(length + 1);
	memcpy(text, at, length);
	secrets->text[secrets->count++] = text;
}

/* -- writing --------------------------------------------------------------------------------------------- */

struct writing {
	char *text;
	size_t length, room;
};

static void put(struct writing *to, const char *at, size_t length)
{
	if (!to->text || to->length + length + 1 > to->room) {
		to->room = 2 * (to->length + length + 1);
		to->text = x_grow(to->text, to->room);
	}
	memcpy(to->text + to->length, at, length);
	to->length += length;
	to->text[to->length] = '\0';
}

static void put_word(struct writing *to, const char *word)
{
	put(to, word, strlen(word));
}

/* -- a configuration file --------------------------------------------------------------------------------
 *
 * libconfig's own pieces (its manual, "Configuration Files"): comments of three kinds, texts with escapes, which follow one
 * another as one, names, numbers, punctuation. */

struct reading {
	const char *at, *end;
	bool policy, shows; /* whether the value of the newest name may be shown */
	struct secrets *secrets;
};

static size_t comment_length(const char *at, const char *end)
{
	bool block = end - at > 1 && at[0] == '/' && at[1] == '*';
	if (*at != '#' && !block && !(end - at > 1 && at[0] == '/' && at[1] == '/'))
		return 0;
	const char *over = block ? memmem(at + 2, (size_t)(end - at - 2), "*/", 2)
				 : memchr(at, '\n', (size_t)(end - at));
	return over ? (size_t)(over - at) + (block ? 2 : 0) : (size_t)(end - at);
}

/* With both quotes; to the end of the file when the second is missing. */
static size_t quoted_length(const char *at, const char *end)
{
	const char *from = at;
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return (size_t)(at - from) + (at < end);
}

static size_t name_length(const char *at, const char *end)
{
	const char *from = at;
	while (at < end && (isalnum((unsigned char)*at) || strchr("_-*.+", *at)))
		at++;
	return (size_t)(at - from);
}

static bool is_assigned(const char *at, const char *end)
{
	while (at < end && isspace((unsigned char)*at))
		at++;
	return at < end && (*at == '=' || *at == ':');
}

static bool is_plain_value(const char *at, size_t length)
{
	bool number = isdigit((unsigned char)*at) || ((*at == '-' || *at == '+') && length > 1);
	for (size_t i = 1; number && i < length; i++)
		number = isxdigit((unsigned char)at[i]) || strchr("xXL.", at[i]);
	return number || (length == 4 && strncasecmp(at, "true", 4) == 0) ||
	       (length == 5 && strncasecmp(at, "false", 5) == 0);
}

static void take_text(struct reading *from, struct writing *to)
{
	size_t length = quoted_length(from->at, from->end);
	if (from->shows) {
		put(to, from->at, length);
	} else {
		remember(from->secrets, from->at + 1, length > 2 ? length - 2 : 0);
		put_word(to, "\"" REMOVED "\"");
	}
	from->at += length;
}

static void take_word(struct reading *from, struct writing *to)
{
	size_t length = name_length(from->at, from->end);
	if (is_assigned(from->at + length, from->end)) {
		from->shows = from->policy || scrub_may_show(from->at, length);
		put(to, from->at, length);
	} else if (from->shows && is_plain_value(from->at, length)) {
		put(to, from->at, length);
	} else {
		remember(from->secrets, from->at, length);
		put_word(to, REMOVED);
	}
	from->at += length;
}

char *scrub_config(const char *text, size_t *length, bool policy, struct secrets *secrets)
{
	struct reading from = {text, text + *length, policy, policy, secrets};
	struct writing to = {0};
	put_word(&to, "");
	while (from.at < from.end) {
		size_t comment = comment_length(from.at, from.end);
		if (comment) {
			put_word(&to, "# (a comment was removed)");
			from.at += comment;
		} else if (*from.at == '"') {
			take_text(&from, &to);
		} else if (name_length(from.at, from.end)) {
			take_word(&from, &to);
		} else { /* space and punctuation; of anything else nobody knows what it means */
			char one = *from.at++;
			put(&to, isspace((unsigned char)one) || strchr("=:;,{}[]()", one) ? &one : "?", 1);
		}
	}
	*length = to.length;
	return to.text;
}

/* -- any text -------------------------------------------------------------------------------------------- */

/* "scheme://" ends at `at`; where the scheme begins, not before `least`. */
static bool is_scheme(const char *least, const char *at)
{
	return at > least && isalnum((unsigned char)at[-1]);
}

static size_t url_length(const char *at, const char *end)
{
	const char *from = at;
	while (at < end && (unsigned char)*at > ' ' && !strchr("\"'<>\\^`{|}", *at))
		at++;
	return (size_t)(at - from);
}

/* After "://": host and port stay; who logs in, path, query and fragment go. */
static size_t put_url(struct writing *to, const char *at, const char *end)
{
	size_t length = url_length(at, end), authority = 0;
	while (authority < length && !strchr("/?#", at[authority]))
		authority++;
	const char *user = memrchr(at, '@', authority);
	size_t skip = user ? (size_t)(user + 1 - at) : 0;
	put(to, at + skip, authority - skip);
	if (length > authority + 1)
		put_word(to, "/" REMOVED);
	return length;
}

static char *without_urls(char *text, size_t *length)
{
	struct writing to = {0};
	const char *at = text, *end = text + *length, *mark;
	if (!memmem(text, *length, "://", 3))
		return text;
	while ((mark = memmem(at, (size_t)(end - at), "://", 3))) {
		put(&to, at, (size_t)(mark + 3 - at));
		at = is_scheme(at, mark) ? mark + 3 + put_url(&to, mark + 3, end) : mark + 3;
	}
	put(&to, at, (size_t)(end - at));
	x_free(&text);
	*length = to.length;
	return to.text;
}

static char *without(char *text, size_t *length, const char *secret)
{
	struct writing to = {0};
	const char *at = text, *end = text + *length, *found;
	if (!memmem(text, *length, secret, strlen(secret)))
		return text;
	while ((found = memmem(at, (size_t)(end - at), secret, strlen(secret)))) {
		put(&to, at, (size_t)(found - at));
		put_word(&to, REMOVED);
		at = found + strlen(secret);
	}
	put(&to, at, (size_t)(end - at));
	x_free(&text);
	*length = to.length;
	return to.text;
}

char *scrub_text(char *text, size_t *length, const struct secrets *secrets)
{
	for (unsigned i = 0; i < secrets->count; i++)
		text = without(text, length, secrets->text[i]);
	return without_urls(text, length);
}
