/* The file of the alerts: two places, each a head with a turn and a digest, then what lasts. The newer whole one counts. It is
 * not synced: a disk that hangs must not hold up the one who carries an operator's orders. So it survives every process, and a
 * power cut may cost it; conditions that hold are raised again, and only who has seen what is forgotten. */
#include "actors/steward/alerts_inside.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "proto/formats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNTED_MOST (UINT64_C(1) << 62) /* alerts and news, ever: nobody counts so far */
enum { FILE_MAGIC = 0x544c4157 /* "WALT" */, FILE_VERSION = FORMAT_alerts, PLACES = 2 };

struct place {
	uint32_t magic, version;
	uint64_t size;
	uint8_t digest[32]; /* of `of` */
	struct {
		uint64_t turn;
		struct alerts_kept kept;
	} of;
};

static bool whole(const struct place *place)
{
	uint8_t digest[32];
	sha256(&place->of, sizeof place->of, digest);
	return place->magic == FILE_MAGIC && place->version == FILE_VERSION && place->size == sizeof *place &&
	       memcmp(digest, place->digest, sizeof digest) == 0 && place->of.kept.newest < COUNTED_MOST &&
	       place->of.kept.ids < COUNTED_MOST;
}

/* -- what was read ----------------------------------------------------------------------------- */

/* Whoever can write the file can make its digest right, and a build that knew other alerts wrote it in good faith. So nothing of it
 * is believed before it was looked at. */
static bool time_fits(int64_t ms)
{
	static const int64_t end_ms = INT64_C(253402300800000); /* of the year 9999 */
	return ms >= 0 && ms < end_ms;
}

static bool subject_fits(unsigned code, unsigned kind, unsigned node)
{
	return alert_row(code) && (kind == KIND_NONE || actor_row(kind)) && node <= NODES_MAX;
}

static void clean(char detail[ALERT_DETAIL + 1])
{
	size_t length = strnlen(detail, ALERT_DETAIL);
	memset(detail + length, 0, ALERT_DETAIL + 1 - length);
	for (size_t i = 0; i < length; i++)
		detail[i] = detail[i] < ' ' || detail[i] > '~' ? '?' : detail[i];
}

/* An alert that is none is forgotten: if its condition holds, it is raised again. */
static void check_alert(struct alert *alert)
{
	bool sound = alert->id && subject_fits(alert->code, alert->kind, alert->node) &&
		     time_fits(alert->first_ms) && time_fits(alert->last_ms) &&
		     time_fits(alert->cleared_ms) && time_fits(alert->acked_ms) &&
		     time_fits(alert->told_since_ms);
	if (!sound)
		*alert = (struct alert){0};
	alert->active = alert->active != 0;
	alert->told = alert->told != 0;
	clean(alert->detail);
}

static bool news_fit(struct alert_news *news, uint64_t seq)
{
	clean(news->detail);
	return news->seq == seq && subject_fits(news->code, news->kind, news->node) &&
	       news->change >= ALERT_RAISED && news->change <= ALERT_ACKED && time_fits(news->first_ms) &&
	       time_fits(news->last_ms) && time_fits(news->at_ms);
}

/* News that are none, and what came before them, are not told any more. */
static void check(struct alerts_kept *kept)
{
	for (int i = 0; i < ALERTS_MAX; i++)
		check_alert(&kept->all[i]);
	uint64_t oldest = kept->newest > NEWS_MAX ? kept->newest - NEWS_MAX : 0, done = oldest;
	for (uint64_t seq = oldest + 1; seq <= kept->newest; seq++)
		if (!news_fit(&kept->news[(seq - 1) % NEWS_MAX], seq))
			done = seq;
	for (int i = 0; i < CARRIERS; i++) {
		uint64_t place = kept->places[i] > kept->newest ? kept->newest : kept->places[i];
		kept->places[i] = done > oldest && place < done ? done : place;
	}
}

/* Times of the monotonic clock are of another life of the machine: whoever holds an alert has a whole lease to say it again. */
static void renew(struct alerts *alerts, const struct alert_moment *now)
{
	for (int i = 0; i < ALERTS_MAX; i++) {
		struct alert *alert = &alerts->kept.all[i];
		const struct alert_row *row = alert_row(alert->code);
		if (!alert->id)
			continue;
		alerts->counts.depth++;
		if (alert->until_ms)
			alert->until_ms = now->ms + (row && !row->holds ? alerts->quiet_ms : ALERT_LEASE_MS);
	}
	alerts->counts.high = alerts->counts.depth;
}

/* The descriptor of a file of ours, an empty one in the place of a newer one; -1 and errno. */
static int open_in(int folder)
{
	const int how = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	uint32_t head[2]; /* magic, version: what every version begins with */
	char aside[40];
	int fd = folder < 0 ? -1 : openat(folder, ALERTS_FILE, how, 0600);
	if (fd < 0 || pread(fd, head, sizeof head, 0) != sizeof head || head[0] != FILE_MAGIC ||
	    head[1] <= FILE_VERSION)
		return fd;
	snprintf(aside, sizeof aside, ALERTS_FILE ".v%u", head[1]);
	log_warn("alerts.newer", "version=%u ours=%d kept=%s", head[1], FILE_VERSION, aside);
	close(fd);
	return renameat(folder, ALERTS_FILE, folder, aside) == 0 ? openat(folder, ALERTS_FILE, how, 0600)
								 : -1;
}

int alerts_open(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = open_in(folder);
	if (fd < 0)
		log_warn("alerts.file",
			 "path=\"%s/" ALERTS_FILE "\" errno=%d then=\"they are kept in memory\"", path,
			 errno);
	if (folder >= 0)
		close(folder);
	return fd;
}

bool alerts_load(struct alerts *alerts, int fd, const struct alert_moment *now)
{
	struct place *place = x_new(sizeof *place);
	bool found = false;
	for (int i = 0; i < PLACES; i++) {
		if (pread(fd, place, sizeof *place, (off_t)(i * sizeof *place)) != sizeof *place ||
		    !whole(place) || (found && place->of.turn < alerts->turn))
			continue;
		alerts->kept = place->of.kept;
		alerts->turn = place->of.turn;
		found = true;
	}
	x_free(&place);
	if (found) {
		check(&alerts->kept);
		renew(alerts, now);
	}
	return found;
}

bool alerts_save(struct alerts *alerts, int fd)
{
	struct place *place = x_new(sizeof *place);
	alerts->unsaved = false;
	*place = (struct place){.magic = FILE_MAGIC,
				.version = FILE_VERSION,
				.size = sizeof *place,
				.of = {++alerts->turn, alerts->kept}};
	sha256(&place->of, sizeof place->of, place->digest);
	bool saved = pwrite(fd, place, sizeof *place, (off_t)(alerts->turn % PLACES * sizeof *place)) ==
		     sizeof *place;
	x_free(&place);
	return saved;
}
