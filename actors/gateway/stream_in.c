/* Reading frames from the store. The store is a process of our own node, and still nothing it sends is
 * believed before it was looked at: a frame that breaks the format, or comes where none may, ends the
 * connection. */
#include "actors/gateway/stream_inside.h"

#include <string.h>

void stream_in_clear(struct stream *stream)
{
	chunk_free(&stream->filling);
	stream->in_frame = false;
	stream->skip = stream->from = stream->to = 0;
}

/* How long the payload of a frame from the store is; -1: as the frame says; -2: the store sends no such
 * frame. */
static int payload_of(uint8_t type)
{
	switch ((enum stream_type)type) {
	case STREAM_OPENED:
	case STREAM_END:
	case STREAM_CREDIT:
	case STREAM_ERROR:
		return 0;
	case STREAM_FOUND:
		return sizeof(struct stream_found);
	case STREAM_STORED:
		return sizeof(struct stream_stored);
	case STREAM_DATA:
		return -1;
	case STREAM_OPEN:
	case STREAM_PUT:
	case STREAM_GET:
	case STREAM_ABORT:
		return -2;
	}
	return -2;
}

static bool header_fits(const struct stream_frame *frame)
{
	int payload = payload_of(frame->type);
	return payload == -1 ? frame->length <= STREAM_DATA_MAX
			     : payload >= 0 && frame->length == (uint32_t)payload;
}

/* -- whole frames -------------------------------------------------------------------------------------------------- */

static bool on_opened(struct stream *stream)
{
	if (stream->state != STREAM_OPENING)
		return false;
	stream->state = STREAM_OPEN_NOW;
	stream->owner.opened(stream->owner.context);
	return true;
}

static bool on_credit(struct transfer *transfer, uint32_t frames)
{
	if (transfer->kind != TRANSFER_PUT || frames > STREAM_WINDOW - transfer->credit)
		return false;
	transfer->credit += frames;
	transfer->events->credit(transfer->context);
	return true;
}

static bool on_found(struct transfer *transfer, const void *payload)
{
	struct stream_found found;
	memcpy(&found, payload, sizeof found);
	if (transfer->kind != TRANSFER_GET || transfer->found)
		return false;
	transfer->found = true;
	transfer->events->found(transfer->context, &found);
	return true;
}

static bool on_stored(struct transfer *transfer, const void *payload)
{
	struct stream_stored stored;
	memcpy(&stored, payload, sizeof stored);
	if (!transfer->ending)
		return false;
	struct transfer was = *transfer;
	transfer_forget(transfer);
	was.events->stored(was.context, &stored);
	return true;
}

static bool on_end(struct transfer *transfer)
{
	if (transfer->kind != TRANSFER_GET || !transfer->found)
		return false;
	struct transfer was = *transfer;
	transfer_forget(transfer);
	was.events->ended(was.context, ERR_OK, 0);
	return true;
}

static bool on_error(struct transfer *transfer, const struct stream_frame *frame)
{
	if (frame->error == ERR_OK || frame->error == ERR_KEPT)
		return false;
	struct transfer was = *transfer;
	transfer_forget(transfer);
	was.events->ended(was.context, (enum err)frame->error, frame->argument);
	return true;
}

/* A frame other than DATA, whole. False ends the connection. */
static bool on_frame(struct stream *stream, const struct stream_frame *frame, const void *payload)
{
	if (frame->type == STREAM_OPENED)
		return on_opened(stream);
	if (stream->state != STREAM_OPEN_NOW)
		return false; /* the ticket was refused */
	struct transfer *transfer = transfer_of(stream, frame->transfer);
	if (!transfer)
		return true; /* it crossed our ABORT */
	switch ((enum stream_type)frame->type) {
	case STREAM_CREDIT:
		return on_credit(transfer, frame->argument);
	case STREAM_FOUND:
		return on_found(transfer, payload);
	case STREAM_STORED:
		return on_stored(transfer, payload);
	case STREAM_END:
		return on_end(transfer);
	case STREAM_ERROR:
		return on_error(transfer, frame);
	case STREAM_DATA:
	case STREAM_OPENED:
	case STREAM_OPEN:
	case STREAM_PUT:
	case STREAM_GET:
	case STREAM_ABORT:
		return false;
	}
	return false;
}

/* -- DATA ---------------------------------------------------------------------------------------------------------- */

static bool data_begins(struct stream *stream)
{
	if (stream->state != STREAM_OPEN_NOW)
		return false;
	struct transfer *transfer = transfer_of(stream, stream->frame.transfer);
	if (!transfer) {
		stream->skip = stream->frame.length;
		return true;
	}
	if (transfer->kind != TRANSFER_GET || !transfer->found || !transfer->credit || !stream->frame.length)
		return false;
	transfer->credit--;
	stream->filling = chunk_new(stream->chunks, stream->frame.length);
	return true;
}

/* Moves payload from the stage to where it goes. True when the frame is whole. */
static bool data_moves(struct stream *stream)
{
	uint32_t there = stream->to - stream->from;
	if (!stream->filling) {
		uint32_t take = there < stream->skip ? there : stream->skip;
		stream->from += take;
		stream->skip -= take;
		return stream->skip == 0;
	}
	struct chunk *chunk = stream->filling;
	uint32_t rest = stream->frame.length - chunk->length;
	uint32_t take = there < rest ? there : rest;
	memcpy(chunk->bytes + chunk->length, stream->stage + stream->from, take);
	chunk->length += take;
	stream->from += take;
	return take == rest;
}

static void data_ends(struct stream *stream)
{
	struct chunk *chunk = stream->filling;
	stream->filling = NULL;
	if (!chunk)
		return;
	struct transfer *transfer = transfer_of(stream, stream->frame.transfer);
	if (transfer)
		transfer->events->data(transfer->context, chunk);
	else
		chunk_free(&chunk); /* given up while it was on its way */
}

/* One step: a header, or a payload. `*more` is whether another may follow. */
static bool step(struct stream *stream, bool *more)
{
	uint32_t there = stream->to - stream->from;
	*more = false;
	if (!stream->in_frame) {
		if (there < sizeof stream->frame)
			return true;
		memcpy(&stream->frame, stream->stage + stream->from, sizeof stream->frame);
		stream->from += (uint32_t)sizeof stream->frame;
		if (!header_fits(&stream->frame))
			return false;
		stream->in_frame = true;
		if (stream->frame.type == STREAM_DATA && !data_begins(stream))
			return false;
		*more = true;
		return true;
	}
	if (stream->frame.type == STREAM_DATA) {
		*more = data_moves(stream);
		stream->in_frame = !*more;
		if (*more)
			data_ends(stream);
		return true;
	}
	if (there < stream->frame.length)
		return true;
	struct stream_frame frame = stream->frame;
	const uint8_t *payload = stream->stage + stream->from;
	stream->from += frame.length;
	stream->in_frame = false;
	*more = true;
	return on_frame(stream, &frame, payload);
}

bool stream_parse(struct stream *stream)
{
	bool more = true;
	while (more)
		if (!step(stream, &more))
			return false;
	/* What is left is less than a header or a small payload: it goes to the front. */
	uint32_t rest = stream->to - stream->from;
	if (stream->from && rest)
		memmove(stream->stage, stream->stage + stream->from, rest);
	stream->from = 0;
	stream->to = rest;
	return true;
}
