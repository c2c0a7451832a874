/* The policy as a line of text, and back. Records end with ';', words are parted by one space; amounts are decimal wei:
 *
 *   chain <id> <value per day> <fee per day>;
 *   rule <name> <chain id> <to> <value> <fee> <spacing s> <count> <amount word> <amount> <method>,… <word=32 bytes>,…;
 *   say <statement>;   hub <domain>;
 *
 * A method is "pay", or selector:words, with '+' behind when an argument is dynamic; "-" is an empty list. Reading is strict:
 * what is accepted is written again as it was read. Pure. */
#include "proto/policy.h"

#include "proto/u256.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *policy_statement_name(unsigned statement)
{
	static const char *const names[] = {
#define S(SYMBOL, name) name,
		POLICY_STATEMENTS(S)
#undef S
	};
	return statement < STATEMENT_KINDS ? names[statement] : "?";
}

static bool only(const char *text, size_t most, const char *letters)
{
	size_t length = strlen(text);
	return length > 0 && length <= most && strspn(text, letters) == length;
}

bool policy_name_fits(const char *name)
{
	return only(name, POLICY_NAME, "abcdefghijklmnopqrstuvwxyz0123456789-") && name[0] != '-';
}

bool policy_hub_fits(const char *hub)
{
	return only(hub, POLICY_HUB, "abcdefghijklmnopqrstuvwxyz0123456789-.") && hub[0] != '.' &&
	       hub[0] != '-' && !strstr(hub, "..");
}

int policy_chain_find(const struct policy *policy, uint64_t id)
{
	for (unsigned i = 0; i < policy->chain_count; i++)
		if (policy->chains[i].id == id)
			return (int)i;
	return -1;
}

/* -- for people --------------------------------------------------------------------------------- */

static void add_word(char *text, size_t room, const char *word)
{
	size_t used = strlen(text);
	snprintf(text + used, room - used, "%s%s", used ? " " : "", word);
}

const char *policy_methods_text(const struct policy_rule *rule, char text[POLICY_METHODS_TEXT])
{
	char word[11] = "0x";
	text[0] = '\0';
	for (unsigned i = 0; i < rule->method_count; i++) {
		hex_text(rule->methods[i].selector, 4, word + 2);
		add_word(text, POLICY_METHODS_TEXT, rule->methods[i].pay ? "pay" : word);
	}
	return text;
}

const char *policy_statements_text(const struct policy *policy, char text[POLICY_WORDS_TEXT])
{
	text[0] = '\0';
	for (unsigned i = 0; i < STATEMENT_KINDS; i++)
		if (policy->statements & 1U << i)
			add_word(text, POLICY_WORDS_TEXT, policy_statement_name(i));
	return text;
}

const char *policy_hubs_text(const struct policy *policy, char text[POLICY_WORDS_TEXT])
{
	text[0] = '\0';
	for (unsigned i = 0; i < policy->hub_count; i++)
		add_word(text, POLICY_WORDS_TEXT, policy->hubs[i]);
	return text;
}

/* -- writing ------------------------------------------------------------------------------------ */

struct line {
	char *at;
	size_t used;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int wrote = vsnprintf(line->at + line->used, POLICY_TEXT - line->used, format, arguments);
	va_end(arguments);
	line->full = line->full || wrote < 0 || (size_t)wrote >= POLICY_TEXT - line->used;
	if (!line->full)
		line->used += (size_t)wrote;
}

static void put_amount(struct line *line, const struct u256 *amount)
{
	char text[U256_TEXT];
	put(line, " %s", u256_text(amount, 0, text));
}

static void put_methods(struct line *line, const struct policy_rule *rule)
{
	char selector[9];
	for (unsigned i = 0; i < rule->method_count; i++) {
		const struct policy_method *method = &rule->methods[i];
		put(line, i ? "," : " ");
		if (method->pay)
			put(line, "pay");
		else
			put(line, "%s:%u%s", hex_text(method->selector, 4, selector), method->words,
			    method->exact ? "" : "+");
	}
	put(line, rule->fixed_count ? "" : " -");
	for (unsigned i = 0; i < rule->fixed_count; i++) {
		char is[65];
		put(line, "%s%u=%s", i ? "," : " ", rule->fixed[i].word,
		    hex_text(rule->fixed[i].is.bytes, 32, is));
	}
	put(line, ";");
}

