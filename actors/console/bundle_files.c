/* Files of the machine for a bundle: configuration without its secrets, and the newest part of each log. Part of the console.
 * Reads by name what is to be had and nothing else: no folder of keys, no store, nothing of ROOT/machine. */
#include "actors/console/bundle.h"

#include "actors/base/memory/memory.h"
#include "actors/console/logfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CONFIG_MOST = 64 << 10, /* of one file: what warrend reads at most */
	CONFIG_FILES =
		2 * 512 +
		4, /* nodeN.conf and one more each, warren.conf, policy.conf, chain.conf and its chain */
	LOGS_MOST = 4096,
	JOURNAL_MS = 10000,
};

static int open_folder(const char *root, const char *name)
{
	char path[LOGFILE_PATH];
	snprintf(path, sizeof path, "%s/%s", root, name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **all;
	unsigned count;
};

static void names_end(struct names *names)
{
	for (unsigned i = 0; i < names->count; i++)
		x_free(&names->all[i]);
	x_free(&names->all);
}

/* The names in a folder that end so, in order; at most `most`. Takes the descriptor. */
static struct names names_in(int fd, const char *end, unsigned most)
{
	struct names names = {.all = x_new_array(most, sizeof *names.all)};
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	size_t tail = strlen(end);
	for (const struct dirent *entry; folder && (entry = readdir(folder)) && names.count < most;) {
		size_t length = strlen(entry->d_name);
		if (entry->d_name[0] != '.' && length > tail &&
		    strcmp(entry->d_name + length - tail, end) == 0)
			names.all[names.count++] = x_copy(entry->d_name);
	}
	qsort(names.all, names.count, sizeof *names.all, by_name);
	if (folder)
		closedir(folder);
	else if (fd >= 0)
		close(fd);
	return names;
}

void bundle_config(struct parts *parts, const char *root, struct secrets *secrets)
{
	int etc = open_folder(root, "etc");
	if (etc < 0) {
		part_missing(part_new(parts, "etc"), "%s", strerror(errno));
		return;
	}
	struct names names = names_in(fcntl(etc, F_DUPFD_CLOEXEC, 0), ".conf", CONFIG_FILES);
	for (unsigned i = 0; i < names.count; i++) {
		struct part *part = part_new(parts, "etc/%.80s", names.all[i]);
		part_of_file(part, etc, names.all[i], CONFIG_MOST);
		if (!part->bytes)
			continue;
		char *scrubbed = scrub_config(part->bytes, &part->length,
					      strstr(names.all[i], "policy") != NULL, secrets);
		x_free(&part->bytes);
		part->bytes = scrubbed;
		if (part->state == PART_WHOLE)
			snprintf(part->why, sizeof part->why, "without comments and secret values");
	}
	names_end(&names);
	close(etc);
}

/* -- logs ------------------------------------------------------------------------------------------------ */

struct log {
	char path[96]; /* below ROOT/logs */
	uint64_t size; /* with the older ones beside it */
};

struct logs {
	int fd; /* ROOT/logs */
	struct log *all;
	unsigned count;
};

static const char *older_path(const struct log *log, unsigned age, char path[112])
{
	if (age)
		snprintf(path, 112, "%s.%u", log->path, age);
	else
		snprintf(path, 112, "%s", log->path);
	return path;
}

static void add_log(struct logs *logs, const char *folder, const char *name)
{
	struct stat at;
	char path[112];
	if (logs->count == LOGS_MOST || strlen(folder) + strlen(name) + 2 > sizeof logs->all->path)
		return;
	struct log *log = &logs->all[logs->count++];
	*log = (struct log){0};
	snprintf(log->path, sizeof log->path, "%.32s/%.60s", folder, name);
	for (unsigned age = 0; age <= LOGFILE_OLDER; age++)
		if (fstatat(logs->fd, older_path(log, age, path), &at, AT_SYMLINK_NOFOLLOW) == 0)
			log->size += (uint64_t)at.st_size;
}

static void find_logs(struct parts *parts, struct logs *logs)
{
	struct names folders = names_in(fcntl(logs->fd, F_DUPFD_CLOEXEC, 0), "", LOGS_MOST);
	for (unsigned i = 0; i < folders.count; i++) {
		int fd = openat(logs->fd, folders.all[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			part_missing(part_new(parts, "logs/%.80s", folders.all[i]), "%s",
				     errno == EACCES ? "you may not read it" : strerror(errno));
		struct names names = names_in(fd, ".log", LOGS_MOST);
		for (unsigned j = 0; j < names.count; j++)
			add_log(logs, folders.all[i], names.all[j]);
		names_end(&names);
	}
	names_end(&folders);
}

/* The share that all can have alike, when what the small ones leave goes to the large ones. */
static uint64_t fair_share(const struct logs *logs, uint64_t room)
{
	uint64_t share = 0, left = room;
	for (unsigned full = 0; full < logs->count;) {
		uint64_t more = left / (logs->count - full), before = share;
		if (!more)
			break;
		share += more;
		full = 0;
		left = room;
		for (unsigned i = 0; i < logs->count; i++) {
			left -= logs->all[i].size < share ? logs->all[i].size : share;
			full += logs->all[i].size <= share;
		}
		if (share == before)
			break;
	}
	return share;
}

/* From the newest file back, until the share is used up. */
static void take_log(struct parts *parts, const struct logs *logs, const struct log *log, uint64_t share)
{
	struct part *part = part_new(parts, "logs/%s", log->path);
	char path[112];
	part_of_file(part, logs->fd, log->path, share);
	for (unsigned age = 1; age <= LOGFILE_OLDER && part->state == PART_WHOLE && part->length < share;
	     age++) {
		struct part older = {0};
		part_of_file(&older, logs->fd, older_path(log, age, path), share - part->length);
		if (older.bytes) {
			older.bytes = x_grow(older.bytes, older.length + part->length + 1);
			memcpy(older.bytes + older.length, part->bytes, part->length);
			older.bytes[older.length + part->length] = '\0';
			x_free(&part->bytes);
			part->bytes = older.bytes;
			part->length += older.length;
			part->state = older.state;
		}
	}
	if (part->state == PART_MISSING)
		return;
	part->of = log->size > part->length ? log->size : part->length;
	part->state = part->of > part->length ? PART_CUT : PART_WHOLE;
	if (part->state == PART_CUT)
		snprintf(part->why, sizeof part->why, "the older %llu bytes were left out",
			 (unsigned long long)(part->of - part->length));
}

void bundle_logs(struct parts *parts, const char *root, uint64_t room)
{
	struct logs logs = {.fd = open_folder(root, "logs")};
	if (logs.fd < 0) {
		part_missing(part_new(parts, "logs"), "%s",
			     errno == EACCES ? "you may not read them: they are for operators"
					     : strerror(errno));
		return;
	}
	logs.all = x_new_array(LOGS_MOST, sizeof *logs.all);
	find_logs(parts, &logs);
	uint64_t taken = (uint64_t)logs.count * 2 * TAR_BLOCK;
	uint64_t share = fair_share(&logs, room > taken ? room - taken : 0);
	for (unsigned i = 0; i < logs.count; i++)
		take_log(parts, &logs, &logs.all[i], share);
	x_free(&logs.all);
	close(logs.fd);
}

void bundle_journal(struct parts *parts)
{
	static const char *const argv[] = {"/usr/bin/journalctl",
					   "--unit=warrend@*",
					   "--lines=4000",
					   "--no-pager",
					   "--quiet",
					   "--output=short-iso",
					   "--no-hostname",
					   NULL};
	struct part *part = part_new(parts, "journal.txt");
	if (access("/run/systemd/system", F_OK) != 0 || access(argv[0], X_OK) != 0)
		part_missing(part,
			     "no systemd runs here: what the supervisor says is in logs/machine/warrend.log");
	else
		part_of_program(parts, part, &(struct program){argv, JOURNAL_MS, BUNDLE_JOURNAL, true});
}
