/* Writing frames to the store: queued one by one, written many at a time, once per turn of the loop. */
#include "actors/gateway/stream_inside.h"

#include "actors/base/log/log.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FRAMES_AT_ONCE = 64 };

static struct out_frame *at(struct stream *stream, uint32_t index)
{
	return &stream->out[index % OUT_FRAMES];
}

void stream_out_clear(struct stream *stream)
{
	for (; stream->head != stream->tail; stream->head++)
		chunk_free(&at(stream, stream->head)->chunk);
	stream->head = stream->tail = 0;
	stream->written = 0;
}

struct out_frame *stream_queue(struct stream *stream, enum stream_type type, uint32_t transfer,
			       uint32_t length)
{
	bug_if(stream->tail - stream->head == OUT_FRAMES);
	if (stream->head == stream->tail && !stream->written)
		stream->head = stream->tail = 0; /* the same few lines of memory again */
	struct out_frame *frame = at(stream, stream->tail++);
	frame->frame = (struct stream_frame){.length = length, .type = (uint8_t)type, .transfer = transfer};
	frame->chunk = NULL;
	return frame;
}

/* Credit that was granted since the last turn, in one frame for each transfer. While the store is slow to
 * read, it waits: it would only lengthen the queue. */
static void queue_credit(struct stream *stream)
{
	if (stream->tail - stream->head > OUT_REFUSE - STREAM_TRANSFERS)
		return;
	for (unsigned i = 0; i < STREAM_TRANSFERS && stream->owing; i++) {
		struct transfer *transfer = &stream->transfers[i];
		if (transfer->kind != TRANSFER_GET || !transfer->owed)
			continue;
		stream_queue(stream, STREAM_CREDIT, transfer->number, 0)->frame.argument = transfer->owed;
		transfer->owed = 0;
		stream->owing--;
	}
}

static size_t head_bytes(const struct out_frame *frame)
{
	return sizeof frame->frame + (frame->chunk ? 0 : frame->frame.length);
}

static void add_piece(struct iovec *pieces, size_t *count, const void *bytes, size_t length, size_t *skip)
{
	if (*skip >= length) {
		*skip -= length;
		return;
	}
	pieces[(*count)++] = (struct iovec){(uint8_t *)(uintptr_t)bytes + *skip, length - *skip};
	*skip = 0;
}

static size_t gather(struct stream *stream, struct iovec *pieces, size_t *bytes)
{
	size_t count = 0, skip = stream->written;
	for (uint32_t i = stream->head; i != stream->tail && i - stream->head < FRAMES_AT_ONCE; i++) {
		const struct out_frame *frame = at(stream, i);
		add_piece(pieces, &count, frame, head_bytes(frame), &skip);
		if (frame->chunk)
			add_piece(pieces, &count, frame->chunk->bytes, frame->chunk->length, &skip);
	}
	*bytes = 0;
	for (size_t i = 0; i < count; i++)
		*bytes += pieces[i].iov_len;
	return count;
}

static void wrote(struct stream *stream, size_t bytes)
{
	stream->written += bytes;
	while (stream->head != stream->tail) {
		struct out_frame *frame = at(stream, stream->head);
		size_t whole = sizeof frame->frame + frame->frame.length;
		if (stream->written < whole)
			return;
		stream->written -= whole;
		chunk_free(&frame->chunk);
		stream->head++;
	}
}

bool stream_write(struct stream *stream)
{
	if (stream->owing)
		queue_credit(stream);
	stream->owes_half = false;
	while (stream->head != stream->tail) {
		struct iovec pieces[2 * FRAMES_AT_ONCE];
		size_t bytes;
		struct msghdr message = {.msg_iov = pieces, .msg_iovlen = gather(stream, pieces, &bytes)};
		ssize_t sent = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		wrote(stream, (size_t)sent);
		if ((size_t)sent < bytes)
			return true; /* POLLOUT says when there is room again */
	}
	return true;
}
