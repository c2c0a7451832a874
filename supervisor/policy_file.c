/* Reads policy.conf with libconfig, which knows the line of everything. Part of the supervisor: the wallet, which holds the keys,
 * parses only the line that is made here. */
#include "supervisor/policy_file.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "proto/formats.h"
#include "proto/policy.h"
#include "proto/u256.h"
#include "supervisor/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT_MOST = 16384, SPACING_MOST = 86400, SHOWN = 128, TYPE_TEXT = 32 };

struct reading {
	const char *file;
	struct mistakes *mistakes;
	struct policy *policy;
};

#define wrong(reading, at, ...) \
	mistake((reading)->mistakes, (reading)->file, (int)config_setting_source_line(at), __VA_ARGS__)

/* -- methods ----------------------------------------------------------------------------------- */

/* One argument of the elementary types of Solidity's ABI; *dynamic is set for those of any length. */
static bool elementary(const char *type, bool *dynamic)
{
	static const char *const fixed[] = {"address", "bool"};
	size_t length = strlen(type);
	if (length > 2 && strcmp(type + length - 2, "[]") == 0) {
		char inner[TYPE_TEXT] = {0};
		bool ignored;
		memcpy(inner, type, length - 2);
		return *dynamic = elementary(inner, &ignored);
	}
	if (strcmp(type, "string") == 0 || strcmp(type, "bytes") == 0)
		return *dynamic = true;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (strcmp(type, fixed[i]) == 0)
			return true;
	bool number = strncmp(type, "uint", 4) == 0 || strncmp(type, "int", 3) == 0;
	const char *digits = type + strcspn(type, "0123456789");
	char *end;
	unsigned long size = strtoul(digits, &end, 10);
	if (!*digits || *digits == '0' || *end)
		return false;
	if (number)
		return digits - type == (type[0] == 'u' ? 4 : 3) && size <= 256 && size % 8 == 0;
	return digits - type == 5 && strncmp(type, "bytes", 5) == 0 && size <= 32;
}

static bool read_signature(const char *text, struct policy_method *method)
{
	size_t name = strcspn(text, "("), length = strlen(text);
	uint8_t digest[32];
	if (name == 0 || length < name + 2 || text[length - 1] != ')' || length >= SHOWN)
		return false;
	const char *at = text + name + 1, *last = text + length - 1;
	while (at < last) { /* "a,b": a comma stands between two, and not behind the last */
		char type[TYPE_TEXT] = {0};
		size_t letters = strcspn(at, ",");
		bool dynamic = false, more = at + letters < last;
		if (!more)
			letters = (size_t)(last - at);
		if (letters >= sizeof type || method->words == POLICY_WORDS ||
		    (more && at + letters + 1 == last))
			return false;
		memcpy(type, at, letters);
		if (!elementary(type, &dynamic))
			return false;
		method->words++;
		method->exact = method->exact && !dynamic;
		at += letters + more;
	}
	keccak256(text, length, digest);
	memcpy(method->selector, digest, sizeof method->selector);
	return true;
}

static bool read_selector(const char *text, struct policy_method *method)
{
	char *end;
	if (strlen(text) < 12 || text[10] != ':' || text[11] < '0' || text[11] > '9' ||
	    !hex_parse(text + 2, 8, method->selector, 4))
		return false;
	unsigned long words = strtoul(text + 11, &end, 10);
	method->words = (uint8_t)words;
	method->exact = *end != '+';
	return words <= POLICY_WORDS && (!*end || strcmp(end, "+") == 0);
}

bool policy_method_read(const char *text, struct policy_method *method)
{
	*method = (struct policy_method){.exact = true};
	if (strcmp(text, "pay") == 0)
		return method->pay = true;
	return strncmp(text, "0x", 2) == 0 ? read_selector(text, method) : read_signature(text, method);
}

/* -- single words ------------------------------------------------------------------------------ */

/* An address in one case, or with EIP-55's letters in the right one. */
static bool read_address(const char *text, struct address *address)
{
	char right[ADDRESS_TEXT];
	if (strlen(text) != 42 || strncmp(text, "0x", 2) != 0 || !hex_parse(text + 2, 40, address->bytes, 20))
		return false;
	return !strpbrk(text + 2, "ABCDEF") || strcmp(address_text(address, right), text) == 0;
}

static const char *text_of(struct reading *reading, const config_setting_t *at)
{
	const char *text = config_setting_get_string(at);
	if (!text)
		wrong(reading, at, "%s must be a text in quotes",
		      config_setting_name(at) ? config_setting_name(at) : "it");
	return text;
}

