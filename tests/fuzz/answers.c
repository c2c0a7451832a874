/* What strangers answer over HTTP to warren-layout and warren-auditor, and what a folder of strangers holds that is imported. libcurl is
 * made up: it hands on the input as the answers, in pieces, so only what is done with them is tried. The first byte chooses. Nothing is
 * believed that cannot be checked: a blob that came has its name, a blob that goes has the name of its folder, and each refusal is told.
 *
 * Answers: status (2, little endian), bytes a piece (1), length (2), the body. */
#include "tests/fuzz/target.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/base/proof/proof_json.h"
#include "auditor/ask.h"
#include "auditor/list.h"
#include "layout/carry.h"
#include "layout/folder.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

/* -- the made-up libcurl ---------------------------------------------------------------------------------------------- */

static struct {
	const uint8_t *at;
	size_t left;
	bool folder; /* the answers of an import: what was posted is looked at, and taken */
	unsigned asked, posted;
} script;

static struct {
	size_t (*write)(char *, size_t, size_t, void *);
	void *context;
	const char *url, *post;
	size_t post_length;
	bool head;
	long status;
	curl_off_t length;
} easy;

CURLcode curl_global_init(long flags)
{
	(void)flags;
	return CURLE_OK;
}

CURL *curl_easy_init(void)
{
	return &easy;
}

void curl_easy_cleanup(CURL *handle)
{
	must(!handle || handle == &easy);
}

void curl_easy_reset(CURL *handle)
{
	must(handle == &easy);
	memset(&easy, 0, sizeof easy);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
	must(text);
	return list ? list : x_new(sizeof *list);
}

void curl_slist_free_all(struct curl_slist *list)
{
	x_free(&list);
}

const char *curl_easy_strerror(CURLcode code)
{
	(void)code;
	return "an error\x1b[2J";
}

CURLcode curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
	va_list arguments;
	va_start(arguments, option);
	must(handle == &easy);
	if (option == CURLOPT_WRITEFUNCTION)
		easy.write = va_arg(arguments, size_t(*)(char *, size_t, size_t, void *));
	else if (option == CURLOPT_WRITEDATA)
		easy.context = va_arg(arguments, void *);
	else if (option == CURLOPT_URL)
		easy.url = va_arg(arguments, const char *);
	else if (option == CURLOPT_NOBODY)
		easy.head = true;
	else if (option == CURLOPT_POSTFIELDSIZE_LARGE)
		easy.post_length = (size_t)va_arg(arguments, curl_off_t);
	else if (option == CURLOPT_POSTFIELDS || option == CURLOPT_COPYPOSTFIELDS)
		easy.post = va_arg(arguments, const char *);
	va_end(arguments);
	return CURLE_OK;
}

CURLcode curl_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
	va_list arguments;
	va_start(arguments, info);
	must(handle == &easy);
	if (info == CURLINFO_RESPONSE_CODE)
		*va_arg(arguments, long *) = easy.status;
	else
		*va_arg(arguments, curl_off_t *) = easy.length;
	va_end(arguments);
	return CURLE_OK;
}

/* Takes what an import gives, and answers as a node would. */
static CURLcode take_post(void)
{
	struct cid cid;
	char text[128], name[CID_TEXT];
	easy.status = 404;
	easy.length = -1;
	if (easy.head || !easy.post)
		return CURLE_OK;
	easy.status = 201;
	sha256(easy.post, easy.post_length, cid.bytes);
	int length = snprintf(text, sizeof text, "{\"cid\":\"%s\"}", cid_text(&cid, name));
	script.posted++;
	return easy.write(text, 1, (size_t)length, easy.context) == (size_t)length ? CURLE_OK
										   : CURLE_WRITE_ERROR;
}

CURLcode curl_easy_perform(CURL *handle)
{
	must(handle == &easy && easy.write && easy.url);
	if (script.folder)
		return take_post();
	if (script.left < 5 || ++script.asked > 100) {
		easy.status = 0;
		return CURLE_COULDNT_CONNECT;
	}
	easy.status = (script.at[0] | script.at[1] << 8) % 1000;
	size_t piece = script.at[2] + 1U, length = (size_t)script.at[3] | (size_t)script.at[4] << 8;
	length = length < script.left - 5 ? length : script.left - 5;
	const uint8_t *body = script.at + 5;
	script.at = body + length;
	script.left -= 5 + length;
	easy.length = (curl_off_t)length;
	for (size_t at = 0; at < length && !easy.head; at += piece) {
		char part[256];
		size_t size = length - at < piece ? length - at : piece;
		memcpy(part, body + at, size);
		if (easy.write(part, 1, size, easy.context) != size)
			return CURLE_WRITE_ERROR;
	}
	return easy.status % 7 == 6 ? CURLE_PARTIAL_FILE : CURLE_OK;
}

int __wrap_poll(void *fds, unsigned long count, int ms);
int __wrap_poll(void *fds, unsigned long count,
		int ms) /* it waits before it asks again; here no time passes */
{
	must(!fds && !count && ms >= 0 && ms <= 60000);
	return 0;
}

/* -- a node ----------------------------------------------------------------------------------------------------------- */

static void check_why(const struct node *node)
{
	for (const char *at = node_why(node); *at; at++)
		must(*at >= ' ' && *at <= '~');
}

