/* gateway@N: HTTP for strangers, on a listener that the supervisor opened. Runs as a uid of its own in an
 * empty network namespace; may ask its own store, and nobody else. Holds nothing: no key, no blob, no file.
 * When it dies its clients see their connections closed, uploads that were not acknowledged are not stored,
 * and new clients wait in the listener's queue, which is the supervisor's, until the next birth accepts them.
 */
#include "actors/base/actor.h"
#include "actors/base/reasons/reasons.h"
#include "actors/gateway/gateway_self.h"
#include "proto/gateway.h"
#include "proto/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
	FILES_APART = 128,      /* descriptors that are not clients: bus, stream, epoll, the porch */
	BACKOFF_MS = 25,        /* between attempts to reach the store: doubled each time … */
	BACKOFF_MOST_MS = 1000, /* … up to this */
	DRAIN_MS = 8000,        /* the supervisor gives ten seconds */
	DRAIN_TICK_MS = 50,
	LOOK_MS = 20,   /* between two looks whether we are ready: doubled each time, up to BACKOFF_MOST_MS */
	TIDY_MS = 5000, /* spare buffers are given back when no blob has moved for this long */
};

/* -- the stream to the store --------------------------------------------------------------------------------------- */

static void note_store_gone(const struct gateway *self, enum err err)
{
	struct about about = {GATEWAY, actor_node(self->actor), self->backoff_ms};
	reason_about(REASON_STORE_GONE, about, "", "store@%u: %s", about.node, err_name(err));
}

static void ask_ticket(struct actor *actor, void *context);
static void look_whether_ready(struct actor *actor, void *context);

static void try_later(struct gateway *self)
{
	if (self->retrying || self->drain_ms)
		return;
	self->retrying = true;
	actor_after(self->actor, self->backoff_ms, ask_ticket, self);
	self->backoff_ms = self->backoff_ms * 2 < BACKOFF_MOST_MS ? self->backoff_ms * 2 : BACKOFF_MOST_MS;
}

static void on_stream_ready(struct actor *actor, void *context, int fd, short events)
{
	struct gateway *self = context;
	(void)actor;
	(void)fd;
	if (events & POLLIN)
		stream_readable(self->stream);
	if (stream_fd(self->stream) >= 0 && events & POLLOUT)
		stream_flush(self->stream);
}

static void on_ticket(struct actor *actor, void *context, enum err err, const struct store_open_reply *reply)
{
	struct gateway *self = context;
	if (stream_fd(self->stream) >= 0)
		return;
	char path[108], name[32];
	snprintf(name, sizeof name, SOCKET_STREAM, actor_node(actor));
	int length = snprintf(path, sizeof path, "%s/%s", actor_run_path(actor), name);
	if (err != ERR_OK || length >= (int)sizeof path ||
	    !stream_connect(self->stream, path, &reply->ticket)) {
		log_debug("gateway.no_store", "err=%s", err_name(err));
		note_store_gone(self, err != ERR_OK ? err : ERR_UNAVAILABLE);
		try_later(self);
		return;
	}
	self->stream_watch = actor_watch(actor, stream_fd(self->stream), POLLIN, on_stream_ready, self);
}

static void ask_ticket(struct actor *actor, void *context)
{
	struct gateway *self = context;
	self->retrying = false;
	if (self->drain_ms)
		return;
	if (ask_store_open(actor, actor_node(actor), &(struct store_open){}, on_ticket, self) != ERR_OK)
		try_later(self);
}

static void on_stream_opened(void *context)
{
	struct gateway *self = context;
	self->backoff_ms = BACKOFF_MS;
	self->stream_open = true;
	reason_over(REASON_STORE_GONE, NULL);
	log_info("gateway.store_open", "node=%u", actor_node(self->actor));
	http_stream_opened(self->http);
	look_whether_ready(self->actor, self);
}

static void on_stream_lost(void *context, enum err why)
{
	struct gateway *self = context;
	self->stream_open = false;
	log_warn("gateway.store_lost", "err=%s", err_name(why));
	note_store_gone(self, why);
	if (self->stream_watch >= 0)
		actor_unwatch(self->actor, self->stream_watch);
	self->stream_watch = -1;
	try_later(self);
}

