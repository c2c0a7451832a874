/* What a stranger does: ZMTP by hand, so that it may claim any routing id at any moment. libzmq's ROUTER takes the READY of a
 * connection at its word; when somebody else has that id, it takes the next message of the connection for another try. So some
 * connections claim again and again and take the id the moment its owner is dead, others claim once and lie; the last comes
 * under a name of its own, and lies. */
#include "tests/actor/raw.h"
#include "tests/chaos/impostor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES = 6, LIFE = 25 /* turns, of one that lies */, GREETING = 64, HEARD = 8192 };

static struct line {
	int fd; /* 0: none */
	unsigned turns, heard;
	bool greeted; /* the other end's greeting has been passed over */
	uint8_t bytes[HEARD];
} lines[LINES];

static bool lies(unsigned i)
{
	return i % 2;
}

static void hang_up(struct line *line)
{
	if (line->fd)
		close(line->fd);
	line->fd = 0;
}

static void call_up(struct plot *plot, const char *door, unsigned i)
{
	struct line *line = &lines[i];
	uint8_t own[ROUTING_MAX] = "nobody's yet ";
	const uint8_t *id = i + 1 < LINES ? plot->routing[i / 2 % 2] : own;
	int fd = raw_connect(door);
	memcpy(own + 12, &fd, sizeof fd);
	*line = (struct line){.fd = fd < 0 ? 0 : fd};
	if (fd < 0)
		plot->refused += errno == EACCES;
	else if (!raw_greet(fd, id, ROUTING_MAX, NULL, NULL))
		hang_up(line);
	if (line->fd) {
		plot->connected++;
		plot->claims++;
	}
}

static bool answer(struct line *line, struct envelope e)
{
	uint8_t header[ENVELOPE_BYTES];
	e.type = ENVELOPE_REPLY;
	envelope_write(&e, header);
	return raw_frame(line->fd, header, sizeof header, true) &&
	       raw_frame(line->fd, "\x91\xa3lie", 5, false);
}

/* One whole frame at the beginning of what was heard; its length with its own header, or 0. */
static size_t frame_at(const uint8_t *bytes, size_t left, const uint8_t **body, size_t *length)
{
	size_t head = left && bytes[0] & 2 ? 9 : 2;
	if (left < head)
		return 0;
	*length = bytes[1];
	for (unsigned i = 1; head == 9 && i < 9; i++)
		*length = *length << 8 | bytes[i];
	*body = bytes + head;
	return *length <= left - head ? head + *length : 0;
}

static void understand(struct plot *plot, struct line *line)
{
	const uint8_t *body;
	struct envelope e;
	size_t length, used = 0, took;
	if (!line->greeted && line->heard < GREETING)
		return;
	used = line->greeted ? 0 : GREETING;
	line->greeted = true;
	while ((took = frame_at(line->bytes + used, line->heard - used, &body, &length)) > 0) {
		bool command = line->bytes[used] & 4, more = line->bytes[used] & 1;
		plot->given += !command && !more;
		if (!command && envelope_read(body, length, &e) && e.type == ENVELOPE_ASK) {
			plot->asks++;
			answer(line, e);
		}
		used += took;
	}
	memmove(line->bytes, line->bytes + used, line->heard - used);
	line->heard -= (unsigned)used;
}

static void listen_to(struct plot *plot, struct line *line)
{
	ssize_t got = recv(line->fd, line->bytes + line->heard, HEARD - line->heard, MSG_DONTWAIT);
	if (got > 0) {
		line->heard += (unsigned)got;
		understand(plot, line);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		hang_up(line);
	}
}

static void speak(struct plot *plot, unsigned i)
{
	struct line *line = &lines[i];
	if (!line->greeted)
		return;
	if (!lies(i)) { /* claims it again */
		if (raw_frame(line->fd, plot->routing[i / 2 % 2], ROUTING_MAX, false))
			plot->claims++;
		else
			hang_up(line);
		return;
	}
	for (unsigned n = 0; n < PLOT_OPEN && line->fd; n++)
		if (plot->open[n].serial) {
			if (answer(line, plot->open[n]))
				plot->forged++;
			else
				hang_up(line);
		}
	if (++line->turns == LIFE)
		hang_up(line);
}

void stranger_turn(struct plot *plot, const char *door)
{
	for (unsigned i = 0; i < LINES && plot->ids; i++) {
		if (!lines[i].fd)
			call_up(plot, door, i);
		if (lines[i].fd)
			listen_to(plot, &lines[i]);
		if (lines[i].fd)
			speak(plot, i);
	}
	poll(NULL, 0, 1);
}