static void take_amount(struct reading *reading, const config_setting_t *at, unsigned decimals,
			struct u256 *amount)
{
	const char *text = text_of(reading, at);
	if (text && !u256_parse(text, strlen(text), decimals, amount))
		wrong(reading, at,
		      "%s is \"%.40s\"; it must be a number such as \"0.5\", with at most %u decimals",
		      config_setting_name(at), text, decimals);
}

static uint32_t take_number(struct reading *reading, const config_setting_t *at, uint32_t least,
			    uint32_t most)
{
	long long number = config_setting_type(at) == CONFIG_TYPE_INT     ? config_setting_get_int(at)
			   : config_setting_type(at) == CONFIG_TYPE_INT64 ? config_setting_get_int64(at)
									  : -1;
	if (number >= least && number <= most)
		return (uint32_t)number;
	wrong(reading, at, "%s must be a number from %u to %u", config_setting_name(at), least, most);
	return least;
}

static void take_address(struct reading *reading, const config_setting_t *at, struct address *address)
{
	const char *text = text_of(reading, at);
	if (text && !read_address(text, address))
		wrong(reading, at,
		      "%s is no address: 0x and 40 hex digits, with the letters' case as EIP-55 wants it",
		      config_setting_name(at));
}

static void unknown(struct reading *reading, const config_setting_t *at, const char *of, const char *words)
{
	const char *name = config_setting_name(at);
	wrong(reading, at, "unknown word \"%s\" in %s; there are: %s", name ? name : "?", of, words);
}

/* -- rules ------------------------------------------------------------------------------------- */

static void take_methods(struct reading *reading, const config_setting_t *at, struct policy_rule *rule)
{
	int count = config_setting_is_array(at) || config_setting_is_list(at) ? config_setting_length(at) : 0;
	if (count < 1 || count > POLICY_METHODS) {
		wrong(reading, at, "methods must be a list of 1 to %d texts", POLICY_METHODS);
		return;
	}
	for (int i = 0; i < count; i++) {
		const config_setting_t *one = config_setting_get_elem(at, (unsigned)i);
		const char *text = text_of(reading, one);
		if (text && !policy_method_read(text, &rule->methods[rule->method_count++]))
			wrong(reading, one,
			      "\"%.60s\" is no method; they look like \"transfer(address,uint256)\" "
			      "(elementary types, no "
			      "spaces), \"0xa9059cbb:2\" or \"pay\"",
			      text);
	}
}

static void take_fixed(struct reading *reading, const config_setting_t *at, struct policy_rule *rule)
{
	if (rule->fixed_count == POLICY_FIXED || !config_setting_is_group(at)) {
		wrong(reading, at, "only is a list of at most %d groups { word = 1; is = \"0x…\"; }",
		      POLICY_FIXED);
		return;
	}
	struct policy_fixed *fixed = &rule->fixed[rule->fixed_count++];
	const config_setting_t *word = config_setting_get_member(at, "word");
	const config_setting_t *is = config_setting_get_member(at, "is");
	const char *text = is ? text_of(reading, is) : NULL;
	if (!word || !text) {
		wrong(reading, at, "only needs word and is");
		return;
	}
	fixed->word = (uint8_t)take_number(reading, word, 1, POLICY_WORDS);
	size_t digits = strlen(text) - 2;
	struct address address;
	if (read_address(text, &address))
		memcpy(fixed->is.bytes + 12, address.bytes, 20);
	else if (strncmp(text, "0x", 2) != 0 || digits != 64 ||
		 !hex_parse(text + 2, digits, fixed->is.bytes, 32))
		wrong(reading, is, "is must be an address, or 0x and 64 hex digits");
}

