/* `warrend info`, `list`, `verify` and `tiers`: what there is, what it holds, what more it could carry. Reads
 * the configuration and the disk; changes nothing, but keeps the machine's id when none is kept yet. Works
 * whether the machine runs or not. */
#include "supervisor/nodes.h"

#include "supervisor/answer.h"
#include "supervisor/disk.h"
#include "supervisor/host.h"
#include "supervisor/occupied.h"

#include <inttypes.h>
#include <string.h>

struct config *config_of(const struct machine *machine, struct why *why)
{
	char etc[ROOT_TEXT + 8];
	struct mistakes mistakes = {0};
	snprintf(etc, sizeof etc, "%s/etc", machine->root);
	struct config *config = config_load(machine->etc, etc, &mistakes);
	if (!config) {
		mistakes_print(&mistakes, stderr);
		refuse(why, "%u mistakes in the configuration; mend them first", mistakes.count);
		mistakes_end(&mistakes);
	}
	return config;
}

/* -- info ---------------------------------------------------------------------------------------- */

static const char *host_state_name(enum host_state state)
{
	static const char *const names[] = {"same", "new", "changed", "unknown"};
	return names[state];
}

static void info_json(const struct capacity *capacity, const struct host_id *id)
{
	struct room_left left = room_left(&capacity->room);
	struct nodes_most nodes = capacity_nodes(capacity);
	const struct tier *tier = capacity_recommends(capacity);
	char live[HOST_ID_TEXT], kept[HOST_ID_TEXT], warning[CAPACITY_WARNING];
	struct json out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_bool(&out, "ok", id->state != HOST_CHANGED);
	json_text(&out, "machine_id", id->state == HOST_UNKNOWN ? NULL : host_id_text(&id->live, live));
	json_text(&out, "machine_id_kept", id->state == HOST_UNKNOWN ? NULL : host_id_text(&id->kept, kept));
	json_text(&out, "machine_id_state", host_state_name(id->state));
	json_open(&out, "disk", '{');
	json_number(&out, "total", capacity->room.total);
	json_number(&out, "free", capacity->room.free);
	json_number(&out, "reserved", capacity->room.reserved);
	json_number(&out, "promised", capacity->room.allocated);
	json_number(&out, "rule_80_percent_of_free", left.share);
	json_number(&out, "rule_keep_10_percent", left.keep);
	json_number(&out, "available", left.allocatable);
	json_text(&out, "binds",
		  capacity_rule_name(left.binds == ROOM_SHARE ? CAPACITY_SHARE : CAPACITY_KEEP));
	json_close(&out, '}');
	json_open(&out, "nodes", '{');
	json_number(&out, "now", capacity->nodes);
	json_number(&out, "most", nodes.most);
	json_text(&out, "binds", capacity_rule_name(nodes.binds));
	json_number(&out, "memory", capacity->memory);
	json_number(&out, "cores", capacity->cores);
	json_number(&out, "by_memory", nodes_by_memory(capacity->memory));
	json_close(&out, '}');
	json_text(&out, "tier_profile", profile_name(capacity->profile));
	json_text(&out, "recommended", tier ? tier->name : NULL);
	capacity_warning(capacity, capacity->nodes + 1, warning);
	json_text(&out, "warning", *warning ? warning : NULL);
	json_close(&out, '}');
	json_end(&out);
}

static void say_id(const struct host_id *id)
{
	char live[HOST_ID_TEXT], kept[HOST_ID_TEXT];
	if (id->state == HOST_UNKNOWN) {
		printf("machine id    unknown: " HOST_ID_FILE
		       " holds none (systemd-machine-id-setup makes one)\n");
		return;
	}
	printf("machine id    %s\n", host_id_text(&id->live, live));
	if (id->state == HOST_CHANGED)
		printf(" bad  it was  %s: nothing is added or registered until: warrend reregister\n",
		       host_id_text(&id->kept, kept));
}

static void say_info(const struct capacity *capacity, const struct host_id *id)
{
	const struct room *room = &capacity->room;
	struct room_left left = room_left(room);
	struct nodes_most nodes = capacity_nodes(capacity);
	const struct tier *tier = capacity_recommends(capacity);
	char a[GIB_TEXT], b[GIB_TEXT], warning[CAPACITY_WARNING];
	bool share = left.binds == ROOM_SHARE;
	say_id(id);
	printf("disk          total %s, free %s", gib_text(room->total, a), gib_text(room->free, b));
	printf(", promised to %u nodes %s (reserved %s)\n", capacity->nodes, gib_text(room->allocated, a),
	       gib_text(room->reserved, b));
	printf("available     %s for new nodes\n", gib_text(left.allocatable, a));
	printf("  rule \"80 %% of free\": %s%s\n", gib_text(left.share, a), share ? "  <- binds" : "");
	printf("  rule \"keep 10 %% of the disk, at least 1 GiB\": %s%s\n", gib_text(left.keep, a),
	       share ? "" : "  <- binds");
	printf("nodes         %u of %u\n", capacity->nodes, nodes.most);
	printf("  rule \"ram\": memory %s carries %u%s%s\n", gib_text(capacity->memory, a),
	       nodes_by_memory(capacity->memory), capacity->ram_rule ? "" : " (off)",
	       nodes.binds == CAPACITY_RAM ? "  <- binds" : "");
	if (capacity->max_nodes)
		printf("  rule \"max_nodes\": %u%s\n", capacity->max_nodes,
		       nodes.binds == CAPACITY_MAX_NODES ? "  <- binds" : "");
	if (*capacity_warning(capacity, capacity->nodes + 1, warning))
		printf(" warn  %s\n", warning);
	if (tier)
		printf("recommended   %s, %u MiB: warren add --tier %s\n", tier->name, tier->mib, tier->name);
	else
		printf("recommended   no further node\n");
}

