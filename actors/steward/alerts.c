/* The table of alerts and the ring of news. Plain C in the process of steward; the file is alerts_file.c. What actors say comes
 * from processes that may be taken over: bounded by subject and code, and each alert has a share of the news, so that one that
 * comes and goes cannot fill the operator's mail. */
#include "actors/steward/alerts_inside.h"

#include "actors/base/memory/memory.h"

#include <stdio.h>
#include <string.h>

struct alerts *alerts_new(uint64_t quiet_ms, alerts_news_fn *on_news, void *context)
{
	struct alerts *alerts = x_new(sizeof *alerts);
	alerts->quiet_ms = quiet_ms;
	alerts->on_news = on_news;
	alerts->context = context;
	return alerts;
}

void alerts_free(struct alerts **alerts)
{
	x_free(alerts);
}

const struct alert *alerts_all(const struct alerts *alerts)
{
	return alerts->kept.all;
}

const struct alerts_counts *alerts_counts(const struct alerts *alerts)
{
	return &alerts->counts;
}

bool alerts_unsaved(const struct alerts *alerts)
{
	return alerts->unsaved;
}

uint32_t alerts_stood(struct alerts *alerts, unsigned kind, uint32_t more)
{
	uint32_t *walls = &alerts->kept.walls[kind % KINDS], before = *walls;
	*walls |= more;
	alerts->unsaved = alerts->unsaved || *walls != before;
	return before;
}

uint64_t alerts_accused(struct alerts *alerts, uint64_t now)
{
	uint64_t before = alerts->kept.accused;
	alerts->kept.accused = now;
	alerts->unsaved = alerts->unsaved || now != before;
	return before;
}

/* -- news -------------------------------------------------------------------------------------- */

static uint64_t oldest(const struct alerts *alerts)
{
	return alerts->kept.newest > NEWS_MAX ? alerts->kept.newest - NEWS_MAX + 1 : 1;
}

static void count_waiting(struct alerts *alerts)
{
	uint64_t waiting = alerts->kept.newest - alerts->kept.places[CARRY_WEBHOOK];
	alerts->counts.waiting = waiting < NEWS_MAX ? waiting : NEWS_MAX;
	if (alerts->counts.waiting > alerts->counts.waiting_high)
		alerts->counts.waiting_high = alerts->counts.waiting;
}

/* Says what became of it, unless it had its share of the news. */
static void tell(struct alerts *alerts, struct alert *alert, enum alert_change change,
		 const struct alert_moment *now)
{
	int64_t age = now->wall_ms - alert->told_since_ms;
	if (age < 0 || age > NEWS_WINDOW_MS) {
		alert->told_since_ms = now->wall_ms;
		alert->told_count = 0;
	}
	if (change != ALERT_ACKED && alert->told_count >= NEWS_OF_ONE) {
		alerts->counts.muted++;
		return;
	}
	alert->told_count++;
	alert->told = alert->active;
	struct alert_news *news = &alerts->kept.news[alerts->kept.newest++ % NEWS_MAX];
	*news = (struct alert_news){.seq = alerts->kept.newest,
				    .id = alert->id,
				    .first_ms = alert->first_ms,
				    .last_ms = alert->last_ms,
				    .at_ms = now->wall_ms,
				    .count = alert->count,
				    .acked_by = alert->acked_by,
				    .code = alert->code,
				    .node = alert->node,
				    .kind = alert->kind,
				    .change = (uint8_t)change};
	memcpy(news->detail, alert->detail, sizeof news->detail);
	alerts->counts.lost += alerts->kept.newest - alerts->kept.places[CARRY_WEBHOOK] > NEWS_MAX;
	count_waiting(alerts);
	alerts->unsaved = true;
	alerts->on_news(alerts->context, news);
}

