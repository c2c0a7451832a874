/* The file of the books: a ring of slots, each whole or not there. Runs as wallet@N before its seal; afterwards only
 * ink.c writes, through the descriptor that was opened here. A death in the middle of a slot leaves a torn one, which
 * is passed over: its signature had not left. */
#include "actors/wallet/spent_inside.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/reasons/reasons.h"
#include "actors/base/whole/whole.h"
#include "proto/formats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNTED_MOST (UINT64_C(1) << 62) /* signatures, and seconds */
static const char magic[8] = {'W', 'S', 'P', 'E', 'N', 'T', '0' + FORMAT_books, '\n'};

enum {
	AT_DIGIT = 6,
	AT_SEQUENCE = 8,
	AT_TIME = 16,
	AT_CHAIN = 24,
	AT_NONCE = 32,
	AT_RULE = 40,
	AT_ONCE = 64,
	AT_DIGEST = 96,
	AT_VALUE = 128,
	AT_FEE = 160,
	AT_AMOUNT = 192,
	AT_SUM = 224,
};

const char *spent_sentence(enum spent_end end)
{
	switch (end) {
	case SPENT_OK:
		return "done";
	case SPENT_UNSAFE:
		return "the file of what was spent must be a plain file of this process's user with mode "
		       "0600; chown "
		       "and chmod it";
	case SPENT_DAMAGED:
		return "the file of what was spent is damaged, so nobody knows what of today's budgets is "
		       "left; move "
		       "it away to begin with full ones";
	case SPENT_NEWER:
		return "the file of what was spent is of a later version; install that version";
	case SPENT_DISK:
		return "the disk refused; free space or mend it";
	}
	bug("no such end");
}

enum reason_code spent_reason(enum spent_end end)
{
	return end == SPENT_NEWER ? REASON_BOOKS_NEWER : REASON_BOOKS_REFUSED;
}

/* The digit in the magic of the first slot, which is there once anything was signed; 0: none. */
static unsigned version_of(int fd)
{
	uint8_t head[sizeof magic] = {0};
	bool known = pread(fd, head, sizeof head, 0) == sizeof head && memcmp(head, magic, AT_DIGIT) == 0 &&
		     head[AT_DIGIT + 1] == '\n' && head[AT_DIGIT] >= '0' && head[AT_DIGIT] <= '9';
	return known ? head[AT_DIGIT] - '0' : 0;
}

