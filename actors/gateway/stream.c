/* The life of the stream to the store and of the transfers on it. Runs in gateway@N; when the connection is
 * lost every transfer ends with ERR_GONE and the owner asks for a new ticket. */
#include "actors/gateway/stream_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BUDGET = 1 << 20 }; /* bytes a call of stream_readable() takes, so that clients get their turn */

struct stream *stream_new(struct chunks *chunks, const struct stream_owner *owner)
{
	struct stream *stream = x_new(sizeof *stream);
	stream->chunks = chunks;
	stream->owner = *owner;
	stream->fd = -1;
	return stream;
}

static void close_now(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	stream->state = STREAM_CLOSED;
	stream_in_clear(stream);
	stream_out_clear(stream);
}

void stream_free(struct stream **at)
{
	if (!*at)
		return;
	close_now(*at);
	x_free(at);
}

bool stream_connect(struct stream *stream, const char *path, const struct ticket *ticket)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	bug_if(length >= sizeof address.sun_path);
	memcpy(address.sun_path, path, length + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* A Unix socket connects at once or, when the listener's queue is full, not at all. */
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		close(fd);
		return false;
	}
	stream_adopt(stream, fd, ticket);
	return true;
}

void stream_adopt(struct stream *stream, int fd, const struct ticket *ticket)
{
	bug_if(stream->state != STREAM_CLOSED);
	stream->fd = fd;
	stream->state = STREAM_OPENING;
	stream_queue(stream, STREAM_OPEN, 0, sizeof(struct stream_open))->body.open.ticket = *ticket;
}

void stream_drop(struct stream *stream, enum err why)
{
	if (stream->state == STREAM_CLOSED)
		return;
	close_now(stream);
	for (unsigned i = 0; i < STREAM_TRANSFERS; i++) {
		struct transfer transfer = stream->transfers[i];
		if (transfer.kind == TRANSFER_NONE)
			continue;
		transfer_forget(&stream->transfers[i]);
		transfer.events->ended(transfer.context, ERR_GONE, 0);
	}
	stream->owner.lost(stream->owner.context, why);
}

bool stream_is_open(const struct stream *stream)
{
	return stream->state == STREAM_OPEN_NOW;
}

int stream_fd(const struct stream *stream)
{
	return stream->fd;
}

bool stream_waits(const struct stream *stream)
{
	return stream->head != stream->tail;
}

unsigned stream_transfers(const struct stream *stream)
{
	return stream->count;
}

