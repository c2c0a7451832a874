/* HTTP by libcurl. The other side may be anybody: time, size, protocols and redirects are bounded. */
#include "layout/node.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <curl/curl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 10000,
	IDLE_S = 30,        /* without a byte in either direction */
	JSON_MOST = 65536,  /* of an answer that is no blob */
	TRIES_SILENT = 3,   /* a second apart */
	TRIES_BUSY = 10,    /* 503: it says when to come again */
	TRIES_COUNTED = 60, /* 429: it counts what strangers ask */
	WAIT_MOST_S = 60,
};

struct node {
	CURL *easy;
	struct curl_slist *headers;
	char url[URL_TEXT], why[NODE_WHY];

	uint8_t *body; /* of the last answer */
	size_t length, room, most;
	long status; /* 0: none came */
};

const char *node_why(const struct node *node)
{
	return node->why;
}

static void set_why(struct node *node, const char *text)
{
	size_t length = 0;
	for (; text[length] && length < NODE_WHY - 1; length++)
		node->why[length] = text[length] < ' ' || text[length] > '~' ? '?' : text[length];
	node->why[length] = '\0';
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct node *node = context;
	size_t length = size * count;
	if (length > node->most - node->length)
		return 0;
	if (node->length + length > node->room) {
		node->room = 2 * (node->length + length);
		node->body = x_grow(node->body, node->room);
	}
	memcpy(node->body + node->length, bytes, length);
	node->length += length;
	return length;
}

struct node *node_open(const char *url)
{
	size_t length = strlen(url);
	while (length && url[length - 1] == '/')
		length--;
	bool web = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
	if (!web || length >= URL_TEXT || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	struct node *node = x_new(sizeof *node);
	memcpy(node->url, url, length);
	node->easy = curl_easy_init();
	node->headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
	node->headers = curl_slist_append(node->headers, "Expect:");
	if (!node->easy || !node->headers)
		node_close(&node);
	return node;
}

void node_close(struct node **at)
{
	struct node *node = *at;
	if (!node)
		return;
	curl_slist_free_all(node->headers);
	curl_easy_cleanup(node->easy);
	x_free(&node->body);
	x_free(at);
}

/* -- one request ----------------------------------------------------------------------------------------------------- */

struct request {
	const char *path;
	bool head;
	const uint8_t *bytes; /* of a POST; NULL: a GET or HEAD */
	size_t length;
	size_t most; /* bytes of the answer */
};

static CURLcode setup(struct node *node, const struct request *request, const char *url)
{
	CURL *easy = node->easy;
	curl_easy_reset(easy); /* the connection stays */
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_URL, url);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)IDLE_S);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "warren-layout");
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, node);
	if (request->head)
		bad |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (!request->bytes)
		return bad;
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, node->headers);
	bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
	bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->bytes);
	return bad;
}

static void once(struct node *node, const struct request *request)
{
	char url[URL_TEXT + 128];
	snprintf(url, sizeof url, "%s%s", node->url, request->path);
	node->length = 0;
	node->status = 0;
	node->most = request->most;
	CURLcode end = setup(node, request, url);
	if (end == CURLE_OK)
		end = curl_easy_perform(node->easy);
	curl_easy_getinfo(node->easy, CURLINFO_RESPONSE_CODE, &node->status);
	/* A refusal may come while it is still being sent to. */
	if (end != CURLE_OK && node->status < 400) {
		node->status = 0;
		set_why(node, curl_easy_strerror(end));
	}
}

/* The sentence of {"error", "message"}. */
static void read_why(struct node *node)
{
	char text[64];
	json_t *object = json_loadb((const char *)node->body, node->length, 0, NULL);
	const json_t *message = json_object_get(object, "message");
	snprintf(text, sizeof text, "the node answered %ld", node->status);
	set_why(node, json_is_string(message) ? json_string_value(message) : text);
	json_decref(object);
}

