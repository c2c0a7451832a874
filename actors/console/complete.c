/* Completion, for the shells and for the live console alike. Part of the console; looks into ROOT/run for which nodes there are,
 * asks nobody, changes nothing. */
#include "actors/console/complete.h"

#include "actors/console/commands.h"
#include "actors/console/console.h"
#include "actors/console/typed.h"
#include "proto/reasons.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

struct line {
	struct candidates *candidates;
	const char *const *words;
	unsigned count;
	const char *prefix, *root;
	const struct command *command;
	unsigned position; /* of the word that is typed, after the command, options not counted */
	const char *first; /* the first word after the command; NULL: none yet */
	const char *second;
};

static void offer(const struct line *line, const char *text)
{
	struct candidates *candidates = line->candidates;
	if (strncmp(text, line->prefix, strlen(line->prefix)) != 0 || candidates->count == CANDIDATES_MAX)
		return;
	snprintf(candidates->all[candidates->count++], CANDIDATE_TEXT, "%s", text);
}

/* -- kinds of words ----------------------------------------------------------------------------------------- */

/* The nodes of a machine that runs: each has a socket ROOT/run/store-N.sock. */
static void each_node(const struct line *line, void (*tell)(const struct line *line, unsigned node))
{
	char path[PATH_MAX], end;
	unsigned node;
	if (!line->root || (size_t)snprintf(path, sizeof path, "%s/run", line->root) >= sizeof path)
		return;
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (sscanf(entry->d_name, "store-%u.soc%c", &node, &end) == 2)
			tell(line, node);
	if (folder)
		closedir(folder);
}

static void offer_actors_of(const struct line *line, unsigned node)
{
	char who[WHO_TEXT];
	for (unsigned kind = 1; kind < READER; kind++)
		if (actor_row(kind) && actor_row(kind)->scope == PER_NODE)
			offer(line, who_text(kind, node, who));
}

static void offer_number(const struct line *line, unsigned node)
{
	char text[16];
	snprintf(text, sizeof text, "%u", node);
	offer(line, text);
}

static void offer_actors(const struct line *line)
{
	for (unsigned kind = 1; kind < READER; kind++)
		if (actor_row(kind) && actor_row(kind)->scope == PER_MACHINE)
			offer(line, actor_row(kind)->name);
	each_node(line, offer_actors_of);
}

static enum kind kind_before_at(const char *word)
{
	return word ? kind_by_name(word, (unsigned)strcspn(word, "@")) : KIND_NONE;
}

static void offer_calls(const struct line *line)
{
	const struct call_row *row;
	enum kind kind = kind_before_at(line->first);
	for (unsigned i = 0; kind && (row = call_at(i)); i++)
		if (call_is_answered(kind, row))
			offer(line, row->name);
}

static void offer_fields(const struct line *line)
{
	char text[CANDIDATE_TEXT];
	const struct call_row *row = line->second ? call_by_name(line->second) : NULL;
	for (const struct field *field = row ? row->request->fields() : NULL; field && field->name; field++) {
		snprintf(text, sizeof text, "%s=", field->name);
		offer(line, text);
	}
}

static void offer_reasons(const struct line *line)
{
	const struct reason_rule *rule;
	for (unsigned i = 0; (rule = reason_rule_at(i)); i++)
		offer(line, rule->name);
}

static void offer_commands(const struct line *line)
{
	const struct command *command;
	for (unsigned i = 0; (command = command_at(i)); i++)
		if (*command->help)
			offer(line, command->name);
}

static void offer_each(const struct line *line, const char *words)
{
	char text[200], *rest = text;
	snprintf(text, sizeof text, "%s", words);
	for (char *word; (word = strsep(&rest, " "));)
		offer(line, word);
}

/* What the word of a command's row stands for. */
static void offer_for(const struct line *line, const char *token)
{
	if (strstr(token, "ACTOR") || strstr(token, "TARGET"))
		offer_actors(line);
	if (strstr(token, "NODE") || strstr(token, "TARGET"))
		each_node(line, offer_number);
	if (strstr(token, "all") || strstr(token, "TARGET"))
		offer(line, "all");
	if (strstr(token, "ack"))
		offer(line, "ack");
	if (strstr(token, "CALL"))
		offer_calls(line);
	if (strstr(token, "field"))
		offer_fields(line);
	if (strstr(token, "LEVEL"))
		offer_each(line, "debug info warn error");
	if (strstr(token, "COMMAND"))
		offer_commands(line);
	if (strstr(token, "REASON"))
		offer_reasons(line);
	if (strstr(token, "isolation"))
		offer(line, "isolation");
}

