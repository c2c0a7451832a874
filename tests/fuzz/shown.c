/* What people and Prometheus are shown of messages that others sent: JSON, lines, the page of a machine's metrics. The first byte chooses
 * how, the next two which message; the rest is its body. JSON reads as JSON, lines steer no terminal, a page is of samples and comments. */
#include "tests/fuzz/target.h"

#include "actors/base/metrics/page.h"
#include "actors/console/values.h"
#include "proto/call.h"
#include "tests/fuzz/with/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 2 << 20 };

static void as_json(const struct message *message, const void *at)
{
	json_t *value = message_json(message, at);
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	must(text);
	json_t *read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	must(read && json_equal(read, value));
	json_decref(read);
	json_decref(value);
	free(text);
}

static void as_lines(const struct message *message, const void *at)
{
	char *text = NULL;
	size_t length = 0;
	struct page page = {.to = open_memstream(&text, &length)};
	must(page.to);
	message_lines(&page, message, at);
	fclose(page.to);
	for (size_t i = 0; i < length; i++)
		must(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
	free(text);
}

/* name{label="value"} number */
static void check_sample(const char *line, const char *end)
{
	const char *at = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	must(at > line);
	if (*at == '{') {
		at += 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");
		must(at[0] == '=' && at[1] == '"');
		at += 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz0123456789@-?");
		must(at[0] == '"' && at[1] == '}');
		at += 2;
	}
	must(*at == ' ' && at + 1 + strspn(at + 1, "0123456789") == end && end > at + 1);
}

static void as_metrics(const struct message *message, const void *at)
{
	static const struct steward_status_reply none;
	struct metrics_page page;
	size_t length;
	metrics_page_begin(&page, message == &message_steward_status_reply ? at : &none);
	if (message == &message_store_stat_reply)
		metrics_page_store(&page, 1, at);
	if (message == &message_gateway_stat_reply)
		metrics_page_gateway(&page, 1, at);
	if (message == &message_actor_limits_reply)
		metrics_page_limits(&page, STORE, 1, at);
	if (message == &message_scribe_stat_reply)
		metrics_page_scribe(&page, at);
	if (message == &message_steward_alerts_reply)
		metrics_page_alerts(&page, at);
	char *text = metrics_page_text(&page, &length);
	must(text && strlen(text) == length && length && text[length - 1] == '\n');
	for (const char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (*line != '#')
			check_sample(line, end);
	}
	x_free(&text);
	metrics_page_end(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct message *const measured[] = {
		&message_steward_status_reply, &message_store_stat_reply,  &message_gateway_stat_reply,
		&message_actor_limits_reply,   &message_scribe_stat_reply, &message_steward_alerts_reply};
	struct arena arena;
	if (length < 1 + CHOICE)
		return 0;
	unsigned how = bytes[0] % 3;
	const struct message *message = how == 2 ? measured[bytes[1] % 6] : choose(bytes + 1);
	uint8_t *at = x_new(message->size);
	arena_begin(&arena, MEMORY);
	if (message_unpack(message, bytes + 1 + CHOICE, length - 1 - CHOICE, &arena, at)) {
		if (how == 0)
			as_json(message, at);
		else if (how == 1)
			as_lines(message, at);
		else
			as_metrics(message, at);
	}
	arena_end(&arena);
	x_free(&at);
	return 0;
}