unsigned alerts_news(const struct alerts *alerts, enum alerts_carrier carrier,
		     struct alert_news news[NEWS_AT_ONCE])
{
	uint64_t seq = alerts->kept.places[carrier] + 1, first = oldest(alerts);
	unsigned count = 0;
	for (seq = seq < first ? first : seq; seq <= alerts->kept.newest && count < NEWS_AT_ONCE; seq++)
		news[count++] = alerts->kept.news[(seq - 1) % NEWS_MAX];
	return count;
}

void alerts_delivered(struct alerts *alerts, enum alerts_carrier carrier, uint64_t seq)
{
	if (seq <= alerts->kept.places[carrier] || seq > alerts->kept.newest)
		return;
	alerts->kept.places[carrier] = seq;
	alerts->unsaved = true;
	count_waiting(alerts);
}

void alerts_absent(struct alerts *alerts, enum alerts_carrier carrier)
{
	alerts_delivered(alerts, carrier, alerts->kept.newest);
}

uint64_t alerts_place(const struct alerts *alerts, enum alerts_carrier carrier)
{
	return alerts->kept.places[carrier];
}

uint64_t alerts_newest(const struct alerts *alerts)
{
	return alerts->kept.newest;
}

/* -- the table --------------------------------------------------------------------------------- */

static struct alert *find(struct alerts *alerts, unsigned code, unsigned kind, unsigned node)
{
	for (int i = 0; i < ALERTS_MAX; i++) {
		struct alert *alert = &alerts->kept.all[i];
		if (alert->id && alert->code == code && alert->kind == kind && alert->node == node)
			return alert;
	}
	return NULL;
}

static void forget(struct alerts *alerts, struct alert *alert)
{
	*alert = (struct alert){0};
	alerts->counts.depth--;
	alerts->unsaved = true;
}

/* A free place, or that of the one which was over first; NULL: all stand. The last place is for the alert that says so. */
static struct alert *place(struct alerts *alerts, unsigned code)
{
	struct alert *found = NULL;
	int most = code == ALERT_ALERTS_DROPPED ? ALERTS_MAX : ALERTS_MAX - 1;
	for (int i = 0; i < most; i++) {
		struct alert *alert = &alerts->kept.all[i];
		if (!alert->id)
			return alert;
		if (!alert->active && !alert->told && (!found || alert->cleared_ms < found->cleared_ms))
			found = alert;
	}
	if (found)
		forget(alerts, found);
	return found;
}

static void write_detail(struct alert *alert, const char *detail)
{
	size_t length = strnlen(detail, ALERT_DETAIL);
	memset(alert->detail, 0, sizeof alert->detail);
	for (size_t i = 0; i < length; i++)
		alert->detail[i] = detail[i] < ' ' || detail[i] > '~' ? '?' : detail[i];
}

static void begin(struct alerts *alerts, struct alert *alert, const struct alert_moment *now)
{
	alert->active = true;
	alert->cleared_ms = 0;
	alert->acked_ms = 0;
	alert->acked_by = 0;
	alert->first_ms = now->wall_ms;
	alert->count++;
	alerts->counts.raised++;
	alerts->unsaved = true;
	if (!alert->told)
		tell(alerts, alert, ALERT_RAISED, now);
}

bool alerts_raise(struct alerts *alerts, const struct alert_claim *claim, bool lease,
		  const struct alert_moment *now)
{
	const struct alert_row *row = alert_row(claim->code);
	if (!row)
		return false;
	struct alert *alert = find(alerts, claim->code, claim->kind, claim->node);
	if (!alert && !(alert = place(alerts, claim->code))) {
		alerts->counts.dropped++;
		return false;
	}
	if (!alert->id) {
		*alert = (struct alert){.id = ++alerts->kept.ids,
					.code = claim->code,
					.kind = claim->kind,
					.node = claim->node};
		if (++alerts->counts.depth > alerts->counts.high)
			alerts->counts.high = alerts->counts.depth;
	} else if (alert->active && !row->holds) {
		alert->count++;
	}
	write_detail(alert, claim->detail);
	alert->last_ms = now->wall_ms;
	alert->until_ms = !row->holds ? now->ms + alerts->quiet_ms : lease ? now->ms + ALERT_LEASE_MS : 0;
	alert->seen = true;
	if (!alert->active)
		begin(alerts, alert, now);
	return true;
}

