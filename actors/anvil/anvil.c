/* The keeper of anvil, the embedded chain: a foreign program brought into the house. Runs as a uid of its own that owns its folder
 * and nothing else, in a jail that may bind the chain's port and dial nobody; is not on the bus. It starts anvil in the same jail,
 * makes its blocks, keeps them, beats for it, and ends when it ends.
 *
 * When it dies, anvil dies with it. The next one makes again what the newest state has not, where nobody looks (MENDING_HOST), and
 * then opens the port: nobody sees a chain that lacks a block it has seen. */
#include "actors/anvil/chain.h"
#include "actors/anvil/program.h"
#include "actors/anvil/state.h"
#include "actors/base/born/born.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "proto/chain_profile.h"
#include "proto/web.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	OPEN_MS = 20000,  /* until its socket is there: a large state is read first */
	HEALTH_MS = 2000, /* between two looks whether it answers */
	TRY_MS = 10,
	PATH = 160,
};
#define HOST         "127.0.0.1"
#define MENDING_HOST "127.66.0.1" /* loopback too, and nobody's */

struct keeper {
	struct born born;
	int signals;
	struct program program;
	pid_t anvil; /* 0: it has ended */
	int how;
	struct chain chain;
	struct timespec beat, health;
	bool told; /* to end */
	char socket[PATH];
};

static bool later(struct timespec *since, unsigned ms)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	long long gone = (now.tv_sec - since->tv_sec) * 1000LL + (now.tv_nsec - since->tv_nsec) / 1000000;
	if (gone < ms)
		return false;
	*since = now;
	return true;
}

static bool idle(void *context)
{
	struct keeper *self = context;
	if (later(&self->beat, LIFE_BEAT_MS))
		born_pulse(LIFE_BEAT);
	int signal = born_signal(self->signals);
	if (signal == SIGUSR1)
		born_pulse(LIFE_DRAINED);
	self->told = self->told || signal == SIGTERM;
	if (self->anvil > 0 && program_ended(self->anvil, &self->how))
		self->anvil = 0;
	return self->anvil > 0;
}

static _Noreturn void give_up(struct keeper *self, const char *what)
{
	const char *why = self->chain.why ? self->chain.why : self->chain.wire.why;
	idle(self);
	if (!self->anvil)
		log_error("anvil.ended", "%s=%d while=\"%s\"", self->how < 0 ? "signal" : "exit",
			  self->how < 0 ? -self->how : self->how, what);
	else
		log_error("anvil.failed", "while=\"%s\" why=\"%s\"", what, why);
	program_end(&self->anvil);
	exit(EXIT_WORLD);
}

/* -- its life ----------------------------------------------------------------------------------- */

static bool port_is_free(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	bool is_free = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
		       bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
	if (fd >= 0)
		close(fd);
	return is_free;
}

/* The anvil of a keeper that was killed may still be dying; anybody else there was seen by the supervisor. */
static void wait_for_port(struct keeper *self)
{
	for (unsigned waited = 0; !port_is_free(self->program.port); waited += TRY_MS) {
		if (waited > OPEN_MS) {
			log_error("anvil.port",
				  "port=%u next=\"end what holds it, or say another in etc/chain.conf\"",
				  self->program.port);
			exit(EXIT_WORLD);
		}
		idle(self);
		poll(NULL, 0, TRY_MS);
	}
}

static void begin(struct keeper *self, const char *host)
{
	self->program.host = host;
	self->program.state = state_there(self->chain.folder);
	unlinkat(self->chain.folder, PROGRAM_SOCKET, 0); /* of the one before */
	self->anvil = program_start(&self->program);
	if (self->anvil < 0)
		give_up(self, "fork");
}

static void connect_to(struct keeper *self)
{
	if (!wire_open(&self->chain.wire, self->socket, OPEN_MS))
		give_up(self, "waiting for its socket");
}

/* A journal that cannot be made again is put aside, loudly: a chain without its last blocks is better than none. */
static void put_aside(struct keeper *self)
{
	log_error("chain.lost", "why=\"%s\" kept=\"" JOURNAL_FILE ".bad\" head=%llu",
		  self->chain.why ? self->chain.why : self->chain.wire.why,
		  (unsigned long long)self->chain.head);
	renameat(self->chain.folder, JOURNAL_FILE, self->chain.folder, JOURNAL_FILE ".bad");
	journal_close(&self->chain.journal);
	if (!journal_open(&self->chain.journal, self->chain.folder))
		give_up(self, "opening a new journal");
}

