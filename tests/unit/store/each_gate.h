/* For a suite in which each test has a store of 32 MiB and a gateway that has shown its ticket. */
#ifndef WARREN_TESTS_STORE_EACH_GATE_H
#define WARREN_TESTS_STORE_EACH_GATE_H

#include "tests/unit/store/speaker.h"

#include <unistd.h>

static struct porch porch;
static struct speaker gate;

static void setup(void)
{
	porch_open(&porch, 32 * MIB, getuid());
	speaker_open(&gate, &porch);
}

static void teardown(void)
{
	speaker_end(&gate);
	porch_close(&porch);
}

#endif
