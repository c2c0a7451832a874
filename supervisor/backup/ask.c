/* The passphrase of a backup: from a person, a pipe, or a file that nobody else can read; never from an argument or the environment,
 * which others see. Runs in the verbs of warrend. */
#include "supervisor/backup/backup.h"

#include "actors/base/memory/memory.h"
#include "actors/base/prompt/prompt.h"
#include "supervisor/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_private(int fd, const char *path, struct why *why)
{
	struct stat at;
	if (fstat(fd, &at) != 0 || !S_ISREG(at.st_mode))
		return refuse(why, "%s is not a file", path);
	if (at.st_uid != 0 && at.st_uid != geteuid())
		return refuse(why, "%s belongs to uid %u: somebody else knows this passphrase", path,
			      at.st_uid);
	if (at.st_mode & 077)
		return refuse(why, "%s is open to others (mode %03o); chmod 0600 it", path,
			      at.st_mode & 0777);
	return true;
}

/* Its first line. */
static bool from_file(const char *path, struct unlock *line, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	bool fine = is_private(fd, path, why);
	if (fine && !unlock_new(line))
		fine = refuse(why, "there is no memory that can be locked: %s", strerror(errno));
	ssize_t got = fine ? read(fd, line->page, PROMPT_MOST) : 0;
	close(fd);
	if (!fine)
		return false;
	if (got < 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	const uint8_t *end = memchr(line->page, '\n', (size_t)got);
	line->length = end ? (size_t)(end - line->page) : (size_t)got;
	if (line->length && line->page[line->length - 1] == '\r')
		line->length--;
	return line->length < PROMPT_MOST - 1 || refuse(why, "%s: its first line is too long", path);
}

bool backup_passphrase(const char *file, bool new, struct unlock *line, struct why *why)
{
	struct unlock again = {0};
	bool fine = file ? from_file(file, line, why)
			 : passphrase_ask(new ? "passphrase for the backup (not shown): "
					      : "passphrase of the backup (not shown): ",
					  line, why);
	if (!fine || !new)
		return fine;
	if (line->length < BACKUP_PASSPHRASE_LEAST)
		return refuse(why, "a backup's passphrase has at least %d characters",
			      BACKUP_PASSPHRASE_LEAST);
	if (file || !prompt_is_terminal(STDIN_FILENO))
		return true;
	fine = passphrase_ask("the same again: ", &again, why);
	if (fine && (again.length != line->length || memcmp(again.page, line->page, line->length) != 0))
		fine = refuse(why, "the two are not the same");
	unlock_forget(&again);
	return fine;
}
