/* The client of proto/stream.h against frames written by hand, and against the fake store. */
#include "actors/gateway/stream.h"
#include "tests/unit/gateway/fake_store.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
	unsigned opened, lost;
	enum err why;
	unsigned credits, founds, datas, storeds, ends;
	enum err end;
	uint32_t argument;
	struct stream_found found;
	struct stream_stored stored;
	uint64_t bytes;
	struct chunk *kept[64];
	bool keep;
};

static void on_opened(void *context)
{
	((struct seen *)context)->opened++;
}
static void on_lost(void *context, enum err why)
{
	((struct seen *)context)->lost++;
	((struct seen *)context)->why = why;
}
static void on_credit(void *context)
{
	((struct seen *)context)->credits++;
}
static void on_found(void *context, const struct stream_found *found)
{
	((struct seen *)context)->founds++;
	((struct seen *)context)->found = *found;
}
static void on_data(void *context, struct chunk *chunk)
{
	struct seen *seen = context;
	seen->bytes += chunk->length;
	if (seen->keep)
		seen->kept[seen->datas] = chunk;
	else
		chunk_free(&chunk);
	seen->datas++;
}
static void on_stored(void *context, const struct stream_stored *stored)
{
	((struct seen *)context)->storeds++;
	((struct seen *)context)->stored = *stored;
}
static void on_ended(void *context, enum err err, uint32_t argument)
{
	((struct seen *)context)->ends++;
	((struct seen *)context)->end = err;
	((struct seen *)context)->argument = argument;
}
static const struct transfer_events events = {on_credit, on_found, on_data, on_stored, on_ended};

static struct chunks chunks;
static struct seen seen;
static struct stream *stream;
static int other;

static void setup(void)
{
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	other = pair[1];
	stream = stream_new(&chunks, &(struct stream_owner){on_opened, on_lost, &seen});
	stream_adopt(stream, pair[0], &(struct ticket){{7}});
}

static void teardown(void)
{
	stream_free(&stream);
	cr_assert_eq(chunks.held, 0, "every buffer was given back");
}

static void say(enum stream_type type, uint32_t transfer, uint32_t argument, enum err err,
		const void *payload, uint32_t length)
{
	struct stream_frame frame = {
		.length = length, .type = type, .error = err, .transfer = transfer, .argument = argument};
	must(write(other, &frame, sizeof frame) == sizeof frame);
	if (length)
		must(write(other, payload, length) == (ssize_t)length);
}

static struct stream_frame hear(void *payload, size_t room)
{
	struct stream_frame frame = {0};
	stream_flush(stream);
	if (read(other, &frame, sizeof frame) != sizeof frame)
		return (struct stream_frame){0};
	must(frame.length <= room);
	if (frame.length)
		must(read(other, payload, frame.length) == (ssize_t)frame.length);
	return frame;
}

static void open_now(void)
{
	struct stream_open open;
	struct stream_frame frame = hear(&open, sizeof open);
	cr_assert(frame.type == STREAM_OPEN && frame.length == sizeof open && open.ticket.bytes[0] == 7);
	say(STREAM_OPENED, 0, 0, 0, NULL, 0);
	stream_readable(stream);
	cr_assert(seen.opened == 1 && stream_is_open(stream));
}

static struct transfer *get(unsigned credit)
{
	struct stream_get what = {{{1}}, 0, STREAM_UNKNOWN};
	return stream_get(stream, &what, credit, &events, &seen);
}

static struct chunk *filled(uint32_t length)
{
	struct chunk *chunk = chunk_new(&chunks, length);
	memset(chunk->bytes, 'x', length);
	chunk->length = length;
	return chunk;
}

TestSuite(stream, .init = setup, .fini = teardown);

Test(stream, nothing_begins_before_the_ticket_was_taken)
{
	cr_assert_null(stream_put(stream, 1, &events, &seen));
	cr_assert_null(get(1));
	open_now();
	struct transfer *transfer = get(1);
	cr_assert(transfer);
	transfer_abort(&transfer);
}

