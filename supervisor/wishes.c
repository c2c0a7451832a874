/* `warrend add` at a terminal: what a person is asked. Runs before anything is made, so giving up leaves
 * nothing. */
#include "supervisor/nodes.h"

#include "supervisor/answer.h"
#include "supervisor/config_rows.h"

#include <string.h>

enum { LINE = 64 };

static bool gave_up(struct why *why)
{
	return refuse(why, "nothing was made");
}

static void say_tiers(const struct capacity *capacity)
{
	const struct tier *tier, *fits = capacity_recommends(capacity);
	for (unsigned i = 0; (tier = tier_at(capacity->profile, i)); i++)
		fprintf(stderr, "  %u  %-10s %6u MiB%s\n", i + 1, tier->name, tier->mib,
			tier->mib > fits->mib ? "   does not fit" : "");
}

/* By number or by name. */
static const struct tier *tier_meant(enum profile profile, const char *line)
{
	const struct tier *tier;
	uint32_t number = 0;
	bool counted = setting_number(line, &number);
	for (unsigned i = 0; (tier = tier_at(profile, i)); i++)
		if (counted ? number == i + 1 : strcmp(tier->name, line) == 0)
			return tier;
	return NULL;
}

static bool ask_tier(struct add_request *request, const struct capacity *capacity, struct why *why)
{
	char line[LINE], names[TIER_NAMES_TEXT];
	const struct tier *tier;
	say_tiers(capacity);
	for (;;) {
		if (!answer_ask("tier", capacity_recommends(capacity)->name, line, sizeof line))
			return gave_up(why);
		tier = tier_meant(capacity->profile, line);
		if (tier)
			break;
		fprintf(stderr, "there is no tier \"%s\"; it is %s\n", line, tier_names(names));
	}
	request->tier = tier->name;
	return true;
}

static bool ask_number(const char *question, uint32_t otherwise, uint32_t most, uint32_t *number,
		       struct why *why)
{
	char line[LINE], shown[16];
	snprintf(shown, sizeof shown, "%u", otherwise);
	for (;;) {
		if (!answer_ask(question, shown, line, sizeof line))
			return gave_up(why);
		if (setting_number(line, number) && *number && *number <= most)
			return true;
		fprintf(stderr, "\"%s\" is no number from 1 to %u\n", line, most);
	}
}

/* What is in the way of even the smallest tier. */
static bool nothing_fits(const struct capacity *capacity, const char *root, struct why *why)
{
	const struct tier *least = tier_at(capacity->profile, 0);
	if (capacity_check(capacity, least->mib, root, why) == CAPACITY_NONE)
		refuse(why, "no tier fits");
	return false;
}

bool wishes_ask(struct add_request *request, const struct capacity *capacity, uint16_t node, const char *root,
		struct why *why)
{
	char question[128], line[LINE];
	uint32_t port = config_port(PORT_FIRST, node);
	if (!capacity_recommends(capacity))
		return nothing_fits(capacity, root, why);
	if (!ask_tier(request, capacity, why))
		return false;
	uint32_t mib =
		request->storage_mib ? request->storage_mib : tier_mib(capacity->profile, request->tier);
	if (!ask_number("storage, MiB", mib, UINT32_MAX, &request->storage_mib, why))
		return false;
	if (request->port)
		port = request->port;
	if (!ask_number("HTTP port", port <= UINT16_MAX ? port : PORT_FIRST, UINT16_MAX, &port, why))
		return false;
	request->port = (uint16_t)port;
	snprintf(question, sizeof question, "make node %u: %s, %u MiB, port %u", node, request->tier,
		 request->storage_mib, request->port);
	if (!answer_ask(question, "yes", line, sizeof line) ||
	    (strcmp(line, "yes") != 0 && strcmp(line, "y") != 0))
		return gave_up(why);
	return true;
}
