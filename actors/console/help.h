/* The table of commands in words. */
#ifndef WARREN_CONSOLE_HELP_H
#define WARREN_CONSOLE_HELP_H

#include "actors/console/console.h"

void help_all(const struct page *page);
enum ending help_about(struct console *console, const struct command *command);
enum ending unknown_command(struct console *console, const char *name); /* complains, with the nearest names */

#endif
