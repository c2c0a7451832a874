/* Claims of uid blocks, against a host of the test's own. */
#include "scratch.h"
#include "supervisor/uids.h"

#include <errno.h>

static struct scratch scratch;
static char paths[5][128];
static struct uid_world world;

static void begin(void)
{
	static const char *const names[] = {"claims", "passwd", "group", "subuid", "subgid"};
	scratch = scratch_make();
	for (int i = 0; i < 5; i++) {
		snprintf(paths[i], sizeof paths[i], "%s/%s", scratch.path, names[i]);
		if (i)
			scratch_write(&scratch, names[i], 0644, "");
	}
	world = (struct uid_world){paths[0], paths[1], paths[2], paths[3], paths[4]};
}

static void end(void)
{
	scratch_end(&scratch);
}

TestSuite(uids, .init = begin, .fini = end);

static uint32_t claim(const char *root)
{
	struct why why;
	uint32_t base = 0;
	cr_assert(uids_claim(&world, root, &base, &why), "%s", why.text);
	return base;
}

Test(uids, machines_get_blocks_one_after_the_other)
{
	cr_assert_eq(claim("/a"), UIDS_FIRST);
	cr_assert_eq(claim("/b"), UIDS_FIRST + UIDS_BLOCK);
	cr_assert_eq(claim("/c"), UIDS_FIRST + 2 * UIDS_BLOCK);
}

Test(uids, a_machine_that_claimed_before_has_the_same_block)
{
	claim("/a");
	uint32_t b = claim("/b");
	cr_assert_eq(claim("/b"), b);
	cr_assert_neq(claim("/bb"), b);
	cr_assert_neq(claim("/"), b);
}

Test(uids, no_two_uids_of_a_block_are_the_same)
{
	cr_assert_eq(uid_of(UIDS_FIRST, STORE, 1), UIDS_FIRST + 32 + STORE);
	cr_assert_lt(uid_of(UIDS_FIRST, OPERATOR, NODES_MAX), UIDS_FIRST + UIDS_BLOCK);
	cr_assert_gt(uid_of(UIDS_FIRST, BROKER, 0), UIDS_FIRST);
}

Test(uids, blocks_of_users_and_groups_are_passed_over)
{
	char line[128];
	snprintf(line, sizeof line, "root:x:0:0::/:/bin/sh\nsomebody:x:%d:1::/:/bin/sh\n",
		 UIDS_FIRST + UIDS_BLOCK - 1);
	scratch_write(&scratch, "passwd", 0644, line);
	cr_assert_eq(claim("/a"), UIDS_FIRST + UIDS_BLOCK);
	snprintf(line, sizeof line, "somegroup:x:%d:\n", UIDS_FIRST + 2 * UIDS_BLOCK);
	scratch_write(&scratch, "group", 0644, line);
	cr_assert_eq(claim("/b"), UIDS_FIRST + 3 * UIDS_BLOCK);
}

Test(uids, a_user_s_group_counts_as_well)
{
	char line[128];
	snprintf(line, sizeof line, "somebody:x:1000:%d::/:/bin/sh\n", UIDS_FIRST);
	scratch_write(&scratch, "passwd", 0644, line);
	cr_assert_eq(claim("/a"), UIDS_FIRST + UIDS_BLOCK);
}

Test(uids, ranges_handed_out_to_containers_are_passed_over)
{
	char line[128];
	snprintf(line, sizeof line, "alice:100000:65536\nbob:%d:2\n", UIDS_FIRST - 1);
	scratch_write(&scratch, "subuid", 0644, line);
	cr_assert_eq(claim("/a"), UIDS_FIRST + UIDS_BLOCK);
	snprintf(line, sizeof line, "# nothing\nbad\ncarol:%d:%d\n", UIDS_FIRST + 2 * UIDS_BLOCK + 5,
		 2 * UIDS_BLOCK);
	scratch_write(&scratch, "subgid", 0644, line);
	cr_assert_eq(claim("/b"), UIDS_FIRST + 5 * UIDS_BLOCK);
}

Test(uids, a_range_over_everything_leaves_nothing)
{
	struct why why;
	uint32_t base;
	scratch_write(&scratch, "subuid", 0644, "alice:0:4294967295\n");
	cr_assert_not(uids_claim(&world, "/a", &base, &why));
	cr_assert_not_null(strstr(why.text, "taken"));
}

Test(uids, a_claim_s_folder_that_others_can_write_is_refused)
{
	struct why why;
	uint32_t base;
	cr_assert_eq(mkdir(paths[0], 0777), 0);
	cr_assert_eq(chmod(paths[0], 0777), 0);
	cr_assert_not(uids_claim(&world, "/a", &base, &why));
}

Test(uids, what_is_written_is_read_and_nothing_else)
{
	uint32_t base = 0;
	cr_assert_not(uids_read(scratch.fd, &base));
	cr_assert_eq(errno, ENOENT);
	cr_assert(uids_write(scratch.fd, UIDS_FIRST + UIDS_BLOCK));
	cr_assert(uids_read(scratch.fd, &base));
	cr_assert_eq(base, UIDS_FIRST + UIDS_BLOCK);
	static const char *const bad[] = {"",       "\n",        "0\n",          "700001\n",
					  "700000", "700000x\n", "4294967295\n", "-1\n"};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		scratch_write(&scratch, "uids", 0644, bad[i]);
		cr_assert_not(uids_read(scratch.fd, &base), "\"%s\"", bad[i]);
		cr_assert_eq(errno, EINVAL);
	}
}
