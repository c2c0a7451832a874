/* Puts and gets over a connection. Part of store@N. Credit bounds what is under way: a PUT is granted a frame for each that was
 * taken, a GET sends no more than was granted, and only while the connection's queue is short. */
#include "actors/store/stream_inside.h"

#include "actors/base/clock/clock.h"
#include "actors/base/crypto/crypto.h"
#include "actors/base/reasons/reasons.h"

#include <string.h>

static struct transfer *find(struct streams *streams, const struct link *link, uint32_t number)
{
	for (int i = 0; i < STREAM_TRANSFERS; i++) {
		struct transfer *transfer = &streams->transfers[i];
		if (transfer->kind != TRANSFER_FREE && transfer->link == link && transfer->number == number)
			return transfer;
	}
	return NULL;
}

static void send_error(struct link *link, uint32_t number, enum err err, uint32_t argument)
{
	link_send(link,
		  (struct stream_frame){.type = STREAM_ERROR,
					.error = (uint16_t)err,
					.transfer = number,
					.argument = argument},
		  NULL);
}

/* NULL when all are taken; the asker was told. */
static struct transfer *begin(struct streams *streams, struct link *link, uint32_t number,
			      enum transfer_kind kind)
{
	for (int i = 0; i < STREAM_TRANSFERS; i++) {
		struct transfer *transfer = &streams->transfers[i];
		if (transfer->kind != TRANSFER_FREE)
			continue;
		uint64_t now = now_ms();
		*transfer = (struct transfer){.link = link,
					      .streams = streams,
					      .kind = kind,
					      .number = number,
					      .began_ms = now,
					      .heard_ms = now};
		if (++streams->counts.transfers > streams->counts.transfers_high)
			streams->counts.transfers_high = streams->counts.transfers;
		return transfer;
	}
	streams->counts.transfers_refused++;
	reason_note(REASON_STORE_BUSY, "", "%d transfers are open", STREAM_TRANSFERS);
	send_error(link, number, ERR_BUSY, 0);
	return NULL;
}

static void finish(struct transfer *transfer)
{
	store_put_abort(&transfer->put);
	store_get_close(&transfer->get);
	transfer->streams->counts.transfers--;
	*transfer = (struct transfer){0};
}

/* What is decided against a stranger's blob, for `warren why`. */
static void note_refusal(const struct transfer *transfer, enum err err)
{
	char cid[CID_TEXT] = "";
	if (transfer->kind == TRANSFER_GET)
		cid_text(&transfer->cid, cid);
	if (err == ERR_FULL)
		reason_note(REASON_STORE_FULL, "", "a blob did not fit into what is left of the quota");
	else if (err == ERR_BUSY)
		reason_note(REASON_STORE_BUSY, "", "%d transfers are open", STREAM_TRANSFERS);
	else if (err == ERR_TOO_LARGE)
		reason_note(REASON_STORE_TOO_LARGE, "", "a blob was larger than this node accepts");
	else if (err == ERR_WRONG_SHARD)
		reason_note(REASON_STORE_WRONG_SHARD, cid,
			    "it falls in a shard that this node does not keep");
}

static void fail(struct transfer *transfer, enum err err, uint32_t argument)
{
	note_refusal(transfer, err);
	if (transfer->link)
		send_error(transfer->link, transfer->number, err, argument);
	if (transfer->kind == TRANSFER_GET)
		transfer->streams->events.get_done(transfer->streams->events.context, &transfer->cid,
						   transfer->bytes, now_ms() - transfer->began_ms, err);
	finish(transfer);
}

/* -- putting --------------------------------------------------------------------------------------------------------- */

static void stored_now(struct transfer *transfer, const struct stored *stored)
{
	reason_over(REASON_STORE_FULL, NULL);
	struct streams *streams = transfer->streams;
	struct stream_stored body = {.cid = stored->cid, .size = stored->size, .fresh = stored->fresh};
	if (transfer->link)
		link_send(transfer->link,
			  (struct stream_frame){
				  .length = sizeof body, .type = STREAM_STORED, .transfer = transfer->number},
			  &body);
	streams->events.put_done(streams->events.context, stored, now_ms() - transfer->began_ms);
	finish(transfer);
}

