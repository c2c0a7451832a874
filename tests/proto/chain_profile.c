/* The chain profile's line: what is written is read, and nothing else is. */
#include "proto/chain_profile.h"

#include <criterion/criterion.h>
#include <string.h>

#define ONE "f78f840ef0e321512b09e98c76ea0229affc4b73"
#define LINE \
	"dev 1370 eip1559 1 0 http://127.0.0.1:5000 https://a.example.org/key MCTToken=" ONE " NodeNexus" \
	"=" ONE
#define BARE "my-chain 80002 legacy 12 2 https://rpc.example.org -"

Test(chain_profile, a_line_is_read_and_written_again)
{
	static struct chain_profile profile;
	char text[CHAIN_TEXT];
	cr_assert(chain_profile_parse(LINE, &profile));
	cr_expect_str_eq(profile.name, "dev");
	cr_expect_eq(profile.id, 1370);
	cr_expect_eq(profile.rpc_count, 2);
	cr_expect_str_eq(profile.rpc[1], "https://a.example.org/key");
	cr_expect_eq(profile.known, 1U << CONTRACT_MCTToken | 1U << CONTRACT_NodeNexus);
	cr_expect_eq(profile.contracts[CONTRACT_NodeNexus].bytes[0], 0xf7);
	cr_assert_eq(chain_profile_print(&profile, text), strlen(LINE));
	cr_expect_str_eq(text, LINE);
	cr_assert(chain_profile_parse(BARE, &profile));
	cr_expect_eq(profile.fee, CHAIN_FEE_LEGACY);
	cr_expect_eq(profile.confirmations, 12);
	cr_expect_eq(profile.block_s, 2);
	cr_expect_eq(profile.known, 0);
}

/* Each differs from one that is read in the one thing that it is here for. */
Test(chain_profile, nothing_else_is_read)
{
	static const char *const wrong[] = {
		"",
		"Dev 1370 eip1559 1 0 http://127.0.0.1:5000 -",
		"dev 0 eip1559 1 0 http://127.0.0.1:5000 -",
		"dev 4294967296 eip1559 1 0 http://127.0.0.1:5000 -",
		"dev 01370 eip1559 1 0 http://127.0.0.1:5000 -",
		"dev 1370 eip1558 1 0 http://127.0.0.1:5000 -",
		"dev 1370 eip1559 0 0 http://127.0.0.1:5000 -",
		"dev 1370 eip1559 257 0 http://127.0.0.1:5000 -",
		"dev 1370 eip1559 1 3601 http://127.0.0.1:5000 -",
		"dev 1370 eip1559 1 0 -",
		"dev 1370 eip1559 1 0 ftp://127.0.0.1:5000 -",
		"dev 1370 eip1559 1 0 http://u@127.0.0.1:5000 -",
		"dev 1370 eip1559 1 0 http://127.0.0.1:5000",
		"dev 1370 eip1559 1 0 http://127.0.0.1:5000 - ",
		"dev 1370 eip1559 1 0 http://127.0.0.1:5000 - http://127.0.0.1:5001",
		"dev 1370 eip1559 1 0 http://1 http://2 http://3 http://4 http://5 -",
		"dev 1370 eip1559 1 0 http://127.0.0.1:5000 RelayManager=" ONE " MCTToken=" ONE,
		"dev 1370 eip1559 1 0 http://127.0.0.1:5000 MCTToken=" ONE " MCTToken=" ONE,
		("dev 1370 eip1559 1 0 http://127.0.0.1:5000 MCTToken=" ONE "00"),
		"dev 1370 eip1559 1 0 http://127.0.0.1:5000 Other=" ONE,
	};
	static const struct chain_profile nothing;
	static struct chain_profile profile;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cr_expect_not(chain_profile_parse(wrong[i], &profile), "%s", wrong[i]);
		cr_expect_eq(memcmp(&profile, &nothing, sizeof profile), 0, "%s", wrong[i]);
	}
	cr_expect(chain_profile_parse("dev 1370 eip1559 1 0 http://127.0.0.1:5000 -", &profile));
}

Test(chain_profile, what_everybody_sees_ends_with_the_host)
{
	static struct chain_profile profile, published;
	char text[CHAIN_TEXT];
	cr_assert(chain_profile_parse(
		"a 1 eip1559 1 0 https://h.example.org:8545/v1/key http://i?key=1 http://j -", &profile));
	chain_profile_publish(&profile, &published);
	cr_assert_gt(chain_profile_print(&published, text), 0);
	cr_expect_str_eq(text, "a 1 eip1559 1 0 https://h.example.org:8545 http://i http://j -");
}

Test(chain_profile, the_longest_fits)
{
	static struct chain_profile profile = {.id = UINT32_MAX,
					       .rpc_count = CHAIN_URLS,
					       .known = (1U << CHAIN_CONTRACT_COUNT) - 1,
					       .confirmations = CHAIN_CONFIRMATIONS_MOST,
					       .block_s = CHAIN_BLOCK_S_MOST};
	static struct chain_profile again;
	char text[CHAIN_TEXT];
	memset(profile.name, 'n', CHAIN_NAME);
	for (unsigned i = 0; i < CHAIN_URLS; i++) {
		memset(profile.rpc[i], 'a', CHAIN_URL);
		memcpy(profile.rpc[i], "https://h.example.org/", 22);
	}
	cr_assert_gt(chain_profile_print(&profile, text), 0);
	cr_assert(chain_profile_parse(text, &again));
	cr_expect_eq(memcmp(&profile, &again, sizeof again), 0);
	memset(profile.rpc[0] + CHAIN_URL, 0, 1);
	profile.rpc_count = 0;
	cr_expect_eq(chain_profile_print(&profile, text), 0, "a chain without a URL is none");
}