int nodes_info(const struct machine *machine, bool json)
{
	struct why why;
	struct capacity capacity;
	struct config *config = config_of(machine, &why);
	if (!config || !disk_capacity(machine, config, &capacity, &why)) {
		config_free(&config);
		return answer_refused(json, "failed", NULL, &why);
	}
	struct host_id id = host_look(machine);
	if (json)
		info_json(&capacity, &id);
	else
		say_info(&capacity, &id);
	config_free(&config);
	return id.state == HOST_CHANGED;
}

/* -- list ---------------------------------------------------------------------------------------- */

static void list_json(const struct machine *machine, const struct config *config)
{
	struct json out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_bool(&out, "ok", true);
	json_open(&out, "nodes", '[');
	for (unsigned i = 0; i < config->count; i++) {
		const struct node_config *node = &config->nodes[i];
		const char *wallet = node->values[SETTING_wallet].text;
		json_open(&out, NULL, '{');
		json_number(&out, "node", node->node);
		json_text(&out, "wallet", *wallet ? wallet : NULL);
		json_text(&out, "tier", node->values[SETTING_tier].text);
		json_number(&out, "quota_mb", node->values[SETTING_quota_mb].number);
		json_number(&out, "port", node->values[SETTING_port].number);
		json_bool(&out, "runs", node_occupied(machine, node->node));
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
	json_end(&out);
}

static void say_list(const struct machine *machine, const struct config *config)
{
	if (!config->count) {
		printf("no node yet: warren add\n");
		return;
	}
	printf("node  %-42s  %-10s %9s  %5s\n", "wallet", "tier", "quota", "port");
	for (unsigned i = 0; i < config->count; i++) {
		const struct node_config *node = &config->nodes[i];
		const char *wallet = node->values[SETTING_wallet].text;
		printf("%4u  %-42s  %-10s %5u MiB  %5u  %s\n", node->node, *wallet ? wallet : "?",
		       node->values[SETTING_tier].text, node->values[SETTING_quota_mb].number,
		       node->values[SETTING_port].number,
		       node_occupied(machine, node->node) ? "runs" : "stopped");
	}
}

int nodes_list(const struct machine *machine, bool json)
{
	struct why why;
	struct config *config = config_of(machine, &why);
	if (!config)
		return answer_refused(json, "failed", NULL, &why);
	if (json)
		list_json(machine, config);
	else
		say_list(machine, config);
	config_free(&config);
	return 0;
}

/* -- verify -------------------------------------------------------------------------------------- */

static bool verify_one(const struct machine *machine, const struct node_config *node, struct json *out)
{
	struct why why = {""};
	struct holding holding = disk_verify(machine, node, &why);
	if (!out) {
		printf("%4u  %7" PRIu64 " MiB  %7" PRIu64 " MiB  %s\n", node->node, holding.claimed,
		       holding.actual, holding.valid ? "valid" : why.text);
		return holding.valid;
	}
	json_open(out, NULL, '{');
	json_number(out, "node", node->node);
	json_number(out, "claimed", holding.claimed);
	json_number(out, "actual", holding.actual);
	json_bool(out, "valid", holding.valid);
	json_text(out, "why", holding.valid ? NULL : why.text);
	json_close(out, '}');
	return holding.valid;
}

static bool verify_all(const struct machine *machine, const struct config *config, uint16_t node,
		       struct json *out)
{
	bool valid = true;
	for (unsigned i = 0; i < config->count; i++)
		if (!node || config->nodes[i].node == node)
			valid = verify_one(machine, &config->nodes[i], out) && valid;
	return valid;
}

int nodes_verify(const struct machine *machine, uint16_t node, bool json)
{
	struct why why;
	struct config *config = config_of(machine, &why);
	bool valid = config;
	if (config && node && !config_node(config, node))
		valid = refuse(&why, "there is no node %u; warren list names them", node);
	if (!valid) {
		config_free(&config);
		return answer_refused(json, "failed", NULL, &why);
	}
	struct json out = {.to = stdout};
	if (json) {
		json_open(&out, NULL, '{');
		json_open(&out, "nodes", '[');
	} else {
		printf("node  %11s  %11s\n", "claimed", "actual");
	}
	valid = verify_all(machine, config, node, json ? &out : NULL);
	if (json) {
		json_close(&out, ']');
		json_bool(&out, "ok", valid);
		json_close(&out, '}');
		json_end(&out);
	}
	config_free(&config);
	return !valid;
}

/* -- tiers --------------------------------------------------------------------------------------- */

static void say_profile(enum profile profile, struct json *out)
{
	const struct tier *tier;
	if (out)
		json_open(out, profile_name(profile), '{');
	else
		printf("%s: %s; the stake is what the chain says\n", profile_name(profile),
		       profile_help(profile));
	for (unsigned i = 0; (tier = tier_at(profile, i)); i++)
		if (out)
			json_number(out, tier->name, tier->mib);
		else
			printf("  %-10s %6u MiB\n", tier->name, tier->mib);
	if (out)
		json_close(out, '}');
}

int nodes_tiers(const char *name, bool json)
{
	enum profile only = PROFILES;
	struct why why;
	struct json out = {.to = stdout};
	if (name && !profile_by_name(name, &only)) {
		refuse(&why, "there is no tier profile \"%s\"; it is v4 or multinode", name);
		return answer_refused(json, "refused", NULL, &why);
	}
	if (json)
		json_open(&out, NULL, '{');
	for (unsigned profile = 0; profile < PROFILES; profile++)
		if (only == PROFILES || only == profile)
			say_profile((enum profile)profile, json ? &out : NULL);
	if (json) {
		json_close(&out, '}');
		json_end(&out);
	}
	return 0;
}
