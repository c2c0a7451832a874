/* For a suite in which each test has a store of 16 MiB of its own, on a disk that is good again when it ends. */
#ifndef WARREN_TESTS_STORE_EACH_HOUSE_H
#define WARREN_TESTS_STORE_EACH_HOUSE_H

#include "tests/unit/store/disk.h"
#include "tests/unit/store/house.h"

static struct house house;

static void setup(void)
{
	house_new(&house, 16 * MIB);
}

static void teardown(void)
{
	disk_trouble(DISK_GOOD, 0, 0, 0);
	disk_read_only(false);
	disk_space(UINT64_MAX);
	house_remove(&house);
}

#endif
