/* What is wrong with a machine, judged from what its processes report: one sentence each, with the next step.
 * Pure: asks nobody. `status` and `doctor` print the same ones. */
#ifndef WARREN_CONSOLE_FINDINGS_H
#define WARREN_CONSOLE_FINDINGS_H

#include "actors/console/render.h"
#include "proto/scribe.h"
#include "proto/steward.h"
#include "proto/store.h"
#include "proto/actor.h"

#include <jansson.h>

enum judged { FINE, WARN, BAD };

struct finding {
	enum judged judged;
	char what[240];
	char next[160]; /* what to do; "" when there is nothing to do */
};

enum { FINDINGS_MAX = 200 };

struct findings {
	struct finding all[FINDINGS_MAX];
	unsigned count;
	unsigned omitted; /* that did not fit */
	unsigned bad, warn;
};

void finding_add(struct findings *findings, enum judged judged, const char *next, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Processes that are not ready, nodes that are parked or drain. A parked node is one finding, not one for
 * each process. */
void findings_of_processes(struct findings *findings, const struct steward_status_reply *status);

/* A store that takes no writes, has met corrupt blobs, or is nearly full. */
void findings_of_store(struct findings *findings, unsigned node, const struct store_stat_reply *stat);

/* Walls: `missing[i]` is the mask of status->processes[i], as the supervisor and the process itself say. One
 * finding a wall. */
void findings_of_walls(struct findings *findings, const struct steward_status_reply *status,
		       const uint32_t *missing);

void findings_of_scribe(struct findings *findings, const struct scribe_stat_reply *stat);

/* One bound of a process: full now, or something was dropped because of it. */
void findings_of_limit(struct findings *findings, const char *who, const struct limit_row *limit);

void findings_of_broker(struct findings *findings, const struct broker_row *broker);

/* Bad ones first; those of one kind stay in their order. */
void findings_sort(struct findings *findings);

/* "all well", "1 warning", "2 troubles, 1 warning". */
const char *findings_verdict(const struct findings *findings, char text[64]);

/* " bad   what      next", each on its line; with FINE ones when `all`. */
void findings_say(const struct findings *findings, const struct page *page, bool all);

/* [ {"level": "bad", "what": …, "next": …} ]; FINE ones have the level "ok". */
json_t *findings_json(const struct findings *findings, bool all);

#endif
