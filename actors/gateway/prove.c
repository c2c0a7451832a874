/* Proofs over HTTP: a small body is collected and read, the store is asked over the bus, and what it says is the answer. Runs in
 * gateway@N, which can neither make nor change a proof: it has no key. */
#include "actors/gateway/visit.h"

#include "actors/base/memory/memory.h"
#include "actors/base/proof/proof.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the body ------------------------------------------------------------------------------------------------------ */

static struct complaint too_long(void)
{
	struct complaint complaint = complaint_of(ERR_TOO_LARGE);
	snprintf(complaint.text, sizeof complaint.text, "a challenge is at most %d bytes of JSON",
		 PROVE_BODY);
	return complaint;
}

void prove_begin(struct visit *visit)
{
	struct request *request = &visit->request;
	if (!request->framing.has_length && !request->framing.chunked)
		request->complaint = complaint_make(
			MHD_HTTP_LENGTH_REQUIRED, NULL,
			"say how long the body is: Content-Length, or Transfer-Encoding: chunked");
	else if (request->framing.has_length && request->framing.length > PROVE_BODY)
		request->complaint = too_long();
}

enum MHD_Result prove_take(struct visit *visit, const char *bytes, size_t *count)
{
	struct request *request = &visit->request;
	if (*count > PROVE_BODY - request->asked_length) {
		request->complaint = too_long();
		return visit_refuse_now(visit);
	}
	if (!request->asked)
		request->asked = x_new(PROVE_BODY);
	memcpy(request->asked + request->asked_length, bytes, *count);
	request->asked_length += (uint32_t)*count;
	*count = 0;
	visit_pace(visit);
	return MHD_YES;
}

/* What is wrong with it, or NULL. */
static const char *read_body(const json_t *body, struct http_prove *wanted)
{
	const json_t *cid = json_object_get(body, "cid"), *challenge = json_object_get(body, "challenge"),
		     *samples = json_object_get(body, "samples");
	if (!json_is_object(body))
		return "the body is JSON: {\"cid\": \"bafkrei…\", \"challenge\": \"64 hex digits\"}";
	if (!json_is_string(cid) || !cid_parse(json_string_value(cid), json_string_length(cid), &wanted->cid))
		return "\"cid\" is no CID: bafkrei and 52 letters, or 64 hex digits, are";
	if (!json_is_string(challenge) ||
	    !hex_parse(json_string_value(challenge), json_string_length(challenge), wanted->challenge.bytes,
		       32))
		return "\"challenge\" is 32 bytes that nobody could know before, as 64 hex digits";
	wanted->samples = PROOF_SAMPLES_USUAL;
	if (!samples)
		return NULL;
	json_int_t number = json_integer_value(samples);
	if (!json_is_integer(samples) || number < 1 || number > PROOF_SAMPLES)
		return "\"samples\" is a number from 1 to 64";
	wanted->samples = (unsigned)number;
	return NULL;
}

static bool read_wanted(struct request *request, struct http_prove *wanted)
{
	json_t *body = request->asked ? json_loadb(request->asked, request->asked_length,
						   JSON_REJECT_DUPLICATES, NULL)
				      : NULL;
	const char *wrong = read_body(body, wanted);
	json_decref(body);
	if (wrong)
		request->complaint = complaint_make(MHD_HTTP_BAD_REQUEST, NULL, wrong);
	return !wrong;
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

static struct errand *errand_new(struct http *http)
{
	for (unsigned i = 0; i < HTTP_ERRANDS; i++)
		if (!http->errands[i].out)
			return &http->errands[i];
	http->counts.errands.drops++;
	return NULL;
}

static void ask(struct visit *visit)
{
	struct http *http = visit->http;
	struct request *request = &visit->request;
	struct http_prove wanted;
	bool proves = request->target.route == ROUTE_PROVE;
	if (proves && !read_wanted(request, &wanted))
		return;
	struct errand *errand = errand_new(http);
	if (!errand) {
		request->complaint = complaint_of(ERR_BUSY);
		return;
	}
	*errand = (struct errand){true, visit};
	request->errand = errand;
	gauge_up(&http->counts.errands);
	visit_suspend(visit, AWAITS_STORE, http->config.patience_ms);
	unsigned number = (unsigned)(errand - http->errands);
	if (proves)
		http->config.need_proof(http->config.context, number, &wanted);
	else
		http->config.need_proofs(http->config.context, number,
					 request->target.has_cid ? &request->target.cid : NULL);
}

void http_told(struct http *http, unsigned number, enum err err, char *json)
{
	struct errand *errand = &http->errands[number];
	struct visit *visit = errand->visit;
	*errand = (struct errand){0};
	http->counts.errands.depth--;
	if (!visit) {
		free(json);
		return;
	}
	struct request *request = &visit->request;
	request->errand = NULL;
	request->told = json;
	request->over = true;
	request->outcome = err == ERR_OK && !json ? ERR_MEMORY : err;
	visit_resume(visit);
}

/* -- answering ----------------------------------------------------------------------------------------------------- */

enum MHD_Result prove_answer(struct visit *visit)
{
	struct request *request = &visit->request;
	if (!request->over)
		ask(visit);
	else if (request->outcome != ERR_OK)
		request->complaint = complaint_of(request->outcome);
	if (request->complaint.status)
		return visit_complain(visit);
	if (!request->over)
		return MHD_YES;
	char *told = request->told;
	request->told = NULL;
	return visit_answer(visit, MHD_HTTP_OK, answer_json(told));
}

void prove_clear(struct request *request)
{
	if (request->errand)
		request->errand->visit = NULL;
	request->errand = NULL;
	x_free(&request->asked);
	free(request->told);
	request->told = NULL;
}
