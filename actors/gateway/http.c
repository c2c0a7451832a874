/* The HTTP daemon: connections, deadlines, turning. libmicrohttpd reads and writes the sockets. Runs in
 * gateway@N, which holds no key; when it dies, its clients see their connections closed and new ones wait in
 * the listener's queue. */
#include "actors/gateway/visit.h"

#include "actors/base/reasons/reasons.h"
#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	POOL = 16384, /* bytes the library has for a connection: a request's head, and what it reads of a body
			 at a time */
	ROUNDS = 16, /* times the library is run in a turn while it has work; each moves a block of every busy
			client */
	TICK_MS = 100,  /* between looks at the deadlines */
	GRACE_MS = 500, /* draining: for requests that were sent and not yet read */
};

/* Debian's libmicrohttpd starts GnuTLS when a program is loaded: 400 KiB for each gateway, and files read, for a TLS that
 * nobody speaks here (a face with TLS stands behind a front). These stand before the library's own functions of these names;
 * the third is its own question (GNUTLS_SKIP_GLOBAL_INIT in gnutls.h). */
int gnutls_global_init(void);
void gnutls_global_deinit(void);
int _gnutls_global_init_skip(void);

int gnutls_global_init(void)
{
	return 0; /* GNUTLS_E_SUCCESS */
}

void gnutls_global_deinit(void)
{
}

int _gnutls_global_init_skip(void)
{
	return 1;
}

uint64_t http_now(const struct http *http)
{
	struct timespec now;
	if (http->config.clock)
		return http->config.clock(http->config.context);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void http_stream_opened(struct http *http)
{
	visits_give_turns(http);
}

/* -- connections --------------------------------------------------------------------------------------------------- */

/* Past this many, the one that has been idle longest makes room: a house full of silent guests still answers
 * the door. */
static unsigned enough(const struct http *http)
{
	return http->config.connections / 2 + 1;
}

static void show_out(struct visit *visit)
{
	link_remove(&visit->place);
	shutdown(visit->fd, SHUT_RDWR);
}

static void on_arrival(struct http *http, struct MHD_Connection *connection, void **visit_at)
{
	struct visit *visit = x_new(sizeof *visit);
	visit->http = http;
	visit->connection = connection;
	visit->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	link_clear(&visit->place);
	link_clear(&visit->wait);
	*visit_at = visit;
	gauge_up(&http->counts.connections);
	if (http->counts.connections.depth > enough(http) && !link_empty(&http->idle)) {
		http->counts.connections.drops++;
		reason_note(REASON_HTTP_BUSY, "connections",
			    "an idle connection was shown out for a new one");
		show_out(link_visit(http->idle.next));
	}
	visit_rest(visit);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **visit_at,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http *http = context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		on_arrival(http, connection, visit_at);
		return;
	}
	struct visit *visit = *visit_at;
	link_remove(&visit->place);
	link_remove(&visit->wait);
	http->counts.connections.depth--;
	x_free(&visit);
	*visit_at = NULL;
}

/* -- deadlines ----------------------------------------------------------------------------------------------------- */

static void expire(struct visit *visit)
{
	struct http *http = visit->http;
	struct request *request = &visit->request;
	switch (visit->awaits) {
	case AWAITS_CLIENT:
		if (!visit->cut)
			visit_cut(visit);
		reason_note(REASON_HTTP_SLOW, "", "no byte moved for %u ms", http->config.step_ms);
		return;
	case AWAITS_TURN:
		http->counts.waiting.drops++;
		request->complaint =
			complaint_of(stream_is_open(http->config.stream) ? ERR_BUSY : ERR_UNAVAILABLE);
		visit_resume(visit);
		return;
	case AWAITS_STORE:
		transfer_abort(&request->transfer);
		request->over = true;
		request->outcome = ERR_LATE;
		visit_resume(visit);
		return;
	case AWAITS_FACTS:
		http_facts(http, NULL, NULL);
		return;
	}
}

/* libmicrohttpd takes a short read for a drained socket and may so miss the end that came with the last bytes. Looked for in the
 * middle of bodies, where it would hold a slot until the client's time is up. */
