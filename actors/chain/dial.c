/* Several POSTs at a time. Plain C in the process of chain; its sockets are libcurl's, gathered in one epoll descriptor. */
#include "actors/chain/dial.h"

#include "actors/base/memory/memory.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_FIRST = 4096 };

struct slot {
	struct dial *dial;
	CURL *easy;
	bool busy, cut;
	char *answer;
	size_t length, room;
	char error[CURL_ERROR_SIZE];
	dial_end_fn *end;
	void *context;
};

struct dial {
	struct dial_config config;
	char *urls[DIAL_SERVERS];
	struct curl_slist *headers, *resolve[DIAL_SERVERS];
	CURLM *multi;
	int epoll;
	uint64_t due_ms; /* libcurl wants to be turned then; 0: it does not */
	uint64_t busy;
	struct slot slots[DIAL_SLOTS];
};

static uint64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* -- what libcurl asks of us ------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	(void)easy;
	struct dial *dial = context;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	struct epoll_event event = {.events = events, .data.fd = fd};
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(dial->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (epoll_ctl(dial->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
		return -1;
	curl_multi_assign(dial->multi, fd, dial);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *context)
{
	(void)multi;
	struct dial *dial = context;
	dial->due_ms = ms < 0 ? 0 : clock_ms() + (uint64_t)ms;
	return 0;
}

/* Less than what came ends the transfer. */
static size_t on_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct slot *slot = context;
	size_t more = size * count, most = slot->dial->config.answer_most;
	if (more > most - slot->length) {
		slot->cut = true;
		return 0;
	}
	if (slot->length + more > slot->room) {
		size_t room = slot->room ? slot->room : ANSWER_FIRST;
		while (room < slot->length + more)
			room *= 2;
		slot->answer = x_grow(slot->answer, room);
		slot->room = room;
	}
	memcpy(slot->answer + slot->length, bytes, more);
	slot->length += more;
	return more;
}

/* -- making ------------------------------------------------------------------------------------ */

/* libcurl asks OpenSSL for openssl.cnf, which could bring in other code because a file says so. Who said no first is heard. */
bool dial_libraries(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
	       curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static bool set_up(struct slot *slot, const struct dial *dial)
{
	CURL *easy = slot->easy = curl_easy_init();
	struct curl_blob authorities = {(void *)dial->config.authorities, dial->config.authorities_length,
					CURL_BLOB_NOCOPY};
	if (!easy)
		return false;
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	if (dial->config.authorities_length)
		bad |= curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &authorities);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, dial->headers);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "warren-chain");
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error);
	return bad == CURLE_OK;
}

