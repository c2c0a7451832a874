/* The sealed stream of a backup, by libsodium. Runs in the verbs of warrend as root or the machine's owner; touches the one
 * descriptor it is given. A death leaves a file without a final chunk, which is no backup. */
#include "supervisor/backup/sealed.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/whole/whole.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

static const uint8_t magic[8] = {'W', 'A', 'R', 'R', 'E', 'N', 'B', 'K'};

enum { AT_VERSION = 8, AT_LOG_N, AT_R, AT_P, AT_SALT, SALT = 32, AT_STREAM = AT_SALT + SALT };

_Static_assert(SEALED_MORE == crypto_secretstream_xchacha20poly1305_ABYTES, "of this libsodium");
_Static_assert(SEALED_HEAD == AT_STREAM + crypto_secretstream_xchacha20poly1305_HEADERBYTES, "likewise");

struct sealed {
	int fd;
	bool over, opened; /* the last chunk was read; one was */
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t head[SEALED_HEAD];
	size_t filled, at; /* of plain */
	uint8_t plain[SEALED_CHUNK], sealed[SEALED_CHUNK + SEALED_MORE];
};

const char *sealed_sentence(enum sealed_end end)
{
	switch (end) {
	case SEALED_OK:
	case SEALED_OVER:
		return "done";
	case SEALED_NONE:
		return "it is no backup of warren";
	case SEALED_NEWER:
		return "it was made by a newer warren, in a format that this one does not know; install that";
	case SEALED_ABSURD:
		return "it asks for more memory than any backup of ours: it is damaged, or meant to do harm";
	case SEALED_WRONG:
		return "it does not open: the passphrase is another one, or the file was changed";
	case SEALED_DAMAGED:
		return "it is damaged: what stands in it is not what was written";
	case SEALED_CUT:
		return "it is cut short: its end is missing";
	case SEALED_MEMORY:
		return "there is not enough memory for the passphrase (256 MiB)";
	case SEALED_DISK:
		return "the disk refused";
	}
	bug("no such end");
}

/* -- bytes of the file ----------------------------------------------------------------------------------------------- */

/* -- beginning ------------------------------------------------------------------------------------------------------- */

static struct sealed *sealed_new(int fd)
{
	bug_if(sodium_init() < 0);
	struct sealed *sealed = sodium_malloc(sizeof *sealed);
	if (!sealed)
		return NULL;
	memset(sealed, 0, sizeof *sealed);
	sealed->fd = fd;
	return sealed;
}

static bool stretch(const struct sealed *sealed, const struct unlock *passphrase,
		    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES])
{
	return crypto_pwhash_scryptsalsa208sha256_ll(
		       passphrase->page, passphrase->length, sealed->head + AT_SALT, SALT,
		       UINT64_C(1) << sealed->head[AT_LOG_N], sealed->head[AT_R], sealed->head[AT_P], key,
		       crypto_secretstream_xchacha20poly1305_KEYBYTES) == 0;
}

enum sealed_end sealed_make_with(int fd, const struct unlock *passphrase, int log_n, struct sealed **at)
{
	uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
	struct sealed *sealed = *at = sealed_new(fd);
	if (!sealed)
		return SEALED_MEMORY;
	memcpy(sealed->head, magic, sizeof magic);
	sealed->head[AT_VERSION] = SEALED_VERSION;
	sealed->head[AT_LOG_N] = (uint8_t)log_n;
	sealed->head[AT_R] = SCRYPT_R;
	sealed->head[AT_P] = SCRYPT_P;
	random_bytes(sealed->head + AT_SALT, SALT);
	bool stretched = stretch(sealed, passphrase, key);
	if (stretched)
		crypto_secretstream_xchacha20poly1305_init_push(&sealed->state, sealed->head + AT_STREAM,
								key);
	wipe(key, sizeof key);
	if (!stretched)
		return SEALED_MEMORY;
	return write_whole(fd, sealed->head, sizeof sealed->head) ? SEALED_DISK : SEALED_OK;
}

enum sealed_end sealed_make(int fd, const struct unlock *passphrase, struct sealed **sealed)
{
	return sealed_make_with(fd, passphrase, SCRYPT_LOG_N, sealed);
}

