/* The host and the programs of a machine, for a bundle: what anybody may read. Part of the console. Not the host's name, and not
 * its machine id: they help nobody. */
#include "actors/console/bundle.h"

#include "actors/console/root.h"

#include "actors/base/memory/memory.h"
#include "proto/call.h"
#include "proto/version.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { COPIED = 16384 /* bytes of one file of /proc */ };

/* The lines of a file that begin with one of `words`, separated by "|"; all when it is NULL. */
static void copy_lines(FILE *to, const char *path, const char *words)
{
	char line[1024];
	size_t copied = 0;
	FILE *from = fopen(path, "re");
	fprintf(to, "\n# %s\n", path);
	if (!from) {
		fprintf(to, "%s\n", strerror(errno));
		return;
	}
	while (copied < COPIED && fgets(line, sizeof line, from)) {
		bool meant = !words;
		for (const char *word = words; word && *word && !meant; word += *word == '|') {
			size_t length = strcspn(word, "|");
			meant = strncmp(line, word, length) == 0;
			word += length;
		}
		if (meant)
			copied += (size_t)fprintf(to, "%s", line);
	}
	fclose(from);
}

static void say_disk(FILE *to, const char *what, const char *path)
{
	struct statfs disk;
	if (statfs(path, &disk) != 0) {
		fprintf(to, "%s: %s\n", what, strerror(errno));
		return;
	}
	uint64_t block = (uint64_t)disk.f_bsize;
	fprintf(to,
		"%s: type 0x%lx, %" PRIu64 " MiB, %" PRIu64 " MiB free for all, files %" PRIu64
		", free %" PRIu64 "\n",
		what, (unsigned long)disk.f_type, disk.f_blocks * block >> 20, disk.f_bavail * block >> 20,
		(uint64_t)disk.f_files, (uint64_t)disk.f_ffree);
}

static const char *control_groups(void)
{
	struct statfs at;
	if (statfs("/sys/fs/cgroup", &at) != 0)
		return "none to be seen";
	if ((unsigned long)at.f_type == CGROUP2_SUPER_MAGIC)
		return "version 2";
	return access("/sys/fs/cgroup/unified", F_OK) == 0 ? "version 1, and 2 beside it" : "version 1";
}

void bundle_host(struct parts *parts, const char *root)
{
	struct part *part = part_new(parts, "host.txt");
	struct utsname name;
	struct timespec now;
	FILE *to = open_memstream(&part->bytes, &part->length);
	if (!to) {
		part_missing(part, "%s", strerror(errno));
		return;
	}
	if (uname(&name) == 0)
		fprintf(to, "kernel: %s %s %s %s\n", name.sysname, name.release, name.version, name.machine);
	clock_gettime(CLOCK_REALTIME, &now);
	fprintf(to, "time: %lld (seconds since 1970)\nprocessors: %ld of %ld\nmemory page: %ld\n",
		(long long)now.tv_sec, sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_NPROCESSORS_CONF),
		sysconf(_SC_PAGESIZE));
	fprintf(to, "control groups: %s\nsystemd: %s\ncollected by: uid %u\n", control_groups(),
		access("/run/systemd/system", F_OK) == 0 ? "yes" : "no", geteuid());
	say_disk(to, "disk of ROOT", root);
	say_disk(to, "disk of /", "/");
	copy_lines(to, "/etc/os-release", NULL);
	copy_lines(to, "/etc/debian_version", NULL);
	copy_lines(to, "/proc/cpuinfo", "model name|flags|cpu MHz|microcode");
	copy_lines(to, "/proc/meminfo", "MemTotal|MemFree|MemAvailable|SwapTotal|SwapFree|Dirty|Mlocked");
	copy_lines(to, "/proc/loadavg", NULL);
	copy_lines(to, "/proc/uptime", NULL);
	copy_lines(to, "/proc/pressure/cpu", NULL);
	copy_lines(to, "/proc/pressure/io", NULL);
	copy_lines(to, "/proc/pressure/memory", NULL);
	copy_lines(to, "/sys/kernel/security/lsm", NULL);
	fclose(to);
	part->of = part->length;
}

static void list_programs(FILE *to, const char *folder)
{
	DIR *opened = opendir(folder);
	fprintf(to, "\n# %s\n", folder);
	if (!opened) {
		fprintf(to, "%s\n", strerror(errno));
		return;
	}
	for (const struct dirent *entry; (entry = readdir(opened));) {
		struct stat at;
		if (strncmp(entry->d_name, "warren", 6) == 0 &&
		    fstatat(dirfd(opened), entry->d_name, &at, AT_SYMLINK_NOFOLLOW) == 0)
			fprintf(to, "%s: %lld bytes, mode %04o, uid %u, of %lld\n", entry->d_name,
				(long long)at.st_size, at.st_mode & 07777, at.st_uid, (long long)at.st_mtime);
	}
	closedir(opened);
}

void bundle_programs(struct parts *parts, const char *root)
{
	struct part *part = part_new(parts, "versions.txt");
	char folder[4200];
	FILE *to = open_memstream(&part->bytes, &part->length);
	if (!to) {
		part_missing(part, "%s", strerror(errno));
		return;
	}
	fprintf(to, "warren %s, protocol rows %016" PRIx64 "\n", WARREN_VERSION, calls_fingerprint());
	snprintf(folder, sizeof folder, "%s/bin", root);
	list_programs(to, folder);
	list_programs(to, INSTALLED);
	fclose(to);
	part->of = part->length;
}
