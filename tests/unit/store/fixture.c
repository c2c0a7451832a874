/* Stores as older programs wrote them, unpacked; and what must be in them. fixtures/README.md. */
#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const fixtures[FIXTURES_OLDER] = {"index-v1-first", "index-v1-commits-killed", "index-v1-synced",
					      "index-v2"};
const char *const fixtures_kept[FIXTURES_OLDER] = {"index.db.v1", "index.db.v1", "index.db.v1",
						   "index.db.v2"};

/* What fixtures/README.md says that was put, and what was deleted of it. */
static const size_t lengths[] = {10, 500, 70, 0, 2000, 1, 300, 3000, 1024, 400};

void fixture_unpack(struct house *house, const char *name)
{
	char path[300];
	int status;
	house_make(house, 8 * MIB);
	snprintf(path, sizeof path, WARREN_FIXTURES "/%s.tar.gz", name);
	pid_t child = fork();
	if (child == 0) {
		execlp("tar", "tar", "-C", house->path, "--no-same-owner", "-xzf", path, (char *)NULL);
		_exit(127);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "%s is not unpacked", path);
}

void expect_fixture(struct house *house, const char *what)
{
	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(get_seeded(house, i, lengths[i]), i % 3 == 2 ? ERR_NOT_FOUND : ERR_OK,
			     "%s: blob %u", what, i);
	cr_assert_eq(get_seeded(house, 20, 600), ERR_OK, "%s", what);
	cr_assert_eq(stat_of(house).blobs, 8, "%s", what);
	house_audit(house);
}

bool house_is_inode(const struct house *house, const char *name, ino_t inode)
{
	struct stat at;
	return stat(house_file(house, name), &at) == 0 && at.st_ino == inode;
}

ino_t house_inode(const struct house *house, const char *name)
{
	struct stat at;
	cr_assert_eq(stat(house_file(house, name), &at), 0);
	return at.st_ino;
}
