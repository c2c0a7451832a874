/* What /health and /info say: facts about the node that the store told, as JSON. Pure. */
#ifndef WARREN_GATEWAY_FACTS_H
#define WARREN_GATEWAY_FACTS_H

#include "actors/base/metrics/metrics.h"
#include "proto/ids.h"
#include "proto/shards.h"

struct facts_stat {
	uint64_t blobs, bytes;
	bool writable;
	uint64_t used, quota, physical, corrupt, puts, gets, groups; /* for /metrics */
};

struct facts_node {
	bool known; /* the node's wallet has told who it is */
	struct key key;
	char peer_id[65];
	char owner[43];
	struct shards shards;
};

struct facts {
	uint16_t node;
	bool answers; /* the store answered the last time it was asked */
	struct facts_stat stat; /* the last that was heard; zero before */
	struct facts_node who;
};

/* What cannot stand in JSON, or should not, becomes '?': peer_id and owner were told by another process. */
void facts_clean(char *text);

/* The eight fields of seed 003, always all of them. "healthy": writes and reads; "degraded": reads only; "unavailable": the
 * store does not answer, and the counters are the last known. The text is malloc'ed. */
char *facts_health(const struct facts *facts, uint64_t uptime_s);

/* The six fields of seed 003. */
char *facts_info(const struct facts *facts);

/* Figures for Prometheus, of the gateway and, while it answers, of the store. x_new'd text; NUL at its end. */
char *facts_metrics(const struct facts *facts, const struct metrics_gateway *gateway);

#endif
