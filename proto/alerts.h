/* Alerts: what an operator is told without asking. The codes are the rows of alerts.def; the steward keeps those that stand
 * (actors/steward), the console shows them, herald and the supervisor carry them out of the machine. */
#ifndef WARREN_PROTO_ALERTS_H
#define WARREN_PROTO_ALERTS_H

#include "proto/actors.h"

#include <stddef.h>

enum alert_severity { ALERT_INFO, ALERT_WARN, ALERT_BAD };
enum alert_change { ALERT_RAISED = 1, ALERT_CLEARED, ALERT_ACKED };

enum alert_code {
#define ALERT(SYMBOL, number, ...) ALERT_##SYMBOL = number,
#include "proto/alerts.def"
#undef ALERT
	ALERT_CODES = 22 /* above every number */
};

struct alert_row {
	const char *name;
	enum alert_severity severity;
	uint32_t by; /* kinds that may raise it, as bits; 0: the steward alone */
	bool holds;  /* a condition; else a moment */
	const char *what, *next;
};

const struct alert_row *alert_row(unsigned code); /* NULL: none has this number */
const char *alert_severity_name(unsigned severity);
const char *alert_change_name(unsigned change);

enum { ALERT_DETAIL = 160, ALERT_JSON = 2048, ALERT_NAME = 33 };

/* An alert on its way out of the machine: to the supervisor as it is, to a webhook as JSON. Fixed, no pointer. */
struct alert_news {
	uint64_t seq;      /* of the news: 1, 2, …; a gap says that some were dropped */
	uint64_t id;       /* of the alert */
	int64_t first_ms, last_ms, at_ms; /* Unix time */
	uint32_t count;    /* how often it was raised since it first was */
	uint32_t acked_by; /* uid; for ALERT_ACKED */
	uint16_t code, node;
	uint8_t kind;      /* subject: KIND_NONE and node 0: the machine; KIND_NONE and a node: that node */
	uint8_t change;
	uint8_t padding[2];
	char detail[ALERT_DETAIL + 1];
};

/* "machine", "node 3", "store@3". `text` holds WHO_TEXT bytes. */
const char *alert_subject(unsigned kind, unsigned node, char text[WHO_TEXT]);

/* One object on one line, ended by a line feed; whatever the detail holds, it is ASCII and valid JSON. Returns its length, 0 for
 * a code or a change that is none. */
size_t alert_json(const struct alert_news *news, const char *machine, char text[ALERT_JSON]);

/* "2026-11-21T14:25:00.123Z". `text` holds 32 bytes. */
const char *alert_time(int64_t unix_ms, char text[32]);

#endif
