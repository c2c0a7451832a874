/* Opening and using the keys leaves no copy of them anywhere but in secret memory: not on the heap, not on
 * the stack, not in a library. A child that has everything but the secret memory looks through all of its own
 * memory for them. */
#include "tests/unit/wallet/folder.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/wallet/statement.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PIECE = 16, NEEDLES = 14, MASK = 0x5a, WINDOW = 1 << 20, LARGEST = 1 << 27 };

/* Each piece of a secret, masked, so that the list itself is not found. */
static uint8_t needles[NEEDLES][PIECE];
static unsigned needle_count;

__attribute__((noinline)) static void add_needles(const uint8_t secret[32])
{
	for (unsigned half = 0; half < 2; half++, needle_count++)
		for (unsigned i = 0; i < PIECE; i++)
			needles[needle_count][i] = (uint8_t)(secret[half * PIECE + i] ^ MASK);
}

/* As stored, and as the libraries hold it inside: secp256k1 least significant byte first; Ed25519 the hashed
 * seed, which is what really signs, and its clamped form. */
__attribute__((noinline)) static void add_secrets(const struct wallet_keys *keys)
{
	uint8_t other[64];
	add_needles(keys->wallet_secret);
	for (unsigned i = 0; i < 32; i++)
		other[i] = keys->wallet_secret[31 - i];
	add_needles(other);
	add_needles(keys->node_secret);
	crypto_hash_sha512(other, keys->node_secret, NODE_SEED);
	add_needles(other);
	add_needles(other + 32);
	other[0] &= 248;
	other[31] = (uint8_t)((other[31] & 63) | 64);
	add_needles(other);
	wipe(other, sizeof other);
}

/* What the file was sealed under: with it, a copy of the file is a copy of the keys. */
__attribute__((noinline)) static void add_sealing_key(const struct folder *folder)
{
	uint8_t file[KEYFILE_BYTES], key[SEAL_KEY];
	cr_assert_eq(folder_get(folder, file, sizeof file), sizeof file);
	hkdf_sha256(folder->secret, SEALING_SECRET, file + 12, 32, "warren wallet v1 node 7", 23, key,
		    sizeof key);
	add_needles(key);
	wipe(key, sizeof key);
	secret_wipe_stack();
	cr_assert_eq(needle_count, (unsigned)NEEDLES);
}

/* How often a needle begins in these bytes. Every byte of a process passes here, so nearly all are sorted out by how
 * the two that stand there look. */
__attribute__((no_sanitize("address", "undefined"))) static unsigned count_needles(const uint8_t *bytes,
										   size_t length)
{
	static bool begins[256][256];
	unsigned found = 0;
	for (unsigned n = 0; n < needle_count; n++)
		begins[needles[n][0] ^ MASK][needles[n][1] ^ MASK] = true;
	for (size_t at = 0; at + PIECE <= length; at++)
		for (unsigned n = 0; begins[bytes[at]][bytes[at + 1]] && n < needle_count; n++) {
			unsigned i = 0;
			while (i < PIECE && (bytes[at + i] ^ MASK) == needles[n][i])
				i++;
			found += i == PIECE;
		}
	return found;
}

/* Everything that this process can read of itself, but for the window it reads into, and for a sanitizer's
 * shadow of the address space, which is larger than any memory and holds no bytes of ours. */
static unsigned count_copies(uint8_t *window)
{
	unsigned found = 0;
	unsigned long from, to;
	char line[512], right;
	FILE *maps = fopen("/proc/self/maps", "r");
	FILE *memory = fopen("/proc/self/mem", "r");
	setvbuf(memory, NULL, _IONBF, 0);
	while (maps && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %c", &from, &to, &right) != 3 || right != 'r' ||
		    to - from > LARGEST || (from <= (unsigned long)window && (unsigned long)window < to))
			continue;
		for (; from < to; from += WINDOW - PIECE) {
			size_t want = to - from < WINDOW ? to - from : WINDOW;
			ssize_t got = pread(fileno(memory), window, want, (off_t)from);
			found += got < 0 ? 0 : count_needles(window, (size_t)got);
		}
	}
	fclose(memory);
	fclose(maps);
	return found;
}

static unsigned copies(void)
{
	/* Shared, so that the kernel does not make one mapping of it and its neighbour. */
	uint8_t *window = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	if (child == 0) {
		unsigned found = count_copies(window);
		_exit(found > 200 ? 200 : (int)found);
	}
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	munmap(window, WINDOW);
	return (unsigned)WEXITSTATUS(status);
}

static void expect_no_copy(const char *after)
{
	cr_expect_eq(copies(), 0U, "after %s", after);
}

/* After each step by itself: the next one would write over what this one left on the stack. */
Test(leftovers, no_copy_of_a_key)
{
	struct folder folder;
	struct statement statement;
	uint8_t file[KEYFILE_BYTES];
	folder_make(&folder);
	keys_make(folder.keys, folder.signer); /* not the fixed ones: this test's text holds those */
	add_secrets(folder.keys);
	secret_wipe_stack();

	cr_expect(
		keys_from(folder.keys, folder.signer, folder.keys->wallet_secret, folder.keys->node_secret));
	expect_no_copy("deriving");
	keyfile_seal(NODE, folder.secret, folder.keys, file);
	expect_no_copy("sealing");
	cr_expect_eq(keyfile_write(folder.fd, NODE, folder.secret, folder.keys), KEYFILE_OK);
	add_sealing_key(&folder);
	expect_no_copy("writing");
	cr_expect_eq(folder_open(&folder), KEYFILE_OK);
	expect_no_copy("opening");
	sign_personal(folder.signer, folder.opened->wallet_secret, "text", 4, &statement.by_wallet);
	expect_no_copy("signing");
	statement_make(folder.opened, folder.signer, &statement);
	expect_no_copy("making a statement");

	uint8_t *copy = x_new(32);
	memcpy(copy, folder.opened->wallet_secret, 32);
	cr_expect_geq(copies(), 2U, "the control: both halves of a copy on the heap are found");
	wipe(copy, 32);
	x_free(&copy);
	folder_remove(&folder);
}
