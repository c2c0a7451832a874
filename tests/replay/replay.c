/* Write orders, replayed. Runs real code under the recorder, then makes of its log the states that a disk may have after a power
 * cut at any moment, opens each with the code that opens it in life, and holds it against what had been told by then. Needs no
 * rights; makes everything in one scratch folder, in memory where there is some, and removes it.
 *
 *   replay store|books|machine RECORDER STATES [syncs|folders]    the last: taken for nothing, the negative controls
 *
 * Prints "orders=… syncs…" and exits 0 whatever the numbers: the caller judges. What was not kept is told on stderr, the first
 * few with the cut that made them, and `replay store RECORDER STATES` with WARREN_SEED set makes the same ones. */
#include "tests/replay/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SECONDS = 60, /* for one state: one that takes longer has hung */
	TOLD = 5,     /* failures that are told in full */
	SEEN = 1 << 16,
	PATHS = 64,
	MEMORY_MB = 512, /* or else a disk must do */
};

struct tally {
	size_t orders, prefixes, subsets, distinct, lost, wrong, unopened;
};

struct run {
	const struct trial *trial;
	struct orders *orders;
	char folder[PATHS], *why; /* why: shared with the child that looks */
	uint64_t seen[SEEN];      /* the states there were, by open addressing; 0: free */
	uint64_t chance;
	struct tally tally;
};

void trial_mark(const void *mark, size_t length)
{
	if (write(MARK_FD, mark, length) != (ssize_t)length)
		_exit(3); /* nobody records: then this is no trial */
}

uint64_t trial_chance(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

/* -- recording ------------------------------------------------------------------------------------------------------- */

static bool record(const struct trial *trial, const char *recorder, const char *folder, const char *log,
		   unsigned phase, uint64_t seed)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		char number[24], from[24];
		snprintf(number, sizeof number, "%u", phase);
		snprintf(from, sizeof from, "%" PRIu64, seed);
		setenv("LD_PRELOAD", recorder, 1);
		setenv(ORDERS_FOLDER, folder, 1);
		setenv(ORDERS_LOG, log, 1);
		execl("/proc/self/exe", "replay", "work", trial->name, folder, number, from, (char *)NULL);
		_exit(127);
	}
	if (waitpid(child, &status, 0) == child && status == 0)
		return true;
	fprintf(stderr, "replay: phase %u of %s ended with %x\n", phase, trial->name, (unsigned)status);
	return false;
}

/* -- one state ------------------------------------------------------------------------------------------------------- */

static bool is_new(struct run *run, uint64_t number)
{
	number |= 1;
	for (size_t at = number >> 20;; at++) {
		uint64_t *place = &run->seen[at % SEEN];
		if (*place == number)
			return false;
		if (*place)
			continue;
		if (run->tally.distinct < SEEN / 2) /* beyond that they are no longer told apart */
			*place = number;
		return true;
	}
}

static enum verdict look(struct run *run, size_t at)
{
	int status;
	run->why[0] = '\0';
	pid_t child = fork();
	if (child == 0) {
		int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(nothing, STDERR_FILENO); /* what a start logs of what it finds */
		alarm(SECONDS);
		_exit((int)run->trial->check(run->orders, at, run->folder, run->why));
	}
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		return (enum verdict)WEXITSTATUS(status);
	snprintf(run->why, TRIAL_WHY, "ended by signal %d", WTERMSIG(status));
	return UNOPENED;
}

static void try_one(struct run *run, const struct cut *cut)
{
	run->tally.distinct += is_new(run, state_make(run->orders, cut, run->folder));
	enum verdict verdict = look(run, cut->at);
	size_t bad = run->tally.lost + run->tally.wrong + run->tally.unopened;
	if (verdict == KEPT)
		return;
	run->tally.lost += verdict == LOST;
	run->tally.wrong += verdict == WRONG;
	run->tally.unopened += verdict == UNOPENED;
	if (bad < TOLD)
		fprintf(stderr, "before order %zu (seed %" PRIu64 ", keep %u %% %u %%, grain %d%s): %s\n",
			cut->at, cut->seed, cut->keep, cut->keep_names, (int)cut->grain,
			cut->but_one ? ", but one" : "", run->why);
}

/* Everything that was asked is there: what a death of the process alone leaves. Each moment, or so many of them, spread evenly. */
static void prefixes(struct run *run, size_t most)
{
	size_t count = orders_count(run->orders) + 1;
	size_t step = count > most ? (count + most - 1) / most : 1;
	size_t first = step > 1 ? trial_chance(&run->chance) % step : 0;
	for (size_t at = first; at < count; at += step, run->tally.prefixes++)
		try_one(run, &(struct cut){.at = at, .keep = 100, .keep_names = 100});
}

