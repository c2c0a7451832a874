/* JSON about the node. Pure. */
#include "actors/gateway/facts.h"

#include <jansson.h>
#include <stdio.h>

enum { KEY_TEXT = 2 + 64 + 1 };

static const char *key_text(const struct facts_node *who, char text[KEY_TEXT])
{
	text[0] = '\0';
	if (who->known) {
		text[0] = '0';
		text[1] = 'x';
		hex_text(who->key.bytes, sizeof who->key.bytes, text + 2);
	}
	return text;
}

void facts_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static char *dump(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static const char *status_of(const struct facts *facts)
{
	if (!facts->answers)
		return "unavailable";
	return facts->stat.writable ? "healthy" : "degraded";
}

/* There is no peer-to-peer network yet, so there are no addresses of it and no peers. */
char *facts_health(const struct facts *facts, uint64_t uptime_s)
{
	char key[KEY_TEXT];
	return dump(json_pack("{s:s, s:I, s:I, s:I, s:s, s:[], s:s, s:i}", "status", status_of(facts),
			      "uptime", (json_int_t)uptime_s, "storedBlobs", (json_int_t)facts->stat.blobs,
			      "totalSize", (json_int_t)facts->stat.bytes, "peerId", facts->who.peer_id,
			      "multiaddrs", "publicKey", key_text(&facts->who, key), "peers", 0));
}

static json_t *shards_json(const struct shards *shards)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < shards->spans; i++)
		json_array_append_new(list,
				      json_pack("{s:I, s:I}", "start", (json_int_t)shards->span[i].start,
						"end", (json_int_t)shards->span[i].end));
	return list;
}

char *facts_info(const struct facts *facts)
{
	char key[KEY_TEXT], node[16];
	snprintf(node, sizeof node, "node-%u", facts->node);
	return dump(json_pack("{s:s, s:s, s:s, s:s, s:[], s:o}", "nodeId", node, "peerId", facts->who.peer_id,
			      "publicKey", key_text(&facts->who, key), "ownerAddress", facts->who.owner,
			      "multiaddrs", "shards", shards_json(&facts->who.shards)));
}

char *facts_metrics(const struct facts *facts, const struct metrics_gateway *gateway)
{
	struct metrics metrics = {0};
	struct metrics_store store = {.known = facts->answers,
				      .node = facts->node,
				      .blobs = facts->stat.blobs,
				      .bytes = facts->stat.bytes,
				      .used = facts->stat.used,
				      .quota = facts->stat.quota,
				      .physical = facts->stat.physical,
				      .corrupt = facts->stat.corrupt,
				      .writable = facts->stat.writable,
				      .puts = facts->stat.puts,
				      .gets = facts->stat.gets,
				      .groups = facts->stat.groups};
	metrics_gateways(&metrics, gateway, 1);
	metrics_stores(&metrics, &store, 1);
	return metrics.text;
}
