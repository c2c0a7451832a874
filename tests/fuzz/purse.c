/* What a wallet finds on its disk, and a statement that somebody shows it: the sealed file of keys, the books, the binding of two keys. The
 * first byte chooses; digests are made right where its second bit says so. Books that are accepted hold every charge that is in them. */
#include "tests/fuzz/target.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/wallet/keyfile.h"
#include "actors/wallet/spent_inside.h"
#include "actors/wallet/statement.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RIGHT = 2, AT_SUM = 224, BOOKED = 24 };

static char folder[FUZZ_PLACE];
static int at = -1, books = -1;
static struct signer *signer;

static void leave(void)
{
	signer_free(&signer);
	unlinkat(at, SPENT_NAME, 0);
	rmdir(folder);
}

static void enter(void)
{
	struct spent *spent;
	bool made;
	log_threshold(LOG_ERROR);
	signer = signer_new();
	must(*fuzz_place(folder) && (at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
	must(spent_open(at, &spent, &made) == SPENT_OK && made);
	spent_free(&spent);
	books = openat(at, SPENT_NAME, O_RDWR | O_CLOEXEC);
	atexit(leave);
}

static void keyfile(const uint8_t *bytes, size_t length, bool right)
{
	static const uint8_t secret[SEALING_SECRET] = {7};
	static struct wallet_keys keys;
	uint8_t file[KEYFILE_MOST + 16];
	length = length < sizeof file ? length : sizeof file;
	memcpy(file, bytes, length);
	if (right && length >= 44) {
		memcpy(file, "WARRENKY", 8);
		sha256(file, length - 32, file + length - 32);
	}
	enum keyfile_end end = keyfile_unseal(file, length, 3, secret, signer, &keys);
	must(end != KEYFILE_OK && end <= KEYFILE_WRONG_SECRET); /* nobody seals without the secret */
	must(*keyfile_sentence(end));
	for (size_t i = 0; i < sizeof keys; i++)
		must(((const uint8_t *)&keys)[i] == 0);
}

/* Slots at the begin of the file, the last of them at its end; the rest was never written. */
static void book(const uint8_t *bytes, size_t length, bool right)
{
	static uint8_t slots[BOOKED][SPENT_SLOT];
	struct spent *spent;
	bool made;
	unsigned count = 0;
	bool whole = false; /* one is, and in its place */
	memset(slots, 0, sizeof slots);
	for (size_t from = 0; from < length && count < BOOKED; from += AT_SUM, count++) {
		uint8_t *slot = slots[count];
		memcpy(slot, bytes + from, length - from < AT_SUM ? length - from : AT_SUM);
		if (right) {
			const uint8_t magic[8] = {'W', 'S', 'P', 'E', 'N', 'T', '0' + FORMAT_books, '\n'};
			memcpy(slot, magic, sizeof magic);
			sha256(slot, AT_SUM, slot + AT_SUM);
			whole = whole || (slot[14] == (count < BOOKED - 1 ? 0 : 63) &&
					  slot[15] == (count < BOOKED - 1 ? count : 255));
		}
	}
	must(pwrite(books, slots, sizeof slots - SPENT_SLOT, 0) > 0);
	must(pwrite(books, slots[BOOKED - 1], SPENT_SLOT, SPENT_BYTES - SPENT_SLOT) == SPENT_SLOT);
	enum spent_end end = spent_open(at, &spent, &made);
	must(!made && end != SPENT_DISK && end != SPENT_UNSAFE);
	if (end != SPENT_OK)
		return;
	must(spent->count <= SPENT_SLOTS && spent->count >= whole);
	uint64_t now = spent_now(spent, 1760000000);
	must(now >= 1760000000);
	for (unsigned i = 0; i < spent->count; i++) {
		const struct entry *entry = &spent->entries[i];
		must(entry->time <= now && (!i || entry[-1].time <= entry->time));
		must(memchr(entry->rule, '\0', sizeof entry->rule));
	}
	struct charge charge = {.chain = 1, .nonce = 2, .rule = "rule"};
	spent_with(spent, &charge, true, now);
	spent_with(spent, &charge, false, now);
	spent_restored(spent, now);
	spent_full(spent, now);
	must(spent_add(spent, &charge, now, slots[0]) <= SPENT_BYTES - SPENT_SLOT);
	spent_free(&spent);
}

static void statement(const uint8_t *bytes, size_t length)
{
	struct binding binding;
	struct signature by_wallet = {{1}};
	struct ed_signature by_node = {{1}};
	must(statement_verify((const char *)bytes, length, &by_wallet, &by_node, &binding) != STATEMENT_OK);
	for (size_t i = 0; i < sizeof binding; i++)
		must(((const uint8_t *)&binding)[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (at < 0)
		enter();
	if (length == 0)
		return 0;
	if (bytes[0] & 4)
		statement(bytes + 1, length - 1);
	else if (bytes[0] & 1)
		keyfile(bytes + 1, length - 1, bytes[0] & RIGHT);
	else
		book(bytes + 1, length - 1, bytes[0] & RIGHT);
	return 0;
}
