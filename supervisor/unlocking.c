/* The door through which the unlock secret comes in when unlock = "ask". Part of the supervisor: one connection at a time, nothing waited
 * for; what does not fit the check value is forgotten, and the next may try. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "supervisor/listen.h"
#include "supervisor/reasons_told.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void close_peer(struct supervisor *s)
{
	struct unlocking *u = &s->unlocking;
	if (u->peer >= 0) {
		loop_unwatch(s->loop, u->peer);
		close(u->peer);
	}
	u->peer = -1;
	u->got = u->length = 0;
	unlock_forget(&u->page);
}

void unlocking_close(struct supervisor *s)
{
	struct unlocking *u = &s->unlocking;
	if (u->listener < 0)
		return;
	close_peer(s);
	loop_unwatch(s->loop, u->listener);
	close(u->listener);
	u->listener = -1;
	listen_unix_end(&s->machine, SOCKET_UNLOCK);
}

/* All of it is here. */
static void judge(struct supervisor *s)
{
	struct unlocking *u = &s->unlocking;
	u->page.length = u->length;
	bool fits = unlock_fits(&u->page, u->check);
	if (fits) {
		s->unlock = u->page;
		u->page = (struct unlock){0};
		s->locked = false;
		s->dirty = true;
		for (unsigned i = 0; i < s->count; i++) {
			if (s->processes[i]->state != PROCESS_LOCKED)
				continue;
			s->processes[i]->state = PROCESS_WAITING;
			reason_over_about(REASON_NODE_LOCKED, process_about(s->processes[i]), NULL);
		}
	}
	log_line(fits ? LOG_INFO : LOG_WARN, fits ? "machine.unlocked" : "machine.not_unlocked",
		 "next=\"%s\"", fits ? "the nodes start" : "that was another unlock secret");
	ssize_t told = send(u->peer, fits ? "Y" : "N", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)told; /* who went away knows from `warren status` */
	if (fits)
		unlocking_close(s);
	else
		close_peer(s);
}

static ssize_t take(struct unlocking *u)
{
	const size_t prefix = sizeof u->length;
	uint8_t *at = u->got < prefix ? (uint8_t *)&u->length + u->got : u->page.page + (u->got - prefix);
	size_t wanted = u->got < prefix ? prefix - u->got : u->length - (u->got - prefix);
	return recv(u->peer, at, wanted, MSG_DONTWAIT);
}

static void on_peer(void *context, int fd, uint32_t events)
{
	(void)fd, (void)events;
	struct supervisor *s = context;
	struct unlocking *u = &s->unlocking;
	ssize_t got = take(u);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	u->got += got > 0 ? (size_t)got : 0;
	bool known = u->got >= sizeof u->length;
	if (got <= 0 || (known && (u->length < UNLOCK_LEAST || u->length > UNLOCK_MOST)))
		close_peer(s);
	else if (known && u->got == sizeof u->length + u->length)
		judge(s);
}

static void on_listener(void *context, int fd, uint32_t events)
{
	(void)events;
	struct supervisor *s = context;
	struct unlocking *u = &s->unlocking;
	struct ucred who;
	socklen_t length = sizeof who;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0)
		return;
	if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0 ||
	    (who.uid != 0 && who.uid != s->machine.own_uid)) {
		close(peer);
		return;
	}
	close_peer(s); /* the newest counts: one that hangs keeps nobody out */
	u->peer = peer;
	if (!unlock_new(&u->page) || !loop_watch(s->loop, peer, EPOLLIN, on_peer, s))
		close_peer(s);
}

bool unlocking_open(struct supervisor *s, struct why *why)
{
	struct unlocking *u = &s->unlocking;
	if (!s->locked)
		return true;
	u->listener = listen_unix(&s->machine, SOCKET_UNLOCK, (struct door){0}, why);
	return u->listener >= 0 && (loop_watch(s->loop, u->listener, EPOLLIN, on_listener, s) ||
				    refuse(why, "cannot watch the unlock socket: %s", strerror(errno)));
}
