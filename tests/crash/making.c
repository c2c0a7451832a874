/* A store that is cut off while it is made. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/house.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(making, .timeout = 600);

/* A death at every step of making: the next one makes it whole. */
Test(making, can_be_cut_off_anywhere)
{
	uint64_t steps = 0;
	for (uint64_t nth = 1;; nth++) {
		struct house half;
		house_make(&half, 8 * MIB);
		pid_t child = fork();
		if (child == 0) {
			uint64_t physical;
			bool found;
			disk_trouble(DISK_PROCESS_ENDS, nth, 0, 0);
			_exit(store_init(&half.shape, &physical, &found, half.why));
		}
		int status;
		cr_assert_eq(waitpid(child, &status, 0), child);
		bool cut = WEXITSTATUS(status) == DISK_ENDED;
		cr_assert(cut || status == 0);
		if (cut && !house_has(&half, "marker"))
			cr_expect_eq(house_try(&half), STORE_NO_MARKER);
		house_init(&half);
		house_open(&half);
		cr_assert_eq(put_seeded(&half, 1, 5000, NULL), ERR_OK);
		house_audit(&half);
		house_remove(&half);
		if (!cut)
			break;
		steps++;
	}
	cr_expect_gt(steps, 8, "only %lu steps", (unsigned long)steps);
}
