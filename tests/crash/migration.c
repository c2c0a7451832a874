/* An index of an older version is being migrated when the process dies, the power goes, the disk fails: at each call that changes
 * something. The next start has every blob, and the old index is kept. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Under a sanitizer a process of its own takes long: there, every fifth step. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif

TestSuite(migration, .timeout = 600);

static int open_in_a_process(struct house *house, enum disk_trouble trouble, uint64_t nth, int number)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		disk_trouble(trouble, nth, number, nth);
		enum store_end end = house_try(house);
		if (end == STORE_OK)
			house_close(house);
		_exit(disk_fired() ? 1 : end == STORE_OK ? 0 : 2);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

/* Killed before each call that changes something, or the power goes there: the next start has every blob, by migration and not by
 * a rebuild, and the old one is kept. */
static void cut_off(enum disk_trouble trouble, const char *what)
{
	unsigned before = 0, after = 0;
	for (uint64_t nth = 1;; nth += STRIDE) {
		struct house house;
		fixture_unpack(&house, fixtures[nth % FIXTURES_OLDER]);
		ino_t was = house_inode(&house, "index.db");
		int status = open_in_a_process(&house, trouble, nth, 0);
		bool done = status == 0, old = house_is_inode(&house, "index.db", was);
		cr_assert(done || (WIFEXITED(status) && WEXITSTATUS(status) == DISK_ENDED),
			  "%s %lu: status %x", what, (unsigned long)nth, status);
		before += !done && old;
		after += !done && !old;
		house_open(&house);
		cr_assert_not(stat_of(&house).rebuilt, "%s %lu", what, (unsigned long)nth);
		expect_fixture(&house, what);
		cr_assert(house_is_inode(&house, fixtures_kept[nth % FIXTURES_OLDER], was),
			  "%s %lu: the old one is lost", what, (unsigned long)nth);
		cr_assert_not(house_has(&house, "index.db.draft"));
		cr_assert_not(house_has(&house, "index.db.keep"));
		house_remove(&house);
		if (done)
			break;
	}
	cr_expect(before * STRIDE > 10 && after * STRIDE > 3, "%u before, %u after the new one was there",
		  before, after);
}

Test(migration, killed_at_each_step_of_a_migration)
{
	cut_off(DISK_PROCESS_ENDS, "killed at");
}

Test(migration, power_lost_at_each_step_of_a_migration)
{
	cut_off(DISK_POWER_ENDS, "power lost at");
}

/* A disk that is full or fails from some call on: the old one stays as it was, nothing half is left in force, and it goes on when
 * the disk is good again. */
static void fails(int number, const char *what)
{
	unsigned refused = 0;
	for (uint64_t nth = 1;; nth += STRIDE) {
		struct house house;
		fixture_unpack(&house, fixtures[nth % FIXTURES_OLDER]);
		ino_t was = house_inode(&house, "index.db");
		int status = open_in_a_process(&house, DISK_FAILS, nth, number);
		bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
		cr_assert(died || WIFEXITED(status), "%s %lu: status %x", what, (unsigned long)nth, status);
		refused += house_is_inode(&house, "index.db", was);
		house_open(&house);
		cr_assert_not(stat_of(&house).rebuilt, "%s %lu", what, (unsigned long)nth);
		expect_fixture(&house, what);
		cr_assert(house_is_inode(&house, fixtures_kept[nth % FIXTURES_OLDER], was), "%s %lu", what,
			  (unsigned long)nth);
		house_remove(&house);
		if (status == 0)
			break;
	}
	cr_expect_gt(refused * STRIDE, 10U, "%u", refused);
}

Test(migration, the_disk_fails_in_a_migration)
{
	fails(EIO, "EIO from");
}

Test(migration, the_disk_is_full_in_a_migration)
{
	fails(ENOSPC, "ENOSPC from");
}
