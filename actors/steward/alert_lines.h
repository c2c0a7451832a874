/* Alerts and their news in the words of proto/steward.h. */
#ifndef WARREN_STEWARD_ALERT_LINES_H
#define WARREN_STEWARD_ALERT_LINES_H

#include "actors/steward/alerts.h"
#include "proto/steward.h"

/* clang-format off */
/* A piece of news as an event and as a row; all but the text. */
#define ALERT_NEWS(from)                                                                                               \
	{                                                                                                              \
		.seq = (from)->seq, .id = (from)->id, .change = (from)->change, .code = (from)->code,                  \
		.kind = (from)->kind, .node = (from)->node, .count = (from)->count,                                    \
		.acked_by = (from)->acked_by, .at_ms = (from)->at_ms, .first_ms = (from)->first_ms,                    \
		.last_ms = (from)->last_ms                                                                             \
	}
/* clang-format on */

/* Writes a line for each that is kept, ALERTS_MAX at most; returns how many. */
uint32_t alert_lines(const struct alerts *alerts, struct alert_line *lines);

#endif
