/* A clock for what expires: every way in which the wall clock can be wrong. */
#include "actors/base/age/age.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

enum { HOUR = 3600, DAY = 86400, YEAR = 365 * DAY };
static const int64_t BEGIN = 1800000000, UP = 5000;

static struct age begun(void)
{
	struct age age = {0};
	cr_assert_eq(age_step(&age, BEGIN, UP), BEGIN, "the first look is believed");
	return age;
}

/* Looks every minute for so long, while the wall clock is wrong by `wrong`; the last answer. */
static int64_t live(struct age *age, int64_t *passed, int64_t seconds, int64_t wrong)
{
	int64_t said = 0;
	for (int64_t end = *passed + seconds; *passed < end;) {
		*passed += 60;
		said = age_step(age, BEGIN + *passed + wrong, UP + *passed);
	}
	return said;
}

Test(age, a_clock_that_is_right_is_followed)
{
	struct age age = begun();
	int64_t passed = 0;
	int64_t said = live(&age, &passed, 10 * DAY, 0);
	cr_assert_eq(said, BEGIN + passed);
}

Test(age, a_jump_ahead_is_not_believed_and_no_harm_is_left)
{
	struct age age = begun();
	int64_t passed = 0;
	live(&age, &passed, DAY, 0);
	int64_t said = live(&age, &passed, 8 * HOUR, 12 * YEAR);
	cr_assert(said >= BEGIN + passed && said <= BEGIN + passed + HOUR, "an hour too far after eight");
	said = live(&age, &passed, 60, 0);
	cr_assert_eq(said, BEGIN + passed, "right again at once");
	said = live(&age, &passed, 60, 12 * YEAR);
	cr_assert(said <= BEGIN + passed + HOUR + 60, "and the next jump is no better");
}

Test(age, a_jump_back_expires_nothing_and_is_over_when_it_is_over)
{
	struct age age = begun();
	int64_t passed = 0;
	int64_t said = live(&age, &passed, HOUR, -40 * YEAR);
	cr_assert_eq(said, BEGIN + passed - 40 * YEAR, "never more than the wall clock");
	said = live(&age, &passed, 60, 0);
	cr_assert_eq(said, BEGIN + passed, "what was lived through meanwhile counts");
}

Test(age, a_clock_that_was_slow_is_caught_up_with)
{
	struct age age = begun();
	int64_t passed = 0;
	int64_t said = live(&age, &passed, HOUR, 10 * HOUR);
	cr_assert_lt(said, BEGIN + passed + HOUR);
	said = live(&age, &passed, 100 * HOUR, 10 * HOUR);
	cr_assert_eq(said, BEGIN + passed + 10 * HOUR);
}

/* Looks that come each second must not round the eighth away, nor add it up to more. */
Test(age, often_is_as_seldom)
{
	struct age age = begun();
	int64_t said = 0;
	for (int64_t second = 1; second <= 8000; second++)
		said = age_step(&age, BEGIN + YEAR, UP + second);
	cr_assert(said >= BEGIN + 8900 && said <= BEGIN + 9000, "%ld", (long)(said - BEGIN));
}

Test(age, the_machine_was_off)
{
	struct age age = begun();
	cr_assert_eq(age_step(&age, BEGIN + HOUR, 10), BEGIN + HOUR, "for an hour");
	age = begun();
	cr_assert_eq(age_step(&age, BEGIN + 30 * DAY, 80), BEGIN + DAY + 80 + 10,
		     "for a month, or so says the clock");
	age = begun();
	cr_assert_eq(age_step(&age, BEGIN - DAY, 10), BEGIN - DAY, "and its clock forgot the time");
}

Test(age, what_is_stamped_does_not_go_back)
{
	struct age age = {0};
	int64_t now = age_now(&age);
	age.at += 10 * DAY; /* as if the wall clock had gone back ten days since */
	cr_assert_leq(age_now(&age), now + 60);
	cr_assert_geq(age_stamp(&age), now + 10 * DAY);
}

Test(age, the_file)
{
	char path[PLACE], text[65] = "";
	struct age age = begun(), other = {7, 7};
	place_make(path, "age");
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_not(age_load(&other, folder), "there is none");
	cr_assert(age_save(&age, folder) && age_save(&age, folder));
	cr_assert(age_load(&other, folder));
	cr_assert(other.at == age.at && other.boot == age.boot);
	int fd = openat(folder, AGE_FILE, O_RDWR | O_CLOEXEC);
	cr_assert_eq(pread(fd, text, 64, 0), 64);
	static const char *const lies[] = {"warren age 2 at 5 boot 5", "warren age 1 at -5 boot 5",
					   "warren age 1 at 5", ""};
	for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
		char lie[65];
		snprintf(lie, sizeof lie, "%-63s\n", lies[i]);
		cr_assert_eq(pwrite(fd, lie, 64, 0), 64);
		other = (struct age){7, 7};
		cr_assert_not(age_load(&other, folder), "%s", lies[i]);
		cr_assert_eq(other.at, 7);
	}
	cr_assert_eq(ftruncate(fd, 20), 0);
	cr_assert_not(age_load(&other, folder), "cut short");
	close(fd);
	cr_assert_eq(unlinkat(folder, AGE_FILE, 0), 0);
	close(folder);
	cr_assert_eq(rmdir(path), 0);
}
