/* Impostors on a whole machine. They know everything: root reads wallet@1's routing id of this birth and of the last, and every
 * open ask, out of the broker's memory and tells them. As other uids (and as wallet@1's own) they claim those ids on bus.sock
 * and answer asks that were never theirs, while somebody else kills wallet@1 again and again and this program asks it for its
 * address. Runs as root; touches the sockets of the machine it is given and reads the broker's memory. Ends when its stdin ends.
 *
 *   impostor alive|dead ROOT BROKER WALLET UID GID [UID GID]...
 *                             pids; strangers run as UID, and GID is their only group; they know the id of
 *                             a wallet that lives, or only of one that is dead
 *   impostor control FOLDER   the same strangers at a ROUTER that believes what it is told
 *
 * Prints one line of counts, and exits 0 whatever they are: the caller judges. */
#include "tests/chaos/impostor.h"

#include "proto/call.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
	DEADLINE_MS = 1000,
	LATE_MS = 3000, /* an ask without any end by then was forgotten */
	STRANGERS_MAX = 8,
	CONTROL_MS = 20000,
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static bool stdin_ended(int ms)
{
	struct pollfd item = {.fd = STDIN_FILENO, .events = POLLIN};
	return poll(&item, 1, ms) > 0;
}

/* -- the strangers' processes ----------------------------------------------------------------------------------------- */

static pid_t start_stranger(struct plot *plot, const char *door, uid_t uid, gid_t gid)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!atomic_load(&plot->over))
		stranger_turn(plot, door);
	_exit(0);
}

static void end_strangers(struct plot *plot, const pid_t *children, unsigned count)
{
	atomic_store(&plot->over, true);
	for (unsigned i = 0; i < count; i++)
		waitpid(children[i], NULL, 0);
}

static struct plot *new_plot(void)
{
	struct plot *plot =
		mmap(NULL, sizeof *plot, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plot == MAP_FAILED)
		fail("mmap");
	return plot;
}

static void *open_socket(void *context, int type, const char *door)
{
	char address[200];
	void *socket = zmq_socket(context, type);
	snprintf(address, sizeof address, "ipc://%s", door);
	zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &(int){1}, sizeof(int));
	if ((type == ZMQ_ROUTER ? zmq_bind(socket, address) : zmq_connect(socket, address)) != 0)
		fail(address);
	return socket;
}

/* -- the asker: one ask at a time, as a reader -------------------------------------------------------------------------- */

struct asker {
	void *socket;
	uint64_t broker, birth, serial, asked_ns; /* asked_ns 0: none is open */
	uint8_t right[256];
	int right_length;
	unsigned asked, answered, wrong, gone, late, busy, other, never;
};

