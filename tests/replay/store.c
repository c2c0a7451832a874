/* The trial of a store: it is made, opened, worked on by many at once, closed, opened, worked on until its process ends without
 * notice in the middle, opened again, and closed. Blobs are put, deleted, pinned, unpinned, put in the trash, brought back and
 * purged. A start must then give every blob as it was told to be, or as it was asked to be after that, whole, or not at all. */
#include "tests/replay/trial.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/store/blobs.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	BLOBS = 96,
	AT_ONCE = 12,
	LARGEST = 150000, /* three chunks: and some are cut in many runs, as what is free lies scattered */
	QUOTA = 2 << 20,
	ROUNDS = 15, /* in a phase */
	ROUNDS_LONG =
		170, /* in the second: its log of the index is written back while it lives, and begun anew */
	PHASES = 3,
	PURGED_FROM = 1000, /* when what is in the trash was put there: Unix time */
};

/* What a blob may be, and what is marked: FATES of them, and that the store was made. */
enum fate { ABSENT, HERE, PINNED, TRASHED, FATES };
enum said { ASKED, TOLD, MADE };
struct mark {
	uint32_t said, blob, fate;
};

static size_t length_of(unsigned blob)
{
	return blob % 16 == 0 ? LARGEST - blob * 100 : blob % 16 == 1 ? 20000 + blob * 10 : blob * 37 % 3000;
}

/* Made once, before there are children. */
static struct {
	struct cid cid[BLOBS];
	uint8_t bytes[BLOBS][LARGEST];
} blobs;

static void prepare(void)
{
	crypto_warm();
	for (unsigned i = 0; i < BLOBS; i++) {
		uint64_t state = i + 1;
		for (size_t at = 0; at < length_of(i); at++)
			blobs.bytes[i][at] = (uint8_t)(trial_chance(&state) >> 11);
		sha256(blobs.bytes[i], length_of(i), blobs.cid[i].bytes);
	}
}

static const struct cid *cid_of(unsigned blob)
{
	return &blobs.cid[blob];
}

static struct store_shape shape_of(const char *folder)
{
	static const uint8_t secret[32] = {7};
	return (struct store_shape){.folder = folder,
				    .node = 1,
				    .quota = QUOTA,
				    .max_blob = QUOTA,
				    .shards = {.count = 1, .spans = 1},
				    .secret = secret};
}

/* -- the work -------------------------------------------------------------------------------------------------------- */

struct job {
	unsigned blob;
	enum fate to;
	bool over;
};

static struct {
	struct store *store;
	enum fate fate[BLOBS];
	bool known[BLOBS]; /* false: what was asked last did not end, so nobody knows */
	uint64_t chance;
	bool recorded;
} work;

static void say(enum said said, unsigned blob, enum fate fate)
{
	if (work.recorded)
		trial_mark(&(struct mark){said, blob, fate}, sizeof(struct mark));
}

static void over(void *context, enum err err)
{
	struct job *job = context;
	job->over = true;
	work.known[job->blob] = true;
	if (err == ERR_OK) {
		work.fate[job->blob] = job->to;
		say(TOLD, job->blob, job->to);
	} else {
		say(TOLD, job->blob, work.fate[job->blob]); /* refused: as it was */
	}
}

static void put_over(void *context, enum err err, const struct stored *stored)
{
	(void)stored;
	over(context, err);
}

static enum err put_one(struct job *job)
{
	struct put *put;
	struct stored stored;
	size_t length = length_of(job->blob);
	enum err err = store_put_begin(work.store, job->blob % 3 ? length : SIZE_UNKNOWN, &put);
	if (err == ERR_OK)
		err = store_put_data(put, blobs.bytes[job->blob], length);
	if (err == ERR_OK)
		return store_put_end(&put, &stored, put_over, job);
	store_put_abort(&put);
	return err;
}

static enum fate next_fate(enum fate now)
{
	static const enum fate next[FATES][4] = {[ABSENT] = {HERE, HERE, HERE, HERE},
						 [HERE] = {ABSENT, ABSENT, TRASHED, PINNED},
						 [PINNED] = {HERE, HERE, HERE, HERE},
						 [TRASHED] = {HERE, ABSENT, HERE, ABSENT}};
	return next[now][trial_chance(&work.chance) % 4];
}

static enum err ask(struct job *job)
{
	const struct cid *cid = cid_of(job->blob);
	enum fate from = work.fate[job->blob];
	switch (job->to) {
	case ABSENT:
		return from == TRASHED ? store_purge(work.store, cid, INT64_MAX, over, job)
				       : store_delete(work.store, cid, over, job);
	case PINNED:
		return store_pin(work.store, cid, true, over, job);
	case TRASHED:
		return store_trash(work.store, cid, PURGED_FROM, over, job);
	case HERE:
		return from == PINNED                     ? store_pin(work.store, cid, false, over, job)
		       : from == TRASHED && job->blob % 2 ? store_restore(work.store, cid, over, job)
							  : put_one(job);
	case FATES:
		break;
	}
	return ERR_BAD_VALUE;
}

