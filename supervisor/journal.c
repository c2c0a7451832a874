/* Streams into systemd's journal, one for each process; the protocol of sd_journal_stream_fd(3) without its library. Part of
 * the supervisor, as a jailed process can reach no socket of the host. The stream goes to scribe, not to the process: so
 * `warren logs` has everything too, a line keeps its stamp that nobody forges, and a journal that hangs holds up nobody. */
#include "supervisor/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/stdout"

/* JOURNAL_STREAM of systemd.exec(5) is inherited by everybody below the unit; only when it is our own stderr do we run as one. */
bool journal_is_ours(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat at;
	char text[64];
	if (!stream || fstat(STDERR_FILENO, &at) != 0)
		return false;
	snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)at.st_dev,
		 (unsigned long long)at.st_ino);
	return strcmp(text, stream) == 0;
}

int journal_open(const char *identifier)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	char header[128];
	/* identifier, unit (ours, by control group), priority, <N> before lines counts, no forwarding to three others */
	int length = snprintf(header, sizeof header, "%s\n\n6\n1\n0\n0\n0\n", identifier);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
	    shutdown(fd, SHUT_RD) == 0 && send(fd, header, (size_t)length, MSG_NOSIGNAL) == length)
		return fd;
	close(fd);
	return -1;
}
