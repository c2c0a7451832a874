/* What may be the target of an order, and the many texts that may not. */
#include "actors/steward/control.h"

#include <criterion/criterion.h>

Test(target, texts)
{
	static const struct {
		const char *text;
		uint8_t kind;
		uint16_t node;
	} good[] = {{"wallet@2", WALLET, 2},
		    {"broker", BROKER, 0},
		    {"2", 0, 2},
		    {"512", 0, 512},
		    {"store@512", STORE, 512}};
	static const char *const bad[] = {"",
					  "0",
					  "513",
					  "02",
					  "2 ",
					  " 2",
					  "-1",
					  "+1",
					  "0x2",
					  "2a",
					  "99999999999999999999",
					  "nobody",
					  "nobody@2",
					  "wallet",
					  "wallet@",
					  "wallet@0",
					  "wallet@513",
					  "wallet@02",
					  "wallet@2x",
					  "wallet@99999999999",
					  "broker@1",
					  "@2",
					  "Wallet@2",
					  "operator",
					  "wallet@2\n",
					  "all",
					  "*"};
	struct target target;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		cr_assert(target_parse(good[i].text, &target), "%s", good[i].text);
		cr_assert_eq(target.kind, good[i].kind, "%s", good[i].text);
		cr_assert_eq(target.node, good[i].node, "%s", good[i].text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not(target_parse(bad[i], &target), "%s", bad[i]);
}
