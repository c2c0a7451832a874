/* What a process was told when it was born, read and checked; and its pulse. Used by the runtime and by the broker. */
#ifndef WARREN_BORN_H
#define WARREN_BORN_H

#include "proto/birth.h"

#include <stdbool.h>

struct born {
	struct birth birth;
	const struct actor_row *row;
	char *settings;        /* "name=value" strings, one after the other, ended by an empty one */
	const char *self_path; /* its lasting folder */
	const char *run_path;  /* the sockets */
};

/* Reads FD_BIRTH, closes it, and checks that we are `kind` and run as the uid it says: the jail was built by the supervisor;
 * that we are inside is checked, not believed. False after saying why on stderr. */
bool born_read(struct born *born, enum kind kind);

/* The two halves of the seal (actors/base/seal), unless the birth record pretends a wall away; one that is missing is noted in
 * it. False after saying why: do not go on. `folder` may be NULL: no file at all. */
bool born_close_files(struct born *born, const char *folder);
bool born_close_syscalls(struct born *born);

const char *born_setting(const struct born *born, const char *name); /* "" when its row does not read it */

/* One LIFE_ byte to the supervisor. Exits when there is no supervisor any more: nobody would know of us. */
void born_pulse(char byte);

/* The newest reason that holds, to the supervisor: said by a process that is about to end because of it. */
void born_last_words(void);

/* A descriptor that becomes readable on SIGTERM and SIGUSR1 (proto/birth.h). To be called before the first thread, so that all
 * have them blocked. */
int born_signals(void);

/* Which of them came in; 0: none. */
int born_signal(int signals);

/* True once SIGTERM came in. */
bool born_told_to_end(int signals);

#endif
