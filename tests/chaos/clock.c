/* Moves the wall clock of one process, and of nobody else: root rewrites the first bytes of its vDSO, which is where clock_gettime(),
 * gettimeofday() and time() of any program go, so that they ask the kernel and add so many seconds. The page is the process's own from
 * then on; its jail, its program and its other clocks stay as they are. What the kernel itself stamps (files) is not moved. A later call
 * replaces the number.
 *
 *   clock PID SECONDS          may be negative; at most 2^31 - 1
 *
 * Exits 0, 1 when that cannot be done, 77 where the machine code is not known. */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
int main(void)
{
	fprintf(stderr, "clock: this processor's code is not known here\n");
	return 77;
}
#else

enum { THREADS = 64, TRIES = 100, TIME_AT = 32, DAY_AT = 96 };

/* clock_gettime(edi, rsi): the call; for CLOCK_REALTIME and its coarse brother (0, 5) add to the seconds. */
static const uint8_t gettime_code[] = {0xb8, 228, 0,    0,    0,    0x0f, 0x05, 0x85, 0xff, 0x74, 0x05, 0x83,
				       0xff, 5,   0x75, 0x07, 0x48, 0x81, 0x06, 0,    0,    0,    0,    0xc3};
/* time(rdi): the same call into 16 bytes of stack; the sum is returned and stored. */
static const uint8_t time_code[] = {0x57, 0x48, 0x83, 0xec, 0x10, 0x31, 0xff, 0x48, 0x89, 0xe6, 0xb8,
				    228,  0,    0,    0,    0x0f, 0x05, 0x48, 0x8b, 0x04, 0x24, 0x48,
				    0x05, 0,    0,    0,    0,    0x48, 0x83, 0xc4, 0x10, 0x5f, 0x48,
				    0x85, 0xff, 0x74, 0x03, 0x48, 0x89, 0x07, 0xc3};
/* gettimeofday(rdi, rsi) */
static const uint8_t day_code[] = {0xb8, 96,   0,    0,    0, 0x0f, 0x05, 0x48, 0x85, 0xff,
				   0x74, 0x07, 0x48, 0x81, 7, 0,    0,    0,    0,    0xc3};
enum { GETTIME_NUMBER = 19, TIME_NUMBER = 23, DAY_NUMBER = 15 };

/* Where a function is in the vDSO, which is the same image in every process. */
static uint64_t find(const uint8_t *image, const char *name)
{
	const Elf64_Ehdr *head = (const void *)image;
	const Elf64_Shdr *sections = (const void *)(image + head->e_shoff);
	for (unsigned i = 0; i < head->e_shnum; i++) {
		if (sections[i].sh_type != SHT_DYNSYM)
			continue;
		const Elf64_Sym *symbols = (const void *)(image + sections[i].sh_offset);
		const char *names = (const void *)(image + sections[sections[i].sh_link].sh_offset);
		for (uint64_t j = 0; j < sections[i].sh_size / sizeof *symbols; j++)
			if (strcmp(names + symbols[j].st_name, name) == 0)
				return symbols[j].st_value;
	}
	return 0;
}

static bool vdso_of(pid_t pid, uint64_t *from, uint64_t *to)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "r");
	*from = 0;
	while (maps && fgets(line, sizeof line, maps))
		if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", from, to) != 2)
			*from = 0;
	if (maps)
		fclose(maps);
	return *from;
}

/* All threads stand still, none of them in the vDSO. */
static unsigned hold(pid_t pid, uint64_t from, uint64_t to, pid_t threads[THREADS])
{
	char path[64];
	unsigned count = 0;
	bool inside = false;
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	DIR *tasks = opendir(path);
	for (struct dirent *entry; tasks && count < THREADS && (entry = readdir(tasks));) {
		struct user_regs_struct registers;
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread <= 0 || ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0)
			continue;
		threads[count++] = thread;
		ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
		waitpid(thread, NULL, __WALL);
		inside |= ptrace(PTRACE_GETREGS, thread, NULL, &registers) != 0 ||
			  (registers.rip >= from && registers.rip < to);
	}
	if (tasks)
		closedir(tasks);
	if (!inside && count)
		return count;
	while (count)
		ptrace(PTRACE_DETACH, threads[--count], NULL, NULL);
	return 0;
}

static bool put(int mem, uint64_t at, const uint8_t *code, size_t length, unsigned number, int32_t seconds)
{
	uint8_t bytes[64];
	memcpy(bytes, code, length);
	memcpy(bytes + number, &seconds, sizeof seconds);
	return pwrite(mem, bytes, length, (off_t)at) == (ssize_t)length;
}

static bool jump(int mem, uint64_t at, uint64_t to)
{
	uint8_t bytes[5] = {0xe9};
	int32_t away = (int32_t)(to - at - sizeof bytes);
	memcpy(bytes + 1, &away, sizeof away);
	return pwrite(mem, bytes, sizeof bytes, (off_t)at) == sizeof bytes;
}

int main(int argc, char **argv)
{
	const uint8_t *image =
		(const void *)getauxval(AT_SYSINFO_EHDR); /* NOLINT(performance-no-int-to-ptr) */
	pid_t pid = argc == 3 ? (pid_t)strtol(argv[1], NULL, 10) : 0, threads[THREADS];
	int32_t seconds = argc == 3 ? (int32_t)strtol(argv[2], NULL, 10) : 0;
	uint64_t from, to, gettime = find(image, "__vdso_clock_gettime"), now = find(image, "__vdso_time"),
			   day = find(image, "__vdso_gettimeofday");
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	int mem = open(path, O_RDWR | O_CLOEXEC);
	unsigned count = 0;
	if (mem < 0 || !gettime || !now || !day || !vdso_of(pid, &from, &to)) {
		perror("clock");
		return 1;
	}
	for (unsigned i = 0; !count && i < TRIES; i++)
		count = hold(pid, from, to, threads);
	gettime += from;
	bool done = count && put(mem, gettime, gettime_code, sizeof gettime_code, GETTIME_NUMBER, seconds) &&
		    put(mem, gettime + TIME_AT, time_code, sizeof time_code, TIME_NUMBER, seconds) &&
		    put(mem, gettime + DAY_AT, day_code, sizeof day_code, DAY_NUMBER, seconds) &&
		    jump(mem, from + now, gettime + TIME_AT) && jump(mem, from + day, gettime + DAY_AT);
	if (!done)
		perror("clock");
	while (count)
		ptrace(PTRACE_DETACH, threads[--count], NULL, NULL);
	return done ? 0 : 1;
}
#endif
