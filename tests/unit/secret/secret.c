/* Secret memory: what it is, where it ends, and who cannot read it. Each guard has a control that shows what
 * it guards. */
#include "actors/base/secret/secret.h"

#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const enum secret_wall walls[] = {SECRET_PLAIN, SECRET_LOCKED, SECRET_HIDDEN};

/* Whether a child that runs work(at) lives to its end. */
static bool survives(void (*work)(volatile uint8_t *at), volatile uint8_t *at)
{
	pid_t child = fork();
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL); /* a sanitizer would tell the whole story */
		signal(SIGBUS, SIG_DFL);
		work(at);
		_exit(0);
	}
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void read_one(volatile uint8_t *at)
{
	(void)*at;
}

/* The line of flags in smaps that belongs to the mapping `at` lies in. */
static void flags_of(const void *at, char flags[256])
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	cr_assert_not_null(maps);
	char line[512];
	bool inside = false;
	flags[0] = '\0';
	while (fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (unsigned long)at && (unsigned long)at < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, 256, "%.250s", line);
	}
	fclose(maps);
	cr_assert_neq(flags[0], '\0');
}

Test(secret, is_zeroed_aligned_and_usable)
{
	static const size_t sizes[] = {1, 16, 17, 136, 4095, 4096, 4097, 20000};
	for (unsigned wall = 0; wall < 3; wall++)
		for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			enum secret_wall got;
			uint8_t *at = secret_new(sizes[i], walls[wall], &got);
			cr_expect_leq(got, walls[wall]);
			cr_expect_eq((uintptr_t)at % 16, 0U);
			for (size_t b = 0; b < sizes[i]; b++)
				cr_assert_eq(at[b], 0);
			memset(at, 0xa5, sizes[i]);
			secret_free(&at, sizes[i]);
			cr_expect_null(at);
			secret_free(&at, sizes[i]);
		}
}

/* Runs in a child: makes a piece of `size` bytes and reads at an offset from its beginning. */
static size_t size;
static void make_and_read(volatile uint8_t *offset)
{
	enum secret_wall got;
	volatile uint8_t *at = secret_new(size, SECRET_HIDDEN, &got);
	read_one(at + (intptr_t)offset);
}

Test(secret, ends_at_guard_pages)
{
	size = 4096;
	cr_expect(survives(make_and_read, (volatile uint8_t *)0));
	cr_expect(survives(make_and_read, (volatile uint8_t *)4095));
	cr_expect_not(survives(make_and_read, (volatile uint8_t *)4096));
	cr_expect_not(survives(make_and_read, (volatile uint8_t *)(intptr_t)-1));
	size = 32; /* a small piece ends at the guard too */
	cr_expect(survives(make_and_read, (volatile uint8_t *)31));
	cr_expect_not(survives(make_and_read, (volatile uint8_t *)32));
}

Test(secret, is_not_in_a_child)
{
	uint8_t *plain = x_new(16);
	cr_expect(survives(read_one, plain), "the control: a child has a copy of ordinary memory");
	x_free(&plain);
	for (unsigned wall = 0; wall < 3; wall++) {
		enum secret_wall got;
		uint8_t *at = secret_new(16, walls[wall], &got);
		read_one(at);
		cr_expect_not(survives(read_one, at), "%s", secret_wall_name(got));
		secret_free(&at, 16);
	}
}

static void free_and_read(volatile uint8_t *at)
{
	secret_release((void *)at, 16);
	read_one(at);
}

static void make_free_and_read(volatile uint8_t *at)
{
	(void)at;
	enum secret_wall got;
	free_and_read(secret_new(16, SECRET_LOCKED, &got));
}

Test(secret, is_gone_when_freed)
{
	cr_expect_not(survives(make_free_and_read, NULL));
}

