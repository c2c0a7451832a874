/* The tiers of each profile, from tiers.def. Pure. */
#ifndef WARREN_SUPERVISOR_TIERS_H
#define WARREN_SUPERVISOR_TIERS_H

#include <stdbool.h>
#include <stdint.h>

enum profile {
#define PROFILE(name, ...) PROFILE_##name,
#define TIER(...)
#include "supervisor/tiers.def"
#undef PROFILE
#undef TIER
	PROFILES
};

const char *profile_name(enum profile profile);
const char *profile_help(enum profile profile);
bool profile_by_name(const char *name, enum profile *profile);

struct tier {
	enum profile profile;
	const char *name;
	uint32_t mib;
};
const struct tier *tier_at(enum profile profile, unsigned index); /* from the smallest; NULL past the last */

/* MiB of a tier; 0 for a word that is none. */
uint32_t tier_mib(enum profile profile, const char *name);

/* "bronze, silver, gold or platinum" */
enum { TIER_NAMES_TEXT = 128 };
const char *tier_names(char text[TIER_NAMES_TEXT]);

/* The largest tier whose store takes at most `bytes`; NULL when none does. */
const struct tier *tier_that_fits(enum profile profile, uint64_t bytes);

#endif
