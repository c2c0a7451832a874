/* Connections and frames. Part of store@N; what it reads comes from gateway@N, which may have been taken over: a frame that
 * breaks the format ends the connection, and no frame can make a buffer grow past its bound. When the store dies the gateway
 * asks for a new ticket. */
#include "actors/store/stream_inside.h"

#include "actors/base/clock/clock.h"
#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EVENTS = STREAM_LINKS + 1 };

/* -- sending --------------------------------------------------------------------------------------------------------- */

uint32_t link_waiting(const struct link *link)
{
	return link->out_to - link->out_from;
}

static void keep(struct link *link, const void *bytes, size_t length)
{
	if (link->out_from == link->out_to)
		link->out_from = link->out_to = 0;
	if (length > OUT_BYTES - link->out_to && link->out_from) {
		memmove(link->out, link->out + link->out_from, link_waiting(link));
		link->out_to -= link->out_from;
		link->out_from = 0;
	}
	if (length > OUT_BYTES - link->out_to) {
		link->broken = true;
		return;
	}
	if (length)
		memcpy(link->out + link->out_to, bytes, length);
	link->out_to += (uint32_t)length;
}

void link_send(struct link *link, struct stream_frame frame, const void *body)
{
	keep(link, &frame, sizeof frame);
	keep(link, body, frame.length);
}

static void flush(struct link *link)
{
	while (link_waiting(link) && !link->broken) {
		ssize_t sent = send(link->fd, link->out + link->out_from, link_waiting(link), MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			link->broken = errno != EAGAIN;
			return;
		}
		link->out_from += (uint32_t)sent;
	}
}

