/* The mechanism alone, with a format of nothing but its version. (Deaths and failing disks: tests/crash/migration.c.) */
#include "actors/base/migrate/migrate.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/warren-migrate-XXXXXX";
static int folder;
static unsigned steps, breaks_at;

static void setup(void)
{
	cr_assert_not_null(mkdtemp(path));
	folder = open(path, O_RDONLY | O_DIRECTORY);
	steps = breaks_at = 0;
}

static void put(const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const char *text_of(const char *name)
{
	static char text[200];
	int fd = openat(folder, name, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got < 0 ? "(none)" : text;
}

static void teardown(void)
{
	static const char *const names[] = {"f", "f.v1", "f.v2", "f.draft", "f.keep", "other"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlinkat(folder, names[i], 0);
	close(folder);
	rmdir(path);
}

TestSuite(migrate, .init = setup, .fini = teardown);

static enum migrate_end step(void *context, unsigned from, char why[MIGRATE_WHY])
{
	char expected[20], next[20];
	snprintf(expected, sizeof expected, "version %u", from);
	snprintf(next, sizeof next, "version %u", from + 1);
	cr_assert_str_eq(text_of("f.draft"), expected);
	cr_assert_str_eq(context, "context");
	put("f.draft", next);
	steps++;
	if (from == breaks_at)
		snprintf(why, MIGRATE_WHY, "broken");
	return from == breaks_at ? MIGRATE_DAMAGED : MIGRATE_OK;
}

static enum migrate_end to(unsigned version, unsigned from)
{
	char why[MIGRATE_WHY] = "", context[] = "context";
	const struct migration migration = {"f", from, version, step, context, NULL, NULL};
	enum migrate_end end = migrate(folder, &migration, why);
	cr_expect_eq(end == MIGRATE_OK, !*why, "%s", why);
	return end;
}

Test(migrate, step_by_step_with_the_old_one_kept)
{
	struct stat was, kept, now;
	put("f", "version 1");
	fstatat(folder, "f", &was, 0);
	cr_assert_eq(to(4, 1), MIGRATE_OK);
	cr_expect_eq(steps, 3);
	cr_expect_str_eq(text_of("f"), "version 4");
	cr_expect_str_eq(text_of("f.v1"), "version 1");
	fstatat(folder, "f.v1", &kept, 0);
	fstatat(folder, "f", &now, 0);
	cr_expect(kept.st_ino == was.st_ino && now.st_ino != was.st_ino);
	cr_expect(now.st_mode == was.st_mode && now.st_uid == was.st_uid && now.st_nlink == 1 &&
		  kept.st_nlink == 1);
	cr_expect_str_eq(text_of("f.draft"), "(none)");
}

Test(migrate, a_step_that_fails_changes_nothing)
{
	put("f", "version 1");
	breaks_at = 2;
	cr_assert_eq(to(4, 1), MIGRATE_DAMAGED);
	cr_expect_str_eq(text_of("f"), "version 1");
	cr_expect_str_eq(text_of("f.v1"), "(none)");
	cr_expect_str_eq(text_of("f.draft"), "(none)");
}

Test(migrate, what_a_death_left_is_not_used)
{
	put("f", "version 1");
	put("f.draft", "half of something");
	put("f.keep", "something else");
	cr_assert_eq(to(2, 1), MIGRATE_OK);
	cr_expect_str_eq(text_of("f"), "version 2");
	cr_expect_str_eq(text_of("f.v1"), "version 1");
	cr_expect_str_eq(text_of("f.keep"), "(none)");
}

/* Between the second name and the rename. */
Test(migrate, a_death_after_the_old_one_was_kept)
{
	put("f", "version 1");
	cr_assert_eq(linkat(folder, "f", folder, "f.v1", 0), 0);
	cr_assert_eq(to(2, 1), MIGRATE_OK);
	cr_expect_str_eq(text_of("f"), "version 2");
	cr_expect_str_eq(text_of("f.v1"), "version 1");
	cr_expect_str_eq(text_of("f.keep"), "(none)");
}

Test(migrate, the_newest_of_a_version_is_kept)
{
	put("f", "version 1");
	put("f.v1", "an earlier one");
	cr_assert_eq(to(2, 1), MIGRATE_OK);
	cr_expect_str_eq(text_of("f.v1"), "version 1");
}

Test(migrate, a_link_is_not_followed)
{
	put("other", "version 1");
	cr_assert_eq(symlinkat("other", folder, "f"), 0);
	cr_assert_eq(to(2, 1), MIGRATE_DISK);
	cr_expect_str_eq(text_of("other"), "version 1");
	cr_expect_str_eq(text_of("f.draft"), "(none)");
}