static bool hung_up(const struct visit *visit)
{
	char byte;
	return visit->request.begun && !visit->request.answered && !visit->suspended &&
	       recv(visit->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void check_deadlines(struct http *http)
{
	if (http->now_ms < http->checked_ms + TICK_MS)
		return;
	http->checked_ms = http->now_ms;
	bool hurry = http->draining && http->now_ms >= http->drain_ms + GRACE_MS;
	while (!link_empty(&http->idle)) {
		struct visit *visit = link_visit(http->idle.next);
		if (!hurry && visit->deadline_ms > http->now_ms)
			break; /* they stand in the order in which they fell idle */
		show_out(visit);
	}
	for (struct link *link = http->busy.next, *next; link != &http->busy; link = next) {
		next = link->next;
		struct visit *visit = link_visit(link);
		if (visit->deadline_ms <= http->now_ms)
			expire(visit);
		else if (hung_up(visit))
			shutdown(visit->fd, SHUT_RDWR);
	}
	visits_keep_pace(http);
	porch_turn(http->porch, http->now_ms);
}

/* -- turning ------------------------------------------------------------------------------------------------------- */

static int library_wait(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
		return -1;
	return ms > 60000 ? 60000 : (int)ms;
}

static void lower(int *timeout_ms, int ms)
{
	if (ms >= 0 && (*timeout_ms < 0 || ms < *timeout_ms))
		*timeout_ms = ms;
}

void http_turn(struct http *http, int *timeout_ms)
{
	http->now_ms = http_now(http);
	porch_turn(http->porch, http->now_ms);
	check_deadlines(http);
	int wait = 0;
	for (unsigned round = 0; round < ROUNDS && wait == 0; round++) {
		MHD_run(http->daemon);
		wait = library_wait(http);
		if (stream_owes(http->config.stream))
			stream_flush(http->config.stream); /* the store works while we do */
	}
	stream_flush(http->config.stream);
	lower(timeout_ms, wait);
	if (!link_empty(&http->busy) || http->draining || *porch_count(http->porch))
		lower(timeout_ms, TICK_MS);
	else if (!link_empty(&http->idle))
		lower(timeout_ms, 1000);
}

static size_t on_unescape(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text); /* as it was sent */
}

/* -- birth and end ------------------------------------------------------------------------------------------------- */

static void on_panic(void *context, const char *file, unsigned line, const char *reason)
{
	(void)context;
	bug_at(reason, file, (int)line);
}

static struct MHD_Daemon *start_daemon(struct http *http)
{
	const struct http_config *config = &http->config;
	unsigned seconds = (config->idle_ms + 999) / 1000;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, config->listener, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, config->connections, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->connections - config->connections / 4, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, seconds, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL, NULL},
#if MHD_VERSION < 0x01000000
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
#else
		{MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL},
#endif
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, http},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, http},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, http},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)on_unescape, http},
		{MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
				MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* What the libraries would read from files when they first need it, they get now: later the seal lets nothing be opened. */
static void warm(void)
{
	size_t seed;
	tzset();
	random_bytes(&seed, sizeof seed);
	json_object_seed(seed | 1); /* 0 would mean /dev/urandom */
}

struct http *http_new(const struct http_config *config)
{
	warm();
	struct http *http = x_new(sizeof *http);
	http->config = *config;
	http->facts.node = config->node;
	http->facts.who.shards = config->shards;
	http->started_ms = http->now_ms = http_now(http);
	link_clear(&http->idle);
	link_clear(&http->busy);
	link_clear(&http->curious);
	for (enum direction direction = UPLOAD; direction < DIRECTIONS; direction++)
		link_clear(&http->turn[direction]);
	MHD_set_panic_func(on_panic, NULL);
	http->porch = porch_new();
	http->daemon = http->porch ? start_daemon(http) : NULL;
	if (http->daemon)
		return http;
	porch_free(&http->porch);
	x_free(&http);
	return NULL;
}

void http_free(struct http **at)
{
	struct http *http = *at;
	if (!http)
		return;
	MHD_quiesce_daemon(http->daemon); /* the listener is not the library's to close */
	for (struct link *link = http->busy.next; link != &http->busy; link = link->next)
		visit_cut(link_visit(link));
	while (!link_empty(&http->busy))
		MHD_run(http->daemon);
	MHD_stop_daemon(http->daemon);
	porch_free(&http->porch);
	x_free(at);
}

int http_fd(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_porch_fd(const struct http *http)
{
	return porch_fd(http->porch);
}

void http_close(struct http *http)
{
	http->closed = true;
}

bool http_closed(const struct http *http)
{
	return http->closed;
}

void http_under_way(const struct http *http, uint32_t counts[HTTP_DUTIES])
{
	for (unsigned i = 0; i < HTTP_DUTIES; i++)
		counts[i] = 0;
	for (const struct link *link = http->busy.next; link != &http->busy; link = link->next) {
		const struct request *request = &link_visit((struct link *)link)->request;
		if (request->turned_away)
			continue; /* its refusal is on its way */
		enum route route = request->target.route;
		counts[route == ROUTE_STORE ? 0 : route == ROUTE_BLOB ? 1 : 2]++;
	}
}

void http_drain(struct http *http)
{
	if (http->draining)
		return;
	http->draining = true;
	http->drain_ms = http_now(http);
	MHD_quiesce_daemon(http->daemon);
}

bool http_drained(const struct http *http)
{
	return http->draining && http->counts.connections.depth == 0;
}

const struct http_counts *http_counts(const struct http *http)
{
	return &http->counts;
}

const struct porch *http_porch(const struct http *http)
{
	return http->porch;
}

const uint64_t *http_porch_count(const struct http *http)
{
	return porch_count(http->porch);
}