/* -- the way to the store ------------------------------------------------------------------------------------------- */

struct probe {
	struct call *call;
	uint64_t began_ns;
};

static void on_probed(struct actor *actor, void *context, enum err err, const struct store_stat_reply *reply)
{
	(void)actor;
	struct probe *probe = context;
	if (err == ERR_OK)
		reply_gateway_probe(probe->call, &(struct gateway_probe_reply){
							 (uint32_t)((now_ns() - probe->began_ns) / 1000),
							 reply->writable, reply->blobs});
	else
		call_fail_why(probe->call, ERR_UNAVAILABLE, "its store does not answer");
	x_free(&probe);
}

enum err on_gateway_probe(struct actor *actor, struct call *call, const struct gateway_probe *in,
			  struct gateway_probe_reply *out)
{
	(void)in, (void)out;
	struct probe *probe = x_new(sizeof *probe);
	*probe = (struct probe){call, now_ns()};
	if (ask_store_stat(actor, actor_node(actor), &(struct store_stat){}, on_probed, probe) == ERR_OK)
		return ERR_KEPT;
	x_free(&probe);
	return ERR_UNAVAILABLE;
}

/* -- facts for /health and /info ----------------------------------------------------------------------------------- */

/* Ready: a put would be taken, and /health names the node. */
static void judge_readiness(struct gateway *self)
{
	if (self->ready || self->drain_ms || !self->stream_open)
		return;
	if (self->have_stat && self->have_node && self->node.known) {
		self->ready = true;
		reason_over(REASON_NODE_UNKNOWN, NULL);
		http_facts_old(self->http); /* a visitor counts blobs as they are when he comes */
		actor_is_ready(self->actor);
		return;
	}
	unsigned node = actor_node(self->actor);
	reason_about(REASON_NODE_UNKNOWN, (struct about){GATEWAY, node, self->look_ms}, "",
		     self->have_node ? "store@%u has not heard from its wallet who the node is"
				     : "store@%u does not say who the node is",
		     node);
	if (!self->looking)
		actor_after(self->actor, self->look_ms, look_whether_ready, self);
	self->looking = true;
	self->look_ms = self->look_ms * 2 < BACKOFF_MOST_MS ? self->look_ms * 2 : BACKOFF_MOST_MS;
}

static void one_answer_less(struct gateway *self)
{
	if (--self->answers_due)
		return;
	http_facts(self->http, self->have_stat ? &self->stat : NULL, self->have_node ? &self->node : NULL);
	judge_readiness(self);
}

static void on_stat(struct actor *actor, void *context, enum err err, const struct store_stat_reply *reply)
{
	struct gateway *self = context;
	(void)actor;
	if (err == ERR_OK) {
		self->have_stat = true;
		self->stat = (struct facts_stat){reply->blobs, reply->bytes,    reply->writable, reply->used,
						 reply->quota, reply->physical, reply->corrupt,  reply->puts,
						 reply->gets,  reply->groups};
	}
	one_answer_less(self);
}

static void read_node(struct gateway *self, const struct store_node_reply *reply)
{
	struct facts_node *node = &self->node;
	*node = (struct facts_node){.known = reply->known, .key = reply->key};
	snprintf(node->peer_id, sizeof node->peer_id, "%s", reply->peer_id);
	snprintf(node->owner, sizeof node->owner, "%s", reply->owner);
	facts_clean(node->peer_id);
	facts_clean(node->owner);
	node->shards.count = reply->shard_count ? reply->shard_count : 1;
	for (uint32_t i = 0; i < reply->shards_count && i < SHARD_SPANS; i++)
		node->shards.span[node->shards.spans++] =
			(struct shard_span){reply->shards[i].start, reply->shards[i].end};
}

static void on_node(struct actor *actor, void *context, enum err err, const struct store_node_reply *reply)
{
	struct gateway *self = context;
	(void)actor;
	if (err == ERR_OK) {
		self->have_node = true;
		read_node(self, reply);
	}
	one_answer_less(self);
}

