/* The control: root from outside makes the same attempts, and gets through. Part of the selftest. */
#include "actors/prober/selftest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A root that lacks capabilities, as in containers, cannot do all that root can; that is said, not counted. */
static const char *lacking(void)
{
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 0)
			return "this root lacks capabilities";
	return NULL;
}

/* Why the control may fail here and prove nothing; NULL: it may not. */
static const char *excuse(unsigned row, const char *symbol, const char *what)
{
	if (strcmp(what, "ENOSYS") == 0)
		return "this kernel does not have it";
	if (row == 12 && strcmp(what, "ENETUNREACH") == 0)
		return "this host has no way to the internet";
	if (strcmp(symbol, "leave_groups") == 0 && strcmp(what, "ENOENT") == 0)
		return "no control groups are mounted";
	if (strcmp(what, "EPERM") == 0 || strcmp(what, "EACCES") == 0)
		return lacking();
	return NULL;
}

bool control_run(struct selftest *self)
{
	char prober[300], line[256], symbol[64], what[OUTCOME];
	unsigned row, tried = 0, failed = 0;
	int pipes[2], name;
	snprintf(prober, sizeof prober, "%s/warren-prober", self->bin);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return false;
	pid_t child = scratch_run_program(NULL, pipes[1],
					  (const char *[]){prober, "--control", SELFTEST_ROOT, NULL});
	close(pipes[1]);
	FILE *out = fdopen(pipes[0], "r");
	while (out && fgets(line, sizeof line, out)) {
		if (sscanf(line, "%u %63s %15s %n", &row, symbol, what, &name) != 3 ||
		    row_index(symbol) == ROWS_MOST)
			continue;
		tried++;
		memcpy(self->control[row_index(symbol)], what, sizeof what);
		if (strcmp(what, "through") == 0)
			continue;
		const char *why = excuse(row, symbol, what);
		failed += !why;
		printf("%s  control  row %-2u %-12s %s%s%s", why ? "skip" : "bad ", row, what, why ? why : "",
		       why ? ": " : "", line + name);
	}
	if (out)
		fclose(out);
	waitpid(child, NULL, 0);
	unsigned wanted = 0;
	for (unsigned i = 0; attack_rows[i].name; i++)
		wanted += !attack_rows[i].bus;
	printf("%s   control: root from outside, %u of %u attempts on %zu processes, %u did not get "
	       "through\n",
	       failed || tried != wanted ? "bad" : "ok ", tried, wanted, self->child_count, failed);
	return tried == wanted && failed == 0;
}