static void begin_job(struct job *job)
{
	unsigned blob = (unsigned)(trial_chance(&work.chance) % BLOBS);
	while (!work.known[blob])
		blob = (blob + 1) % BLOBS;
	*job = (struct job){.blob = blob, .to = next_fate(work.fate[blob])};
	work.known[blob] = false;
	say(ASKED, blob, job->to);
	enum err err = ask(job);
	if (err != ERR_KEPT)
		over(job, err);
}

static void turn(void)
{
	struct pollfd ready = {.fd = store_fd(work.store), .events = POLLIN};
	if (poll(&ready, 1, 60000) != 1)
		_exit(4);
	store_turn(work.store);
}

static void round_of(unsigned count, bool to_the_end)
{
	static struct job jobs[AT_ONCE];
	for (unsigned i = 0; i < count; i++)
		begin_job(&jobs[i]);
	for (unsigned i = 0; to_the_end && i < count; i++)
		while (!jobs[i].over)
			turn();
}

/* What an earlier process was told, and what it left open: read from the store itself, as it was not told. */
static void one_row(void *context, const struct store_blob *row)
{
	(void)context;
	for (unsigned i = 0; i < BLOBS; i++)
		if (memcmp(cid_of(i), &row->cid, sizeof row->cid) == 0)
			work.fate[i] = row->trashed ? TRASHED : row->pinned ? PINNED : HERE;
}

static int live(const char *folder, unsigned phase, uint64_t seed)
{
	struct store_shape shape = shape_of(folder);
	char why[STORE_WHY];
	uint64_t physical;
	bool found;
	work.chance = seed + phase;
	work.recorded = true;
	for (unsigned i = 0; i < BLOBS; i++)
		work.known[i] = true;
	if (phase == 0) {
		if (store_init(&shape, &physical, &found, why) != STORE_OK)
			return 1;
		say(MADE, 0, 0);
	}
	shape = shape_of(folder);
	if (store_open(&work.store, &shape, why) != STORE_OK ||
	    store_blobs(work.store, NULL, BLOBS, one_row, NULL) != ERR_OK)
		return 1;
	for (unsigned round = 0; round < (phase == 1 ? ROUNDS_LONG : ROUNDS); round++)
		round_of(1 + (unsigned)(trial_chance(&work.chance) % AT_ONCE), true);
	if (phase == 1) {
		round_of(AT_ONCE, false);
		_exit(0); /* the helper threads are at work */
	}
	store_close(&work.store);
	return 0;
}

/* -- what must hold afterwards --------------------------------------------------------------------------------------- */

struct look {
	struct store *store;
	unsigned may[BLOBS]; /* a bit for each fate that it may have */
	enum fate is[BLOBS];
	bool made, stranger;
	uint64_t charges, rows;
};

static void listen_to_marks(const struct orders *orders, size_t at, struct look *look)
{
	for (unsigned i = 0; i < BLOBS; i++)
		look->may[i] = 1U << ABSENT;
	for (size_t i = 0; i < at; i++) {
		struct mark mark;
		const void *bytes = orders_mark(orders, i, sizeof mark);
		if (!bytes)
			continue;
		memcpy(&mark, bytes, sizeof mark);
		if (mark.said == MADE)
			look->made = true;
		else if (mark.said == TOLD)
			look->may[mark.blob] = 1U << mark.fate;
		else
			look->may[mark.blob] |= 1U << mark.fate;
	}
}

static void see_row(void *context, const struct store_blob *row)
{
	struct look *look = context;
	bool known = false;
	look->charges += row->charge;
	look->rows++;
	for (unsigned i = 0; i < BLOBS; i++)
		if (memcmp(cid_of(i), &row->cid, sizeof row->cid) == 0) {
			look->is[i] = row->trashed ? TRASHED : row->pinned ? PINNED : HERE;
			known = row->size == length_of(i);
		}
	look->stranger |= !known;
}

static bool whole(struct store *store, unsigned blob)
{
	const uint8_t *sent = blobs.bytes[blob];
	struct get *get;
	const uint8_t *bytes;
	size_t at = 0, length = 0, size = length_of(blob);
	if (store_get_open(store, cid_of(blob), &get) != ERR_OK)
		return false;
	bool same = get_size(get) == size && store_get_range(get, 0, UINT64_MAX) == ERR_OK;
	while (same && (same = store_get_next(get, &bytes, &length) == ERR_OK) && length) {
		same = at + length <= size && memcmp(sent + at, bytes, length) == 0;
		at += length;
	}
	store_get_close(&get);
	return same && at == size;
}

