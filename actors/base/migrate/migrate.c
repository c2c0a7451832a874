/* A lasting file becomes one of our version, in steps that a death may fall between. */
#include "actors/base/migrate/migrate.h"

#include "actors/base/whole/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, PIECES_ALIVE = 64 };

struct names {
	const char *name;
	char draft[MIGRATE_NAME], keep[MIGRATE_NAME], kept[MIGRATE_NAME];
};

static enum migrate_end failed(char why[MIGRATE_WHY], const char *what)
{
	int error = errno;
	snprintf(why, MIGRATE_WHY, "%s: %s", what, strerror(error));
	return error == ENOSPC || error == EDQUOT ? MIGRATE_FULL : MIGRATE_DISK;
}

static bool remove_one(int folder, const char *name, const char *end)
{
	char path[MIGRATE_NAME + 16];
	snprintf(path, sizeof path, "%s%s", name, end);
	return unlinkat(folder, path, 0) == 0 || errno == ENOENT;
}

/* What a death or a failure left; with what SQLite lays beside a database. */
static bool clean(int folder, const struct names *names)
{
	return remove_one(folder, names->draft, "") && remove_one(folder, names->draft, "-wal") &&
	       remove_one(folder, names->draft, "-shm") && remove_one(folder, names->draft, "-journal") &&
	       remove_one(folder, names->keep, "");
}

/* -- the draft --------------------------------------------------------------------------------- */

static bool copy(const struct migration *m, int from, int to)
{
	char piece[PIECE];
	off_t at = 0;
	for (unsigned pieces = 0;; pieces++) {
		ssize_t got = pread(from, piece, sizeof piece, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		if (write_whole_at(to, piece, (size_t)got, (uint64_t)at))
			return false;
		at += got;
		if (m->alive && pieces % PIECES_ALIVE == 0)
			m->alive(m->alive_context);
	}
}

/* With the owner and the mode of the old one. */
static enum migrate_end make_draft(int folder, const struct migration *m, const struct names *names,
				   char why[MIGRATE_WHY])
{
	struct stat old;
	int from = openat(folder, names->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), to = -1;
	bool made = from >= 0 && fstat(from, &old) == 0 && S_ISREG(old.st_mode) &&
		    (to = openat(folder, names->draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				 0600)) >= 0 &&
		    fchown(to, old.st_uid, old.st_gid) == 0 && fchmod(to, old.st_mode & 07777) == 0 &&
		    copy(m, from, to);
	enum migrate_end end = made ? MIGRATE_OK : failed(why, "it cannot be copied");
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return end;
}

static enum migrate_end sync_draft(int folder, const struct names *names, char why[MIGRATE_WHY])
{
	int fd = openat(folder, names->draft, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum migrate_end end =
		fd >= 0 && fsync(fd) == 0 ? MIGRATE_OK : failed(why, "the new one is not synced");
	if (fd >= 0)
		close(fd);
	return end;
}

/* -- the old one, the new one ------------------------------------------------------------------ */

static bool is_kept(int folder, const struct names *names)
{
	struct stat old, kept;
	return fstatat(folder, names->name, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(folder, names->kept, &kept, AT_SYMLINK_NOFOLLOW) == 0 && old.st_ino == kept.st_ino &&
	       old.st_dev == kept.st_dev;
}

/* Under two names it would not be renamed (rename(2)), so a death after the second name is looked for first. */
static enum migrate_end keep_old(int folder, const struct names *names, char why[MIGRATE_WHY])
{
	if (!is_kept(folder, names) && (linkat(folder, names->name, folder, names->keep, 0) != 0 ||
					renameat(folder, names->keep, folder, names->kept) != 0))
		return failed(why, "the old one cannot be kept");
	return fsync(folder) == 0 ? MIGRATE_OK : failed(why, "the folder is not synced");
}

static enum migrate_end put_in_place(int folder, const struct names *names, char why[MIGRATE_WHY])
{
	if (renameat(folder, names->draft, folder, names->name) != 0)
		return failed(why, "the new one cannot be put in place");
	return fsync(folder) == 0 ? MIGRATE_OK : failed(why, "the folder is not synced");
}

enum migrate_end migrate(int folder, const struct migration *m, char why[MIGRATE_WHY])
{
	struct names names = {.name = m->name};
	snprintf(names.draft, sizeof names.draft, "%s" MIGRATE_DRAFT, m->name);
	snprintf(names.keep, sizeof names.keep, "%s.keep", m->name);
	snprintf(names.kept, sizeof names.kept, "%s.v%u", m->name, m->from);
	if (!clean(folder, &names))
		return failed(why, "what an earlier try left cannot be removed");
	enum migrate_end end = make_draft(folder, m, &names, why);
	for (unsigned from = m->from; from < m->to && end == MIGRATE_OK; from++)
		end = m->step(m->context, from, why);
	if (end == MIGRATE_OK)
		end = sync_draft(folder, &names, why);
	if (end == MIGRATE_OK)
		end = keep_old(folder, &names, why);
	if (end == MIGRATE_OK)
		end = put_in_place(folder, &names, why);
	if (end != MIGRATE_OK)
		clean(folder, &names);
	return end;
}
