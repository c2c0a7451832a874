/* How full the tables are and what was decided, to the supervisor. Part of the broker. */
#include "broker/told.h"

#include "actors/base/reasons/reasons.h"
#include "broker/doors.h"

#include <sys/socket.h>

void told(int roster, struct marks *marks)
{
	static const struct roster_limit rows[BOUNDS] = {
#define BOUND(SYMBOL, text, most) {ROSTER_LIMIT, BOUND_##SYMBOL, BROKER, 0, text, 0, 0, most, 0},
		BOUNDS_OF_BROKER(BOUND)
#undef BOUND
	};
	struct roster_reason reason = {.verb = ROSTER_REASON};
	marks->depth[BOUND_REASONS] = *reasons_depth();
	for (unsigned i = 0; i < BOUNDS; i++) {
		struct roster_limit row = rows[i];
		if (marks->depth[i] > marks->high[i])
			marks->high[i] = marks->depth[i];
		row.depth = marks->depth[i];
		row.high = marks->high[i];
		row.drops = marks->drops[i];
		send(roster, &row, sizeof row, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	while (reasons_changed(&reason.reason, 1))
		send(roster, &reason, sizeof reason, MSG_DONTWAIT | MSG_NOSIGNAL);
}
