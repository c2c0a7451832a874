/* The whole configuration: files, environment, defaults, and what one word has to do with another. Part of
 * the supervisor; reads ROOT/etc and the environment, writes nothing. */
#include "supervisor/config.h"

#include "actors/base/memory/memory.h"
#include "proto/birth.h"
#include "supervisor/chain_file.h"
#include "supervisor/config_file.h"
#include "supervisor/config_rows.h"
#include "supervisor/policy_file.h"
#include "supervisor/tiers.h"
#include "proto/shards.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct loading {
	int etc;
	const char *path;
	struct mistakes *mistakes;
	struct value machine[SETTINGS];     /* as warren.conf has them */
	struct value environment[SETTINGS]; /* as the environment has them */
	struct config *config;
};

enum { SHOWN_TEXT = 512 };

static const char *shown(const struct loading *loading, const char *name, char text[SHOWN_TEXT])
{
	snprintf(text, SHOWN_TEXT, "%s/%s", loading->path, name);
	return text;
}

/* Where a resolved value of a node was written, for a mistake that shows only now. */
static const char *origin(const struct loading *loading, uint16_t node, const struct value *value,
			  char text[SHOWN_TEXT])
{
	char name[32] = "warren.conf";
	if (value->source == FROM_ENVIRONMENT)
		return "environment";
	if (value->source != FROM_MACHINE)
		snprintf(name, sizeof name, "node%u.conf", node);
	return shown(loading, name, text);
}

/* -- sources ----------------------------------------------------------------------------------- */

/* NODE_SHARDS is JSON there; what is neither is refused where all ranges are checked. */
static const char *in_our_words(unsigned setting, const char *text, char ranges[SHARDS_TEXT])
{
	bool json = setting_row(setting)->type == TYPE_SHARDS && shards_from_json(text, ranges);
	return json ? ranges : text;
}

static void read_environment(struct loading *loading)
{
	for (unsigned i = 0; i < SETTINGS; i++) {
		const struct setting_row *row = setting_row(i);
		const char *text = *row->environment ? getenv(row->environment) : NULL;
		if (!text || !*text)
			continue;
		char ranges[SHARDS_TEXT];
		text = in_our_words(i, text, ranges);
		struct value value = {.source = FROM_ENVIRONMENT};
		struct why why;
		if (row->type == TYPE_INT && !setting_number(text, &value.number)) {
			mistake(loading->mistakes, "environment", 0, "%s is \"%.40s\", which is no number",
				row->environment, text);
			continue;
		}
		value.text = x_copy(text);
		if (setting_check(i, &value, &why)) {
			loading->environment[i] = value;
			continue;
		}
		mistake(loading->mistakes, "environment", 0, "%s: %s", row->environment, why.text);
		x_free(&value.text);
	}
}

static struct value copied(const struct value *from)
{
	struct value to = *from;
	to.text = x_copy(from->text);
	return to;
}

static struct value fallback(unsigned setting)
{
	struct value value = {.text = x_copy(setting_row(setting)->fallback), .source = FROM_DEFAULT};
	if (setting_row(setting)->type == TYPE_INT)
		setting_number(value.text, &value.number);
	return value;
}

static void set_number(struct value *value, uint32_t number)
{
	char text[16];
	snprintf(text, sizeof text, "%u", number);
	x_free(&value->text);
	value->text = x_copy(text);
	value->number = number;
}

enum profile config_profile(const struct config *config)
{
	enum profile profile = PROFILE_v4;
	profile_by_name(config->values[SETTING_tier_profile].text, &profile);
	return profile;
}

const struct node_config *config_wallet(const struct config *config, const char *address)
{
	for (unsigned i = 0; *address && i < config->count; i++)
		if (strcasecmp(config->nodes[i].values[SETTING_wallet].text, address) == 0)
			return &config->nodes[i];
	return NULL;
}

/* -- one node ---------------------------------------------------------------------------------- */

uint32_t config_port(uint32_t first, uint16_t node)
{
	return first + PORT_STEP * (node - 1U);
}

/* Values that follow from others: a port and a quota that nobody gave, and the environment's PORT, which is
 * node 1's. */
static void derive(struct loading *loading, struct node_config *node)
{
	struct value *port = &node->values[SETTING_port], *quota = &node->values[SETTING_quota_mb];
	if (port->source == FROM_ENVIRONMENT)
		set_number(port, config_port(port->number, node->node));
	else if (port->source == FROM_DEFAULT)
		set_number(port, config_port(PORT_FIRST, node->node));
	char text[SHOWN_TEXT];
	if (port->number > UINT16_MAX)
		mistake(loading->mistakes, origin(loading, node->node, port, text), port->line,
			"port of node %u would be %u, which is none; give it one with port = …", node->node,
			port->number);
	if (quota->source == FROM_DEFAULT)
		set_number(quota, tier_mib(config_profile(loading->config), node->values[SETTING_tier].text));
}

