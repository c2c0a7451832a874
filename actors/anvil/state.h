/* The whole state of the chain as a file, replaced in one step: anvil's own way of writing it can be cut in the middle, and what
 * is left then is nothing (README.md). Plain C, in the keeper. */
#ifndef WARREN_ANVIL_STATE_H
#define WARREN_ANVIL_STATE_H

#include <stdbool.h>

#define STATE_FILE "state.json"

/* `hex` is what anvil_dumpState answers: 0x and the gzipped JSON. Unpacked, synced, and only then under its name. False, with
 * errno, and what was there is still there; EBADMSG: it is not such a thing. */
bool state_write(int folder, const char *hex);

bool state_there(int folder);

#endif