static void committed(void *context, enum err err, const struct stored *stored)
{
	struct transfer *transfer = context;
	if (err == ERR_OK)
		stored_now(transfer, stored);
	else
		fail(transfer, err, 0);
}

static void on_put(struct streams *streams, struct link *link, const struct stream_frame *frame,
		   const uint8_t *body)
{
	struct stream_put put;
	memcpy(&put, body, sizeof put);
	struct transfer *transfer = begin(streams, link, frame->transfer, TRANSFER_PUT);
	if (!transfer)
		return;
	uint64_t size = put.size == STREAM_UNKNOWN ? SIZE_UNKNOWN : put.size;
	enum err err = store_put_begin(streams->store, size, &transfer->put);
	if (err != ERR_OK)
		fail(transfer, err, 0);
}

/* It is taken at once, so its credit goes back at once: what the gateway may have under way is what the socket holds. */
static void on_data(struct transfer *transfer, const uint8_t *bytes, uint32_t length)
{
	if (transfer->kind != TRANSFER_PUT) {
		transfer->link->broken = true;
		return;
	}
	transfer->heard_ms = now_ms();
	enum err err = store_put_data(transfer->put, bytes, length);
	if (err != ERR_OK) {
		fail(transfer, err, 0);
		return;
	}
	link_send(transfer->link,
		  (struct stream_frame){.type = STREAM_CREDIT, .transfer = transfer->number, .argument = 1},
		  NULL);
}

static void on_end(struct transfer *transfer)
{
	if (transfer->kind != TRANSFER_PUT) {
		transfer->link->broken = true;
		return;
	}
	struct stored stored = {0};
	transfer->kind = TRANSFER_STORING;
	enum err err = store_put_end(&transfer->put, &stored, committed, transfer);
	if (err == ERR_OK)
		stored_now(transfer, &stored);
	else if (err != ERR_KEPT)
		fail(transfer, err,
		     err == ERR_WRONG_SHARD ? cid_shard(&stored.cid, transfer->streams->shard_count) : 0);
}

/* -- getting --------------------------------------------------------------------------------------------------------- */

static void got_all(struct transfer *transfer)
{
	struct streams *streams = transfer->streams;
	link_send(transfer->link, (struct stream_frame){.type = STREAM_END, .transfer = transfer->number},
		  NULL);
	streams->events.get_done(streams->events.context, &transfer->cid, transfer->bytes,
				 now_ms() - transfer->began_ms, ERR_OK);
	finish(transfer);
}

static void on_get(struct streams *streams, struct link *link, const struct stream_frame *frame,
		   const uint8_t *body)
{
	struct stream_get wanted;
	memcpy(&wanted, body, sizeof wanted);
	struct transfer *transfer = begin(streams, link, frame->transfer, TRANSFER_GET);
	if (!transfer)
		return;
	transfer->cid = wanted.cid;
	transfer->credit = frame->argument < STREAM_WINDOW ? frame->argument : STREAM_WINDOW;
	enum err err = store_get_open(streams->store, &wanted.cid, &transfer->get);
	if (err == ERR_OK)
		err = store_get_range(transfer->get, wanted.offset, wanted.length);
	if (err != ERR_OK) {
		fail(transfer, err, 0);
		return;
	}
	struct stream_found found = {.cid = wanted.cid, .size = get_size(transfer->get)};
	link_send(link,
		  (struct stream_frame){
			  .length = sizeof found, .type = STREAM_FOUND, .transfer = frame->transfer},
		  &found);
	transfer->left =
		wanted.length < found.size - wanted.offset ? wanted.length : found.size - wanted.offset;
	if (!frame->argument) { /* only the head was wanted */
		link_send(link, (struct stream_frame){.type = STREAM_END, .transfer = frame->transfer}, NULL);
		finish(transfer);
	} else if (!transfer->left) {
		got_all(transfer);
	}
}

static void send_next(struct transfer *transfer)
{
	const uint8_t *bytes;
	size_t length;
	enum err err = store_get_next(transfer->get, &bytes, &length);
	if (err != ERR_OK || !length || length > transfer->left) {
		fail(transfer, err == ERR_OK ? ERR_CORRUPT : err, 0);
		return;
	}
	transfer->credit--;
	transfer->left -= length;
	transfer->bytes += length;
	transfer->heard_ms = now_ms();
	link_send_data(transfer->link, transfer->number, bytes, length);
	if (!transfer->left)
		got_all(transfer);
}

