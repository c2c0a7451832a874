/* `warren alerts` and `warren metrics`: what the steward keeps of what is wrong, acknowledging it, and the
 * machine's figures. Details were written by processes: they are cleaned like all that comes from them. */
#include "actors/base/metrics/page.h"
#include "actors/console/processes.h"
#include "actors/console/units.h"
#include "proto/alerts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct steward_alerts_reply *ask_alerts(struct client *client, struct question *question)
{
	*question = (struct question){.row = &row_steward_alerts, .kind = STEWARD};
	return client_ask_one(client, question) == ERR_OK ? question->reply : NULL;
}

static bool unseen(const struct alert_line *line)
{
	const struct alert_row *row = alert_row(line->code);
	return row && line->active && !line->acked_ms && row->severity > ALERT_INFO;
}

unsigned alerts_unseen(struct client *client)
{
	struct question question;
	const struct steward_alerts_reply *reply = ask_alerts(client, &question);
	unsigned count = 0;
	for (uint32_t i = 0; reply && i < reply->alerts_count; i++)
		count += unseen(&reply->alerts[i]);
	return count;
}

/* -- showing ------------------------------------------------------------------------------------------- */

/* What stands before what is over, bad before warn before info, the newest first. */
static int by_weight(const void *a, const void *b)
{
	const struct alert_line *one = *(const struct alert_line *const *)a,
				*two = *(const struct alert_line *const *)b;
	const struct alert_row *of_one = alert_row(one->code), *of_two = alert_row(two->code);
	if (one->active != two->active)
		return one->active ? -1 : 1;
	if (of_one->severity != of_two->severity)
		return of_one->severity > of_two->severity ? -1 : 1;
	return one->last_ms < two->last_ms ? 1 : one->last_ms > two->last_ms ? -1 : 0;
}

static const struct alert_line **sorted(const struct steward_alerts_reply *reply, bool all, unsigned *count)
{
	const struct alert_line **lines = x_new_array(reply->alerts_count + 1, sizeof *lines);
	*count = 0;
	for (uint32_t i = 0; i < reply->alerts_count; i++)
		if (alert_row(reply->alerts[i].code) && (all || reply->alerts[i].active))
			lines[(*count)++] = &reply->alerts[i];
	qsort(lines, *count, sizeof *lines, by_weight);
	return lines;
}

static const char *ago(int64_t ms, char text[UNIT_TEXT])
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t past = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - ms;
	return duration_text(past > 0 ? (uint64_t)past : 0, text);
}

static void say_alert(const struct page *page, const struct alert_line *line)
{
	static const enum tint tints[] = {PLAIN, DOUBTFUL, BAD_NEWS};
	const struct alert_row *row = alert_row(line->code);
	char subject[WHO_TEXT], since[UNIT_TEXT], last[UNIT_TEXT];
	say_in(page, line->active ? tints[row->severity] : FAINT, " %-4s",
	       line->active ? alert_severity_name(row->severity) : "over");
	say(page, " %llu  %s  %s: %s", (unsigned long long)line->id, row->name,
	    alert_subject(line->kind, line->node, subject), row->what);
	if (line->detail[0])
		say(page, " (%s)", line->detail);
	say(page, "\n       since %s", ago(line->first_ms, since));
	if (!line->active)
		say(page, ", over since %s", ago(line->cleared_ms, last));
	if (line->count > 1)
		say(page, ", %u times", line->count);
	if (line->acked_ms)
		say(page, ", seen by uid %u", line->acked_by);
	say(page, "    %s\n", row->next);
}

static void say_alerts(const struct console *console, const struct steward_alerts_reply *reply)
{
	unsigned count, standing = 0;
	char text[UNIT_TEXT];
	bool all = argument(&console->arguments, "verbose");
	const struct alert_line **lines = sorted(reply, all, &count);
	for (unsigned i = 0; i < count; i++)
		standing += lines[i]->active;
	if (standing)
		say(&console->out, "%s\n", plural_text(standing, "alert stands", "alerts stand", text));
	else
		say(&console->out, "no alert stands\n");
	for (unsigned i = 0; i < count; i++)
		say_alert(&console->out, lines[i]);
	if (reply->dropped)
		say_in(&console->out, BAD_NEWS, " %s dropped: there were more than the table holds\n",
		       plural_text(reply->dropped, "alert was", "alerts were", text));
	x_free(&lines);
}

static json_t *time_json(int64_t ms)
{
	char text[32];
	return ms ? json_word(alert_time(ms, text)) : json_null();
}

static json_t *alert_line_json(const struct alert_line *line)
{
	const struct alert_row *row = alert_row(line->code);
	char subject[WHO_TEXT];
	json_t *object = json_object();
	json_object_set_new(object, "id", json_number(line->id));
	json_object_set_new(object, "code", json_word(row->name));
	json_object_set_new(object, "severity", json_word(alert_severity_name(row->severity)));
	json_object_set_new(object, "subject", json_word(alert_subject(line->kind, line->node, subject)));
	json_object_set_new(object, "active", json_boolean(line->active));
	json_object_set_new(object, "what", json_word(row->what));
	json_object_set_new(object, "detail", json_word(line->detail));
	json_object_set_new(object, "next", json_word(row->next));
	json_object_set_new(object, "count", json_integer(line->count));
	json_object_set_new(object, "first", time_json(line->first_ms));
	json_object_set_new(object, "last", time_json(line->last_ms));
	json_object_set_new(object, "cleared", time_json(line->cleared_ms));
	json_object_set_new(object, "acknowledged", time_json(line->acked_ms));
	json_object_set_new(object, "acknowledgedBy",
			    line->acked_ms ? json_integer(line->acked_by) : json_null());
	return object;
}

