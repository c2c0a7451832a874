/* What the supervisor does for a process, done for one of them: descriptors on the exact numbers of proto/birth.h, the birth
 * record, the life and log pipes; and, for the broker, its listeners and its roster. Everything lies in one temporary folder,
 * every child is killed by its own pid, and the whole program ends by itself. */
#ifndef WARREN_TESTS_HARNESS_H
#define WARREN_TESTS_HARNESS_H

#include "proto/birth.h"
#include "proto/roster.h"
#include "tests/actor/frames.h"

#include <sys/types.h>

/* -- results: "ok 1 - what", "not ok 2 - what"; the last line is "N passed, N failed" ----------------------------------- */

void ok(bool passed, const char *format, ...) __attribute__((format(printf, 2, 3)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct scenario {
	const char *name;
	void (*run)(void);
};

/* Runs those whose name contains argv[2] (all, without one) with the program argv[1] and ends with the count. */
int scenarios_run(int argc, char **argv, const char *program, const struct scenario *scenarios, unsigned count);
const char *tested_program(void);

/* -- a child, as the supervisor would start it -------------------------------------------------------------------------- */

enum { CHILD_FDS = 4, LOG_KEPT = 65536 };

struct child {
	pid_t pid; /* 0: none, or reaped */
	int status;
	int life, log;      /* our ends */
	unsigned beats;     /* LIFE_BEAT bytes so far */
	bool ready, drained;
	char logged[LOG_KEPT]; /* what it wrote on stderr, the latest of it */
	size_t logged_length;
};

struct start {
	struct birth birth;
	const char *settings;    /* "name=value\n" lines, or NULL */
	const char *self, *run;  /* folders: WARREN_SELF, WARREN_RUN */
	const int *fds;          /* become FD_FIRST and the following; stay open here */
	unsigned count;
	unsigned cut;            /* so many bytes are missing at the end of its birth record */
};
void child_start(struct child *child, const char *program, const struct start *start);

/* The same birth for any kind: magic, version, uid, walls that a sanitizer cannot live behind. */
struct birth birth_of(enum kind kind, unsigned node);

/* Reads its pipes; true while it lives. */
bool child_look(struct child *child);
bool child_ends(struct child *child);         /* within WAIT_MS; its status is then filled in */
bool child_says(struct child *child, const char *words); /* a line of its log, within WAIT_MS */
bool child_beats(struct child *child);        /* one beat more, within WAIT_MS */
void child_kill(struct child *child, int signal);
void child_end(struct child *child);

/* -- a folder, and a broker in it --------------------------------------------------------------------------------------- */

enum { OUR_DOORS = 3 };

struct machine {
	char folder[64], doors[OUR_DOORS][96]; /* bus, operate, read */
	char crossings[OUR_DOORS][96];         /* to the two doors of people */
	pid_t crossers[OUR_DOORS];
	int listeners[OUR_DOORS];
	int roster;
	int roster_room; /* bytes, of the way to us, of the next broker; 0: what the system gives */
	uint32_t serial;
	uint64_t birth; /* the broker's */
	struct child broker;
	struct roster_counts counts; /* the latest */
};

void folder_make(char folder[64]);
void folder_remove(const char *folder);

void machine_begin(struct machine *machine);
void machine_end(struct machine *machine); /* and says so if the broker had not lived until now */
void machine_start_broker(struct machine *machine);

/* A roster entry, acknowledged by the broker. */
void machine_tell(struct machine *machine, enum roster_verb verb, const struct speaker *speaker, pid_t pid);
void machine_say(struct machine *machine, enum roster_verb verb, const struct speaker *speaker, pid_t pid); /* unheard */
bool machine_acknowledged(struct machine *machine); /* the newest; reads what there is, and waits for no more */

/* Draws a birth and a routing id, enters them in the roster as this very process, connects, and is welcomed. */
void machine_join(struct machine *machine, struct speaker *speaker, unsigned kind, unsigned node);
void machine_leave(struct machine *machine, struct speaker *speaker);
void machine_person(struct machine *machine, struct speaker *speaker, unsigned door);

/* Waits for counts that fulfil it; they come once a second. */
bool machine_counts(struct machine *machine, bool (*fulfil)(const struct roster_counts *, uint64_t than), uint64_t than);

/* Lets people in at `listener` to the door `to`, each under a pid of its own, until it is killed. */
pid_t crossing_start(int listener, const char *to);

/* -- a stranger: this program started again, under another pid ---------------------------------------------------------- */

struct stranger {
	pid_t pid;
	int commands, answers;
};

/* mode "zmq": libzmq, claiming this routing id. mode "forge": ZMTP by hand, with a Peer-Address of its own making. Sends HELLO
 * and asks of every kind until it is told to stop. */
void stranger_start(struct stranger *stranger, const char *mode, const char *door, const uint8_t routing[16],
		    uint64_t broker, uint64_t fingerprint);
long stranger_stop(struct stranger *stranger); /* how many messages it was given; -1: it never got through */

/* Called by main() first: does not return in a stranger. */
void stranger_main(int argc, char **argv);

#endif
