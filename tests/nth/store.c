/* The store, each of its operations with the Nth call of its world failing: made, opened, opened without its index, opened with an
 * index of an older version, worked, carried into a backup. What was told to have happened has, what was not has happened whole or
 * not at all, what was read is right, and the next opening succeeds. */
#include "actors/base/crypto/crypto.h"
#include "actors/store/carry.h"
#include "tests/nth/trial.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/store/house.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOBS = 6, LARGEST = 200000, ROUGH = 64 };
/* Threads and their wakers are made once, at a birth. */
enum { DIES = NTH_MEMORY | NTH_MAP | NTH_SYNC, DIES_AT_BIRTH = DIES | NTH_FD | NTH_PROCESS };

enum fate { ABSENT, HERE, PINNED, TRASHED };
static const size_t lengths[BLOBS] = {10, 5000, LARGEST, 700, 0, 70000};

/* What outlives the child. */
struct seen {
	enum fate told[BLOBS], asked[BLOBS];
	enum store_end end;
	bool wrong;  /* bytes were given that are not those of the blob */
	bool silent; /* it failed, and said no why */
	bool ended;  /* what was tried is all over */
	struct carried carried;
};

struct desk {
	struct house house;
	struct seen *seen;
	const char *fixture;
	struct cid cids[BLOBS];
	uint8_t bytes[BLOBS][LARGEST];
};

static struct desk desk;

