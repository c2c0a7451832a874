/* The loop over troubles and calls, and what must hold whatever the work is: no death but by abort() where that is the rule, with a
 * line that says why; no report of a sanitizer; no descriptor that stays open. */
#include "tests/nth/trial.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOME = 2, SEE_FDS = 512, FDS_LEFT = 77, LIMIT_S = 60, SAID = 1 << 20 };

static const struct trouble troubles[] = {
	{"memory", NTH_MEMORY, ENOMEM, false},
	{"memory from", NTH_MEMORY, ENOMEM, true},
	{"map", NTH_MAP, ENOMEM, false},
	{"map from", NTH_MAP, ENOMEM, true},
	{"open EMFILE", NTH_OPEN, EMFILE, false},
	{"open EIO from", NTH_OPEN, EIO, true},
	{"read EIO", NTH_READ, EIO, false},
	{"read EIO from", NTH_READ, EIO, true},
	{"read EINTR", NTH_READ, EINTR, false},
	{"short reads from", NTH_READ, NTH_SHORT, true},
	{"write EIO", NTH_WRITE, EIO, false},
	{"write ENOSPC from", NTH_WRITE, ENOSPC, true},
	{"write EINTR", NTH_WRITE, EINTR, false},
	{"short writes from", NTH_WRITE, NTH_SHORT, true},
	{"sync EIO", NTH_SYNC, EIO, false},
	{"sync EIO from", NTH_SYNC, EIO, true},
	{"change EIO", NTH_CHANGE, EIO, false},
	{"change EIO from", NTH_CHANGE, EIO, true},
	{"room ENOSPC", NTH_ROOM, ENOSPC, false},
	{"room ENOSPC from", NTH_ROOM, ENOSPC, true},
	{"look EIO", NTH_LOOK, EIO, false},
	{"look EIO from", NTH_LOOK, EIO, true},
	{"descriptor EMFILE", NTH_FD, EMFILE, false},
	{"descriptor EMFILE from", NTH_FD, EMFILE, true},
	{"thread EAGAIN", NTH_PROCESS, EAGAIN, false},
};
enum { TROUBLES = sizeof troubles / sizeof *troubles };

/* -- in the child ----------------------------------------------------------------------------------------------------- */

static const struct trial *now; /* the one that runs, for trial_begin() */

static unsigned open_fds(void)
{
	unsigned count = 0;
	for (int fd = 0; fd < SEE_FDS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static unsigned fds_before;

void trial_begin(void)
{
	fds_before = open_fds();
	nth_page->at = now->at;
	nth_page->onwards = now->trouble->onwards;
	nth_page->error = now->trouble->error;
	__atomic_store_n(&nth_page->families, now->trouble->families, __ATOMIC_SEQ_CST);
}

void trial_over(void)
{
	__atomic_store_n(&nth_page->families, 0, __ATOMIC_SEQ_CST);
	unsigned left = open_fds();
	if (left == fds_before)
		return;
	dprintf(STDERR_FILENO, "%u descriptors were open before, %u are now\n", fds_before, left);
	_exit(FDS_LEFT);
}

/* -- one time --------------------------------------------------------------------------------------------------------- */

static void run(const struct work *work, void *context, struct trial *trial)
{
	int said[2]; /* a pipe: writing to a file may be what fails */
	cr_assert_eq(pipe2(said, O_CLOEXEC | O_NONBLOCK), 0);
	fcntl(said[1], F_SETPIPE_SZ, SAID);
	*nth_page = (struct nth_page){0};
	now = trial;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		dup2(said[1], STDERR_FILENO);
		alarm(LIMIT_S);
		work->body(context);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &trial->status, 0), child);
	nth_page->families = 0;
	ssize_t got = read(said[0], trial->said, sizeof trial->said - 1);
	trial->said[got > 0 ? got : 0] = '\0';
	close(said[0]);
	close(said[1]);
	trial->page = nth_page;
	trial->fired = nth_page->fired;
	/* A sanitizer that itself cannot go on without memory, as a new thread begins: without one there is none. */
	bool own = strstr(trial->said, "CHECK failed: sanitizer_") != NULL;
	trial->aborted = own || (WIFSIGNALED(trial->status) && WTERMSIG(trial->status) == SIGABRT);
	if (own)
		snprintf(trial->said, sizeof trial->said, "error of the tool's own");
}

