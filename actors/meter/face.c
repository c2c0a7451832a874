/* GET /metrics. Plain C in the process of meter; parses what a local program sends, by libmicrohttpd alone. */
#include "actors/meter/face.h"

#include "actors/base/memory/memory.h"
#include "actors/base/metrics/metrics.h"

#include <microhttpd.h>
#include <string.h>
#include <time.h>

struct face {
	struct MHD_Daemon *daemon;
	struct MHD_Connection *waiting[FACE_CONNECTIONS];
	struct MHD_Response *page; /* NULL: none, or none to be had */
	uint64_t page_ms;          /* when it came, or did not; 0: never */
	bool asking;
	struct face_counts counts;
	void (*need)(void *context);
	void *context;
};

static uint64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* -- answering --------------------------------------------------------------------------------- */

static enum MHD_Result say(struct face *face, struct MHD_Connection *connection, unsigned status,
			   const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	face->counts.refused++;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result wait_for_page(struct face *face, struct MHD_Connection *connection)
{
	for (int i = 0; i < FACE_CONNECTIONS; i++) {
		if (face->waiting[i])
			continue;
		face->waiting[i] = connection;
		MHD_suspend_connection(connection);
		if (!face->asking) {
			face->asking = true;
			face->need(face->context);
		}
		return MHD_YES;
	}
	return say(face, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many wait\n");
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *bytes, size_t *count,
				  void **seen)
{
	(void)version, (void)bytes;
	struct face *face = context;
	if (!*seen) { /* the head alone; a body, if any, is thrown away below */
		*seen = face;
		return MHD_YES;
	}
	if (*count) {
		*count = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return say(face, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET /metrics\n");
	if (strcmp(url, "/metrics") != 0)
		return say(face, connection, MHD_HTTP_NOT_FOUND, "there is /metrics\n");
	if (!face->page_ms || clock_ms() > face->page_ms + FACE_FRESH_MS)
		return wait_for_page(face, connection);
	if (!face->page)
		return say(face, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the steward does not answer\n");
	face->counts.pages++;
	return MHD_queue_response(connection, MHD_HTTP_OK, face->page);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket,
			  enum MHD_ConnectionNotificationCode code)
{
	(void)socket;
	struct face *face = context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		if (++face->counts.connections > face->counts.connections_high)
			face->counts.connections_high = face->counts.connections;
		return;
	}
	face->counts.connections--;
	for (int i = 0; i < FACE_CONNECTIONS; i++)
		if (face->waiting[i] == connection)
			face->waiting[i] = NULL;
}

void face_page(struct face *face, char *text, size_t length)
{
	if (face->page)
		MHD_destroy_response(face->page);
	face->page = text ? MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE) : NULL;
	if (face->page)
		MHD_add_response_header(face->page, "Content-Type", METRICS_TYPE);
	face->page_ms = clock_ms();
	face->asking = false;
	for (int i = 0; i < FACE_CONNECTIONS; i++) {
		if (face->waiting[i])
			MHD_resume_connection(face->waiting[i]);
		face->waiting[i] = NULL;
	}
}

/* -- life -------------------------------------------------------------------------------------- */

struct face *face_new(int listener, void (*need)(void *context), void *context)
{
	struct face *face = x_new(sizeof *face);
	face->need = need;
	face->context = context;
	face->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
					face, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
					FACE_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, FACE_IDLE_S,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)8192,
					MHD_OPTION_NOTIFY_CONNECTION, on_connection, face, MHD_OPTION_END);
	if (!face->daemon)
		x_free(&face);
	return face;
}

void face_free(struct face **at)
{
	struct face *face = *at;
	face_page(face, NULL, 0);
	MHD_quiesce_daemon(face->daemon); /* the listener is the supervisor's */
	MHD_stop_daemon(face->daemon);
	x_free(at);
}

int face_fd(const struct face *face)
{
	return MHD_get_daemon_info(face->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void face_turn(struct face *face, int *timeout_ms)
{
	MHD_UNSIGNED_LONG_LONG most;
	MHD_run(face->daemon);
	if (MHD_get_timeout(face->daemon, &most) == MHD_YES && most < (MHD_UNSIGNED_LONG_LONG)*timeout_ms)
		*timeout_ms = (int)most;
}

const struct face_counts *face_counts(const struct face *face)
{
	return &face->counts;
}
