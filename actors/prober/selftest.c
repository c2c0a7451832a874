/* warren-selftest: builds a scratch machine of two small nodes, lets the real supervisor start the prober in
 * the place of the processes, and reads what got through. Nothing may. Then the control: the
 * same attempts by root from outside must get through. Run as root by `warren selftest isolation`, by hand,
 * or by the tests; it touches SELFTEST_ROOT only, stops only what it started, and removes what it made. Exit
 * 0: every wall held. */
#include "actors/prober/selftest.h"

#include "proto/version.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { PROBE_S = 120 };
#define LOCK "/run/warren-selftest.lock"

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* -- probing --------------------------------------------------------------------------------------------------- */

static bool probe_phase(struct selftest *self, enum phase phase, bool control)
{
	readings_clear(self, phase);
	bool done = scratch_start(self, phase) && host_sign(self), held = true;
	if (done) {
		uint64_t end = now_ms() + PROBE_S * 1000;
		while (!(done = readings_take(self, phase)) && now_ms() < end)
			nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		held = !control || control_run(self);
	}
	scratch_stop(self);
	return done && held;
}

bool probe(struct selftest *self, unsigned phases, bool control)
{
	bool held = true;
	for (enum phase phase = 0; phase < PHASES; phase++)
		if (phases & 1U << phase)
			held = probe_phase(self, phase, control && phase == PHASE_OTHERS) && held;
	return held;
}

/* -- what came of it ------------------------------------------------------------------------------------------- */

struct sums {
	unsigned kinds, held, denied, through, open;
};

static void print_cell(const struct selftest *self, unsigned kind, unsigned row, enum verdict verdict)
{
	static const char *const words[] = {"", "ok  ", "bad ", "open"};
	if (verdict == STOPPED && !self->verbose)
		return;
	printf("%s  %-8s row %-2u %-12s %s%s%s\n", words[verdict], actor_row(kind)->name,
	       attack_rows[row].row, self->kinds[kind].outcome[row], attack_rows[row].name,
	       verdict == NO_WALL ? "; missing here: " : "",
	       verdict == NO_WALL ? attack_rows[row].walls : "");
}

/* Every attempt that this kind's place allows was made, on every other process. */
static bool is_whole(const struct selftest *self, unsigned kind, unsigned tried)
{
	unsigned wanted = 0;
	for (unsigned row = 0; attack_rows[row].name; row++)
		wanted += !(attack_rows[row].except & 1U << kind);
	const struct reading *reading = &self->kinds[kind];
	return reading->done && tried == wanted && reading->victims + 1 == self->child_count;
}

static void sum_kind(const struct selftest *self, unsigned kind, struct sums *sums)
{
	const struct reading *reading = &self->kinds[kind];
	unsigned counts[4] = {0};
	for (unsigned row = 0; attack_rows[row].name; row++) {
		enum verdict verdict = verdict_of(reading, row);
		counts[verdict]++;
		if (verdict != NOT_TRIED)
			print_cell(self, kind, row, verdict);
	}
	unsigned tried = counts[STOPPED] + counts[GOT_THROUGH] + counts[NO_WALL];
	bool asked = kind == BROKER || kind == SCRIBE || (reading->welcomed && reading->forbidden > 0);
	bool held = is_whole(self, kind, tried) && counts[GOT_THROUGH] == 0 && asked;
	printf("%s   %-8s %u attempts on %u processes, %u got through; %u asks that no row allows\n",
	       held ? "ok " : "bad", actor_row(kind)->name, tried, reading->victims, counts[GOT_THROUGH],
	       reading->forbidden);
	if (!reading->done)
		printf("      it did not finish within %d s\n", PROBE_S);
	sums->kinds++;
	sums->held += held;
	sums->denied += counts[STOPPED];
	sums->through += counts[GOT_THROUGH];
	sums->open += counts[NO_WALL];
}

static struct sums sum(const struct selftest *self)
{
	struct sums sums = {0};
	for (unsigned kind = 1; kind < KINDS; kind++)
		if (kind_is_probed(kind))
			sum_kind(self, kind, &sums);
	for (const struct open_row *row = open_rows; self->verbose && row->what; row++)
		printf("note  row %-2u %s: %s\n", row->row, row->what, row->why);
	return sums;
}

static bool all_walls_up(struct selftest *self)
{
	uint64_t began = now_ms();
	bool done = scratch_build(self) && probe(self, (1U << PHASES) - 1, true);
	struct sums sums = sum(self);
	bool held = done && sums.held == sums.kinds;
	printf("%s: %u of %u kinds held; %u attempts denied, %u got through",
	       held ? "isolated" : "NOT ISOLATED", sums.held, sums.kinds, sums.denied, sums.through);
	if (sums.open)
		printf("; %u met no wall that this machine has", sums.open);
	printf("; %.1f s\n", (double)(now_ms() - began) / 1000);
	fflush(stdout);
	return held;
}

/* -- the command ----------------------------------------------------------------------------------------------- */

struct wish {
	bool verbose, matrix, sample, alone, cells;
};

static bool read_wish(int argc, char **argv, struct wish *wish)
{
	const struct {
		const char *word;
		bool *set;
	} words[] = {{"-v", &wish->verbose},
		     {"--matrix", &wish->matrix},
		     {"--sample", &wish->sample},
		     {"--alone", &wish->alone},
		     {"--cells", &wish->cells}};
	for (int i = 1; i < argc; i++) {
		size_t at = 0;
		while (at < sizeof words / sizeof *words && strcmp(argv[i], words[at].word) != 0)
			at++;
		if (at == sizeof words / sizeof *words)
			return false;
		*words[at].set = true;
	}
	return true;
}

/* One at a time: there is one SELFTEST_ROOT. Kept until this process ends. */
static bool alone(void)
{
	int lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0;
}

static bool find_programs(struct selftest *self)
{
	ssize_t length = readlink("/proc/self/exe", self->bin, sizeof self->bin - 1);
	if (length <= 0)
		return false;
	*strrchr(self->bin, '/') = '\0';
	return true;
}

int main(int argc, char **argv)
{
	static struct selftest self;
	struct wish wish = {0};
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("warren-selftest " WARREN_VERSION) < 0;
	if (!read_wish(argc, argv, &wish)) {
		fprintf(stderr,
			"usage: warren-selftest [-v] [--matrix | --sample] [--alone] [--cells]\n\n"
			"  -v        every attempt, not only those that got through\n"
			"  --matrix  then every wall down in turn, to see what it alone holds\n"
			"  --sample  the same, but not from the places of broker and scribe\n"
			"  --alone   then every wall left standing alone, to see what it stops\n"
			"  --cells   with the first two: every cell, as a line of words between tabs\n");
		return 1;
	}
	if (geteuid() != 0 || !find_programs(&self)) {
		fprintf(stderr, "selftest needs root: it builds a scratch machine in " SELFTEST_ROOT "\n");
		return 1;
	}
	if (!alone()) {
		fprintf(stderr, "another selftest runs; wait for its end\n");
		return 1;
	}
	self.verbose = wish.verbose;
	bool held = host_open(&self) && all_walls_up(&self);
	if (held && (wish.matrix || wish.sample))
		held = matrix_run(&self, wish.matrix, wish.cells);
	if (held && wish.alone)
		held = alone_run(&self);
	host_close(&self);
	scratch_remove();
	return held ? 0 : 1;
}
