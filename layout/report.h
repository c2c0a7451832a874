/* What came of it: counts, and what was refused with why, said as it happens or as one JSON object at the end. */
#ifndef WARREN_LAYOUT_REPORT_H
#define WARREN_LAYOUT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_SILENT = 5, REFUSED_NAMED = 10000 /* more are counted, and not named */ };

struct report {
	bool json;
	const char *done_as; /* "imported" */
	uint64_t done, bytes, already, refused;
	json_t *refusals; /* with json: {name, why} */
};

/* `name` is anybody's word: what would steer a terminal becomes "?". */
void report_refused(struct report *report, const char *name, const char *why);

/* It cannot go on at all. Returns `code`. */
int report_failed(struct report *report, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The summary. Returns how the program ends. */
int report_end(struct report *report);

#endif
