/* Strangers: this program started again, so that the kernel gives it another pid. They say HELLO and ask for everything, as
 * somebody else, until told to stop, and report what they were given. Part of the tests' harness. */
#include "tests/actor/harness.h"
#include "tests/actor/raw.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAUSE_MS = 5, LAST_MS = 200, ARGUMENTS = 7 };

void stranger_start(struct stranger *stranger, const char *mode, const char *door, const uint8_t routing[16],
		    uint64_t broker, uint64_t fingerprint)
{
	int commands[2], answers[2];
	char hex[33], numbers[2][24];
	for (unsigned i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", routing[i]);
	snprintf(numbers[0], sizeof numbers[0], "%llu", (unsigned long long)broker);
	snprintf(numbers[1], sizeof numbers[1], "%llu", (unsigned long long)fingerprint);
	if (pipe2(commands, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0)
		abort();
	stranger->pid = fork();
	if (stranger->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(commands[0], STDIN_FILENO);
		dup2(answers[1], STDOUT_FILENO);
		execl("/proc/self/exe", "stranger", mode, door, hex, numbers[0], numbers[1], NULL);
		_exit(127);
	}
	close(commands[0]);
	close(answers[1]);
	stranger->commands = commands[1];
	stranger->answers = answers[0];
}

long stranger_stop(struct stranger *stranger)
{
	char text[64] = "";
	long given = -1;
	int status;
	close(stranger->commands);
	ssize_t got = read(stranger->answers, text, sizeof text - 1);
	waitpid(stranger->pid, &status, 0);
	close(stranger->answers);
	return got > 0 && sscanf(text, "%ld", &given) == 1 ? given : -1;
}

/* -- in the stranger ---------------------------------------------------------------------------------- */

struct guise {
	const char *door;
	uint8_t routing[16];
	uint64_t broker, fingerprint;
};

static bool told_to_stop(void)
{
	struct pollfd item = {.fd = STDIN_FILENO, .events = POLLIN};
	return poll(&item, 1, PAUSE_MS) > 0;
}

/* Everything that somebody might say, one after the other. */
static struct frame next_word(const struct guise *guise, unsigned round)
{
	static const unsigned types[] = {ENVELOPE_HELLO, ENVELOPE_ASK, ENVELOPE_SUBSCRIBE, ENVELOPE_PUBLISH,
					 ENVELOPE_REPLY};
	struct frame word = {.type = types[round % 5], .broker = guise->broker, .serial = round + 1};
	word.deadline = frames_now_ns() + UINT64_C(5000000000);
	if (word.type == ENVELOPE_HELLO)
		word.serial = guise->fingerprint;
	if (word.type == ENVELOPE_ASK) {
		word.number = 0x0501;
		word.target_kind = WALLET;
		word.target_node = 1;
	}
	if (word.type == ENVELOPE_PUBLISH)
		word.number = 0x0411;
	word.body = "\x90";
	word.length = 1;
	return word;
}

static long by_libzmq(const struct guise *guise)
{
	struct speaker speaker = {0};
	struct frame frame;
	long given = 0;
	zsys_handler_set(NULL);
	memcpy(speaker.routing, guise->routing, sizeof speaker.routing);
	speaker_open(&speaker, guise->door, true);
	for (unsigned round = 0; !told_to_stop(); round++) {
		struct frame word = next_word(guise, round);
		speaker_send(&speaker, &word);
		while (speaker_receive(&speaker, &frame, 0))
			given++;
	}
	while (speaker_receive(&speaker, &frame, LAST_MS))
		given++;
	speaker_close(&speaker);
	return given;
}

/* Bytes beyond the greeting (64) and READY, which libzmq's ROUTER sends to anybody. */
static long by_hand(const struct guise *guise)
{
	char address[64];
	uint8_t header[ENVELOPE_BYTES];
	long given = 0, got = 0;
	int fd = raw_connect(guise->door);
	snprintf(address, sizeof address, "localhost:%u:%u:%d", getuid(), getgid(), getppid());
	if (fd < 0 || !raw_greet(fd, guise->routing, sizeof guise->routing, "Peer-Address", address))
		return -1;
	long greeting = raw_drain(fd, LAST_MS);
	for (unsigned round = 0; !told_to_stop() && got >= 0; round++) {
		struct frame word = next_word(guise, round);
		frame_write(&word, header);
		if (!raw_frame(fd, header, sizeof header, true) ||
		    !raw_frame(fd, word.body, word.length, false))
			break;
		got = raw_drain(fd, 0);
		given += got > 0 ? got : 0;
	}
	got = raw_drain(fd, LAST_MS);
	given += got > 0 ? got : 0;
	close(fd);
	return greeting > 64 ? given : -1;
}

void stranger_main(int argc, char **argv)
{
	struct guise guise = {0};
	if (argc != ARGUMENTS - 1 || strcmp(argv[0], "stranger") != 0)
		return;
	guise.door = argv[2];
	for (unsigned i = 0; i < 16; i++) {
		unsigned byte = 0;
		sscanf(argv[3] + 2 * i, "%2x", &byte);
		guise.routing[i] = (uint8_t)byte;
	}
	guise.broker = strtoull(argv[4], NULL, 10);
	guise.fingerprint = strtoull(argv[5], NULL, 10);
	printf("%ld\n", strcmp(argv[1], "zmq") == 0 ? by_libzmq(&guise) : by_hand(&guise));
	fflush(stdout);
	_exit(0);
}
