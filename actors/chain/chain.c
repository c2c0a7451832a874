/* chain: speaks to the chain of the machine's profile. One per machine, and only where there is a profile. It has network, and
 * parses what strangers answer; so it has no key, and of files its own folder with the outbox. What it wants signed it asks wallet@N
 * for, which builds the bytes itself and keeps root's policy. Of the network it may connect to the ports of the profile's servers.
 *
 * When it dies, the outbox knows what was asked for, with which nonce, and what was signed: the next birth goes on there, and what
 * was signed before is signed again to the same bytes. */
#include "actors/chain/chain_self.h"

#include "actors/base/reasons/reasons.h"
#include "proto/web.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	ADDRESSES = 4,
	AUTHORITIES_MAX = 4 * 1024 * 1024,
	ROUND_LEAST_MS = 1000,
	ROUND_MOST_MS = 4000,
	POLL_MS = 4000, /* for an answer about the head */
	ALERT_AFTER_ROUNDS = 5,
	ANEW_MS = 600000, /* no server for so long: be born again, and look the names up anew */
};
#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define OUTBOX_FILE "outbox.sqlite"

uint64_t wall_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* -- before the walls -------------------------------------------------------------------------- */

static int read_authorities(struct chain *self)
{
	int fd = open(AUTHORITIES, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;
	self->authorities = x_new(AUTHORITIES_MAX);
	while (fd >= 0 && self->authorities_length < AUTHORITIES_MAX &&
	       (got = read(fd, self->authorities + self->authorities_length,
			   AUTHORITIES_MAX - self->authorities_length)) > 0)
		self->authorities_length += (size_t)got;
	if (fd >= 0)
		close(fd);
	if (self->authorities_length && got == 0)
		return 0;
	log_error("chain.authorities", "path=" AUTHORITIES " next=\"install ca-certificates\"");
	return EXIT_CONFIG;
}

/* Names are looked up once, now: later there is no file and no resolver. */
static bool look_up(struct server *server, const struct web_address *address)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
	int failed = getaddrinfo(address->host, NULL, &wanted, &found);
	if (failed) {
		log_error("chain.name", "server=%s why=\"%s\"", server->shown, gai_strerror(failed));
		reason_note(REASON_CHAIN_NAME, address->host, "%s: %s", address->host, gai_strerror(failed));
		return false;
	}
	int length =
		snprintf(server->resolve, sizeof server->resolve, "%s:%u:", address->host, address->port);
	unsigned count = 0;
	for (const struct addrinfo *one = found; one && count < ADDRESSES; one = one->ai_next) {
		char text[INET6_ADDRSTRLEN];
		if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) ||
		    (size_t)length + sizeof text + 4 > sizeof server->resolve)
			continue;
		length += snprintf(server->resolve + length, sizeof server->resolve - (size_t)length,
				   one->ai_family == AF_INET6 ? "%s[%s]" : "%s%s", count++ ? "," : "", text);
	}
	freeaddrinfo(found);
	return count > 0;
}

static int find_servers(struct chain *self)
{
	bool tls = false;
	for (unsigned i = 0; i < self->profile.rpc_count; i++) {
		struct server *server = &self->servers[self->server_count];
		struct web_address address;
		if (!web_address(self->profile.rpc[i], &address))
			return EXIT_CONFIG;
		*server = (struct server){.profile = i};
		snprintf(server->shown, sizeof server->shown, "%s://%.120s:%u",
			 address.tls ? "https" : "http", address.host, address.port);
		if (!look_up(server, &address))
			continue;
		self->server_count++;
		tls = tls || address.tls;
	}
	if (!self->server_count)
		return EXIT_WORLD;
	return tls ? read_authorities(self) : 0;
}

static int warm(struct actor *actor)
{
	struct chain *self = actor_state(actor);
	self->actor = actor;
	tzset();
	rpc_warm();
	outbox_warm();
	if (!chain_profile_parse(actor_setting(actor, "chain_profile"), &self->profile)) {
		log_error("chain.profile", "why=\"the profile is none\"");
		return EXIT_CONFIG;
	}
	int failed = find_servers(self);
	return failed ? failed : dial_libraries() ? 0 : EXIT_WORLD;
}

/* -- rounds: what the servers say of the head -------------------------------------------------- */

const char *chain_trouble(struct chain *self, char text[POOL_WHY])
{
	return pool_trouble(&self->pool, wall_s(), text);
}

/* Said once when it begins, once when it ends. */
static void tell_trouble(struct chain *self)
{
	char text[POOL_WHY];
	const char *trouble = chain_trouble(self, text);
	if (!trouble && self->trouble[0]) {
		log_info("chain.well", "head=%" PRIu64, pool_head(&self->pool)->number);
		actor_alert_over(self->actor, ALERT_CHAIN_TROUBLE);
		reason_over(REASON_CHAIN_TROUBLE, NULL);
		self->trouble[0] = '\0';
	}
	if (!trouble || strcmp(trouble, self->trouble) == 0)
		return;
	snprintf(self->trouble, sizeof self->trouble, "%s", trouble);
	reason_note(REASON_CHAIN_TROUBLE, "", "%s", trouble);
	log_warn("chain.trouble", "why=\"%s\"", trouble);
}

