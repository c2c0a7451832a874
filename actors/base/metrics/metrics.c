/* The writer of metrics: a family is said once, then its samples, as the text form wants it. Pure. */
#include "actors/base/metrics/metrics.h"

#include "actors/base/memory/memory.h"
#include "proto/alerts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void add(struct metrics *metrics, const char *format, ...)
{
	enum { LINE = 256 };
	va_list arguments;
	if (metrics->room - metrics->length < LINE) {
		metrics->room = metrics->room * 2 + 4096;
		metrics->text = x_grow(metrics->text, metrics->room);
	}
	va_start(arguments, format);
	int wrote = vsnprintf(metrics->text + metrics->length, LINE, format, arguments);
	va_end(arguments);
	metrics->length += wrote > 0 && wrote < LINE ? (size_t)wrote : 0;
}

static void family(struct metrics *metrics, const char *name, const char *type, const char *help)
{
	add(metrics, "# HELP %s %s\n", name, help);
	add(metrics, "# TYPE %s %s\n", name, type);
}

#define OF_NODES(field, name, type, help) \
	family(metrics, name, type, help); \
	for (unsigned i = 0; i < count; i++) \
		if (all[i].known) \
			add(metrics, "%s{node=\"%u\"} %" PRIu64 "\n", name, all[i].node, all[i].field);

void metrics_stores(struct metrics *metrics, const struct metrics_store *all, unsigned count)
{
	STORE_FIGURES(OF_NODES)
}

void metrics_gateways(struct metrics *metrics, const struct metrics_gateway *all, unsigned count)
{
	GATEWAY_FIGURES(OF_NODES)
}

#define OF_PROCESSES(field, name, type, help) \
	family(metrics, name, type, help); \
	for (unsigned i = 0; i < count; i++) \
		add(metrics, "%s{process=\"%s\"} %" PRIu64 "\n", name, \
		    who_text(all[i].kind, all[i].node, who), all[i].field);

void metrics_processes(struct metrics *metrics, const struct metrics_process *all, unsigned count)
{
	char who[WHO_TEXT];
	PROCESS_FIGURES(OF_PROCESSES)
}

#define OF_MACHINE(field, name, type, help) \
	family(metrics, name, type, help); \
	add(metrics, "%s %" PRIu64 "\n", name, machine->field);

void metrics_of_machine(struct metrics *metrics, const struct metrics_machine *machine)
{
	MACHINE_FIGURES(OF_MACHINE)
	family(metrics, "warren_alerts", "gauge", "Alerts that stand.");
	for (unsigned severity = ALERT_INFO; severity <= ALERT_BAD; severity++)
		add(metrics, "warren_alerts{severity=\"%s\"} %" PRIu64 "\n", alert_severity_name(severity),
		    machine->alerts[severity]);
}
