/* A process that dies, a machine that loses its power, a disk that fails, each at every call that changes something. What was
 * acknowledged is there, what was not is there whole or not at all; and the same once more from the arena alone. */
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

/* What the store has said, written down where it outlives the process. */
enum { BLOBS = 14 };
enum said { NOTHING, PUT_ASKED, PUT_ACKED, DELETE_ASKED, DELETE_ACKED };
struct oracle {
	enum said said[BLOBS];
	bool lived_through_sync; /* one that failed */
};

static struct oracle *oracle; /* shared with the child */

static void setup(void)
{
	oracle = mmap(NULL, sizeof *oracle, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(oracle, MAP_FAILED);
}

TestSuite(cut, .init = setup, .timeout = 600);

static size_t length_of(unsigned i)
{
	static const size_t lengths[BLOBS] = {10,   5000,  CHUNK,     700, 150000, 0,    30000,
					      4000, 90000, CHUNK + 1, 1,   20000,  3000, 300000};
	return lengths[i];
}

/* -- the work that is cut off ---------------------------------------------------------------------------------------- */

struct ending {
	unsigned blob;
	bool over;
};

static void put_over(void *context, enum err err, const struct stored *stored)
{
	struct ending *ending = context;
	(void)stored;
	if (err == ERR_OK)
		oracle->said[ending->blob] = PUT_ACKED;
	ending->over = true;
}

static void start_put(struct house *house, unsigned i, struct ending *ending)
{
	static uint8_t bytes[300000];
	struct put *put;
	struct stored stored;
	*ending = (struct ending){i, false};
	fill(bytes, length_of(i), i);
	oracle->said[i] = PUT_ASKED;
	enum err err = store_put_begin(house->store, i % 3 ? length_of(i) : SIZE_UNKNOWN, &put);
	if (err == ERR_OK)
		err = store_put_data(put, bytes, length_of(i));
	if (err == ERR_OK)
		err = store_put_end(&put, &stored, put_over, ending);
	else
		store_put_abort(&put);
	if (err == ERR_OK)
		oracle->said[i] = PUT_ACKED;
	ending->over = err != ERR_KEPT;
}

static void delete_over(void *context, enum err err)
{
	struct ending *ending = context;
	if (err == ERR_OK)
		oracle->said[ending->blob] = DELETE_ACKED;
	ending->over = true;
}

static void start_delete(struct house *house, unsigned i, struct ending *ending)
{
	static uint8_t bytes[300000];
	*ending = (struct ending){i, false};
	if (oracle->said[i] != PUT_ACKED) {
		ending->over = true;
		return;
	}
	fill(bytes, length_of(i), i);
	struct cid cid = cid_of(bytes, length_of(i));
	oracle->said[i] = DELETE_ASKED;
	ending->over = store_delete(house->store, &cid, delete_over, ending) != ERR_KEPT;
}

static void wait_all(struct house *house, struct ending *endings, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		while (!endings[i].over)
			turn(house);
}

/* Puts by ones and by fours, deletes between them, a put in the place of what was deleted. */
static void work(struct house *house)
{
	struct ending endings[8];
	start_put(house, 0, &endings[0]);
	wait_all(house, endings, 1);
	for (unsigned i = 0; i < 4; i++)
		start_put(house, 1 + i, &endings[i]);
	wait_all(house, endings, 4);
	start_delete(house, 0, &endings[0]);
	start_put(house, 5, &endings[1]);
	start_delete(house, 3, &endings[2]);
	start_put(house, 6, &endings[3]);
	wait_all(house, endings, 4);
	for (unsigned i = 0; i < 7; i++)
		start_put(house, 7 + i, &endings[i]);
	wait_all(house, endings, 7);
	for (unsigned i = 0; i < 4; i++)
		start_delete(house, 4 + 2 * i, &endings[i]);
	wait_all(house, endings, 4);
}

/* -- what must hold afterwards --------------------------------------------------------------------------------------- */

static void expect_promises(struct house *house, const char *what, uint64_t nth)
{
	for (unsigned i = 0; i < BLOBS; i++) {
		enum err err = get_seeded(house, i, length_of(i)); /* wrong bytes fail the test in there */
		bool there = err == ERR_OK;
		switch (oracle->said[i]) {
		case NOTHING:
		case DELETE_ACKED:
			cr_assert_eq(err, ERR_NOT_FOUND, "%s %lu: blob %u: %s", what, (unsigned long)nth, i,
				     err_name(err));
			break;
		case PUT_ACKED:
			cr_assert(there, "%s %lu: blob %u was acknowledged: %s", what, (unsigned long)nth, i,
				  err_name(err));
			break;
		case PUT_ASKED:
		case DELETE_ASKED:
			cr_assert(there || err == ERR_NOT_FOUND, "%s %lu: blob %u is half there: %s", what,
				  (unsigned long)nth, i, err_name(err));
			break;
		}
	}
	house_audit(house);
}

/* The work in a process of its own. Returns its status. */
static int in_a_process(struct house *house, enum disk_trouble trouble, uint64_t nth, int number)
{
	memset(oracle, 0, sizeof *oracle);
	pid_t child = fork();
	if (child == 0) {
		disk_trouble(trouble, nth, number, nth);
		if (house_try(house) == STORE_OK) {
			bool before = disk_fired_on_sync();
			work(house);
			oracle->lived_through_sync = disk_fired_on_sync() && !before;
			house_close(house);
		}
		_exit(disk_fired() ? 1 : 0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

/* Cuts the work off at each call, `step` apart, until it runs through. */
static void cut_off(enum disk_trouble trouble, const char *what, uint64_t from, uint64_t step)
{
	uint64_t cuts = 0;
	for (uint64_t nth = from;; nth += step) {
		struct house house;
		house_make(&house, 8 * MIB);
		house_init(&house);
		int status = in_a_process(&house, trouble, nth, 0);
		bool cut = WIFEXITED(status) && WEXITSTATUS(status) == DISK_ENDED;
		cr_assert(cut || status == 0, "%s %lu: status %x", what, (unsigned long)nth, status);
		house_open(&house);
		cr_assert_not(stat_of(&house).rebuilt, "%s %lu: the index did not survive", what,
			      (unsigned long)nth);
		expect_promises(&house, what, nth);
		expect_same_after_rebuild(&house);
		expect_promises(&house, what, nth);
		house_remove(&house);
		cuts += cut;
		if (!cut)
			break;
	}
	cr_expect_gt(cuts * step, 60, "only %lu cuts", (unsigned long)cuts);
}

Test(cut, killed_at_every_step)
{
	cut_off(DISK_PROCESS_ENDS, "killed at", 1, STRIDE);
}

Test(cut, power_lost_at_every_step)
{
	cut_off(DISK_POWER_ENDS, "power lost at", 1, STRIDE);
}

/* The index is lost together with the process: what the arena alone says must keep every promise, too. */
Test(cut, killed_and_the_index_lost)
{
	for (uint64_t nth = 2;; nth += 1 + 2 * STRIDE) { /* odd and even by turns */
		struct house house;
		house_make(&house, 8 * MIB);
		house_init(&house);
		int status = in_a_process(&house, nth % 2 ? DISK_POWER_ENDS : DISK_PROCESS_ENDS, nth, 0);
		house_lose_index(&house);
		house_open(&house);
		/* A delete that was acknowledged has zeroed its header with a sync behind it, so this holds for deletes, too. */
		expect_promises(&house, "index lost at", nth);
		expect_same_after_rebuild(&house);
		house_remove(&house);
		if (status == 0)
			break;
	}
}

/* The control: on a disk that says it has synced and has not, this very test must notice. */
Test(cut, a_lying_disk_is_noticed)
{
	unsigned lost = 0;
	for (uint64_t nth = 40; nth < 90; nth += 5) {
		struct house house;
		house_make(&house, 8 * MIB);
		house_init(&house);
		disk_lies(true);
		in_a_process(&house, DISK_POWER_ENDS, nth, 0);
		disk_lies(false);
		bool kept = house_try(&house) == STORE_OK && !stat_of(&house).rebuilt;
		for (unsigned i = 0; kept && i < BLOBS; i++) {
			static uint8_t bytes[300000], there[400000];
			size_t got;
			fill(bytes, length_of(i), i);
			struct cid cid = cid_of(bytes, length_of(i));
			if (oracle->said[i] == PUT_ACKED)
				kept = get_range(&house, &cid, 0, UINT64_MAX, there, &got) == ERR_OK;
		}
		lost += !kept;
		house_remove(&house);
	}
	cr_expect_geq(lost, 3U, "only %u of 10 lost something: the test sees too little", lost);
}

/* A death in the middle of a rebuild, and of ending deletes, leaves it to the next start. */
Test(cut, killed_while_starting)
{
	for (uint64_t nth = 1;; nth += STRIDE == 1 ? 1 : 3) {
		struct house house;
		house_make(&house, 8 * MIB);
		house_init(&house);
		in_a_process(&house, DISK_PROCESS_ENDS, 70, 0);
		struct oracle said = *oracle;
		if (nth % 2)
			unlink(house_file(&house, "index.db"));
		pid_t child = fork();
		if (child == 0) {
			disk_trouble(DISK_POWER_ENDS, nth / 2 + 1, 0, nth);
			enum store_end end = house_try(&house);
			_exit(end == STORE_OK && !disk_fired() ? 0 : 1);
		}
		int status;
		cr_assert_eq(waitpid(child, &status, 0), child);
		*oracle = said;
		house_open(&house);
		expect_promises(&house, "starting, killed at", nth);
		expect_same_after_rebuild(&house);
		house_remove(&house);
		if (status == 0 && nth % 2) /* a rebuild has the most steps */
			break;
	}
}

/* -- a disk that fails ----------------------------------------------------------------------------------------------- */

/* Every call fails once, or from then on. Ending the process is right when a sync failed; a wrong answer never is. */
static void fail_each(enum disk_trouble trouble, int number, const char *what, unsigned *aborted,
		      unsigned *lived)
{
	for (uint64_t nth = 1;; nth += STRIDE) {
		struct house house;
		house_make(&house, 8 * MIB);
		house_init(&house);
		int status = in_a_process(&house, trouble, nth, number);
		bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
		cr_assert(died || WIFEXITED(status), "%s %lu: status %x", what, (unsigned long)nth, status);
		cr_assert_not(oracle->lived_through_sync, "%s %lu: a sync failed, and it went on", what,
			      (unsigned long)nth);
		house_open(&house);
		expect_promises(&house, what, nth);
		expect_same_after_rebuild(&house);
		house_remove(&house);
		*aborted += died;
		*lived += !died;
		if (status == 0)
			break;
	}
}

Test(cut, each_call_fails_once)
{
	unsigned aborted = 0, lived = 0;
	fail_each(DISK_FAILS_ONCE, EIO, "EIO once at", &aborted, &lived);
	cr_expect(aborted * STRIDE > 5 && lived * STRIDE > 20,
		  "%u ended, %u went on: both must have happened", aborted, lived);
}

Test(cut, each_call_and_all_after_it_fail)
{
	unsigned aborted = 0, lived = 0;
	fail_each(DISK_FAILS, EIO, "EIO from", &aborted, &lived);
	cr_expect(aborted * STRIDE > 5 && lived * STRIDE > 20,
		  "%u ended, %u went on: both must have happened", aborted, lived);
}

Test(cut, each_call_finds_the_disk_full)
{
	unsigned aborted = 0, lived = 0;
	fail_each(DISK_FAILS, ENOSPC, "ENOSPC from", &aborted, &lived);
	cr_expect(lived * STRIDE > 20, "%u ended, %u went on", aborted, lived);
}

Test(cut, short_writes_and_reads)
{
	struct house house;
	house_make(&house, 8 * MIB);
	house_init(&house);
	cr_assert_eq(in_a_process(&house, DISK_SHORT, 0, 0), 0);
	house_open(&house);
	for (unsigned i = 0; i < BLOBS; i++)
		cr_expect(oracle->said[i] == PUT_ACKED || oracle->said[i] == DELETE_ACKED);
	expect_promises(&house, "short", 0);
	expect_same_after_rebuild(&house);
	house_remove(&house);
}
