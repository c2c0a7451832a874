/* A flood at one Unix socket: as many connections as asked for, in every stage of a handshake, some with garbage, some that say
 * hello and ask; each is held until the count is there, then all are dropped, and again. Runs as whoever may connect; touches
 * that socket only; bounded by rounds.
 *
 *   flood SOCKET CONNECTIONS ROUNDS
 *
 * Prints "tried=… connected=… busy=…": busy ones were not taken at once, the listener's queue was full. */
#include "tests/actor/raw.h"

#include "proto/call.h"
#include "proto/envelope.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SILENT = 40, GARBAGE = 3000, TRIES = 200 };

static uint64_t random_word(void)
{
	static uint64_t state = 88172645463325252U;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Hello, and an ask that somebody might be allowed. */
static void talk(int fd)
{
	uint8_t header[ENVELOPE_BYTES];
	envelope_write(&(struct envelope){.type = ENVELOPE_HELLO, .serial = calls_fingerprint()}, header);
	raw_frame(fd, header, sizeof header, true);
	raw_frame(fd, "", 0, false);
	envelope_write(&(struct envelope){.type = ENVELOPE_ASK,
					  .number = 0x0501,
					  .serial = 1,
					  .target_kind = WALLET,
					  .target_node = 1,
					  .deadline = UINT64_MAX},
		       header);
	raw_frame(fd, header, sizeof header, true);
	raw_frame(fd, "\x90", 1, false);
}

static void misbehave(int fd, unsigned stage)
{
	static const uint8_t half[] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3};
	uint8_t garbage[GARBAGE];
	uint64_t id = random_word();
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (uint8_t)random_word();
	switch (stage % MOST_SILENT) { /* the rest says not a word: nobody hangs up on it soon */
	case 1:                        /* half a greeting */
		raw_write(fd, half, sizeof half);
		break;
	case 2: /* noise */
		raw_write(fd, garbage, sizeof garbage);
		break;
	case 3: /* a greeting, then noise */
		raw_greet(fd, &id, sizeof id, NULL, NULL);
		raw_write(fd, garbage, sizeof garbage);
		break;
	case 4: /* a greeting, and silence */
		raw_greet(fd, &id, sizeof id, NULL, NULL);
		break;
	case 5: /* a frame that says it has 2^63 bytes */
		raw_greet(fd, &id, sizeof id, NULL, NULL);
		raw_write(fd, "\x02\x7f\xff\xff\xff\xff\xff\xff\xff", 9);
		break;
	case 6:
		raw_greet(fd, &id, sizeof id, NULL, NULL);
		talk(fd);
		break;
	}
}

static int connect_soon(const char *path, unsigned *busy)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		int fd = raw_connect(path);
		if (fd >= 0 || errno != EAGAIN)
			return fd;
		++*busy;
		poll(NULL, 0, 1);
	}
	return -1;
}

int main(int argc, char **argv)
{
	unsigned most = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	unsigned rounds = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0, tried = 0, connected = 0,
		 busy = 0;
	struct rlimit files = {most + 64, most + 64};
	int *fds = calloc(most + 1, sizeof *fds);
	signal(SIGPIPE, SIG_IGN);
	if (!most || !rounds || !fds || setrlimit(RLIMIT_NOFILE, &files) != 0) {
		fprintf(stderr,
			"usage: flood SOCKET CONNECTIONS ROUNDS; and the limit on files must allow them\n");
		return 2;
	}
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < most; i++) {
			fds[i] = connect_soon(argv[1], &busy);
			tried++;
			if (fds[i] < 0)
				continue;
			connected++;
			misbehave(fds[i], i + round);
		}
		for (unsigned i = 0; i < most; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
	free(fds);
	printf("tried=%u connected=%u busy=%u\n", tried, connected, busy);
	return 0;
}
