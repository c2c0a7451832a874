/* What the files of the process (gateway.c, gateway_*.c) share: its one self. */
#ifndef WARREN_GATEWAY_SELF_H
#define WARREN_GATEWAY_SELF_H

#include "actors/base/actor.h"
#include "actors/gateway/http.h"

struct gateway {
	struct actor *actor;
	struct chunks chunks;
	struct stream *stream;
	struct http *http;
	int stream_watch; /* -1: the stream is closed */
	unsigned backoff_ms;
	bool retrying;
	bool stream_open, ready, looking;
	unsigned look_ms; /* until the next look whether we are ready */
	uint64_t drain_ms;
	uint64_t moved; /* bytes, at the last tidying */

	/* the facts that are being asked for */
	unsigned answers_due;
	bool have_stat, have_node;
	struct facts_stat stat;
	struct facts_node node;
};

/* gateway_proofs.c: for struct http_config. */
void need_proof(void *context, unsigned errand, const struct http_prove *wanted);
void need_proofs(void *context, unsigned errand, const struct cid *cid);

#endif
