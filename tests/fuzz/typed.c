/* What a person types: field=value of `warren call`, numbers, durations, options. The first byte chooses. A message that was set from text
 * is in bounds, can be packed, and is printed without a byte that steers a terminal. */
#include "tests/fuzz/target.h"

#include "actors/console/arguments.h"
#include "actors/console/units.h"
#include "proto/u256.h"
#include "tests/fuzz/with/choose.h"

#include <string.h>

enum { MEMORY = 1 << 20, ROOM = 1 << 20, WORDS = 40 };

/* The text's pieces between NULs. */
static unsigned split(char *text, size_t length, char *words[WORDS])
{
	unsigned count = 0;
	for (size_t at = 0; at < length && count < WORDS; at += strlen(text + at) + 1)
		words[count++] = text + at;
	return count;
}

static void message(const uint8_t which[CHOICE], char *text, size_t length)
{
	static uint8_t packed[ROOM];
	char *words[WORDS], line[600], why[160];
	struct arena arena;
	const struct message *row = choose(which);
	uint8_t *set = x_new(row->size);
	arena_begin(&arena, MEMORY);
	for (unsigned i = 0, most = split(text, length, words); i < most; i++) {
		memset(why, 'x', sizeof why);
		const char *wrong = message_set(row, set, words[i], &arena, why);
		must(!wrong || (wrong == why && memchr(why, '\0', sizeof why)));
	}
	must(!sample_out_of_bounds(row, set));
	must(message_print(row, set, line, sizeof line) == strlen(line));
	for (const char *at = line; *at; at++)
		must((unsigned char)*at >= ' ' && *at != 0x7f);
	must(message_pack(row, set, packed, sizeof packed));
	arena_end(&arena);
	x_free(&set);
}

static void numbers(const char *text, size_t length)
{
	uint64_t number;
	struct u256 large;
	char shown[128];
	if (number_parse(text, 5, 500, &number))
		must(number >= 5 && number <= 500);
	if (duration_parse(text, &number))
		must(number <= UINT64_C(10) * 366 * 86400 * 1000);
	for (unsigned decimals = 0; decimals <= 18; decimals += 9)
		if (u256_parse(text, length, decimals, &large))
			must(*u256_text(&large, decimals, shown));
}

static void options(char *text, size_t length)
{
	static const struct option known[] = {{NULL, "json", 'j', NULL, ""},
					      {NULL, "help", 'h', NULL, ""},
					      {"get", "out", 'o', "FILE", ""},
					      {"get", "offset", 0, "N", ""},
					      {0}};
	struct arguments arguments = {.command = length % 2 ? "get" : NULL};
	char *words[WORDS + 1], why[WHY_TEXT];
	unsigned count = split(text, length, words);
	words[count] = NULL;
	const char *const *left =
		arguments_take(&arguments, (const char *const *)words, known, length % 3 == 0, why);
	must(left ? left >= (const char *const *)words && left <= (const char *const *)words + count
		  : strlen(why) < sizeof why);
	must(arguments.count <= WORDS_MAX && arguments.given_count <= GIVEN_MAX);
	argument(&arguments, "out");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 1 + CHOICE)
		return 0;
	char *text = x_new(length); /* terminated */
	memcpy(text, bytes + 1 + CHOICE, length - 1 - CHOICE);
	if (bytes[0] % 8 == 0)
		numbers(text, strlen(text));
	else if (bytes[0] % 8 == 1)
		options(text, length - 1 - CHOICE);
	else
		message(bytes + 1, text, length - 1 - CHOICE);
	x_free(&text);
	return 0;
}