const char *spent_why(enum spent_end end, int folder, int error, char text[SPENT_WHY])
{
	int fd = end == SPENT_NEWER ? openat(folder, SPENT_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	unsigned version = fd >= 0 ? version_of(fd) : 0;
	if (fd >= 0)
		close(fd);
	if (version)
		return format_newer(SPENT_NAME, version, FORMAT_books, text);
	snprintf(text, SPENT_WHY, "%s%s%s", spent_sentence(end), end == SPENT_DISK ? ": " : "",
		 end == SPENT_DISK ? strerror(error) : "");
	return text;
}

static void put64(uint8_t *at, uint64_t number)
{
	for (int i = 7; i >= 0; i--, number >>= 8)
		at[i] = (uint8_t)number;
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t number = 0;
	for (int i = 0; i < 8; i++)
		number = number << 8 | at[i];
	return number;
}

void spent_slot(const struct charge *charge, uint64_t sequence, uint64_t time, uint8_t slot[SPENT_SLOT])
{
	memset(slot, 0, SPENT_SLOT);
	memcpy(slot, magic, sizeof magic);
	put64(slot + AT_SEQUENCE, sequence);
	put64(slot + AT_TIME, time);
	put64(slot + AT_CHAIN, charge->chain);
	put64(slot + AT_NONCE, charge->nonce);
	memcpy(slot + AT_RULE, charge->rule, strnlen(charge->rule, POLICY_NAME));
	memcpy(slot + AT_ONCE, charge->once.bytes, 32);
	memcpy(slot + AT_DIGEST, charge->digest.bytes, 32);
	memcpy(slot + AT_VALUE, charge->value.bytes, 32);
	memcpy(slot + AT_FEE, charge->fee.bytes, 32);
	memcpy(slot + AT_AMOUNT, charge->amount.bytes, 32);
	sha256(slot, AT_SUM, slot + AT_SUM);
}

static bool whole(const uint8_t *slot)
{
	uint8_t sum[32];
	if (*slot != *magic || memcmp(slot, magic, sizeof magic) != 0) /* most of a young ring is zeroes */
		return false;
	sha256(slot, AT_SUM, sum);
	return memcmp(sum, slot + AT_SUM, sizeof sum) == 0;
}

static void enter(struct spent *spent, const uint8_t *slot)
{
	struct charge charge = {.chain = get64(slot + AT_CHAIN), .nonce = get64(slot + AT_NONCE)};
	memcpy(charge.rule, slot + AT_RULE, POLICY_NAME);
	memcpy(charge.once.bytes, slot + AT_ONCE, 32);
	memcpy(charge.digest.bytes, slot + AT_DIGEST, 32);
	memcpy(charge.value.bytes, slot + AT_VALUE, 32);
	memcpy(charge.fee.bytes, slot + AT_FEE, 32);
	memcpy(charge.amount.bytes, slot + AT_AMOUNT, 32);
	spent_enter(spent, &charge, get64(slot + AT_TIME));
}

/* The sequence after the newest whole slot; 0 when there is none. False: one says what nobody has lived to write, and sums with it
 * would go round. */
static bool next_sequence(const uint8_t *file, uint64_t *next)
{
	*next = 0;
	for (size_t i = 0; i < SPENT_SLOTS; i++) {
		const uint8_t *slot = file + i * SPENT_SLOT;
		if (!whole(slot))
			continue;
		if (get64(slot + AT_SEQUENCE) >= COUNTED_MOST || get64(slot + AT_TIME) >= COUNTED_MOST)
			return false;
		if (get64(slot + AT_SEQUENCE) >= *next)
			*next = get64(slot + AT_SEQUENCE) + 1;
	}
	return true;
}

/* Every slot before the next must be there, each in its place, but for those that were under way together when we died: at most
 * SPENT_UNDER_WAY behind the newest whole one, and as many of the oldest of a full ring, which they were overwriting. None of
 * them left a signature behind. Our clock never goes back, so neither do they. */
static bool enter_all(struct spent *spent, const uint8_t *file)
{
	uint64_t next;
	if (!next_sequence(file, &next))
		return false;
	uint64_t first = next > SPENT_SLOTS ? next - SPENT_SLOTS : 0;
	for (uint64_t sequence = first; sequence < next; sequence++) {
		const uint8_t *slot = file + sequence % SPENT_SLOTS * SPENT_SLOT;
		bool under_way = next - sequence <= SPENT_UNDER_WAY ||
				 (next >= SPENT_SLOTS && sequence - first < SPENT_UNDER_WAY);
		bool there = whole(slot) && get64(slot + AT_SEQUENCE) == sequence;
		if (there && get64(slot + AT_TIME) >= spent->clock)
			enter(spent, slot);
		else if (there)
			return false;
		else if (!under_way)
			return false;
	}
	spent->sequence = next;
	return true;
}

/* All of its room is taken when it is made: a full disk stops nobody from being charged. */
static bool reserve(int fd, off_t size)
{
	errno = size < SPENT_BYTES ? posix_fallocate(fd, 0, SPENT_BYTES) : 0;
	return errno == 0 && (size == SPENT_BYTES || fsync(fd) == 0);
}

/* The next bytes from `at` on that were ever written, up to `end`; false: there are none. What was only reserved reads as zeroes, which
 * are no slot: it is most of the file of most wallets, and is not read at every birth. A disk that cannot tell gives all of it. */
static bool written(int fd, size_t *at, size_t *end)
{
	off_t from = lseek(fd, (off_t)*at, SEEK_DATA), to = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);
	if (from < 0 && errno == ENXIO)
		return false;
	if (from >= 0)
		*at = (size_t)from;
	*end = to > from && to < SPENT_BYTES ? (size_t)to : SPENT_BYTES;
	return true;
}