Test(stream, a_refused_ticket_closes_it)
{
	struct stream_open open;
	hear(&open, sizeof open);
	say(STREAM_ERROR, 0, 0, ERR_BAD_TICKET, NULL, 0);
	stream_readable(stream);
	cr_assert(seen.lost == 1 && stream_fd(stream) == -1);
}

Test(stream, put_uses_up_credit_and_gets_more)
{
	open_now();
	struct transfer *transfer = stream_put(stream, 5 * 100, &events, &seen);
	for (int i = 0; i < STREAM_WINDOW; i++) {
		struct chunk *chunk = filled(100);
		cr_assert_eq(transfer_credit(transfer), (unsigned)(STREAM_WINDOW - i));
		transfer_send(transfer, &chunk);
		cr_assert_null(chunk);
	}
	cr_assert_eq(transfer_credit(transfer), 0);
	struct stream_put put;
	struct stream_frame frame = hear(&put, sizeof put);
	cr_assert(frame.type == STREAM_PUT && put.size == 500);
	uint32_t number = frame.transfer;
	char data[100];
	for (int i = 0; i < STREAM_WINDOW; i++) {
		frame = hear(data, sizeof data);
		cr_assert(frame.type == STREAM_DATA && frame.transfer == number && frame.length == 100);
	}
	cr_assert_eq(chunks.held, 0, "what was written is given back");
	say(STREAM_CREDIT, number, 2, 0, NULL, 0);
	stream_readable(stream);
	cr_assert(seen.credits == 1 && transfer_credit(transfer) == 2);
	struct chunk *last = filled(100);
	transfer_send(transfer, &last);
	transfer_end(transfer);
	cr_assert_eq(hear(data, sizeof data).type, STREAM_DATA);
	cr_assert_eq(hear(data, sizeof data).type, STREAM_END);
	struct stream_stored stored = {{{9}}, 500, 1, {0}};
	say(STREAM_STORED, number, 0, 0, &stored, sizeof stored);
	stream_readable(stream);
	cr_assert(seen.storeds == 1 && seen.stored.size == 500 && seen.stored.fresh && seen.ends == 0);
	cr_assert_eq(stream_transfers(stream), 0);
}

Test(stream, get_in_pieces_of_every_size)
{
	open_now();
	struct transfer *transfer = get(STREAM_WINDOW);
	uint8_t payload[sizeof(struct stream_get)];
	struct stream_frame asked = hear(payload, sizeof payload);
	cr_assert(asked.type == STREAM_GET && asked.argument == STREAM_WINDOW);
	/* a conversation as bytes, fed one to many at a time */
	static uint8_t bytes[200000];
	size_t length = 0;
	struct stream_found found = {{{1}}, 130000};
	struct stream_frame frames[] = {
		{.length = sizeof found, .type = STREAM_FOUND, .transfer = asked.transfer},
		{.length = STREAM_DATA_MAX, .type = STREAM_DATA, .transfer = asked.transfer},
		{.length = 130000 - STREAM_DATA_MAX, .type = STREAM_DATA, .transfer = asked.transfer},
		{.type = STREAM_END, .transfer = asked.transfer}};
	for (int i = 0; i < 4; i++) {
		memcpy(bytes + length, &frames[i], sizeof frames[i]);
		length += sizeof frames[i];
		if (i == 0)
			memcpy(bytes + length, &found, sizeof found);
		length += frames[i].length;
	}
	for (size_t at = 0, step = 1; at < length; at += step, step = step * 3 % 30011 + 1) {
		if (step > length - at)
			step = length - at;
		must(write(other, bytes + at, step) == (ssize_t)step);
		stream_readable(stream);
	}
	cr_assert(seen.founds == 1 && seen.found.size == 130000 && seen.datas == 2 && seen.bytes == 130000);
	cr_assert(seen.ends == 1 && seen.end == ERR_OK);
	(void)transfer;
}

