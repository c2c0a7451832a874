/* The table of alerts as lines of an answer. Plain C in the process of steward. */
#include "actors/steward/alert_lines.h"

#include <stdio.h>

uint32_t alert_lines(const struct alerts *alerts, struct alert_line *lines)
{
	const struct alert *all = alerts_all(alerts);
	uint32_t count = 0;
	for (int i = 0; i < ALERTS_MAX; i++) {
		if (!all[i].id)
			continue;
		struct alert_line *line = &lines[count++];
		*line = (struct alert_line){.id = all[i].id,
					    .code = all[i].code,
					    .kind = all[i].kind,
					    .node = all[i].node,
					    .active = all[i].active,
					    .count = all[i].count,
					    .first_ms = all[i].first_ms,
					    .last_ms = all[i].last_ms,
					    .cleared_ms = all[i].cleared_ms,
					    .acked_ms = all[i].acked_ms,
					    .acked_by = all[i].acked_by};
		snprintf(line->detail, sizeof line->detail, "%s", all[i].detail);
	}
	return count;
}
