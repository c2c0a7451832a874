/* A real store, walls and all, whose every kind of I/O fails by chance (libfiu), on an ext4 that loses its power again and again. Whatever
 * it said it had stored is there afterwards, right to the byte. It may die as often as it likes: it is started anew, as the supervisor
 * would. The control is a store whose syncs are lies: it must be caught.
 * usage: actor-fiu [PROGRAM [SCENARIO]], PROGRAM a warren-store; root, for the disk. WARREN_LONG: 100,000 operations. */
#include "tests/actor/fake.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "proto/store.h"
#include "proto/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	NODE = 3,
	CALL_OPEN = 0x0401,
	LARGEST = 6000,
	A_CUT = 250, /* operations between two power cuts */
	SAMPLED = 2000,
	WHOLE = 100000,
	PATIENCE_MS = 3000, /* of one operation, or one birth: after that the supervisor would end it */
	SLICE_MS = 5,
	BIRTHS = 400, /* in a row that do not get as far as ready */
	DISK_MIB = 64,
	POWER_LOST = 2, /* EXT4_GOING_FLAGS_NOLOGFLUSH */
	SECONDS = 7000,
};
#define EXT4_SHUTDOWN _IOR('X', 125, uint32_t)
#define FIU           "/usr/lib/fiu/fiu_run_preload.so"

static const uint8_t nothing[] = {0x90};
static const char settings[] = "quota_mb=8\nmax_blob_mb=1\nshard_count=1024\nshards=\n";

struct told { /* it said that it has these bytes */
	uint64_t seed;
	size_t length;
	struct cid cid;
};

struct trial {
	struct fake fake;
	char disk[96], script[96];
	int listener, stream; /* -1: not connected */
	struct told told[A_CUT];
	unsigned count;
	uint64_t random, puts, gets, refused, cut_off, deaths, unborn, silent, false_acks, wrong;
};

static uint64_t draw(struct trial *t, uint64_t below)
{
	t->random = t->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (t->random >> 33) % below;
}

static void fill(uint8_t *bytes, size_t length, uint64_t seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (size_t i = 0; i < length; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		bytes[i] = (uint8_t)(state >> 40);
	}
}

/* -- a disk of its own -------------------------------------------------------------------------------------------------- */

static bool run(const char *const words[])
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY);
		dup2(nowhere, STDOUT_FILENO);
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

static bool mounted(struct trial *t)
{
	return run((const char *[]){"mount", "-o", "loop", t->disk, t->fake.self, NULL}) &&
	       chmod(t->fake.self, 0700) == 0;
}

