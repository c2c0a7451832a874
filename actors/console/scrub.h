/* What is taken out of a text before it leaves the machine. Plain C, pure.
 *
 * Of a configuration file nothing stays but what is known to be harmless: names, numbers, and the texts of words that
 * proto/settings.def does not call SECRET (of a policy file: all its words). Values of other words go, and so do all comments:
 * an old value often rests in one. It works on files that do not parse, as those are what one asks for help with. */
#ifndef WARREN_CONSOLE_SCRUB_H
#define WARREN_CONSOLE_SCRUB_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRETS_MAX = 64, SECRET_LEAST = 8 /* bytes: a shorter one would be found everywhere */ };

struct secrets { /* what was taken out: no other part may hold it either. Begins as all zero */
	char *text[SECRETS_MAX];
	unsigned count;
};
void secrets_end(struct secrets *secrets);

/* A new text, terminated; its length without the NUL in *length. */
char *scrub_config(const char *text, size_t *length, bool policy, struct secrets *secrets);

/* The same text without the secrets, and of each URL only scheme, host and port. Takes `text` over (x_free'd or returned). */
char *scrub_text(char *text, size_t *length, const struct secrets *secrets);

/* Whether a word's value may be shown: it is one of settings.def, and not SECRET. */
bool scrub_may_show(const char *name, size_t length);

#endif
