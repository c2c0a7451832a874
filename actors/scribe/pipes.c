/* Log pipes. Plain C in the process of scribe. Holds the read ends; the supervisor holds copies of both ends,
 * so when scribe dies nothing that was written and not yet read is lost. */
#include "actors/scribe/pipes.h"

#include "actors/base/memory/memory.h"
#include "actors/scribe/journal.h"
#include "actors/scribe/line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct log_pipe {
	bool used;
	uint8_t kind;
	uint16_t node;
	int fd;
	uint32_t pid;
	uint64_t fed_ms; /* when something last came */
	struct line line;
	struct file file;
	struct journal journal; /* beside the file, under systemd */
};

enum { NONE = 0, BATCH = 32 * LOG_TEXT_MAX };

struct pipes {
	int epoll;
	struct files *files;
	struct pipes_counts counts;
	unsigned free_from;                   /* no free place is below this one */
	uint16_t index[KINDS][NODES_MAX + 1]; /* place + 1, or NONE */
	size_t batch_length;
	char batch[BATCH]; /* lines of the pipe that is being read, on their way to its file */
	struct log_pipe at[PIPES_MAX];
};

struct pipes *pipes_open(struct files *files)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return NULL;
	struct pipes *pipes = x_new(sizeof *pipes);
	pipes->epoll = epoll;
	pipes->files = files;
	return pipes;
}

int pipes_fd(const struct pipes *pipes)
{
	return pipes->epoll;
}

const struct pipes_counts *pipes_counts(const struct pipes *pipes)
{
	return &pipes->counts;
}

/* -- lines ------------------------------------------------------------------------------------- */

struct reading {
	struct pipes *pipes;
	struct log_pipe *pipe;
	const struct moment *now;
	struct stamp stamp;
};

static void write_batch(struct reading *reading)
{
	struct pipes *pipes = reading->pipes;
	file_append(pipes->files, &reading->pipe->file, pipes->batch, pipes->batch_length, reading->now);
	journal_append(&reading->pipe->journal, pipes->batch, pipes->batch_length);
	pipes->batch_length = 0;
}

static void add_line(void *context, const char *bytes, size_t length, bool cut)
{
	struct reading *reading = context;
	struct pipes *pipes = reading->pipes;
	if (sizeof pipes->batch - pipes->batch_length < LOG_TEXT_MAX)
		write_batch(reading);
	pipes->batch_length +=
		line_text(&reading->stamp, bytes, length, cut, pipes->batch + pipes->batch_length);
	pipes->counts.cut += cut;
}

static struct reading begin_reading(struct pipes *pipes, struct log_pipe *pipe, const struct moment *now)
{
	struct reading reading = {.pipes = pipes, .pipe = pipe, .now = now, .stamp = {.pid = pipe->pid}};
	log_time_text(now->wall_ms, reading.stamp.time);
	log_who_text(pipe->kind, pipe->node, reading.stamp.actor);
	return reading;
}

static void flush_line(struct pipes *pipes, struct log_pipe *pipe, const struct moment *now)
{
	struct reading reading = begin_reading(pipes, pipe, now);
	line_flush(&pipe->line, add_line, &reading);
	write_batch(&reading);
}

/* One quantum. As read(2): bytes, 0 at the end, -1. */
static ssize_t read_quantum(struct pipes *pipes, struct log_pipe *pipe, const struct moment *now)
{
	char bytes[PIPE_QUANTUM];
	ssize_t length = read(pipe->fd, bytes, sizeof bytes);
	if (length <= 0)
		return length;
	struct reading reading = begin_reading(pipes, pipe, now);
	line_feed(&pipe->line, bytes, (size_t)length, add_line, &reading);
	write_batch(&reading);
	pipe->fed_ms = now->ms;
	return length;
}

/* Whoever wrote is dead, so there is an end to it: all that is in the pipe, then what has no end of line.
 * Should somebody go on writing, PIPE_REST quanta are enough. */
static void read_rest(struct pipes *pipes, struct log_pipe *pipe, const struct moment *now)
{
	for (int i = 0; i < PIPE_REST; i++)
		if (read_quantum(pipes, pipe, now) <= 0)
			break;
	flush_line(pipes, pipe, now);
}

/* -- coming and going -------------------------------------------------------------------------- */

static void end_pipe(struct pipes *pipes, struct log_pipe *pipe, const struct moment *now)
{
	read_rest(pipes, pipe, now);
	file_end(pipes->files, &pipe->file);
	journal_end(&pipe->journal);
	/* The supervisor's copy keeps the pipe in the epoll set, so closing ours would not take it out. */
	epoll_ctl(pipes->epoll, EPOLL_CTL_DEL, pipe->fd, NULL);
	close(pipe->fd);
	pipe->used = false;
	pipes->index[pipe->kind][pipe->node] = NONE;
	unsigned place = (unsigned)(pipe - pipes->at);
	if (place < pipes->free_from)
		pipes->free_from = place;
	pipes->counts.open--;
}

void pipes_close(struct pipes **at, const struct moment *now)
{
	struct pipes *pipes = *at;
	for (unsigned i = 0; i < PIPES_MAX; i++)
		if (pipes->at[i].used)
			end_pipe(pipes, &pipes->at[i], now);
	close(pipes->epoll);
	x_free(at);
}

static struct log_pipe *free_place(struct pipes *pipes)
{
	for (; pipes->free_from < PIPES_MAX; pipes->free_from++)
		if (!pipes->at[pipes->free_from].used)
			return &pipes->at[pipes->free_from];
	return NULL;
}