static void setup(void)
{
	desk.seen = mmap(NULL, sizeof *desk.seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(desk.seen, MAP_FAILED);
	for (unsigned i = 0; i < BLOBS; i++) {
		fill(desk.bytes[i], lengths[i], i);
		desk.cids[i] = cid_of(desk.bytes[i], lengths[i]);
	}
}

TestSuite(store, .init = setup, .timeout = 3000);

/* -- the work ----------------------------------------------------------------------------------------------------------- */

static void opened(struct desk *d)
{
	d->seen->end = house_try(&d->house);
	d->seen->silent = d->seen->end != STORE_OK && strlen(d->house.why) < 10;
}

static void over(void *context, enum err err)
{
	*(enum err *)context = err;
}

static enum err ended(struct house *house, enum err err, const enum err *outcome)
{
	while (err == ERR_KEPT && *outcome == ERR_KEPT)
		turn(house);
	return err == ERR_KEPT ? *outcome : err;
}

static enum err put_one(struct desk *d, unsigned i)
{
	struct outcome outcome;
	put_start(&d->house, d->bytes[i], lengths[i], i % 2 ? lengths[i] : SIZE_UNKNOWN, 30000, &outcome);
	put_wait(&d->house, &outcome);
	return outcome.err;
}

/* As in crash/fate.c: what is not known any more since a change failed is left alone. */
static void change(struct desk *d, unsigned i, enum fate to)
{
	struct store *store = d->house.store;
	const struct cid *cid = &d->cids[i];
	enum fate from = d->seen->told[i];
	enum err outcome = ERR_KEPT, err = ERR_OK;
	if (d->seen->asked[i] != from)
		return;
	d->seen->asked[i] = to;
	switch (to) {
	case ABSENT:
		err = from == TRASHED ? store_purge(store, cid, INT64_MAX, over, &outcome)
				      : store_delete(store, cid, over, &outcome);
		break;
	case PINNED:
		err = store_pin(store, cid, true, over, &outcome);
		break;
	case TRASHED:
		err = store_trash(store, cid, 1000, over, &outcome);
		break;
	case HERE:
		if (from == ABSENT)
			err = put_one(d, i);
		else if (from == PINNED)
			err = store_pin(store, cid, false, over, &outcome);
		else
			err = store_restore(store, cid, over, &outcome);
		break;
	}
	if (ended(&d->house, err, &outcome) == ERR_OK)
		d->seen->told[i] = to;
}

static void read_one(struct desk *d, unsigned i)
{
	struct get *get;
	const uint8_t *bytes;
	size_t at = 0, piece = 1;
	enum err err = store_get_open(d->house.store, &d->cids[i], &get);
	if (err == ERR_OK)
		err = store_get_range(get, 0, UINT64_MAX);
	while (err == ERR_OK && piece) {
		err = store_get_next(get, &bytes, &piece);
		if (err == ERR_OK && piece &&
		    (at + piece > lengths[i] || memcmp(bytes, d->bytes[i] + at, piece) != 0))
			d->seen->wrong = true;
		at += piece;
	}
	d->seen->wrong |= err == ERR_OK && at != lengths[i];
	/* Its place is known: it was put, and nothing was asked of it since. */
	d->seen->wrong |= err == ERR_NOT_FOUND && d->seen->told[i] == HERE && d->seen->asked[i] == HERE;
	store_get_close(&get);
}

struct rows {
	struct store_blob blob[BLOBS];
	unsigned count;
};

static void row(void *context, const struct store_blob *blob)
{
	struct rows *rows = context;
	if (rows->count < BLOBS)
		rows->blob[rows->count++] = *blob;
}

static void name(void *context, const struct cid *cid, uint64_t size)
{
	(void)cid, (void)size;
	++*(unsigned *)context;
}

static void collect(struct desk *d)
{
	struct rows rows = {0};
	enum err outcome = ERR_KEPT;
	if (store_blobs(d->house.store, NULL, BLOBS, row, &rows) != ERR_OK)
		return;
	for (unsigned i = 0; i < rows.count; i++) {
		if (memcmp(&rows.blob[i].cid, &d->cids[5], sizeof d->cids[5]) != 0 ||
		    d->seen->told[5] != HERE || d->seen->asked[5] != HERE)
			continue;
		d->seen->asked[5] = ABSENT;
		enum err err = store_collect(d->house.store, &rows.blob[i], over, &outcome);
		if (ended(&d->house, err, &outcome) == ERR_OK)
			d->seen->told[5] = ABSENT;
	}
}

static void work(struct desk *d)
{
	unsigned listed = 0;
	struct store_row head;
	struct store_figures figures;
	for (unsigned i = 0; i < BLOBS; i++)
		change(d, i, HERE);
	for (unsigned i = 0; i < BLOBS; i++)
		read_one(d, i);
	change(d, 0, PINNED);
	change(d, 1, TRASHED);
	change(d, 2, TRASHED);
	store_list(d->house.store, NULL, 4, name, &listed);
	store_head(d->house.store, &d->cids[3], &head);
	change(d, 1, HERE);
	change(d, 2, ABSENT);
	change(d, 3, ABSENT);
	collect(d);
	store_check_from(d->house.store, NULL);
	for (unsigned i = 0; i < ROUGH && store_check_next(d->house.store) != CHECK_END; i++)
		;
	store_tend(d->house.store);
	store_figures(d->house.store, &figures);
	d->seen->wrong |=
		figures.corrupt; /* nothing is; a disk that gives nothing says nothing about a blob */
	read_one(d, 4);
	change(d, 2, HERE);
}

static void body_init(void *context)
{
	struct desk *d = context;
	uint64_t physical;
	bool found;
	trial_begin();
	d->seen->end = store_init(&d->house.shape, &physical, &found, d->house.why);
	trial_over();
	d->seen->silent = d->seen->end != STORE_OK && strlen(d->house.why) < 10;
	d->seen->ended = true;
}

static void body_open(void *context)
{
	struct desk *d = context;
	trial_begin();
	opened(d);
	if (d->seen->end == STORE_OK)
		house_close(&d->house);
	trial_over();
	d->seen->ended = true;
}

static void body_work(void *context)
{
	struct desk *d = context;
	opened(d);
	if (d->seen->end != STORE_OK)
		_exit(1);
	trial_begin();
	work(d);
	__atomic_store_n(&nth_page->families, 0, __ATOMIC_SEQ_CST);
	d->seen->ended = true;
	house_close(&d->house);
}

static void body_carry(void *context)
{
	struct desk *d = context;
	int to = open(house_file(&d->house, "carried"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	d->house.shape.secret = d->house.secret;
	trial_begin();
	d->seen->end = carry_out(&d->house.shape, true, to, &d->seen->carried, d->house.why);
	trial_over();
	d->seen->silent = d->seen->end != STORE_OK && strlen(d->house.why) < 10;
	d->seen->ended = true;
}

/* -- before and after --------------------------------------------------------------------------------------------------- */

static void before_nothing(void *context)
{
	struct desk *d = context;
	*d->seen = (struct seen){0};
	house_make(&d->house, 8 * MIB);
}

static void before_made(void *context)
{
	struct desk *d = context;
	before_nothing(d);
	house_init(&d->house);
}

/* Three blobs, and a process that died with one delete under way. */
static void before_used(void *context)
{
	struct desk *d = context;
	before_made(d);
	house_open(&d->house);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(put_one(d, i), ERR_OK);
		d->seen->told[i] = d->seen->asked[i] = HERE;
	}
	house_close(&d->house);
}

static void before_lost(void *context)
{
	before_used(context);
	house_lose_index(&((struct desk *)context)->house);
}

static void before_older(void *context)
{
	struct desk *d = context;
	*d->seen = (struct seen){0};
	fixture_unpack(&d->house, d->fixture);
}

static void expect_promises(struct desk *d, const struct trial *trial)
{
	struct rows rows = {0};
	cr_assert_eq(store_blobs(d->house.store, NULL, BLOBS, row, &rows), ERR_OK);
	for (unsigned i = 0; i < BLOBS; i++) {
		enum fate is = ABSENT;
		for (unsigned n = 0; n < rows.count; n++)
			if (memcmp(&rows.blob[n].cid, &d->cids[i], sizeof d->cids[i]) == 0)
				is = rows.blob[n].trashed ? TRASHED : rows.blob[n].pinned ? PINNED : HERE;
		cr_assert(is == d->seen->told[i] || is == d->seen->asked[i],
			  "%s (%s): blob %u is %d, was told %d, asked %d", trial->what, trial->page->name, i,
			  is, d->seen->told[i], d->seen->asked[i]);
		if (is == TRASHED)
			cr_assert_eq(restore_now(&d->house, &d->cids[i]), ERR_OK);
	}
	house_audit(&d->house); /* reads all of it */
}

static void look(struct desk *d, const struct trial *trial)
{
	cr_assert(trial->aborted || d->seen->ended, "%s", trial->what);
	cr_assert_not(d->seen->wrong, "%s (%s): wrong bytes, or a blob that is there was not found",
		      trial->what, trial->page->name);
	cr_assert_not(d->seen->silent, "%s (%s): it failed with %d, and says no why: '%s'", trial->what,
		      trial->page->name, d->seen->end, d->house.why);
	if (!trial->fired)
		cr_assert_eq(d->seen->end, STORE_OK, "%s: %d", trial->what, d->seen->end);
}

static void after_init(void *context, const struct trial *trial)
{
	struct desk *d = context;
	look(d, trial);
	if (d->seen->end == STORE_OK && !trial->aborted) /* what was said to be whole is */
		house_open(&d->house);
	house_close(&d->house);
	house_init(&d->house);
	house_open(&d->house);
	cr_assert_eq(put_seeded(&d->house, 1, 5000, NULL), ERR_OK);
	house_audit(&d->house);
	house_remove(&d->house);
}

static void after_open(void *context, const struct trial *trial)
{
	struct desk *d = context;
	look(d, trial);
	house_open(&d->house);
	cr_assert(!stat_of(&d->house).rebuilt, "%s (%s): the index was lost", trial->what, trial->page->name);
	expect_promises(d, trial);
	house_remove(&d->house);
}

static void after_work(void *context, const struct trial *trial)
{
	struct desk *d = context;
	look(d, trial);
	house_open(&d->house);
	cr_assert(!stat_of(&d->house).rebuilt, "%s (%s): the index was lost", trial->what, trial->page->name);
	expect_promises(d, trial);
	/* And from the arena alone. Pins are not in it; what was in the trash was taken out of it just now; an upload that was refused
	 * because the disk took nothing any more may have left a header that could not be erased. */
	house_close(&d->house);
	house_lose_index(&d->house);
	house_open(&d->house);
	for (unsigned i = 0; i < BLOBS; i++) {
		enum err err = get_seeded(&d->house, i, lengths[i]);
		bool known = d->seen->told[i] == d->seen->asked[i];
		enum err right = d->seen->told[i] == ABSENT ? ERR_NOT_FOUND : ERR_OK;
		cr_assert(known ? err == right : err == ERR_OK || err == ERR_NOT_FOUND,
			  "%s (%s): rebuilt, blob %u: %s", trial->what, trial->page->name, i, err_name(err));
	}
	house_audit(&d->house);
	house_remove(&d->house);
}

static void after_lost(void *context, const struct trial *trial)
{
	struct desk *d = context;
	look(d, trial);
	house_open(&d->house);
	expect_promises(d, trial);
	house_remove(&d->house);
}

static void after_older(void *context, const struct trial *trial)
{
	struct desk *d = context;
	look(d, trial);
	house_open(&d->house);
	cr_assert_not(stat_of(&d->house).rebuilt, "%s (%s)", trial->what, trial->page->name);
	expect_fixture(&d->house, trial->what);
	house_remove(&d->house);
}

/* A stream that was said to be whole makes a store with all of it. */
static void after_carry(void *context, const struct trial *trial)
{
	struct desk *d = context;
	look(d, trial);
	if (d->seen->end == STORE_OK && !trial->aborted) {
		struct house other;
		struct carried carried;
		int from = open(house_file(&d->house, "carried"), O_RDONLY | O_CLOEXEC);
		house_make(&other, 8 * MIB);
		other.shape.secret = other.secret;
		cr_assert_eq(carry_in(&other.shape, false, from, &carried, other.why), STORE_OK, "%s: %s",
			     trial->what, other.why);
		close(from);
		/* What the disk did not give is not in it, and is counted as that. */
		cr_assert_eq(carried.blobs + d->seen->carried.damaged, 3U, "%s (%s): %lu blobs", trial->what,
			     trial->page->name, (unsigned long)carried.blobs);
		cr_assert_eq(carried.blobs, d->seen->carried.blobs);
		house_open(&other);
		for (unsigned i = 0; i < 3; i++)
			cr_assert(get_seeded(&other, i, lengths[i]) == ERR_OK || d->seen->carried.damaged,
				  "%s", trial->what);
		house_audit(&other);
		house_remove(&other);
	}
	house_open(&d->house);
	expect_promises(d, trial);
	house_remove(&d->house);
}

/* -- the tests ---------------------------------------------------------------------------------------------------------- */

Test(store, made)
{
	static const struct work work = {"make", DIES_AT_BIRTH, before_nothing, body_init, after_init};
	cr_expect_gt(try_all(&work, &desk), 5U);
}

Test(store, opened)
{
	static const struct work work = {"open", DIES_AT_BIRTH, before_used, body_open, after_open};
	cr_expect_gt(try_all(&work, &desk), 5U);
}

Test(store, opened_without_its_index)
{
	static const struct work work = {"rebuild", DIES_AT_BIRTH, before_lost, body_open, after_lost};
	cr_expect_gt(try_all(&work, &desk), 5U);
}

Test(store, opened_with_an_older_index)
{
	static const struct work work = {"migrate", DIES_AT_BIRTH, before_older, body_open, after_older};
	for (unsigned i = 0; i < FIXTURES_OLDER; i += getenv("WARREN_LONG") ? 1 : FIXTURES_OLDER) {
		desk.fixture = fixtures[i];
		cr_expect_gt(try_all(&work, &desk), 5U);
	}
}

Test(store, worked)
{
	static const struct work work = {"work", DIES, before_made, body_work, after_work};
	cr_expect_gt(try_all(&work, &desk), 5U);
}

Test(store, carried)
{
	static const struct work work = {"carry", DIES_AT_BIRTH, before_used, body_carry, after_carry};
	cr_expect_gt(try_all(&work, &desk), 5U);
}