/* Groups of a row's words: "[ACTOR | NODE] …" is one that repeats; the last one serves for all that follow. */
static void offer_words(const struct line *line)
{
	char groups[8][64];
	unsigned count = 0, depth = 0;
	const char *begun = line->command->words;
	for (const char *at = begun;; at++) {
		depth += *at == '[';
		depth -= *at == ']' && depth;
		bool one_of = *at == ' ' && at > begun &&
			      (at[-1] == '|' || at[1] == '|'); /* "NODE | all" is one word */
		if (*at && (*at != ' ' || depth || one_of))
			continue;
		if (at > begun && strncmp(begun, "…", strlen("…")) != 0 && count < 8)
			snprintf(groups[count++], sizeof groups[0], "%.*s", (int)(at - begun), begun);
		begun = at + 1;
		if (!*at)
			break;
	}
	if (count && line->position < line->command->most)
		offer_for(line, groups[line->position < count ? line->position : count - 1]);
	if (count > 1 && line->position == 0 &&
	    groups[0][0] == '[') /* an optional first word: the second may be the first */
		offer_for(line, groups[1]);
}

/* -- options ------------------------------------------------------------------------------------------------ */

static bool is_known(const struct line *line, const struct option *option)
{
	return !option->command || (line->command && strcmp(option->command, line->command->name) == 0);
}

static void offer_options(const struct line *line)
{
	char text[CANDIDATE_TEXT];
	for (const struct option *option = option_rows(); option->name; option++)
		if (is_known(line, option)) {
			snprintf(text, sizeof text, "--%s", option->name);
			offer(line, text);
		}
}

/* The option whose value comes next, when the word before is one that takes a value. */
static const struct option *option_before(const struct line *line, unsigned index)
{
	const char *word = index < line->count ? line->words[index] : "";
	for (const struct option *option = option_rows(); option->name; option++)
		if (option->value && is_known(line, option) &&
		    ((strncmp(word, "--", 2) == 0 && strcmp(word + 2, option->name) == 0) ||
		     (option->letter && word[0] == '-' && word[1] == option->letter && !word[2])))
			return option;
	return NULL;
}

static void offer_value(const struct line *line, const struct option *option)
{
	if (strcmp(option->value, "TIER") == 0)
		offer_each(line, "bronze silver gold platinum");
	else if (strcmp(option->value, "TIME") == 0)
		offer_each(line, "10s 1m 10m 1h 1d");
	else
		offer_for(line, option->value);
}

/* -- the whole ---------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void sort(struct candidates *candidates)
{
	unsigned kept = 0;
	qsort(candidates->all, candidates->count, sizeof *candidates->all, by_text);
	for (unsigned i = 0; i < candidates->count; i++)
		if (!kept || strcmp(candidates->all[kept - 1], candidates->all[i]) != 0)
			memmove(candidates->all[kept++], candidates->all[i], CANDIDATE_TEXT);
	candidates->count = kept;
}

static void read_words(struct line *line)
{
	for (unsigned i = 0; i < line->count; i++) {
		const char *word = line->words[i];
		if (word[0] == '-' && word[1]) {
			i += option_before(line, i) != NULL;
		} else if (!line->command) {
			line->command = command_by_name(word);
			if (!line->command)
				return;
		} else {
			line->first = line->position == 0 ? word : line->first;
			line->second = line->position == 1 ? word : line->second;
			line->position++;
		}
	}
}

void complete(struct candidates *candidates, const char *const *words, unsigned count, const char *prefix,
	      const char *root)
{
	struct line line = {
		.candidates = candidates, .words = words, .count = count, .prefix = prefix, .root = root};
	candidates->count = 0;
	read_words(&line);
	const struct option *value_of = count ? option_before(&line, count - 1) : NULL;
	if (value_of)
		offer_value(&line, value_of);
	else if (prefix[0] == '-')
		offer_options(&line);
	else if (line.command)
		offer_words(&line);
	else
		offer_commands(&line);
	sort(candidates);
}

/* `warren complete WORD… PREFIX`, which the shells call: what may stand in PREFIX's place, one a line. */
enum ending command_complete(struct console *console)
{
	const struct arguments *arguments = &console->arguments;
	struct candidates *candidates = x_new(sizeof *candidates);
	unsigned before = arguments->count ? arguments->count - 1 : 0;
	complete(candidates, arguments->words, before, arguments->count ? arguments->words[before] : "",
		 console->root);
	json_t *list = json_array();
	for (unsigned i = 0; i < candidates->count; i++)
		if (console->json)
			json_array_append_new(list, json_word(candidates->all[i]));
		else
			say(&console->out, "%s\n", candidates->all[i]);
	if (console->json)
		json_say(&console->out, list, false);
	else
		json_decref(list);
	x_free(&candidates);
	return END_OK;
}
