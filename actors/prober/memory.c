/* Rows 3, 4 and 5: other processes' memory, descriptors and papers; the key page of our own parent. Part of
 * the prober. */
#include "actors/prober/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool any_victim(const struct target *target, bool (*attack)(pid_t victim))
{
	for (size_t i = 0; i < target->victim_count; i++)
		if (attack(target->victims[i]))
			return true;
	return false;
}

static bool seizes(pid_t victim)
{
	if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) != 0)
		return false;
	if (ptrace(PTRACE_INTERRUPT, victim, NULL, NULL) == 0)
		waitpid(victim, NULL, __WALL);
	ptrace(PTRACE_DETACH, victim, NULL, NULL);
	return true;
}

bool attack_trace(const struct target *target)
{
	return any_victim(target, seizes);
}

/* The first mapping's address, from maps where it can be read; without it, an address any program has. */
static uintptr_t some_address(pid_t victim)
{
	char path[64];
	unsigned long address = 0x400000;
	snprintf(path, sizeof path, "/proc/%d/maps", victim);
	FILE *maps = fopen(path, "re");
	if (!maps)
		return address;
	if (fscanf(maps, "%lx", &address) != 1)
		address = 0x400000;
	fclose(maps);
	return address;
}

static bool read_by_call(pid_t victim, uintptr_t address)
{
	uint8_t bytes[16];
	struct iovec here = {bytes, sizeof bytes}, there = {(void *)address, sizeof bytes};
	return process_vm_readv(victim, &here, 1, &there, 1, 0) == sizeof bytes;
}

static bool read_by_file(pid_t victim, uintptr_t address)
{
	char path[64];
	uint8_t bytes[16];
	snprintf(path, sizeof path, "/proc/%d/mem", victim);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool got = pread(fd, bytes, sizeof bytes, (off_t)address) == sizeof bytes;
	close(fd);
	return got;
}

static bool peeks_by_call(pid_t victim)
{
	return read_by_call(victim, some_address(victim));
}

static bool peeks_by_file(pid_t victim)
{
	return read_by_file(victim, some_address(victim));
}

bool attack_read_memory(const struct target *target)
{
	return any_victim(target, peeks_by_call);
}

bool attack_read_mem_file(const struct target *target)
{
	return any_victim(target, peeks_by_file);
}

static bool steals_descriptor(pid_t victim)
{
	int process = (int)syscall(SYS_pidfd_open, victim, 0);
	if (process < 0)
		return false;
	int fd = (int)syscall(SYS_pidfd_getfd, process, 2, 0);
	close(process);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

bool attack_take_descriptors(const struct target *target)
{
	return any_victim(target, steals_descriptor);
}

bool attack_read_key_page_by_call(const struct target *target)
{
	return read_by_call(target->parent, (uintptr_t)target->page);
}

bool attack_read_key_page_by_file(const struct target *target)
{
	return read_by_file(target->parent, (uintptr_t)target->page);
}

static bool opens_paper(pid_t victim, const char *paper)
{
	char path[64], byte;
	snprintf(path, sizeof path, "/proc/%d/%s", victim, paper);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool got = read(fd, &byte, 1) >= 0;
	close(fd);
	return got;
}

static bool opens_environ(pid_t victim)
{
	return opens_paper(victim, "environ");
}

static bool opens_maps(pid_t victim)
{
	return opens_paper(victim, "maps");
}

static bool opens_cmdline(pid_t victim)
{
	return opens_paper(victim, "cmdline");
}

static bool opens_descriptor(pid_t victim)
{
	char path[64], link[64];
	snprintf(path, sizeof path, "/proc/%d/fd/2", victim);
	return readlink(path, link, sizeof link) >= 0;
}

bool attack_read_environ(const struct target *target)
{
	return any_victim(target, opens_environ);
}

bool attack_read_maps(const struct target *target)
{
	return any_victim(target, opens_maps);
}

bool attack_read_cmdline(const struct target *target)
{
	return any_victim(target, opens_cmdline);
}

bool attack_read_descriptors(const struct target *target)
{
	return any_victim(target, opens_descriptor);
}
