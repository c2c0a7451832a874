/* Round trips between two processes, three ways, in turn: over the machine's broker, over a bare libzmq
 * ROUTER between the same two DEALERs, and over a SEQPACKET socket pair.
 *
 *   bench-bus RUN_FOLDER ROUNDS TRIPS     prints a line a round: broker, bare, pair: median microseconds of a
 * round trip */
#include "actors/base/bus.h"
#include "proto/actor.h"
#include "proto/birth.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BODY = 100, TRIPS_MAX = 100000 };

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static double median_us(uint64_t *times, unsigned count)
{
	qsort(times, count, sizeof *times, ascending);
	return (double)times[count / 2] / 1e3;
}

static _Noreturn void stop(const char *what)
{
	perror(what);
	exit(1);
}

static pid_t in_child(void)
{
	pid_t child = fork();
	if (child < 0)
		stop("fork");
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

/* -- over the machine's broker: actor_ping of its steward
 * ------------------------------------------------------------- */

/* Waits in zmq_recv, as the bare client does. */
static void wait_for(struct bus *bus, enum envelope_type type, uint64_t serial)
{
	struct envelope e;
	uint8_t header[ENVELOPE_BYTES], body[BODY];
	for (;;) {
		int length = zmq_recv(bus->socket, header, sizeof header, 0);
		if (length < 0 || zmq_recv(bus->socket, body, sizeof body, 0) < 0)
			stop("the broker does not answer");
		if (!envelope_read(header, (size_t)length, &e))
			continue;
		if (e.type == ENVELOPE_WELCOME)
			bus->broker_birth = e.broker_birth;
		if (e.type == type && (!serial || e.serial == serial))
			return;
	}
}

static double over_broker(const char *run, uint64_t *times, unsigned trips)
{
	char path[300];
	struct bus bus;
	snprintf(path, sizeof path, "%s/" SOCKET_OPERATE, run);
	if (!bus_open(&bus, path, NULL))
		stop(path);
	for (int i = 0; i < 100 && bus_changed(&bus) != BUS_FOUND; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	bus_hello(&bus);
	wait_for(&bus, ENVELOPE_WELCOME, 0);
	for (unsigned i = 0; i < trips; i++) {
		uint64_t began = now_ns();
		struct envelope e = {.type = ENVELOPE_ASK,
				     .number = row_actor_ping.number,
				     .serial = ++bus.serial,
				     .deadline = began + UINT64_C(5000000000),
				     .target_kind = STEWARD};
		if (!bus_send(&bus, &e, "\x90", 1))
			stop("send");
		wait_for(&bus, ENVELOPE_REPLY, e.serial);
		times[i] = now_ns() - began;
	}
	bus_close(&bus);
	return median_us(times, trips);
}

/* -- over a bare ROUTER
 * ----------------------------------------------------------------------------------------------- */

static void bare_router(const char *address)
{
	void *context = zmq_ctx_new(), *router = zmq_socket(context, ZMQ_ROUTER);
	if (zmq_bind(router, address) != 0)
		stop(address);
	for (;;) { /* from the client to the worker and back, by name */
		zmq_msg_t from, header, body;
		zmq_msg_init(&from), zmq_msg_init(&header), zmq_msg_init(&body);
		zmq_msg_recv(&from, router, 0);
		zmq_msg_recv(&header, router, 0);
		zmq_msg_recv(&body, router, 0);
		const char *to = memcmp(zmq_msg_data(&from), "client", 6) == 0 ? "worker" : "client";
		zmq_send(router, to, 6, ZMQ_SNDMORE);
		zmq_msg_send(&header, router, ZMQ_SNDMORE);
		zmq_msg_send(&body, router, 0);
		zmq_msg_close(&from);
	}
}

static void *dealer(const char *address, const char *name)
{
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
	zmq_setsockopt(socket, ZMQ_ROUTING_ID, name, 6);
	if (zmq_connect(socket, address) != 0)
		stop(address);
	return socket;
}

static void echo(const char *address)
{
	uint8_t header[ENVELOPE_BYTES], body[BODY];
	void *socket = dealer(address, "worker");
	zmq_send(socket, header, sizeof header, ZMQ_SNDMORE); /* says that it is there */
	zmq_send(socket, body, sizeof body, 0);
	for (;;) {
		zmq_recv(socket, header, sizeof header, 0);
		int length = zmq_recv(socket, body, sizeof body, 0);
		zmq_send(socket, header, sizeof header, ZMQ_SNDMORE);
		zmq_send(socket, body, (size_t)length, 0);
	}
}

static double over_bare(uint64_t *times, unsigned trips)
{
	char address[64];
	uint8_t header[ENVELOPE_BYTES] = {0}, body[BODY];
	snprintf(address, sizeof address, "ipc:///tmp/warren-bench-%d.sock", getpid());
	pid_t router = in_child();
	if (router == 0)
		bare_router(address);
	usleep(100000);
	pid_t worker = in_child();
	if (worker == 0)
		echo(address);
	pid_t client = in_child(); /* its own process, so that libzmq's threads end with it */
	if (client == 0) {
		void *socket = dealer(address, "client");
		usleep(100000);
		for (unsigned i = 0; i < trips; i++) {
			uint64_t began = now_ns();
			zmq_send(socket, header, sizeof header, ZMQ_SNDMORE);
			zmq_send(socket, "\x90", 1, 0);
			zmq_recv(socket, header, sizeof header, 0);
			zmq_recv(socket, body, sizeof body, 0);
			times[i] = now_ns() - began;
		}
		_exit(0);
	}
	waitpid(client, NULL, 0);
	kill(worker, SIGKILL), waitpid(worker, NULL, 0);
	kill(router, SIGKILL), waitpid(router, NULL, 0);
	unlink(address + strlen("ipc://"));
	return median_us(times, trips);
}

/* -- over a socket pair
 * ----------------------------------------------------------------------------------------------- */

static double over_pair(uint64_t *times, unsigned trips)
{
	int pair[2];
	uint8_t body[ENVELOPE_BYTES + 1] = {0};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		stop("socketpair");
	pid_t child = in_child();
	if (child == 0) {
		close(pair[0]);
		for (ssize_t got; (got = recv(pair[1], body, sizeof body, 0)) > 0;)
			send(pair[1], body, (size_t)got, 0);
		_exit(0);
	}
	close(pair[1]);
	for (unsigned i = 0; i < trips; i++) {
		uint64_t began = now_ns();
		if (send(pair[0], body, sizeof body, 0) < 0 || recv(pair[0], body, sizeof body, 0) < 0)
			stop("pair");
		times[i] = now_ns() - began;
	}
	close(pair[0]);
	waitpid(child, NULL, 0);
	return median_us(times, trips);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	unsigned trips = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	if (!rounds || !trips || trips > TRIPS_MAX)
		return fprintf(stderr, "usage: bench-bus RUN_FOLDER ROUNDS TRIPS\n"), 2;
	uint64_t *times =
		mmap(NULL, trips * sizeof *times, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (times == MAP_FAILED)
		stop("mmap");
	for (unsigned i = 0; i < rounds; i++) {
		double broker = over_broker(argv[1], times, trips), bare = over_bare(times, trips),
		       pair = over_pair(times, trips);
		printf("%.1f %.1f %.1f\n", broker, bare, pair);
		fflush(stdout);
	}
	return 0;
}