static void put_rule(struct line *line, const struct policy *policy, const struct policy_rule *rule)
{
	char to[41];
	put(line, "rule %s %" PRIu64 " %s", rule->name, policy->chains[rule->chain].id,
	    hex_text(rule->to.bytes, sizeof rule->to.bytes, to));
	put_amount(line, &rule->value_per_day);
	put_amount(line, &rule->fee_per_day);
	put(line, " %u %u %u", rule->spacing_s, rule->count_per_day, rule->amount_word);
	put_amount(line, &rule->amount_per_day);
	put_methods(line, rule);
}

size_t policy_print(const struct policy *policy, char text[POLICY_TEXT])
{
	struct line line = {.at = text};
	text[0] = '\0';
	for (unsigned i = 0; i < policy->chain_count; i++) {
		put(&line, "chain %" PRIu64, policy->chains[i].id);
		put_amount(&line, &policy->chains[i].value_per_day);
		put_amount(&line, &policy->chains[i].fee_per_day);
		put(&line, ";");
	}
	for (unsigned i = 0; i < policy->rule_count; i++)
		put_rule(&line, policy, &policy->rules[i]);
	for (unsigned i = 0; i < STATEMENT_KINDS; i++)
		if (policy->statements & 1U << i)
			put(&line, "say %s;", policy_statement_name(i));
	for (unsigned i = 0; i < policy->hub_count; i++)
		put(&line, "hub %s;", policy->hubs[i]);
	put(&line, ".");
	return line.full ? 0 : line.used;
}

/* -- reading ------------------------------------------------------------------------------------ */

/* Takes the next word into `word` of `room` bytes; false when there is none or it is too long. */
static bool take(const char **at, char *word, size_t room)
{
	size_t length = strcspn(*at, " ;");
	if (length == 0 || length >= room)
		return false;
	memcpy(word, *at, length);
	word[length] = '\0';
	*at += length + ((*at)[length] == ' ');
	return true;
}

static bool number(const char *text, uint64_t most, uint64_t *value)
{
	*value = 0;
	if (!*text || strlen(text) > 19)
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		*value = *value * 10 + (uint64_t)(*text - '0');
	return !*text && *value <= most;
}

static bool take_number(const char **at, uint64_t most, uint64_t *value)
{
	char word[24];
	return take(at, word, sizeof word) && number(word, most, value);
}

static bool take_amount(const char **at, struct u256 *amount)
{
	char word[U256_TEXT];
	return take(at, word, sizeof word) && u256_parse(word, strlen(word), 0, amount);
}

static bool parse_method(const char *text, struct policy_method *method)
{
	uint64_t words;
	char digits[4];
	*method = (struct policy_method){.exact = true};
	if (strcmp(text, "pay") == 0)
		return method->pay = true;
	size_t length = strlen(text);
	if (length < 10 || text[8] != ':' || !hex_parse(text, 8, method->selector, 4))
		return false;
	method->exact = text[length - 1] != '+';
	length -= 9 + !method->exact;
	if (length == 0 || length >= sizeof digits)
		return false;
	memcpy(digits, text + 9, length);
	digits[length] = '\0';
	if (!number(digits, POLICY_WORDS, &words))
		return false;
	method->words = (uint8_t)words;
	return true;
}

static bool parse_fixed(const char *text, struct policy_fixed *fixed)
{
	char digits[3] = {0};
	uint64_t word;
	size_t length = strcspn(text, "=");
	if (length == 0 || length >= sizeof digits || !text[length])
		return false;
	memcpy(digits, text, length);
	if (!number(digits, POLICY_WORDS, &word) || word == 0)
		return false;
	fixed->word = (uint8_t)word;
	return hex_parse(text + length + 1, strlen(text + length + 1), fixed->is.bytes, 32);
}