static void take_rule_word(struct reading *reading, const config_setting_t *at, struct policy_rule *rule,
			   unsigned decimals)
{
	const char *name = config_setting_name(at), *text;
	if (strcmp(name, "name") == 0) {
		text = text_of(reading, at);
		if (text && !policy_name_fits(text))
			wrong(reading, at, "name must be 1 to %d of a-z, 0-9 and -", POLICY_NAME);
		else if (text)
			memcpy(rule->name, text, strlen(text) + 1);
	} else if (strcmp(name, "to") == 0) {
		take_address(reading, at, &rule->to);
	} else if (strcmp(name, "methods") == 0) {
		take_methods(reading, at, rule);
	} else if (strcmp(name, "value_per_day") == 0) {
		take_amount(reading, at, COIN_DECIMALS, &rule->value_per_day);
	} else if (strcmp(name, "fee_per_day") == 0) {
		take_amount(reading, at, COIN_DECIMALS, &rule->fee_per_day);
	} else if (strcmp(name, "amount_per_day") == 0) {
		take_amount(reading, at, decimals, &rule->amount_per_day);
	} else if (strcmp(name, "amount_word") == 0) {
		rule->amount_word = (uint8_t)take_number(reading, at, 1, POLICY_WORDS);
	} else if (strcmp(name, "count_per_day") == 0) {
		rule->count_per_day = take_number(reading, at, 1, COUNT_MOST);
	} else if (strcmp(name, "spacing") == 0) {
		rule->spacing_s = take_number(reading, at, 0, SPACING_MOST);
	} else if (strcmp(name, "only") == 0) {
		for (int i = 0; i < config_setting_length(at); i++)
			take_fixed(reading, config_setting_get_elem(at, (unsigned)i), rule);
	} else if (strcmp(name, "amount_decimals") != 0) {
		unknown(reading, at, "a rule",
			"name, to, methods, value_per_day, fee_per_day, count_per_day, spacing, amount_word, "
			"amount_per_day, "
			"amount_decimals, only");
	}
}

/* A rule about an argument that a method has not would allow nothing, in silence. */
static void check_words(struct reading *reading, const config_setting_t *at, const struct policy_rule *rule)
{
	unsigned highest = rule->amount_word;
	for (unsigned i = 0; i < rule->fixed_count; i++)
		highest = rule->fixed[i].word > highest ? rule->fixed[i].word : highest;
	for (unsigned i = 0; i < rule->method_count; i++)
		if (!rule->methods[i].pay && highest > rule->methods[i].words)
			wrong(reading, at, "rule \"%s\" is about argument %u, and its method %u has only %u",
			      rule->name, highest, i + 1, rule->methods[i].words);
}

static void check_rule(struct reading *reading, const config_setting_t *at, const struct policy_rule *rule)
{
	static const struct address nobody;
	if (!*rule->name || memcmp(&rule->to, &nobody, sizeof nobody) == 0 || !rule->method_count)
		wrong(reading, at, "a rule needs name, to and methods");
	check_words(reading, at, rule);
	if (!rule->amount_word != u256_is_zero(&rule->amount_per_day))
		wrong(reading, at, "amount_word and amount_per_day go together");
	for (const struct policy_rule *other = reading->policy->rules; other < rule; other++)
		if (*rule->name && strcmp(other->name, rule->name) == 0)
			wrong(reading, at, "there are two rules \"%s\"", rule->name);
}

static void take_rule(struct reading *reading, const config_setting_t *at, uint8_t chain)
{
	struct policy *policy = reading->policy;
	const config_setting_t *decimals = config_setting_get_member(at, "amount_decimals");
	if (!config_setting_is_group(at) || policy->rule_count == POLICY_RULES) {
		wrong(reading, at, "rules must be a list of groups, at most %d of all chains", POLICY_RULES);
		return;
	}
	struct policy_rule *rule = &policy->rules[policy->rule_count++];
	*rule = (struct policy_rule){.chain = chain,
				     .fee_per_day = policy->chains[chain].fee_per_day,
				     .count_per_day = COUNT_MOST};
	unsigned places = decimals ? take_number(reading, decimals, 0, 36) : COIN_DECIMALS;
	for (int i = 0; i < config_setting_length(at); i++)
		take_rule_word(reading, config_setting_get_elem(at, (unsigned)i), rule, places);
	check_rule(reading, at, rule);
}

/* -- chains and statements --------------------------------------------------------------------- */

static void take_chain(struct reading *reading, const config_setting_t *at)
{
	struct policy *policy = reading->policy;
	if (!config_setting_is_group(at) || policy->chain_count == POLICY_CHAINS) {
		wrong(reading, at, "chains must be a list of groups, at most %d", POLICY_CHAINS);
		return;
	}
	uint8_t index = (uint8_t)policy->chain_count++;
	struct policy_chain *chain = &policy->chains[index];
	const config_setting_t *rules = NULL;
	for (int i = 0; i < config_setting_length(at); i++) {
		const config_setting_t *one = config_setting_get_elem(at, (unsigned)i);
		const char *name = config_setting_name(one);
		if (strcmp(name, "id") == 0)
			chain->id = take_number(reading, one, 1, UINT32_MAX);
		else if (strcmp(name, "value_per_day") == 0)
			take_amount(reading, one, COIN_DECIMALS, &chain->value_per_day);
		else if (strcmp(name, "fee_per_day") == 0)
			take_amount(reading, one, COIN_DECIMALS, &chain->fee_per_day);
		else if (strcmp(name, "rules") == 0)
			rules = one;
		else
			unknown(reading, one, "a chain", "id, value_per_day, fee_per_day, rules");
	}
	if (!chain->id || policy_chain_find(policy, chain->id) != index)
		wrong(reading, at,
		      chain->id ? "there are two chains %llu" : "a chain needs an id (%llu is none)",
		      (unsigned long long)chain->id);
	for (int i = 0; rules && i < config_setting_length(rules); i++)
		take_rule(reading, config_setting_get_elem(rules, (unsigned)i), index);
}

