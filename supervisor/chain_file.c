/* Reads chain.conf and chain-NAME.conf with libconfig, which knows the line of everything. Part of the supervisor. */
#include "supervisor/chain_file.h"

#include "actors/base/crypto/crypto.h"
#include "proto/formats.h"
#include "supervisor/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 512, FILE_NAME = CHAIN_NAME + 16, CONFIRMATIONS = 12, BLOCK_S = 2, PORT_LEAST = 1024 };
#define EMBEDDED "dev"
#define NONE     "none"

struct reading {
	const char *file;
	struct mistakes *mistakes;
	struct chain_profile *profile;
	bool embedded;             /* the profile is dev, whose URL is its port */
	bool known;                /* in chains.def */
	char name[CHAIN_NAME + 1]; /* of chain.conf */
	int name_line;
	uint32_t port;
};

#define wrong(reading, at, ...) \
	mistake((reading)->mistakes, (reading)->file, (int)config_setting_source_line(at), __VA_ARGS__)

/* -- what comes with us ------------------------------------------------------------------------ */

static const struct chain_row {
	const char *name;
	uint64_t id;
	enum chain_fee fee;
	uint32_t confirmations, block_s;
	const char *rpc, *contracts[CHAIN_CONTRACT_COUNT];
} rows[] = {
#define CHAIN(name, id, fee, confirmations, block_s, rpc, ...) \
	{#name, id, CHAIN_FEE_##fee, confirmations, block_s, rpc, {__VA_ARGS__}},
#include "supervisor/chains.def"
#undef CHAIN
};

/* An address in one case, or with EIP-55's letters in the right one; not nobody's. */
static bool read_address(const char *text, struct address *address)
{
	static const struct address nobody;
	char right[ADDRESS_TEXT];
	if (strlen(text) != 42 || strncmp(text, "0x", 2) != 0 ||
	    !hex_parse(text + 2, 40, address->bytes, 20) || memcmp(address, &nobody, sizeof nobody) == 0)
		return false;
	return !strpbrk(text + 2, "ABCDEF") || strcmp(address_text(address, right), text) == 0;
}

bool chain_known(const char *name, struct chain_profile *profile)
{
	*profile = (struct chain_profile){.confirmations = CONFIRMATIONS, .block_s = BLOCK_S};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct chain_row *row = &rows[i];
		if (strcmp(row->name, name) != 0)
			continue;
		profile->id = row->id;
		profile->fee = row->fee;
		profile->confirmations = row->confirmations;
		profile->block_s = row->block_s;
		profile->rpc_count = *row->rpc != '\0';
		snprintf(profile->rpc[0], sizeof profile->rpc[0], "%s", row->rpc);
		for (unsigned j = 0; j < CHAIN_CONTRACT_COUNT; j++)
			if (read_address(row->contracts[j], &profile->contracts[j]))
				profile->known |= 1U << j;
		return true;
	}
	return false;
}

/* -- single words ------------------------------------------------------------------------------ */

static const char *text_of(struct reading *reading, const config_setting_t *at)
{
	const char *text = config_setting_get_string(at);
	if (!text)
		wrong(reading, at, "%s must be a text in quotes",
		      config_setting_name(at) ? config_setting_name(at) : "it");
	return text;
}

static uint32_t number_of(struct reading *reading, const config_setting_t *at, uint32_t least, uint32_t most)
{
	int type = config_setting_type(at);
	long long number = type == CONFIG_TYPE_INT     ? config_setting_get_int(at)
			   : type == CONFIG_TYPE_INT64 ? config_setting_get_int64(at)
						       : -1;
	if (number >= least && number <= most)
		return (uint32_t)number;
	wrong(reading, at, "%s must be a number from %u to %u", config_setting_name(at), least, most);
	return least;
}

static void take_id(struct reading *reading, const config_setting_t *at)
{
	uint32_t id = number_of(reading, at, 1, UINT32_MAX);
	if (reading->known && id != reading->profile->id)
		wrong(reading, at, "%s is chain %llu, not %u; give another chain another name",
		      reading->profile->name, (unsigned long long)reading->profile->id, id);
	else
		reading->profile->id = id;
}