static void subset(struct run *run)
{
	static const unsigned shares[] = {0, 10, 50, 90, 100};
	uint64_t seed = trial_chance(&run->chance) << 31 | trial_chance(&run->chance);
	size_t count = orders_count(run->orders) + 1;
	if (trial_chance(&run->chance) % 4 == 0) /* more of the beginning, where things are made */
		count = 1 + (count >> trial_chance(&run->chance) % 6);
	struct cut cut = {.at = trial_chance(&run->chance) % count, .seed = seed};
	cut.keep = shares[trial_chance(&run->chance) % 5];
	cut.keep_names = shares[trial_chance(&run->chance) % 5];
	cut.grain = (enum grain)(trial_chance(&run->chance) % 3);
	cut.but_one = trial_chance(&run->chance) % 4 == 0;
	try_one(run, &cut);
	run->tally.subsets++;
}

/* -- a run ----------------------------------------------------------------------------------------------------------- */

static void states(struct run *run, size_t count)
{
	run->tally.orders = orders_count(run->orders);
	prefixes(run, count / 2);
	while (run->tally.prefixes + run->tally.subsets < count)
		subset(run);
}

static bool scratch_make(char scratch[PATHS])
{
	const char *where = getenv("TMPDIR");
	struct statvfs memory;
	if (access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &memory) == 0 &&
	    memory.f_bavail * memory.f_frsize >> 20 >= MEMORY_MB)
		where = "/dev/shm";
	snprintf(scratch, PATHS, "%.40s/replay-XXXXXX", where ? where : "/tmp");
	return mkdtemp(scratch) != NULL;
}

static int replay(const struct trial *trial, const char *recorder, size_t count, enum lie lie)
{
	char scratch[PATHS], folder[2 * PATHS], log[2 * PATHS], why[ORDERS_NAME + 80];
	struct run *run = calloc(1, sizeof *run);
	const char *given = getenv("WARREN_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid() << 20;
	if (!run)
		return 1;
	if (!scratch_make(scratch)) {
		free(run);
		return 1;
	}
	run->trial = trial;
	run->chance = seed;
	run->why = mmap(NULL, TRIAL_WHY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(folder, sizeof folder, "%s/lived", scratch);
	snprintf(log, sizeof log, "%s/log", scratch);
	snprintf(run->folder, sizeof run->folder, "%.50s/state", scratch);
	bool made = mkdir(folder, 0700) == 0 && mkdir(run->folder, 0700) == 0;
	for (unsigned phase = 0; made && phase < trial->phases; phase++)
		made = record(trial, recorder, folder, log, phase, seed);
	if (made) {
		run->orders = orders_read(log, lie);
		made = state_is(run->orders, folder, trial->but, why);
		if (made)
			states(run, count);
		else
			fprintf(stderr, "replay: the recorder has missed something: %s\n", why);
		orders_free(&run->orders);
	}
	folder_empty(scratch);
	rmdir(scratch);
	const struct tally *t = &run->tally;
	printf("seed=%" PRIu64
	       " orders=%zu prefixes=%zu subsets=%zu distinct=%zu lost=%zu wrong=%zu unopened=%zu\n",
	       seed, t->orders, t->prefixes, t->subsets, t->distinct, t->lost, t->wrong, t->unopened);
	free(run);
	return made ? 0 : 1;
}

static const struct trial *trial_named(const char *name)
{
	static const struct trial *const all[] = {&trial_store, &trial_books, &trial_machine};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct trial *trial = argc > 2 ? trial_named(argv[strcmp(argv[1], "work") == 0 ? 2 : 1]) : NULL;
	if (trial)
		trial->prepare();
	if (trial && argc == 6 && strcmp(argv[1], "work") == 0)
		return trial->work(argv[3], (unsigned)strtoul(argv[4], NULL, 10),
				   strtoull(argv[5], NULL, 10));
	size_t count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	enum lie lie = argc < 5 ? NO_LIE : strcmp(argv[4], "syncs") == 0 ? LIE_SYNCS : LIE_FOLDERS;
	if (trial && count)
		return replay(trial, argv[2], count, lie);
	fprintf(stderr, "usage: replay store|books|machine RECORDER STATES [syncs|folders]\n");
	return 2;
}