static void need_facts(void *context)
{
	struct gateway *self = context;
	uint16_t node = actor_node(self->actor);
	if (self->answers_due)
		return; /* they are on their way, for a visitor or for us */
	self->have_stat = self->have_node = false;
	self->answers_due =
		3; /* the third is ours: whatever fails at once must not end it before both were asked */
	if (ask_store_stat(self->actor, node, &(struct store_stat){}, on_stat, self) != ERR_OK)
		self->answers_due--;
	if (ask_store_node(self->actor, node, &(struct store_node){}, on_node, self) != ERR_OK)
		self->answers_due--;
	one_answer_less(self);
}

/* The answers are judged. */
static void look_whether_ready(struct actor *actor, void *context)
{
	struct gateway *self = context;
	(void)actor;
	self->looking = false;
	if (!self->ready)
		need_facts(self);
}

/* -- what others ask ----------------------------------------------------------------------------------------------- */

enum err on_gateway_stat(struct actor *actor, struct call *call, const struct gateway_stat *in,
			 struct gateway_stat_reply *out)
{
	const struct gateway *self = actor_state(actor);
	const struct http_counts *counts = http_counts(self->http);
	(void)call;
	(void)in;
	*out = (struct gateway_stat_reply){.requests = counts->requests,
					   .refused = counts->refused,
					   .failed = counts->failed,
					   .bytes_in = counts->bytes_in,
					   .bytes_out = counts->bytes_out,
					   .connections = (uint32_t)counts->connections.depth,
					   .transfers = stream_transfers(self->stream)};
	return ERR_OK;
}

HANDLERS(gateway_handlers, GATEWAY_CALLS);

/* -- life ---------------------------------------------------------------------------------------------------------- */

static void on_http_ready(struct actor *actor, void *context, int fd, short events)
{
	(void)actor, (void)context, (void)fd, (void)events; /* the turn that follows does the work */
}

static void turn(struct actor *actor, void *context, int *timeout_ms)
{
	struct gateway *self = context;
	http_turn(self->http, timeout_ms);
	if (self->stream_watch >= 0)
		actor_watch_events(actor, self->stream_watch,
				   stream_waits(self->stream) ? POLLIN | POLLOUT : POLLIN);
}

static void tidy(struct actor *actor, void *context)
{
	struct gateway *self = context;
	const struct http_counts *counts = http_counts(self->http);
	uint64_t moved = counts->bytes_in + counts->bytes_out;
	(void)actor;
	if (moved == self->moved)
		chunks_forget(&self->chunks);
	self->moved = moved;
}

static unsigned connections_most(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur <= 2 * FILES_APART)
		return FILES_APART;
	return files.rlim_cur > 65536 ? 65536 : (unsigned)files.rlim_cur - FILES_APART;
}

static void show_limits(struct gateway *self, unsigned connections)
{
	const struct http_counts *counts = http_counts(self->http);
	const struct http_gauge *gauge = &counts->connections;
	actor_limit(self->actor, (struct limit){"http connections", &gauge->depth, &gauge->high,
						&gauge->drops, connections});
	gauge = &counts->slots;
	actor_limit(self->actor,
		    (struct limit){"blob transfers", &gauge->depth, &gauge->high, &gauge->drops, HTTP_SLOTS});
	gauge = &counts->errands;
	actor_limit(self->actor, (struct limit){"asks about proofs", &gauge->depth, &gauge->high,
						&gauge->drops, HTTP_ERRANDS});
	gauge = &counts->waiting;
	actor_limit(self->actor, (struct limit){"requests waiting", &gauge->depth, &gauge->high,
						&gauge->drops, 2 * HTTP_WAITING + HTTP_SLOTS});
	actor_limit(self->actor,
		    (struct limit){"bytes on their way", &self->chunks.held, &self->chunks.high, NULL,
				   HTTP_SLOTS * (STREAM_WINDOW + 2) * (uint64_t)CHUNK_ROOM});
	actor_limit(self->actor, (struct limit){"refused bodies", http_porch_count(self->http),
						porch_high(http_porch(self->http)),
						porch_drops(http_porch(self->http)), PORCH_GUESTS});
}

static struct rates *rates_wanted(struct actor *actor)
{
	const char *word = actor_setting(actor, "rate_limits");
	return strcmp(word, "off") == 0 ? NULL : rates_new(strcmp(word, "all") == 0);
}

