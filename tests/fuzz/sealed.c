/* The sealed stream of a backup, cut and changed. The input says what was in it, and what is done to the file afterwards. What is read is a
 * beginning of what was written, and the end is reached only in a file that nobody touched. scrypt is one step here: how much work it is
 * does not matter to the parser, and a thousand times as many inputs do. The first byte chooses; the other way is any bytes as the file.
 *
 * Bytes: 0 (1); length of the contents (3, little endian); cut behind (3; 0: not); then a place (3) and what is XORed there (1), as often
 * as there are. */
#include "tests/fuzz/target.h"

#include "actors/base/crypto/crypto.h"
#include "supervisor/backup/sealed.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CONTENTS_MOST = 3 * SEALED_CHUNK };

int crypto_pwhash_scryptsalsa208sha256_ll(const uint8_t *passphrase, size_t length, const uint8_t *salt,
					  size_t salt_length, uint64_t n, uint32_t r, uint32_t p,
					  uint8_t *key, size_t key_length)
{
	must(n <= UINT64_C(1) << SCRYPT_LOG_N_MOST && r == SCRYPT_R && p == SCRYPT_P && length);
	hkdf_sha256(passphrase, length, salt, salt_length, "", 0, key, key_length);
	return 0;
}

static size_t number(const uint8_t *at)
{
	return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16;
}

/* Reads to the end; returns how much was given, all of it as it was written. */
static size_t read_all(int file, const struct unlock *passphrase, const uint8_t *contents,
		       enum sealed_end *end)
{
	static uint8_t bytes[10000];
	struct sealed *sealed;
	size_t total = 0, got;
	must(lseek(file, 0, SEEK_SET) == 0);
	*end = sealed_open(file, passphrase, &sealed);
	while (*end == SEALED_OK && (*end = sealed_read(sealed, bytes, sizeof bytes, &got)) == SEALED_OK) {
		must(got && got <= sizeof bytes && total + got <= CONTENTS_MOST);
		must(contents && memcmp(contents + total, bytes, got) == 0);
		total += got;
	}
	must(*end != SEALED_MEMORY && *end != SEALED_DISK && *sealed_sentence(*end));
	sealed_free(&sealed);
	return total;
}

static void changed(int file, const struct unlock *passphrase, const uint8_t *bytes, size_t length)
{
	static uint8_t contents[CONTENTS_MOST];
	struct sealed *sealed;
	enum sealed_end end;
	if (length < 6)
		return;
	if (!contents[1])
		for (size_t i = 0; i < sizeof contents; i++)
			contents[i] = (uint8_t)(i * 7 + i / 251);
	size_t size = number(bytes) % (CONTENTS_MOST + 1), cut = number(bytes + 3), whole;
	must(sealed_make_with(file, passphrase, SCRYPT_LOG_N_LEAST, &sealed) == SEALED_OK);
	must(sealed_write(sealed, contents, size) == SEALED_OK && sealed_finish(sealed) == SEALED_OK);
	sealed_free(&sealed);
	whole = (size_t)lseek(file, 0, SEEK_CUR);
	bool touched = cut && cut < whole;
	if (touched)
		must(ftruncate(file, (off_t)cut) == 0);
	uint8_t *map = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	must(map != MAP_FAILED);
	for (size_t at = 6; at + 4 <= length && !touched;
	     at += 4) { /* one change; two might undo each other */
		map[number(bytes + at) % whole] ^= bytes[at + 3];
		touched = bytes[at + 3] != 0;
	}
	munmap(map, whole);
	size_t given = read_all(file, passphrase, contents, &end);
	must(given <= size && (end == SEALED_OVER) == !touched);
	must(touched || given == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static uint8_t page[] = "correct horse battery staple";
	static const struct unlock passphrase = {page, sizeof page - 1};
	static int file = -1;
	enum sealed_end end;
	if (file < 0)
		file = memfd_create("backup", MFD_CLOEXEC);
	if (length == 0)
		return 0;
	must(ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
	if (bytes[0] % 2 == 0) {
		changed(file, &passphrase, bytes + 1, length - 1);
		return 0;
	}
	must(write(file, bytes + 1, length - 1) == (ssize_t)(length - 1));
	must(read_all(file, &passphrase, NULL, &end) == 0 && end != SEALED_OVER);
	return 0;
}
