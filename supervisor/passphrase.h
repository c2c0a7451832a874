/* unlock = "ask": the machine's unlock secret lies under a passphrase, in ROOT/machine/unlock.sealed, and a start leaves the
 * nodes locked until `warrend unlock`. The passphrase is stretched by the verb that asked for it; the supervisor is handed
 * the secret itself over ROOT/run/unlock.sock, which is root's (or ours) alone, and compares it with a check value. No message
 * of the bus ever has it.
 *
 *   offset  bytes   unlock.sealed
 *        0      8   "WARRENUL"
 *        8      4   version 1, log2 N, r, p of scrypt: 1 18 8 1
 *       12     32   salt, random, new with every passphrase
 *       44     12   nonce, likewise
 *       56      4   length of the secret, big-endian
 *       60     32   check: HKDF-SHA-256(secret, no salt, "warren unlock check")
 *       92   n+16   the secret under AES-256-GCM, key = scrypt(passphrase, salt), bytes 0..91 authenticated */
#ifndef WARREN_SUPERVISOR_PASSPHRASE_H
#define WARREN_SUPERVISOR_PASSPHRASE_H

#include "supervisor/machine.h"
#include "supervisor/unlock.h"

struct config;

#define UNLOCK_SEALED "unlock.sealed"
#define SOCKET_UNLOCK "unlock.sock"

enum { PASSPHRASE_LEAST = 12, CHECK_BYTES = 32 };

/* The unlock secret, for a verb: asks for the passphrase where the configuration says so. */
bool unlock_obtain(const struct machine *machine, const struct config *config, struct unlock *unlock, struct why *why);

/* The same for a supervisor: *locked instead of asking, with the check value of what will be handed in. */
bool unlock_begin(const struct machine *machine, const struct config *config, struct unlock *unlock, bool *locked,
		  uint8_t check[CHECK_BYTES], struct why *why);
bool unlock_fits(const struct unlock *unlock, const uint8_t check[CHECK_BYTES]);

/* `warrend passphrase`: puts the unlock secret under a new passphrase, and takes machine/unlock away. `warrend unlock`: hands it
 * to the running supervisor. Exit codes. */
int verb_passphrase(const struct machine *machine);
int verb_unlock(const struct machine *machine);

/* What a person types, unseen, at the terminal: into *line, which the caller frees also after false. */
bool passphrase_ask(const char *question, struct unlock *line, struct why *why);

/* The lock of scrypt, of which one runs at a time on a machine: each takes 256 MiB. Waits; a descriptor to close, or -1. */
int scrypt_lock(const struct machine *machine, struct why *why);

#endif
