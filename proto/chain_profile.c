/* The chain profile as a line of text, and back:
 *
 *   <name> <id> <eip1559|legacy> <confirmations> <block s> <url>… <Contract>=<20 bytes>…
 *
 * Words are parted by one space, which no URL has; "-" where no contract has an address.
 * Reading is strict: what is accepted is written again as it was read. Pure. */
#include "proto/chain_profile.h"

#include "proto/web.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const contracts[] = {
#define C(name) #name,
	CHAIN_CONTRACTS(C)
#undef C
};

const char *chain_contract_name(unsigned contract)
{
	return contract < CHAIN_CONTRACT_COUNT ? contracts[contract] : "?";
}

const char *chain_fee_name(enum chain_fee fee)
{
	return fee == CHAIN_FEE_LEGACY ? "legacy" : "eip1559";
}

bool chain_name_fits(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && length <= CHAIN_NAME && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

bool chain_url_fits(const char *url)
{
	struct web_address address;
	return strlen(url) <= CHAIN_URL && web_address(url, &address);
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
	int wrote = vsnprintf(line->at + line->used, CHAIN_TEXT - line->used, format, arguments);
	va_end(arguments);
	line->full = line->full || wrote < 0 || (size_t)wrote >= CHAIN_TEXT - line->used;
	if (!line->full)
		line->used += (size_t)wrote;
}

static bool whole(const struct chain_profile *profile)
{
	if (!chain_name_fits(profile->name) || !profile->id || profile->id > UINT32_MAX)
		return false;
	if (!profile->confirmations || profile->confirmations > CHAIN_CONFIRMATIONS_MOST ||
	    profile->block_s > CHAIN_BLOCK_S_MOST || profile->known >> CHAIN_CONTRACT_COUNT)
		return false;
	for (unsigned i = 0; i < profile->rpc_count; i++)
		if (i >= CHAIN_URLS || !chain_url_fits(profile->rpc[i]))
			return false;
	return profile->rpc_count > 0;
}

size_t chain_profile_print(const struct chain_profile *profile, char text[CHAIN_TEXT])
{
	struct line line = {.at = text};
	char address[41];
	if (!whole(profile))
		return 0;
	put(&line, "%s %" PRIu64 " %s %u %u", profile->name, profile->id, chain_fee_name(profile->fee),
	    profile->confirmations, profile->block_s);
	for (unsigned i = 0; i < profile->rpc_count; i++)
		put(&line, " %s", profile->rpc[i]);
	if (!profile->known)
		put(&line, " -");
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++)
		if (profile->known & 1U << i)
			put(&line, " %s=%s", contracts[i],
			    hex_text(profile->contracts[i].bytes, sizeof profile->contracts[i].bytes,
				     address));
	return line.full ? 0 : line.used;
}

void chain_profile_publish(const struct chain_profile *profile, struct chain_profile *published)
{
	*published = *profile;
	for (unsigned i = 0; i < published->rpc_count; i++) {
		char *host = strstr(published->rpc[i], "://");
		if (host)
			host[3 + strcspn(host + 3, "/?#")] = '\0';
	}
}

/* -- reading ------------------------------------------------------------------------------------ */

static bool take_number(char **rest, uint64_t most, uint64_t *number)
{
	char *word = strsep(rest, " "), *end;
	if (!word || *word < '0' || *word > '9')
		return false;
	*number = strtoull(word, &end, 10);
	return !*end && *number <= most;
}

static bool take_head(char **rest, struct chain_profile *profile)
{
	uint64_t confirmations, block_s;
	char *name = strsep(rest, " ");
	if (!name || !chain_name_fits(name) || !take_number(rest, UINT32_MAX, &profile->id))
		return false;
	memcpy(profile->name, name, strlen(name) + 1);
	char *fee = strsep(rest, " ");
	profile->fee = fee && strcmp(fee, chain_fee_name(CHAIN_FEE_LEGACY)) == 0 ? CHAIN_FEE_LEGACY
										 : CHAIN_FEE_EIP1559;
	if (!fee || strcmp(fee, chain_fee_name(profile->fee)) != 0 ||
	    !take_number(rest, CHAIN_CONFIRMATIONS_MOST, &confirmations) ||
	    !take_number(rest, CHAIN_BLOCK_S_MOST, &block_s))
		return false;
	profile->confirmations = (uint32_t)confirmations;
	profile->block_s = (uint32_t)block_s;
	return true;
}

static bool take_contract(const char *word, struct chain_profile *profile)
{
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++) {
		size_t length = strlen(contracts[i]);
		if (strncmp(word, contracts[i], length) != 0 || word[length] != '=')
			continue;
		profile->known |= 1U << i;
		return hex_parse(word + length + 1, strlen(word + length + 1), profile->contracts[i].bytes,
				 sizeof profile->contracts[i].bytes);
	}
	return strcmp(word, "-") == 0;
}

static bool take_all(char *rest, struct chain_profile *profile)
{
	if (!take_head(&rest, profile))
		return false;
	while (rest) {
		const char *word = strsep(&rest, " ");
		bool url = strncmp(word, "http", 4) == 0;
		if (url && (profile->rpc_count == CHAIN_URLS || !chain_url_fits(word)))
			return false;
		if (url)
			memcpy(profile->rpc[profile->rpc_count++], word, strlen(word) + 1);
		else if (!take_contract(word, profile))
			return false;
	}
	return true;
}

/* Written again and compared: order, doubles and zeroes in front need no check of their own. */
bool chain_profile_parse(const char *text, struct chain_profile *profile)
{
	char copy[CHAIN_TEXT], again[CHAIN_TEXT];
	size_t length = strlen(text);
	*profile = (struct chain_profile){0};
	if (length < sizeof copy) {
		memcpy(copy, text, length + 1);
		if (take_all(copy, profile) && chain_profile_print(profile, again) == length &&
		    memcmp(again, text, length) == 0)
			return true;
	}
	*profile = (struct chain_profile){0};
	return false;
}