/* The lists of a rule: methods, then fixed arguments. */
static bool take_lists(const char **at, struct policy_rule *rule)
{
	char words[256], *rest = words, *one;
	if (!take(at, words, sizeof words))
		return false;
	while ((one = strsep(&rest, ",")))
		if (rule->method_count == POLICY_METHODS ||
		    !parse_method(one, &rule->methods[rule->method_count++]))
			return false;
	if (!take(at, words, sizeof words))
		return false;
	if (strcmp(words, "-") == 0)
		return true;
	for (rest = words; (one = strsep(&rest, ","));)
		if (rule->fixed_count == POLICY_FIXED || !parse_fixed(one, &rule->fixed[rule->fixed_count++]))
			return false;
	return true;
}

static bool parse_chain(const char **at, struct policy *policy)
{
	if (policy->chain_count == POLICY_CHAINS)
		return false;
	struct policy_chain *chain = &policy->chains[policy->chain_count++];
	return take_number(at, UINT32_MAX, &chain->id) && chain->id &&
	       take_amount(at, &chain->value_per_day) && take_amount(at, &chain->fee_per_day);
}

static bool parse_rule(const char **at, struct policy *policy)
{
	uint64_t chain, spacing, count, word;
	char to[41];
	if (policy->rule_count == POLICY_RULES)
		return false;
	struct policy_rule *rule = &policy->rules[policy->rule_count++];
	if (!take(at, rule->name, sizeof rule->name) || !policy_name_fits(rule->name) ||
	    !take_number(at, UINT32_MAX, &chain) || !take(at, to, sizeof to) ||
	    !hex_parse(to, strlen(to), rule->to.bytes, sizeof rule->to.bytes))
		return false;
	int index = policy_chain_find(policy, chain);
	rule->chain = (uint8_t)index;
	if (index < 0 || !take_amount(at, &rule->value_per_day) || !take_amount(at, &rule->fee_per_day) ||
	    !take_number(at, UINT32_MAX, &spacing) || !take_number(at, UINT32_MAX, &count) ||
	    !take_number(at, POLICY_WORDS, &word) || !take_amount(at, &rule->amount_per_day))
		return false;
	rule->spacing_s = (uint32_t)spacing;
	rule->count_per_day = (uint32_t)count;
	rule->amount_word = (uint8_t)word;
	return take_lists(at, rule);
}

static bool parse_say(const char **at, struct policy *policy)
{
	char word[24];
	if (!take(at, word, sizeof word))
		return false;
	for (unsigned i = 0; i < STATEMENT_KINDS; i++)
		if (strcmp(word, policy_statement_name(i)) == 0) {
			policy->statements |= 1U << i;
			return true;
		}
	return false;
}

static bool parse_record(const char **at, struct policy *policy)
{
	char word[8];
	if (!take(at, word, sizeof word))
		return false;
	if (strcmp(word, "chain") == 0)
		return parse_chain(at, policy);
	if (strcmp(word, "rule") == 0)
		return parse_rule(at, policy);
	if (strcmp(word, "say") == 0)
		return parse_say(at, policy);
	if (strcmp(word, "hub") != 0 || policy->hub_count == POLICY_HUBS)
		return false;
	char *hub = policy->hubs[policy->hub_count++];
	return take(at, hub, POLICY_HUB + 1) && policy_hub_fits(hub);
}

static bool parse(const char *at, struct policy *policy)
{
	while (strcmp(at, ".") != 0) {
		if (!parse_record(&at, policy) || *at != ';')
			return false;
		at++;
	}
	return true;
}

bool policy_parse(const char *text, struct policy *policy)
{
	char again[POLICY_TEXT];
	memset(policy, 0, sizeof *policy);
	if (parse(text, policy) && policy_print(policy, again) && strcmp(again, text) == 0)
		return policy->present = true;
	memset(policy, 0, sizeof *policy);
	return false;
}
