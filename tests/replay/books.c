/* The trial of a wallet's books: charges by ones and by as many as may be under way, through the thread that writes them, until
 * the ring has gone round once. A start must then know every charge whose end was told, each under its key with what was signed:
 * a budget is never renewed. What was not told may be there or not. */
#include "tests/replay/trial.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/wallet/ink.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	ALONE = 300,               /* charges in groups of all sizes, which are looked at most */
	ROUND = SPENT_SLOTS + 400, /* all of them: past the ring's end */
	SPACING_S = 20, /* of the books' clock: an entry leaves the day before it leaves the ring */
	PHASES = 2,
};
#define BEGAN UINT64_C(1800000000)

struct mark {
	uint32_t asked, from,
		to; /* these charges, `to` not among them, were asked for (1), or are on the disk (0) */
};

static struct charge charge_of(uint32_t n)
{
	struct charge charge = {.chain = 7, .nonce = n, .rule = "pay"};
	memcpy(charge.once.bytes, &n, sizeof n);
	memcpy(charge.digest.bytes + 8, &n, sizeof n);
	charge.value.bytes[31] = 1;
	charge.fee.bytes[30] = 1;
	return charge;
}

static uint64_t time_of(uint32_t n)
{
	return BEGAN + (uint64_t)n * SPACING_S;
}

static struct spent *open_books(const char *folder, enum spent_end *end)
{
	struct spent *spent = NULL;
	bool made;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*end = fd < 0 ? SPENT_DISK : spent_open(fd, &spent, &made);
	if (fd >= 0)
		close(fd);
	return spent;
}

static void wait_for(struct ink *ink, uint64_t count)
{
	struct pollfd ready = {.fd = ink_fd(ink), .events = POLLIN};
	while (ink_dry(ink) < count)
		if (poll(&ready, 1, 60000) != 1)
			_exit(4);
}

/* The first ends without notice, in the middle of a group. */
static int live(const char *folder, unsigned phase, uint64_t seed)
{
	enum spent_end end;
	struct spent *spent = open_books(folder, &end);
	if (end != SPENT_OK)
		return 1;
	struct ink *ink = ink_start(spent_fd(spent));
	uint64_t chance = seed + phase, put = 0;
	for (uint32_t n = phase ? ALONE : 0, stop = phase ? ROUND : ALONE; n < stop;) {
		uint32_t from = n, group = SPENT_UNDER_WAY;
		if (n < ALONE * 2)
			group = 1 + (uint32_t)(trial_chance(&chance) % SPENT_UNDER_WAY);
		uint32_t to = n + group < stop ? n + group : stop;
		trial_mark(&(struct mark){1, from, to}, sizeof(struct mark));
		for (; n < to; n++, put++) {
			struct charge charge = charge_of(n);
			uint8_t slot[SPENT_SLOT];
			uint64_t at = spent_add(spent, &charge, spent_now(spent, time_of(n)), slot);
			if (!ink_put(ink, at, slot))
				return 1;
		}
		if (n == ALONE && !phase)
			_exit(0);
		wait_for(ink, put);
		trial_mark(&(struct mark){0, from, to}, sizeof(struct mark));
	}
	ink_end(&ink);
	spent_free(&spent);
	return 0;
}

static uint32_t listen_to_marks(const struct orders *orders, size_t at, bool told[ROUND])
{
	uint32_t asked = 0;
	for (size_t i = 0; i < at; i++) {
		struct mark mark;
		const void *bytes = orders_mark(orders, i, sizeof mark);
		if (!bytes)
			continue;
		memcpy(&mark, bytes, sizeof mark);
		if (mark.asked)
			asked = mark.to;
		else
			memset(told + mark.from, true, mark.to - mark.from);
	}
	return asked;
}

static enum verdict check(const struct orders *orders, size_t at, const char *folder, char why[TRIAL_WHY])
{
	static bool told[ROUND];
	enum spent_end end;
	uint32_t asked = listen_to_marks(orders, at, told), of_day = SPENT_DAY_S / SPACING_S, count = 0;
	struct spent *spent = open_books(folder, &end);
	if (end != SPENT_OK) {
		snprintf(why, TRIAL_WHY, "not opened: %s", spent_sentence(end));
		return UNOPENED;
	}
	uint32_t first = asked > of_day ? asked - of_day : 0;
	for (uint32_t n = first; n < asked; n++) {
		struct charge charge = charge_of(n);
		const struct hash *digest = told[n] ? spent_once(spent, &charge.once) : NULL;
		count += told[n];
		if (told[n] && (!digest || memcmp(digest, &charge.digest, sizeof *digest) != 0)) {
			snprintf(why, TRIAL_WHY, "charge %u of %u is forgotten", n, asked);
			return LOST;
		}
	}
	struct sums sums = spent_sums(spent, 7, "pay", spent_now(spent, time_of(asked)));
	if (sums.count + 1 < count || sums.count > asked) { /* one may be just a day old */
		snprintf(why, TRIAL_WHY, "%u of a day are counted, and %u were told", sums.count, count);
		return WRONG;
	}
	return KEPT;
}

const struct trial trial_books = {"books", PHASES, "-", crypto_warm, live, check};
