/* What a person typed: options, words, names that are nearly right, which machine. */
#include "actors/console/arguments.h"
#include "actors/console/root.h"
#include "actors/console/words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static const struct option options[] = {
	{NULL, "json", '\0', NULL, ""},    {NULL, "root", '\0', "DIR", ""},
	{"logs", "follow", 'f', NULL, ""}, {"logs", "verbose", 'v', NULL, ""},
	{"logs", "lines", 'n', "N", ""},   {"tap", "count", 'n', "N", ""},
	{NULL, NULL, '\0', NULL, NULL},
};

/* All of a line after the command; NULL is a complaint, in `why`. */
static const char *const *take(struct arguments *arguments, const char *const *argv, char why[WHY_TEXT])
{
	*arguments = (struct arguments){.command = "logs"};
	why[0] = '\0';
	return arguments_take(arguments, argv, options, false, why);
}

#define LINE(...) ((const char *[]){__VA_ARGS__, NULL})

Test(arguments, words_and_options_in_any_order)
{
	struct arguments arguments;
	char why[WHY_TEXT];
	cr_assert_not_null(
		take(&arguments, LINE("store@1", "--lines", "5", "wallet@1", "-f", "--root=/x"), why));
	cr_assert_eq(arguments.count, 2);
	cr_expect_str_eq(arguments.words[0], "store@1");
	cr_expect_str_eq(arguments.words[1], "wallet@1");
	cr_expect_str_eq(argument(&arguments, "lines"), "5");
	cr_expect_str_eq(argument(&arguments, "root"), "/x");
	cr_expect_not_null(argument(&arguments, "follow"));
	cr_expect_null(argument(&arguments, "json"));
}

Test(arguments, letters_together_and_with_their_value)
{
	struct arguments arguments;
	char why[WHY_TEXT];
	cr_assert_not_null(take(&arguments, LINE("-fvn20"), why));
	cr_expect_not_null(argument(&arguments, "follow"));
	cr_expect_not_null(argument(&arguments, "verbose"));
	cr_expect_str_eq(argument(&arguments, "lines"), "20");
	cr_assert_not_null(take(&arguments, LINE("-n", "-3"), why)); /* a value may begin with a dash */
	cr_expect_str_eq(argument(&arguments, "lines"), "-3");
}

Test(arguments, the_last_of_two_counts)
{
	struct arguments arguments;
	char why[WHY_TEXT];
	cr_assert_not_null(take(&arguments, LINE("--lines=1", "-n2", "--lines", "3"), why));
	cr_expect_str_eq(argument(&arguments, "lines"), "3");
	cr_expect_eq(arguments.given_count, 1);
}

Test(arguments, two_dashes_end_the_options)
{
	struct arguments arguments;
	char why[WHY_TEXT];
	cr_assert_not_null(take(&arguments, LINE("--", "--json", "-f", "-"), why));
	cr_assert_eq(arguments.count, 3);
	cr_expect_str_eq(arguments.words[0], "--json");
	cr_expect_null(argument(&arguments, "json"));
}

Test(arguments, complaints_name_what_is_wrong)
{
	struct arguments arguments;
	char why[WHY_TEXT];
	cr_expect_null(take(&arguments, LINE("--folow"), why));
	cr_expect(strstr(why, "--folow") && strstr(why, "did you mean follow?"), "%s", why);
	cr_expect_null(take(&arguments, LINE("--count", "5"), why)); /* is another command's */
	cr_expect(strstr(why, "no option --count"), "%s", why);
	cr_expect_null(take(&arguments, LINE("--lines"), why));
	cr_expect(strstr(why, "--lines needs a value"), "%s", why);
	cr_expect_null(take(&arguments, LINE("-n"), why));
	cr_expect(strstr(why, "-n needs a value"), "%s", why);
	cr_expect_null(take(&arguments, LINE("--json=yes"), why));
	cr_expect(strstr(why, "--json takes no value"), "%s", why);
	cr_expect_null(take(&arguments, LINE("-x"), why));
	cr_expect(strstr(why, "no option -x"), "%s", why);
	cr_expect_null(take(&arguments, LINE("-\033"), why)); /* and is not printed as it came */
	cr_expect(strstr(why, "no option -?"), "%s", why);
}

Test(arguments, stops_before_the_first_word_when_asked)
{
	struct arguments arguments = {0};
	char why[WHY_TEXT];
	const char *const *line = LINE("--root", "/x", "logs", "-f");
	const char *const *rest = arguments_take(&arguments, line, options, true, why);
	cr_assert_eq(rest, line + 2);
	cr_expect_eq(arguments.count, 0);
	arguments.command = "logs";
	cr_assert_not_null(arguments_take(&arguments, rest + 1, options, false, why));
	cr_expect_str_eq(argument(&arguments, "root"), "/x");
	cr_expect_not_null(argument(&arguments, "follow"));
}

Test(arguments, an_option_of_a_command_is_unknown_before_it)
{
	struct arguments arguments = {0};
	char why[WHY_TEXT];
	cr_expect_null(arguments_take(&arguments, LINE("-f", "logs"), options, true, why));
}

