/* The rows of proto/settings.def as a table, and the check of one value against its row. Inside of config*.c. */
#ifndef WARREN_SUPERVISOR_CONFIG_ROWS_H
#define WARREN_SUPERVISOR_CONFIG_ROWS_H

#include "supervisor/config.h"
#include "supervisor/why.h"

enum setting_where { WHERE_MACHINE, WHERE_NODE };
enum setting_type { TYPE_INT, TYPE_TEXT, TYPE_SHARDS, TYPE_SECRET };

struct setting_row {
	const char *name;
	enum setting_where where;
	enum setting_type type;
	uint32_t lowest, highest;
	const char *fallback, *environment;
};
const struct setting_row *setting_row(unsigned setting); /* setting < SETTINGS */
enum setting setting_by_name(const char *name);          /* SETTINGS: none */

/* The word of settings.def that was probably meant; NULL when none is near. */
const char *setting_near(const char *name);

/* Why its highest is what it is, as the end of a sentence; "" where that needs no saying. */
const char *setting_bound(const struct setting_row *row);

/* Bounds, and what only this word asks (a known tier, a numeric address, a group that exists …). Not what depends on another
 * word. */
bool setting_check(unsigned setting, const struct value *value, struct why *why);

/* Reads a number as it stands in the environment or among the defaults. */
bool setting_number(const char *text, uint32_t *number);

/* WALL_ bits of the names in a list parted by spaces or commas; false and the wrong one in *why. */
bool walls_named(const char *text, uint32_t *walls, struct why *why);

/* False: there is no such group. */
bool group_find(const char *name, uint32_t *gid);

#endif
