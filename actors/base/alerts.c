/* Our own alerts: told to the steward when they change, and again while they hold. Nothing waits: a tell that finds no broker
 * is said at the next turn. */
#include "actors/base/runtime.h"

#include "proto/steward.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void tell(struct actor *self, unsigned code, bool over, const char *detail)
{
	if (!rights_allow(row_steward_alert.may, self->spec->kind, 0, 0)) /* a wallet: its log says it */
		return;
	struct steward_alert alert = {.code = (uint16_t)code, .over = over};
	snprintf(alert.detail, sizeof alert.detail, "%s", detail);
	tell_steward_alert(self, 0, &alert);
}

void actor_alert(struct actor *self, enum alert_code code, const char *format, ...)
{
	struct held *held = &self->alerts[code];
	const struct alert_row *row = alert_row(code);
	char detail[sizeof held->detail];
	va_list arguments;
	bug_if(!row || !(row->by >> self->spec->kind & 1));
	va_start(arguments, format);
	vsnprintf(detail, sizeof detail, format, arguments);
	va_end(arguments);
	for (char *at = detail; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	if (row->holds && held->holds && strcmp(detail, held->detail) == 0)
		return;
	held->holds = row->holds;
	memcpy(held->detail, detail, sizeof detail);
	tell(self, code, false, detail);
}

void actor_alert_over(struct actor *self, enum alert_code code)
{
	struct held *held = &self->alerts[code];
	if (!held->holds)
		return;
	held->holds = false;
	tell(self, code, true, "");
}

void alerts_begin(struct actor *self)
{
	tell(self, 0, true, "");
}

void alerts_again(struct actor *self, void *context)
{
	(void)context;
	for (unsigned code = 0; code < ALERT_CODES; code++)
		if (self->alerts[code].holds)
			tell(self, code, false, self->alerts[code].detail);
	uint64_t lost = log_dropped();
	if (lost != self->lines_lost)
		actor_alert(self, ALERT_LOGS_DROPPED, "%" PRIu64 " lines found no room in the pipe to scribe",
			    lost - self->lines_lost);
	self->lines_lost = lost;
}
