/* The sealed file of a node's keys: the one lasting thing of wallet@N.
 *
 *   offset  bytes
 *        0      8  "WARRENKY"
 *        8      2  version, big-endian: 1
 *       10      2  node, big-endian
 *       12     32  salt, random, new with every file
 *       44     64  sealed: wallet secret 32, node seed 32
 *      108     16  tag
 *      124     32  SHA-256 of all before it
 *      156
 *
 * The seal is AES-256-GCM over the 64 bytes, with bytes 0..43 authenticated. Its key (32) and nonce (12) are
 * the 44 bytes of HKDF-SHA-256(sealing secret, salt, "warren wallet v1 node N"): both are new with every
 * salt, so no pair is used twice. The digest protects nothing; it tells a damaged file from a wrong sealing
 * secret, which need different remedies. Every later version keeps magic, version and the digest at the end,
 * in at most KEYFILE_MOST bytes. */
#ifndef WARREN_KEYFILE_H
#define WARREN_KEYFILE_H

#include "actors/wallet/keys.h"
#include "proto/formats.h"
#include "proto/reasons.h"

#define KEYFILE_NAME "wallet.keys"
#define KEYFILE_TEMP "wallet.keys.new" /* a crashed keyfile_write() leaves it, the next one removes it */

enum { SEALING_SECRET = 32, KEYFILE_BYTES = 156, KEYFILE_MOST = 4096, KEYFILE_VERSION = FORMAT_keys };

enum keyfile_end {
	KEYFILE_OK,
	KEYFILE_ABSENT,
	KEYFILE_UNSAFE,       /* not a plain file of ours that nobody else may touch; or we may not read it */
	KEYFILE_DAMAGED,      /* the digest, the magic or the length is wrong */
	KEYFILE_NEWER,        /* a whole file of a later version */
	KEYFILE_OTHER_NODE,   /* a whole file, for another node */
	KEYFILE_WRONG_SECRET, /* a whole file, which this sealing secret does not open */
	KEYFILE_EXISTS,       /* keyfile_write(): there is one already, and it stays */
	KEYFILE_DISK,         /* the disk refused; errno says how */
};

/* What is wrong and what to do, as a sentence. */
const char *keyfile_sentence(enum keyfile_end end);
/* The same of what was met in this folder: for KEYFILE_NEWER with both versions, for KEYFILE_DISK with `error`. */
enum { KEYFILE_WHY = FORMAT_SENTENCE };
const char *keyfile_why(enum keyfile_end end, int folder, int error, char text[KEYFILE_WHY]);
/* The same as a reason record's code; what is no reason of its own is KEY_UNREADABLE. */
enum reason_code keyfile_reason(enum keyfile_end end);

/* Opens KEYFILE_NAME in the folder. *keys are whole after KEYFILE_OK, else wiped. */
enum keyfile_end keyfile_open(int folder, uint16_t node, const uint8_t secret[SEALING_SECRET],
			      struct signer *signer, struct wallet_keys *keys);

/* Seals the keys into a new file, mode 0600, and returns when it is on the disk. All or nothing, also when
 * the power goes; never overwrites. While another process writes there: KEYFILE_DISK with EWOULDBLOCK. */
enum keyfile_end keyfile_write(int folder, uint16_t node, const uint8_t secret[SEALING_SECRET],
			       const struct wallet_keys *keys);

/* Has the kernel put an existing file and its name on the disk: what a process that died after renaming left
 * undone. Before anyone is told an address. False: errno. */
bool keyfile_sync(int folder);

/* The bytes themselves, without a disk. */
void keyfile_seal(uint16_t node, const uint8_t secret[SEALING_SECRET], const struct wallet_keys *keys,
		  uint8_t file[KEYFILE_BYTES]);
enum keyfile_end keyfile_unseal(const uint8_t *file, size_t length, uint16_t node,
				const uint8_t secret[SEALING_SECRET], struct signer *signer,
				struct wallet_keys *keys);

#endif