/* The rest of a payload goes straight to where it is wanted, and what follows it into the stage. */
static ssize_t receive(struct stream *stream, size_t *asked)
{
	struct iovec pieces[2];
	int count = 0;
	if (stream->filling) {
		struct chunk *chunk = stream->filling;
		pieces[count++] =
			(struct iovec){chunk->bytes + chunk->length, stream->frame.length - chunk->length};
	}
	pieces[count++] = (struct iovec){stream->stage + stream->to, STAGE - stream->to};
	*asked = pieces[0].iov_len + (count == 2 ? pieces[1].iov_len : 0);
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
	ssize_t got;
	do
		got = recvmsg(stream->fd, &message, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 && errno == EAGAIN ? 0 : -1;
	size_t direct = count == 2 ? pieces[0].iov_len : 0;
	if ((size_t)got < direct)
		direct = (size_t)got;
	if (direct)
		stream->filling->length += (uint32_t)direct;
	stream->to += (uint32_t)((size_t)got - direct);
	return got;
}

void stream_readable(struct stream *stream)
{
	size_t budget = READ_BUDGET;
	while (stream->state != STREAM_CLOSED) {
		size_t asked;
		ssize_t got = receive(stream, &asked);
		if (got == 0)
			return;
		if (got < 0) {
			stream_drop(stream, ERR_GONE);
			return;
		}
		if (!stream_parse(stream)) {
			stream_drop(stream, ERR_MALFORMED);
			return;
		}
		if ((size_t)got < asked || (size_t)got >= budget)
			return; /* drained, or enough for now: the descriptor says when there is more */
		budget -= (size_t)got;
	}
}

void stream_flush(struct stream *stream)
{
	if (stream->state != STREAM_CLOSED && !stream_write(stream))
		stream_drop(stream, ERR_GONE);
}

/* -- transfers ----------------------------------------------------------------------------------------------------- */

struct transfer *transfer_of(struct stream *stream, uint32_t number)
{
	struct transfer *transfer = &stream->transfers[number % STREAM_TRANSFERS];
	return transfer->kind != TRANSFER_NONE && transfer->number == number ? transfer : NULL;
}

void transfer_forget(struct transfer *transfer)
{
	struct stream *stream = transfer->stream;
	if (transfer->owed)
		stream->owing--;
	stream->count--;
	*transfer = (struct transfer){0};
}

/* A number is not used again for a long time, so that frames that crossed an ABORT find nobody. */
static struct transfer *transfer_new(struct stream *stream, enum transfer_kind kind, unsigned credit,
				     const struct transfer_events *events, void *context)
{
	if (stream->state != STREAM_OPEN_NOW || stream->count == STREAM_TRANSFERS ||
	    stream->tail - stream->head > OUT_REFUSE)
		return NULL;
	uint32_t slot = 0;
	while (stream->transfers[slot].kind != TRANSFER_NONE)
		slot++;
	stream->count++;
	stream->generation++;
	stream->transfers[slot] = (struct transfer){.stream = stream,
						    .kind = kind,
						    .number = stream->generation * STREAM_TRANSFERS + slot,
						    .credit = credit,
						    .events = events,
						    .context = context};
	return &stream->transfers[slot];
}

struct transfer *stream_put(struct stream *stream, uint64_t size, const struct transfer_events *events,
			    void *context)
{
	struct transfer *transfer = transfer_new(stream, TRANSFER_PUT, STREAM_WINDOW, events, context);
	if (transfer)
		stream_queue(stream, STREAM_PUT, transfer->number, sizeof(struct stream_put))->body.put.size =
			size;
	return transfer;
}

unsigned transfer_credit(const struct transfer *transfer)
{
	return transfer->credit;
}

void transfer_send(struct transfer *transfer, struct chunk **chunk)
{
	bug_if(transfer->kind != TRANSFER_PUT || !transfer->credit || transfer->ending || !(*chunk)->length);
	transfer->credit--;
	stream_queue(transfer->stream, STREAM_DATA, transfer->number, (*chunk)->length)->chunk = *chunk;
	*chunk = NULL;
}

void transfer_end(struct transfer *transfer)
{
	bug_if(transfer->kind != TRANSFER_PUT || transfer->ending);
	transfer->ending = true;
	stream_queue(transfer->stream, STREAM_END, transfer->number, 0);
}

struct transfer *stream_get(struct stream *stream, const struct stream_get *what, unsigned credit,
			    const struct transfer_events *events, void *context)
{
	bug_if(credit > STREAM_WINDOW);
	struct transfer *transfer = transfer_new(stream, TRANSFER_GET, credit, events, context);
	if (!transfer)
		return NULL;
	struct out_frame *frame = stream_queue(stream, STREAM_GET, transfer->number, sizeof *what);
	frame->frame.argument = credit;
	frame->body.get = *what;
	return transfer;
}

void transfer_grant(struct transfer *transfer)
{
	bug_if(transfer->kind != TRANSFER_GET || transfer->credit >= STREAM_WINDOW);
	transfer->credit++;
	if (!transfer->owed++)
		transfer->stream->owing++;
	if (transfer->owed >= STREAM_WINDOW / 2)
		transfer->stream->owes_half = true;
}

bool stream_owes(const struct stream *stream)
{
	return stream->owes_half;
}

void transfer_abort(struct transfer **at)
{
	struct transfer *transfer = *at;
	*at = NULL;
	if (!transfer)
		return;
	stream_queue(transfer->stream, STREAM_ABORT, transfer->number, 0)->frame.error = ERR_ABORTED;
	transfer_forget(transfer);
}