static enum sealed_end check_head(const struct sealed *sealed, size_t got)
{
	const uint8_t *head = sealed->head;
	if (got <= AT_VERSION || memcmp(head, magic, sizeof magic) != 0 || !head[AT_VERSION])
		return SEALED_NONE;
	if (head[AT_VERSION] > SEALED_VERSION)
		return SEALED_NEWER;
	if (got < SEALED_HEAD)
		return SEALED_CUT;
	bool fits = head[AT_LOG_N] >= SCRYPT_LOG_N_LEAST && head[AT_LOG_N] <= SCRYPT_LOG_N_MOST &&
		    head[AT_R] == SCRYPT_R && head[AT_P] == SCRYPT_P;
	return fits ? SEALED_OK : SEALED_ABSURD;
}

enum sealed_end sealed_open(int fd, const struct unlock *passphrase, struct sealed **at)
{
	uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
	struct sealed *sealed = *at = sealed_new(fd);
	if (!sealed)
		return SEALED_MEMORY;
	size_t got;
	int failed = read_whole(fd, sealed->head, sizeof sealed->head, &got);
	enum sealed_end end = failed ? SEALED_DISK : check_head(sealed, got);
	if (end != SEALED_OK)
		return end;
	if (!stretch(sealed, passphrase, key))
		end = SEALED_MEMORY;
	else if (crypto_secretstream_xchacha20poly1305_init_pull(&sealed->state, sealed->head + AT_STREAM,
								 key) != 0)
		end = SEALED_WRONG;
	wipe(key, sizeof key);
	return end;
}

void sealed_free(struct sealed **sealed)
{
	if (*sealed)
		sodium_free(*sealed); /* wipes it */
	*sealed = NULL;
}

/* -- writing --------------------------------------------------------------------------------------------------------- */

static enum sealed_end push(struct sealed *sealed, unsigned char tag)
{
	crypto_secretstream_xchacha20poly1305_push(&sealed->state, sealed->sealed, NULL, sealed->plain,
						   sealed->filled, sealed->head, AT_STREAM, tag);
	size_t length = sealed->filled + SEALED_MORE;
	sealed->filled = 0;
	return write_whole(sealed->fd, sealed->sealed, length) ? SEALED_DISK : SEALED_OK;
}

enum sealed_end sealed_write(struct sealed *sealed, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	while (length) {
		enum sealed_end end;
		/* A full chunk waits for what follows: the last one is never known before. */
		if (sealed->filled == SEALED_CHUNK &&
		    (end = push(sealed, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)) != SEALED_OK)
			return end;
		size_t room = SEALED_CHUNK - sealed->filled, take = room < length ? room : length;
		memcpy(sealed->plain + sealed->filled, from, take);
		sealed->filled += take;
		from += take;
		length -= take;
	}
	return SEALED_OK;
}

enum sealed_end sealed_finish(struct sealed *sealed)
{
	return push(sealed, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
}

/* -- reading --------------------------------------------------------------------------------------------------------- */

static enum sealed_end pull(struct sealed *sealed)
{
	unsigned long long length;
	unsigned char tag;
	uint8_t byte;
	size_t got, more;
	if (read_whole(sealed->fd, sealed->sealed, sizeof sealed->sealed, &got))
		return SEALED_DISK;
	if (got == 0)
		return SEALED_CUT;
	if (got < SEALED_MORE ||
	    crypto_secretstream_xchacha20poly1305_pull(&sealed->state, sealed->plain, &length, &tag,
						       sealed->sealed, got, sealed->head, AT_STREAM) != 0)
		return sealed->opened ? SEALED_DAMAGED : SEALED_WRONG;
	sealed->opened = true;
	sealed->filled = (size_t)length;
	sealed->at = 0;
	sealed->over = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	if (!sealed->over)
		return got == sizeof sealed->sealed ? SEALED_OK : SEALED_DAMAGED;
	return read_whole(sealed->fd, &byte, 1, &more) == 0 && more == 0 ? SEALED_OK : SEALED_DAMAGED;
}

enum sealed_end sealed_read(struct sealed *sealed, void *bytes, size_t room, size_t *got)
{
	*got = 0;
	while (sealed->at == sealed->filled) {
		if (sealed->over)
			return SEALED_OVER;
		enum sealed_end end = pull(sealed);
		if (end != SEALED_OK)
			return end;
	}
	size_t left = sealed->filled - sealed->at;
	*got = left < room ? left : room;
	memcpy(bytes, sealed->plain + sealed->at, *got);
	sealed->at += *got;
	return SEALED_OK;
}
