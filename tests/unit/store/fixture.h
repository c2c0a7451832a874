/* Stores as older programs wrote them. */
#ifndef WARREN_TESTS_STORE_FIXTURE_H
#define WARREN_TESTS_STORE_FIXTURE_H

#include "tests/unit/store/house.h"

#include <sys/types.h>

enum { FIXTURES_OLDER = 4 };
extern const char *const fixtures[FIXTURES_OLDER], *const fixtures_kept[FIXTURES_OLDER]; /* as what the old index is kept */

void fixture_unpack(struct house *house, const char *name); /* into a folder of its own, closed */
void expect_fixture(struct house *house, const char *what); /* exactly the blobs of fixtures/README.md, in an open store */

ino_t house_inode(const struct house *house, const char *name);
bool house_is_inode(const struct house *house, const char *name, ino_t inode);

#endif
