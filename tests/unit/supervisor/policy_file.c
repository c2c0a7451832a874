/* policy.conf: what it becomes, and every mistake with its line, all at once. */
#include "supervisor/policy_file.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "proto/policy.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct here {
	struct config config;
	struct mistakes mistakes;
	int etc;
	char path[PLACE];
};

static void begin(struct here *here, unsigned nodes)
{
	memset(here, 0, sizeof *here);
	place_make(here->path, "policy");
	here->etc = open(here->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	here->config.nodes = x_new_array(nodes, sizeof *here->config.nodes);
	for (; here->config.count < nodes; here->config.count++)
		here->config.nodes[here->config.count].node = (uint16_t)(here->config.count + 1);
}

static void put(const struct here *here, const char *name, const char *text, mode_t mode)
{
	unlinkat(here->etc, name, 0);
	int fd = openat(here->etc, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void end(struct here *here)
{
	for (unsigned i = 0; i < here->config.count; i++)
		x_free(&here->config.nodes[i].policy);
	x_free(&here->config.nodes);
	mistakes_end(&here->mistakes);
	unlinkat(here->etc, "policy.conf", 0);
	unlinkat(here->etc, "policy2.conf", 0);
	close(here->etc);
	cr_expect_eq(rmdir(here->path), 0);
}

#define GOOD \
	"chains = ({ id = 1370; value_per_day = \"1\"; fee_per_day = \"0.5\"; rules = ({\n" \
	"  name = \"heartbeat\"; to = \"0xF78F840eF0e321512b09e98C76eA0229Affc4b73\";\n" \
	"  methods = [\"heartbeatByNodeId(bytes32)\"]; fee_per_day = \"0.2\"; count_per_day = 400; spacing " \
	"= 60;\n" \
	"}, { name = \"approve\"; to = \"0xefd7b65676fcd4b6d242cbc067c2470df19df1de\";\n" \
	"  methods = [\"0x095ea7b3:2\", \"pay\"]; amount_word = 2; amount_per_day = \"1.5\"; " \
	"amount_decimals = 6;\n" \
	"  only = ({ word = 1; is = \"0xF78F840eF0e321512b09e98C76eA0229Affc4b73\"; });\n" \
	"}); });\n" \
	"statements = [\"peer-proof\"]; hubs = [\"hub.example.org\"];\n"
#define GOOD_LINE \
	"chain 1370 1000000000000000000 500000000000000000;" \
	"rule heartbeat 1370 f78f840ef0e321512b09e98c76ea0229affc4b73 0 200000000000000000 60 400 0 0 " \
	"1248ab2b:1 -;" \
	"rule approve 1370 efd7b65676fcd4b6d242cbc067c2470df19df1de 0 500000000000000000 0 16384 2 1500000 " \
	"095ea7b3:2,pay 1=000000000000000000000000f78f840ef0e321512b09e98c76ea0229affc4b73;" \
	"say peer-proof;hub hub.example.org;."

Test(policy_file, becomes_a_line)
{
	struct here here;
	begin(&here, 2);
	policy_files_read(here.etc, "etc", &here.config, &here.mistakes);
	cr_expect_eq(here.mistakes.count, 0, "no file is no mistake");
	cr_expect_null(here.config.nodes[0].policy);
	put(&here, "policy.conf", GOOD, 0644);
	put(&here, "policy2.conf", "", 0600);
	policy_files_read(here.etc, "etc", &here.config, &here.mistakes);
	cr_assert_eq(here.mistakes.count, 0, "%s", here.mistakes.lines[0]);
	cr_expect_str_eq(here.config.nodes[0].policy, GOOD_LINE);
	cr_expect_str_eq(here.config.nodes[1].policy, ".", "node 2 has one of its own, which allows nothing");
	end(&here);
}

/* The selectors are FEATURES 1.3's, computed there from the deployed contracts. */
Test(policy_file, methods)
{
	static const struct {
		const char *text, *selector;
		unsigned words;
		bool exact;
	} right[] = {
		{"heartbeatByNodeId(bytes32)", "1248ab2b", 1, true},
		{"registerNodeWithId(bytes32,bytes32,bytes32,string,uint256,uint8)", "d92517e2", 6, false},
		{"submitRelayProof(bytes32,bytes32,address,address,uint256,bytes)", "e914c9de", 6, false},
		{"claimDailyPoolReward(uint256)", "3adff1df", 1, true},
		{"updateEndpoint(bytes32,string)", "0b55b348", 2, false},
		{"getTierInfo()", "eb6cc010", 0, true},
		{"transfer(address,uint256)", "a9059cbb", 2, true},
		{"f(uint8[],bool)", "59331950", 2, false},
		{"0xa9059cbb:2", "a9059cbb", 2, true},
		{"0xa9059cbb:32+", "a9059cbb", 32, false},
	};
	static const char *const wrong[] = {"",
					    "pay ",
					    "transfer",
					    "transfer(",
					    "transfer()x",
					    "(address)",
					    "transfer(address, uint256)",
					    "transfer(address,)",
					    "transfer(,address)",
					    "f(uint)",
					    "f(uint7)",
					    "f(uint264)",
					    "f(bytes33)",
					    "f(bytes0)",
					    "f(uint256[3])",
					    "f((uint256))",
					    "f(address))",
					    "f(addresss)",
					    "0xa9059cbb",
					    "0xa9059cbb:",
					    "0xa9059cbb:33",
					    "0xa9059cbb:2++",
					    "0xa9059cb:2",
					    "0xa9059cbb:-1",
					    "0xa9059cbb: 1"};
	crypto_warm();
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		struct policy_method method;
		char selector[9];
		cr_assert(policy_method_read(right[i].text, &method), "%s", right[i].text);
		cr_expect_str_eq(hex_text(method.selector, 4, selector), right[i].selector, "%s",
				 right[i].text);
		cr_expect_eq(method.words, right[i].words, "%s", right[i].text);
		cr_expect_eq(method.exact, right[i].exact, "%s", right[i].text);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct policy_method method;
		cr_expect_not(policy_method_read(wrong[i], &method), "%s", wrong[i]);
	}
}

/* One mistake a line: each is told, with its line, and nothing is allowed. */
Test(policy_file, every_mistake_at_once)
{
	static const char text[] = "colour = \"red\";\n"
				   "chains = ({ id = 0;\n"
				   "  value_per_day = \"1,5\";\n"
				   "  fee_per_day = 1;\n"
				   "  rules = ({\n"
				   "    name = \"Big\";\n"
				   "    to = \"0xf78F840eF0e321512b09e98C76eA0229Affc4b73\";\n"
				   "    methods = [\"transfer(address, uint256)\"];\n"
				   "    count_per_day = 16385;\n"
				   "    only = ({ word = 33; is = \"0x01\"; });\n"
				   "  });\n"
				   "});\n"
				   "statements = [\"lies\"];\n"
				   "hubs = [\"Example.org\"];\n";
	static const char *const lines[] = {":1: unknown word \"colour\"",
					    ":2: id",
					    ":3: value_per_day",
					    ":4: fee_per_day",
					    ":6: name",
					    ":7: to",
					    ":8: \"transfer",
					    ":9: count_per_day",
					    ":10: word",
					    ":10: is",
					    ":13: ",
					    ":14: hubs"};
	struct here here;
	begin(&here, 1);
	put(&here, "policy.conf", text, 0644);
	policy_files_read(here.etc, "etc", &here.config, &here.mistakes);
	cr_expect_null(here.config.nodes[0].policy);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		bool told = false;
		for (unsigned j = 0; j < here.mistakes.count; j++)
			told = told || strstr(here.mistakes.lines[j], lines[i]);
		cr_expect(told, "%s", lines[i]);
	}
	end(&here);
}

Test(policy_file, who_may_have_written_it)
{
	static const mode_t weak[] = {0664, 0646, 0666, 0620};
	struct here here;
	begin(&here, 1);
	for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
		put(&here, "policy.conf", GOOD, weak[i]);
		policy_files_read(here.etc, "etc", &here.config, &here.mistakes);
		cr_assert_eq(here.mistakes.count, 1, "mode %03o", weak[i]);
		cr_expect_not_null(strstr(here.mistakes.lines[0], "can be written by others"));
		cr_expect_null(here.config.nodes[0].policy);
		mistakes_end(&here.mistakes);
	}
	end(&here);
}