Test(arguments, too_many_words_are_refused)
{
	struct arguments arguments;
	char why[WHY_TEXT];
	const char *line[WORDS_MAX + 2];
	for (unsigned i = 0; i <= WORDS_MAX; i++)
		line[i] = "w";
	line[WORDS_MAX + 1] = NULL;
	cr_expect_not_null(take(&arguments, line + 1, why));
	cr_expect_eq(arguments.count, WORDS_MAX);
	cr_expect_null(take(&arguments, line, why));
}

/* -- nearly right -------------------------------------------------------------------------------------- */

Test(words, distances)
{
	cr_expect_eq(word_distance("", ""), 0);
	cr_expect_eq(word_distance("store", "store"), 0);
	cr_expect_eq(word_distance("", "abc"), 3);
	cr_expect_eq(word_distance("abc", ""), 3);
	cr_expect_eq(word_distance("stor", "store"), 1);
	cr_expect_eq(word_distance("sotre", "store"), 1); /* two neighbours swapped are one edit */
	cr_expect_eq(word_distance("kitten", "sitting"), 3);
}

Test(words, long_words_are_cut_and_do_no_harm)
{
	char a[300], b[300];
	memset(a, 'a', sizeof a - 1);
	memset(b, 'b', sizeof b - 1);
	a[sizeof a - 1] = b[sizeof b - 1] = '\0';
	cr_expect_eq(word_distance(a, b), WORD_MAX);
}

Test(words, the_nearest_come_best_first)
{
	static const char *const names[] = {"stop", "start", "status", "restart", "map", "tap", "drain"};
	struct nearest nearest = {0};
	char text[100];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		nearest_offer(&nearest, "statu", names[i]);
	cr_expect_str_eq(nearest_text(&nearest, text, sizeof text), "; did you mean status, start?");
}

Test(words, at_most_three_and_the_worst_falls_out)
{
	struct nearest nearest = {0};
	nearest_offer(&nearest, "abcd", "abxx");
	nearest_offer(&nearest, "abcd", "xxcd");
	nearest_offer(&nearest, "abcd", "axcx");
	nearest_offer(&nearest, "abcd", "abcx");
	nearest_offer(&nearest, "abcd", "zzzz");
	cr_assert_eq(nearest.count, NEAREST);
	cr_expect_str_eq(nearest.names[0], "abcx");
	cr_expect_str_eq(nearest.names[1], "abxx");
	cr_expect_str_eq(nearest.names[2], "xxcd");
}

Test(words, nothing_is_offered_for_what_is_far)
{
	struct nearest nearest = {0};
	char text[100];
	nearest_offer(&nearest, "zz", "status");
	cr_expect_str_eq(nearest_text(&nearest, text, sizeof text), "");
}

/* -- which machine ------------------------------------------------------------------------------------- */

Test(root, the_option_wins_then_the_environment_then_the_program)
{
	char root[100];
	cr_expect(strstr(root_find("/a", "/b", "/c/bin/warren", root, sizeof root), "--root"));
	cr_expect_str_eq(root, "/a");
	cr_expect(strstr(root_find(NULL, "/b", "/c/bin/warren", root, sizeof root), "$WARREN_ROOT"));
	cr_expect_str_eq(root, "/b");
	cr_expect_not_null(root_find(NULL, NULL, "/c/d/bin/warren", root, sizeof root));
	cr_expect_str_eq(root, "/c/d");
	cr_expect_not_null(root_find("", "", "/bin/warren", root, sizeof root));
	cr_expect_str_eq(root, "/");
}

Test(root, an_installed_one_means_the_machine_of_the_unit)
{
	char root[100];
	cr_expect(strstr(root_find(NULL, NULL, "/usr/lib/warren/warren", root, sizeof root), "installed"));
	cr_expect_str_eq(root, "/var/lib/warren/nodes");
	cr_expect_not_null(root_find("/a", NULL, "/usr/lib/warren/warren", root, sizeof root));
	cr_expect_str_eq(root, "/a");
	cr_expect_not_null(root_find(NULL, NULL, "/usr/lib/warrens/warren", root, sizeof root));
	cr_expect_str_eq(root, "/usr/lib");
}

Test(root, becomes_absolute_and_loses_its_last_slash)
{
	char root[5000], here[4096], expected[4200];
	cr_assert_not_null(getcwd(here, sizeof here));
	snprintf(expected, sizeof expected, "%s/a/b", strcmp(here, "/") == 0 ? "" : here);
	cr_assert_not_null(root_find("a/b///", NULL, NULL, root, sizeof root));
	cr_expect_str_eq(root, expected);
	cr_assert_not_null(root_find("/", NULL, NULL, root, sizeof root));
	cr_expect_str_eq(root, "/");
	cr_assert_eq(chdir("/"), 0);
	cr_assert_not_null(root_find("a", NULL, NULL, root, sizeof root));
	cr_expect_str_eq(root, "/a");
}

Test(root, what_does_not_fit_is_no_answer)
{
	char root[8];
	cr_expect_not_null(root_find("/12345", NULL, NULL, root, sizeof root));
	cr_expect_null(root_find("/1234567", NULL, NULL, root, sizeof root));
	cr_expect_null(root_find(NULL, NULL, "/1234567/bin/warren", root, sizeof root));
	cr_expect_null(root_find(NULL, NULL, NULL, root, sizeof root));
}
