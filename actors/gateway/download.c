/* GET and HEAD of a blob: from the store to the client, never more than the window ahead of it. Nothing is
 * sent before the store has checked the first chunk. Runs in gateway@N; when it dies the client sees a short
 * body. */
#include "actors/gateway/visit.h"

#include "actors/base/log/log.h"

#include <stdio.h>
#include <string.h>

void download_clear(struct request *request)
{
	while (request->first) {
		struct chunk *chunk = request->first;
		request->first = chunk->next;
		chunk_free(&chunk);
	}
	request->last = NULL;
}

/* -- what the store says ------------------------------------------------------------------------------------------- */

static void wake(struct visit *visit)
{
	if (visit->suspended && visit->awaits == AWAITS_STORE)
		visit_resume(visit);
}

static void end(struct visit *visit, enum err err)
{
	struct request *request = &visit->request;
	transfer_abort(&request->transfer);
	request->over = true;
	request->outcome = err;
	wake(visit);
}

static void on_found(void *context, const struct stream_found *found)
{
	struct visit *visit = context;
	struct request *request = &visit->request;
	if (memcmp(&found->cid, &request->target.cid, sizeof found->cid) != 0 ||
	    (request->looked && found->size != request->size)) {
		end(visit, ERR_MALFORMED);
		return;
	}
	request->size = found->size;
	if (!request->looked)
		request->span = (struct span){0, found->size};
}

static void on_data(void *context, struct chunk *chunk)
{
	struct visit *visit = context;
	struct request *request = &visit->request;
	request->came += chunk->length;
	if (request->last)
		request->last->next = chunk;
	else
		request->first = chunk;
	request->last = chunk;
	if (request->came > request->span.length)
		end(visit, ERR_MALFORMED);
	else
		wake(visit);
}

static void on_ended(void *context, enum err err, uint32_t argument)
{
	struct visit *visit = context;
	struct request *request = &visit->request;
	request->transfer = NULL;
	request->over = true;
	request->outcome = err;
	request->argument = argument;
	wake(visit);
}

static const struct transfer_events events = {.found = on_found, .data = on_data, .ended = on_ended};

/* -- asking -------------------------------------------------------------------------------------------------------- */

static void ask(struct visit *visit, unsigned credit)
{
	struct request *request = &visit->request;
	struct stream_get what = {request->target.cid, 0, STREAM_UNKNOWN};
	if (request->looked) {
		what.offset = request->span.offset;
		what.length = request->span.length;
	}
	request->over = false;
	request->came = 0;
	request->transfer = stream_get(visit->http->config.stream, &what, credit, &events, visit);
	if (!request->transfer)
		request->complaint = complaint_of(ERR_BUSY);
	else
		visit_suspend(visit, AWAITS_STORE, visit->http->config.patience_ms);
}

/* Whether the answer depends on whether the blob is there and how long it is, before any of its bytes. */
static bool must_look(const struct request *request)
{
	const struct framing *framing = &request->framing;
	return request->head_only || framing->range || framing->if_match || framing->if_none_match;
}

/* -- answering ----------------------------------------------------------------------------------------------------- */

static void blob_headers(const struct request *request, struct MHD_Response *response)
{
	char text[CID_TEXT], tag[CID_TEXT + 2];
	snprintf(tag, sizeof tag, "\"%s\"", cid_text(&request->target.cid, text));
	answer_header(response, "ETag", tag);
	answer_header(response, "Cache-Control", "public, max-age=31536000, immutable");
	if (request->status == MHD_HTTP_NOT_MODIFIED)
		return;
	answer_header(response, "Accept-Ranges", "bytes");
	answer_header(response, "Content-Type", "application/octet-stream");
	answer_header(response, "X-Content-Type-Options", "nosniff");
	if (request->status != MHD_HTTP_PARTIAL_CONTENT)
		return;
	char range[80];
	unsigned long long first = request->span.offset, size = request->size;
	snprintf(range, sizeof range, "bytes %llu-%llu/%llu", first, first + request->span.length - 1, size);
	answer_header(response, "Content-Range", range);
}

/* The library asks for more. It sends one block before it asks for the next, so a block asked for is a step
 * made. */
static ssize_t next_bytes(void *context, uint64_t position, char *into, size_t room)
{
	struct visit *visit = context;
	struct request *request = &visit->request;
	(void)position;
	struct chunk *chunk = request->first;
	if (visit->cut || (!chunk && request->over))
		return MHD_CONTENT_READER_END_WITH_ERROR; /* the client sees that the body is short */
	if (!chunk) {
		visit_suspend(visit, AWAITS_STORE, visit->http->config.patience_ms);
		return 0;
	}
	visit_pace(visit);
	size_t take = chunk->length - request->used;
	if (take > room)
		take = room;
	memcpy(into, chunk->bytes + request->used, take);
	request->used += (uint32_t)take;
	visit->http->counts.bytes_out += take;
	if (request->used == chunk->length) {
		request->first = chunk->next;
		request->last = request->first ? request->last : NULL;
		request->used = 0;
		chunk_free(&chunk);
		if (request->transfer)
			transfer_grant(request->transfer);
	}
	return (ssize_t)take;
}