/* NULL when there is none. */
static struct log_pipe *find(struct pipes *pipes, const struct logs_entry *entry)
{
	unsigned place = pipes->index[entry->kind][entry->node];
	return place == NONE ? NULL : &pipes->at[place - 1];
}

/* Takes the descriptor, or leaves it to the caller. */
static bool take_pipe(struct pipes *pipes, const struct logs_entry *entry, int fd, const struct moment *now)
{
	struct log_pipe *pipe = find(pipes, entry);
	if (pipe)
		end_pipe(pipes, pipe, now);
	pipe = free_place(pipes);
	int flags = fcntl(fd, F_GETFL);
	if (!pipe || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return false;
	unsigned place = (unsigned)(pipe - pipes->at);
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};
	if (epoll_ctl(pipes->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return false;
	*pipe = (struct log_pipe){
		.used = true, .kind = entry->kind, .node = entry->node, .fd = fd, .pid = entry->pid};
	file_begin(&pipe->file, entry->kind, entry->node);
	pipes->index[entry->kind][entry->node] = (uint16_t)(place + 1);
	if (++pipes->counts.open > pipes->counts.high)
		pipes->counts.high = pipes->counts.open;
	return true;
}

/* The supervisor says so before the process runs, so what waits in the pipe is of the one before it. */
static void born(struct pipes *pipes, struct log_pipe *pipe, uint32_t pid, const struct moment *now)
{
	read_rest(pipes, pipe, now);
	pipe->pid = pid;
}

/* False when it is not as proto/logs.h says, or does not fit; `fd` (-1: none) is then still the caller's. */
static bool take_entry(struct pipes *pipes, const struct logs_entry *entry, int fd, const struct moment *now)
{
	const struct actor_row *row = actor_row(entry->kind);
	bool of_node = row && row->scope == PER_NODE;
	if ((entry->kind != KIND_NONE && !row) || of_node != (entry->node > 0) || entry->node > NODES_MAX)
		return false;
	if ((entry->verb == LOGS_PIPE || entry->verb == LOGS_JOURNAL) != (fd >= 0))
		return false;
	if (entry->verb == LOGS_PIPE)
		return take_pipe(pipes, entry, fd, now);
	struct log_pipe *pipe = find(pipes, entry);
	if (!pipe)
		return false;
	if (entry->verb == LOGS_END)
		end_pipe(pipes, pipe, now);
	else if (entry->verb == LOGS_BORN)
		born(pipes, pipe, entry->pid, now);
	else if (entry->verb == LOGS_JOURNAL)
		journal_begin(&pipe->journal, fd);
	else
		return false;
	return true;
}

/* -- the supervisor's datagrams ---------------------------------------------------------------- */

enum { FDS_MAX = 8 }; /* one is right; so many are received to be closed, the kernel closes the rest */

static unsigned received_fds(struct msghdr *message, int fds[FDS_MAX])
{
	unsigned count = 0;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t bytes = part->cmsg_len - CMSG_LEN(0);
		for (size_t at = 0; at + sizeof(int) <= bytes && count < FDS_MAX; at += sizeof(int))
			memcpy(&fds[count++], CMSG_DATA(part) + at, sizeof(int));
	}
	return count;
}

enum received { TAKEN, NOTHING_THERE, CLOSED };

static enum received receive_one(struct pipes *pipes, int fd, const struct moment *now)
{
	struct logs_entry
		entry[2]; /* room for more than one, so that a longer datagram is seen to be longer */
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec vector = {entry, sizeof entry};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control};
	ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return NOTHING_THERE;
	if (length <= 0)
		return CLOSED;
	int fds[FDS_MAX];
	unsigned count = received_fds(&message, fds);
	bool whole = length == sizeof *entry && !(message.msg_flags & MSG_CTRUNC) && count <= 1;
	if (whole && take_entry(pipes, entry, count ? fds[0] : -1, now))
		return TAKEN;
	pipes->counts.refused++;
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	return TAKEN;
}

bool pipes_receive(struct pipes *pipes, int fd, const struct moment *now)
{
	for (unsigned i = 0; i < PIPES_ENTRIES; i++) {
		enum received received = receive_one(pipes, fd, now);
		if (received != TAKEN)
			return received != CLOSED;
	}
	return true;
}

/* -- turns ------------------------------------------------------------------------------------- */

/* epoll gives the ready pipes in turn: one that was reported goes to the end of its list. */
unsigned pipes_turn(struct pipes *pipes, const struct moment *now)
{
	struct epoll_event events[PIPES_TURN];
	int ready = epoll_wait(pipes->epoll, events, PIPES_TURN, 0);
	for (int i = 0; i < ready; i++) {
		struct log_pipe *pipe = &pipes->at[events[i].data.u32];
		ssize_t length = read_quantum(pipes, pipe, now);
		if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
			end_pipe(pipes, pipe, now);
	}
	return ready > 0 ? (unsigned)ready : 0;
}

void pipes_tick(struct pipes *pipes, const struct moment *now)
{
	for (unsigned i = 0; i < PIPES_MAX; i++) {
		struct log_pipe *pipe = &pipes->at[i];
		if (!pipe->used)
			continue;
		if (pipe->line.length > 0 && now->ms - pipe->fed_ms >= PIPE_IDLE_MS)
			flush_line(pipes, pipe, now);
		file_tick(pipes->files, &pipe->file, now);
	}
}

void pipes_flush(struct pipes *pipes, const struct moment *now)
{
	for (unsigned i = 0; i < PIPES_MAX; i++)
		if (pipes->at[i].used)
			flush_line(pipes, &pipes->at[i], now);
}
