/* Birth, life and end of an actor: the one start order. Runs as the actor's own uid, inside the jail that the supervisor
 * built before the program began. When it dies the supervisor starts it again; nothing here outlives it. */
#include "actors/base/runtime.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/reasons/reasons.h"
#include "actors/base/seal/seal.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DUTIES_LOOK_MS = 100 };

/* -- what a process knows -------------------------------------------------------------------------------------------- */

void *actor_state(struct actor *self)
{
	return self->state;
}

uint16_t actor_node(struct actor *self)
{
	return self->born.birth.node;
}

const char *actor_self_path(struct actor *self)
{
	return self->born.self_path;
}

const char *actor_run_path(struct actor *self)
{
	return self->born.run_path;
}

const char *actor_setting(struct actor *self, const char *name)
{
	return born_setting(&self->born, name);
}

uint64_t actor_setting_number(struct actor *self, const char *name)
{
	return strtoull(actor_setting(self, name), NULL, 10); /* the supervisor checked it against its row */
}

const uint8_t *actor_secret(struct actor *self)
{
	return self->born.birth.secret;
}

void actor_forget_secret(struct actor *self)
{
	wipe(self->born.birth.secret, sizeof self->born.birth.secret);
}

int actor_inherited(struct actor *self, uint32_t what)
{
	return birth_fd(self->born.row, what);
}

uint8_t actor_init_flags(struct actor *self)
{
	return self->born.birth.flags;
}

bool actor_pretends(struct actor *self, enum wall wall)
{
	return self->born.birth.pretend & 1U << wall;
}

bool actor_lacks(struct actor *self, enum wall wall)
{
	return self->born.birth.missing & 1U << wall;
}

void actor_missing(struct actor *self, enum wall wall)
{
	self->born.birth.missing |= 1U << wall;
}

/* -- the beat, the end ----------------------------------------------------------------------------------------------- */

static void beat(struct actor *self, void *context)
{
	(void)context;
	born_pulse(self->refused ? LIFE_REFUSED : LIFE_BEAT);
	self->refused = false;
	if (self->level_until_ms && self->level_until_ms <= now_ms()) {
		log_threshold(LOG_INFO);
		self->level_until_ms = 0;
	}
	int last;
	uint64_t strange = seal_strange(&last);
	if (strange != self->strange) {
		log_warn("seal.strange", "syscall=%d count=%" PRIu64, last, strange);
		self->strange = strange;
		reason_note(REASON_STRANGE_CALL, "", "system call %d was answered ENOSYS, %" PRIu64 " in all",
			    last, strange);
	}
}

void actor_drained(struct actor *self)
{
	born_pulse(LIFE_DRAINED);
	self->drained = true;
}

void actor_not_ready(struct actor *self)
{
	self->not_yet = true;
}

void actor_is_ready(struct actor *self)
{
	bug_if(!self->not_yet);
	self->not_yet = false;
	born_pulse(LIFE_READY);
}

void actor_refused(struct actor *self)
{
	self->refused = true;
}

void actor_alive(void)
{
	born_pulse(LIFE_BEAT);
}

static void end(struct actor *self)
{
	if (self->draining)
		return;
	self->draining = true;
	if (self->spec->drain)
		self->spec->drain(self);
	else
		actor_drained(self);
}

unsigned actor_under_way(struct actor *self, struct duty duties[DUTIES_MAX])
{
	return self->spec->duties ? self->spec->duties(self, duties) : 0;
}

/* Said again each time, as a byte may be lost with a full pipe; the supervisor decides what follows. */
static void look_at_duties(struct actor *self, void *context)
{
	(void)context;
	struct duty duties[DUTIES_MAX];
	if (!actor_under_way(self, duties))
		born_pulse(LIFE_DRAINED);
}

static void close_doors(struct actor *self)
{
	if (self->closed || self->draining)
		return;
	self->closed = true;
	log_info("life.closed", "next=\"what is under way ends\"");
	if (self->spec->close)
		self->spec->close(self);
	actor_every(self, DUTIES_LOOK_MS, look_at_duties, NULL);
}