/* A rule twice, a chain twice, and what does not go together. */
Test(policy_file, what_does_not_go_together)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{"chains = ({ id = 1; }, { id = 1; });", "two chains"},
		{"chains = ({ id = 1; rules = ({ name = \"a\"; to = "
		 "\"0x0000000000000000000000000000000000000001\"; methods = [\"pay\"]; "
		 "amount_word = 1; }); });",
		 "go together"},
		{"chains = ({ id = 1; rules = ({ name = \"a\"; methods = [\"pay\"]; }); });",
		 "needs name, to and methods"},
		{"chains = ({ id = 1; rules = ({ name = \"a\"; to = "
		 "\"0x0000000000000000000000000000000000000001\"; methods = []; }); });",
		 "1 to"},
		{"chains = ({ id = 1; rules = ({ name = \"a\"; to = "
		 "\"0x0000000000000000000000000000000000000001\"; "
		 "methods = [\"transfer(address,uint256)\"]; only = ({ word = 3; is = "
		 "\"0x0000000000000000000000000000000000000001\"; }); }); });",
		 "is about argument 3, and its method 1 has only 2"},
		{"chains = 5;", "chains, statements, hubs"},
		{"chains = ( 5 );", "list of groups"},
		{"chains = (", "syntax error"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct here here;
		begin(&here, 1);
		put(&here, "policy.conf", wrong[i].text, 0600);
		policy_files_read(here.etc, "etc", &here.config, &here.mistakes);
		bool told = false;
		for (unsigned j = 0; j < here.mistakes.count; j++)
			told = told || strstr(here.mistakes.lines[j], wrong[i].says);
		cr_expect(told, "%s: %s", wrong[i].text,
			  here.mistakes.count ? here.mistakes.lines[0] : "no mistake");
		cr_expect_null(here.config.nodes[0].policy);
		end(&here);
	}
}
