/* herald: carries alerts to the operator's webhook, one after the other, in order, until each is taken. One per machine, and only
 * where `alert_webhook` is set. It has network, and so it has nothing else: no key, no file, no right but to ask the steward for
 * news. Of the network it may connect to one TCP port (Landlock, where the kernel knows ports), and listens to nobody.
 *
 * When it dies, the steward still knows how far it came: the next birth goes on there. One that was taken but not yet reported
 * as taken is sent again; `seq` tells the receiver. */
#include "actors/base/actor.h"
#include "actors/base/reasons/reasons.h"
#include "actors/herald/pace.h"
#include "actors/herald/post.h"
#include "proto/herald.h"
#include "proto/steward.h"
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
	ASK_MS = 1000, /* for news, while there is none */
	QUEUE = 16,    /* bound of STEWARD_NEWS_REPLY */
	AUTHORITIES_MAX = 4 * 1024 * 1024,
	ADDRESSES = 4,
	ANEW_MS = 600000, /* failed for so long: be born again, and look the name up anew */
};
#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

struct herald {
	struct actor *actor;
	struct post *post;
	struct pace pace;
	struct alert_news queue[QUEUE];
	uint64_t waiting, waiting_high, at; /* queue[at] is sent next */
	uint64_t delivered;                 /* seq that is done with; 0 at birth: the steward knows better */
	bool asking;
	uint64_t not_before_ms, failing_since_ms;
	struct herald_stat_reply stat;
	char resolve[ADDRESSES * 50 + 280];
	char *authorities;
	size_t authorities_length;
};

/* -- before the walls -------------------------------------------------------------------------- */

/* Names are looked up once, now: later there is no file and no resolver. */
static int look_up(struct herald *self, const struct web_address *address)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
	int failed = getaddrinfo(address->host, NULL, &wanted, &found);
	if (failed) {
		log_error("herald.name", "host=\"%s\" why=\"%s\"", address->host, gai_strerror(failed));
		reason_note(REASON_WEBHOOK_NAME, "", "%s: %s", address->host, gai_strerror(failed));
		return EXIT_WORLD;
	}
	int length = snprintf(self->resolve, sizeof self->resolve, "%s:%u:", address->host, address->port);
	unsigned count = 0;
	for (const struct addrinfo *one = found; one && count < ADDRESSES; one = one->ai_next) {
		char text[INET6_ADDRSTRLEN];
		if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
			continue;
		length += snprintf(self->resolve + length, sizeof self->resolve - (size_t)length,
				   one->ai_family == AF_INET6 ? "%s[%s]" : "%s%s", count++ ? "," : "", text);
	}
	freeaddrinfo(found);
	return count ? 0 : EXIT_WORLD;
}

static int read_authorities(struct herald *self)
{
	int fd = open(AUTHORITIES, O_RDONLY | O_CLOEXEC);
	self->authorities = x_new(AUTHORITIES_MAX);
	ssize_t got = 0;
	while (fd >= 0 && self->authorities_length < AUTHORITIES_MAX &&
	       (got = read(fd, self->authorities + self->authorities_length,
			   AUTHORITIES_MAX - self->authorities_length)) > 0)
		self->authorities_length += (size_t)got;
	if (fd >= 0)
		close(fd);
	if (self->authorities_length && got == 0)
		return 0;
	reason_note(REASON_WEBHOOK_NAME, "", "%s cannot be read, so nobody can be believed", AUTHORITIES);
	log_error("herald.authorities", "path=" AUTHORITIES " next=\"install ca-certificates\"");
	return EXIT_CONFIG;
}

static int warm(struct actor *actor)
{
	struct herald *self = actor_state(actor);
	struct web_address address;
	tzset();
	if (!web_address(actor_setting(actor, "alert_webhook"), &address)) {
		log_error("herald.url", "why=\"alert_webhook is no URL\"");
		return EXIT_CONFIG;
	}
	int failed = address.tls ? read_authorities(self) : 0;
	if (!failed)
		failed = look_up(self, &address);
	if (!failed && !post_libraries())
		failed = EXIT_WORLD;
	return failed;
}

/* -- sending ----------------------------------------------------------------------------------- */

static void send_next(struct herald *self)
{
	char body[ALERT_JSON];
	if (self->at == self->waiting || post_busy(self->post) || now_ms() < self->not_before_ms)
		return;
	size_t length = alert_json(&self->queue[self->at], actor_setting(self->actor, "name"), body);
	if (!length || !post_send(self->post, body, length)) {
		log_error("herald.unsendable", "seq=%" PRIu64, self->queue[self->at].seq);
		self->delivered = self->queue[self->at++].seq;
	}
}

static void taken(struct herald *self, const struct alert_news *news)
{
	self->delivered = news->seq;
	self->at++;
}

/* Without a word about when: that is the record's own field. */
static void note_failure(const struct herald *self, const char *text, uint64_t wait_ms)
{
	reason_about(REASON_WEBHOOK_FAILED, (struct about){HERALD, 0, wait_ms}, "",
		     "news %" PRIu64 ": %s; %u failures in a row", self->queue[self->at].seq, text,
		     self->pace.failures);
}