static bool eager(const struct transfer *transfer, const struct link *link)
{
	return transfer->kind == TRANSFER_GET && transfer->link == link && transfer->credit;
}

void transfers_serve(struct streams *streams, struct link *link)
{
	enum { AT_ONCE = 64 }; /* chunks; then others have their turn, about 2 ms later */
	unsigned served = 0, passed = 0;
	while (passed < STREAM_TRANSFERS && served < AT_ONCE && !link->broken &&
	       link_waiting(link) < OUT_PAUSE) {
		struct transfer *transfer = &streams->transfers[link->next++ % STREAM_TRANSFERS];
		if (eager(transfer, link)) {
			send_next(transfer);
			served++;
			passed = 0;
		} else {
			passed++;
		}
	}
}

bool transfers_eager(const struct streams *streams, const struct link *link)
{
	for (int i = 0; i < STREAM_TRANSFERS; i++)
		if (eager(&streams->transfers[i], link))
			return true;
	return false;
}

/* -- frames ---------------------------------------------------------------------------------------------------------- */

/* Payload that belongs to a type; -1: as the frame says; -2: the gateway sends no such frame. */
static int payload_of(uint8_t type)
{
	switch ((enum stream_type)type) {
	case STREAM_PUT:
		return sizeof(struct stream_put);
	case STREAM_GET:
		return sizeof(struct stream_get);
	case STREAM_DATA:
		return -1;
	case STREAM_END:
	case STREAM_ABORT:
	case STREAM_CREDIT:
		return 0;
	case STREAM_OPEN:
	case STREAM_OPENED:
	case STREAM_FOUND:
	case STREAM_STORED:
	case STREAM_ERROR:
		return -2;
	}
	return -2;
}

static void on_credit(struct transfer *transfer, uint32_t frames)
{
	if (transfer->kind != TRANSFER_GET || frames > STREAM_WINDOW - transfer->credit) {
		transfer->link->broken = true;
		return;
	}
	transfer->credit += frames;
	transfer->heard_ms = now_ms();
}

/* A blob that is being committed cannot be taken back; only its answer is no longer wanted. */
static void on_abort(struct transfer *transfer)
{
	if (transfer->kind == TRANSFER_STORING)
		transfer->link = NULL;
	else
		finish(transfer);
}

void transfer_frame(struct streams *streams, struct link *link, const struct stream_frame *frame,
		    const uint8_t *body)
{
	int payload = payload_of(frame->type);
	struct transfer *transfer = find(streams, link, frame->transfer);
	bool begins = frame->type == STREAM_PUT || frame->type == STREAM_GET;
	if (payload == -2 || (payload >= 0 && frame->length != (uint32_t)payload) || (begins && transfer)) {
		link->broken = true;
		return;
	}
	if (frame->type == STREAM_PUT)
		on_put(streams, link, frame, body);
	else if (frame->type == STREAM_GET)
		on_get(streams, link, frame, body);
	else if (!transfer)
		return; /* it crossed our ERROR */
	else if (frame->type == STREAM_DATA)
		on_data(transfer, body, frame->length);
	else if (frame->type == STREAM_END)
		on_end(transfer);
	else if (frame->type == STREAM_CREDIT)
		on_credit(transfer, frame->argument);
	else
		on_abort(transfer);
}

/* -- ends ------------------------------------------------------------------------------------------------------------ */

void transfers_drop(struct streams *streams, struct link *link)
{
	for (int i = 0; i < STREAM_TRANSFERS; i++) {
		struct transfer *transfer = &streams->transfers[i];
		if (transfer->kind == TRANSFER_FREE || transfer->link != link)
			continue;
		transfer->link = NULL;
		if (transfer->kind != TRANSFER_STORING)
			finish(transfer);
	}
}

void transfers_tend(struct streams *streams, uint64_t now_ms)
{
	for (int i = 0; i < STREAM_TRANSFERS; i++) {
		struct transfer *transfer = &streams->transfers[i];
		bool waits = transfer->kind == TRANSFER_PUT || transfer->kind == TRANSFER_GET;
		if (waits && now_ms > transfer->heard_ms && now_ms - transfer->heard_ms > STREAM_IDLE_MS)
			fail(transfer, ERR_LATE, 0);
	}
}