static bool new_disk(struct trial *t)
{
	int fd = open(t->disk, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool made = fd >= 0 && ftruncate(fd, (off_t)DISK_MIB << 20) == 0;
	close(fd);
	return made && run((const char *[]){"mkfs.ext4", "-q", "-F", "-m", "0", t->disk, NULL}) && mounted(t);
}

/* What is not on it by now never is. */
static bool lose_power(struct trial *t)
{
	uint32_t how = POWER_LOST;
	int fd = open(t->fake.self, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool lost = fd >= 0 && ioctl(fd, EXT4_SHUTDOWN, &how) == 0;
	close(fd);
	return lost && umount(t->fake.self) == 0 && mounted(t);
}

/* -- its lives ---------------------------------------------------------------------------------------------------------- */

static void bury(struct trial *t)
{
	if (t->stream >= 0)
		close(t->stream);
	t->stream = -1;
	child_end(&t->fake.child);
}

/* The next message of this type, while it lives. */
static bool hear(struct trial *t, unsigned type, uint64_t serial, struct frame *frame)
{
	uint64_t until = frames_now_ns() + (uint64_t)PATIENCE_MS * 1000000;
	while (frames_now_ns() < until) {
		if (fake_receive(&t->fake, frame, SLICE_MS) && frame->type == type &&
		    (!serial || frame->serial == serial))
			return true;
		if (!child_look(&t->fake.child))
			return false;
	}
	return false;
}

static bool take(struct trial *t, void *bytes, size_t length)
{
	uint8_t *into = bytes;
	uint64_t until = frames_now_ns() + (uint64_t)PATIENCE_MS * 1000000;
	while (length && frames_now_ns() < until) {
		struct pollfd wait = {.fd = t->stream, .events = POLLIN};
		if (poll(&wait, 1, SLICE_MS) == 0) {
			if (!child_look(&t->fake.child))
				return false;
			continue;
		}
		ssize_t got = recv(t->stream, into, length, 0);
		if (got <= 0)
			return false;
		into += got;
		length -= (size_t)got;
	}
	return !length;
}

static bool say(struct trial *t, enum stream_type type, uint32_t argument, const void *body, size_t length)
{
	struct stream_frame frame = {
		.length = (uint32_t)length, .type = (uint8_t)type, .transfer = 1, .argument = argument};
	return send(t->stream, &frame, sizeof frame, MSG_NOSIGNAL) == (ssize_t)sizeof frame &&
	       (!length || send(t->stream, body, length, MSG_NOSIGNAL) == (ssize_t)length);
}

/* A ticket over the bus, then the stream. */
static bool connected(struct trial *t)
{
	struct frame ask = fake_ask(&t->fake, CALL_OPEN, GATEWAY, NODE, nothing, sizeof nothing, PATIENCE_MS),
		     end;
	struct store_open_reply reply = {0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stream_frame opened;
	struct arena arena;
	if (!fake_send(&t->fake, &ask) || !hear(t, ENVELOPE_REPLY, ask.serial, &end))
		return false;
	arena_begin(&arena, 65536);
	bool read = message_unpack(&message_store_open_reply, end.body, end.length, &arena, &reply);
	arena_end(&arena);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/stream.sock", t->fake.run);
	t->stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stream_open open = {reply.ticket};
	return read && connect(t->stream, (struct sockaddr *)&address, sizeof address) == 0 &&
	       say(t, STREAM_OPEN, 0, &open, sizeof open) && take(t, &opened, sizeof opened) &&
	       opened.type == STREAM_OPENED;
}

static bool begin_life(struct trial *t, const char *program)
{
	struct birth birth = birth_of(STORE, NODE);
	struct frame hello;
	memset(birth.secret, 0x5b, sizeof birth.secret);
	birth.missing = 1U << WALL_UID; /* we speak under its own uid, as everybody does without root */
	fake_broker_end(&t->fake);      /* with what the one before left in its queues */
	fake_broker_begin(&t->fake);
	t->fake.of_child = birth;
	child_start(&t->fake.child, program,
		    &(struct start){birth, settings, t->fake.self, t->fake.run, &t->listener, 1, 0});
	uint64_t began = frames_now_ns();
	if (hear(t, ENVELOPE_HELLO, 0, &hello) &&
	    fake_send(&t->fake, &(struct frame){.type = ENVELOPE_WELCOME,
						.broker = t->fake.birth,
						.caller = t->fake.of_child.birth}) &&
	    connected(t))
		return true;
	t->silent += frames_now_ns() - began > PATIENCE_MS * UINT64_C(1000000);
	bury(t);
	return false;
}

static bool lives(struct trial *t, const char *program)
{
	if (t->stream >= 0 && child_look(&t->fake.child))
		return true;
	if (t->fake.child.life >= 0) {
		for (int i = 0; i < 10 && child_look(&t->fake.child); i++) /* it may be about to end */
			poll(NULL, 0, 10);
		t->deaths += !t->fake.child.pid;
		bury(t);
	}
	for (unsigned tries = 0; tries < BIRTHS; tries++) {
		if (begin_life(t, program))
			return true;
		t->unborn++;
	}
	return false;
}

/* -- what it is asked --------------------------------------------------------------------------------------------------- */

static void hang_up(struct trial *t)
{
	t->cut_off++;
	close(t->stream);
	t->stream = -1;
}

static void put(struct trial *t)
{
	uint8_t bytes[LARGEST];
	struct told *told = &t->told[t->count];
	struct stream_frame frame;
	struct stream_stored stored;
	*told = (struct told){.seed = ++t->puts, .length = 1 + draw(t, LARGEST)};
	fill(bytes, told->length, told->seed);
	sha256(bytes, told->length, told->cid.bytes);
	struct stream_put how = {draw(t, 2) ? told->length : STREAM_UNKNOWN};
	if (!say(t, STREAM_PUT, 0, &how, sizeof how) || !say(t, STREAM_DATA, 0, bytes, told->length) ||
	    !say(t, STREAM_END, 0, NULL, 0)) {
		hang_up(t);
		return;
	}
	do
		if (!take(t, &frame, sizeof frame)) {
			hang_up(t);
			return;
		}
	while (frame.type == STREAM_CREDIT);
	if (frame.type == STREAM_ERROR) {
		t->refused++;
		return;
	}
	if (frame.type != STREAM_STORED || !take(t, &stored, sizeof stored)) {
		hang_up(t);
		return;
	}
	t->wrong += memcmp(&stored.cid, &told->cid, sizeof stored.cid) != 0;
	t->count++;
}

/* 1: right; 0: nobody knows, it was cut off or refused; -1: it is not there, or not what it was. */
static int get(struct trial *t, const struct told *told)
{
	uint8_t right[LARGEST], bytes[STREAM_DATA_MAX];
	struct stream_frame frame;
	struct stream_get how = {told->cid, 0, STREAM_UNKNOWN};
	size_t at = 0;
	t->gets++;
	fill(right, told->length, told->seed);
	if (!say(t, STREAM_GET, STREAM_WINDOW, &how, sizeof how))
		return hang_up(t), 0;
	for (;;) {
		if (!take(t, &frame, sizeof frame) || frame.length > sizeof bytes ||
		    (frame.length && !take(t, bytes, frame.length)))
			return hang_up(t), 0;
		if (frame.type == STREAM_ERROR) {
			t->refused++;
			return frame.error == ERR_NOT_FOUND || frame.error == ERR_CORRUPT ? -1 : 0;
		}
		if (frame.type == STREAM_END)
			return at == told->length ? 1 : -1;
		if (frame.type != STREAM_DATA)
			continue;
		if (at + frame.length > told->length || memcmp(right + at, bytes, frame.length) != 0)
			return -1;
		at += frame.length;
	}
}

/* -- the trial ---------------------------------------------------------------------------------------------------------- */

static void write_script(const struct trial *t, const char *how)
{
	int fd = open(t->script, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	if (fd < 0 || dprintf(fd, "#!/bin/sh\n%s %s\n", how, WARREN_PROGRAM) < 0)
		abort();
	close(fd);
}

static bool begin(struct trial *t, const char *how)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	*t = (struct trial){.stream = -1, .random = frames_random()};
	fake_begin(&t->fake);
	snprintf(t->disk, sizeof t->disk, "%s/disk", t->fake.run);
	snprintf(t->script, sizeof t->script, "%s/store.sh", t->fake.run);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/stream.sock", t->fake.run);
	write_script(t, how);
	t->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	fake_broker_begin(&t->fake);
	alarm(SECONDS);
	return bind(t->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
	       listen(t->listener, 16) == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void end(struct trial *t)
{
	bury(t);
	umount(t->fake.self);
	close(t->listener);
	fake_end(&t->fake);
}

/* One disk: some operations, a power cut, and all that was told looked for. False: it could not be tried. */
static bool one_disk(struct trial *t, unsigned operations)
{
	struct birth birth = birth_of(STORE, NODE);
	memset(birth.secret, 0x5b, sizeof birth.secret);
	t->count = 0;
	if (!new_disk(t) || !fake_init(&t->fake, birth, settings, &t->listener, 1))
		return false;
	for (unsigned i = 0; i < operations; i++) {
		if (!lives(t, t->script))
			return false;
		if (t->count && draw(t, 4) == 0)
			t->wrong += get(t, &t->told[draw(t, t->count)]) < 0;
		else
			put(t);
	}
	bury(t);
	if (!lose_power(t) || !lives(t, WARREN_PROGRAM))
		return false;
	for (unsigned i = 0; i < t->count; i++)
		t->false_acks += get(t, &t->told[i]) != 1;
	bury(t);
	return umount(t->fake.self) == 0;
}

static void try_it(const char *how, unsigned operations, struct trial *t)
{
	uint64_t told = 0;
	bool tried = begin(t, how);
	for (unsigned done = 0; tried && done < operations; done += A_CUT) {
		tried = one_disk(t, A_CUT);
		told += t->count;
	}
	ok(tried, "it ran%s%s", tried ? "" : ": ", tried ? "" : t->fake.child.logged);
	note("%u operations: %lu stored, %lu refused, %lu cut off; %lu deaths, %lu births that failed (%lu "
	     "silent); %lu "
	     "false acknowledgements",
	     operations, (unsigned long)told, (unsigned long)t->refused, (unsigned long)t->cut_off,
	     (unsigned long)t->deaths, (unsigned long)t->unborn, (unsigned long)t->silent,
	     (unsigned long)t->false_acks);
	ok(told > operations / 8, "%lu were acknowledged", (unsigned long)told);
	end(t);
}

static bool can(void)
{
	if (geteuid() == 0 && access(FIU, F_OK) == 0)
		return true;
	ok(true, "not tried: it needs root, and fiu-utils");
	return false;
}

static void fiu_chance(void)
{
	struct trial t;
	if (!can())
		return;
	crypto_warm();
	try_it("exec fiu-run -x -f '' -c 'enable_random name=posix/io/*,probability=.01'",
	       getenv("WARREN_LONG") ? WHOLE : SAMPLED, &t);
	ok(t.false_acks == 0 && t.wrong == 0, "0 false acknowledgements, nothing wrong was read (%lu, %lu)",
	   (unsigned long)t.false_acks, (unsigned long)t.wrong);
	ok(t.deaths + t.unborn > 10, "failures were met: it died %lu times, %lu births failed",
	   (unsigned long)t.deaths, (unsigned long)t.unborn);
}

/* Acknowledged before it is on the disk: the same trial must see it. */
static void fiu_control(void)
{
	struct trial t;
	if (!can())
		return;
	crypto_warm();
	try_it("LD_PRELOAD=" WARREN_LIE " exec", A_CUT, &t);
	ok(t.false_acks > 10, "a store whose syncs are lies is caught: %lu were lost",
	   (unsigned long)t.false_acks);
}

static const struct scenario scenarios[] = {
	{"fiu.chance", fiu_chance},
	{"fiu.control", fiu_control},
};

int main(int argc, char **argv)
{
	return scenarios_run(argc, argv, WARREN_PROGRAM, scenarios, sizeof scenarios / sizeof *scenarios);
}
