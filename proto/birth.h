/* What a process is told when it is born, and the descriptors it finds open. Written by the supervisor, read once by
 * actors/base (and by broker/). A fixed struct in host order: both ends are the same build on the same machine. */
#ifndef WARREN_PROTO_BIRTH_H
#define WARREN_PROTO_BIRTH_H

#include "proto/actors.h"

/* Descriptors every process has. */
enum {
	FD_LOG = 2,   /* write end of its log pipe, non-blocking; scribe reads the other end */
	FD_LIFE = 3,  /* write end of a pipe to the supervisor: LIFE_ bytes */
	FD_BIRTH = 4, /* read end of a pipe: struct birth, then the settings' text, then end of file */
	FD_FIRST = 5, /* what its row says, in the order of the bits below */
};

/* What a row may ask to be opened for it (column `opens` of actors.def). */
enum {
	FD_BUS = 1 << 0,     /* broker: listener of bus.sock */
	FD_OPERATE = 1 << 1, /* broker: listener of operate.sock */
	FD_READ = 1 << 2,    /* broker: listener of read.sock */
	FD_ROSTER = 1 << 3,  /* broker: SEQPACKET pair to the supervisor, proto/roster.h */
	FD_CONTROL = 1 << 4, /* steward: SEQPACKET pair to the supervisor, proto/control.h */
	FD_LOGS = 1 << 5,    /* scribe: SEQPACKET pair over which it is handed log pipes, proto/logs.h */
	FD_STREAM = 1 << 6,  /* store: Unix stream listener, proto/stream.h */
	FD_HTTP = 1 << 7,    /* gateway: TCP listener of the node's port */
	FD_METRICS = 1 << 8, /* meter: TCP listener of metrics_port */
	FD_FOREIGN = 1 << 9, /* the foreign program of this row (ROOT/bin/<name>), to be executed and for nothing else */
	FD_BINDS = 1 << 14,  /* anvil: no descriptor; it may bind the TCP port of its chain, and no other */
	FD_DIALS = 1 << 15,  /* herald, chain: no descriptor; it may dial out, only to the TCP ports of its record */
};

/* The number under which a process finds the descriptor `what` of its row. */
static inline int birth_fd(const struct actor_row *row, uint32_t what)
{
	return FD_FIRST + __builtin_popcount(row->opens & (what - 1));
}

/* SIGTERM: end. SIGUSR1, to one that is ready: take nothing new on, say LIFE_DRAINED when all that is under way has
 * ended, and live on until SIGTERM. */

/* Bytes on FD_LIFE. Three seconds of silence are a death sentence. */
enum {
	LIFE_BEAT = 'b', LIFE_READY = 'R', LIFE_DRAINED = 'D',
	LIFE_REFUSED = 'p', /* a beat of a wallet whose policy refused something since the last one */
	LIFE_WORDS = 'w',   /* struct reason follows: why it ends; nothing follows that */
};
enum { LIFE_BEAT_MS = 1000, LIFE_SILENCE_MS = 3000 };

/* How a process says why it ended (sysexits.h where there is one). */
enum {
	EXIT_CONFIG = 78, /* EX_CONFIG: its configuration or its folder is wrong; wait for a change */
	EXIT_WORLD = 75,  /* EX_TEMPFAIL: the world's fault, try again */
};

enum { BIRTH_MAGIC = 0x57425254, BIRTH_VERSION = 2, SETTINGS_MAX = 8192, DIALS_MOST = 4 };
enum {
	BIRTH_INIT = 1 << 0,   /* make your lasting state, say so on stdout, exit; no bus, no life pipe */
	BIRTH_IMPORT = 1 << 1, /* with it: from what FD_FIRST holds (BIRTH_FILE), or from what is typed on descriptor 0 */
	BIRTH_EXPORT = 1 << 2, /* with it: make nothing; write the keys for elsewhere, to FD_FIRST or stdout */
	BIRTH_FILE = 1 << 3,   /* FD_FIRST is that file, or pipe */
	BIRTH_BACKUP = 1 << 4, /* with it: make nothing; a store writes itself to FD_FIRST, a wallet says who it is */
	BIRTH_RESTORE = 1 << 5, /* with it: a store is made of what FD_FIRST gives; a wallet signs nothing for a day */
	BIRTH_BLOBS = 1 << 6,   /* with BIRTH_BACKUP: the blobs too, not only their names */
	BIRTH_SCRATCH = 1 << 7, /* with BIRTH_RESTORE: only to be looked at; the disk reserves nothing */
};

struct birth {
	uint32_t magic;
	uint16_t version;
	uint8_t kind; /* enum kind */
	uint8_t flags;
	uint16_t node; /* 0 for PER_MACHINE */
	uint16_t pretend; /* WALL_ bits: walls to leave out because the configuration says so */
	uint32_t uid;     /* what it runs as; base refuses to go on as anyone else */
	uint64_t birth;       /* random, never 0, unique on this machine */
	uint8_t routing[16];  /* its routing id on the bus: random, known to it, the supervisor and the broker */
	uint8_t secret[32];   /* its own sealing secret, derived for its kind and node; zero where its row has none */
	uint32_t missing; /* WALL_ bits the supervisor could not build around it */
	uint16_t dials[DIALS_MOST]; /* the TCP ports it may connect to; 0: none */
	uint32_t settings_bytes; /* at most SETTINGS_MAX: lines "name=value\n" */
};

/* Paths as every process sees them, in its own mount namespace (the supervisor binds them; the console, which is jailed
 * by nobody, uses ROOT/run). Without a mount namespace, the environment WARREN_SELF and WARREN_RUN name the folders. */
#define PATH_SELF "/run/warren/self" /* its own lasting folder; for a kind that has none, an empty one */
#define PATH_RUN  "/run/warren/run"  /* the sockets */

#define SOCKET_BUS     "bus.sock"      /* 0660, group base + BUS_GROUP: processes of this machine */
#define SOCKET_OPERATE "operate.sock"  /* 0660, group `operators` */
#define SOCKET_READ    "read.sock"     /* 0660, group `readers` */
#define SOCKET_STREAM  "store-%u.sock" /* 0660, group of gateway@N */

#endif
