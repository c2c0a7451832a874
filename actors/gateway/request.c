/* The moments of a request: its line, its head, its body, its end. libmicrohttpd calls; what it is given to
 * say is decided here and in upload.c and download.c. Runs in gateway@N on what strangers sent. */
#include "actors/gateway/visit.h"

#include "actors/base/log/log.h"

#include <stdio.h>
#include <string.h>

enum { FACTS_MS = 1000 }; /* how old the facts in an answer may be */

/* -- /health and /info --------------------------------------------------------------------------------------------- */

void http_facts(struct http *http, const struct facts_stat *stat, const struct facts_node *node)
{
	http->asking = false;
	http->facts_ms = http_now(http);
	http->facts.answers = stat;
	if (stat)
		http->facts.stat = *stat;
	if (node)
		http->facts.who = *node;
	while (!link_empty(&http->curious))
		visit_resume(link_waiting(http->curious.next));
}

void http_facts_old(struct http *http)
{
	http->facts_ms = 0;
}

static struct MHD_Response *answer_metrics(const struct http *http)
{
	const struct http_counts *counts = http_counts(http);
	struct metrics_gateway figures = {.known = true,
					  .node = http->config.node,
					  .requests = counts->requests,
					  .refused = counts->refused,
					  .failed = counts->failed,
					  .bytes_in = counts->bytes_in,
					  .bytes_out = counts->bytes_out,
					  .connections = counts->connections.depth,
					  .transfers = counts->slots.depth};
	return answer_text(facts_metrics(&http->facts, &figures), METRICS_TYPE);
}

static enum MHD_Result answer_facts(struct visit *visit)
{
	struct http *http = visit->http;
	const struct facts *facts = &http->facts;
	if (visit->request.target.route == ROUTE_METRICS)
		return visit_answer(visit, MHD_HTTP_OK, answer_metrics(http));
	if (visit->request.target.route == ROUTE_INFO && !facts->who.known) {
		visit->request.complaint = complaint_of(facts->answers ? ERR_NOT_READY : ERR_UNAVAILABLE);
		return visit_complain(visit);
	}
	if (visit->request.target.route == ROUTE_INFO)
		return visit_answer(visit, MHD_HTTP_OK, answer_json(facts_info(facts)));
	struct MHD_Response *response =
		answer_json(facts_health(facts, (http->now_ms - http->started_ms) / 1000));
	if (facts->answers)
		return visit_answer(visit, MHD_HTTP_OK, response);
	answer_header(response, "Retry-After", "1");
	return visit_answer(visit, MHD_HTTP_SERVICE_UNAVAILABLE, response);
}

static enum MHD_Result want_facts(struct visit *visit)
{
	struct http *http = visit->http;
	if (http->facts_ms && http->now_ms < http->facts_ms + FACTS_MS)
		return answer_facts(visit);
	link_append(&http->curious, &visit->wait);
	visit_suspend(visit, AWAITS_FACTS, http->config.patience_ms);
	if (!http->asking) {
		http->asking = true;
		http->config.need_facts(http->config.context);
	}
	return MHD_YES;
}

/* -- the moments of a request -------------------------------------------------------------------------------------- */

static struct visit *visit_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info->socket_context;
}

/* The request line was read, and nothing in it was changed yet. */
void *on_request_line(void *context, const char *target, struct MHD_Connection *connection)
{
	struct visit *visit = visit_of(connection);
	(void)context;
	visit->request.line.target = target;
	visit->request.line.target_length = strlen(target);
	visit->request.target = target_read(target, strlen(target));
	return visit;
}

static bool has_body(const struct request *request)
{
	return request->framing.chunked || request->framing.length > 0;
}

static struct complaint judge_target(const struct request *request)
{
	switch (request->target.route) {
	case ROUTE_BAD_PATH:
		return complaint_make(MHD_HTTP_BAD_REQUEST, "BAD_PATH",
				      "a path is plain: no percent signs, dots or empty parts");
	case ROUTE_BAD_CID:
		return complaint_of(ERR_BAD_CID);
	case ROUTE_UNKNOWN:
		return complaint_make(
			MHD_HTTP_NOT_FOUND, NULL,
			"there is /store, /retrieve/:cid, /blob/:cid, /proofs, /health, /info and /metrics");
	case ROUTE_STORE:
	case ROUTE_BLOB:
	case ROUTE_HEALTH:
	case ROUTE_INFO:
	case ROUTE_METRICS:
	case ROUTE_PROVE:
	case ROUTE_PROOFS:
		break;
	}
	const char *method = request->line.method;
	bool posts = request->target.route == ROUTE_STORE || request->target.route == ROUTE_PROVE;
	if (posts ? strcmp(method, "POST") != 0 : strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		struct complaint complaint =
			complaint_make(MHD_HTTP_METHOD_NOT_ALLOWED, NULL, "Allow says which methods are");
		complaint.allow = route_methods(request->target.route);
		return complaint;
	}
	if (!posts && has_body(request))
		return complaint_make(MHD_HTTP_BAD_REQUEST, NULL, "only POST takes a body here");
	return (struct complaint){0};
}