static void take_rpc(struct reading *reading, const config_setting_t *at)
{
	int count = config_setting_length(at);
	if (reading->embedded) {
		wrong(reading, at,
		      "the rpc of dev is this machine's own anvil: its port is said in chain.conf");
		return;
	}
	if (!config_setting_is_aggregate(at) || config_setting_is_group(at) || count < 1 ||
	    count > CHAIN_URLS) {
		wrong(reading, at, "rpc must be a list of 1 to %d URLs in quotes: [\"https://…\"]",
		      CHAIN_URLS);
		return;
	}
	reading->profile->rpc_count = 0;
	for (int i = 0; i < count; i++) {
		const config_setting_t *one = config_setting_get_elem(at, (unsigned)i);
		const char *text = text_of(reading, one);
		if (text && !chain_url_fits(text)) /* not shown: it may hold a key */
			wrong(reading, one,
			      "URL %d is none such as https://rpc.example.org, of at most %d characters",
			      i + 1, CHAIN_URL);
		else if (text)
			memcpy(reading->profile->rpc[reading->profile->rpc_count++], text, strlen(text) + 1);
	}
}

static void take_contract(struct reading *reading, const config_setting_t *at)
{
	struct chain_profile *profile = reading->profile;
	const char *name = config_setting_name(at), *text = text_of(reading, at);
	unsigned contract = 0;
	while (contract < CHAIN_CONTRACT_COUNT && strcmp(chain_contract_name(contract), name) != 0)
		contract++;
	if (contract == CHAIN_CONTRACT_COUNT)
		wrong(reading, at,
		      "there is no contract \"%s\": MCTToken, RelayManager, MumbleChatRegistry, "
		      "VaultRegistry, "
		      "NodeNexus",
		      name);
	else if (text && !read_address(text, &profile->contracts[contract]))
		wrong(reading, at,
		      "%s is \"%.60s\"; it must be an address: 0x and 40 hex digits, in small letters or as "
		      "EIP-55 writes it",
		      name, text);
	else if (text)
		profile->known |= 1U << contract;
}

static void take_profile_word(struct reading *reading, const config_setting_t *at)
{
	const char *name = config_setting_name(at), *text;
	struct chain_profile *profile = reading->profile;
	if (strcmp(name, "id") == 0) {
		take_id(reading, at);
	} else if (strcmp(name, "rpc") == 0) {
		take_rpc(reading, at);
	} else if (strcmp(name, "fee") == 0) {
		text = text_of(reading, at);
		profile->fee = text && strcmp(text, "legacy") == 0 ? CHAIN_FEE_LEGACY : CHAIN_FEE_EIP1559;
		if (text && strcmp(text, chain_fee_name(profile->fee)) != 0)
			wrong(reading, at, "fee is \"%.40s\"; it is eip1559 or legacy", text);
	} else if (strcmp(name, "confirmations") == 0) {
		profile->confirmations = number_of(reading, at, 1, CHAIN_CONFIRMATIONS_MOST);
	} else if (strcmp(name, "block_s") == 0) {
		profile->block_s = number_of(reading, at, 0, CHAIN_BLOCK_S_MOST);
	} else if (strcmp(name, "contracts") == 0) {
		if (!config_setting_is_group(at))
			wrong(reading, at, "contracts must be a group: { MCTToken = \"0x…\"; }");
		for (int i = 0; config_setting_is_group(at) && i < config_setting_length(at); i++)
			take_contract(reading, config_setting_get_elem(at, (unsigned)i));
	} else {
		wrong(reading, at,
		      "unknown word \"%s\" in a chain: id, rpc, fee, confirmations, block_s, contracts",
		      name);
	}
}

static void take_choice_word(struct reading *reading, const config_setting_t *at)
{
	const char *name = config_setting_name(at), *text;
	if (strcmp(name, "port") == 0) {
		reading->port = number_of(reading, at, PORT_LEAST, UINT16_MAX);
	} else if (strcmp(name, "profile") == 0) {
		text = text_of(reading, at);
		reading->name_line = (int)config_setting_source_line(at);
		if (text && !chain_name_fits(text))
			wrong(reading, at, "profile must be 1 to %d of a-z, 0-9 and -", CHAIN_NAME);
		else if (text)
			memcpy(reading->name, text, strlen(text) + 1);
	} else {
		wrong(reading, at, "unknown word \"%s\": profile, port%s", name,
		      strcmp(name, "rpc") == 0 || strcmp(name, "contracts") == 0
			      ? "; what a chain is stands in chain-NAME.conf"
			      : "");
	}
}

