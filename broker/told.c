/* How full the tables are and what was decided, to the supervisor. Part of the broker. */
#include "broker/told.h"

#include "actors/base/reasons/reasons.h"

#include <poll.h>
#include <sys/socket.h>

void told(int roster, struct roster_limit *limits)
{
	struct roster_reason reason = {.verb = ROSTER_REASON};
	limits[BOUND_REASONS].depth = *reasons_depth();
	for (struct roster_limit *limit = limits; limit < limits + BOUNDS; limit++) {
		limit->high = limit->depth > limit->high ? limit->depth : limit->high;
		send(roster, limit, sizeof *limit, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	while (poll(&(struct pollfd){roster, POLLOUT, 0}, 1, 0) == 1 && reasons_changed(&reason.reason, 1))
		send(roster, &reason, sizeof reason, MSG_DONTWAIT | MSG_NOSIGNAL);
}
