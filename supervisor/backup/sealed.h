/* The file of a backup: one stream of bytes under a passphrase. Written front to back, read front to back; what was changed, cut
 * off, swapped or added is found before a byte of it is used.
 *
 *   offset  bytes
 *        0      8   "WARRENBK"
 *        8      4   format version 1; log2 N, r, p of scrypt (RFC 7914): 18 8 1 when we write
 *       12     32   salt of scrypt, random, new with every file
 *       44     24   header of the secret stream
 *       68      …   chunks: 64 KiB of the stream and 17 bytes each; the last one may be shorter, and says that it is the last
 *
 * key = scrypt(passphrase, salt, N, r, p). The chunks are libsodium's crypto_secretstream_xchacha20poly1305 (XChaCha20 of
 * draft-irtf-cfrg-xchacha, Poly1305 of RFC 8439), each with bytes 0..43 as additional data: 16 bytes of tag and 1 that is
 * sealed with the chunk and says "more" or "final" (libsodium documentation, "Encrypted streams and file encryption"). */
#ifndef WARREN_BACKUP_SEALED_H
#define WARREN_BACKUP_SEALED_H

#include "supervisor/unlock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SEALED_VERSION = 1,
	SEALED_HEAD = 68,
	SEALED_CHUNK = 65536,
	SEALED_MORE = 17, /* crypto_secretstream_xchacha20poly1305_ABYTES */
	/* scrypt takes 128·N·r bytes: 256 MiB as we write it. What a file may ask for is bounded before any is taken. */
	SCRYPT_LOG_N = 18,
	SCRYPT_LOG_N_LEAST = 10, /* a smaller one helps nobody: which it is goes into the key */
	SCRYPT_LOG_N_MOST = 20,
	SCRYPT_R = 8,
	SCRYPT_P = 1,
};

enum sealed_end {
	SEALED_OK,
	SEALED_OVER,    /* the end, as it was written */
	SEALED_NONE,    /* no backup of ours */
	SEALED_NEWER,   /* of a later format */
	SEALED_ABSURD,  /* its scrypt parameters are out of bounds */
	SEALED_WRONG,   /* the first chunk does not open: another passphrase, or it was changed; nobody can say which */
	SEALED_DAMAGED, /* a later one does not */
	SEALED_CUT,     /* it ends before its end */
	SEALED_MEMORY,
	SEALED_DISK, /* errno */
};
const char *sealed_sentence(enum sealed_end end);

struct sealed; /* in memory that is locked and out of dumps, as secrets pass through; `fd` stays the caller's */

/* Begins a file at the place of `fd`. */
enum sealed_end sealed_make(int fd, const struct unlock *passphrase, struct sealed **sealed);
/* The same with other work for scrypt: tests are quick. */
enum sealed_end sealed_make_with(int fd, const struct unlock *passphrase, int log_n, struct sealed **sealed);
enum sealed_end sealed_write(struct sealed *sealed, const void *bytes, size_t length);
enum sealed_end sealed_finish(struct sealed *sealed); /* the last chunk; not synced */

enum sealed_end sealed_open(int fd, const struct unlock *passphrase, struct sealed **sealed);

/* Up to `room` bytes, at least 1 with SEALED_OK. */
enum sealed_end sealed_read(struct sealed *sealed, void *bytes, size_t room, size_t *got);

void sealed_free(struct sealed **sealed); /* NULL is fine */

#endif
