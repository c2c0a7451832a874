/* The same frames as the store reads them, from a gateway that may have been taken over. Behind them is no disk but a made-up store that
 * asks of its user what blobs.h asks: each put and get that was begun is ended once, and no byte goes to one that is over.
 *
 * Bytes: how the made-up store answers, whether the ticket was shown (1); bytes a piece, 0: all (1); the frames. */
#include "tests/fuzz/target.h"

#include "actors/base/clock/clock.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/store/stream_inside.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BLOB = 3 * STREAM_DATA_MAX / 2, KEPT = STREAM_TRANSFERS };

/* -- the made-up store ------------------------------------------------------------------------------------------------ */

struct put {
	uint64_t size, came;
	bool failed;
};
struct get {
	uint64_t from, left;
};
static struct made_up {
	unsigned mode, puts, gets, kept, asked;
	struct {
		put_end_fn *end;
		void *context;
	} ends[KEPT];
} made_up;
static uint8_t blob[BLOB];

/* Every third thing that is asked of it goes wrong in some modes. */
static bool fails(void)
{
	return made_up.mode & 1 && ++made_up.asked % 3 == 0;
}

enum err store_put_begin(struct store *store, uint64_t size, struct put **put)
{
	must(store && !*put);
	if (fails() || (size != SIZE_UNKNOWN && size > 1 << 20))
		return ERR_FULL;
	*put = x_new(sizeof **put);
	**put = (struct put){.size = size};
	made_up.puts++;
	return ERR_OK;
}

enum err store_put_data(struct put *put, const void *bytes, size_t length)
{
	must(put && !put->failed && (bytes || !length) && length <= STREAM_DATA_MAX);
	put->came += length;
	put->failed = fails() || put->came > put->size;
	return put->failed ? ERR_TRUNCATED : ERR_OK;
}

enum err store_put_end(struct put **put, struct stored *stored, put_end_fn *end, void *context)
{
	must(*put && !(*put)->failed);
	bool whole = (*put)->size == SIZE_UNKNOWN || (*put)->size == (*put)->came;
	*stored = (struct stored){.size = (*put)->came, .fresh = true};
	made_up.puts--;
	x_free(put);
	if (!whole)
		return ERR_TRUNCATED;
	if (!(made_up.mode & 2) || made_up.kept == KEPT)
		return fails() ? ERR_WRONG_SHARD : ERR_OK;
	made_up.ends[made_up.kept].end = end;
	made_up.ends[made_up.kept++].context = context;
	return ERR_KEPT;
}

void store_put_abort(struct put **put)
{
	made_up.puts -= *put != NULL;
	x_free(put);
}

enum err store_get_open(struct store *store, const struct cid *cid, struct get **get)
{
	must(store && !*get);
	if (fails() || cid->bytes[0] == 0xff)
		return ERR_NOT_FOUND;
	*get = x_new(sizeof **get);
	(*get)->left = BLOB;
	made_up.gets++;
	return ERR_OK;
}

uint64_t get_size(const struct get *get)
{
	must(get);
	return BLOB;
}

enum err store_get_range(struct get *get, uint64_t offset, uint64_t length)
{
	if (offset > BLOB)
		return ERR_BAD_VALUE;
	*get = (struct get){offset, length < BLOB - offset ? length : BLOB - offset};
	return ERR_OK;
}

enum err store_get_next(struct get *get, const uint8_t **bytes, size_t *length)
{
	must(get);
	if (fails())
		return ERR_CORRUPT;
	uint64_t stop = STREAM_DATA_MAX - get->from % STREAM_DATA_MAX;
	*length = (size_t)(stop < get->left ? stop : get->left);
	*bytes = blob + get->from;
	get->from += *length;
	get->left -= *length;
	return ERR_OK;
}

void store_get_close(struct get **get)
{
	made_up.gets -= *get != NULL;
	x_free(get);
}

static void commit_all(void)
{
	unsigned kept = made_up.kept;
	made_up.kept = 0;
	for (unsigned i = 0; i < kept; i++)
		made_up.ends[i].end(made_up.ends[i].context, fails() ? ERR_DISK : ERR_OK,
				    &(struct stored){.size = 1});
}

/* -- the connection --------------------------------------------------------------------------------------------------- */

static void put_done(void *context, const struct stored *stored, uint64_t ms)
{
	(void)context;
	(void)ms;
	must(stored);
}

static void get_done(void *context, const struct cid *cid, uint64_t bytes, uint64_t ms, enum err end)
{
	(void)context;
	(void)ms;
	(void)end;
	must(cid && bytes <= BLOB);
}

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length;

static struct streams *open_streams(void)
{
	static const struct streams_events events = {put_done, get_done, NULL};
	int name = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "warren-fuzz-%d", getpid());
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)name);
	must(bind(listener, (struct sockaddr *)&address, address_length) == 0 && listen(listener, 4) == 0);
	log_threshold(LOG_ERROR);
	return streams_new(listener, getuid(), (struct store *)(void *)&made_up, 1024, &events);
}

/* Reads what the store sent, and looks whether it is in shape. `*part` is what came of a frame so far. */
static void drain(int fd)
{
	static uint8_t in[4 * STREAM_DATA_MAX];
	static size_t have;
	if (fd < 0) {
		have = 0;
		return;
	}
	for (ssize_t got; (got = recv(fd, in + have, sizeof in - have, MSG_DONTWAIT)) > 0;) {
		struct stream_frame frame;
		size_t at = 0;
		have += (size_t)got;
		for (; have - at >= sizeof frame; at += sizeof frame + frame.length) {
			memcpy(&frame, in + at, sizeof frame);
			must(frame.length <= STREAM_DATA_MAX && frame.type >= STREAM_OPEN &&
			     frame.type <= STREAM_ERROR);
			if (have - at < sizeof frame + frame.length)
				break;
		}
		memmove(in, in + at, have - at);
		have -= at;
	}
}

static void feed(struct streams *streams, int fd, const uint8_t *bytes, size_t length, size_t piece)
{
	piece = length / piece < 32 ? piece : length / 32 + 1;
	while (length) {
		size_t part = length < piece ? length : piece;
		if (send(fd, bytes, part, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)part)
			return;
		streams_turn(streams);
		drain(fd);
		bytes += part;
		length -= part;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct streams *streams;
	if (!streams)
		streams = open_streams();
	if (length < 2)
		return 0;
	made_up = (struct made_up){.mode = bytes[0]};
	struct {
		struct stream_frame frame;
		struct stream_open open;
	} open = {{.length = sizeof open.open, .type = STREAM_OPEN}, {streams_ticket(streams)}};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	must(connect(fd, (struct sockaddr *)&address, address_length) == 0);
	if (bytes[0] & 4)
		feed(streams, fd, (const uint8_t *)&open, sizeof open, sizeof open);
	feed(streams, fd, bytes + 2, length - 2, bytes[1] ? bytes[1] : SIZE_MAX);
	for (unsigned i = 0; i < 4; i++) {
		commit_all();
		streams_turn(streams);
		drain(fd);
	}
	must(streams_counts(streams)->transfers <= STREAM_TRANSFERS && streams_counts(streams)->links <= 1);
	if (bytes[0] & 8) /* nothing has moved for long */
		streams_tend(streams, now_ms() + STREAM_IDLE_MS + TICKET_MS);
	close(fd);
	drain(-1);
	streams_turn(streams);
	commit_all();
	streams_turn(streams);
	must(!made_up.puts && !made_up.gets && !made_up.kept);
	must(streams_idle(streams) && !streams_counts(streams)->links);
	return 0;
}
