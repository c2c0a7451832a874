/* What visits wait for and what they are told: lists, suspending and resuming, slots, answers. Runs in
 * gateway@N. */
#include "actors/gateway/visit.h"

#include "actors/base/reasons/reasons.h"
#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

void gauge_up(struct http_gauge *gauge)
{
	if (++gauge->depth > gauge->high)
		gauge->high = gauge->depth;
}

/* -- lists --------------------------------------------------------------------------------------------------------- */

struct visit *link_visit(struct link *link)
{
	return (struct visit *)(void *)((char *)link - offsetof(struct visit, place));
}

struct visit *link_waiting(struct link *link)
{
	return (struct visit *)(void *)((char *)link - offsetof(struct visit, wait));
}

void link_clear(struct link *link)
{
	link->next = link->previous = link;
}

bool link_empty(const struct link *link)
{
	return link->next == link;
}

void link_remove(struct link *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link_clear(link);
}

void link_append(struct link *head, struct link *link)
{
	link_remove(link);
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

/* -- suspending and resuming --------------------------------------------------------------------------------------- */

void visit_suspend(struct visit *visit, enum awaits awaits, unsigned ms)
{
	bug_if(visit->suspended);
	visit->suspended = true;
	visit->awaits = awaits;
	visit->deadline_ms = visit->http->now_ms + ms;
	MHD_suspend_connection(visit->connection);
}

void visit_pace(struct visit *visit)
{
	visit->deadline_ms = visit->http->now_ms + visit->http->config.step_ms;
}

static void wait_no_more(struct visit *visit)
{
	if (link_empty(&visit->wait))
		return;
	link_remove(&visit->wait);
	if (visit->awaits != AWAITS_TURN)
		return;
	visit->http->counts.waiting.depth--;
	visit->http->waiting[visit->request.direction]--;
}

void visit_resume(struct visit *visit)
{
	bug_if(!visit->suspended);
	wait_no_more(visit);
	visit->suspended = false;
	visit->awaits = AWAITS_CLIENT;
	visit->request.pace = (struct pace){0}; /* it waited for us: that is no time of its own */
	visit_pace(visit);
	MHD_resume_connection(visit->connection);
}

/* The connection ends without another byte; the library notices in its next round. */
void visit_cut(struct visit *visit)
{
	visit->cut = true;
	visit->http->counts.failed++;
	if (visit->suspended)
		visit_resume(visit);
	else
		shutdown(visit->fd, SHUT_RDWR);
}

/* -- slots --------------------------------------------------------------------------------------------------------- */

static bool take_slot(struct visit *visit)
{
	struct http *http = visit->http;
	uint64_t *mine = &http->slots[visit->request.direction];
	if (*mine >= HTTP_SLOTS_EACH || http->counts.slots.depth >= HTTP_SLOTS)
		return false;
	++*mine;
	gauge_up(&http->counts.slots);
	visit->request.has_slot = true;
	return true;
}

/* Those who have a slot and wait for the store stand before those who have none. */
void visits_give_turns(struct http *http)
{
	if (!stream_is_open(http->config.stream))
		return;
	for (enum direction direction = UPLOAD; direction < DIRECTIONS; direction++)
		while (!link_empty(&http->turn[direction])) {
			struct visit *visit = link_waiting(http->turn[direction].next);
			if (!visit->request.has_slot && !take_slot(visit))
				break;
			visit_resume(visit);
		}
}

void visit_give_slot_back(struct visit *visit)
{
	if (!visit->request.has_slot)
		return;
	visit->request.has_slot = false;
	visit->http->slots[visit->request.direction]--;
	visit->http->counts.slots.depth--;
	visits_give_turns(visit->http);
}

bool visit_has_turn(struct visit *visit)
{
	struct http *http = visit->http;
	struct request *request = &visit->request;
	struct link *queue = &http->turn[request->direction];
	if (request->complaint.status)
		return false; /* it has waited in vain */
	if (!request->has_slot && link_empty(queue))
		take_slot(visit);
	if (request->has_slot && stream_is_open(http->config.stream))
		return true;
	if (!request->has_slot && http->waiting[request->direction] >= http->config.waiting) {
		http->counts.waiting.drops++;
		request->complaint = complaint_of(ERR_BUSY);
		return false;
	}
	http->waiting[request->direction]++;
	link_append(request->has_slot ? queue->next : queue, &visit->wait);
	gauge_up(&http->counts.waiting);
	visit_suspend(visit, AWAITS_TURN, http->config.wait_ms);
	return false;
}

/* -- answering ----------------------------------------------------------------------------------------------------- */

void visit_count(struct visit *visit, unsigned status)
{
	struct http_counts *counts = &visit->http->counts;
	visit->request.answered = true;
	counts->requests++;
	if (status >= 500)
		counts->failed++;
	else if (status >= 400)
		counts->refused++;
}

enum MHD_Result visit_answer(struct visit *visit, unsigned status, struct MHD_Response *response)
{
	if (visit->http->draining || visit->http->closed || framing_ends_in_doubt(&visit->request.framing))
		answer_header(response, "Connection", "close");
	enum MHD_Result queued = MHD_queue_response(visit->connection, status, response);
	MHD_destroy_response(response);
	visit_count(visit, status);
	return queued;
}

enum MHD_Result visit_complain(struct visit *visit)
{
	const struct complaint *complaint = &visit->request.complaint;
	if (complaint->status == MHD_HTTP_CONTENT_TOO_LARGE)
		reason_note(REASON_STORE_TOO_LARGE, "", "%s", complaint->text);
	if (complaint->retry_s)
		reason_note(REASON_HTTP_BUSY, complaint->code, "%u %s", complaint->status, complaint->text);
	else if (complaint->status >= 500 && complaint->status != MHD_HTTP_INSUFFICIENT_STORAGE)
		reason_note(REASON_HTTP_FAILED, complaint->code, "%u %s", complaint->status, complaint->text);
	return visit_answer(visit, complaint->status, answer_complaint(complaint));
}

enum MHD_Result visit_refuse_now(struct visit *visit)
{
	char bytes[ANSWER_RAW];
	size_t length = answer_raw(&visit->request.complaint, bytes);
	/* Nothing of this response was sent and all earlier ones were, so the socket takes these few bytes or
	 * is dead. */
	if (send(visit->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length)
		porch_add(visit->http->porch, visit->fd, visit->http->now_ms);
	visit_count(visit, visit->request.complaint.status);
	return MHD_NO;
}

/* Which shard it would be, who keeps it (as far as we can say: somebody else), and what is kept here. */
static struct complaint wrong_shard(const struct shards *shards, uint32_t shard)
{
	struct complaint complaint = complaint_of(ERR_WRONG_SHARD);
	char kept[SHARDS_TEXT];
	struct shard_span gap = shards_gap(shards, shard);
	snprintf(complaint.text, sizeof complaint.text,
		 "shard %u of %u belongs to a node that keeps %u-%u; this node keeps %.160s", shard,
		 shards->count, gap.start, gap.end, shards_text(shards, kept));
	return complaint;
}

struct complaint visit_complaint(struct visit *visit, enum err err)
{
	const struct shards *shards = &visit->http->config.shards;
	const struct request *request = &visit->request;
	if (err == ERR_NOT_FOUND && request->direction == DOWNLOAD) {
		uint32_t shard = cid_shard(&request->target.cid, shards->count);
		return shards_keep(shards, shard) ? complaint_of(err) : wrong_shard(shards, shard);
	}
	/* Of an upload only the store knows the CID; its ERROR says the shard. */
	if (err == ERR_WRONG_SHARD && request->argument < shards->count &&
	    !shards_keep(shards, request->argument))
		return wrong_shard(shards, request->argument);
	return complaint_of(err);
}
