/* `warren chain`: which chain this machine speaks to, where, and which contracts it knows there; as its configuration says. Reads
 * ROOT/run/chain, which the supervisor writes: asked of nobody, so known also while processes are away. */
#include "actors/base/crypto/crypto.h"
#include "actors/console/console.h"
#include "proto/chain_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say_json(const struct console *console, const struct chain_profile *chain)
{
	json_t *contracts = json_object(), *urls = json_array(), *object = json_object();
	char address[ADDRESS_TEXT];
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++)
		if (chain->known & 1U << i)
			json_object_set_new(contracts, chain_contract_name(i),
					    json_word(address_text(&chain->contracts[i], address)));
	for (unsigned i = 0; i < chain->rpc_count; i++)
		json_array_append_new(urls, json_word(chain->rpc[i]));
	json_object_set_new(object, "name", json_word(chain->name));
	json_object_set_new(object, "id", json_integer((json_int_t)chain->id));
	json_object_set_new(object, "rpc", json_word(chain->rpc[0]));
	json_object_set_new(object, "urls", urls);
	json_object_set_new(object, "fee", json_word(chain_fee_name(chain->fee)));
	json_object_set_new(object, "confirmations", json_integer(chain->confirmations));
	json_object_set_new(object, "block_s", json_integer(chain->block_s));
	json_object_set_new(object, "contracts", contracts);
	json_say(&console->out, object, false);
}

static void say_lines(const struct console *console, const struct chain_profile *chain)
{
	char address[ADDRESS_TEXT];
	say(&console->out, "%s: chain %" PRIu64 ", fees %s, %" PRIu32 " confirmation%s\n", chain->name,
	    chain->id, chain_fee_name(chain->fee), chain->confirmations,
	    chain->confirmations == 1 ? "" : "s");
	for (unsigned i = 0; i < chain->rpc_count; i++)
		say(&console->out, "  %-20s %s\n", i ? "" : "rpc", chain->rpc[i]);
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++)
		if (chain->known & 1U << i)
			say(&console->out, "  %-20s %s\n", chain_contract_name(i),
			    address_text(&chain->contracts[i], address));
	if (!chain->known)
		say(&console->out, "  no contracts: etc/chain-%s.conf names none\n", chain->name);
}

/* What is read is checked: 1, or 0 when there is none, or -1 with errno. */
static int read_chain(const char *root, struct chain_profile *chain)
{
	char path[PATH_MAX], line[CHAIN_TEXT + 1];
	if (snprintf(path, sizeof path, "%s/run/" CHAIN_FILE, root) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	ssize_t length = read(fd, line, sizeof line - 1);
	close(fd);
	errno = EBADMSG;
	if (length < 1 || line[length - 1] != '\n')
		return -1;
	line[length - 1] = '\0';
	return chain_profile_parse(line, chain) ? 1 : -1;
}

enum ending command_chain(struct console *console)
{
	struct chain_profile chain;
	int there = read_chain(console->root, &chain);
	if (there < 0)
		return complain(console, END_FAILED, "unreadable", "%s/run/" CHAIN_FILE ": %s", console->root,
				strerror(errno));
	if (!there)
		return complain(console, END_FAILED, "no-chain",
				"this machine speaks to no chain; %s/etc/chain.conf chooses one",
				console->root);
	(console->json ? say_json : say_lines)(console, &chain);
	return END_OK;
}