Test(stream, credit_is_told_once_a_turn)
{
	open_now();
	struct transfer *transfer = get(STREAM_WINDOW);
	uint8_t payload[64];
	uint32_t number = hear(payload, sizeof payload).transfer;
	struct stream_found found = {{{1}}, 1000};
	say(STREAM_FOUND, number, 0, 0, &found, sizeof found);
	for (int i = 0; i < 3; i++)
		say(STREAM_DATA, number, 0, 0, "abc", 3);
	stream_readable(stream);
	cr_assert_eq(seen.datas, 3);
	for (int i = 0; i < 3; i++)
		transfer_grant(transfer);
	struct stream_frame frame = hear(payload, sizeof payload);
	cr_assert(frame.type == STREAM_CREDIT && frame.argument == 3 && frame.transfer == number);
	cr_assert_eq(hear(payload, sizeof payload).type, 0, "one frame for all three");
}

Test(stream, head_alone)
{
	open_now();
	get(0);
	uint8_t payload[64];
	struct stream_frame asked = hear(payload, sizeof payload);
	cr_assert(asked.type == STREAM_GET && asked.argument == 0);
	struct stream_found found = {{{1}}, 77};
	say(STREAM_FOUND, asked.transfer, 0, 0, &found, sizeof found);
	say(STREAM_END, asked.transfer, 0, 0, NULL, 0);
	stream_readable(stream);
	cr_assert(seen.founds == 1 && seen.found.size == 77 && seen.ends == 1 && seen.end == ERR_OK &&
		  seen.lost == 0);
}

Test(stream, error_ends_a_transfer_and_carries_its_argument)
{
	open_now();
	stream_put(stream, 1, &events, &seen);
	uint8_t payload[64];
	uint32_t number = hear(payload, sizeof payload).transfer;
	say(STREAM_ERROR, number, 971, ERR_WRONG_SHARD, NULL, 0);
	stream_readable(stream);
	cr_assert(seen.ends == 1 && seen.end == ERR_WRONG_SHARD && seen.argument == 971 && seen.lost == 0);
}

Test(stream, frames_that_crossed_an_abort_are_skipped)
{
	open_now();
	struct transfer *transfer = get(STREAM_WINDOW);
	uint8_t payload[64];
	uint32_t number = hear(payload, sizeof payload).transfer;
	transfer_abort(&transfer);
	struct transfer *next = get(STREAM_WINDOW);
	struct stream_found found = {{{1}}, 3};
	say(STREAM_FOUND, number, 0, 0, &found, sizeof found);
	say(STREAM_DATA, number, 0, 0, "abc", 3);
	say(STREAM_END, number, 0, 0, NULL, 0);
	stream_readable(stream);
	cr_assert(seen.founds + seen.datas + seen.ends + seen.lost == 0);
	cr_assert_eq(hear(payload, sizeof payload).type, STREAM_ABORT);
	uint32_t second = hear(payload, sizeof payload).transfer;
	cr_assert_neq(second, number, "a number is not used again at once");
	say(STREAM_ERROR, second, 0, ERR_NOT_FOUND, NULL, 0);
	stream_readable(stream);
	cr_assert(seen.ends == 1 && seen.end == ERR_NOT_FOUND);
	(void)next;
}

Test(stream, abort_in_the_middle_of_a_payload)
{
	open_now();
	struct transfer *transfer = get(STREAM_WINDOW);
	uint8_t payload[64];
	uint32_t number = hear(payload, sizeof payload).transfer;
	struct stream_found found = {{{1}}, 10};
	say(STREAM_FOUND, number, 0, 0, &found, sizeof found);
	struct stream_frame data = {.length = 10, .type = STREAM_DATA, .transfer = number};
	must(write(other, &data, sizeof data) == sizeof data && write(other, "01234", 5) == 5);
	stream_readable(stream);
	transfer_abort(&transfer);
	must(write(other, "56789", 5) == 5);
	stream_readable(stream);
	cr_assert(seen.datas == 0 && seen.lost == 0 && chunks.held == 0);
}

