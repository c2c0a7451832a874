/* The file of the alerts: two places, each a head with a turn and a digest, then what lasts. The newer whole one counts. It is
 * not synced: a disk that hangs must not hold up the one who carries an operator's orders. So it survives every process, and a
 * power cut may cost it; conditions that hold are raised again, and only who has seen what is forgotten. */
#include "actors/steward/alerts_inside.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <string.h>
#include <unistd.h>

enum { FILE_MAGIC = 0x544c4157 /* "WALT" */, FILE_VERSION = 1, PLACES = 2 };

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
	       memcmp(digest, place->digest, sizeof digest) == 0;
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
	if (found)
		renew(alerts, now);
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