static void free_bytes(void *context)
{
	struct chunk *chunk = context;
	chunk_free(&chunk);
}

/* One chunk is the whole answer: it is handed over, and leaves with the header in one piece. */
static struct MHD_Response *one_chunk(struct visit *visit)
{
	struct request *request = &visit->request;
	struct chunk *chunk = request->first;
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
		chunk->length, chunk->bytes, free_bytes, chunk);
	if (!response)
		bug("MHD_create_response_from_buffer");
	request->first = request->last = NULL;
	visit->http->counts.bytes_out += chunk->length;
	return response;
}

static struct MHD_Response *many_chunks(struct visit *visit, uint64_t length)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(length, CHUNK_ROOM, next_bytes, visit, NULL);
	if (!response)
		bug("MHD_create_response_from_callback");
	return response;
}

static enum MHD_Result answer_blob(struct visit *visit)
{
	struct request *request = &visit->request;
	struct MHD_Response *response;
	bool bodiless = request->head_only || request->status == MHD_HTTP_NOT_MODIFIED;
	if (!bodiless && request->first && request->first->length == request->span.length)
		response = one_chunk(visit);
	else
		response = many_chunks(visit,
				       request->status == MHD_HTTP_NOT_MODIFIED ? 0 : request->span.length);
	blob_headers(request, response);
	return visit_answer(visit, request->status, response);
}

static enum MHD_Result answer_unsatisfiable(struct visit *visit)
{
	struct request *request = &visit->request;
	char range[40];
	request->complaint =
		complaint_make(MHD_HTTP_RANGE_NOT_SATISFIABLE, NULL, "the range begins past the blob's end");
	snprintf(range, sizeof range, "bytes */%llu", (unsigned long long)request->size);
	struct MHD_Response *response = answer_complaint(&request->complaint);
	answer_header(response, "Content-Range", range);
	return visit_answer(visit, request->complaint.status, response);
}

/* The blob is there and its size known: conditions in the order of RFC 9110, 13.2.2, then the range. */
static enum MHD_Result decide(struct visit *visit)
{
	struct request *request = &visit->request;
	const struct framing *framing = &request->framing;
	const struct cid *cid = &request->target.cid;
	request->looked = true;
	request->span = (struct span){0, request->size};
	request->status = MHD_HTTP_OK;
	if (framing->if_match && !etags_hold(framing->if_match, cid, true)) {
		request->complaint = complaint_make(MHD_HTTP_PRECONDITION_FAILED, NULL,
						    "the blob's ETag is its CID, in quotes");
		return visit_complain(visit);
	}
	if (framing->if_none_match && etags_hold(framing->if_none_match, cid, false))
		request->status = MHD_HTTP_NOT_MODIFIED;
	if (request->head_only || request->status == MHD_HTTP_NOT_MODIFIED)
		return answer_blob(visit);
	if (!framing->if_range || etag_is(framing->if_range, cid)) {
		enum range range = range_read(framing->range, request->size, &request->span);
		if (range == RANGE_NONE)
			return answer_unsatisfiable(visit);
		if (range == RANGE_PART)
			request->status = MHD_HTTP_PARTIAL_CONTENT;
	}
	if (request->span.length == 0)
		return answer_blob(visit);
	ask(visit, STREAM_WINDOW);
	return request->complaint.status ? visit_complain(visit) : MHD_YES;
}

/* A read changes nothing, so one that was lost with the store's process is asked again, once, when it is
 * back. */
static bool try_again(struct request *request)
{
	if (request->outcome != ERR_GONE || request->retried)
		return false;
	download_clear(request);
	request->retried = true;
	request->over = false;
	request->came = 0;
	return true;
}

enum MHD_Result download_answer(struct visit *visit)
{
	struct request *request = &visit->request;
	request->direction = DOWNLOAD;
	bool failed = request->over && request->outcome != ERR_OK;
	if (failed && !try_again(request)) {
		request->complaint = visit_complaint(visit, request->outcome);
		return visit_complain(visit);
	}
	if (!request->transfer && !request->over) {
		if (visit_has_turn(visit))
			ask(visit, !request->looked && must_look(request) ? 0 : STREAM_WINDOW);
		return request->complaint.status ? visit_complain(visit) : MHD_YES;
	}
	if (!request->looked && must_look(request))
		return decide(visit);
	if (!request->looked)
		request->status = MHD_HTTP_OK;
	if (request->over && request->came < request->span.length) {
		request->complaint = visit_complaint(visit, ERR_MALFORMED);
		return visit_complain(visit);
	}
	return answer_blob(visit);
}
