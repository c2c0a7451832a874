/* Pins, the trash, and the collector's deletes, cut off at each call that changes something: what was told to have happened has,
 * what was not told has happened whole or not at all. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/house.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Under a sanitizer a process of its own takes long: there, every fifth step. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif

enum { BLOBS = 6 };

enum fate { ABSENT, HERE, PINNED, TRASHED };
struct oracle { /* of each blob: as it was told to be, and as it was asked to be after that */
	enum fate told[BLOBS], asked[BLOBS];
};
static struct oracle *oracle; /* shared with the child */

static void setup(void)
{
	oracle = mmap(NULL, sizeof *oracle, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(oracle, MAP_FAILED);
}

TestSuite(fate_cut, .init = setup, .timeout = 600);

static size_t length_of(unsigned i)
{
	static const size_t lengths[BLOBS] = {10, 5000, 150000, 700, 0, 70000};
	return lengths[i];
}

static struct cid cid_at(unsigned i)
{
	static uint8_t bytes[150000];
	fill(bytes, length_of(i), i);
	return cid_of(bytes, length_of(i));
}

/* -- the work that is cut off ---------------------------------------------------------------------------------------- */

static void change(struct house *house, unsigned i, enum fate to)
{
	struct cid cid = cid_at(i);
	enum fate from = oracle->told[i];
	enum err err = ERR_OK;
	if (oracle->asked[i] != from) /* an earlier change failed, so what it is now is not known */
		return;
	oracle->asked[i] = to;
	switch (to) {
	case ABSENT:
		err = from == TRASHED ? purge_now(house, &cid, INT64_MAX) : delete_now(house, &cid);
		break;
	case PINNED:
		err = pin_now(house, &cid, true);
		break;
	case TRASHED:
		err = trash_now(house, &cid, 1000);
		break;
	case HERE:
		err = from == TRASHED && i % 2 ? restore_now(house, &cid)
		      : from == PINNED         ? pin_now(house, &cid, false)
					       : put_seeded(house, i, length_of(i), NULL);
		break;
	}
	if (err == ERR_OK)
		oracle->told[i] = to;
}

static void one_row(void *context, const struct store_blob *blob)
{
	struct store_blob *rows = context;
	for (unsigned i = 0; i < BLOBS; i++) {
		struct cid cid = cid_at(i);
		if (memcmp(&cid, &blob->cid, sizeof cid) == 0)
			rows[i] = *blob;
	}
}

static void one_over(void *context, enum err err)
{
	*(enum err *)context = err;
}

static void collect(struct house *house, unsigned i)
{
	struct store_blob rows[BLOBS] = {0};
	enum err end = ERR_KEPT;
	if (oracle->told[i] != HERE || oracle->asked[i] != HERE ||
	    store_blobs(house->store, NULL, 64, one_row, rows) != ERR_OK)
		return;
	oracle->asked[i] = ABSENT;
	if (store_collect(house->store, &rows[i], one_over, &end) != ERR_KEPT)
		return;
	while (end == ERR_KEPT)
		turn(house);
	if (end == ERR_OK)
		oracle->told[i] = ABSENT;
}

static void work(struct house *house)
{
	for (unsigned i = 0; i < BLOBS; i++)
		change(house, i, HERE);
	change(house, 0, PINNED);
	for (unsigned i = 1; i < 5; i++)
		change(house, i, TRASHED);
	change(house, 1, HERE); /* restored */
	change(house, 2, HERE); /* put again */
	change(house, 3, ABSENT);
	change(house, 0, HERE);
	change(house, 1, PINNED);
	collect(house, 5);
	collect(house, 2);
	change(house, 4, ABSENT);
}

/* -- what must hold afterwards --------------------------------------------------------------------------------------- */

static void expect_promises(struct house *house, const char *what, uint64_t nth)
{
	struct store_blob rows[BLOBS] = {0};
	unsigned trashed = 0;
	cr_assert_eq(store_blobs(house->store, NULL, 64, one_row, rows), ERR_OK);
	for (unsigned i = 0; i < BLOBS; i++) {
		bool there = rows[i].charge;
		enum fate is = !there ? ABSENT : rows[i].trashed ? TRASHED : rows[i].pinned ? PINNED : HERE;
		cr_assert(is == oracle->told[i] || is == oracle->asked[i],
			  "%s %lu: blob %u is %d, was told %d, asked %d", what, (unsigned long)nth, i, is,
			  oracle->told[i], oracle->asked[i]);
		enum err right = is == HERE || is == PINNED ? ERR_OK : ERR_NOT_FOUND;
		cr_assert_eq(get_seeded(house, i, length_of(i)), right, "%s %lu: blob %u", what,
			     (unsigned long)nth, i);
		trashed += is == TRASHED;
	}
	/* Restored, all of it, its bytes are whole; and then the sums are those of the list. */
	for (unsigned i = 0; i < BLOBS && trashed; i++)
		if (rows[i].trashed) {
			struct cid cid = cid_at(i);
			cr_assert_eq(restore_now(house, &cid), ERR_OK);
		}
	house_audit(house);
}

static int in_a_process(struct house *house, enum disk_trouble trouble, uint64_t nth, int number)
{
	memset(oracle, 0, sizeof *oracle);
	pid_t child = fork();
	if (child == 0) {
		disk_trouble(trouble, nth, number, nth);
		if (house_try(house) == STORE_OK) {
			work(house);
			house_close(house);
		}
		_exit(disk_fired() ? 1 : 0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static void each_step(enum disk_trouble trouble, int number, const char *what)
{
	uint64_t cuts = 0;
	for (uint64_t nth = 1;; nth += STRIDE) {
		struct house house;
		house_make(&house, 8 * MIB);
		house_init(&house);
		int status = in_a_process(&house, trouble, nth, number);
		bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
		cr_assert(WIFEXITED(status) || (died && trouble == DISK_FAILS_ONCE), "%s %lu: status %x",
			  what, (unsigned long)nth, status);
		house_open(&house);
		cr_assert_not(stat_of(&house).rebuilt, "%s %lu", what, (unsigned long)nth);
		expect_promises(&house, what, nth);
		house_remove(&house);
		cuts += status != 0;
		if (status == 0)
			break;
	}
	cr_expect_gt(cuts * STRIDE, 60, "only %lu cuts", (unsigned long)cuts);
}

Test(fate_cut, killed_at_every_step)
{
	each_step(DISK_PROCESS_ENDS, 0, "killed at");
}

Test(fate_cut, power_lost_at_every_step)
{
	each_step(DISK_POWER_ENDS, 0, "power lost at");
}

Test(fate_cut, each_call_fails_once)
{
	each_step(DISK_FAILS_ONCE, EIO, "EIO once at");
}
