/* The rows of alerts.def as a table, and an alert as JSON. Pure; linked by who keeps, shows and carries alerts. */
#include "proto/alerts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BY_STEWARD 0
#define BY_ANY     30
#define HOLDS      true
#define HAPPENS    false
#define EVERYBODY  ((UINT32_C(1) << READER) - 2)

static const struct alert_row rows[ALERT_CODES] = {
#define ALERT(SYMBOL, number, name, severity, who, how, what, next) \
	[number] = {name, \
		    severity, \
		    (who) == BY_STEWARD ? 0 : (who) == BY_ANY ? EVERYBODY : UINT32_C(1) << (who), \
		    how, \
		    what, \
		    next},
#include "proto/alerts.def"
#undef ALERT
};

const struct alert_row *alert_row(unsigned code)
{
	return code < ALERT_CODES && rows[code].name ? &rows[code] : NULL;
}

const char *alert_severity_name(unsigned severity)
{
	static const char *const names[] = {"info", "warn", "bad"};
	return severity <= ALERT_BAD ? names[severity] : "?";
}

const char *alert_change_name(unsigned change)
{
	static const char *const names[] = {"?", "raised", "cleared", "acknowledged"};
	return change <= ALERT_ACKED ? names[change] : "?";
}

const char *alert_subject(unsigned kind, unsigned node, char text[WHO_TEXT])
{
	if (kind)
		return who_text(kind, node, text);
	if (node)
		snprintf(text, WHO_TEXT, "node %u", node);
	else
		snprintf(text, WHO_TEXT, "machine");
	return text;
}

const char *alert_time(int64_t unix_ms, char text[32])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;
	char day[24];
	if (unix_ms < 0 || !gmtime_r(&seconds, &utc) ||
	    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		snprintf(day, sizeof day, "1970-01-01T00:00:00");
	snprintf(text, 32, "%s.%03dZ", day, unix_ms < 0 ? 0 : (int)(unix_ms % 1000));
	return text;
}

/* A string in quotes. Letters that JSON or a terminal minds, and bytes that are not ASCII, become "?". */
static const char *quoted(const char *text, size_t most, char *out, size_t room)
{
	size_t length = 0;
	out[length++] = '"';
	for (size_t i = 0; i < most && text[i] && length + 3 < room; i++) {
		char letter = text[i];
		if (letter == '"' || letter == '\\')
			out[length++] = '\\';
		out[length++] = letter < ' ' || letter > '~' ? '?' : letter;
	}
	out[length++] = '"';
	out[length] = '\0';
	return out;
}

size_t alert_json(const struct alert_news *news, const char *machine, char text[ALERT_JSON])
{
	const struct alert_row *row = alert_row(news->code);
	char subject[WHO_TEXT], first[32], last[32], at[32], acked[24] = "null";
	char name[2 * ALERT_NAME + 3], detail[2 * ALERT_DETAIL + 3], what[256], next[256];
	if (!row || news->change < ALERT_RAISED || news->change > ALERT_ACKED)
		return 0;
	if (news->change == ALERT_ACKED)
		snprintf(acked, sizeof acked, "%u", news->acked_by);
	int length = snprintf(
		text, ALERT_JSON,
		"{\"seq\":%llu,\"change\":\"%s\",\"at\":\"%s\",\"machine\":%s,\"id\":%llu,\"code\":\"%s\","
		"\"severity\":\"%s\",\"subject\":\"%s\",\"what\":%s,\"detail\":%s,\"next\":%s,\"first\":\"%"
		"s\","
		"\"last\":\"%s\",\"count\":%u,\"acknowledgedBy\":%s}\n",
		(unsigned long long)news->seq, alert_change_name(news->change), alert_time(news->at_ms, at),
		quoted(machine, ALERT_NAME, name, sizeof name), (unsigned long long)news->id, row->name,
		alert_severity_name(row->severity), alert_subject(news->kind, news->node, subject),
		quoted(row->what, 200, what, sizeof what),
		quoted(news->detail, ALERT_DETAIL, detail, sizeof detail),
		quoted(row->next, 200, next, sizeof next), alert_time(news->first_ms, first),
		alert_time(news->last_ms, last), news->count, acked);
	return length > 0 && length < ALERT_JSON ? (size_t)length : 0;
}
