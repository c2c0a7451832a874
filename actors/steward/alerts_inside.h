/* What alerts.c and alerts_file.c share. */
#ifndef WARREN_STEWARD_ALERTS_INSIDE_H
#define WARREN_STEWARD_ALERTS_INSIDE_H

#include "actors/steward/alerts.h"

/* What lasts: written to the file as it is. The same build on the same machine reads it; another one finds another size. */
struct alerts_kept {
	uint64_t ids, newest;      /* drawn; the seq of the newest news */
	uint64_t places[CARRIERS]; /* the seq up to which each carrier is done */
	uint64_t accused;
	uint32_t walls[KINDS];
	struct alert all[ALERTS_MAX];
	struct alert_news news[NEWS_MAX]; /* seq at (seq - 1) % NEWS_MAX */
};

struct alerts {
	struct alerts_kept kept;
	struct alerts_counts counts;
	uint64_t quiet_ms, turn; /* turn: of the file's two places */
	alerts_news_fn *on_news;
	void *context;
	bool unsaved;
};

#endif