static void say_alerts_json(const struct console *console, const struct steward_alerts_reply *reply)
{
	unsigned count;
	const struct alert_line **lines = sorted(reply, true, &count);
	json_t *object = json_object(), *list = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, alert_line_json(lines[i]));
	json_object_set_new(object, "alerts", list);
	json_object_set_new(object, "raised", json_number(reply->raised));
	json_object_set_new(object, "cleared", json_number(reply->cleared));
	json_object_set_new(object, "dropped", json_number(reply->dropped));
	json_object_set_new(object, "muted", json_number(reply->muted));
	json_object_set_new(object, "news", json_number(reply->news));
	json_object_set_new(object, "delivered", json_number(reply->delivered));
	json_say(&console->out, object, false);
	x_free(&lines);
}

/* -- the commands -------------------------------------------------------------------------------------- */

static enum ending show(struct console *console, struct client *client)
{
	struct question question;
	const struct steward_alerts_reply *reply = ask_alerts(client, &question);
	if (!reply)
		return complain_of(console, client, &question);
	if (console->json)
		say_alerts_json(console, reply);
	else
		say_alerts(console, reply);
	return END_OK;
}

static enum ending acknowledge(struct console *console, struct client *client, uint64_t id)
{
	struct steward_ack request = {.id = id};
	struct question question = {.row = &row_steward_ack, .kind = STEWARD, .request = &request};
	enum err err = client_ask_one(client, &question);
	if (err == ERR_NOT_FOUND)
		return complain(console, END_FAILED, "not-found",
				"there is no alert %llu; warren alerts -v lists them",
				(unsigned long long)id);
	if (err != ERR_OK)
		return complain_of(console, client, &question);
	if (console->json)
		json_say(&console->out, json_pack("{s:b, s:o}", "ok", 1, "id", json_number(id)), false);
	else
		say(&console->out, "alert %llu is acknowledged\n", (unsigned long long)id);
	return END_OK;
}

enum ending command_alerts(struct console *console)
{
	const struct arguments *arguments = &console->arguments;
	struct client client;
	uint64_t id = 0;
	if (arguments->count == 1 || (arguments->count == 2 && strcmp(arguments->words[0], "ack") != 0))
		return complain(console, END_USAGE, "usage", "so: warren alerts, or warren alerts ack ID");
	if (arguments->count == 2 && !number_parse(arguments->words[1], 1, UINT64_MAX, &id))
		return complain(console, END_USAGE, "usage", "\"%s\" is no number of an alert",
				arguments->words[1]);
	enum ending ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	ending = id ? acknowledge(console, &client, id) : show(console, &client);
	client_close(&client);
	return ending;
}

/* Asks all of a kind and hands each answer on. */
#define TAKE_EACH(row, kind, take, type) \
	questions = ask_each(client, status, row, kind, &count); \
	for (unsigned i = 0; i < count; i++) \
		if (questions[i].err == ERR_OK) \
			take(&page, questions[i].node, (const struct type *)questions[i].reply); \
	x_free(&questions);

static void take_scribe(struct metrics_page *page, uint16_t node, const struct scribe_stat_reply *reply)
{
	(void)node;
	metrics_page_scribe(page, reply);
}

static void take_alerts(struct metrics_page *page, uint16_t node, const struct steward_alerts_reply *reply)
{
	(void)node;
	metrics_page_alerts(page, reply);
}

static void say_metrics(const struct console *console, struct client *client,
			const struct steward_status_reply *status)
{
	struct metrics_page page;
	struct question *questions;
	unsigned count;
	size_t length;
	metrics_page_begin(&page, status);
	TAKE_EACH(&row_store_stat, STORE, metrics_page_store, store_stat_reply)
	TAKE_EACH(&row_gateway_stat, GATEWAY, metrics_page_gateway, gateway_stat_reply)
	TAKE_EACH(&row_scribe_stat, SCRIBE, take_scribe, scribe_stat_reply)
	TAKE_EACH(&row_steward_alerts, STEWARD, take_alerts, steward_alerts_reply)
	questions = ask_each(client, status, &row_actor_limits, KIND_NONE, &count);
	for (unsigned i = 0; i < count; i++)
		if (questions[i].err == ERR_OK)
			metrics_page_limits(&page, questions[i].kind, questions[i].node, questions[i].reply);
	x_free(&questions);
	char *text = metrics_page_text(&page, &length);
	fwrite(text, 1, length, console->out.to);
	x_free(&text);
	metrics_page_end(&page);
}

enum ending command_metrics(struct console *console)
{
	struct client client;
	const struct steward_status_reply *status = NULL;
	if (console->json)
		return complain(console, END_USAGE, "usage",
				"metrics have one form; warren status --json has most of them as JSON");
	enum ending ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	ending = ask_status(console, &client, &status);
	if (ending == END_OK)
		say_metrics(console, &client, status);
	client_close(&client);
	return ending;
}