Test(stream, loss_ends_every_transfer)
{
	open_now();
	get(1);
	struct transfer *put = stream_put(stream, 100, &events, &seen);
	struct chunk *chunk = filled(100);
	transfer_send(put, &chunk);
	close(other);
	stream_readable(stream);
	cr_assert(seen.ends == 2 && seen.end == ERR_GONE && seen.lost == 1 && seen.why == ERR_GONE);
	cr_assert(stream_fd(stream) == -1 && stream_transfers(stream) == 0 && chunks.held == 0);
	cr_assert_null(get(1));
}

Test(stream, loss_seen_while_writing)
{
	open_now();
	get(1);
	close(other);
	stream_flush(stream);
	cr_assert(seen.ends == 1 && seen.end == ERR_GONE && seen.lost == 1);
}

struct breach {
	const char *name;
	struct stream_frame frame;
	enum { BEFORE_FOUND, AFTER_FOUND, AFTER_HEAD, ON_PUT } when;
};

static void feed_breach(const struct breach *breach)
{
	static const uint8_t payload[STREAM_DATA_MAX + 100];
	open_now();
	uint8_t heard[64];
	if (breach->when == ON_PUT)
		stream_put(stream, 10, &events, &seen);
	else
		get(breach->when == AFTER_HEAD ? 0 : 1);
	uint32_t number = hear(heard, sizeof heard).transfer;
	struct stream_found found = {{{1}}, 10};
	if (breach->when == AFTER_FOUND || breach->when == AFTER_HEAD)
		say(STREAM_FOUND, number, 0, 0, &found, sizeof found);
	say(breach->frame.type, number, breach->frame.argument, breach->frame.error, payload,
	    breach->frame.length);
	for (int i = 0; i < 20 && !seen.lost; i++)
		stream_readable(stream);
	cr_assert(seen.lost == 1 && seen.why == ERR_MALFORMED && seen.ends == 1 && seen.end == ERR_GONE, "%s",
		  breach->name);
	close(other);
}

Test(stream, breaches_end_the_connection)
{
	static const struct breach breaches[] = {
		{"no such type", {.type = 99}, BEFORE_FOUND},
		{"a type of ours", {.type = STREAM_PUT, .length = 8}, BEFORE_FOUND},
		{"opened twice", {.type = STREAM_OPENED}, BEFORE_FOUND},
		{"data before found", {.type = STREAM_DATA, .length = 3}, BEFORE_FOUND},
		{"end before found", {.type = STREAM_END}, BEFORE_FOUND},
		{"found too short", {.type = STREAM_FOUND, .length = 3}, BEFORE_FOUND},
		{"found twice", {.type = STREAM_FOUND, .length = sizeof(struct stream_found)}, AFTER_FOUND},
		{"data too long", {.type = STREAM_DATA, .length = STREAM_DATA_MAX + 1}, AFTER_FOUND},
		{"data without credit", {.type = STREAM_DATA, .length = 3}, AFTER_HEAD},
		{"empty data", {.type = STREAM_DATA}, AFTER_FOUND},
		{"stored for a get",
		 {.type = STREAM_STORED, .length = sizeof(struct stream_stored)},
		 AFTER_FOUND},
		{"credit for a get", {.type = STREAM_CREDIT, .argument = 1}, AFTER_FOUND},
		{"error without one", {.type = STREAM_ERROR}, AFTER_FOUND},
		{"data for a put", {.type = STREAM_DATA, .length = 3}, ON_PUT},
		{"found for a put", {.type = STREAM_FOUND, .length = sizeof(struct stream_found)}, ON_PUT},
		{"end for a put", {.type = STREAM_END}, ON_PUT},
		{"stored before the end",
		 {.type = STREAM_STORED, .length = sizeof(struct stream_stored)},
		 ON_PUT},
		{"credit past the window", {.type = STREAM_CREDIT, .argument = 1}, ON_PUT},
		{"credit that wraps", {.type = STREAM_CREDIT, .argument = UINT32_MAX}, ON_PUT},
	};
	feed_breach(&breaches[0]);
	for (size_t i = 1; i < sizeof breaches / sizeof *breaches; i++) {
		stream_free(&stream);
		seen = (struct seen){0};
		setup();
		feed_breach(&breaches[i]);
	}
}

