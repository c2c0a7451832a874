/* Makes a process turn in an endless loop: its first thread is moved onto one instruction that jumps to itself, at the program's entry,
 * where nobody comes again. All that the process holds, its jail and its other threads, stay as they are. Runs as root.
 *
 *   spin PID
 *
 * Exits 0 when it turns, 1 when that cannot be done, 77 where the instruction is not known. */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#if defined(__x86_64__)
enum { SELF_JUMP = 0xfeeb }; /* eb fe: jmp . */
#define COUNTER rip
#elif defined(__aarch64__)
enum { SELF_JUMP = 0x14000000 }; /* b . */
#define COUNTER pc
#endif

#ifndef COUNTER
int main(void)
{
	fprintf(stderr, "spin: this processor's jump is not known here\n");
	return 77;
}
#else

static uint64_t entry_of(pid_t pid)
{
	char path[64];
	uint64_t pair[2] = {0};
	snprintf(path, sizeof path, "/proc/%d/auxv", pid);
	FILE *auxv = fopen(path, "rb");
	while (auxv && fread(pair, sizeof pair, 1, auxv) == 1 && pair[0] && pair[0] != 9 /* AT_ENTRY */)
		;
	if (auxv)
		fclose(auxv);
	return pair[0] == 9 ? pair[1] : 0;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 2 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	uint64_t entry = pid > 0 ? entry_of(pid) : 0;
	struct user_regs_struct registers;
	struct iovec all = {&registers, sizeof registers};
	void *at = (void *)entry; /* NOLINT(performance-no-int-to-ptr) */
	if (!entry)
		return fail("auxv");
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
		return fail("ptrace");
	if (waitpid(pid, NULL, 0) != pid)
		return fail("waitpid");
	if (ptrace(PTRACE_POKETEXT, pid, at, (void *)(uintptr_t)SELF_JUMP) != 0 ||
	    ptrace(PTRACE_GETREGSET, pid, (void *)(uintptr_t)NT_PRSTATUS, &all) != 0)
		return fail("poke");
	registers.COUNTER = entry;
#if defined(__x86_64__)
	registers.orig_rax = (unsigned long long)-1; /* whatever call it waited in is not begun again */
#endif
	if (ptrace(PTRACE_SETREGSET, pid, (void *)(uintptr_t)NT_PRSTATUS, &all) != 0)
		return fail("registers");
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0 ? 0 : fail("detach");
}
#endif
