#include "tests/unit/gateway/fake_store.h"

#include "actors/base/crypto/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_ROOM = 1 << 20, OUT_ROOM = 256 * (STREAM_WINDOW + 2) * (STREAM_DATA_MAX + 64) };

struct fake_store *fake_store_new(int fd)
{
	struct fake_store *store = calloc(1, sizeof *store);
	store->fd = fd;
	store->in = malloc(IN_ROOM);
	store->out = malloc(OUT_ROOM);
	store->corrupt_from = SIZE_MAX;
	return store;
}

void fake_store_free(struct fake_store *store)
{
	if (store->fd >= 0)
		close(store->fd);
	for (unsigned i = 0; i < store->count; i++)
		free(store->blobs[i].bytes);
	for (unsigned i = 0; i < FAKE_TRANSFERS; i++)
		free(store->transfers[i].bytes);
	free(store->in);
	free(store->out);
	free(store);
}

struct cid fake_store_keep(struct fake_store *store, const void *bytes, size_t size)
{
	struct fake_blob blob = {.size = size, .bytes = malloc(size + 1)};
	memcpy(blob.bytes, bytes, size);
	sha256(bytes, size, blob.cid.bytes);
	must(store->count < FAKE_BLOBS);
	store->blobs[store->count++] = blob;
	return blob.cid;
}

const struct fake_blob *fake_store_find(const struct fake_store *store, const struct cid *cid)
{
	for (unsigned i = 0; i < store->count; i++)
		if (memcmp(&store->blobs[i].cid, cid, sizeof *cid) == 0)
			return &store->blobs[i];
	return NULL;
}

void fake_store_send(struct fake_store *store, const struct stream_frame *frame, const void *payload)
{
	must(store->out_length + sizeof *frame + frame->length <= OUT_ROOM);
	memcpy(store->out + store->out_length, frame, sizeof *frame);
	if (frame->length)
		memcpy(store->out + store->out_length + sizeof *frame, payload, frame->length);
	store->out_length += sizeof *frame + frame->length;
}

static void tell(struct fake_store *store, enum stream_type type, uint32_t transfer, uint32_t argument)
{
	struct stream_frame frame = {.type = type, .transfer = transfer, .argument = argument};
	fake_store_send(store, &frame, NULL);
}

static void tell_error(struct fake_store *store, uint32_t transfer, enum err err, uint32_t argument)
{
	struct stream_frame frame = {
		.type = STREAM_ERROR, .transfer = transfer, .error = err, .argument = argument};
	fake_store_send(store, &frame, NULL);
}

static struct fake_transfer *find(struct fake_store *store, uint32_t number)
{
	for (unsigned i = 0; i < FAKE_TRANSFERS; i++)
		if (store->transfers[i].kind != FAKE_FREE && store->transfers[i].number == number)
			return &store->transfers[i];
	return NULL;
}

static struct fake_transfer *take(struct fake_store *store, uint32_t number, int kind)
{
	must(!find(store, number));
	for (unsigned i = 0; i < FAKE_TRANSFERS; i++)
		if (store->transfers[i].kind == FAKE_FREE) {
			store->transfers[i] = (struct fake_transfer){.number = number, .kind = kind};
			return &store->transfers[i];
		}
	tell_error(store, number, ERR_BUSY, 0);
	return NULL;
}

static void drop(struct fake_transfer *transfer)
{
	free(transfer->bytes);
	*transfer = (struct fake_transfer){0};
}

static void on_put(struct fake_store *store, const struct stream_frame *frame, const struct stream_put *put)
{
	store->puts++;
	store->last_put_size = put->size;
	if (store->put_err && store->put_err_at_once) {
		tell_error(store, frame->transfer, store->put_err, store->put_argument);
		return;
	}
	struct fake_transfer *transfer = take(store, frame->transfer, FAKE_PUT);
	if (!transfer)
		return;
	transfer->declared = put->size;
	transfer->credit = STREAM_WINDOW;
}

static void on_put_data(struct fake_store *store, struct fake_transfer *transfer,
			const struct stream_frame *frame, const uint8_t *payload)
{
	must(transfer->kind == FAKE_PUT && transfer->credit && frame->length);
	transfer->credit--;
	transfer->bytes = realloc(transfer->bytes, transfer->length + frame->length);
	memcpy(transfer->bytes + transfer->length, payload, frame->length);
	transfer->length += frame->length;
	if (!store->no_credit) {
		transfer->credit++;
		tell(store, STREAM_CREDIT, frame->transfer, 1);
	}
}

static void on_put_end(struct fake_store *store, struct fake_transfer *transfer)
{
	uint32_t number = transfer->number;
	struct stream_stored stored = {.size = transfer->length};
	if (store->put_err) {
		tell_error(store, number, store->put_err, store->put_argument);
	} else if (transfer->declared != STREAM_UNKNOWN && transfer->declared != transfer->length) {
		tell_error(store, number, ERR_TRUNCATED, 0);
	} else {
		sha256(transfer->bytes ? transfer->bytes : (const uint8_t *)"", transfer->length,
		       stored.cid.bytes);
		stored.fresh = !fake_store_find(store, &stored.cid);
		if (stored.fresh)
			fake_store_keep(store, transfer->bytes ? transfer->bytes : (const uint8_t *)"",
					transfer->length);
		store->stored++;
		struct stream_frame frame = {
			.length = sizeof stored, .type = STREAM_STORED, .transfer = number};
		fake_store_send(store, &frame, &stored);
	}
	drop(transfer);
}

