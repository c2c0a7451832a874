/* chain.conf and chain-NAME.conf: what they become, and every mistake with its line. */
#include "supervisor/chain_file.h"

#include "actors/base/memory/memory.h"
#include "proto/birth.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESS "0x5FC8d32690cc91D4c39d9d3abcBD16989F875707"

struct here {
	struct config config;
	struct mistakes mistakes;
	int etc;
	char path[PLACE];
};

static void begin(struct here *here)
{
	memset(here, 0, sizeof *here);
	place_make(here->path, "chain");
	here->etc = open(here->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void put(const struct here *here, const char *name, const char *text)
{
	unlinkat(here->etc, name, 0);
	int fd = openat(here->etc, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const struct chain_profile *load(struct here *here)
{
	mistakes_end(&here->mistakes);
	here->config.chain = (struct chain_profile){0};
	here->config.anvil_port = 0;
	chain_files_read(here->etc, "etc", &here->config, &here->mistakes);
	return &here->config.chain;
}

static void end(struct here *here)
{
	static const char *const names[] = {"chain.conf", "chain-dev.conf", "chain-mine.conf",
					    "chain-ramestta.conf"};
	mistakes_end(&here->mistakes);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlinkat(here->etc, names[i], 0);
	close(here->etc);
	cr_expect_eq(rmdir(here->path), 0);
}

Test(chain_file, a_machine_without_one_has_none)
{
	struct here here;
	begin(&here);
	cr_expect_str_eq(load(&here)->name, "");
	put(&here, "chain.conf", "profile = \"none\";");
	cr_expect_str_eq(load(&here)->name, "");
	cr_expect_eq(here.mistakes.count, 0);
	end(&here);
}

Test(chain_file, those_that_come_with_us)
{
	struct here here;
	char text[CHAIN_TEXT];
	begin(&here);
	put(&here, "chain.conf", "profile = \"dev\"; port = 5050;");
	const struct chain_profile *chain = load(&here);
	cr_expect_eq(chain->id, 1370);
	cr_expect_str_eq(chain->rpc[0], "http://127.0.0.1:5050");
	cr_expect_eq(here.config.anvil_port, 5050);
	cr_expect_eq(chain->known, 0);
	cr_expect_gt(chain_profile_print(chain, text), 0);
	put(&here, "chain.conf", "profile = \"ramestta\";");
	load(&here);
	cr_expect_eq(chain->id, 1370);
	cr_expect_str_eq(chain->rpc[0], "https://blockchain.ramestta.com");
	cr_expect_eq(chain->known, 1U << CONTRACT_MCTToken | 1U << CONTRACT_RelayManager |
					   1U << CONTRACT_MumbleChatRegistry);
	cr_expect_eq(chain->contracts[CONTRACT_RelayManager].bytes[0], 0xf7);
	cr_expect_eq(here.config.anvil_port, 0);
	cr_expect_gt(chain_profile_print(chain, text), 0);
	put(&here, "chain.conf", "profile = \"amoy\";");
	load(&here);
	cr_expect_eq(chain->id, 80002);
	cr_expect_gt(chain_profile_print(chain, text), 0);
	cr_expect_eq(here.mistakes.count, 0);
	end(&here);
}

Test(chain_file, a_file_says_more_and_otherwise)
{
	struct here here;
	begin(&here);
	put(&here, "chain.conf", "profile = \"dev\";");
	put(&here, "chain-dev.conf", "version = 1; contracts = { RelayManager = \"" ADDRESS "\"; };");
	const struct chain_profile *chain = load(&here);
	cr_expect_eq(chain->known, 1U << CONTRACT_RelayManager);
	cr_expect_eq(here.config.anvil_port, ANVIL_PORT);
	put(&here, "chain.conf", "profile = \"mine\";");
	put(&here, "chain-mine.conf",
	    "id = 31337; fee = \"legacy\"; confirmations = 3; block_s = 0;\n"
	    "rpc = [\"https://one.example.org/key\", \"http://10.0.0.1:8545\"];");
	load(&here);
	cr_expect_str_eq(chain->name, "mine");
	cr_expect_eq(chain->id, 31337);
	cr_expect_eq(chain->rpc_count, 2);
	cr_expect_eq(chain->fee, CHAIN_FEE_LEGACY);
	cr_expect_eq(chain->confirmations, 3);
	cr_expect_eq(here.mistakes.count, 0);
	end(&here);
}

/* What is wrong, and the sentence: `mine` is what chain-mine.conf has; chain.conf says "mine" where it is not given. */
static const struct {
	const char *choice, *mine, *sentence;
} wrong[] = {
	{"profile = \"nowhere\";", NULL, "etc/chain.conf:1: there is no chain \"nowhere\""},
	{"\nprofil = \"dev\";", NULL, "etc/chain.conf:2: unknown word \"profil\""},
	{"profile = \"dev\"; port = 80;", NULL, "etc/chain.conf:1: port must be a number from 1024 to 65535"},
	{"profile = \"../dev\";", NULL, "etc/chain.conf:1: profile must be 1 to 24 of a-z, 0-9 and -"},
	{"port = 5000;", NULL, "etc/chain.conf: says no profile"},
	{"profile = \"dev\"; rpc = [];", NULL, "what a chain is stands in chain-NAME.conf"},
	{"profile = \"dev", NULL, "etc/chain.conf:1: "},
	{"version = 2; profile = \"dev\";", NULL, "etc/chain.conf:1: "},
	{NULL, "rpc = [\"http://a\"];", "etc/chain-mine.conf: a chain needs an id and an rpc"},
	{NULL, "id = 1;", "etc/chain-mine.conf: a chain needs an id and an rpc"},
	{NULL, "id = 1;\nrpc = \"http://a\";", "etc/chain-mine.conf:2: rpc must be a list of 1 to 4 URLs"},
	{NULL, "id = 1;\nrpc = [\"http://a\",\n\"ws://b\"];", "etc/chain-mine.conf:3: URL 2 is none such as"},
	{NULL, "id = 0; rpc = [\"http://a\"];",
	 "etc/chain-mine.conf:1: id must be a number from 1 to 4294967295"},
	{NULL, "id = 1; rpc = [\"http://a\"];\nfee = \"cheap\";", "etc/chain-mine.conf:2: fee is \"cheap\""},
	{NULL, "id = 1; rpc = [\"http://a\"];\nconfirmations = 0;",
	 "etc/chain-mine.conf:2: confirmations must be"},
	{NULL, "id = 1; rpc = [\"http://a\"];\nblock_s = 4000;", "etc/chain-mine.conf:2: block_s must be"},
	{NULL, "id = 1; rpc = [\"http://a\"];\ncontracts = {\nToken = \"" ADDRESS "\"; };",
	 "etc/chain-mine.conf:3: there is no contract \"Token\""},
	{NULL,
	 "id = 1; rpc = [\"http://a\"];\ncontracts = { NodeNexus = "
	 "\"0x5fC8d32690cc91D4c39d9d3abcBD16989F875707\"; };",
	 "etc/chain-mine.conf:2: NodeNexus is"},
	{NULL,
	 "id = 1; rpc = [\"http://a\"];\ncontracts = { NodeNexus = "
	 "\"0x0000000000000000000000000000000000000000\"; };",
	 "etc/chain-mine.conf:2: NodeNexus is"},
	{NULL, "id = 1; rpc = [\"http://a\"];\ngas = 3;", "etc/chain-mine.conf:2: unknown word \"gas\""},
};

Test(chain_file, every_mistake_has_its_line)
{
	struct here here;
	begin(&here);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		put(&here, "chain.conf", wrong[i].choice ? wrong[i].choice : "profile = \"mine\";");
		if (wrong[i].mine)
			put(&here, "chain-mine.conf", wrong[i].mine);
		load(&here);
		cr_expect_geq(here.mistakes.count, 1, "%s", wrong[i].sentence);
		cr_expect(here.mistakes.count && strstr(here.mistakes.lines[0], wrong[i].sentence),
			  "%s is not %s", here.mistakes.count ? here.mistakes.lines[0] : "nothing",
			  wrong[i].sentence);
	}
	end(&here);
}

Test(chain_file, what_a_known_chain_is_cannot_be_said_otherwise)
{
	struct here here;
	begin(&here);
	put(&here, "chain.conf", "profile = \"ramestta\";");
	put(&here, "chain-ramestta.conf", "id = 1371;");
	load(&here);
	cr_assert_eq(here.mistakes.count, 1);
	cr_expect(strstr(here.mistakes.lines[0], "ramestta is chain 1370, not 1371"));
	put(&here, "chain.conf", "profile = \"dev\";");
	put(&here, "chain-dev.conf", "rpc = [\"http://127.0.0.1:8545\"];");
	load(&here);
	cr_assert_eq(here.mistakes.count, 1);
	cr_expect(strstr(here.mistakes.lines[0], "its port is said in chain.conf"));
	end(&here);
}

/* Those who may write it choose what wallets sign for. */
Test(chain_file, others_may_not_write_it)
{
	struct here here;
	begin(&here);
	put(&here, "chain.conf", "profile = \"dev\";");
	cr_assert_eq(fchmodat(here.etc, "chain.conf", 0666, 0), 0);
	load(&here);
	cr_assert_eq(here.mistakes.count, 1);
	cr_expect(strstr(here.mistakes.lines[0], "can be written by others"));
	end(&here);
}

Test(chain_file, a_port_belongs_to_one)
{
	struct here here;
	begin(&here);
	here.config.nodes = x_new_array(1, sizeof *here.config.nodes);
	here.config.nodes[0] = (struct node_config){.node = 7};
	here.config.nodes[0].values[SETTING_port].number = 5050;
	here.config.count = 1;
	put(&here, "chain.conf", "profile = \"dev\"; port = 5050;");
	load(&here);
	cr_assert_eq(here.mistakes.count, 1);
	cr_expect(strstr(here.mistakes.lines[0], "port 5050 of the embedded chain is node 7's already"));
	x_free(&here.config.nodes);
	end(&here);
}

/* A process is told the line, and only the one whose row has the word. */
Test(chain_file, it_is_told_as_one_line)
{
	struct here here;
	char text[SETTINGS_MAX];
	struct actor_row row = {.settings = "chain_profile"};
	begin(&here);
	cr_expect_gt(config_told(&here.config, NULL, &row, text, sizeof text), 0);
	cr_expect_str_eq(text, "chain_profile=\n");
	put(&here, "chain.conf", "profile = \"dev\";");
	load(&here);
	cr_expect_gt(config_told(&here.config, NULL, &row, text, sizeof text), 0);
	cr_expect_str_eq(text, "chain_profile=dev 1370 eip1559 1 0 http://127.0.0.1:5000 -\n");
	cr_expect_lt(config_told(&here.config, NULL, &row, text, 40), 0, "what does not fit is not cut");
	cr_expect(row_is_told(&row, "chain_profile"));
	cr_expect_not(row_is_told(&row, "chain"));
	row.settings = "name chain_profile_b";
	cr_expect_not(row_is_told(&row, "chain_profile"));
	end(&here);
}
