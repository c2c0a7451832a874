/* The machine's unlock secret, from which each process's own sealing secret is derived: a systemd credential where the unit
 * gives one, else ROOT/machine/unlock, made with the machine (DESIGN 6). */
#ifndef WARREN_SUPERVISOR_UNLOCK_H
#define WARREN_SUPERVISOR_UNLOCK_H

#include "proto/actors.h"
#include "supervisor/why.h"

#include <stddef.h>

enum { UNLOCK_MAKE = 32, UNLOCK_LEAST = 16, UNLOCK_MOST = 4096 };

struct unlock {
	uint8_t *page; /* locked, out of core dumps; a forked child finds zeroes in it */
	size_t length;
};

/* `folder` is ROOT/machine, `shown` its name in *why. */
bool unlock_load(struct unlock *unlock, int folder, const char *shown, struct why *why);
bool unlock_new(struct unlock *unlock); /* an empty page; false: errno */
void unlock_forget(struct unlock *unlock);

/* Makes ROOT/machine/unlock (0400, 32 random bytes) unless it is there, or a credential is. */
bool unlock_make(int folder, const char *shown, struct why *why);

/* HKDF-SHA-256 of the unlock secret, no salt, info "warren <kind> node <N>". */
void unlock_derive(const struct unlock *unlock, enum kind kind, uint16_t node, uint8_t secret[32]);

#endif
