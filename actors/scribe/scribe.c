/* scribe: reads every process's log pipe and writes the files. One per machine, as its own uid. Touches its
 * one folder, the pipes it is handed, and the bus only to say how it fares. It is asked by nobody for a line
 * and sends none.
 *
 * When it dies, lines wait in their pipes (64 KiB each) until it is born again; when that is too long,
 * writers drop and count. A dead scribe stops nobody. */
#include "actors/base/actor.h"
#include "actors/base/reasons/reasons.h"
#include "actors/scribe/pipes.h"
#include "proto/scribe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 1000, DRAIN_MS = 1000, SYNC_MS = 2000, MIB = 1024 * 1024 };

struct scribe {
	struct files files;
	struct pipes *pipes;
	bool troubled;    /* was said */
	uint64_t dropped; /* likewise */
};

static struct moment moment(void)
{
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){now_ms(), (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000};
}

enum err on_scribe_stat(struct actor *actor, struct call *call, const struct scribe_stat *in,
			struct scribe_stat_reply *out)
{
	(void)call, (void)in;
	const struct scribe *self = actor_state(actor);
	const struct pipes_counts *counts = pipes_counts(self->pipes);
	out->lines = self->files.lines;
	out->bytes = self->files.bytes;
	out->dropped = self->files.dropped;
	out->cut = counts->cut;
	out->pipes = (uint32_t)counts->open;
	out->rotations = (uint32_t)self->files.rotations;
	snprintf(out->trouble, sizeof out->trouble, "%s", self->files.trouble);
	return ERR_OK;
}

/* -- reading ----------------------------------------------------------------------------------- */

static void receive(struct actor *actor, const struct moment *now)
{
	struct scribe *self = actor_state(actor);
	if (pipes_receive(self->pipes, actor_inherited(actor, FD_LOGS), now))
		return;
	/* The supervisor is dead, and soon everybody is: keep what was said last. */
	pipes_close(&self->pipes, now);
	exit(EXIT_WORLD);
}

static void on_entries(struct actor *actor, void *context, int fd, short events)
{
	(void)context, (void)fd, (void)events;
	struct moment now = moment();
	receive(actor, &now);
}

/* A birth is told before the process can write, so what the supervisor says is heard before the pipes are
 * read. */
static void on_pipes(struct actor *actor, void *context, int fd, short events)
{
	(void)context, (void)fd, (void)events;
	struct scribe *self = actor_state(actor);
	struct moment now = moment();
	receive(actor, &now);
	pipes_turn(self->pipes, &now);
}

/* Said once when trouble begins and once when it is over: these lines go through our own pipe like
 * everybody's. */
static void say_trouble(struct actor *actor, struct scribe *self)
{
	if (self->files.dropped != self->dropped)
		actor_alert(actor, ALERT_LOGS_DROPPED, "%" PRIu64 " lines since scribe began",
			    self->files.dropped);
	self->dropped = self->files.dropped;
	bool troubled = self->files.troubled > 0;
	if (troubled == self->troubled)
		return;
	self->troubled = troubled;
	if (troubled) {
		reason_note(REASON_LOGS_REFUSED, "", "%s", self->files.trouble);
		actor_alert(actor, ALERT_DISK_REFUSES, "log files: %s", self->files.trouble);
		log_error("scribe.trouble", "files=%" PRIu64 " newest=\"%s\"", self->files.troubled,
			  self->files.trouble);
	} else {
		reason_over(REASON_LOGS_REFUSED, NULL);
		actor_alert_over(actor, ALERT_DISK_REFUSES);
		log_info("scribe.trouble_over", "dropped=%" PRIu64, self->files.dropped);
	}
}

static void tick(struct actor *actor, void *context)
{
	(void)context;
	struct scribe *self = actor_state(actor);
	struct moment now = moment();
	pipes_tick(self->pipes, &now);
	say_trouble(actor, self);
}

/* -- birth and end ----------------------------------------------------------------------------- */

static void limits(struct actor *actor, struct scribe *self)
{
	const struct pipes_counts *counts = pipes_counts(self->pipes);
	const struct files *files = &self->files;
	actor_limit(actor,
		    (struct limit){"log pipes", &counts->open, &counts->high, &counts->refused, PIPES_MAX});
	actor_limit(actor, (struct limit){"log files open", &files->open_count, &files->open_high, NULL,
					  FILES_OPEN});
	actor_limit(actor,
		    (struct limit){"log files in trouble", &files->troubled, NULL, &files->dropped, 0});
	actor_limit(actor, (struct limit){"log lines cut", NULL, NULL, &counts->cut, 0});
}

/* Files are opened while it runs, unlike in most processes: its row in proto/actors.def names the system
 * calls for it. */
static int start(struct actor *actor)
{
	struct scribe *self = actor_state(actor);
	const char *path = actor_self_path(actor);
	umask(0027); /* FILE_MODE and FOLDER_MODE as they are: the group may read */
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		log_error("scribe.folder", "path=\"%s\" errno=%d", path, errno);
		reason_note(REASON_LOGS_FOLDER, "", "%s cannot be opened: errno %d", path, errno);
		return EXIT_CONFIG;
	}
	files_begin(&self->files, folder, actor_setting_number(actor, "log_rotate_mb") * MIB,
		    (unsigned)actor_setting_number(actor, "log_keep"), (uint32_t)getpid());
	self->pipes = pipes_open(&self->files);
	if (!self->pipes) {
		log_error("scribe.epoll", "errno=%d", errno);
		return EXIT_WORLD;
	}
	limits(actor, self);
	actor_watch(actor, actor_inherited(actor, FD_LOGS), POLLIN, on_entries, NULL);
	actor_watch(actor, pipes_fd(self->pipes), POLLIN, on_pipes, NULL);
	actor_every(actor, TICK_MS, tick, NULL);
	return 0;
}

/* What is left in the pipes, then to the disk. Both have their time: somebody may go on writing, a disk may
 * be slow. */
static void drain(struct actor *actor)
{
	struct scribe *self = actor_state(actor);
	uint64_t begun = now_ms();
	struct moment now = moment();
	receive(actor, &now);
	while (pipes_turn(self->pipes, &now) > 0 && now.ms - begun < DRAIN_MS)
		now = moment();
	pipes_flush(self->pipes, &now);
	while (files_sync_one(&self->files) && now_ms() - begun < SYNC_MS)
		continue;
	actor_drained(actor);
}

HANDLERS(scribe_handlers, SCRIBE_CALLS);

int main(void)
{
	static struct scribe self;
	static const struct actor_spec spec = {
		.kind = SCRIBE,
		.handlers = scribe_handlers,
		.start = start,
		.drain = drain,
	};
	return actor_main(&spec, &self);
}
