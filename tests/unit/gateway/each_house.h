/* For a suite in which each test has a house by house_plan(), and gives back every buffer. */
#ifndef TEST_EACH_HOUSE_H
#define TEST_EACH_HOUSE_H

#include "tests/unit/gateway/house.h"

#include <criterion/criterion.h>

static struct house house;

static void setup(void)
{
	struct http_config plan = house_plan();
	house_open(&house, &plan);
}

static void teardown(void)
{
	house_close(&house);
	cr_assert_eq(house.chunks.held, 0, "every buffer was given back");
}

#endif
