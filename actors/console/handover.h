/* Going on as another program of ROOT/bin: what makes users, folders and keys is `warrend`, for root or whoever owns ROOT. */
#ifndef WARREN_CONSOLE_HANDOVER_H
#define WARREN_CONSOLE_HANDOVER_H

#include "actors/console/console.h"

enum { HANDED_MOST = 24 }; /* words, with the first four and the last */

/* `more` ends with NULL. Ends only when it fails. */
enum ending hand_over(struct console *console, const char *verb, const char *const *more);

/* The program of ROOT/bin that `argv` begins with goes on as this process, on this terminal. Ends only when it fails. */
enum ending become(struct console *console, const char *const *argv);

#endif
