/* Log files. Plain C in the process of scribe, under its uid: sees the one folder it was given. Nobody else
 * writes there, but people remove and rename log files, disks fill and die, and none of that may stop the
 * reading of pipes. */
#include "actors/scribe/file.h"

#include "actors/scribe/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void files_begin(struct files *files, int folder, uint64_t rotate_bytes, unsigned keep, uint32_t pid)
{
	*files = (struct files){.folder = folder, .rotate_bytes = rotate_bytes, .keep = keep, .pid = pid};
}

void file_begin(struct file *file, unsigned kind, unsigned node)
{
	*file = (struct file){.fd = -1};
	log_path_text(kind, node, file->path);
}

/* -- open, close ------------------------------------------------------------------------------- */

static void file_close(struct files *files, struct file *file)
{
	if (file->fd < 0)
		return;
	close(file->fd);
	file->fd = -1;
	file->unsynced = false;
	for (uint64_t i = 0; i < files->open_count; i++)
		if (files->open[i] == file) {
			files->open[i] = files->open[--files->open_count];
			return;
		}
}

static void make_room(struct files *files)
{
	if (files->open_count < FILES_OPEN)
		return;
	struct file *oldest = files->open[0];
	for (uint64_t i = 1; i < files->open_count; i++)
		if (files->open[i]->used < oldest->used)
			oldest = files->open[i];
	file_close(files, oldest);
}

/* The folder that the file lies in, made when it is missing; -1 and errno. `*name` is set to what comes after
 * it. */
static int open_folder(const struct files *files, const struct file *file, const char **name)
{
	char folder[LOG_PATH_TEXT];
	size_t length = strcspn(file->path, "/");
	memcpy(folder, file->path, length);
	folder[length] = '\0';
	*name = file->path + length + 1;
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(files->folder, folder, flags);
	if (fd < 0 && errno == ENOENT && mkdirat(files->folder, folder, FOLDER_MODE) == 0)
		fd = openat(files->folder, folder, flags);
	return fd;
}

static int refuse(int fd, int why)
{
	close(fd);
	errno = why;
	return -1;
}

/* Opens the file in its folder. It is read too: one whose last line is torn (a power cut, a kill) gets its
 * end of line. */
static int open_regular(int folder, const char *name, uint64_t *size)
{
	int fd = openat(folder, name,
			O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			FILE_MODE);
	struct stat stat;
	if (fd < 0)
		return -1;
	if (fstat(fd, &stat) < 0)
		return refuse(fd, errno);
	if (!S_ISREG(stat.st_mode))
		return refuse(fd, EINVAL);
	char last = '\n';
	if (stat.st_size > 0 && pread(fd, &last, 1, stat.st_size - 1) != 1)
		return refuse(fd, EIO);
	*size = (uint64_t)stat.st_size;
	if (last == '\n')
		return fd;
	if (write(fd, "\n", 1) != 1)
		return refuse(fd, errno);
	*size += 1;
	return fd;
}

static bool file_open(struct files *files, struct file *file)
{
	const char *name;
	int folder = open_folder(files, file, &name);
	if (folder < 0)
		return false;
	make_room(files);
	file->fd = open_regular(folder, name, &file->size);
	int why = errno;
	close(folder);
	errno = why;
	if (file->fd < 0)
		return false;
	files->open[files->open_count++] = file;
	if (files->open_count > files->open_high)
		files->open_high = files->open_count;
	return true;
}

/* -- rotate ------------------------------------------------------------------------------------ */

static void older_name(char out[LOG_PATH_TEXT], const char *name, unsigned age)
{
	if (age == 0)
		snprintf(out, LOG_PATH_TEXT, "%s", name);
	else
		snprintf(out, LOG_PATH_TEXT, "%.30s.%u", name, age);
}

/* From the oldest down, so that a kill in between leaves a gap in the numbers and loses nothing. Those past
 * `keep` go: it may have been higher before. */
static bool shift(const struct files *files, int folder, const char *name)
{
	char older[LOG_PATH_TEXT], newer[LOG_PATH_TEXT];
	for (unsigned age = FILE_KEEP_MAX; age >= files->keep; age--) {
		older_name(older, name, age);
		if (unlinkat(folder, older, 0) < 0 && errno != ENOENT)
			return false;
	}
	for (unsigned age = files->keep; age > 0; age--) {
		older_name(older, name, age);
		older_name(newer, name, age - 1);
		if (renameat(folder, newer, folder, older) < 0 && errno != ENOENT)
			return false;
	}
	return true;
}

static bool rotate(struct files *files, struct file *file)
{
	const char *name;
	int folder = open_folder(files, file, &name);
	if (folder < 0)
		return false;
	bool shifted = shift(files, folder, name);
	int why = errno;
	close(folder);
	errno = why;
	if (!shifted)
		return false;
	files->rotations++;
	file_close(files, file);
	return file_open(files, file);
}