static enum verdict hold_against(struct look *look, const char *when, char why[TRIAL_WHY])
{
	static const char *const names[FATES] = {"not there", "there", "pinned", "in the trash"};
	struct store_figures figures;
	look->charges = look->rows = 0;
	memset(look->is, 0, sizeof look->is);
	if (store_blobs(look->store, NULL, 2 * BLOBS, see_row, look) != ERR_OK) {
		snprintf(why, TRIAL_WHY, "%s: the rows cannot be read", when);
		return WRONG;
	}
	for (unsigned i = 0; i < BLOBS; i++) {
		if (!(look->may[i] & 1U << look->is[i])) {
			snprintf(why, TRIAL_WHY, "%s: blob %u is %s, and may only be one of %x", when, i,
				 names[look->is[i]], look->may[i]);
			return LOST;
		}
		if ((look->is[i] == HERE || look->is[i] == PINNED) && !whole(look->store, i)) {
			snprintf(why, TRIAL_WHY, "%s: blob %u is listed, and not whole (may: %x)", when, i,
				 look->may[i]);
			return look->may[i] & 1U << ABSENT ? WRONG : LOST;
		}
		struct store_row row;
		if ((look->is[i] == ABSENT || look->is[i] == TRASHED) &&
		    store_head(look->store, cid_of(i), &row) != ERR_NOT_FOUND) {
			snprintf(why, TRIAL_WHY, "%s: blob %u answers, and is %s", when, i,
				 names[look->is[i]]);
			return WRONG;
		}
	}
	store_figures(look->store, &figures);
	if (look->stranger || figures.used != look->charges || figures.blobs != look->rows ||
	    figures.corrupt) {
		snprintf(why, TRIAL_WHY,
			 "%s: used %llu and charges %llu, blobs %llu and rows %llu, corrupt %llu%s", when,
			 (unsigned long long)figures.used, (unsigned long long)look->charges,
			 (unsigned long long)figures.blobs, (unsigned long long)look->rows,
			 (unsigned long long)figures.corrupt, look->stranger ? ", and a stranger" : "");
		return WRONG;
	}
	return KEPT;
}

/* SQLite writes its -shm through memory, so it may hold anything; and it may be lost. */
static void spoil_shm(const char *folder, uint64_t chance)
{
	char path[300];
	uint8_t bytes[4096];
	snprintf(path, sizeof path, "%s/index.db-shm", folder);
	if (chance % 3 == 0)
		unlink(path);
	if (chance % 3 != 1)
		return;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	for (unsigned i = 0; fd >= 0 && i < 8; i++) {
		random_bytes(bytes, sizeof bytes);
		(void)!write(fd, bytes, sizeof bytes);
	}
	if (fd >= 0)
		close(fd);
}

/* A store that was not told to be made yet may be half made: then it is made. */
static enum verdict open_state(struct look *look, const char *folder, char why[TRIAL_WHY])
{
	struct store_shape shape = shape_of(folder);
	char said[STORE_WHY] = "";
	uint64_t physical;
	bool found;
	enum store_end end = look->made ? STORE_OK : store_init(&shape, &physical, &found, said);
	shape = shape_of(folder);
	if (end == STORE_OK)
		end = store_open(&look->store, &shape, said);
	if (end != STORE_OK) {
		snprintf(why, TRIAL_WHY, "not opened (%d): %s", (int)end, said);
		return UNOPENED;
	}
	struct store_figures figures;
	store_figures(look->store, &figures);
	if (figures.rebuilt)
		snprintf(why, TRIAL_WHY, "the index did not survive");
	return figures.rebuilt ? LOST : KEPT;
}

/* Everything that is free is taken once, so that what lies where something else does shows. */
static void fill_up(struct look *look)
{
	static struct job jobs[BLOBS];
	work.store = look->store;
	memcpy(work.fate, look->is, sizeof work.fate);
	for (unsigned i = 0; i < BLOBS; i++) {
		jobs[i] = (struct job){.blob = i, .to = HERE, .over = true};
		if (look->is[i] != ABSENT)
			continue;
		jobs[i].over = put_one(&jobs[i]) != ERR_KEPT;
		look->may[i] = 1U << ABSENT | 1U << HERE; /* there is not room for all */
	}
	for (unsigned i = 0; i < BLOBS; i++)
		while (!jobs[i].over)
			turn();
}

static enum verdict check(const struct orders *orders, size_t at, const char *folder, char why[TRIAL_WHY])
{
	struct look look = {0};
	listen_to_marks(orders, at, &look);
	spoil_shm(folder, at);
	enum verdict verdict = open_state(&look, folder, why);
	if (verdict == KEPT)
		verdict = hold_against(&look, "opened", why);
	if (verdict != KEPT)
		return verdict;
	fill_up(&look);
	return hold_against(&look, "filled up", why);
}

const struct trial trial_store = {"store", PHASES, "-shm", prepare, live, check};
