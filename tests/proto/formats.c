/* The table of lasting files in a README is the table of the rows. */
#include "proto/formats.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

Test(formats, the_readme_says_what_the_rows_say)
{
	static char text[64 * 1024];
	unsigned count = 0, lines = 0;
	FILE *file = fopen(WARREN_MIGRATE_README, "r");
	cr_assert_not_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	for (const struct format_row *row; (row = format_row_at(count)); count++) {
		char line[600];
		snprintf(line, sizeof line, "\n| %s | %u | `%s` | %s | %s | %s |\n", row->name, row->version,
			 row->file, row->whose, row->where, row->older);
		cr_expect_not_null(strstr(text, line), "not in the README:%s", line);
		cr_expect_gt(row->version, 0);
	}
	for (const char *at = text; (at = strstr(at, "\n| ")); at++)
		lines++;
	cr_expect_eq(lines, count + 1, "the README has %u lines of a table, the rows and a head are %u",
		     lines, count + 1);
}

Test(formats, a_newer_one_is_refused_by_both_versions)
{
	char text[FORMAT_SENTENCE];
	cr_expect_str_eq(
		format_newer("index.db", 9, 2, text),
		"index.db is of version 9, and this warren knows 2: install the warren that wrote it, or "
		"restore a backup");
	cr_expect_lt(
		strlen(format_newer("a/file/whose/name/is/quite/long/so/that/it/is/cut/before/it/is/shown",
				    UINT64_MAX, UINT32_MAX, text)),
		(size_t)FORMAT_SENTENCE);
}
