/* Request targets. Pure. */
#include "actors/gateway/target.h"

#include <string.h>
#include <strings.h>

struct text {
	const char *at;
	size_t length;
};

static bool equals(struct text text, const char *word)
{
	return text.length == strlen(word) && memcmp(text.at, word, text.length) == 0;
}

/* Takes `prefix` off the front. */
static bool begins(struct text *text, const char *prefix)
{
	size_t length = strlen(prefix);
	if (text->length < length || memcmp(text->at, prefix, length) != 0)
		return false;
	text->at += length;
	text->length -= length;
	return true;
}

static bool bytes_fit(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] <= ' ' || text.at[i] >= 0x7f || strchr("\"#<>\\^`{|}", text.at[i]))
			return false;
	return true;
}

/* "http://host:port/path" becomes "/path"; the host was compared with nothing in origin form either. */
static void drop_authority(struct text *text)
{
	static const char scheme[] = "http://";
	if (text->length < sizeof scheme || strncasecmp(text->at, scheme, sizeof scheme - 1) != 0)
		return;
	const char *end = text->at + text->length;
	const char *path = memchr(text->at + sizeof scheme - 1, '/', text->length - (sizeof scheme - 1));
	if (path && path != text->at + sizeof scheme - 1)
		*text = (struct text){path, (size_t)(end - path)};
}

/* No percent sign is ever needed here, so none is decoded and none is accepted: what is compared is what was
 * sent. */
static bool path_fits(struct text path)
{
	if (!path.length || path.at[0] != '/' || memchr(path.at, '%', path.length))
		return false;
	for (size_t i = 0; i < path.length; i++) {
		if (path.at[i] != '/')
			continue;
		struct text rest = {path.at + i + 1, path.length - i - 1};
		const char *slash = memchr(rest.at, '/', rest.length);
		struct text segment = {rest.at, slash ? (size_t)(slash - rest.at) : rest.length};
		if (equals(segment, ".") || equals(segment, "..") || (slash && segment.length == 0))
			return false;
	}
	return true;
}

struct target target_read(const char *text, size_t length)
{
	struct text path = {text, length};
	if (!bytes_fit(path))
		return (struct target){.route = ROUTE_BAD_PATH};
	drop_authority(&path);
	const char *query = memchr(path.at, '?', path.length);
	if (query)
		path.length = (size_t)(query - path.at);
	if (!path_fits(path))
		return (struct target){.route = ROUTE_BAD_PATH};
	if (equals(path, "/store"))
		return (struct target){.route = ROUTE_STORE};
	if (equals(path, "/health"))
		return (struct target){.route = ROUTE_HEALTH};
	if (equals(path, "/metrics"))
		return (struct target){.route = ROUTE_METRICS};
	if (equals(path, "/info") || equals(path, "/node/info"))
		return (struct target){.route = ROUTE_INFO};
	if (equals(path, "/proofs/generate"))
		return (struct target){.route = ROUTE_PROVE};
	if (equals(path, "/proofs"))
		return (struct target){.route = ROUTE_PROOFS};
	struct target named = {.has_cid = true};
	if (begins(&path, "/proofs/"))
		named.route = ROUTE_PROOFS;
	else if (begins(&path, "/retrieve/") || begins(&path, "/blob/"))
		named.route = ROUTE_BLOB;
	else
		return (struct target){.route = ROUTE_UNKNOWN};
	if (!cid_parse(path.at, path.length, &named.cid))
		return (struct target){.route = ROUTE_BAD_CID};
	return named;
}

const char *route_methods(enum route route)
{
	switch (route) {
	case ROUTE_STORE:
	case ROUTE_PROVE:
		return "POST";
	case ROUTE_BLOB:
	case ROUTE_HEALTH:
	case ROUTE_INFO:
	case ROUTE_METRICS:
	case ROUTE_PROOFS:
		return "GET, HEAD";
	case ROUTE_UNKNOWN:
	case ROUTE_BAD_CID:
	case ROUTE_BAD_PATH:
		return NULL;
	}
	return NULL;
}
