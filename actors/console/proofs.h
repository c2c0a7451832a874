/* Judging a proof that a node gave; the other commands about proofs are in the same file. */
#ifndef WARREN_CONSOLE_PROOFS_H
#define WARREN_CONSOLE_PROOFS_H

#include "actors/console/console.h"

/* `warren verify FILE`: END_OK when it holds. */
enum ending verify_proof(struct console *console, const char *path);

#endif
