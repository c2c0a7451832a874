/* A gateway for tests; see speaker.h. */
#include "tests/unit/store/speaker.h"

#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROOM = 4 * MIB, PATIENCE = 3000 /* turns of 10 ms with nothing ready */ };

static void put_done(void *context, const struct stored *stored, uint64_t ms)
{
	(void)stored, (void)ms;
	((struct porch *)context)->puts_done++;
}

static void get_done(void *context, const struct cid *cid, uint64_t bytes, uint64_t ms, enum err end)
{
	(void)cid, (void)bytes, (void)ms;
	((struct porch *)context)->gets_done++;
	((struct porch *)context)->last_end = end;
}

static struct sockaddr_un address_of(const struct porch *porch)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", porch->path);
	return address;
}

void porch_open(struct porch *porch, uint64_t quota, uint32_t gateway_uid)
{
	*porch = (struct porch){.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	house_new(&porch->house, quota);
	snprintf(porch->path, sizeof porch->path, "%s/socket", porch->house.path);
	struct sockaddr_un address = address_of(porch);
	cr_assert_eq(bind(porch->listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(porch->listener, 16), 0);
	const struct streams_events events = {put_done, get_done, porch};
	porch->streams = streams_new(porch->listener, gateway_uid, porch->house.store, 1024, &events);
	cr_assert_not_null(porch->streams);
}

void porch_close(struct porch *porch)
{
	settle(&porch->house);
	streams_free(&porch->streams);
	close(porch->listener);
	house_remove(&porch->house);
}

void porch_turn(struct porch *porch)
{
	store_turn(porch->house.store);
	streams_turn(porch->streams);
}

/* Turns, and waits up to 10 ms for something to happen. False: nothing did. */
static bool turn_and_wait(struct speaker *speaker, short events)
{
	struct porch *porch = speaker->porch;
	porch_turn(porch);
	struct pollfd fds[] = {{streams_fd(porch->streams), POLLIN, 0},
			       {store_fd(porch->house.store), POLLIN, 0},
			       {speaker->fd, events, 0}};
	return poll(fds, 3, 10) > 0;
}

void speaker_connect(struct speaker *speaker, struct porch *porch)
{
	*speaker = (struct speaker){.porch = porch, .in = x_grow(NULL, ROOM)};
	speaker->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = address_of(porch);
	cr_assert_eq(connect(speaker->fd, (struct sockaddr *)&address, sizeof address), 0);
	porch_turn(porch);
}

void speaker_open(struct speaker *speaker, struct porch *porch)
{
	struct heard heard;
	struct stream_open open = {streams_ticket(porch->streams)};
	speaker_connect(speaker, porch);
	say(speaker, STREAM_OPEN, 0, 0, &open, sizeof open);
	expect(speaker, &heard, STREAM_OPENED, 0);
}

void speaker_end(struct speaker *speaker)
{
	close(speaker->fd);
	x_free(&speaker->in);
	for (int i = 0; i < 5; i++)
		porch_turn(speaker->porch);
}

void say_bytes(struct speaker *speaker, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	for (int idle = 0; length && idle < PATIENCE;) {
		ssize_t sent = send(speaker->fd, from, length, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return; /* cut; hear() will notice */
		from += sent > 0 ? sent : 0;
		length -= sent > 0 ? (size_t)sent : 0;
		if (length)
			idle += !turn_and_wait(speaker, POLLOUT);
		else
			porch_turn(speaker->porch);
	}
}

void say(struct speaker *speaker, enum stream_type type, uint32_t transfer, uint32_t argument,
	 const void *body, size_t length)
{
	static uint8_t all[sizeof(struct stream_frame) + STREAM_DATA_MAX];
	struct stream_frame frame = {.length = (uint32_t)length,
				     .type = (uint8_t)type,
				     .transfer = transfer,
				     .argument = argument};
	memcpy(all, &frame, sizeof frame);
	if (length)
		memcpy(all + sizeof frame, body, length);
	say_bytes(speaker, all, sizeof frame + length);
}

void say_put(struct speaker *speaker, uint32_t transfer, uint64_t size)
{
	struct stream_put put = {size};
	say(speaker, STREAM_PUT, transfer, 0, &put, sizeof put);
}

void say_get(struct speaker *speaker, uint32_t transfer, const struct cid *cid, uint64_t offset,
	     uint64_t length, uint32_t credit)
{
	struct stream_get get = {*cid, offset, length};
	say(speaker, STREAM_GET, transfer, credit, &get, sizeof get);
}

/* Takes in what is there. */
static void listen_in(struct speaker *speaker)
{
	while (speaker->in_length < ROOM && !speaker->cut) {
		ssize_t got =
			recv(speaker->fd, speaker->in + speaker->in_length, ROOM - speaker->in_length, 0);
		if (got < 0 && errno == EAGAIN)
			return;
		speaker->cut = got <= 0;
		speaker->in_length += got > 0 ? (size_t)got : 0;
	}
}

static bool take(struct speaker *speaker, struct heard *heard)
{
	if (speaker->in_length < sizeof heard->frame)
		return false;
	memcpy(&heard->frame, speaker->in, sizeof heard->frame);
	size_t whole = sizeof heard->frame + heard->frame.length;
	cr_assert_leq(heard->frame.length, STREAM_DATA_MAX);
	if (speaker->in_length < whole)
		return false;
	memcpy(heard->body, speaker->in + sizeof heard->frame, heard->frame.length);
	speaker->in_length -= whole;
	memmove(speaker->in, speaker->in + whole, speaker->in_length);
	return true;
}

bool hear(struct speaker *speaker, struct heard *heard)
{
	for (int idle = 0; idle < PATIENCE; idle += !turn_and_wait(speaker, POLLIN)) {
		listen_in(speaker);
		if (take(speaker, heard))
			return true;
		if (speaker->cut)
			return false;
	}
	cr_assert(false, "the store says nothing");
	return false;
}

bool hear_nothing(struct speaker *speaker)
{
	for (int i = 0; i < 5; i++) {
		turn_and_wait(speaker, POLLIN);
		listen_in(speaker);
	}
	return !speaker->in_length && !speaker->cut;
}

void hear_no_more(struct speaker *speaker)
{
	porch_turn(speaker->porch);
	listen_in(speaker);
	speaker->in_length = 0;
}

void expect(struct speaker *speaker, struct heard *heard, enum stream_type type, uint32_t transfer)
{
	cr_assert(hear(speaker, heard), "it was cut");
	cr_assert_eq(heard->frame.type, type, "type %u, error %s", heard->frame.type,
		     err_name(heard->frame.error));
	cr_assert_eq(heard->frame.transfer, transfer);
}

void expect_error(struct speaker *speaker, uint32_t transfer, enum err err)
{
	struct heard heard;
	expect(speaker, &heard, STREAM_ERROR, transfer);
	cr_assert_eq(heard.frame.error, err, "%s instead of %s", err_name(heard.frame.error), err_name(err));
}

void expect_cut(struct speaker *speaker)
{
	struct heard heard;
	while (hear(speaker, &heard))
		;
	cr_assert(speaker->cut);
}

enum err put_over(struct speaker *speaker, uint32_t transfer, const uint8_t *bytes, size_t length,
		  uint64_t declared, struct stream_stored *stored)
{
	static struct heard heard;
	uint32_t credit = STREAM_WINDOW;
	bool ended = false;
	size_t at = 0;
	say_put(speaker, transfer, declared);
	for (;;) {
		while (credit && at < length) {
			size_t piece = length - at < STREAM_DATA_MAX ? length - at : STREAM_DATA_MAX;
			say(speaker, STREAM_DATA, transfer, 0, bytes + at, piece);
			at += piece;
			credit--;
		}
		if (at == length && !ended) {
			say(speaker, STREAM_END, transfer, 0, NULL, 0);
			ended = true;
		}
		cr_assert(hear(speaker, &heard), "cut");
		cr_assert_eq(heard.frame.transfer, transfer);
		if (heard.frame.type == STREAM_ERROR)
			return (enum err)heard.frame.error;
		if (heard.frame.type == STREAM_STORED) {
			cr_assert_eq(heard.frame.length, sizeof *stored);
			memcpy(stored, heard.body, sizeof *stored);
			return ERR_OK;
		}
		cr_assert_eq(heard.frame.type, STREAM_CREDIT);
		credit += heard.frame.argument;
		cr_assert_leq(credit, STREAM_WINDOW);
	}
}

enum err get_over(struct speaker *speaker, uint32_t transfer, const struct cid *cid, uint64_t offset,
		  uint64_t length, uint8_t *into, size_t *got)
{
	static struct heard heard;
	*got = 0;
	say_get(speaker, transfer, cid, offset, length, 2);
	for (;;) {
		cr_assert(hear(speaker, &heard), "cut");
		cr_assert_eq(heard.frame.transfer, transfer);
		switch ((enum stream_type)heard.frame.type) {
		case STREAM_FOUND:
			cr_assert_arr_eq(heard.body, cid, sizeof *cid);
			break;
		case STREAM_DATA:
			memcpy(into + *got, heard.body, heard.frame.length);
			*got += heard.frame.length;
			say(speaker, STREAM_CREDIT, transfer, 1, NULL, 0);
			break;
		case STREAM_END:
			return ERR_OK;
		case STREAM_ERROR:
			return (enum err)heard.frame.error;
		case STREAM_OPEN:
		case STREAM_OPENED:
		case STREAM_PUT:
		case STREAM_GET:
		case STREAM_ABORT:
		case STREAM_CREDIT:
		case STREAM_STORED:
			cr_assert(false, "type %u", heard.frame.type);
		}
	}
}
