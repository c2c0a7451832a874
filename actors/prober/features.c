/* What of this kernel decides which cells a wall holds alone. Part of the selftest; only looks. */
#include "actors/prober/selftest.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LANDLOCK_CREATE = 444, LANDLOCK_ASK_ABI = 1, MEMFD_SECRET = 447 }; /* landlock(7), memfd_secret(2) */

static const struct {
	const char *path, *name;
} settings[] = {
	{"/proc/sys/kernel/yama/ptrace_scope", "ptrace_scope"},
	{"/proc/sys/kernel/perf_event_paranoid", "perf_event_paranoid"},
	{"/proc/sys/kernel/unprivileged_bpf_disabled", "unprivileged_bpf_disabled"},
	{"/proc/sys/kernel/io_uring_disabled", "io_uring_disabled"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "unprivileged_userns_clone"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "apparmor_restrict_unprivileged_userns"},
};

static void print_setting(const char *path, const char *name)
{
	char value[16];
	FILE *file = fopen(path, "re");
	bool read = file && fscanf(file, "%15s", value) == 1;
	if (file)
		fclose(file);
	printf("; %s %s", name, read ? value : "none");
}

/* `missing`: WALL_ bits of a process in whose place a prober was, with all walls up. */
void features_print(uint32_t missing)
{
	long abi = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_ASK_ABI);
	int secret = (int)syscall(MEMFD_SECRET, 0);
	if (secret >= 0)
		close(secret);
	printf("features: Landlock ABI %ld; memfd_secret %s; missing walls", abi < 0 ? 0 : abi,
	       secret >= 0 ? "yes" : "no");
	bool none = true;
	for (unsigned wall = 0; wall < WALLS; wall++) {
		if (missing & 1U << wall) {
			printf(" %s", wall_row(wall)->name);
			none = false;
		}
	}
	fputs(none ? " none" : "", stdout);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		print_setting(settings[i].path, settings[i].name);
	putchar('\n');
}
