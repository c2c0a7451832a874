/* The page of a whole machine, put together from what the steward, the stores, the gateways and all processes answer.
 * Whoever asks them (meter, the console) hands the answers in, in any order; what did not answer is left out. Pure. */
#ifndef WARREN_METRICS_PAGE_H
#define WARREN_METRICS_PAGE_H

#include "actors/base/metrics/metrics.h"
#include "proto/actor.h"
#include "proto/gateway.h"
#include "proto/scribe.h"
#include "proto/steward.h"
#include "proto/store.h"

struct metrics_page {
	struct metrics_machine machine;
	struct metrics_process *processes; /* in the order of the status */
	struct metrics_store *stores;      /* as many as nodes */
	struct metrics_gateway *gateways;
	unsigned process_count, node_count;
};

/* The status is copied from, not kept. */
void metrics_page_begin(struct metrics_page *page, const struct steward_status_reply *status);
void metrics_page_end(struct metrics_page *page);

void metrics_page_store(struct metrics_page *page, uint16_t node, const struct store_stat_reply *reply);
void metrics_page_gateway(struct metrics_page *page, uint16_t node, const struct gateway_stat_reply *reply);
void metrics_page_limits(struct metrics_page *page, enum kind kind, uint16_t node, const struct actor_limits_reply *reply);
void metrics_page_scribe(struct metrics_page *page, const struct scribe_stat_reply *reply);
void metrics_page_alerts(struct metrics_page *page, const struct steward_alerts_reply *reply);

/* x_new'd; *length without the NUL. */
char *metrics_page_text(const struct metrics_page *page, size_t *length);

#endif