/* What holds of every work. */
static void judge(const struct work *work, const struct trial *trial)
{
	const char *name = trial->page->name;
	if (trial->aborted) {
		cr_assert(trial->fired && work->aborts & trial->trouble->families, "%s (%s): it ended: %s",
			  trial->what, name, trial->said);
		cr_assert(strstr(trial->said, "error ") || strstr(trial->said, "terminate"),
			  "%s (%s): it ended and said nothing: %s", trial->what, name, trial->said);
	} else {
		cr_assert_eq(trial->status, 0, "%s (%s): status %x: %s", trial->what, name,
			     (unsigned)trial->status, trial->said);
	}
	cr_assert(!strstr(trial->said, "Sanitizer") && !strstr(trial->said, "runtime error"), "%s (%s): %s",
		  trial->what, name, trial->said);
}

static bool try_once(const struct work *work, void *context, const struct trouble *trouble, uint64_t at,
		     uint64_t *calls)
{
	struct trial trial = {.trouble = trouble, .at = at};
	snprintf(trial.what, sizeof trial.what, "%s: %s %lu", work->name, trouble->name, (unsigned long)at);
	work->before(context);
	run(work, context, &trial);
	/* What fails in `after` may be an assertion that knows nothing of this. */
	fprintf(stderr, "# %s: %s%s\n", trial.what, trial.page->name, trial.aborted ? ", it ended" : "");
	judge(work, &trial);
	work->after(context, &trial);
	if (calls)
		*calls = trial.page->calls;
	return trial.fired;
}

/* "write EIO 17": that one again, of those that a failed run named. */
static bool only(const char *wanted, const struct trouble *trouble, uint64_t *at)
{
	size_t length = strlen(trouble->name);
	if (strncmp(wanted, trouble->name, length) != 0 || wanted[length] != ' ')
		return false;
	*at = strtoull(wanted + length, NULL, 10);
	return *at;
}

/* How many calls of these families the work makes when none fails. */
static uint64_t calls_of(const struct work *work, void *context, const struct trouble *trouble,
			 uint64_t known[1 << NTH_FAMILIES])
{
	uint64_t *calls = &known[trouble->families];
	if (!*calls) {
		try_once(work, context, trouble, 0, calls);
		++*calls; /* so that none is known, too */
	}
	return *calls - 1;
}

unsigned try_all(const struct work *work, void *context)
{
	static uint64_t known[1 << NTH_FAMILIES];
	bool whole = getenv("WARREN_LONG");
	const char *one = getenv("NTH_ONLY");
	unsigned fired = 0, tries = 0;
	nth_page = mmap(NULL, NTH_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(nth_page, MAP_FAILED);
	memset(known, 0, sizeof known);
	for (unsigned i = 0; i < TROUBLES; i++) {
		uint64_t at;
		if (one && only(one, &troubles[i], &at))
			fired += try_once(work, context, &troubles[i], at, NULL), tries++;
		if (one)
			continue;
		uint64_t calls = calls_of(work, context, &troubles[i], known);
		for (at = 1; whole && try_once(work, context, &troubles[i], at, NULL); at++)
			fired++, tries++;
		/* Else some, and not the same in each run. */
		for (unsigned n = 0; !whole && n < SOME && n < calls; n++) {
			at = 1 + ((uint64_t)getpid() * 7919 + n * (calls / SOME + 1) + i * 104729) % calls;
			fired += try_once(work, context, &troubles[i], at, NULL);
			tries++;
		}
	}
	munmap(nth_page, NTH_PAGE);
	nth_page = NULL;
	fprintf(stderr, "# %s: %u tries, in %u a call failed\n", work->name, tries, fired);
	return fired;
}
