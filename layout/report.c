/* The report. Writes to standard output and standard error. */
#include "layout/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_TEXT = 96 };

/* A name as it may be printed: cut, and nothing but what ASCII prints. */
static const char *clean(const char *name, char text[NAME_TEXT])
{
	size_t length = 0;
	for (; name[length] && length < NAME_TEXT - 1; length++)
		text[length] = name[length] < ' ' || name[length] > '~' ? '?' : name[length];
	text[length] = '\0';
	return text;
}

void report_refused(struct report *report, const char *name, const char *why)
{
	char text[NAME_TEXT];
	if (report->refused++ >= REFUSED_NAMED)
		return;
	clean(name, text);
	if (!report->json) {
		fprintf(stderr, "refused %s: %s\n", text, why);
		return;
	}
	if (!report->refusals)
		report->refusals = json_array();
	json_array_append_new(report->refusals, json_pack("{s:s, s:s}", "name", text, "why", why));
}

static void counts_json(const struct report *report, json_t *object)
{
	json_object_set_new(object, report->done_as, json_integer((json_int_t)report->done));
	json_object_set_new(object, "bytes", json_integer((json_int_t)report->bytes));
	json_object_set_new(object, "already", json_integer((json_int_t)report->already));
	json_object_set_new(object, "refused", json_integer((json_int_t)report->refused));
	json_object_set_new(object, "refusals",
			    report->refusals ? json_incref(report->refusals) : json_array());
}

static void say_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	puts("");
	json_decref(object);
}

int report_failed(struct report *report, int code, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (report->json) {
		json_t *object = json_pack("{s:b, s:s, s:s}", "ok", 0, "error",
					   code == EXIT_USAGE    ? "usage"
					   : code == EXIT_SILENT ? "silent"
								 : "failed",
					   "why", text);
		counts_json(report, object);
		say_json(object);
	} else {
		if (report->done || report->already)
			fprintf(stderr, "%s so far: %" PRIu64 ", already there: %" PRIu64 "\n",
				report->done_as, report->done, report->already);
		fprintf(stderr, "warren-layout: %s\n", text);
	}
	return code;
}

int report_end(struct report *report)
{
	if (report->json) {
		json_t *object = json_pack("{s:b}", "ok", report->refused == 0);
		counts_json(report, object);
		say_json(object);
	} else {
		printf("%s %" PRIu64 " (%" PRIu64 " bytes), already there %" PRIu64 ", refused %" PRIu64 "\n",
		       report->done_as, report->done, report->bytes, report->already, report->refused);
	}
	return report->refused ? EXIT_REFUSED : 0;
}