/* The state of a new chain is written too: its first block has the second in it at which it was made. */
static void mend(struct keeper *self)
{
	begin(self, MENDING_HOST);
	connect_to(self);
	if (!chain_replay(&self->chain))
		put_aside(self);
	if (!chain_save(&self->chain))
		give_up(self, "writing its state");
	wire_close(&self->chain.wire);
	program_end(&self->anvil);
}

static void open_up(struct keeper *self)
{
	struct chain *chain = &self->chain;
	if (!journal_open(&chain->journal, chain->folder)) {
		log_error("journal.open", "errno=%m");
		exit(EXIT_WORLD);
	}
	wait_for_port(self);
	if (!state_there(chain->folder) || chain->journal.count)
		mend(self);
	begin(self, HOST);
	/* Not the other half of the seal: Landlock would put us out of reach of anvil, and the kernel's signal at our death is ours.
	 * What that half would take away, this one does: no program begins here, and no port is bound. */
	if (!born_close_syscalls(&self->born))
		exit(EXIT_WORLD);
	connect_to(self);
	if (!chain_set_time(chain) || !chain_listen(chain))
		give_up(self, "beginning");
}

static _Noreturn void end(struct keeper *self)
{
	if (self->chain.journal.appended && !chain_save(&self->chain))
		log_warn("chain.unsaved", "why=\"%s\" next=\"its journal is made again at the next start\"",
			 self->chain.why ? self->chain.why : self->chain.wire.why);
	program_end(&self->anvil); /* so that its port is free when we are gone */
	log_info("anvil.end", "block=%llu", (unsigned long long)self->chain.head);
	exit(0);
}

static _Noreturn void live(struct keeper *self)
{
	struct wire *wire = &self->chain.wire;
	for (;;) {
		struct pollfd look[] = {{.fd = wire->fd, .events = POLLIN},
					{.fd = self->signals, .events = POLLIN}};
		poll(look, 2, LIFE_BEAT_MS / 2);
		idle(self);
		if (self->told)
			end(self);
		if (!wire_look(wire))
			give_up(self, "listening");
		bool all = later(&self->health, HEALTH_MS);
		if ((all || wire->hash_count || wire->lost || wire->head) && !chain_turn(&self->chain, all))
			give_up(self, "making a block");
	}
}

/* -- its birth ---------------------------------------------------------------------------------- */

static bool be_told(struct keeper *self)
{
	struct chain_profile profile;
	struct web_address address;
	if (!chain_profile_parse(born_setting(&self->born, "chain_profile"), &profile) ||
	    !web_address(profile.rpc[0], &address))
		return false;
	self->program = (struct program){.fd = birth_fd(self->born.row, FD_FOREIGN),
					 .folder = self->born.self_path,
					 .port = address.port,
					 .chain = profile.id,
					 .pretend = self->born.birth.pretend & 1U << WALL_SECCOMP};
	return snprintf(self->socket, sizeof self->socket, "%s/" PROGRAM_SOCKET, self->born.self_path) <
	       (int)sizeof self->socket;
}

int main(void)
{
	static struct keeper self;
	if (!born_read(&self.born, ANVIL))
		return EXIT_CONFIG;
	if (!be_told(&self)) {
		log_error("anvil.profile", "why=\"what it was told is no chain of this machine\"");
		return EXIT_CONFIG;
	}
	/* They outlive an exec otherwise, and none is anvil's. */
	fcntl(FD_LIFE, F_SETFD, FD_CLOEXEC);
	self.signals = born_signals();
	self.chain.wire.fd = self.chain.journal.fd = -1;
	self.chain.wire.idle = idle;
	self.chain.wire.context = &self;
	self.chain.folder = open(self.born.self_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self.chain.folder < 0 || self.signals < 0) {
		log_error("anvil.folder", "errno=%m");
		return EXIT_WORLD;
	}
	open_up(&self);
	born_pulse(LIFE_READY);
	log_info("anvil.ready", "port=%u block=%llu", self.program.port, (unsigned long long)self.chain.head);
	live(&self);
}