static void take_statement(struct reading *reading, const config_setting_t *at)
{
	const char *text = text_of(reading, at);
	for (unsigned i = 0; text && i < STATEMENT_KINDS; i++)
		if (strcmp(text, policy_statement_name(i)) == 0) {
			reading->policy->statements |= 1U << i;
			return;
		}
	if (text)
		wrong(reading, at,
		      "there is no statement \"%.40s\": peer-proof, hub-challenge, relay-proof are", text);
}

static void take_hub(struct reading *reading, const config_setting_t *at)
{
	struct policy *policy = reading->policy;
	const char *text = text_of(reading, at);
	if (!text)
		return;
	if (policy->hub_count == POLICY_HUBS || !policy_hub_fits(text))
		wrong(reading, at, "hubs are at most %d domains such as hub.example.org, in small letters",
		      POLICY_HUBS);
	else
		memcpy(policy->hubs[policy->hub_count++], text, strlen(text) + 1);
}

static void take_root(struct reading *reading, const config_setting_t *root)
{
	if (!config_version_of(root, FORMAT_policy, reading->file, reading->mistakes))
		return;
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *part = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(part);
		if (strcmp(name, "version") == 0)
			continue;
		void (*take)(struct reading *, const config_setting_t *) =
			strcmp(name, "chains") == 0       ? take_chain
			: strcmp(name, "statements") == 0 ? take_statement
			: strcmp(name, "hubs") == 0       ? take_hub
							  : NULL;
		if (!take || !config_setting_is_aggregate(part)) {
			unknown(reading, part, "a policy", "chains, statements, hubs (each a list)");
			continue;
		}
		for (int j = 0; j < config_setting_length(part); j++)
			take(reading, config_setting_get_elem(part, (unsigned)j));
	}
}

/* -- the file ---------------------------------------------------------------------------------- */

static char *read_open(FILE *file, struct reading *reading)
{
	char text[POLICY_TEXT];
	config_t config;
	char *line = NULL;
	unsigned before = reading->mistakes->count;
	config_init(&config);
	if (config_file_parse(&config, file, reading->file, reading->mistakes))
		take_root(reading, config_root_setting(&config));
	if (reading->mistakes->count == before) {
		if (policy_print(reading->policy, text))
			line = x_copy(text);
		else
			mistake(reading->mistakes, reading->file, 0, "is longer than a wallet can be told");
	}
	config_destroy(&config);
	return line;
}

/* The line of a file; NULL when there is none, or mistakes. */
static char *read_file(int etc, const char *name, const char *path, struct mistakes *mistakes)
{
	char shown[SHOWN];
	struct policy policy = {0};
	snprintf(shown, sizeof shown, "%s/%s", path, name);
	struct reading reading = {shown, mistakes, &policy};
	int fd = openat(etc, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			mistake(mistakes, shown, 0, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	bool trusted = config_file_trusted(fd, shown, mistakes);
	FILE *file = trusted ? fdopen(fd, "r") : NULL;
	if (trusted && !file)
		mistake(mistakes, shown, 0, "cannot be read: %s", strerror(errno));
	if (!file) {
		close(fd);
		return NULL;
	}
	char *line = read_open(file, &reading);
	fclose(file);
	return line;
}

void policy_files_read(int etc, const char *path, struct config *config, struct mistakes *mistakes)
{
	char *common = read_file(etc, "policy.conf", path, mistakes);
	for (unsigned i = 0; i < config->count; i++) {
		struct node_config *node = &config->nodes[i];
		char name[32];
		snprintf(name, sizeof name, "policy%u.conf", node->node);
		node->policy = read_file(etc, name, path, mistakes);
		if (!node->policy && common && faccessat(etc, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
			node->policy = x_copy(common);
	}
	x_free(&common);
}