static int on_start(struct actor *actor)
{
	struct gateway *self = actor_state(actor);
	self->actor = actor;
	self->stream_watch = -1;
	self->backoff_ms = BACKOFF_MS;
	self->look_ms = LOOK_MS;
	struct http_config config = {.listener = actor_inherited(actor, FD_HTTP),
				     .connections = connections_most(),
				     .waiting = HTTP_WAITING,
				     .node = actor_node(actor),
				     .max_blob = actor_setting_number(actor, "max_blob_mb") << 20,
				     .rates = rates_wanted(actor),
				     .chunks = &self->chunks,
				     .idle_ms = HTTP_IDLE_MS,
				     .wait_ms = HTTP_WAIT_MS,
				     .patience_ms = HTTP_PATIENCE_MS,
				     .step_ms = HTTP_STEP_MS,
				     .pace_ms = HTTP_PACE_MS,
				     .pace_bytes = HTTP_PACE_BYTES,
				     .need_facts = need_facts,
				     .need_proof = need_proof,
				     .need_proofs = need_proofs,
				     .context = self};
	char why[SHARDS_WHY];
	const char *wrong =
		shards_parse(actor_setting(actor, "shards"),
			     (uint32_t)actor_setting_number(actor, "shard_count"), &config.shards, why);
	if (wrong) {
		log_error("gateway.shards", "why=\"%s\"", wrong);
		reason_note(REASON_SHARDS_WRONG, "", "%s", wrong);
		return EXIT_CONFIG;
	}
	config.stream = self->stream =
		stream_new(&self->chunks, &(struct stream_owner){on_stream_opened, on_stream_lost, self});
	self->http = http_new(&config);
	if (!self->http) {
		log_error("gateway.http", "errno=%d", errno);
		return EXIT_WORLD;
	}
	show_limits(self, config.connections);
	if (config.rates)
		actor_limit(actor, (struct limit){"clients counted", rates_clients(config.rates),
						  rates_clients(config.rates), rates_forgotten(config.rates),
						  RATE_CLIENTS});
	return 0;
}

static void on_ready(struct actor *actor)
{
	struct gateway *self = actor_state(actor);
	actor_watch(actor, http_fd(self->http), POLLIN, on_http_ready, self);
	actor_watch(actor, http_porch_fd(self->http), POLLIN, on_http_ready, self);
	actor_each_turn(actor, turn, self);
	actor_every(actor, TIDY_MS, tidy, self);
	actor_not_ready(actor);
	ask_ticket(actor, self);
	log_info("gateway.listens", "port=%" PRIu64 " max_blob_mb=%" PRIu64,
		 actor_setting_number(actor, "port"), actor_setting_number(actor, "max_blob_mb"));
}

static void drain_goes_on(struct actor *actor, void *context)
{
	struct gateway *self = context;
	if (http_drained(self->http) || now_ms() >= self->drain_ms + DRAIN_MS)
		actor_drained(actor);
}

static void on_close(struct actor *actor)
{
	const struct gateway *self = actor_state(actor);
	http_close(self->http);
}

static unsigned duties(struct actor *actor, struct duty duties[DUTIES_MAX])
{
	static const char *const what[HTTP_DUTIES] = {"upload", "download", "request"};
	const struct gateway *self = actor_state(actor);
	uint32_t counts[HTTP_DUTIES];
	unsigned rows = 0;
	http_under_way(self->http, counts);
	for (unsigned i = 0; i < HTTP_DUTIES; i++)
		if (counts[i])
			duties[rows++] = (struct duty){what[i], counts[i]};
	return rows;
}

/* After a close, what was to end has ended or its time is up. */
static void on_drain(struct actor *actor)
{
	struct gateway *self = actor_state(actor);
	if (http_closed(self->http)) {
		actor_drained(actor);
		return;
	}
	self->drain_ms = now_ms();
	http_drain(self->http);
	actor_every(actor, DRAIN_TICK_MS, drain_goes_on, self);
}

static const struct actor_spec gateway_spec = {.kind = GATEWAY,
					       .handlers = gateway_handlers,
					       .start = on_start,
					       .ready = on_ready,
					       .close = on_close,
					       .duties = duties,
					       .drain = on_drain};

int main(void)
{
	static struct gateway self;
	return actor_main(&gateway_spec, &self);
}
