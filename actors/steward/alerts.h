/* The alerts that stand and those that were over lately, and the news about them in order. Bounded, and kept in a file, so that
 * a new birth knows which it has told and who has seen which. Plain C: the clock and the file are handed in. */
#ifndef WARREN_STEWARD_ALERTS_H
#define WARREN_STEWARD_ALERTS_H

#include "actors/base/log/log.h"
#include "proto/alerts.h"
#include "proto/err.h"

enum {
	ALERTS_MAX = 256,        /* one more is dropped and counted; bound of STEWARD_ALERTS_REPLY */
	NEWS_MAX = 256,          /* kept until they are delivered; then the oldest gives way, and the gap shows in `seq` */
	NEWS_AT_ONCE = 16,       /* bound of STEWARD_NEWS_REPLY */
	NEWS_OF_ONE = 8,         /* of one alert in NEWS_WINDOW_MS; what it becomes meanwhile is told afterwards */
	ALERT_LEASE_MS = 35000,  /* an actor's alert that it does not repeat is over: actors/base repeats each 10 s */
	ALERT_RECENT_MS = 600000, /* how long one that is over is still shown */
};
#define NEWS_WINDOW_MS (INT64_C(3600) * 1000)

struct alert_moment {
	uint64_t ms;     /* CLOCK_MONOTONIC */
	int64_t wall_ms; /* Unix */
};

struct alert_claim {
	uint16_t code, node;
	uint8_t kind; /* KIND_NONE: of the machine, or of the node */
	const char *detail;
};

struct alert { /* in the file as it is; id 0: free */
	uint64_t id;
	int64_t first_ms, last_ms, cleared_ms, acked_ms; /* Unix; acked_ms 0: nobody has seen it */
	int64_t told_since_ms; /* begin of its window of news */
	uint64_t until_ms;     /* CLOCK_MONOTONIC; over then, unless raised again; 0: a rule says when */
	uint32_t count, acked_by;
	uint32_t told_count; /* news in the window */
	uint16_t code, node;
	uint8_t kind;
	uint8_t active, told; /* stands; what the last news said */
	uint8_t seen;         /* by the rules of this round */
	char detail[ALERT_DETAIL + 1];
	char padding[3];
};

struct alerts_counts {
	uint64_t depth, high, dropped; /* of the table */
	uint64_t raised, cleared, muted;
	uint64_t waiting, waiting_high, lost; /* news that were not delivered; and that gave way */
};

struct alerts;

/* Told of each piece of news, at once. */
typedef void alerts_news_fn(void *context, const struct alert_news *news);
struct alerts *alerts_new(uint64_t quiet_ms, alerts_news_fn *on_news, void *context);
void alerts_free(struct alerts **alerts);

/* Raises it, or says again that it stands. `lease`: it came from an actor, and is over when it is not repeated. False: the
 * table is full; dropped and counted. */
bool alerts_raise(struct alerts *alerts, const struct alert_claim *claim, bool lease, const struct alert_moment *now);
void alerts_clear(struct alerts *alerts, unsigned code, unsigned kind, unsigned node, const struct alert_moment *now);

/* An actor was born: what its last birth held is over, unless this one holds it too. Moments stay until they are quiet. */
void alerts_born(struct alerts *alerts, unsigned kind, unsigned node, const struct alert_moment *now);

/* A round of rules: what they raised before and do not raise between these two is over. */
void alerts_round(struct alerts *alerts);
void alerts_round_end(struct alerts *alerts, const struct alert_moment *now);

/* Ends what is past its time, tells what could not be told, forgets what was over long ago. */
void alerts_tick(struct alerts *alerts, const struct alert_moment *now);

/* NOT_FOUND: none has this id. Seeing it again changes nothing. */
enum err alerts_ack(struct alerts *alerts, uint64_t id, uint32_t uid, const struct alert_moment *now);

/* The table; entries with id 0 are free. */
const struct alert *alerts_all(const struct alerts *alerts);
const struct alerts_counts *alerts_counts(const struct alerts *alerts);

/* The two who carry news away, each with its own place in them. */
enum alerts_carrier { CARRY_WEBHOOK, CARRY_COMMAND, CARRIERS };
/* The news after the carrier's place, oldest first, at most NEWS_AT_ONCE. */
unsigned alerts_news(const struct alerts *alerts, enum alerts_carrier carrier, struct alert_news news[NEWS_AT_ONCE]);
/* Up to `seq` is done with. One that is not the carrier's to say (of another life, from the future) is not believed. */
void alerts_delivered(struct alerts *alerts, enum alerts_carrier carrier, uint64_t seq);
/* There is no such carrier: nothing waits for it, and should it come, it begins with what happens then. */
void alerts_absent(struct alerts *alerts, enum alerts_carrier carrier);
uint64_t alerts_place(const struct alerts *alerts, enum alerts_carrier carrier);
uint64_t alerts_newest(const struct alerts *alerts);

/* Kept with the alerts. Walls that ever stood around a kind of process, WALL_ bits, `more` among them from now on; and how many
 * refusals of processes the broker had counted when last looked at. Both return what was. */
uint32_t alerts_stood(struct alerts *alerts, unsigned kind, uint32_t more);
uint64_t alerts_accused(struct alerts *alerts, uint64_t now);

/* The file: two places, written in turn, so that one is whole whatever happens. Loading: false when neither is (or the file is
 * new): the table stays empty, and conditions that hold are raised again. Saving: false and errno. */
#define ALERTS_FILE "alerts"
/* Opens it in that folder, or makes an empty one; -1 when it cannot, which is logged. One of a later version is not read and not
 * written over: it is put aside as ALERTS_FILE.vN. An operator without a steward could not even be told why. */
int alerts_open(const char *folder);
bool alerts_load(struct alerts *alerts, int fd, const struct alert_moment *now);
bool alerts_save(struct alerts *alerts, int fd);
bool alerts_unsaved(const struct alerts *alerts);

/* How a piece of news is logged: the level, and its detail as text that fits between quotes. */
enum log_level alert_loudness(const struct alert_news *news);
const char *alert_quotable(const struct alert_news *news, char text[ALERT_DETAIL + 1]);

#endif