static bool gather(struct dial *dial)
{
	return curl_multi_setopt(dial->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl_multi_setopt(dial->multi, CURLMOPT_SOCKETDATA, dial) == CURLM_OK &&
	       curl_multi_setopt(dial->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
	       curl_multi_setopt(dial->multi, CURLMOPT_TIMERDATA, dial) == CURLM_OK &&
	       curl_multi_setopt(dial->multi, CURLMOPT_MAXCONNECTS, (long)DIAL_SLOTS) == CURLM_OK;
}

struct dial *dial_new(const struct dial_config *config)
{
	struct dial *dial = x_new(sizeof *dial);
	dial->config = *config;
	dial->epoll = epoll_create1(EPOLL_CLOEXEC);
	dial->multi = curl_multi_init();
	dial->headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct curl_slist *more = curl_slist_append(dial->headers, "Expect:");
	bool good = dial->epoll >= 0 && dial->multi && dial->headers && more && gather(dial);
	for (unsigned i = 0; i < config->count; i++) {
		dial->urls[i] = x_copy(config->urls[i]);
		dial->resolve[i] = config->resolve[i] ? curl_slist_append(NULL, config->resolve[i]) : NULL;
	}
	for (unsigned i = 0; i < DIAL_SLOTS; i++) {
		dial->slots[i].dial = dial;
		good = good && set_up(&dial->slots[i], dial);
	}
	if (!good)
		dial_free(&dial);
	return dial;
}

void dial_free(struct dial **at)
{
	struct dial *dial = *at;
	for (unsigned i = 0; i < DIAL_SLOTS; i++) {
		struct slot *slot = &dial->slots[i];
		if (slot->busy)
			curl_multi_remove_handle(dial->multi, slot->easy);
		if (slot->easy)
			curl_easy_cleanup(slot->easy);
		x_free(&slot->answer);
	}
	if (dial->multi)
		curl_multi_cleanup(dial->multi);
	curl_slist_free_all(dial->headers);
	for (unsigned i = 0; i < DIAL_SERVERS; i++) {
		curl_slist_free_all(dial->resolve[i]);
		x_free(&dial->urls[i]);
	}
	if (dial->epoll >= 0)
		close(dial->epoll);
	x_free(at);
}

/* -- sending ----------------------------------------------------------------------------------- */

int dial_fd(const struct dial *dial)
{
	return dial->epoll;
}

uint64_t dial_busy(const struct dial *dial)
{
	return dial->busy;
}

static struct slot *free_slot(struct dial *dial)
{
	for (unsigned i = 0; i < DIAL_SLOTS; i++)
		if (!dial->slots[i].busy)
			return &dial->slots[i];
	return NULL;
}

bool dial_post(struct dial *dial, unsigned server, const char *body, size_t length, unsigned limit_ms,
	       dial_end_fn *end, void *context)
{
	struct slot *slot = free_slot(dial);
	if (!slot || server >= dial->config.count)
		return false;
	CURLcode bad = curl_easy_setopt(slot->easy, CURLOPT_URL, dial->urls[server]);
	bad |= curl_easy_setopt(slot->easy, CURLOPT_RESOLVE, dial->resolve[server]);
	bad |= curl_easy_setopt(slot->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)limit_ms);
	bad |= curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, (long)limit_ms);
	bad |= curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE, (long)length);
	bad |= curl_easy_setopt(slot->easy, CURLOPT_COPYPOSTFIELDS, body);
	if (bad != CURLE_OK)
		return false;
	slot->length = 0;
	slot->cut = false;
	slot->error[0] = '\0';
	slot->end = end;
	slot->context = context;
	slot->busy = curl_multi_add_handle(dial->multi, slot->easy) == CURLM_OK;
	dial->busy += slot->busy;
	return slot->busy;
}

static void finish(struct dial *dial, struct slot *slot, CURLcode result)
{
	long status = 0;
	char why[DIAL_WHY] = "";
	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(dial->multi, slot->easy);
	if (slot->cut)
		snprintf(why, sizeof why, "the answer is longer than %zu bytes", dial->config.answer_most);
	else if (result != CURLE_OK)
		snprintf(why, sizeof why, "%.150s",
			 slot->error[0] ? slot->error : curl_easy_strerror(result));
	else if (status != 200)
		snprintf(why, sizeof why, "HTTP status %ld", status);
	/* The slot is free before its end is heard, and its answer lives until then: who hears it may post at once. */
	char *answer = slot->answer;
	slot->answer = NULL;
	slot->room = 0;
	slot->busy = false;
	dial->busy--;
	slot->end(slot->context, why[0] ? NULL : answer ? answer : "", slot->length, why);
	x_free(&answer);
}

static void look_for_ends(struct dial *dial)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(dial->multi, &left))) {
		struct slot *slot = NULL;
		CURLcode result = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		finish(dial, slot, result);
	}
}

void dial_turn(struct dial *dial, int *timeout_ms)
{
	struct epoll_event events[DIAL_SLOTS];
	int running, count = epoll_wait(dial->epoll, events, DIAL_SLOTS, 0);
	for (int i = 0; i < count; i++) {
		int what = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
			   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
		curl_multi_socket_action(dial->multi, events[i].data.fd, what, &running);
	}
	if (dial->due_ms && dial->due_ms <= clock_ms()) {
		dial->due_ms = 0;
		curl_multi_socket_action(dial->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	look_for_ends(dial);
	uint64_t now = clock_ms();
	int wait = !dial->due_ms ? *timeout_ms : dial->due_ms > now ? (int)(dial->due_ms - now) : 0;
	*timeout_ms = wait < *timeout_ms ? wait : *timeout_ms;
}