static long wait_wanted_s(struct node *node)
{
	curl_off_t seconds = 0;
	curl_easy_getinfo(node->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds < 1 ? 1 : seconds > WAIT_MOST_S ? WAIT_MOST_S : (long)seconds;
}

/* Again when it says "later", as often as makes sense. */
static enum node_end perform(struct node *node, const struct request *request)
{
	for (unsigned tries = 1;; tries++) {
		once(node, request);
		unsigned most = node->status == 0     ? TRIES_SILENT
				: node->status == 503 ? TRIES_BUSY
				: node->status == 429 ? TRIES_COUNTED
						      : 0;
		if (tries >= most)
			break;
		poll(NULL, 0, (int)(1000 * (node->status ? wait_wanted_s(node) : 1)));
	}
	if (!node->status)
		return NODE_SILENT;
	if (node->status == 404)
		return NODE_NOT_THERE;
	if (node->status < 300)
		return NODE_OK;
	read_why(node);
	return NODE_REFUSED;
}

/* -- what is asked ---------------------------------------------------------------------------------------------------- */

static enum node_end refused(struct node *node, const char *why)
{
	set_why(node, why);
	return NODE_REFUSED;
}

enum node_end node_info(struct node *node, struct key *key, char peer[PEER_TEXT])
{
	static const char nonsense[] = "what answers there is no node: /info tells no key";
	enum node_end end = perform(node, &(struct request){.path = "/info", .most = JSON_MOST});
	if (end == NODE_NOT_THERE)
		return refused(node, nonsense);
	if (end != NODE_OK)
		return end;
	json_t *info = json_loadb((const char *)node->body, node->length, 0, NULL);
	const char *hex = json_string_value(json_object_get(info, "publicKey")),
		   *id = json_string_value(json_object_get(info, "peerId"));
	bool read = hex && id && strncmp(hex, "0x", 2) == 0 &&
		    hex_parse(hex + 2, strlen(hex + 2), key->bytes, sizeof key->bytes) &&
		    strcmp(id, peer_id_text(key, peer)) == 0;
	json_decref(info);
	return read ? NODE_OK : refused(node, nonsense);
}

static void path_of(const struct cid *cid, char path[96])
{
	char text[CID_TEXT];
	snprintf(path, 96, "/retrieve/%s", cid_text(cid, text));
}

enum node_end node_has(struct node *node, const struct cid *cid, uint64_t size)
{
	char path[96];
	curl_off_t length = -1;
	path_of(cid, path);
	enum node_end end = perform(node, &(struct request){.path = path, .head = true, .most = JSON_MOST});
	if (end == NODE_OK &&
	    curl_easy_getinfo(node->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK &&
	    length == (curl_off_t)size)
		return NODE_OK;
	return end == NODE_SILENT ? end : NODE_NOT_THERE; /* one that is damaged is healed by a put */
}

enum node_end node_put(struct node *node, const struct cid *cid, const uint8_t *bytes, size_t length)
{
	struct cid stored;
	enum node_end end = perform(
		node,
		&(struct request){.path = "/store", .bytes = bytes, .length = length, .most = JSON_MOST});
	if (end == NODE_NOT_THERE)
		return refused(node, "what answers there is no node: it knows no /store");
	if (end != NODE_OK)
		return end;
	json_t *answer = json_loadb((const char *)node->body, node->length, 0, NULL);
	const json_t *name = json_object_get(answer, "cid");
	bool right = json_is_string(name) &&
		     cid_parse(json_string_value(name), json_string_length(name), &stored) &&
		     memcmp(&stored, cid, sizeof stored) == 0;
	json_decref(answer);
	return right ? NODE_OK : refused(node, "the node does not say that it stored these bytes");
}

enum node_end node_get(struct node *node, const struct cid *cid, uint8_t **bytes, size_t *length)
{
	char path[96];
	struct cid got;
	path_of(cid, path);
	*bytes = NULL;
	enum node_end end = perform(node, &(struct request){.path = path, .most = BLOB_MOST});
	if (end == NODE_SILENT && node->length) /* cut: a chunk failed its check after the answer had begun */
		return refused(node, "the node cannot give it whole (damaged? warren scan)");
	if (end != NODE_OK)
		return end;
	sha256(node->body ? node->body : (const uint8_t *)"", node->length, got.bytes);
	if (memcmp(&got, cid, sizeof got) != 0)
		return refused(node, "what the node gave are not the bytes of that name");
	*bytes = node->body ? node->body : x_new(1);
	*length = node->length;
	node->body = NULL;
	node->room = 0;
	return NODE_OK;
}
