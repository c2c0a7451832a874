/* The command line, against a table of options. Part of the console; pure. */
#include "actors/console/arguments.h"

#include "actors/console/words.h"

#include <stdio.h>
#include <string.h>

const char *argument(const struct arguments *arguments, const char *name)
{
	for (unsigned i = 0; i < arguments->given_count; i++)
		if (strcmp(arguments->given[i].option->name, name) == 0)
			return arguments->given[i].value;
	return NULL;
}

static bool known(const struct arguments *arguments, const struct option *option)
{
	return !option->command || (arguments->command && strcmp(option->command, arguments->command) == 0);
}

static const struct option *by_name(const struct arguments *arguments, const struct option *options,
				    const char *name, size_t length)
{
	for (; options->name; options++)
		if (known(arguments, options) && strlen(options->name) == length &&
		    memcmp(options->name, name, length) == 0)
			return options;
	return NULL;
}

static const struct option *by_letter(const struct arguments *arguments, const struct option *options,
				      char letter)
{
	for (; options->name; options++)
		if (known(arguments, options) && options->letter == letter)
			return options;
	return NULL;
}

static bool give(struct arguments *arguments, const struct option *option, const char *value,
		 char why[WHY_TEXT])
{
	unsigned at = 0;
	while (at < arguments->given_count && arguments->given[at].option != option)
		at++;
	if (at == GIVEN_MAX) {
		snprintf(why, WHY_TEXT, "too many options");
		return false;
	}
	arguments->given[at].option = option;
	arguments->given[at].value = value;
	if (at == arguments->given_count)
		arguments->given_count++;
	return true;
}

/* "--name", "--name=value", "--name value". Returns what comes next, or NULL. */
static const char *const *take_long(struct arguments *arguments, const char *const *argv,
				    const struct option *options, char why[WHY_TEXT])
{
	const char *name = *argv + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *option = by_name(arguments, options, name, length);
	if (!option) {
		struct nearest nearest = {0};
		char word[WORD_MAX], meant[WHY_TEXT];
		snprintf(word, sizeof word, "%.*s", (int)(length < WORD_MAX ? length : WORD_MAX - 1), name);
		for (const struct option *row = options; row->name; row++)
			if (known(arguments, row))
				nearest_offer(&nearest, word, row->name);
		snprintf(why, WHY_TEXT, "there is no option --%s%.100s", word,
			 nearest_text(&nearest, meant, sizeof meant));
		return NULL;
	}
	if (equals && !option->value) {
		snprintf(why, WHY_TEXT, "--%s takes no value", option->name);
		return NULL;
	}
	const char *value = !option->value ? "" : equals ? equals + 1 : argv[1];
	if (!value) {
		snprintf(why, WHY_TEXT, "--%s needs a value: %s", option->name, option->value);
		return NULL;
	}
	bool two = option->value && !equals;
	return give(arguments, option, value, why) ? argv + (two ? 2 : 1) : NULL;
}

/* "-f", "-fv", "-n 5", "-n5". */
static const char *const *take_letters(struct arguments *arguments, const char *const *argv,
				       const struct option *options, char why[WHY_TEXT])
{
	for (const char *at = *argv + 1; *at; at++) {
		const struct option *option = by_letter(arguments, options, *at);
		if (!option) {
			char shown = *at > ' ' && *at < 0x7f ? *at : '?';
			snprintf(why, WHY_TEXT, "there is no option -%c", shown);
			return NULL;
		}
		const char *value = !option->value ? "" : at[1] ? at + 1 : argv[1];
		if (!value) {
			snprintf(why, WHY_TEXT, "-%c needs a value: %s", option->letter, option->value);
			return NULL;
		}
		if (!give(arguments, option, value, why))
			return NULL;
		if (option->value)
			return argv + (at[1] ? 1 : 2);
	}
	return argv + 1;
}

static bool take_word(struct arguments *arguments, const char *word, char why[WHY_TEXT])
{
	if (arguments->count == WORDS_MAX) {
		snprintf(why, WHY_TEXT, "too many words: at most %d", WORDS_MAX);
		return false;
	}
	arguments->words[arguments->count++] = word;
	return true;
}

const char *const *arguments_take(struct arguments *arguments, const char *const *argv,
				  const struct option *options, bool first_word, char why[WHY_TEXT])
{
	bool only_words = false;
	while (argv && *argv) {
		bool dashed = !only_words && (*argv)[0] == '-' && (*argv)[1];
		if (dashed && strcmp(*argv, "--") == 0) {
			only_words = true;
			argv++;
		} else if (dashed && (*argv)[1] == '-') {
			argv = take_long(arguments, argv, options, why);
		} else if (dashed) {
			argv = take_letters(arguments, argv, options, why);
		} else if (first_word) {
			return argv;
		} else {
			argv = take_word(arguments, *argv, why) ? argv + 1 : NULL;
		}
	}
	return argv;
}