static void check_shards(struct loading *loading, const struct node_config *node)
{
	const struct value *shards = &node->values[SETTING_shards];
	struct shards read;
	char text[SHOWN_TEXT], why[SHARDS_WHY];
	const char *wrong = shards_parse(shards->text, node->values[SETTING_shard_count].number, &read, why);
	if (wrong)
		mistake(loading->mistakes, origin(loading, node->node, shards, text), shards->line,
			"shards: %s", wrong);
}

static void read_node(struct loading *loading, uint16_t number)
{
	struct config *config = loading->config;
	struct node_config *node = &config->nodes[config->count++];
	struct value given[SETTINGS] = {0};
	char name[32], text[SHOWN_TEXT];
	snprintf(name, sizeof name, "node%u.conf", number);
	config_file_read(loading->etc, name, shown(loading, name, text), true, given, loading->mistakes,
			 &loading->config->notes);
	node->node = number;
	for (unsigned i = 0; i < SETTINGS; i++) {
		if (setting_row(i)->where == WHERE_MACHINE)
			continue;
		const struct value *from = loading->environment[i].text ? &loading->environment[i]
					   : given[i].text              ? &given[i]
									: &loading->machine[i];
		node->values[i] = from->text ? copied(from) : fallback(i);
	}
	values_free(given);
	derive(loading, node);
	check_shards(loading, node);
}

/* -- all nodes --------------------------------------------------------------------------------- */

uint16_t config_file_node(const char *name)
{
	unsigned node = 0;
	if (strncmp(name, "node", 4) != 0 || name[4] < '1' || name[4] > '9')
		return 0;
	const char *at = name + 4;
	for (; *at >= '0' && *at <= '9'; at++)
		if ((node = node * 10 + (unsigned)(*at - '0')) > NODES_MAX)
			return 0;
	return strcmp(at, ".conf") == 0 ? (uint16_t)node : 0;
}