void link_send_data(struct link *link, uint32_t transfer, const uint8_t *bytes, size_t length)
{
	struct stream_frame frame = {.length = (uint32_t)length, .type = STREAM_DATA, .transfer = transfer};
	flush(link);
	size_t sent = 0;
	if (!link_waiting(link) && !link->broken) {
		struct iovec parts[] = {{&frame, sizeof frame}, {(void *)bytes, length}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
		ssize_t wrote = sendmsg(link->fd, &message, MSG_NOSIGNAL);
		link->broken = wrote < 0 && errno != EAGAIN && errno != EINTR;
		sent = wrote > 0 ? (size_t)wrote : 0;
	}
	if (sent < sizeof frame) {
		keep(link, (uint8_t *)&frame + sent, sizeof frame - sent);
		sent = sizeof frame;
	}
	keep(link, bytes + (sent - sizeof frame), length - (sent - sizeof frame));
}

/* -- connections ----------------------------------------------------------------------------------------------------- */

static void link_end(struct streams *streams, struct link *link)
{
	transfers_drop(streams, link);
	close(link->fd);
	x_free(&link->in);
	x_free(&link->out);
	*link = (struct link){.fd = -1};
	streams->counts.links--;
}

static bool from_our_gateway(const struct streams *streams, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == streams->gateway;
}

static struct link *free_link(struct streams *streams)
{
	for (int i = 0; i < STREAM_LINKS; i++)
		if (streams->links[i].fd < 0)
			return &streams->links[i];
	return NULL;
}

static void accept_all(struct streams *streams)
{
	for (;;) {
		int fd = accept4(streams->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct link *link = from_our_gateway(streams, fd) ? free_link(streams) : NULL;
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
		if (!link || epoll_ctl(streams->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
			streams->counts.links_refused++;
			close(fd);
			continue;
		}
		*link = (struct link){
			.fd = fd, .since_ms = now_ms(), .in = x_new(IN_BYTES), .out = x_new(OUT_BYTES)};
		if (++streams->counts.links > streams->counts.links_high)
			streams->counts.links_high = streams->counts.links;
	}
}

/* A good ticket makes this the connection; the one before it, if it is still there, belonged to a gateway that is no more. */
static void on_open(struct streams *streams, struct link *link, const struct stream_frame *frame,
		    const uint8_t *body)
{
	bool good = !link->open && frame->length == sizeof(struct stream_open) && streams->ticket_good &&
		    same_bytes(body, &streams->ticket, sizeof streams->ticket);
	if (!good) {
		link_send(link, (struct stream_frame){.type = STREAM_ERROR, .error = ERR_BAD_TICKET}, NULL);
		flush(link);
		link->broken = true;
		return;
	}
	streams->ticket_good = false;
	for (int i = 0; i < STREAM_LINKS; i++)
		if (streams->links[i].open)
			streams->links[i].broken = true;
	link->open = true;
	link_send(link, (struct stream_frame){.type = STREAM_OPENED}, NULL);
}

static void on_frames(struct streams *streams, struct link *link)
{
	struct stream_frame frame;
	while (!link->broken && link->in_to - link->in_from >= sizeof frame) {
		memcpy(&frame, link->in + link->in_from, sizeof frame);
		if (frame.length > STREAM_DATA_MAX) {
			link->broken = true;
			return;
		}
		if (link->in_to - link->in_from < sizeof frame + frame.length)
			return;
		const uint8_t *body = link->in + link->in_from + sizeof frame;
		link->in_from += (uint32_t)sizeof frame + frame.length;
		if (frame.type == STREAM_OPEN)
			on_open(streams, link, &frame, body);
		else if (link->open)
			transfer_frame(streams, link, &frame, body);
		else
			link->broken = true; /* the ticket comes first */
	}
}

static void read_link(struct streams *streams, struct link *link)
{
	if (link->in_from) {
		memmove(link->in, link->in + link->in_from, link->in_to - link->in_from);
		link->in_to -= link->in_from;
		link->in_from = 0;
	}
	ssize_t got = recv(link->fd, link->in + link->in_to, IN_BYTES - link->in_to, 0);
	if (got > 0) {
		link->in_to += (uint32_t)got;
		on_frames(streams, link);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		link->broken = true;
	}
}

/* -- turning --------------------------------------------------------------------------------------------------------- */

static void settle(struct streams *streams, struct link *link)
{
	if (!link->broken) {
		transfers_serve(streams, link);
		flush(link);
	}
	bool wants = link_waiting(link) || transfers_eager(streams, link);
	if (!link->broken && wants != link->wants_write) {
		struct epoll_event event = {.events = EPOLLIN | (wants ? (uint32_t)EPOLLOUT : 0),
					    .data.ptr = link};
		link->broken = epoll_ctl(streams->epoll, EPOLL_CTL_MOD, link->fd, &event) != 0;
		link->wants_write = wants;
	}
	if (link->broken)
		link_end(streams, link);
}

void streams_turn(struct streams *streams)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(streams->epoll, events, EVENTS, 0);
	for (int i = 0; i < count; i++) {
		struct link *link = events[i].data.ptr;
		if (!link)
			accept_all(streams);
		else if (link->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			read_link(streams, link);
	}
	for (int i = 0; i < STREAM_LINKS; i++)
		if (streams->links[i].fd >= 0)
			settle(streams, &streams->links[i]);
}

void streams_tend(struct streams *streams, uint64_t now_ms)
{
	transfers_tend(streams, now_ms);
	for (int i = 0; i < STREAM_LINKS; i++) {
		struct link *link = &streams->links[i];
		if (link->fd >= 0 && !link->open && now_ms > link->since_ms + TICKET_MS)
			link->broken = true;
	}
	streams_turn(streams);
}

/* -- life ------------------------------------------------------------------------------------------------------------ */

struct streams *streams_new(int listener, uint32_t gateway, struct store *store, uint32_t shard_count,
			    const struct streams_events *events)
{
	struct streams *streams = x_new(sizeof *streams);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	*streams = (struct streams){.listener = listener,
				    .epoll = epoll_create1(EPOLL_CLOEXEC),
				    .gateway = gateway,
				    .shard_count = shard_count,
				    .store = store,
				    .events = *events};
	for (int i = 0; i < STREAM_LINKS; i++)
		streams->links[i].fd = -1;
	if (streams->epoll >= 0 && fcntl(listener, F_SETFL, O_NONBLOCK) == 0 &&
	    epoll_ctl(streams->epoll, EPOLL_CTL_ADD, listener, &event) == 0)
		return streams;
	if (streams->epoll >= 0)
		close(streams->epoll);
	x_free(&streams);
	return NULL;
}

void streams_free(struct streams **streams)
{
	if (!*streams)
		return;
	for (int i = 0; i < STREAM_LINKS; i++)
		if ((*streams)->links[i].fd >= 0)
			link_end(*streams, &(*streams)->links[i]);
	close((*streams)->epoll);
	x_free(streams);
}

struct ticket streams_ticket(struct streams *streams)
{
	random_bytes(&streams->ticket, sizeof streams->ticket);
	streams->ticket_good = true;
	return streams->ticket;
}

int streams_fd(const struct streams *streams)
{
	return streams->epoll;
}

bool streams_idle(const struct streams *streams)
{
	return streams->counts.transfers == 0;
}

const struct streams_counts *streams_counts(const struct streams *streams)
{
	return &streams->counts;
}