static void end(struct alerts *alerts, struct alert *alert, const struct alert_moment *now)
{
	alert->active = false;
	alert->until_ms = 0;
	alert->cleared_ms = now->wall_ms;
	alerts->counts.cleared++;
	alerts->unsaved = true;
	if (alert->told)
		tell(alerts, alert, ALERT_CLEARED, now);
}

void alerts_clear(struct alerts *alerts, unsigned code, unsigned kind, unsigned node,
		  const struct alert_moment *now)
{
	struct alert *alert = find(alerts, code, kind, node);
	if (alert && alert->active)
		end(alerts, alert, now);
}

void alerts_born(struct alerts *alerts, unsigned kind, unsigned node, const struct alert_moment *now)
{
	for (int i = 0; i < ALERTS_MAX; i++) {
		struct alert *alert = &alerts->kept.all[i];
		bool its = alert->id && alert->active && alert->until_ms && alert->kind == kind &&
			   alert->node == node;
		if (its && alert_row(alert->code) && alert_row(alert->code)->holds)
			end(alerts, alert, now);
	}
}

void alerts_round(struct alerts *alerts)
{
	for (int i = 0; i < ALERTS_MAX; i++)
		alerts->kept.all[i].seen = false;
}

void alerts_round_end(struct alerts *alerts, const struct alert_moment *now)
{
	for (int i = 0; i < ALERTS_MAX; i++) {
		struct alert *alert = &alerts->kept.all[i];
		if (alert->id && alert->active && !alert->until_ms && !alert->seen)
			end(alerts, alert, now);
	}
}

void alerts_tick(struct alerts *alerts, const struct alert_moment *now)
{
	for (int i = 0; i < ALERTS_MAX; i++) {
		struct alert *alert = &alerts->kept.all[i];
		if (alert->id && alert->active && alert->until_ms && alert->until_ms <= now->ms)
			end(alerts, alert, now);
		if (!alert->id)
			continue;
		int64_t age = now->wall_ms - alert->told_since_ms;
		if (alert->active != alert->told && (age < 0 || age > NEWS_WINDOW_MS))
			tell(alerts, alert, alert->active ? ALERT_RAISED : ALERT_CLEARED, now);
		int64_t over = now->wall_ms - alert->cleared_ms;
		if (!alert->active && !alert->told && (over < 0 || over > ALERT_RECENT_MS) &&
		    (age < 0 || age > NEWS_WINDOW_MS || alert->told_count < NEWS_OF_ONE))
			forget(alerts, alert);
	}
}

enum err alerts_ack(struct alerts *alerts, uint64_t id, uint32_t uid, const struct alert_moment *now)
{
	for (int i = 0; id && i < ALERTS_MAX; i++) {
		struct alert *alert = &alerts->kept.all[i];
		if (alert->id != id)
			continue;
		if (alert->acked_ms)
			return ERR_OK;
		alert->acked_ms = now->wall_ms;
		alert->acked_by = uid;
		tell(alerts, alert, ALERT_ACKED, now);
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

enum log_level alert_loudness(const struct alert_news *news)
{
	const struct alert_row *row = alert_row(news->code);
	if (news->change != ALERT_RAISED || row->severity == ALERT_INFO)
		return LOG_INFO;
	return row->severity == ALERT_WARN ? LOG_WARN : LOG_ERROR;
}

const char *alert_quotable(const struct alert_news *news, char text[ALERT_DETAIL + 1])
{
	snprintf(text, ALERT_DETAIL + 1, "%s", news->detail);
	for (char *at = text; *at; at++)
		if (*at == '"')
			*at = '\'';
	return text;
}
