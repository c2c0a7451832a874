/* Slow uploads. As long as there are slots for all, a client may take its time (http.h, step_ms); while others wait, the slots
 * go to those who use them. Runs in gateway@N on what strangers send, or do not. */
#include "actors/gateway/visit.h"

#include <stdio.h>
#include <sys/socket.h>

/* Bytes of the body that came in the stretch that runs. What the library has not read yet counts: it is not the client's fault
 * when we are late. */
static uint64_t brought(const struct visit *visit)
{
	char unread[HTTP_PACE_MOST];
	const struct request *request = &visit->request;
	uint32_t enough = visit->http->config.pace_bytes;
	ssize_t got = recv(visit->fd, unread, enough, MSG_PEEK | MSG_DONTWAIT);
	if (got == (ssize_t)enough)
		return enough;
	return request->taken - request->pace.since + (got > 0 ? (uint64_t)got : 0);
}

/* It holds a slot, and it is the client who is to move. */
static bool uploads(const struct visit *visit)
{
	const struct request *request = &visit->request;
	return request->has_slot && request->direction == UPLOAD && request->begun && !request->answered &&
	       !request->ended && !visit->suspended && !visit->cut;
}

static void measure(struct visit *visit)
{
	struct pace *pace = &visit->request.pace;
	uint64_t now = visit->http->now_ms;
	if (pace->since_ms && now < pace->since_ms + visit->http->config.pace_ms)
		return;
	pace->known = pace->since_ms != 0;
	pace->last = brought(visit);
	pace->since = visit->request.taken;
	pace->since_ms = now;
}

/* The one that brought least; NULL when all that can be judged are fast enough. */
static struct visit *slowest(struct http *http)
{
	struct visit *found = NULL;
	uint64_t least = http->config.pace_bytes;
	for (struct link *link = http->busy.next; link != &http->busy; link = link->next) {
		struct visit *visit = link_visit(link);
		const struct pace *pace = &visit->request.pace;
		if (!uploads(visit) || !pace->known || pace->last >= least)
			continue;
		if (brought(visit) >= http->config.pace_bytes)
			continue; /* it has gathered speed since */
		least = pace->last;
		found = visit;
	}
	return found;
}

/* The client is slow, so it has read all that we sent before it sends more: no reset takes the answer from it. */
static void take_slot_from(struct visit *visit)
{
	char bytes[ANSWER_RAW];
	struct complaint complaint =
		complaint_make(MHD_HTTP_REQUEST_TIMEOUT, NULL,
			       "others wait, and this body comes too slowly; try again later");
	size_t length = answer_raw(&complaint, bytes);
	visit->http->counts.slots.drops++;
	if (send(visit->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length)
		visit_count(visit, complaint.status);
	else
		visit->http->counts.failed++;
	visit->cut = true;
	shutdown(visit->fd, SHUT_RDWR);
}

void visits_keep_pace(struct http *http)
{
	for (struct link *link = http->busy.next; link != &http->busy; link = link->next)
		if (uploads(link_visit(link)))
			measure(link_visit(link));
	if (!stream_is_open(http->config.stream))
		return; /* they wait for the store */
	for (uint64_t wanted = http->waiting[UPLOAD]; wanted; wanted--) {
		struct visit *visit = slowest(http);
		if (!visit)
			return;
		take_slot_from(visit);
	}
}
