/* One POST at a time. Plain C in the process of herald; its sockets are libcurl's, gathered in one epoll descriptor. */
#include "actors/herald/post.h"

#include "actors/base/memory/memory.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

struct post {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	int epoll;
	bool busy;
	uint64_t due_ms; /* libcurl wants to be turned then; 0: it does not */
	size_t answered;
	char error[CURL_ERROR_SIZE];
	post_end_fn *end;
	void *context;
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
	struct post *post = context;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	struct epoll_event event = {.events = events, .data.fd = fd};
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(post->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (epoll_ctl(post->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
		return -1;
	curl_multi_assign(post->multi, fd, post);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *context)
{
	(void)multi;
	struct post *post = context;
	post->due_ms = ms < 0 ? 0 : clock_ms() + (uint64_t)ms;
	return 0;
}

/* Less than what came ends the transfer. */
static size_t on_answer(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	struct post *post = context;
	post->answered += size * count;
	return post->answered > POST_ANSWER ? 0 : size * count;
}

/* -- making ------------------------------------------------------------------------------------ */

/* libcurl asks OpenSSL for openssl.cnf (and whatever OPENSSL_CONF names): it could bring in engines and providers, other
 * code, because a file says so. Who said no first is heard; TLS here has OpenSSL's own defaults. */
bool post_libraries(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
	       curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static bool set_up(struct post *post, const struct post_config *config)
{
	CURL *easy = post->easy;
	struct curl_blob authorities = {(void *)config->authorities, config->authorities_length,
					CURL_BLOB_NOCOPY};
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_URL, config->url);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)POST_CONNECT_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)POST_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	if (config->authorities_length)
		bad |= curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &authorities);
	bad |= curl_easy_setopt(easy, CURLOPT_RESOLVE, post->resolve);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "warren-herald");
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
	return bad == CURLE_OK;
}

static bool gather(struct post *post)
{
	return curl_multi_setopt(post->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl_multi_setopt(post->multi, CURLMOPT_SOCKETDATA, post) == CURLM_OK &&
	       curl_multi_setopt(post->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
	       curl_multi_setopt(post->multi, CURLMOPT_TIMERDATA, post) == CURLM_OK;
}

struct post *post_new(const struct post_config *config, post_end_fn *end, void *context)
{
	struct post *post = x_new(sizeof *post);
	post->end = end;
	post->context = context;
	post->epoll = epoll_create1(EPOLL_CLOEXEC);
	post->multi = curl_multi_init();
	post->easy = curl_easy_init();
	post->headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct curl_slist *more = curl_slist_append(post->headers, "Expect:");
	post->resolve = config->resolve ? curl_slist_append(NULL, config->resolve) : NULL;
	if (post->epoll < 0 || !post->multi || !post->easy || !post->headers || !more || !gather(post) ||
	    !set_up(post, config))
		post_free(&post);
	return post;
}

void post_free(struct post **at)
{
	struct post *post = *at;
	if (post->busy)
		curl_multi_remove_handle(post->multi, post->easy);
	if (post->easy)
		curl_easy_cleanup(post->easy);
	if (post->multi)
		curl_multi_cleanup(post->multi);
	curl_slist_free_all(post->headers);
	curl_slist_free_all(post->resolve);
	if (post->epoll >= 0)
		close(post->epoll);
	x_free(at);
}

/* -- sending ----------------------------------------------------------------------------------- */

int post_fd(const struct post *post)
{
	return post->epoll;
}

bool post_busy(const struct post *post)
{
	return post->busy;
}

bool post_send(struct post *post, const char *body, size_t length)
{
	if (post->busy || curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE, (long)length) != CURLE_OK ||
	    curl_easy_setopt(post->easy, CURLOPT_COPYPOSTFIELDS, body) != CURLE_OK)
		return false;
	post->answered = 0;
	post->error[0] = '\0';
	post->busy = curl_multi_add_handle(post->multi, post->easy) == CURLM_OK;
	return post->busy;
}

static void finish(struct post *post, CURLcode result)
{
	long status = 0;
	char why[POST_WHY] = "";
	curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(post->multi, post->easy);
	post->busy = false;
	bool answered = result == CURLE_OK || (result == CURLE_WRITE_ERROR && status);
	if (!answered)
		snprintf(why, sizeof why, "%.150s",
			 post->error[0] ? post->error : curl_easy_strerror(result));
	post->end(post->context, answered ? status : 0, why);
}

static void look_for_end(struct post *post)
{
	int left;
	CURLMsg *message = curl_multi_info_read(post->multi, &left);
	if (message && message->msg == CURLMSG_DONE)
		finish(post, message->data.result);
}

void post_turn(struct post *post, int *timeout_ms)
{
	struct epoll_event events[8];
	int running, count = epoll_wait(post->epoll, events, 8, 0);
	for (int i = 0; i < count; i++) {
		int what = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
			   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
		curl_multi_socket_action(post->multi, events[i].data.fd, what, &running);
	}
	if (post->due_ms && post->due_ms <= clock_ms()) {
		post->due_ms = 0;
		curl_multi_socket_action(post->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	look_for_end(post);
	uint64_t now = clock_ms();
	int wait = !post->due_ms ? *timeout_ms : post->due_ms > now ? (int)(post->due_ms - now) : 0;
	*timeout_ms = wait < *timeout_ms ? wait : *timeout_ms;
}
