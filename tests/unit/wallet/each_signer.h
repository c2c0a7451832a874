/* For a suite in which each test has a signer. */
#ifndef WARREN_TESTS_EACH_SIGNER_H
#define WARREN_TESTS_EACH_SIGNER_H

#include "tests/unit/wallet/fixed.h"

#include "actors/base/crypto/crypto.h"

static struct signer *signer;

static void setup(void)
{
	crypto_warm();
	signer = signer_new();
}

static void teardown(void)
{
	signer_free(&signer);
	cr_expect_null(signer);
}

#endif