static void say(struct asker *asker, struct envelope e, const char *body, size_t length)
{
	uint8_t header[ENVELOPE_BYTES];
	e.broker_birth = asker->broker;
	envelope_write(&e, header);
	if (zmq_send(asker->socket, header, sizeof header, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
		zmq_send(asker->socket, body, length, ZMQ_DONTWAIT);
}

static bool hear(struct asker *asker, struct envelope *e, uint8_t *body, int *length, int ms)
{
	uint8_t header[ENVELOPE_BYTES];
	zmq_pollitem_t item = {.socket = asker->socket, .events = ZMQ_POLLIN};
	if (zmq_poll(&item, 1, ms) <= 0 || zmq_recv(asker->socket, header, sizeof header, ZMQ_DONTWAIT) < 0)
		return false;
	*length = zmq_recv(asker->socket, body, 256, ZMQ_DONTWAIT);
	return envelope_read(header, sizeof header, e);
}

static void ask(struct asker *asker)
{
	asker->asked_ns = now_ns();
	asker->asked++;
	say(asker,
	    (struct envelope){.type = ENVELOPE_ASK,
			      .number = IMPOSTOR_CALL,
			      .caller_birth = asker->birth,
			      .serial = ++asker->serial,
			      .deadline = asker->asked_ns + DEADLINE_MS * UINT64_C(1000000),
			      .target_kind = WALLET,
			      .target_node = 1},
	    "\x90", 1);
}

static void count_end(struct asker *asker, const struct envelope *e, const uint8_t *body, int length)
{
	if (e->type == ENVELOPE_REPLY && !asker->right_length) { /* the first: nobody lies yet */
		memcpy(asker->right, body, (size_t)length);
		asker->right_length = length;
	}
	bool right = length == asker->right_length && memcmp(body, asker->right, (size_t)length) == 0;
	if (e->type == ENVELOPE_REPLY)
		++*(right ? &asker->answered : &asker->wrong);
	else
		++*(e->error == ERR_GONE   ? &asker->gone
		    : e->error == ERR_LATE ? &asker->late
		    : e->error == ERR_BUSY ? &asker->busy
					   : &asker->other);
}

/* Waits up to `ms` for the end of the open ask; asks anew when there is none. */
static void asker_turn(struct asker *asker, int ms)
{
	struct envelope e;
	uint8_t body[256];
	int length;
	if (!asker->asked_ns)
		ask(asker);
	if (hear(asker, &e, body, &length, ms)) {
		if ((e.type == ENVELOPE_REPLY || e.type == ENVELOPE_ERROR) && e.serial == asker->serial) {
			count_end(asker, &e, body, length);
			asker->asked_ns = 0;
		}
	} else if (now_ns() - asker->asked_ns > LATE_MS * UINT64_C(1000000)) {
		asker->never++;
		asker->asked_ns = 0;
	}
}

static void asker_begin(struct asker *asker, void *context, const char *root)
{
	char door[160];
	uint8_t body[256];
	int length;
	struct envelope e = {0};
	snprintf(door, sizeof door, "%s/run/read.sock", root);
	asker->socket = open_socket(context, ZMQ_DEALER, door);
	say(asker, (struct envelope){.type = ENVELOPE_HELLO, .serial = calls_fingerprint()}, "", 0);
	if (!hear(asker, &e, body, &length, CONTROL_MS) || e.type != ENVELOPE_WELCOME)
		fail("the broker does not welcome a reader");
	asker->broker = e.broker_birth;
	asker->birth = e.caller_birth;
	while (!asker->answered)
		asker_turn(asker, 1000);
}

/* -- on a machine, and the control ------------------------------------------------------------------------------------- */

static int on_machine(int argc, char **argv)
{
	struct plot *plot = new_plot();
	struct asker asker = {0};
	struct eye eye = {0};
	pid_t children[STRANGERS_MAX];
	char door[160];
	unsigned count = 0;
	void *context = zmq_ctx_new();
	snprintf(door, sizeof door, "%s/run/bus.sock", argv[2]);
	if (!eye_open(&eye, (pid_t)number(argv[3]), (uint32_t)number(argv[4])))
		fail("the broker's table is not found in its memory");
	for (int i = 5; i + 1 < argc && count < STRANGERS_MAX; i += 2)
		children[count++] =
			start_stranger(plot, door, (uid_t)number(argv[i]), (gid_t)number(argv[i + 1]));
	asker_begin(&asker, context, argv[2]);
	printf("begun\n");
	fflush(stdout);
	while (!stdin_ended(0)) {
		eye_look(&eye, plot, argv[1][0] == 'd');
		asker_turn(&asker, 1);
	}
	while (asker.asked_ns)
		asker_turn(&asker, 100);
	end_strangers(plot, children, count);
	printf("asked=%u right=%u wrong=%u gone=%u late=%u busy=%u other=%u never=%u ids=%u refused=%u "
	       "connected=%u claims=%u forged=%u given=%u asks=%u\n",
	       asker.asked, asker.answered, asker.wrong, asker.gone, asker.late, asker.busy, asker.other,
	       asker.never, plot->ids, plot->refused, plot->connected, plot->claims, plot->forged,
	       plot->given, plot->asks);
	return 0;
}

/* A victim is there, its routing id is known, it dies; then whoever claims the id is asked, and its answer counts. */
static int control(const char *folder)
{
	static const char id[] = "the victim's id.";
	struct plot *plot = new_plot();
	char door[160], victim_door[170], first[64];
	void *context = zmq_ctx_new();
	unsigned fooled = 0;
	snprintf(door, sizeof door, "%s/control.sock", folder);
	memcpy(plot->routing[0], id, 16);
	memcpy(plot->routing[1], id, 16);
	pid_t child =
		start_stranger(plot, door, 65534, 65534); /* first, so that it holds no socket of ours */
	snprintf(victim_door, sizeof victim_door, "ipc://%s", door);
	void *router = open_socket(context, ZMQ_ROUTER, door), *victim = zmq_socket(context, ZMQ_DEALER);
	chmod(door, 0666);
	zmq_setsockopt(victim, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(victim, ZMQ_ROUTING_ID, id, 16);
	zmq_connect(victim, victim_door);
	zmq_send(victim, "here", 4, 0);
	while (zmq_recv(router, first, sizeof first, 0) != 4)
		;
	atomic_store(&plot->ids, 1);
	while (!atomic_load(&plot->connected) && !stdin_ended(1))
		;
	zmq_close(victim);
	for (uint64_t end = now_ns() + CONTROL_MS * UINT64_C(1000000); !fooled && now_ns() < end;) {
		uint8_t header[ENVELOPE_BYTES], from[64];
		struct envelope e = {.type = ENVELOPE_ASK, .serial = 1, .number = IMPOSTOR_CALL};
		envelope_write(&e, header);
		if (zmq_send(router, id, 16, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) {
			zmq_send(router, header, sizeof header, ZMQ_SNDMORE | ZMQ_DONTWAIT);
			zmq_send(router, "\x90", 1, ZMQ_DONTWAIT);
		}
		zmq_pollitem_t item = {.socket = router, .events = ZMQ_POLLIN};
		if (zmq_poll(&item, 1, 1) <= 0)
			continue;
		int length = zmq_recv(router, from, sizeof from, 0);
		int more = 0;
		size_t size = sizeof more;
		zmq_getsockopt(router, ZMQ_RCVMORE, &more, &size);
		while (more) {
			int got = zmq_recv(router, header, sizeof header, 0);
			fooled += length == 16 && memcmp(from, id, 16) == 0 && got == ENVELOPE_BYTES &&
				  envelope_read(header, sizeof header, &e) && e.type == ENVELOPE_REPLY &&
				  e.serial == 1;
			zmq_getsockopt(router, ZMQ_RCVMORE, &more, &size);
		}
	}
	end_strangers(plot, &child, 1);
	unlink(door);
	printf("asks=%u fooled=%u\n", plot->asks, fooled);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "control") == 0)
		return control(argv[2]);
	if (argc >= 7)
		return on_machine(argc, argv);
	fprintf(stderr,
		"usage: impostor alive|dead ROOT BROKER WALLET UID GID [UID GID]... | control FOLDER\n");
	return 2;
}