/* An alert is for what lasts longer than a round. */
static void watch_trouble(struct chain *self)
{
	char text[POOL_WHY];
	const char *trouble = chain_trouble(self, text);
	self->troubled = trouble ? self->troubled + 1 : 0;
	if (self->troubled > ALERT_AFTER_ROUNDS)
		actor_alert(self->actor, ALERT_CHAIN_TROUBLE, "%s", trouble);
	if (pool_head(&self->pool))
		self->silent_since_ms = 0;
	else if (!self->silent_since_ms)
		self->silent_since_ms = now_ms();
	else if (now_ms() - self->silent_since_ms > ANEW_MS)
		exit(EXIT_WORLD);
}

static void keep_genesis(struct chain *self, const struct pool_said *said)
{
	char text[POOL_WHY];
	if (self->pool.has_genesis || !said->has_genesis || chain_trouble(self, text) ||
	    !outbox_set_genesis(self->outbox, &said->genesis))
		return;
	self->pool.has_genesis = true;
	self->pool.genesis = said->genesis;
}

static bool read_said(const struct rpc_answer *answer, struct pool_said *said, char why[RPC_WHY])
{
	struct rpc_block first;
	for (unsigned i = 0; i < answer->count; i++) {
		if (answer->replies[i].kind != RPC_ERROR)
			continue;
		snprintf(why, RPC_WHY, "it refuses: %.130s", answer->replies[i].message);
		return false;
	}
	snprintf(why, RPC_WHY, "what it says of its head is no block");
	if (!rpc_u64(answer->replies[0].result, &said->chain_id) ||
	    !rpc_block(answer->replies[1].result, &said->head) ||
	    (answer->count > 3 && !rpc_block(answer->replies[3].result, &first)))
		return false;
	/* It need not have the block that the others have; then it is not compared. */
	if (!rpc_block(answer->replies[2].result, &said->mark))
		said->mark = said->head;
	said->has_genesis = answer->count > 3;
	if (said->has_genesis)
		said->genesis = first.hash;
	return true;
}

static bool hear(struct server *server, const char *bytes, size_t length, struct pool_said *said,
		 char why[RPC_WHY])
{
	struct rpc_answer answer;
	if (!bytes || !rpc_read(bytes, length, server->poll_first, server->poll_count, &answer, why))
		return false;
	bool good = read_said(&answer, said, why);
	rpc_forget(&answer);
	return good;
}

static void on_poll(void *context, const char *bytes, size_t length, const char *failed)
{
	struct server *server = context;
	struct chain *self = server->self;
	unsigned at = (unsigned)(server - self->servers);
	const struct pool_server *is = &self->pool.servers[at];
	enum pool_state before = is->state;
	struct pool_said said = {0};
	char why[RPC_WHY];
	uint64_t now = now_ms();
	server->polled = false;
	snprintf(why, sizeof why, "%s", failed);
	bool good = hear(server, bytes, length, &said, why);
	if (!good)
		pool_failed(&self->pool, at, why, now);
	else if (pool_heard(&self->pool, at, &said, now, (uint32_t)(now - server->asked_ms)))
		outbox_look_anew(self);
	if (is->state != before)
		log_info("chain.server", "server=%s state=%s why=\"%s\"", server->shown,
			 pool_state_name(is->state), is->why);
	if (good)
		keep_genesis(self, &said);
	tell_trouble(self);
	contracts_turn(self);
	outbox_turn(self);
}

static void poll_server(struct chain *self, unsigned at)
{
	struct server *server = &self->servers[at];
	struct rpc_batch *batch = &self->scratch;
	server->poll_first = self->next_id;
	rpc_begin(batch, self->next_id);
	rpc_add(batch, "eth_chainId", "%s", "");
	rpc_add(batch, "eth_getBlockByNumber", "%s", "\"latest\",false");
	rpc_add(batch, "eth_getBlockByNumber", "\"0x%" PRIx64 "\",false", self->pool.mark);
	if (pool_wants_genesis(&self->pool, at) || !self->pool.has_genesis)
		rpc_add(batch, "eth_getBlockByNumber", "%s", "\"0x0\",false");
	rpc_end(batch);
	self->next_id += batch->count;
	server->poll_count = batch->count;
	server->asked_ms = now_ms();
	server->polled = dial_post(self->dial, at, batch->text, batch->used, POLL_MS, on_poll, server);
}

static void round_begins(struct actor *actor, void *context)
{
	(void)context;
	struct chain *self = actor_state(actor);
	bool waiting = false;
	watch_trouble(self);
	for (unsigned i = 0; i < self->server_count; i++)
		waiting = waiting || self->servers[i].polled;
	if (!waiting) /* all are asked for the same block, so a round is over first */
		pool_round(&self->pool);
	for (unsigned i = 0; !waiting && i < self->server_count; i++)
		if (pool_due(&self->pool, i, now_ms()))
			poll_server(self, i);
	contracts_turn(self);
	outbox_turn(self);
}