/* `file` is zeroes. */
static bool read_written(int fd, uint8_t *file)
{
	for (size_t at = 0, end; at < SPENT_BYTES && written(fd, &at, &end); at = end)
		if (read_whole_at(fd, file + at, end - at, at) != 0)
			return false;
	return true;
}

/* What was under way when we died may have been read out of memory that a failed sync left marked as written: the same bytes once more,
 * and a sync of them. Whoever asks again with such a slot's key is answered at once. */
static bool write_again(const struct spent *spent, const uint8_t *file)
{
	uint64_t from = spent->sequence > SPENT_UNDER_WAY ? spent->sequence - SPENT_UNDER_WAY : 0;
	for (uint64_t sequence = from; sequence < spent->sequence; sequence++) {
		size_t at = sequence % SPENT_SLOTS * SPENT_SLOT;
		if (write_whole_at(spent->fd, file + at, SPENT_SLOT, at) != 0)
			return false;
	}
	return from == spent->sequence || fdatasync(spent->fd) == 0;
}

static enum spent_end load(struct spent *spent)
{
	struct stat at;
	if (fstat(spent->fd, &at) != 0)
		return SPENT_DISK;
	if (!S_ISREG(at.st_mode) || at.st_uid != geteuid() || (at.st_mode & 077) || at.st_nlink != 1)
		return SPENT_UNSAFE;
	if (version_of(spent->fd) > FORMAT_books)
		return SPENT_NEWER;
	if (at.st_size > SPENT_BYTES)
		return SPENT_DAMAGED;
	if (!reserve(spent->fd, at.st_size))
		return SPENT_DISK;
	uint8_t *file = x_new(SPENT_BYTES); /* not mapped: what the disk does not give would be a SIGBUS */
	enum spent_end end = !read_written(spent->fd, file) ? SPENT_DISK
			     : !enter_all(spent, file)      ? SPENT_DAMAGED
			     : !write_again(spent, file)    ? SPENT_DISK
							    : SPENT_OK;
	x_free(&file);
	return end;
}

enum spent_end spent_open(int folder, struct spent **spent, bool *made)
{
	const int how = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	struct spent *opened = x_new(sizeof *opened);
	opened->fd = openat(folder, SPENT_NAME, how);
	*made = opened->fd < 0 && errno == ENOENT;
	if (*made)
		opened->fd = openat(folder, SPENT_NAME, how | O_CREAT | O_EXCL, 0600);
	enum spent_end end = SPENT_OK;
	if (opened->fd < 0)
		end = errno == ELOOP || errno == EACCES ? SPENT_UNSAFE : SPENT_DISK;
	else
		end = load(opened);
	/* Each time: who made it may not have come so far, and books that vanish renew every budget. */
	if (end == SPENT_OK && fsync(folder) != 0)
		end = SPENT_DISK;
	int error = errno;
	if (end != SPENT_OK)
		spent_free(&opened);
	*spent = opened;
	errno = error;
	return end;
}

bool spent_restore(struct spent *spent, uint64_t now)
{
	struct charge charge = {.rule = SPENT_RESTORED, .nonce = spent->sequence};
	uint8_t slot[SPENT_SLOT];
	random_bytes(&charge.once, sizeof charge.once);
	uint64_t at = spent_add(spent, &charge, spent_now(spent, now), slot);
	return pwrite(spent->fd, slot, sizeof slot, (off_t)at) == SPENT_SLOT && fsync(spent->fd) == 0;
}

void spent_tell_restored(struct spent *spent, uint64_t wall)
{
	uint64_t now = spent_now(spent, wall), until = spent_restored(spent, now);
	if (!until)
		return;
	reason_note(REASON_BOOKS_RESTORED, SPENT_NAME,
		    "it came out of a backup, and signs no transaction for %llu s",
		    (unsigned long long)(until - now));
	log_warn("wallet.restored", "until=%llu why=\"what it signed since the backup is not known\"",
		 (unsigned long long)until);
}

void spent_free(struct spent **spent)
{
	if (!*spent)
		return;
	if ((*spent)->fd >= 0)
		close((*spent)->fd);
	x_free(&(*spent)->entries);
	x_free(&(*spent)->marks);
	x_free(spent);
}

int spent_fd(const struct spent *spent)
{
	return spent->fd;
}
