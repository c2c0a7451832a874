/* The tiers and their profiles. Pure: no I/O, no state. */
#include "supervisor/tiers.h"

#include "supervisor/room.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *help;
} profiles[] = {
#define PROFILE(name, help) {#name, help},
#define TIER(...)
#include "supervisor/tiers.def"
#undef PROFILE
#undef TIER
};

static const struct tier tiers[] = {
#define PROFILE(...)
#define TIER(profile, name, mib) {PROFILE_##profile, #name, mib},
#include "supervisor/tiers.def"
#undef PROFILE
#undef TIER
};
enum { TIERS = sizeof tiers / sizeof *tiers };

const char *profile_name(enum profile profile)
{
	return profiles[profile].name;
}

const char *profile_help(enum profile profile)
{
	return profiles[profile].help;
}

bool profile_by_name(const char *name, enum profile *profile)
{
	for (unsigned i = 0; i < PROFILES; i++)
		if (strcmp(profiles[i].name, name) == 0) {
			*profile = (enum profile)i;
			return true;
		}
	return false;
}

const struct tier *tier_at(enum profile profile, unsigned index)
{
	for (unsigned i = 0; i < TIERS; i++)
		if (tiers[i].profile == profile && index-- == 0)
			return &tiers[i];
	return NULL;
}

uint32_t tier_mib(enum profile profile, const char *name)
{
	for (unsigned i = 0; i < TIERS; i++)
		if (tiers[i].profile == profile && strcmp(tiers[i].name, name) == 0)
			return tiers[i].mib;
	return 0;
}

const char *tier_names(char text[TIER_NAMES_TEXT])
{
	size_t length = 0;
	const struct tier *tier;
	for (unsigned i = 0; (tier = tier_at(PROFILE_v4, i)) && length < TIER_NAMES_TEXT; i++) {
		const char *before = i == 0 ? "" : tier_at(PROFILE_v4, i + 1) ? ", " : " or ";
		length +=
			(size_t)snprintf(text + length, TIER_NAMES_TEXT - length, "%s%s", before, tier->name);
	}
	return text;
}

const struct tier *tier_that_fits(enum profile profile, uint64_t bytes)
{
	const struct tier *fits = NULL, *tier;
	for (unsigned i = 0; (tier = tier_at(profile, i)); i++)
		if (store_takes(tier->mib) <= bytes)
			fits = tier;
	return fits;
}
