/* `warren chain`: which chain this machine speaks to, where, and which contracts it knows there; as its configuration says. */
#include "actors/base/crypto/crypto.h"
#include "actors/console/console.h"
#include "actors/console/target.h"
#include "proto/steward.h"

#include <inttypes.h>

enum { URL_TEXT = 320 };

static const char *url_text(const struct profile_url *url, char text[URL_TEXT])
{
	snprintf(text, URL_TEXT, "%.*s", (int)url->url.length, (const char *)url->url.at);
	return text;
}

static void say_json(const struct console *console, const struct steward_chain_reply *chain)
{
	json_t *contracts = json_object(), *urls = json_array();
	char text[URL_TEXT], address[ADDRESS_TEXT];
	for (uint32_t i = 0; i < chain->contracts_count; i++)
		json_object_set_new(contracts, chain->contracts[i].name,
				    json_word(address_text(&chain->contracts[i].address, address)));
	for (uint32_t i = 0; i < chain->urls_count; i++)
		json_array_append_new(urls, json_word(url_text(&chain->urls[i], text)));
	json_t *object = json_object();
	json_object_set_new(object, "name", json_word(chain->name));
	json_object_set_new(object, "id", json_integer((json_int_t)chain->id));
	json_object_set_new(object, "rpc", json_word(url_text(&chain->urls[0], text)));
	json_object_set_new(object, "urls", urls);
	json_object_set_new(object, "fee", json_word(chain->fee));
	json_object_set_new(object, "confirmations", json_integer(chain->confirmations));
	json_object_set_new(object, "block_s", json_integer(chain->block_s));
	json_object_set_new(object, "contracts", contracts);
	json_say(&console->out, object, false);
}

static void say_lines(const struct console *console, const struct steward_chain_reply *chain)
{
	char text[URL_TEXT], clean[URL_TEXT], address[ADDRESS_TEXT];
	say(&console->out, "%s: chain %" PRIu64 ", fees %s, %" PRIu32 " confirmation%s\n", chain->name,
	    chain->id, chain->fee, chain->confirmations, chain->confirmations == 1 ? "" : "s");
	for (uint32_t i = 0; i < chain->urls_count; i++) {
		clean_text(url_text(&chain->urls[i], text), clean);
		say(&console->out, "  %-20s %s\n", i ? "" : "rpc", clean);
	}
	for (uint32_t i = 0; i < chain->contracts_count; i++) {
		clean_text(chain->contracts[i].name, clean);
		say(&console->out, "  %-20s %s\n", clean,
		    address_text(&chain->contracts[i].address, address));
	}
	if (!chain->contracts_count)
		say(&console->out, "  no contracts: etc/chain-%s.conf names none\n", chain->name);
}

enum ending command_chain(struct console *console)
{
	struct client client;
	struct question question = {.row = &row_steward_chain, .kind = STEWARD};
	enum ending ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	const struct steward_chain_reply *chain = NULL;
	if (client_ask_one(&client, &question) != ERR_OK)
		ending = complain_of(console, &client, &question);
	else if (!(chain = question.reply)->urls_count)
		ending = complain(console, END_FAILED, "no-chain",
				  "this machine speaks to no chain; %s/etc/chain.conf chooses one",
				  console->root);
	else
		(console->json ? say_json : say_lines)(console, chain);
	client_close(&client);
	return ending;
}