static void ask_node(unsigned what)
{
	static const struct cid cid = {{0xe3, 0xb0, 0xc4, 0x42}};
	struct node *node = node_open("http://node:5001");
	struct key key;
	char peer[PEER_TEXT];
	uint8_t *bytes = NULL;
	size_t length = 0;
	struct cid got;
	must(node);
	switch (what % 4) {
	case 0:
		if (node_info(node, &key, peer) == NODE_OK)
			must(strnlen(peer, sizeof peer) < sizeof peer);
		break;
	case 1:
		node_has(node, &cid, 12);
		break;
	case 2:
		node_put(node, &cid, (const uint8_t *)"abc", 3);
		break;
	case 3:
		if (node_get(node, &cid, &bytes, &length) == NODE_OK) {
			sha256(bytes, length, got.bytes);
			must(memcmp(&got, &cid, sizeof got) == 0);
		} else {
			must(!bytes);
		}
		x_free(&bytes);
		break;
	}
	check_why(node);
	node_close(&node);
}

static void audit(void)
{
	static struct proof proof;
	struct proof_room *room;
	struct answer answer;
	char why[PROOF_WHY];
	ask("http://node:5001/proofs/generate", "{}", &answer);
	must(answer.length <= PROOF_JSON && (!answer.body || answer.body[answer.length] == '\0'));
	if (answer.body && proof_parse(answer.body, answer.length, &proof, &room, why))
		x_free(&room);
	answer_end(&answer);
}

static void list(const uint8_t *bytes, size_t length)
{
	size_t count, line;
	FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "r");
	if (!file)
		return;
	struct listed *rows = list_read(file, &count, &line);
	must(!rows || (count && count <= length / 110 + 1));
	must(rows || line <= length + 1);
	x_free(&rows);
	fclose(file);
}

/* -- a folder that is imported ---------------------------------------------------------------------------------------- */

static int root = -1;
static char path[FUZZ_PLACE];
static const char *const files[] = {DATA, META, "more"};

static void leave(void)
{
	rmdir(path);
}

static void enter(void)
{
	must(*fuzz_place(path) && (root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
	must(freopen("/dev/null", "we", stdout));
	atexit(leave);
}

/* What it is (1), how many bytes (1), those. */
static void make_file(int folder, const char *name, const uint8_t **bytes, size_t *length)
{
	unsigned kind = *length > 1 ? (*bytes)[0] % 8 : 7;
	size_t size = *length > 1 ? (*bytes)[1] : 0;
	*bytes += *length > 1 ? 2 : *length;
	*length -= *length > 1 ? 2 : *length;
	size = size < *length ? size : *length;
	int fd = -1;
	if (kind == 7)
		return;
	if (kind == 6)
		must(symlinkat("/etc/passwd", folder, name) == 0);
	else if (kind == 5)
		must(mkfifoat(folder, name, 0600) == 0);
	else
		fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd < 0 || write(fd, *bytes, size) == (ssize_t)size);
	if (fd >= 0)
		close(fd);
	*bytes += size;
	*length -= size;
}

static bool remove_one(void *context, const char *name)
{
	int *blobs = context, folder = openat(*blobs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; folder >= 0 && i < 3; i++)
		unlinkat(folder, files[i], 0);
	if (folder >= 0)
		close(folder);
	must(unlinkat(*blobs, name, AT_REMOVEDIR) == 0);
	return true;
}

/* Up to three folders: their name (NUL at its end), then their files. An empty name is that of the data that follow. */
static void import(const uint8_t *bytes, size_t length)
{
	struct report report = {.json = true, .done_as = "imported"};
	char why[FOLDER_WHY];
	unsigned made = 0;
	must(mkdirat(root, BLOBS, 0700) == 0);
	int blobs = openat(root, BLOBS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < 3 && length; i++) {
		char name[128];
		size_t end = strnlen((const char *)bytes, length), letters = end < 100 ? end : 100;
		memcpy(name, bytes, letters);
		name[letters] = '\0';
		bytes += end < length ? end + 1 : end;
		length -= end < length ? end + 1 : end;
		if (!letters && length > 2) {
			struct cid cid;
			size_t size = bytes[1] < length - 2 ? bytes[1] : length - 2;
			sha256(bytes + 2, size, cid.bytes);
			cid_text(&cid, name);
		}
		if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    mkdirat(blobs, name, 0700) != 0)
			continue;
		made += strncmp(name, PART, strlen(PART)) != 0;
		int folder = openat(blobs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (unsigned j = 0; j < 3; j++)
			make_file(folder, files[j], &bytes, &length);
		close(folder);
	}
	struct node *node = node_open("http://node:5001");
	script.folder = true;
	carry_in(node, root, &report);
	must(report.done == script.posted && report.done + report.refused == made);
	must(json_array_size(report.refusals) == report.refused);
	json_decref(report.refusals);
	node_close(&node);
	must(folder_each(blobs, remove_one, &blobs, why));
	close(blobs);
	must(unlinkat(root, BLOBS, AT_REMOVEDIR) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (root < 0)
		enter();
	if (length == 0)
		return 0;
	script.at = bytes + 1;
	script.left = length - 1;
	script.folder = false;
	script.asked = script.posted = 0;
	memset(&easy, 0, sizeof easy);
	switch (bytes[0] % 8) {
	case 0:
	case 1:
	case 2:
	case 3:
		ask_node(bytes[0]);
		break;
	case 4:
		audit();
		break;
	case 5:
		list(bytes + 1, length - 1);
		break;
	case 6:
	case 7:
		import(bytes + 1, length - 1);
		break;
	}
	return 0;
}
