/* A broker in a folder of its own, with the listeners and the roster that the supervisor would give it. Part of the tests'
 * harness. */
#include "tests/actor/harness.h"

#include "proto/call.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int listener_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, path, strlen(path));
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(listener, BACKLOG) != 0)
		abort();
	return listener;
}

void machine_start_broker(struct machine *machine)
{
	int pair[2];
	struct start start = {.birth = birth_of(BROKER, 0), .self = machine->folder, .run = machine->folder};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	if (machine->roster_room &&
	    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &machine->roster_room, sizeof machine->roster_room))
		abort();
	int fds[] = {machine->listeners[0], machine->listeners[1], machine->listeners[2], pair[1]};
	if (machine->roster >= 0)
		close(machine->roster);
	machine->roster = pair[0];
	machine->serial = 0;
	machine->birth = start.birth.birth;
	start.fds = fds;
	start.count = 4;
	machine->counts = (struct roster_counts){0};
	child_start(&machine->broker, tested_program(), &start);
	close(pair[1]);
}

/* A flood of connections has two ends, and ours must not be the one that runs out of descriptors. */
static void many_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < 16384 ? limit.rlim_max : 16384;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void machine_begin(struct machine *machine)
{
	static const char *const names[OUR_DOORS] = {SOCKET_BUS, SOCKET_OPERATE, SOCKET_READ};
	many_descriptors();
	*machine = (struct machine){.roster = -1};
	folder_make(machine->folder);
	for (unsigned i = 0; i < OUR_DOORS; i++) {
		snprintf(machine->doors[i], sizeof machine->doors[i], "%s/%s", machine->folder, names[i]);
		machine->listeners[i] = listener_at(machine->doors[i]);
	}
	for (unsigned i = 1; i < OUR_DOORS;
	     i++) { /* before there is a roster, of which they would hold a copy */
		snprintf(machine->crossings[i], sizeof machine->crossings[i], "%s/people-%u", machine->folder,
			 i);
		int listener = listener_at(machine->crossings[i]);
		machine->crossers[i] = crossing_start(listener, machine->doors[i]);
		close(listener);
	}
	machine_start_broker(machine);
}

void machine_end(struct machine *machine)
{
	bool lives = child_look(&machine->broker);
	if (!lives)
		note("the broker had ended with status %x; it said:\n%s", (unsigned)machine->broker.status,
		     machine->broker.logged);
	ok(lives, "the broker lives at the end");
	child_end(&machine->broker);
	close(machine->roster);
	for (unsigned i = 0; i < OUR_DOORS; i++)
		close(machine->listeners[i]);
	for (unsigned i = 1; i < OUR_DOORS; i++) {
		kill(machine->crossers[i], SIGKILL);
		waitpid(machine->crossers[i], NULL, 0);
	}
	folder_remove(machine->folder);
}

/* -- the roster --------------------------------------------------------------------------------------- */

/* What the broker says next on the roster: the serial of an acknowledgement, or 0 for counts, or when nothing came. */
static uint32_t hear(struct machine *machine, int ms)
{
	union {
		uint32_t verb;
		struct roster_entry entry;
		struct roster_counts counts;
	} said;
	struct pollfd item = {.fd = machine->roster, .events = POLLIN};
	child_look(&machine->broker); /* so that its log pipe is never full */
	if (poll(&item, 1, ms) <= 0)
		return 0;
	ssize_t got = recv(machine->roster, &said, sizeof said, MSG_DONTWAIT);
	if (got == sizeof said.counts && said.verb == ROSTER_COUNTS)
		machine->counts = said.counts;
	return got == sizeof said.entry && said.verb == ROSTER_ACK ? said.entry.serial : 0;
}

void machine_say(struct machine *machine, enum roster_verb verb, const struct speaker *speaker, pid_t pid)
{
	struct roster_entry entry = {
		.verb = verb,
		.serial = ++machine->serial,
		.kind = (uint8_t)speaker->kind,
		.node = (uint16_t)speaker->node,
		.pid = (uint32_t)pid,
		.uid = getuid(),
		.birth = speaker->birth,
	};
	memcpy(entry.routing, speaker->routing, sizeof entry.routing);
	if (send(machine->roster, &entry, sizeof entry, MSG_NOSIGNAL) != sizeof entry)
		note("the roster is shut: errno %d", errno);
}

void machine_tell(struct machine *machine, enum roster_verb verb, const struct speaker *speaker, pid_t pid)
{
	uint64_t until = frames_now_ns() + WAIT_MS * UINT64_C(1000000);
	machine_say(machine, verb, speaker, pid);
	while (frames_now_ns() < until)
		if (hear(machine, 50) == machine->serial)
			return;
	ok(false, "roster entry %u was not acknowledged", machine->serial);
}

bool machine_acknowledged(struct machine *machine)
{
	bool acknowledged = false;
	struct pollfd item = {.fd = machine->roster, .events = POLLIN};
	while (poll(&item, 1, 0) == 1)
		acknowledged |= hear(machine, 0) == machine->serial;
	return acknowledged;
}

bool machine_counts(struct machine *machine, bool (*fulfil)(const struct roster_counts *, uint64_t than),
		    uint64_t than)
{
	uint64_t until = frames_now_ns() + WAIT_MS * UINT64_C(1000000);
	machine->counts = (struct roster_counts){0};
	while (frames_now_ns() < until && !(machine->counts.verb && fulfil(&machine->counts, than)))
		hear(machine, 50);
	return machine->counts.verb && fulfil(&machine->counts, than);
}

/* -- members ------------------------------------------------------------------------------------------ */

void machine_join(struct machine *machine, struct speaker *speaker, unsigned kind, unsigned node)
{
	*speaker = (struct speaker){.kind = kind, .node = node, .birth = frames_random()};
	for (unsigned i = 0; i < sizeof speaker->routing; i += 8)
		memcpy(speaker->routing + i, &(uint64_t){frames_random()}, 8);
	machine_tell(machine, ROSTER_BORN, speaker, getpid());
	speaker_open(speaker, machine->doors[0], true);
	if (!speaker_hello(speaker, calls_fingerprint()))
		ok(false, "%s@%u is not welcome", kind_name(kind), node);
}

void machine_leave(struct machine *machine, struct speaker *speaker)
{
	machine_tell(machine, ROSTER_GONE, speaker, getpid());
	speaker_close(speaker);
}

void machine_person(struct machine *machine, struct speaker *speaker, unsigned door)
{
	*speaker = (struct speaker){.kind = door == 1 ? OPERATOR : READER};
	speaker_open(speaker, machine->crossings[door], false);
	if (!speaker_hello(speaker, calls_fingerprint()))
		ok(false, "a person is not welcome at door %u", door);
}
