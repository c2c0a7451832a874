/* One setting: its row, its bounds, its own checks. Part of the supervisor; reads the group database, nothing
 * else. */
#include "supervisor/config_rows.h"

#include "proto/ids.h"
#include "supervisor/tiers.h"
#include "proto/web.h"
#include "supervisor/room.h"

#include <arpa/inet.h>
#include <grp.h>
#include <string.h>

enum { MEMORY_LEAST = 64 }; /* MiB; less is a slip, such as a number that was meant in GiB */

static const struct setting_row rows[SETTINGS] = {
#define SETTING(name, where, type, lowest, highest, fallback, environment, help) \
	{#name, WHERE_##where, TYPE_##type, lowest, highest, fallback, environment},
#include "proto/settings.def"
#undef SETTING
};

const struct setting_row *setting_row(unsigned setting)
{
	return &rows[setting];
}

enum setting setting_by_name(const char *name)
{
	for (unsigned i = 0; i < SETTINGS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum setting)i;
	return SETTINGS;
}

/* Letters to change, add or leave out to make one word of the other. */
static unsigned distance(const char *a, const char *b)
{
	enum { LONGEST = 32 };
	unsigned row[LONGEST + 1];
	size_t a_length = strlen(a), b_length = strlen(b);
	if (a_length > LONGEST || b_length > LONGEST)
		return LONGEST;
	for (unsigned j = 0; j <= b_length; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned corner = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			unsigned change = corner + (a[i - 1] != b[j - 1]);
			unsigned other = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
			corner = row[j];
			row[j] = change < other ? change : other;
		}
	}
	return row[b_length];
}

const char *setting_near(const char *name)
{
	const char *nearest = NULL;
	unsigned least = 3;
	for (unsigned i = 0; i < SETTINGS; i++) {
		unsigned far = distance(name, rows[i].name);
		if (far < least) {
			least = far;
			nearest = rows[i].name;
		}
	}
	return nearest;
}

bool setting_number(const char *text, uint32_t *number)
{
	uint64_t value = 0;
	for (const char *digit = text; *digit; digit++) {
		if (*digit < '0' || *digit > '9' || value > UINT32_MAX / 10)
			return false;
		value = value * 10 + (unsigned)(*digit - '0');
	}
	*number = (uint32_t)value;
	return *text && value <= UINT32_MAX;
}

bool group_find(const char *name, uint32_t *gid)
{
	const struct group *group = getgrnam(name);
	if (group)
		*gid = group->gr_gid;
	return group != NULL;
}

static bool wall_by_name(const char *name, size_t length, unsigned *wall)
{
	for (*wall = 0; *wall < WALLS; ++*wall)
		if (strlen(wall_row(*wall)->name) == length &&
		    memcmp(wall_row(*wall)->name, name, length) == 0)
			return true;
	return false;
}

bool walls_named(const char *text, uint32_t *walls, struct why *why)
{
	*walls = 0;
	for (;;) {
		text += strspn(text, " ,");
		size_t length = strcspn(text, " ,");
		unsigned wall;
		if (!length)
			return true;
		if (!wall_by_name(text, length, &wall))
			return refuse(why, "there is no wall \"%.*s\"; proto/walls.def lists them",
				      (int)length, text);
		*walls |= 1U << wall;
		text += length;
	}
}

static bool plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool check_text(unsigned setting, const char *text, struct why *why)
{
	char names[TIER_NAMES_TEXT];
	uint32_t walls, gid;
	uint8_t address[sizeof(struct in6_addr)], wallet[20];
	enum profile profile;
	if (!plain(text))
		return refuse(why, "%s holds a control character", rows[setting].name);
	if (setting == SETTING_tier && !tier_mib(PROFILE_v4, text))
		return refuse(why, "there is no tier \"%s\"; it is %s", text, tier_names(names));
	if (setting == SETTING_tier_profile && !profile_by_name(text, &profile))
		return refuse(why, "there is no tier_profile \"%s\"; it is v4 or multinode", text);
	if (setting == SETTING_ram_rule && strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
		return refuse(why, "ram_rule is \"%s\"; it is on or off", text);
	if (setting == SETTING_rate_limits && strcmp(text, "strangers") != 0 && strcmp(text, "all") != 0 &&
	    strcmp(text, "off") != 0)
		return refuse(why, "rate_limits is \"%s\"; it is strangers, all or off", text);
	if (setting == SETTING_gc && strcmp(text, "off") != 0 && strcmp(text, "size") != 0 &&
	    strcmp(text, "time") != 0 && strcmp(text, "hybrid") != 0)
		return refuse(why, "gc is \"%s\"; it is off, size, time or hybrid", text);
	if (setting == SETTING_wallet && *text &&
	    (strncmp(text, "0x", 2) != 0 || !hex_parse(text + 2, strlen(text + 2), wallet, sizeof wallet)))
		return refuse(why, "wallet is \"%s\", which is no address: 0x and 40 hex digits", text);
	if (setting == SETTING_host && inet_pton(AF_INET, text, address) != 1 &&
	    inet_pton(AF_INET6, text, address) != 1)
		return refuse(why, "host is \"%s\", which is no numeric address such as 127.0.0.1", text);
	if ((setting == SETTING_operators || setting == SETTING_readers) && *text && !group_find(text, &gid))
		return refuse(why,
			      "there is no group \"%s\" on this machine; make it with groupadd --system %s",
			      text, text);
	struct web_address web;
	if (setting == SETTING_alert_webhook && *text && !web_address(text, &web))
		return refuse(why, "alert_webhook is no URL such as https://alerts.example.org/warren");
	if (setting == SETTING_alert_command && *text && *text != '/')
		return refuse(why, "alert_command must be a whole path, which begins with /");
	if (setting == SETTING_unlock && *text && strcmp(text, "ask") != 0)
		return refuse(why, "unlock is \"%s\"; it is \"ask\", or not said", text);
	if (setting == SETTING_without)
		return walls_named(text, &walls, why);
	return true;
}

const char *setting_bound(const struct setting_row *row)
{
	return row == &rows[SETTING_max_nodes] ? ", as a machine's block of uids has no more places" : "";
}

bool setting_check(unsigned setting, const struct value *value, struct why *why)
{
	const struct setting_row *row = &rows[setting];
	if (row->type == TYPE_INT) {
		if (value->number < row->lowest || value->number > row->highest)
			return refuse(why, "%s is %u; it must be %u to %u%s", row->name, value->number,
				      row->lowest, row->highest, setting_bound(row));
		if (setting == SETTING_memory_mb && value->number && value->number < MEMORY_LEAST)
			return refuse(why, "memory_mb is %u; a node needs at least %d, or 0 for no limit",
				      value->number, MEMORY_LEAST);
		return true;
	}
	size_t length = strlen(value->text);
	if (length < row->lowest || length > row->highest)
		return refuse(why, "%s has %zu characters; it must have %u to %u", row->name, length,
			      row->lowest, row->highest);
	return check_text(setting, value->text, why);
}