/* -- write ------------------------------------------------------------------------------------- */

static uint64_t count_lines(const char *text, size_t length)
{
	uint64_t lines = 0;
	for (const char *end; (end = memchr(text, '\n', length)); lines++) {
		length -= (size_t)(end - text) + 1;
		text = end + 1;
	}
	return lines;
}

static void drop(struct files *files, struct file *file, uint64_t lines)
{
	file->dropped += lines;
	files->dropped += lines;
}

static void begin_trouble(struct files *files, struct file *file, int why, const struct moment *now)
{
	if (!file->trouble)
		files->troubled++;
	file->trouble = why ? why : EIO;
	file->retry_ms = now->ms + FILE_RETRY_MS;
	snprintf(files->trouble, sizeof files->trouble, "%s: %s", file->path, strerror(file->trouble));
	file_close(files, file);
}

static void end_trouble(struct files *files, struct file *file)
{
	if (!file->trouble)
		return;
	file->trouble = 0;
	file->dropped = 0;
	if (--files->troubled == 0)
		files->trouble[0] = '\0';
}

/* As much as the disk takes, in whole lines: half a line would be a false one. Returns the bytes that stay.
 */
static size_t write_lines(struct file *file, const char *text, size_t length)
{
	size_t done = 0;
	while (done < length) {
		ssize_t wrote = write(file->fd, text + done, length - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			break;
		done += (size_t)wrote;
	}
	if (done == length)
		return done;
	int why = errno;
	const char *end = memrchr(text, '\n', done);
	size_t whole = end ? (size_t)(end - text) + 1 : 0;
	/* Where this fails too, the file is found torn when it is opened again. */
	if (whole < done && ftruncate(file->fd, (off_t)(file->size + whole)) < 0)
		whole = 0;
	errno = why;
	return whole;
}

/* False when the disk refused; what did not get there is then counted, and the file is in trouble. */
static bool append(struct files *files, struct file *file, const char *text, size_t length,
		   const struct moment *now)
{
	bool ready = file->fd >= 0 || file_open(files, file);
	if (ready && file->size > 0 && file->size + length > files->rotate_bytes)
		ready = rotate(files, file);
	int why = errno;
	size_t wrote = 0;
	if (ready) {
		wrote = write_lines(file, text, length);
		why = errno;
		file->size += wrote;
		file->used = ++files->turn;
		file->unsynced = true;
	}
	files->lines += count_lines(text, wrote);
	files->bytes += wrote;
	if (wrote == length)
		return true;
	drop(files, file, count_lines(text + wrote, length - wrote));
	begin_trouble(files, file, why, now);
	return false;
}

/* The line that says what is missing comes before any other. */
static void retry(struct files *files, struct file *file, const struct moment *now)
{
	struct stamp stamp = {.pid = files->pid};
	char said[160], text[LOG_TEXT_MAX];
	log_time_text(now->wall_ms, stamp.time);
	log_who_text(SCRIBE, 0, stamp.actor);
	int length = snprintf(said, sizeof said, "warn scribe.dropped lines=%llu why=\"%s\"",
			      (unsigned long long)file->dropped, strerror(file->trouble));
	uint64_t dropped = file->dropped, dropped_in_all = files->dropped;
	if (append(files, file, text, line_text(&stamp, said, (size_t)length, false, text), now)) {
		end_trouble(files, file);
		return;
	}
	/* Our own line was not one of theirs. */
	file->dropped = dropped;
	files->dropped = dropped_in_all;
}

void file_append(struct files *files, struct file *file, const char *text, size_t length,
		 const struct moment *now)
{
	if (length == 0)
		return;
	if (file->trouble && file->retry_ms <= now->ms)
		retry(files, file, now);
	if (file->trouble)
		drop(files, file, count_lines(text, length));
	else
		append(files, file, text, length, now);
}

/* -- now and then ------------------------------------------------------------------------------ */

void file_tick(struct files *files, struct file *file, const struct moment *now)
{
	struct stat stat;
	if (file->trouble && file->retry_ms <= now->ms)
		retry(files, file, now);
	if (file->fd < 0 || fstat(file->fd, &stat) < 0)
		return;
	file->size = (uint64_t)stat.st_size;
	if (stat.st_nlink == 0)
		file_close(files, file);
}

void file_end(struct files *files, struct file *file)
{
	file_close(files, file);
	end_trouble(files, file);
}

bool files_sync_one(struct files *files)
{
	for (uint64_t i = 0; i < files->open_count; i++) {
		struct file *file = files->open[i];
		if (file->unsynced) {
			fdatasync(file->fd); /* refused: nobody was promised these lines */
			file->unsynced = false;
			return true;
		}
	}
	return false;
}
