/* What a process is handed by the supervisor: its birth record, and (scribe) log pipes with what is to be done with them. The first byte
 * chooses. A record that is not wholly right is refused, and no descriptor that was sent stays open. */
#include "tests/fuzz/target.h"

#include "actors/base/born/born.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/scribe/pipes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned open_descriptors(void)
{
	unsigned count = 0;
	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The lowest bit of the first byte: the parts that every record must have right are put right. */
static void birth(const uint8_t *bytes, size_t length)
{
	static int kept = -1, file = -1;
	struct birth birth = {0};
	struct born born;
	size_t head = length - 1 < sizeof birth ? length - 1 : sizeof birth;
	memcpy(&birth, bytes + 1, head);
	if (bytes[0] & 1) {
		birth.magic = BIRTH_MAGIC;
		birth.version = BIRTH_VERSION;
		birth.kind = STORE;
		birth.uid = getuid();
	}
	if (file < 0)
		file = memfd_create("birth", MFD_CLOEXEC);
	if (kept < 0)
		kept = fcntl(FD_BIRTH, F_DUPFD_CLOEXEC, 40);
	must(ftruncate(file, 0) == 0 && pwrite(file, &birth, sizeof birth, 0) == sizeof birth);
	size_t rest = length - 1 - head;
	must(pwrite(file, bytes + 1 + head, rest, sizeof birth) == (ssize_t)rest);
	lseek(file, 0, SEEK_SET);
	must(dup2(file, FD_BIRTH) == FD_BIRTH);
	bool read = born_read(&born, STORE);
	if (read) {
		must(born.birth.kind == STORE && born.birth.settings_bytes <= SETTINGS_MAX &&
		     born.birth.settings_bytes <= rest);
		const char *quota = born_setting(&born, "quota_mb");
		must(quota && (!*quota || quota > born.settings) &&
		     quota + strlen(quota) <= born.settings + born.birth.settings_bytes + 1);
	}
	must(fcntl(FD_BIRTH, F_GETFD) < 0);
	if (kept >= 0)
		dup2(kept, FD_BIRTH);
	x_free(&born.settings);
	prctl(PR_SET_DUMPABLE, 1); /* for the leak sanitizer */
}

/* Datagrams: how many descriptors go with it (1), its bytes (1), which follow. */
static void log_pipes(const uint8_t *bytes, size_t length)
{
	static int folder = -1;
	static struct files files;
	static struct pipes *pipes;
	const struct moment now = {1000, 1760000000000};
	int pair[2], to_log[2];
	if (folder < 0) {
		char path[FUZZ_PLACE];
		must(*fuzz_place(path) && (folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0 &&
		     rmdir(path) == 0);
	}
	if (!pipes) { /* a table of three thousand places: made anew only when one of them was left taken */
		files_begin(&files, folder, 1 << 16, 1,
			    77); /* which is gone: lines are dropped, and counted */
		pipes = pipes_open(&files);
	}
	unsigned before = open_descriptors();
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 &&
	     pipe2(to_log, O_CLOEXEC | O_NONBLOCK) == 0);
	must(write(to_log[1], "info a.b c=1\n", 13) == 13);
	for (size_t at = 0, count = 0; at + 2 < length && count < 16; count++) {
		_Alignas(struct cmsghdr) char control[CMSG_SPACE(12 * sizeof(int))] = {0};
		unsigned fds = bytes[at] % 13;
		size_t size = bytes[at + 1] < length - at - 2 ? bytes[at + 1] : length - at - 2;
		struct iovec vector = {(void *)(uintptr_t)(bytes + at + 2), size};
		struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
		if (fds) {
			message.msg_control = control;
			message.msg_controllen = CMSG_SPACE(fds * sizeof(int));
			struct cmsghdr *part = CMSG_FIRSTHDR(&message);
			*part = (struct cmsghdr){CMSG_LEN(fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
			for (unsigned i = 0; i < fds; i++)
				memcpy(CMSG_DATA(part) + i * sizeof(int), &to_log[bytes[at] >> 7],
				       sizeof(int));
		}
		if (!size || sendmsg(pair[1], &message, MSG_DONTWAIT) < 0)
			break;
		must(pipes_receive(pipes, pair[0], &now));
		pipes_turn(pipes, &now);
		at += 2 + size;
	}
	pipes_tick(pipes, &now);
	close(to_log[1]);
	pipes_turn(pipes, &now);
	close(pair[0]);
	close(pair[1]);
	close(to_log[0]);
	if (pipes_counts(pipes)->open) {
		pipes_close(&pipes, &now);
		before--; /* its own */
	}
	must(files.open_count == 0 && open_descriptors() == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	log_threshold((enum log_level)(LOG_ERROR + 1));
	if (length < 2)
		return 0;
	if (bytes[0] & 2)
		log_pipes(bytes + 1, length - 1);
	else
		birth(bytes, length);
	return 0;
}