static void on_get(struct fake_store *store, const struct stream_frame *frame, const struct stream_get *get)
{
	const struct fake_blob *blob = fake_store_find(store, &get->cid);
	must(frame->argument <= STREAM_WINDOW);
	frame->argument ? store->gets++ : store->heads++;
	if (!blob || get->offset > blob->size) {
		tell_error(store, frame->transfer, blob ? ERR_BAD_VALUE : ERR_NOT_FOUND, 0);
		return;
	}
	struct stream_found found = {get->cid, blob->size - store->found_less};
	found.cid.bytes[0] ^= store->wrong_cid;
	struct stream_frame answer = {
		.length = sizeof found, .type = STREAM_FOUND, .transfer = frame->transfer};
	if (!frame->argument) {
		fake_store_send(store, &answer, &found);
		tell(store, STREAM_END, frame->transfer, 0);
		return;
	}
	struct fake_transfer *transfer = take(store, frame->transfer, FAKE_GET);
	if (!transfer)
		return;
	fake_store_send(store, &answer, &found);
	transfer->blob = blob;
	transfer->at = get->offset;
	transfer->end = blob->size - get->offset < get->length ? blob->size : get->offset + get->length;
	transfer->credit = frame->argument;
}

static void serve_get(struct fake_store *store, struct fake_transfer *transfer)
{
	while (transfer->credit && transfer->at < transfer->end) {
		/* chunks begin where the blob's do, as sealed chunks would */
		uint64_t stop = (transfer->at / STREAM_DATA_MAX + 1) * STREAM_DATA_MAX;
		if (stop > transfer->end)
			stop = transfer->end;
		if (transfer->at >= store->corrupt_from) {
			tell_error(store, transfer->number, ERR_CORRUPT, 0);
			drop(transfer);
			return;
		}
		struct stream_frame frame = {.length = (uint32_t)(stop - transfer->at),
					     .type = STREAM_DATA,
					     .transfer = transfer->number};
		fake_store_send(store, &frame, transfer->blob->bytes + transfer->at);
		transfer->at = stop;
		transfer->credit--;
	}
	if (transfer->at == transfer->end) {
		tell(store, STREAM_END, transfer->number, 0);
		drop(transfer);
	}
}

static void on_abort(struct fake_store *store, struct fake_transfer *transfer)
{
	if (transfer->kind == FAKE_PUT)
		store->dropped++;
	drop(transfer);
}

static void on_frame(struct fake_store *store, const struct stream_frame *frame, const uint8_t *payload)
{
	struct fake_transfer *transfer = find(store, frame->transfer);
	switch ((enum stream_type)frame->type) {
	case STREAM_OPEN:
		must(frame->length == sizeof(struct stream_open));
		store->opens++;
		tell(store, STREAM_OPENED, 0, 0);
		return;
	case STREAM_PUT:
		must(frame->length == sizeof(struct stream_put));
		on_put(store, frame, (const void *)payload);
		return;
	case STREAM_GET:
		must(frame->length == sizeof(struct stream_get));
		on_get(store, frame, (const void *)payload);
		return;
	case STREAM_DATA:
		store->datas++;
		if (transfer)
			on_put_data(store, transfer, frame, payload);
		return;
	case STREAM_END:
		if (transfer)
			on_put_end(store, transfer);
		return;
	case STREAM_ABORT:
		store->aborts++;
		if (transfer)
			on_abort(store, transfer);
		return;
	case STREAM_CREDIT:
		store->credits++;
		if (transfer)
			transfer->credit += frame->argument;
		must(!transfer || transfer->credit <= STREAM_WINDOW);
		return;
	case STREAM_OPENED:
	case STREAM_FOUND:
	case STREAM_STORED:
	case STREAM_ERROR:
		break;
	}
	must(!"a frame that no client sends");
}

static void take_frames(struct fake_store *store)
{
	size_t from = 0;
	for (;;) {
		_Alignas(8) struct stream_frame frame;
		if (store->in_length - from < sizeof frame)
			break;
		memcpy(&frame, store->in + from, sizeof frame);
		must(frame.length <= STREAM_DATA_MAX);
		if (store->in_length - from < sizeof frame + frame.length)
			break;
		_Alignas(8) static uint8_t payload[STREAM_DATA_MAX];
		memcpy(payload, store->in + from + sizeof frame, frame.length);
		from += sizeof frame + frame.length;
		on_frame(store, &frame, payload);
	}
	memmove(store->in, store->in + from, store->in_length - from);
	store->in_length -= from;
}

bool fake_store_turn(struct fake_store *store)
{
	if (store->fd < 0 || store->deaf)
		return store->fd >= 0;
	for (;;) {
		ssize_t got = recv(store->fd, store->in + store->in_length, IN_ROOM - store->in_length,
				   MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return false;
		if (got < 0)
			break;
		store->in_length += (size_t)got;
		if (!store->silent)
			take_frames(store);
		else
			store->in_length = 0;
	}
	for (unsigned i = 0; i < FAKE_TRANSFERS && !store->silent; i++)
		if (store->transfers[i].kind == FAKE_GET)
			serve_get(store, &store->transfers[i]);
	while (store->out_sent < store->out_length) {
		ssize_t sent = send(store->fd, store->out + store->out_sent,
				    store->out_length - store->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN;
		store->out_sent += (size_t)sent;
	}
	store->out_sent = store->out_length = 0;
	return true;
}
