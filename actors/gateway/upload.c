/* POST /store: from the client to the store, 64 KiB at a time, as fast as the store gives credit. A body of
 * one chunk is shown to the store only when it is whole. Runs in gateway@N; when it dies in the middle, the
 * store forgets what came. */
#include "actors/gateway/visit.h"

#include "actors/base/log/log.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

void upload_clear(struct request *request)
{
	chunk_free(&request->filling);
}

/* -- what the store says ------------------------------------------------------------------------------------------- */

static void wake(struct visit *visit)
{
	if (visit->suspended && visit->awaits == AWAITS_STORE)
		visit_resume(visit);
}

static void on_credit(void *context)
{
	struct visit *visit = context;
	if (!visit->request.ended) /* then it waits for something else */
		wake(visit);
}

static void on_stored(void *context, const struct stream_stored *stored)
{
	struct visit *visit = context;
	visit->request.transfer = NULL;
	visit->request.over = true;
	visit->request.outcome = ERR_OK;
	visit->request.stored = *stored;
	wake(visit);
}

static void on_ended(void *context, enum err err, uint32_t argument)
{
	struct visit *visit = context;
	visit->request.transfer = NULL;
	visit->request.over = true;
	visit->request.outcome = err;
	visit->request.argument = argument;
	wake(visit);
}

static const struct transfer_events events = {.credit = on_credit, .stored = on_stored, .ended = on_ended};

/* -- the body ------------------------------------------------------------------------------------------------------ */

static void refuse_too_large(struct visit *visit)
{
	struct request *request = &visit->request;
	request->complaint = complaint_of(ERR_TOO_LARGE);
	snprintf(request->complaint.text, sizeof request->complaint.text,
		 "a blob of this node is at most %llu bytes (max_blob_mb)",
		 (unsigned long long)visit->http->config.max_blob);
}

bool upload_begin(struct visit *visit)
{
	struct request *request = &visit->request;
	request->direction = UPLOAD;
	if (!request->framing.has_length && !request->framing.chunked) {
		request->complaint = complaint_make(
			MHD_HTTP_LENGTH_REQUIRED, NULL,
			"say how long the body is: Content-Length, or Transfer-Encoding: chunked");
		return false;
	}
	if (request->framing.has_length && request->framing.length > visit->http->config.max_blob) {
		refuse_too_large(visit);
		return false;
	}
	return visit_has_turn(visit);
}

/* The transfer begins with the first whole chunk, or with the body's end, when its size is known in any case.
 */
static bool open_transfer(struct visit *visit, bool whole)
{
	struct request *request = &visit->request;
	uint64_t size = whole                         ? request->taken
			: request->framing.has_length ? request->framing.length
						      : STREAM_UNKNOWN;
	request->transfer = stream_put(visit->http->config.stream, size, &events, visit);
	if (!request->transfer)
		request->complaint = complaint_of(ERR_BUSY);
	return request->transfer;
}

/* Sends the full chunk. False: suspended until there is credit or the store, or it has a complaint. */
static bool push(struct visit *visit, bool whole)
{
	struct request *request = &visit->request;
	if (!request->transfer && (!visit_has_turn(visit) || !open_transfer(visit, whole)))
		return false;
	if (!request->filling)
		return true;
	if (!transfer_credit(request->transfer)) {
		visit_suspend(visit, AWAITS_STORE, visit->http->config.patience_ms);
		return false;
	}
	transfer_send(request->transfer, &request->filling);
	return true;
}

static uint32_t room_for_rest(const struct request *request)
{
	uint64_t rest = request->framing.length - request->taken;
	return request->framing.has_length && rest < CHUNK_ROOM ? (uint32_t)rest : CHUNK_ROOM;
}

static bool store_gave_up(struct request *request)
{
	return request->over && request->outcome != ERR_OK;
}

enum MHD_Result upload_take(struct visit *visit, const char *bytes, size_t *count)
{
	struct request *request = &visit->request;
	while (*count) {
		if (store_gave_up(request))
			request->complaint = visit_complaint(visit, request->outcome);
		else if (request->taken + *count > visit->http->config.max_blob)
			refuse_too_large(visit);
		else if (request->filling && request->filling->length == request->filling->room)
			push(visit, false);
		if (request->complaint.status)
			return visit_refuse_now(visit);
		if (visit->suspended)
			return MHD_YES;
		if (!request->filling) {
			request->filling = chunk_new(visit->http->config.chunks, room_for_rest(request));
			visit_pace(visit);
		}
		struct chunk *chunk = request->filling;
		uint32_t take = chunk->room - chunk->length;
		if (take > *count)
			take = (uint32_t)*count;
		memcpy(chunk->bytes + chunk->length, bytes, take);
		chunk->length += take;
		bytes += take;
		*count -= take;
		request->taken += take;
		visit->http->counts.bytes_in += take;
	}
	return MHD_YES;
}

/* -- the answer ---------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer_stored(struct visit *visit)
{
	const struct stream_stored *stored = &visit->request.stored;
	char cid[CID_TEXT], location[sizeof "/retrieve/" + CID_TEXT];
	cid_text(&stored->cid, cid);
	json_t *object =
		json_pack("{s:s, s:I, s:b}", "cid", cid, "size", (json_int_t)stored->size, "encrypted", 1);
	struct MHD_Response *response = answer_json(object ? json_dumps(object, JSON_COMPACT) : NULL);
	json_decref(object);
	snprintf(location, sizeof location, "/retrieve/%s", cid);
	answer_header(response, "Location", location);
	return visit_answer(visit, stored->fresh ? MHD_HTTP_CREATED : MHD_HTTP_OK, response);
}

enum MHD_Result upload_finish(struct visit *visit)
{
	struct request *request = &visit->request;
	if (!request->over && !request->ended) {
		if (push(visit, true)) {
			transfer_end(request->transfer);
			request->ended = true;
			visit_suspend(visit, AWAITS_STORE, visit->http->config.patience_ms);
		}
		if (!request->complaint.status)
			return MHD_YES;
	}
	if (request->complaint.status)
		return visit_complain(visit);
	if (!request->over)
		bug("an upload was resumed for nothing");
	if (request->outcome == ERR_OK && request->stored.size == request->taken)
		return answer_stored(visit);
	request->complaint =
		visit_complaint(visit, request->outcome == ERR_OK ? ERR_MALFORMED : request->outcome);
	return visit_complain(visit);
}