static void told(struct actor *self, void *context, int fd, short events)
{
	(void)context, (void)events;
	switch (born_signal(fd)) {
	case SIGTERM:
		end(self);
		break;
	case SIGUSR1:
		close_doors(self);
		break;
	}
}

/* -- the start order ------------------------------------------------------------------------------------------------- */

static struct actor *actor_new(const struct actor_spec *spec, void *state)
{
	struct actor *self = x_new(sizeof *self);
	self->spec = spec;
	self->state = state;
	self->born_ms = now_ms();
	for (int i = 0; i < ACTOR_WATCHES; i++)
		self->watches[i].fd = -1;
	actor_limit(self, (struct limit){"asks open", &self->asked.depth, &self->asked.high,
					 &self->asked.drops, ACTOR_ASKS});
	actor_limit(self, (struct limit){"calls kept", &self->kept.depth, &self->kept.high, &self->kept.drops,
					 ACTOR_KEPT});
	actor_limit(self, (struct limit){"descriptors watched", &self->watching.depth, &self->watching.high,
					 NULL, ACTOR_WATCHES});
	actor_limit(self,
		    (struct limit){"timers", &self->timing.depth, &self->timing.high, NULL, ACTOR_TIMERS});
	actor_limit(self, (struct limit){"reasons kept", reasons_depth(), reasons_high(), reasons_drops(),
					 REASONS_OF_ACTOR});
	actor_limit(self, (struct limit){"strange system calls", &self->strange, NULL, NULL, 0});
	return self;
}

/* Before the first thread, as Landlock counts for a thread and its children. What the libraries read once, they read now. */
static bool close_files(struct actor *self)
{
	crypto_warm();
	return born_close_files(&self->born, self->born.self_path);
}

static int initialise(struct actor *self)
{
	if (!self->spec->init) {
		log_error("life.no_init", "why=\"%s has nothing to make\"", self->born.row->name);
		return EXIT_CONFIG;
	}
	/* Not the system calls: nobody's bytes are read here, and what making needs, living must not have. */
	return close_files(self) ? self->spec->init(self) : EXIT_WORLD;
}

static bool connect_bus(struct actor *self)
{
	char path[128];
	snprintf(path, sizeof path, "%s/" SOCKET_BUS, self->born.run_path);
	if (bus_open(&self->bus, path, self->born.birth.routing))
		return true;
	log_error("life.bus", "path=%s errno=%d", path, errno);
	return false;
}

static int live(struct actor *self)
{
	self->signals = born_signals();
	int cold = self->spec->warm ? self->spec->warm(self) : 0;
	if (cold) {
		born_last_words();
		return cold;
	}
	if (self->signals < 0 || !close_files(self))
		return EXIT_WORLD;
	actor_watch(self, self->signals, POLLIN, told, NULL);
	actor_every(self, LIFE_BEAT_MS, beat, NULL);
	hello_soon(self);
	actor_every(self, ALERTS_AGAIN_MS, alerts_again, NULL);
	beat(self, NULL);
	int failed = self->spec->start ? self->spec->start(self) : 0;
	if (failed) {
		born_last_words();
		return failed;
	}
	if (!connect_bus(self) || !born_close_syscalls(&self->born))
		return EXIT_WORLD;
	log_info("life.start", "uid=%u missing=0x%x", getuid(), self->born.birth.missing);
	loop_run(self);
	log_info("life.end", "up_ms=%" PRIu64, now_ms() - self->born_ms);
	return 0;
}

int actor_main(const struct actor_spec *spec, void *state)
{
	struct actor *self = actor_new(spec, state);
	if (!born_read(&self->born, spec->kind))
		return EXIT_CONFIG;
	reasons_begin(self->born.birth.kind, self->born.birth.node, REASONS_OF_ACTOR);
	return self->born.birth.flags & BIRTH_INIT ? initialise(self) : live(self);
}
