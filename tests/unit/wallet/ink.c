/* The thread that writes charges: nobody is told that one is on the disk before it is. This program's own fdatasync() stands
 * before the C library's, and looks at the file and at the thread's news when it is asked to sync. */
#include "actors/wallet/ink.h"
#include "actors/wallet/spent.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LIMIT_MS = 60000 };

/* Of the syncs since the test began. */
static struct {
	_Atomic(struct ink *) of; /* NULL: not looking */
	atomic_uint count, told_before, empty;
} seen;

int fdatasync(int fd)
{
	struct ink *ink = seen.of;
	if (ink) {
		uint8_t slot[SPENT_SLOT], charged[SPENT_SLOT];
		struct pollfd news = {.fd = ink_fd(ink), .events = POLLIN};
		memset(charged, 7, sizeof charged);
		seen.told_before += poll(&news, 1, 0) != 0;
		seen.empty += pread(fd, slot, sizeof slot, 0) != SPENT_SLOT ||
			      memcmp(slot, charged, sizeof slot) != 0;
		seen.count++;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

Test(ink, a_charge_is_told_when_it_was_written_and_synced)
{
	int fd = memfd_create("books", MFD_CLOEXEC);
	cr_assert_geq(fd, 0);
	struct ink *ink = ink_start(fd);
	uint8_t slot[SPENT_SLOT];
	memset(slot, 7, sizeof slot);
	seen.of = ink;
	cr_assert(ink_put(ink, 0, slot));
	struct pollfd wait = {.fd = ink_fd(ink), .events = POLLIN};
	cr_assert_eq(poll(&wait, 1, LIMIT_MS), 1);
	cr_expect_eq(seen.count, 1u, "it is told, and was not synced");
	cr_expect_eq(seen.empty, 0u, "it was synced before it was written");
	cr_expect_eq(seen.told_before, 0u, "it was told before it was synced");
	cr_expect_eq(ink_dry(ink), 1u);
	seen.of = NULL;
	ink_end(&ink);
	close(fd);
}