Test(stream, more_data_than_credit_is_a_breach)
{
	open_now();
	seen.keep = true;
	get(2);
	uint8_t payload[64];
	uint32_t number = hear(payload, sizeof payload).transfer;
	struct stream_found found = {{{1}}, 100};
	say(STREAM_FOUND, number, 0, 0, &found, sizeof found);
	for (int i = 0; i < 3; i++)
		say(STREAM_DATA, number, 0, 0, "abc", 3);
	stream_readable(stream);
	cr_assert(seen.lost == 1 && seen.datas == 2);
	for (unsigned i = 0; i < seen.datas; i++)
		chunk_free(&seen.kept[i]);
}

Test(stream, no_more_transfers_than_places)
{
	open_now();
	for (int i = 0; i < STREAM_TRANSFERS; i++)
		cr_assert(get(1));
	cr_assert_null(get(1));
	cr_assert_eq(stream_transfers(stream), STREAM_TRANSFERS);
}

/* The store does not read: what is queued stays within its bound, and nothing is lost when it reads again. */
Test(stream, a_store_that_does_not_read)
{
	open_now();
	unsigned begun = 0;
	for (int round = 0; round < 100000; round++) {
		struct transfer *transfer = stream_put(stream, STREAM_DATA_MAX, &events, &seen);
		if (!transfer)
			break;
		begun++;
		for (int i = 0; i < STREAM_WINDOW; i++) {
			struct chunk *chunk = filled(10);
			transfer_send(transfer, &chunk);
		}
		transfer_end(transfer);
		transfer_abort(&transfer);
		stream_flush(stream);
	}
	cr_assert(begun > 100 && begun < 100000, "it stops taking more: %u", begun);
	cr_assert(stream_waits(stream) && seen.lost == 0);
	struct stream_frame frame;
	uint8_t payload[64];
	unsigned puts = 0, aborts = 0;
	while ((frame = hear(payload, sizeof payload)).type) {
		puts += frame.type == STREAM_PUT;
		aborts += frame.type == STREAM_ABORT;
	}
	cr_assert(puts == begun && aborts == begun);
}

Test(stream, partial_writes_lose_nothing)
{
	open_now();
	struct fake_store *store = fake_store_new(other);
	int small = 4096;
	setsockopt(stream_fd(stream), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	struct transfer *transfer = stream_put(stream, 10 * STREAM_DATA_MAX, &events, &seen);
	unsigned sent = 0;
	for (int turn = 0; turn < 10000 && !seen.storeds; turn++) {
		while (sent < 10 && transfer_credit(transfer)) {
			struct chunk *chunk = filled(STREAM_DATA_MAX);
			memset(chunk->bytes, 'a' + (int)sent, chunk->length);
			transfer_send(transfer, &chunk);
			if (++sent == 10)
				transfer_end(transfer);
		}
		stream_flush(stream);
		fake_store_turn(store);
		if (stream_fd(stream) >= 0)
			stream_readable(stream);
	}
	cr_assert(seen.storeds == 1 && seen.stored.size == 10 * STREAM_DATA_MAX);
	const struct fake_blob *blob = fake_store_find(store, &seen.stored.cid);
	for (unsigned i = 0; i < 10; i++)
		cr_assert(blob->bytes[i * STREAM_DATA_MAX] == 'a' + i &&
			  blob->bytes[(i + 1) * STREAM_DATA_MAX - 1] == 'a' + i);
	fake_store_free(store);
}

Test(stream, nobody_listens)
{
	struct stream *lonely = stream_new(&chunks, &(struct stream_owner){on_opened, on_lost, &seen});
	cr_assert_not(stream_connect(lonely, "/nonexistent/store-1.sock", &(struct ticket){{1}}));
	cr_assert_eq(stream_fd(lonely), -1);
	stream_free(&lonely);
}
