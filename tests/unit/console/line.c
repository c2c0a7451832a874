/* A typed line as words; what may come next; what top computes. */
#include "actors/console/commands.h"
#include "actors/console/complete.h"
#include "actors/console/live.h"
#include "actors/console/work.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- words --------------------------------------------------------------------------------------------------- */

static char line[256];
static const char *words[16];

static int cut(const char *text)
{
	snprintf(line, sizeof line, "%s", text);
	return line_words(line, words, 16);
}

Test(line, spaces_part_and_quotes_keep_together)
{
	cr_assert_eq(cut("  logs  store@1 --grep 'two words' \"a \\\" b\" c\\ d "), 6);
	cr_expect_str_eq(words[0], "logs");
	cr_expect_str_eq(words[1], "store@1");
	cr_expect_str_eq(words[3], "two words");
	cr_expect_str_eq(words[4], "a \" b");
	cr_expect_str_eq(words[5], "c d");
	cr_expect_null(words[6]);
	cr_expect_eq(cut(""), 0);
	cr_expect_eq(cut("   "), 0);
	cr_assert_eq(cut("a '' b"), 3);
	cr_expect_str_eq(words[1], "");
}

Test(line, an_open_quote_and_too_many_words_are_refused)
{
	cr_expect_eq(cut("logs 'open"), -1);
	cr_expect_eq(cut("logs \"open"), -1);
	cr_expect_eq(cut("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"), 15);
	cr_expect_eq(cut("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"), -1);
}

/* -- completion ---------------------------------------------------------------------------------------------- */

static struct candidates offered;

#define COMPLETE(prefix, root, ...) \
	complete(&offered, (const char *[]){__VA_ARGS__}, \
		 sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), prefix, root)

static bool has(const char *text)
{
	for (unsigned i = 0; i < offered.count; i++)
		if (strcmp(offered.all[i], text) == 0)
			return true;
	return false;
}

Test(complete, every_command_that_has_a_help_and_no_other)
{
	const struct command *command;
	complete(&offered, NULL, 0, "", NULL);
	for (unsigned i = 0; (command = command_at(i)); i++)
		cr_expect_eq(has(command->name), *command->help != '\0', "%s", command->name);
	complete(&offered, NULL, 0, "lo", NULL);
	cr_assert_eq(offered.count, 1);
	cr_expect_str_eq(offered.all[0], "logs");
}

Test(complete, calls_and_fields_come_from_the_rows)
{
	const struct call_row *row;
	COMPLETE("", NULL, "call", "store@1");
	for (unsigned i = 0; (row = call_at(i)); i++)
		cr_expect_eq(has(row->name), row->number >> 8 == STORE || row->number >> 8 == 0, "%s",
			     row->name);
	COMPLETE("", NULL, "call", "store@1", "store_list");
	cr_expect(has("after=") && has("most=") && offered.count == 2);
	COMPLETE("", NULL, "call", "store@1", "store_list", "most=5");
	cr_expect(has("after="));
	COMPLETE("st", NULL, "--root", "/x", "--json", "call", "steward");
	cr_expect(has("steward_status") && !has("store_stat"));
}

Test(complete, options_and_their_values)
{
	COMPLETE("--", NULL, "logs");
	cr_expect(has("--follow") && has("--json") && !has("--tier"));
	COMPLETE("", NULL, "logs", "--level");
	cr_expect(has("debug") && has("error") && !has("store@1"));
	COMPLETE("", NULL, "add", "--tier");
	cr_expect(has("bronze") && offered.count == 4);
	COMPLETE("", NULL, "level", "store@1");
	cr_expect(has("warn") && offered.count == 4);
	COMPLETE("", NULL, "help");
	cr_expect(has("status") && has("why"));
	COMPLETE("", NULL, "status");
	cr_expect_eq(offered.count, 0, "it takes no word");
}

Test(complete, the_nodes_of_a_machine_are_known_by_their_sockets)
{
	char root[] = "/tmp/complete-XXXXXX", path[64], file[96];
	cr_assert_not_null(mkdtemp(root));
	snprintf(path, sizeof path, "%s/run", root);
	mkdir(path, 0700);
	for (int node = 1; node <= 12; node += 11) {
		snprintf(file, sizeof file, "%s/store-%d.sock", path, node);
		fclose(fopen(file, "w"));
	}
	COMPLETE("", root, "logs");
	cr_expect(has("store@1") && has("wallet@12") && has("broker") && has("12") && !has("store@2"));
	COMPLETE("g", root, "restart");
	cr_expect(has("gateway@1") && has("gateway@12") && offered.count == 2);
	COMPLETE("", root, "why");
	cr_expect(has("1") && has("store@12") && has("ask-denied"));
	for (int node = 1; node <= 12; node += 11) {
		snprintf(file, sizeof file, "%s/store-%d.sock", path, node);
		unlink(file);
	}
	rmdir(path);
	rmdir(root);
}

/* -- top ----------------------------------------------------------------------------------------------------- */

Test(work, ticks_are_read_behind_the_name_whatever_it_holds)
{
	cr_expect_eq(stat_ticks("42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 700 55 0 0 20"), 755);
	cr_expect_eq(stat_ticks(""), UINT64_MAX);
	cr_expect_eq(stat_ticks("42 (x"), UINT64_MAX);
}

Test(work, rates_and_percentiles_are_of_what_happened_between_the_looks)
{
	struct worker worker = {.before_ns = 1000000000, .now_ns = 3000000000};
	worker.before.cpu_ticks = 100;
	worker.now.cpu_ticks = 150;
	cr_expect_eq(worker_cpu(&worker, 100), 250, "half a second of two: a quarter of a core");
	cr_expect_eq(rate(10, 30, 2000000000), 10);
	cr_expect_eq(rate(30, 10, 2000000000), UINT64_MAX, "it was born again");
	cr_expect_eq(rate(UINT64_MAX, 10, 2000000000), UINT64_MAX);
	cr_expect_eq(worker_percentile(&worker, 50), UINT64_MAX, "nothing was answered");
	worker.before.buckets[20] = 1000; /* long ago, and slow */
	worker.now.buckets[20] = 1000;
	worker.now.buckets[5] = 98;
	worker.now.buckets[10] = 2;
	cr_expect_eq(worker_percentile(&worker, 50), 32);
	cr_expect_eq(worker_percentile(&worker, 98), 32);
	cr_expect_eq(worker_percentile(&worker, 99), 1024);
}