/* A pipe that holds on to the page shows what is in it after it was unmapped. */
static void page_after(bool freed, uint8_t seen[16])
{
	int ends[2];
	enum secret_wall got;
	uint8_t *at = secret_new(16, SECRET_LOCKED, &got);
	memset(at, 0xa5, 16);
	struct iovec piece = {at, 16};
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(vmsplice(ends[1], &piece, 1, 0), 16);
	if (freed)
		secret_free(&at, 16);
	cr_assert_eq(read(ends[0], seen, 16), 16);
	close(ends[0]);
	close(ends[1]);
}

Test(secret, is_wiped_when_freed)
{
	uint8_t seen[16], full[16], zero[16] = {0};
	memset(full, 0xa5, sizeof full);
	page_after(false, seen);
	cr_expect_arr_eq(seen, full, 16, "the control: the pipe shows the page as it is");
	page_after(true, seen);
	cr_expect_arr_eq(seen, zero, 16);
}

/* Of smaps: lo locked, dd not in a dump, dc not copied to a child. */
Test(secret, is_locked_and_never_dumped)
{
	for (unsigned wall = 0; wall < 3; wall++) {
		char flags[256];
		enum secret_wall got;
		uint8_t *at = secret_new(16, walls[wall], &got);
		flags_of(at, flags);
		cr_expect_not_null(strstr(flags, " dd"), "%s: %s", secret_wall_name(got), flags);
		cr_expect_not_null(strstr(flags, " dc"), "%s: %s", secret_wall_name(got), flags);
		cr_expect_eq(strstr(flags, " lo") != NULL, got != SECRET_PLAIN, "%s: %s",
			     secret_wall_name(got), flags);
		secret_free(&at, 16);
	}
}

static bool readable_through_proc(const void *at)
{
	uint8_t byte = 0;
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(memory, 0);
	bool readable = pread(memory, &byte, 1, (off_t)(uintptr_t)at) == 1;
	close(memory);
	struct iovec here = {&byte, 1}, there = {(void *)at, 1};
	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1 || readable;
}

Test(secret, hidden_is_hidden_even_from_root)
{
	enum secret_wall got;
	uint8_t *locked = secret_new(16, SECRET_LOCKED, &got);
	cr_expect(readable_through_proc(locked), "the control: locked memory can be read through /proc");
	secret_free(&locked, 16);
	uint8_t *hidden = secret_new(16, SECRET_HIDDEN, &got);
	if (got != SECRET_HIDDEN)
		cr_skip_test("this kernel has no memfd_secret");
	cr_expect_not(readable_through_proc(hidden));
	secret_free(&hidden, 16);
}

/* Without root and with this RLIMIT_MEMLOCK; says by its exit code what it got. */
static enum secret_wall got_with_limit(rlim_t limit, enum secret_wall best)
{
	pid_t child = fork();
	if (child == 0) {
		struct rlimit rlimit = {limit, limit};
		enum secret_wall got = SECRET_HIDDEN;
		if (setrlimit(RLIMIT_MEMLOCK, &rlimit) != 0 ||
		    (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
			_exit(9);
		uint8_t *at = secret_new(16, best, &got);
		at[0] = 1;
		_exit((int)got);
	}
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) <= SECRET_HIDDEN);
	return (enum secret_wall)WEXITSTATUS(status);
}

Test(secret, says_what_it_got)
{
	enum secret_wall here, got;
	uint8_t *at = secret_new(16, SECRET_HIDDEN, &here);
	secret_free(&at, 16);
	cr_expect_neq(here, SECRET_PLAIN);
	at = secret_new(16, SECRET_LOCKED, &got);
	cr_expect_eq(got, SECRET_LOCKED, "pretending that memfd_secret is absent");
	secret_free(&at, 16);
	/* 256 KiB is what the supervisor gives a wallet. */
	cr_expect_eq(got_with_limit(256 * 1024, SECRET_HIDDEN), here);
	cr_expect_eq(got_with_limit(256 * 1024, SECRET_LOCKED), SECRET_LOCKED);
	cr_expect_eq(got_with_limit(0, SECRET_HIDDEN), SECRET_PLAIN);
	cr_expect_eq(got_with_limit(0, SECRET_LOCKED), SECRET_PLAIN);
}
