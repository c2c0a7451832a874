/* Files of a machine into memory. Runs in `warrend backup`, as root or the machine's owner. What a process owns, that process may have
 * put links, pipes or holes in the place of: so no step of a path is a link, and only plain files are read. */
#include "supervisor/backup/read.h"

#include "actors/base/memory/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STILL_TRIES = 50, SLOT = 256 /* SPENT_SLOT */, ARCHIVED_MOST = 65536 };

static int open_below(const struct machine *machine, const char *path, uint64_t flags)
{
	const struct open_how how = {.flags = flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				     .resolve =
					     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, machine->fd, path, &how, sizeof how);
}

void file_forget(struct file_bytes *bytes)
{
	if (bytes->at)
		wipe(bytes->at, bytes->length);
	x_free(&bytes->at);
	bytes->length = 0;
}

static bool read_all(int fd, struct file_bytes *bytes, uint64_t most)
{
	struct stat at;
	if (fstat(fd, &at) != 0)
		return false;
	if (!S_ISREG(at.st_mode) || (uint64_t)at.st_size > most) {
		errno = S_ISREG(at.st_mode) ? EFBIG : EINVAL;
		return false;
	}
	bytes->at = x_new((size_t)at.st_size + 1);
	while (bytes->length < (size_t)at.st_size) {
		ssize_t got = pread(fd, bytes->at + bytes->length, (size_t)at.st_size - bytes->length,
				    (off_t)bytes->length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		bytes->length += (size_t)got;
	}
	return true;
}

bool file_read(const struct machine *machine, const char *path, uint64_t most, struct file_bytes *bytes,
	       struct why *why)
{
	*bytes = (struct file_bytes){0};
	int fd = open_below(machine, path, O_RDONLY);
	if (fd < 0)
		return errno == ENOENT || refuse(why, "%s/%s: %s", machine->root, path, strerror(errno));
	bool read = read_all(fd, bytes, most);
	if (!read)
		refuse(why, "%s/%s: %s", machine->root, path,
		       errno == EINVAL ? "it is not a file" : strerror(errno));
	close(fd);
	if (!read)
		file_forget(bytes);
	return read;
}

static bool same(const struct file_bytes *a, const struct file_bytes *b)
{
	return a->at && b->at ? a->length == b->length && memcmp(a->at, b->at, a->length) == 0
			      : a->at == b->at;
}

static void trim(struct file_bytes *bytes)
{
	size_t length = bytes->length;
	while (length && !bytes->at[length - 1])
		length--;
	length = (length + SLOT - 1) / SLOT * SLOT;
	if (length < bytes->length)
		bytes->length = length;
}

bool file_read_still(const struct machine *machine, const char *path, uint64_t most, struct file_bytes *bytes,
		     struct why *why)
{
	struct file_bytes before;
	if (!file_read(machine, path, most, bytes, why))
		return false;
	for (int i = 0; i < STILL_TRIES; i++) {
		before = *bytes;
		bool read = file_read(machine, path, most, bytes, why), still = read && same(&before, bytes);
		file_forget(&before);
		if (!read)
			return false;
		if (still) {
			trim(bytes);
			return true;
		}
	}
	file_forget(bytes);
	return refuse(why, "%s/%s is written without a pause; try again when the wallet signs less",
		      machine->root, path);
}

/* -- the archive ------------------------------------------------------------------------------------------------------ */

static int in_order(const void *a, const void *b)
{
	const struct archived *one = a, *other = b;
	return one->node != other->node ? one->node - other->node : strcmp(one->stamp, other->stamp);
}

static bool parse(const char *name, struct archived *archived)
{
	unsigned node;
	int end = 0;
	*archived = (struct archived){0};
	if (sscanf(name, "node%3u-%n", &node, &end) != 1 || !end || !node || node > NODES_MAX)
		return false;
	archived->node = (uint16_t)node;
	snprintf(archived->stamp, sizeof archived->stamp, "%s", name + end);
	return piece_stamp_fits(name + end);
}

bool archive_list(const struct machine *machine, struct archived **archived, unsigned *count, struct why *why)
{
	struct archived one;
	*archived = NULL;
	*count = 0;
	int fd = open_below(machine, "archive", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return errno == ENOENT || refuse(why, "%s/archive: %s", machine->root, strerror(errno));
	DIR *folder = fdopendir(fd);
	if (!folder)
		close(fd);
	for (const struct dirent *entry; folder && *count < ARCHIVED_MOST && (entry = readdir(folder));) {
		if (!parse(entry->d_name, &one))
			continue;
		*archived = x_grow(*archived, (*count + 1) * sizeof **archived);
		(*archived)[(*count)++] = one;
	}
	if (folder)
		closedir(folder);
	if (*count)
		qsort(*archived, *count, sizeof **archived, in_order);
	return folder || refuse(why, "%s/archive: %s", machine->root, strerror(errno));
}
