/* The live console: `warren` without a command, on a terminal. */
#ifndef WARREN_CONSOLE_LIVE_H
#define WARREN_CONSOLE_LIVE_H

#include "actors/console/console.h"

/* Reads lines until the end of input, "exit" or "quit". `run` is given the words of one, and runs in a process of its own, so
 * that nothing it changes (signals, the terminal, memory) outlives it. */
enum ending live(struct console *console, enum ending (*run)(struct console *console, const char *const *argv));

/* Cuts a line into words: spaces part them, quotes of either kind and a backslash keep them together. Returns how many; -1 when a
 * quote is left open or there are too many. The words point into `line`, which is changed; the last is NULL. */
int line_words(char *line, const char **words, unsigned most);

#endif