static void say_failure(struct herald *self, long status, const char *why, uint64_t wait_ms)
{
	struct actor *actor = self->actor;
	char text[POST_WHY];
	if (status)
		snprintf(text, sizeof text, "it answered %ld", status);
	else
		snprintf(text, sizeof text, "%s", why);
	for (char *at = text; *at; at++)
		if (*at == '"')
			*at = '\'';
	self->stat.failed++;
	snprintf(self->stat.trouble, sizeof self->stat.trouble, "%s", text);
	log_warn("herald.failed", "seq=%" PRIu64 " tries=%u why=\"%s\"", self->queue[self->at].seq,
		 self->pace.failures, text);
	note_failure(self, text, wait_ms);
	if (self->pace.failures >= PACE_SAY)
		actor_alert(actor, ALERT_ALERTS_UNDELIVERED, "%s", text);
	if (!self->failing_since_ms)
		self->failing_since_ms = now_ms();
	if (now_ms() - self->failing_since_ms > ANEW_MS)
		exit(EXIT_WORLD);
}

static void on_end(void *context, long status, const char *why)
{
	struct herald *self = context;
	const struct alert_news *news = &self->queue[self->at];
	uint64_t wait_ms;
	enum pace_next next = pace_after(&self->pace, status, &wait_ms);
	self->not_before_ms = now_ms() + wait_ms;
	switch (next) {
	case PACE_DONE:
		self->stat.sent++;
		self->stat.trouble[0] = '\0';
		self->failing_since_ms = 0;
		actor_alert_over(self->actor, ALERT_ALERTS_UNDELIVERED);
		reason_over(REASON_WEBHOOK_FAILED, NULL);
		reason_over(REASON_WEBHOOK_GAVE_UP, NULL);
		taken(self, news);
		return;
	case PACE_AGAIN:
		say_failure(self, status, why, wait_ms);
		return;
	case PACE_GIVE_UP:
		say_failure(self, status, why, wait_ms);
		reason_note(REASON_WEBHOOK_GAVE_UP, "", "news %" PRIu64 " was answered %ld %d times in a row",
			    news->seq, status, PACE_REFUSALS);
		self->stat.given_up++;
		log_error("herald.given_up", "seq=%" PRIu64 " status=%ld", news->seq, status);
		taken(self, news);
		return;
	}
}

/* -- asking ------------------------------------------------------------------------------------ */

static void on_news(struct actor *actor, void *context, enum err err, const struct steward_news_reply *reply)
{
	(void)context;
	struct herald *self = actor_state(actor);
	self->asking = false;
	if (err != ERR_OK)
		return;
	self->at = self->waiting = 0;
	if (!self->delivered)
		self->delivered = reply->delivered;
	for (uint32_t i = 0; i < reply->news_count && self->waiting < QUEUE; i++) {
		const struct news_row *row = &reply->news[i];
		struct alert_news *news = &self->queue[self->waiting++];
		*news = (struct alert_news){.seq = row->seq,
					    .id = row->id,
					    .first_ms = row->first_ms,
					    .last_ms = row->last_ms,
					    .at_ms = row->at_ms,
					    .count = row->count,
					    .acked_by = row->acked_by,
					    .code = row->code,
					    .node = row->node,
					    .kind = row->kind,
					    .change = row->change};
		snprintf(news->detail, sizeof news->detail, "%s", row->detail);
	}
	if (self->waiting > self->waiting_high)
		self->waiting_high = self->waiting;
	send_next(self);
}

static void tick(struct actor *actor, void *context)
{
	(void)context;
	struct herald *self = actor_state(actor);
	if (self->at < self->waiting) {
		send_next(self);
		return;
	}
	if (!self->asking)
		self->asking = ask_steward_news(actor, 0, &(struct steward_news){self->delivered}, on_news,
						NULL) == ERR_OK;
}

enum err on_herald_stat(struct actor *actor, struct call *call, const struct herald_stat *in,
			struct herald_stat_reply *out)
{
	(void)call, (void)in;
	struct herald *self = actor_state(actor);
	*out = self->stat;
	out->seq = self->delivered;
	out->waiting = (uint32_t)(self->waiting - self->at);
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
	struct herald *self = context;
	bool was_busy = post_busy(self->post);
	post_turn(self->post, timeout_ms);
	if (!was_busy || post_busy(self->post))
		return;
	send_next(self); /* one has ended: the next at once */
	*timeout_ms = 0;
}

static int start(struct actor *actor)
{
	struct herald *self = actor_state(actor);
	self->actor = actor;
	struct post_config config = {.url = actor_setting(actor, "alert_webhook"),
				     .resolve = self->resolve,
				     .authorities = self->authorities,
				     .authorities_length = self->authorities_length};
	self->post = post_new(&config, on_end, self);
	if (!self->post) {
		log_error("herald.curl", "why=\"libcurl does not take alert_webhook\"");
		return EXIT_CONFIG;
	}
	actor_limit(actor, (struct limit){"alerts to send", &self->waiting, &self->waiting_high,
					  &self->stat.given_up, QUEUE});
	actor_watch(actor, post_fd(self->post), POLLIN, on_socket, NULL);
	return 0;
}

static void ready(struct actor *actor)
{
	actor_each_turn(actor, turn, actor_state(actor));
	actor_every(actor, ASK_MS, tick, NULL);
}

HANDLERS(herald_handlers, HERALD_CALLS);

int main(void)
{
	static struct herald self;
	static const struct actor_spec spec = {
		.kind = HERALD,
		.handlers = herald_handlers,
		.warm = warm,
		.start = start,
		.ready = ready,
	};
	return actor_main(&spec, &self);
}