/* A file that means to be a node's and is none would be a node that silently does not run. */
static bool meant_for_node(const char *name)
{
	size_t length = strlen(name);
	return strncmp(name, "node", 4) == 0 && length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static void read_nodes(struct loading *loading)
{
	bool declared[NODES_MAX + 1] = {false};
	int fd = openat(loading->etc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder) {
		mistake(loading->mistakes, loading->path, 0, "cannot be listed: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	for (const struct dirent *entry; (entry = readdir(folder));) {
		uint16_t node = config_file_node(entry->d_name);
		char text[SHOWN_TEXT];
		if (node)
			declared[node] = true;
		else if (meant_for_node(entry->d_name))
			mistake(loading->mistakes, shown(loading, entry->d_name, text), 0,
				"is no node's name; they are node1.conf to node%d.conf", NODES_MAX);
	}
	closedir(folder);
	loading->config->nodes = x_new_array(NODES_MAX, sizeof *loading->config->nodes);
	for (unsigned node = 1; node <= NODES_MAX; node++)
		if (declared[node])
			read_node(loading, (uint16_t)node);
}

static void check_ports(struct loading *loading)
{
	const struct config *config = loading->config;
	uint16_t *owner = x_new_array(UINT16_MAX + 1, sizeof *owner);
	for (unsigned i = 0; i < config->count; i++) {
		const struct node_config *node = &config->nodes[i];
		const struct value *port = &node->values[SETTING_port];
		char text[SHOWN_TEXT];
		if (port->number > UINT16_MAX)
			continue;
		if (owner[port->number])
			mistake(loading->mistakes, origin(loading, node->node, port, text), port->line,
				"port %u of node %u is node %u's already", port->number, node->node,
				owner[port->number]);
		else
			owner[port->number] = node->node;
	}
	x_free(&owner);
}

/* One wallet, one node (FEATURES K7): a second would be the same identity twice. */
static void check_wallets(struct loading *loading)
{
	const struct config *config = loading->config;
	for (unsigned i = 0; i < config->count; i++) {
		const struct node_config *node = &config->nodes[i];
		const struct value *wallet = &node->values[SETTING_wallet];
		const struct node_config *first = config_wallet(config, wallet->text);
		char text[SHOWN_TEXT];
		if (first && first != node)
			mistake(loading->mistakes, origin(loading, node->node, wallet, text), wallet->line,
				"wallet %s of node %u is node %u's already", wallet->text, node->node,
				first->node);
	}
}

/* -- the machine ------------------------------------------------------------------------------- */

static void read_machine(struct loading *loading)
{
	char text[SHOWN_TEXT];
	const char *file = shown(loading, "warren.conf", text);
	if (!config_file_read(loading->etc, "warren.conf", file, false, loading->machine, loading->mistakes,
			      &loading->config->notes))
		mistake(loading->mistakes, file, 0,
			"is missing; make the machine with warrend --root DIR create");
	struct config *config = loading->config;
	for (unsigned i = 0; i < SETTINGS; i++) {
		const struct value *given = &loading->machine[i];
		config->values[i] = given->text ? copied(given) : fallback(i);
	}
	struct why why;
	if (!walls_named(config->values[SETTING_without].text, &config->without, &why))
		config->without = 0;
	group_find(config->values[SETTING_operators].text, &config->operators);
	group_find(config->values[SETTING_readers].text, &config->readers);
}

struct config *config_load(int etc, const char *path, struct mistakes *mistakes)
{
	struct loading loading = {
		.etc = etc, .path = path, .mistakes = mistakes, .config = x_new(sizeof(struct config))};
	unsigned before = mistakes->count;
	read_environment(&loading);
	read_machine(&loading);
	read_nodes(&loading);
	check_ports(&loading);
	check_wallets(&loading);
	policy_files_read(etc, path, loading.config, mistakes);
	chain_files_read(etc, path, loading.config, mistakes);
	values_free(loading.machine);
	values_free(loading.environment);
	if (mistakes->count != before)
		config_free(&loading.config);
	return loading.config;
}

void config_free(struct config **config)
{
	if (!*config)
		return;
	values_free((*config)->values);
	mistakes_end(&(*config)->notes);
	for (unsigned i = 0; i < (*config)->count; i++)
		node_config_free(&(*config)->nodes[i]);
	x_free(&(*config)->nodes);
	x_free(config);
}

const struct node_config *config_node(const struct config *config, uint16_t node)
{
	for (unsigned i = 0; i < config->count; i++)
		if (config->nodes[i].node == node)
			return &config->nodes[i];
	return NULL;
}

static void set_text(struct value *value, const char *text)
{
	x_free(&value->text);
	value->text = x_copy(text);
}

struct node_config config_propose(const struct config *config, uint16_t node, const char *tier,
				  uint32_t quota_mib, uint16_t port)
{
	struct node_config proposed = {.node = node};
	for (unsigned i = 0; i < SETTINGS; i++)
		if (setting_row(i)->where == WHERE_NODE)
			proposed.values[i] = copied(&config->values[i]);
	set_text(&proposed.values[SETTING_tier], tier);
	set_number(&proposed.values[SETTING_quota_mb], quota_mib);
	set_number(&proposed.values[SETTING_port], port);
	return proposed;
}

void node_config_free(struct node_config *node)
{
	values_free(node->values);
	x_free(&node->policy);
}

/* -- what a process is told -------------------------------------------------------------------- */

int config_told(const struct config *config, const struct node_config *node, const struct actor_row *row,
		char *text, size_t room)
{
	size_t length = 0;
	for (const char *word = row->settings; *word; word += strspn(word, " ")) {
		char name[33];
		size_t letters = strcspn(word, " ");
		if (letters >= sizeof name)
			return -1;
		memcpy(name, word, letters);
		name[letters] = '\0';
		word += letters;
		if (strcmp(name, "policy") == 0) { /* of a file of its own, policy_file.c */
			int said = snprintf(text + length, room - length, "policy=%s\n",
					    node && node->policy ? node->policy : "");
			if (said < 0 || (size_t)said >= room - length)
				return -1;
			length += (size_t)said;
			continue;
		}
		if (strcmp(name, "chain_profile") == 0) { /* likewise, chain_file.c */
			char line[CHAIN_TEXT] = "";
			chain_profile_print(&config->chain, line);
			int said = snprintf(text + length, room - length, "chain_profile=%s\n", line);
			if (said < 0 || (size_t)said >= room - length)
				return -1;
			length += (size_t)said;
			continue;
		}
		enum setting setting = setting_by_name(name);
		if (setting == SETTINGS)
			return -1;
		bool of_machine = setting_row(setting)->where == WHERE_MACHINE;
		const struct value *value = of_machine ? &config->values[setting]
					    : node     ? &node->values[setting]
						       : NULL;
		if (!value)
			continue;
		int wrote = snprintf(text + length, room - length, "%s=%s\n", name, value->text);
		if (wrote < 0 || (size_t)wrote >= room - length)
			return -1;
		length += (size_t)wrote;
	}
	return (int)length;
}

bool row_is_told(const struct actor_row *row, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = row->settings; (at = strstr(at, word)); at += length)
		if ((at == row->settings || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

bool config_same(const struct node_config *a, const struct node_config *b)
{
	for (unsigned i = 0; i < SETTINGS; i++)
		if (a->values[i].text && strcmp(a->values[i].text, b->values[i].text) != 0)
			return false;
	return true;
}

bool config_same_machine(const struct config *a, const struct config *b)
{
	for (unsigned i = 0; i < SETTINGS; i++)
		if (setting_row(i)->where == WHERE_MACHINE &&
		    strcmp(a->values[i].text, b->values[i].text) != 0)
			return false;
	return true;
}