/* -- the files --------------------------------------------------------------------------------- */

static void read_open(FILE *file, struct reading *reading,
		      void (*take)(struct reading *, const config_setting_t *))
{
	config_t config;
	const config_setting_t *root = NULL;
	config_init(&config);
	if (config_read(&config, file))
		root = config_root_setting(&config);
	else
		mistake(reading->mistakes, reading->file, config_error_line(&config), "%s",
			config_error_text(&config));
	bool ours = root && config_version_of(root, FORMAT_chain, reading->file, reading->mistakes);
	for (int i = 0; ours && i < config_setting_length(root); i++) {
		const config_setting_t *at = config_setting_get_elem(root, (unsigned)i);
		if (strcmp(config_setting_name(at), "version") != 0)
			take(reading, at);
	}
	config_destroy(&config);
}

/* False: there is no such file. */
static bool read_file(int etc, const char *name, struct reading *reading,
		      void (*take)(struct reading *, const config_setting_t *))
{
	int fd = openat(etc, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			mistake(reading->mistakes, reading->file, 0, "cannot be read: %s", strerror(errno));
		return errno != ENOENT;
	}
	FILE *file = config_file_trusted(fd, reading->file, reading->mistakes) ? fdopen(fd, "r") : NULL;
	if (!file) {
		close(fd);
		return true;
	}
	read_open(file, reading, take);
	fclose(file);
	return true;
}

/* The embedded chain listens where no node does. */
static void check_port(struct reading *reading, struct config *config)
{
	for (unsigned i = 0; i < config->count; i++)
		if (config->nodes[i].values[SETTING_port].number == reading->port)
			mistake(reading->mistakes, reading->file, reading->name_line,
				"port %u of the embedded chain is node %u's already; give it another with "
				"port = …",
				reading->port, config->nodes[i].node);
	if (config->values[SETTING_metrics_port].number == reading->port)
		mistake(reading->mistakes, reading->file, reading->name_line,
			"port %u of the embedded chain is metrics_port already; give it another with port = "
			"…",
			reading->port);
	config->anvil_port = (uint16_t)reading->port;
	snprintf(config->chain.rpc[0], sizeof config->chain.rpc[0], "http://127.0.0.1:%u", reading->port);
	config->chain.rpc_count = 1;
}

static void read_profile(int etc, const char *path, struct config *config, struct reading *reading)
{
	char file[FILE_NAME], shown[SHOWN], choice[SHOWN];
	snprintf(file, sizeof file, "chain-%s.conf", reading->name);
	snprintf(shown, sizeof shown, "%s/%s", path, file);
	snprintf(choice, sizeof choice, "%s", reading->file);
	reading->known = chain_known(reading->name, &config->chain);
	reading->embedded = strcmp(reading->name, EMBEDDED) == 0;
	memcpy(config->chain.name, reading->name, sizeof config->chain.name);
	reading->file = shown;
	bool there = read_file(etc, file, reading, take_profile_word);
	reading->file = choice;
	if (!there && !reading->known)
		mistake(reading->mistakes, choice, reading->name_line,
			"there is no chain \"%s\": dev, ramestta, amoy and none are known; another needs %s",
			reading->name, shown);
	else if (!config->chain.id || (!config->chain.rpc_count && !reading->embedded))
		mistake(reading->mistakes, shown, 0, "a chain needs an id and an rpc");
	if (reading->embedded)
		check_port(reading, config);
}

void chain_files_read(int etc, const char *path, struct config *config, struct mistakes *mistakes)
{
	char shown[SHOWN];
	snprintf(shown, sizeof shown, "%s/chain.conf", path);
	struct reading reading = {
		.file = shown, .mistakes = mistakes, .profile = &config->chain, .port = ANVIL_PORT};
	unsigned before = mistakes->count;
	if (!read_file(etc, "chain.conf", &reading, take_choice_word) || mistakes->count != before)
		return;
	if (!*reading.name)
		mistake(mistakes, shown, 0,
			"says no profile: dev, ramestta, amoy, a name of your own, or none");
	else if (strcmp(reading.name, NONE) != 0)
		read_profile(etc, path, config, &reading);
}