/* -- calls ------------------------------------------------------------------------------------- */

enum err on_chain_status(struct actor *actor, struct call *call, const struct chain_status *in,
			 struct chain_status_reply *out)
{
	(void)in;
	struct chain *self = actor_state(actor);
	const struct rpc_block *head = pool_head(&self->pool);
	struct chain_rpc_row *rows = arena_take(call_arena(call), POOL_SERVERS * sizeof *rows);
	char text[POOL_WHY];
	const char *trouble = chain_trouble(self, text);
	uint64_t now = now_ms(), now_s = wall_s();
	snprintf(out->name, sizeof out->name, "%s", self->profile.name);
	snprintf(out->trouble, sizeof out->trouble, "%s", trouble ? trouble : "");
	out->chain_id = self->profile.id;
	out->confirmations = self->profile.confirmations;
	out->has_head = out->has_head_hash = out->has_head_age = head;
	out->has_base_fee = head && head->has_base_fee;
	if (head) {
		out->head = head->number;
		out->head_hash = head->hash;
		out->head_age = now_s > head->time ? now_s - head->time : 0;
		out->base_fee = head->base_fee;
	}
	out->open = (uint32_t)self->open;
	out->confirmed = outbox_confirmed(self->outbox);
	out->reorgs = self->pool.taken_back;
	for (unsigned i = 0; i < self->server_count; i++) {
		const struct pool_server *server = &self->pool.servers[i];
		rows[i] = (struct chain_rpc_row){.head = server->head.number,
						 .answer_ms = server->took_ms,
						 .answers = server->answers,
						 .failures = server->failures,
						 .has_said = server->heard_ms,
						 .said = server->heard_ms ? (now - server->heard_ms) / 1000
									  : 0};
		snprintf(rows[i].server, sizeof rows[i].server, "%s", self->servers[i].shown);
		snprintf(rows[i].state, sizeof rows[i].state, "%s", pool_state_name(server->state));
		snprintf(rows[i].why, sizeof rows[i].why, "%s", server->why);
	}
	out->servers = rows;
	out->servers_count = self->server_count;
	return ERR_OK;
}

/* -- life -------------------------------------------------------------------------------------- */

static void on_socket(struct actor *actor, void *context, int fd, short events)
{
	(void)actor, (void)context, (void)fd, (void)events; /* the turn that follows does the work */
}

static void turn(struct actor *actor, void *context, int *timeout_ms)
{
	(void)actor;
	dial_turn(((struct chain *)context)->dial, timeout_ms);
}

static int start(struct actor *actor)
{
	struct chain *self = actor_state(actor);
	struct dial_config config = {.count = self->server_count,
				     .authorities = self->authorities,
				     .authorities_length = self->authorities_length,
				     .answer_most = RPC_ANSWER};
	char path[256], why[OUTBOX_WHY];
	for (unsigned i = 0; i < self->server_count; i++) {
		self->servers[i].self = self;
		config.urls[i] = self->profile.rpc[self->servers[i].profile];
		config.resolve[i] = self->servers[i].resolve;
	}
	snprintf(path, sizeof path, "%s/" OUTBOX_FILE, actor_self_path(actor));
	pool_begin(&self->pool, self->profile.id, self->server_count, self->profile.block_s);
	enum outbox_end end = outbox_open(&self->outbox, path, self->profile.id, why);
	if (end != OUTBOX_OK) {
		log_error("chain.outbox", "path=%s why=\"%s\"", path, why);
		reason_note(REASON_CHAIN_OUTBOX, "", "%s", why);
		return end == OUTBOX_DISK ? EXIT_WORLD : EXIT_CONFIG;
	}
	self->pool.has_genesis = outbox_genesis(self->outbox, &self->pool.genesis);
	self->next_id = 1;
	self->dial = dial_new(&config);
	if (!self->dial) {
		log_error("chain.curl", "why=\"libcurl does not take the profile's URLs\"");
		return EXIT_CONFIG;
	}
	actor_limit(actor, (struct limit){"questions to the chain", &self->jobs, &self->jobs_high,
					  &self->jobs_dropped, JOBS});
	actor_limit(actor, (struct limit){"transactions under way", &self->open, &self->open_high,
					  &self->open_refused, OUTBOX_OPEN});
	actor_watch(actor, dial_fd(self->dial), POLLIN, on_socket, NULL);
	return 0;
}

static void ready(struct actor *actor)
{
	struct chain *self = actor_state(actor);
	uint64_t ms = (uint64_t)self->profile.block_s * 500;
	ms = ms < ROUND_LEAST_MS ? ROUND_LEAST_MS : ms > ROUND_MOST_MS ? ROUND_MOST_MS : ms;
	actor_each_turn(actor, turn, self);
	actor_every(actor, ms, round_begins, NULL);
	round_begins(actor, NULL);
}

HANDLERS(chain_handlers, CHAIN_CALLS);

int main(void)
{
	static struct chain self;
	static const struct actor_spec spec = {
		.kind = CHAIN,
		.handlers = chain_handlers,
		.warm = warm,
		.start = start,
		.ready = ready,
	};
	return actor_main(&spec, &self);
}
