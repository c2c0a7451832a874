/* Frames of the stream between gateway and store, as the gateway reads them: the store is a process of our own node, and still may have
 * been taken over. Whatever it sends, no transfer hears more than once that it is over, none hears of bytes it gave no credit for, and
 * nothing is held when the connection is gone.
 *
 * Bytes: how many puts and gets are open, whether OPENED was said (1); bytes a piece, 0: all (1); the frames. */
#include "tests/fuzz/target.h"

#include "actors/base/log/log.h"
#include "actors/gateway/stream_inside.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EACH = 4 };

static struct heard {
	struct transfer *transfer; /* NULL: it is over */
	bool found, put;
	unsigned granted, came;
} heard[2 * EACH];
static unsigned lost;

static void on_credit(void *context)
{
	struct heard *one = context;
	must(one->transfer && one->put && transfer_credit(one->transfer) <= STREAM_WINDOW);
}

static void on_found(void *context, const struct stream_found *found)
{
	struct heard *one = context;
	must(one->transfer && !one->put && !one->found && found);
	one->found = true;
}

static void on_data(void *context, struct chunk *chunk)
{
	struct heard *one = context;
	must(one->transfer && one->found && chunk->length && chunk->length <= STREAM_DATA_MAX);
	must(++one->came <= one->granted);
	unsigned first = chunk->bytes[0];
	chunk_free(&chunk);
	if (first % 4 == 3) { /* the client went away */
		transfer_abort(&one->transfer);
	} else if (first % 4) {
		transfer_grant(one->transfer);
		one->granted++;
	}
}

static void on_stored(void *context, const struct stream_stored *stored)
{
	struct heard *one = context;
	must(one->transfer && one->put && stored);
	one->transfer = NULL;
}

static void on_ended(void *context, enum err err, uint32_t argument)
{
	struct heard *one = context;
	(void)argument;
	must(one->transfer && (err != ERR_OK || one->found));
	one->transfer = NULL;
}

static const struct transfer_events put_events = {
	.credit = on_credit, .stored = on_stored, .ended = on_ended};
static const struct transfer_events get_events = {.found = on_found, .data = on_data, .ended = on_ended};

static void on_opened(void *context)
{
	(void)context;
}

static void on_lost(void *context, enum err why)
{
	(void)context;
	must(why != ERR_OK);
	lost++;
}

/* Some of the puts have said all they have to say, and wait. */
static void begin_all(struct stream *stream, struct chunks *chunks, unsigned count)
{
	for (unsigned i = 0; i < count && i < EACH; i++) {
		struct heard *put = &heard[2 * i], *get = &heard[2 * i + 1];
		*put = (struct heard){.put = true, .transfer = stream_put(stream, 3, &put_events, put)};
		must(put->transfer);
		struct chunk *chunk = chunk_new(chunks, 3);
		memcpy(chunk->bytes, "abc", chunk->length = 3);
		transfer_send(put->transfer, &chunk);
		if (i != 1)
			transfer_end(put->transfer);
		*get = (struct heard){.granted = i};
		get->transfer = stream_get(stream, &(struct stream_get){.length = STREAM_UNKNOWN}, i,
					   &get_events, get);
		must(get->transfer);
	}
	stream_flush(stream);
}

static void feed(struct stream *stream, int fd, const uint8_t *bytes, size_t length, size_t piece)
{
	piece = length / piece < 32 ? piece : length / 32 + 1;
	while (length && stream_fd(stream) >= 0) {
		size_t part = length < piece ? length : piece;
		must(send(fd, bytes, part, MSG_NOSIGNAL) == (ssize_t)part);
		stream_readable(stream);
		stream_flush(stream);
		bytes += part;
		length -= part;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct stream *stream;
	static struct chunks chunks;
	int pair[2];
	if (length < 2)
		return 0;
	if (!stream)
		stream = stream_new(&chunks, &(struct stream_owner){on_opened, on_lost, NULL});
	log_threshold(LOG_ERROR);
	stream->generation = 0; /* the numbers of the transfers are the same for every input */
	lost = 0;
	memset(heard, 0, sizeof heard);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	stream_adopt(stream, pair[1], &(struct ticket){{1}});
	if (bytes[0] & 8) {
		const struct stream_frame opened = {.type = STREAM_OPENED};
		feed(stream, pair[0], (const uint8_t *)&opened, sizeof opened, sizeof opened);
		begin_all(stream, &chunks, bytes[0] % 8);
	}
	feed(stream, pair[0], bytes + 2, length - 2, bytes[1] ? bytes[1] : SIZE_MAX);
	stream_drop(stream, ERR_GONE);
	must(lost == 1 && !stream_transfers(stream) && chunks.held == 0 && !stream->owing);
	for (unsigned i = 0; i < 2 * EACH; i++)
		must(!heard[i].transfer);
	close(pair[0]);
	return 0;
}