static enum rate rate_of(enum route route)
{
	switch (route) {
	case ROUTE_STORE:
		return RATE_STORE;
	case ROUTE_PROVE:
	case ROUTE_PROOFS:
		return RATE_PROOF;
	case ROUTE_BLOB:
		return RATE_READ;
	case ROUTE_HEALTH:
	case ROUTE_INFO:
	case ROUTE_METRICS:
		return RATE_MONITORING;
	case ROUTE_UNKNOWN:
	case ROUTE_BAD_CID:
	case ROUTE_BAD_PATH:
		break;
	}
	return RATE_GENERAL;
}

/* Who asks too often is told when to come again. */
static struct complaint judge_rate(const struct visit *visit)
{
	const struct http *http = visit->http;
	if (!http->config.rates)
		return (struct complaint){0};
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(visit->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	enum rate rate = rate_of(visit->request.target.route);
	unsigned seconds = rates_ask(http->config.rates, info->client_addr, rate, http->now_ms);
	if (!seconds)
		return (struct complaint){0};
	struct complaint complaint = complaint_make(MHD_HTTP_TOO_MANY_REQUESTS, NULL, "");
	snprintf(complaint.text, sizeof complaint.text, "at most %u %s a minute from one address",
		 rate_most(rate), rate_what(rate));
	complaint.retry_s = seconds;
	return complaint;
}

static void judge(struct visit *visit, const char *method, const char *version)
{
	struct request *request = &visit->request;
	request->judged = true;
	link_append(&visit->http->busy, &visit->place);
	visit->awaits = AWAITS_CLIENT;
	visit_pace(visit);
	request->line.method = method;
	request->line.version = version;
	request->head_only = strcmp(method, "HEAD") == 0;
	if (visit->http->closed) {
		request->turned_away = request->unread = true;
		request->complaint = complaint_make(MHD_HTTP_SERVICE_UNAVAILABLE, "DRAINING",
						    "this node is being stopped; ask another");
		return;
	}
	request->framing = framing_read(visit->connection, &request->line);
	if (request->framing.complaint) {
		request->complaint =
			complaint_make(request->framing.status, NULL, request->framing.complaint);
		request->unread = true; /* where the next request would begin is anybody's guess */
	} else {
		request->complaint = judge_rate(visit);
		if (!request->complaint.status)
			request->complaint = judge_target(request);
	}
}

/* The head is there. A refusal that leaves a body unread ends the connection; any other can wait for the
 * second moment. */
static enum MHD_Result begin(struct visit *visit, const char *method, const char *version)
{
	struct request *request = &visit->request;
	if (!request->judged)
		judge(visit, method, version);
	if (!request->complaint.status && request->target.route == ROUTE_STORE && !upload_begin(visit) &&
	    visit->suspended)
		return MHD_YES;
	if (!request->complaint.status && request->target.route == ROUTE_PROVE)
		prove_begin(visit);
	if (request->complaint.status && (request->unread || has_body(request))) {
		request->unread = true;
		return visit_complain(visit);
	}
	request->begun = true;
	return MHD_YES;
}

/* The whole request is there. Called again each time it was resumed. */
static enum MHD_Result finish(struct visit *visit)
{
	struct request *request = &visit->request;
	if (request->complaint.status)
		return visit_complain(visit);
	switch (request->target.route) {
	case ROUTE_STORE:
		return upload_finish(visit);
	case ROUTE_BLOB:
		return download_answer(visit);
	case ROUTE_HEALTH:
	case ROUTE_INFO:
	case ROUTE_METRICS:
		return want_facts(visit);
	case ROUTE_PROVE:
	case ROUTE_PROOFS:
		return prove_answer(visit);
	case ROUTE_UNKNOWN:
	case ROUTE_BAD_CID:
	case ROUTE_BAD_PATH:
		break;
	}
	bug("a request without a place to go");
}

enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
			   const char *method, const char *version, const char *bytes, size_t *count,
			   void **client)
{
	struct visit *visit = visit_of(connection);
	(void)context;
	(void)url;
	(void)client;
	if (visit->cut)
		return MHD_NO;
	if (visit->suspended)
		return MHD_YES; /* the library goes on to the next piece of a chunked body before it looks */
	if (!visit->request.begun)
		return begin(visit, method, version);
	if (!*count)
		return finish(visit);
	return visit->request.target.route == ROUTE_PROVE ? prove_take(visit, bytes, count)
							  : upload_take(visit, bytes, count);
}

void visit_rest(struct visit *visit)
{
	visit->request = (struct request){0};
	visit->awaits = AWAITS_CLIENT;
	visit->deadline_ms = visit->http->now_ms + visit->http->config.idle_ms;
	link_append(&visit->http->idle, &visit->place);
}

/* What it cannot parse at all, the library refuses by itself. */
static void count_the_librarys_own(struct visit *visit)
{
	const union MHD_ConnectionInfo *status =
		MHD_get_connection_info(visit->connection, MHD_CONNECTION_INFO_HTTP_STATUS);
	if (status)
		visit_count(visit, status->http_status);
}

void on_completed(void *context, struct MHD_Connection *connection, void **client,
		  enum MHD_RequestTerminationCode why)
{
	struct visit *visit = visit_of(connection);
	(void)context;
	(void)client;
	(void)why;
	if (!visit->request.answered)
		count_the_librarys_own(visit);
	if (visit->request.unread && visit->request.answered)
		porch_add(visit->http->porch, visit->fd, visit->http->now_ms);
	transfer_abort(&visit->request.transfer);
	upload_clear(&visit->request);
	download_clear(&visit->request);
	prove_clear(&visit->request);
	visit_give_slot_back(visit);
	visit_rest(visit);
}
