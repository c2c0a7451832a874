/* Manual pages from the tables. */
#ifndef WARREN_CONSOLE_MAN_H
#define WARREN_CONSOLE_MAN_H

#include "actors/console/console.h"

/* "warren" (1) or "warren.conf" (5), as roff. Complains about any other. */
enum ending man(struct console *console, const char *page);

#endif
