/* The console's connection: asks many things at once and waits for all of them, each with its own deadline.
 */
#ifndef WARREN_CONSOLE_CLIENT_H
#define WARREN_CONSOLE_CLIENT_H

#include "actors/base/bus.h"
#include "actors/base/memory/memory.h"
#include "proto/call.h"

/* How a command ends: the exit code of the program. Stable; README.md. */
enum ending {
	END_OK = 0,
	END_FAILED = 1,     /* refused, or it went wrong; doctor: something is bad */
	END_USAGE = 2,      /* the command line makes no sense */
	END_NO_MACHINE = 3, /* nothing runs there */
	END_DENIED = 4,     /* by the kernel (the socket) or by a row */
	END_UNKNOWN = 5,    /* late, gone, busy, not ready: look, then ask again */
};

enum ending ending_of(enum err err);

enum {
	ASKS_AT_ONCE = 16, /* half of the ASKS_OF_PERSON: a late one counts there a while */
	SENTENCE_TEXT = 240,
	SILENT_MAX = 64, /* remembered; one more is waited for each time */
};

struct question {
	const struct call_row *row;
	enum kind kind; /* who is asked */
	uint16_t node;
	const void *request; /* NULL for a message without fields */

	enum err err;            /* ERR_KEPT until it has ended */
	const void *reply;       /* in the client's arena; NULL unless ERR_OK */
	char why[SENTENCE_TEXT]; /* the other side's sentence, clean, or "" */
	uint64_t took_ns;

	uint64_t serial, sent_ns; /* the client's own */
};

/* Called while somebody is waited for patiently and says nothing: first after SLOW_MS, then each SLOW_MS; once more with
 * `who` NULL when it is over. May be NULL. */
enum { SLOW_MS = 150 };
typedef void slow_fn(void *context, const char *who, const char *what, uint64_t waited_ms, uint64_t most_ms);
struct slow {
	slow_fn *tell;
	void *context;
};

struct client {
	struct bus bus;
	enum kind authority; /* OPERATOR or READER: which socket the kernel let us open */
	char path[200];      /* of that socket */
	uint64_t birth;      /* ours, as the broker drew it */
	uint64_t slowest_ns; /* of the answers so far; 0: none yet */
	struct arena arena;  /* replies */
	uint8_t *packed;     /* BODY_MAX */
	struct slow slow;
	struct {
		enum kind kind;
		uint16_t node;
	} silent[SILENT_MAX]; /* in the picture that is being made */
	unsigned silent_count;
	uint32_t trace;      /* carried by what is asked; 0: none */

	/* What comes while answers are waited for and is no answer; may be NULL. */
	void (*heard)(void *context, const struct envelope *envelope, const uint8_t *body, size_t length);
	void *heard_context;
};

/* ROOT/run/operate.sock, else read.sock; waits at most so long for a broker there to welcome us. When it does
 * not end END_OK, `why` is the sentence, and there is nothing to close. */
enum { WELCOME_MS = 3000 }; /* the supervisor starts a dead broker again within this */
enum ending client_open(struct client *client, const char *root, uint32_t most_ms, struct slow slow,
			char why[SENTENCE_TEXT]);
void client_close(struct client *client);

/* Frees all replies so far; for a command that asks again and again. */
void client_forget(struct client *client);

/* Waits for a broker to welcome us (again). */
enum ending client_welcome(struct client *client, uint32_t most_ms, char why[SENTENCE_TEXT]);

/* How long to wait for each. IMPATIENT is for a picture of many: once somebody has answered, nobody is waited
 * for much longer than ten times the slowest answer (at least IMPATIENT_MS), so that one that hangs does not
 * hold up the picture; and who was silent once is not asked again before the next patient question, with
 * which a picture begins. */
enum patience { PATIENT, IMPATIENT };
enum { IMPATIENT_MS = 120, IMPATIENT_TIMES = 10 };

/* Asks all, at most ASKS_AT_ONCE at a time; each ends with its `err`. PATIENT waits as long as the row says.
 */
void client_ask(struct client *client, struct question *questions, unsigned count, enum patience patience);

/* One question, patiently. */
enum err client_ask_one(struct client *client, struct question *question);

/* For what comes without having been asked: 1: a message (zmq_msg_close its body), 0: none within `most_ms`,
 * or `fd` (-1: none) became readable, -1: the broker is gone. */
int client_receive(struct client *client, int fd, uint64_t most_ms, struct envelope *envelope,
		   zmq_msg_t *body);

/* False: not sent. */
bool client_subscribe(struct client *client, enum envelope_type type, unsigned number, unsigned kind,
		      unsigned node);

/* What to tell a person about an end that is not ERR_OK: "late: no answer before …". */
const char *err_text(enum err err, const char *why, char text[2 * SENTENCE_TEXT]);

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */

#endif
