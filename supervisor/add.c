/* Adds a node. Runs as root, or as the user whose machine it is, beside a supervisor that may be running.
 * Order of what is written: a mark with the number, folders, the store's and the wallet's own state made by
 * themselves, etc/nodeN.conf, and the mark goes. A mark without a configuration is half a node, and the next
 * call removes it. */
#include "proto/formats.h"
#include "supervisor/add.h"

#include "actors/base/memory/memory.h"
#include "supervisor/answer.h"
#include "supervisor/config.h"
#include "supervisor/disk.h"
#include "supervisor/half.h"
#include "supervisor/host.h"
#include "supervisor/jail.h"
#include "supervisor/keystore.h"
#include "supervisor/listen.h"
#include "supervisor/make.h"
#include "supervisor/nodes.h"
#include "supervisor/passphrase.h"
#include "supervisor/tiers.h"

#include "proto/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUOTA_LEAST = 8, QUOTA_MOST = 4194304 }; /* quota_mb in proto/settings.def */

struct adding {
	struct machine *machine;
	struct add_request request;
	struct config *config;
	struct unlock unlock;
	struct node_config node;
	struct init_said said;
	const char *rule; /* that refused it; NULL: none of ours */
	char warning[CAPACITY_WARNING];
	int lock;
};

/* -- its number, size and port ----------------------------------------------------------------- */

/* After the highest there is or was: a folder without a configuration is somebody's data, and its number
 * stays taken. */
static bool choose_number(struct adding *adding, uint16_t *number, struct why *why)
{
	*number = 1;
	for (unsigned node = 1; node <= NODES_MAX; node++) {
		int taken = node_is_taken(adding->machine, (uint16_t)node);
		if (taken < 0)
			return refuse(why, "%s: whether there is a node %u: %s", adding->machine->root, node,
				      strerror(errno));
		if (taken)
			*number = (uint16_t)(node + 1);
	}
	return *number <= NODES_MAX ||
	       refuse(why,
		      "node numbers end at %d, as a machine's block of uids does, and none is given twice",
		      NODES_MAX);
}

static bool choose_size(const struct adding *adding, uint32_t *mib, struct why *why)
{
	char names[TIER_NAMES_TEXT];
	const struct add_request *request = &adding->request;
	uint32_t of_tier = tier_mib(config_profile(adding->config), request->tier);
	if (!of_tier)
		return refuse(why, "there is no tier \"%s\"; it is %s", request->tier, tier_names(names));
	*mib = request->storage_mib ? request->storage_mib : of_tier;
	return (*mib >= QUOTA_LEAST && *mib <= QUOTA_MOST) ||
	       refuse(why, "storage is %u MiB; it must be %d to %d", *mib, QUOTA_LEAST, QUOTA_MOST);
}

static bool choose_port(const struct adding *adding, uint16_t number, uint16_t *port, struct why *why)
{
	const struct config *config = adding->config;
	uint32_t wanted = adding->request.port ? adding->request.port : config_port(PORT_FIRST, number);
	if (wanted > UINT16_MAX)
		return refuse(why, "node %u would have port %u, which is none; give it one with --port",
			      number, wanted);
	for (unsigned i = 0; i < config->count; i++)
		if (config->nodes[i].values[SETTING_port].number == wanted)
			return refuse(why, "port %u is node %u's; give another with --port", wanted,
				      config->nodes[i].node);
	*port = (uint16_t)wanted;
	return port_is_free(config->values[SETTING_host].text, *port, why);
}

/* What may not be: another machine under the same nodes, or more than this one carries. */
static bool check_machine(struct adding *adding, uint32_t mib, struct why *why)
{
	struct capacity capacity;
	struct host_id id = host_look(adding->machine);
	if (id.state == HOST_CHANGED) {
		adding->rule = "machine-id";
		return host_refuse_changed(&id, why);
	}
	if (!disk_capacity(adding->machine, adding->config, &capacity, why))
		return false;
	enum capacity_rule rule = capacity_check(&capacity, mib, adding->machine->root, why);
	adding->rule = rule == CAPACITY_NONE ? NULL : capacity_rule_name(rule);
	capacity_warning(&capacity, capacity.nodes + 1, adding->warning);
	return rule == CAPACITY_NONE;
}

static bool ask_person(struct adding *adding, uint16_t number, struct why *why)
{
	struct capacity capacity;
	if (adding->request.tier)
		return true;
	return disk_capacity(adding->machine, adding->config, &capacity, why) &&
	       wishes_ask(&adding->request, &capacity, number, adding->machine->root, why);
}

static bool choose(struct adding *adding, struct why *why)
{
	uint16_t number = 0, port = 0;
	uint32_t mib = 0;
	if (!choose_number(adding, &number, why) || !ask_person(adding, number, why) ||
	    !choose_size(adding, &mib, why) || !check_machine(adding, mib, why) ||
	    !choose_port(adding, number, &port, why))
		return false;
	adding->node = config_propose(adding->config, number, adding->request.tier, mib, port);
	return true;
}

/* -- making it --------------------------------------------------------------------------------- */

static bool write_config(const struct adding *adding, struct why *why)
{
	const struct value *values = adding->node.values;
	char name[32], text[512];
	snprintf(name, sizeof name, "node%u.conf", adding->node.node);
	snprintf(text, sizeof text,
		 "# Node %u, made by warrend add.\nversion = %d;\ntier = \"%s\";\nquota_mb = %s;\nport = "
		 "%s;\n%s%s%s",
		 adding->node.node, FORMAT_settings, values[SETTING_tier].text, values[SETTING_quota_mb].text,
		 values[SETTING_port].text, *adding->said.address ? "wallet = \"" : "", adding->said.address,
		 *adding->said.address ? "\";\n" : "");
	return make_file(adding->machine->etc, name, 0644, text) ||
	       refuse(why, "%s/etc/%s: %s", adding->machine->root, name, strerror(errno));
}

/* Only now is its address known: the keys are made or imported by the wallet itself. */
static bool check_wallet(struct adding *adding, struct why *why)
{
	const struct node_config *other = config_wallet(adding->config, adding->said.address);
	if (!other)
		return true;
	adding->rule = "one-wallet-one-node";
	return refuse(why,
		      "wallet %s is node %u's already.\n  rule \"one wallet, one node\"\n  next: another key",
		      adding->said.address, other->node);
}

static bool make_node(struct adding *adding, struct why *why)
{
	const struct machine *machine = adding->machine;
	adding->said.quiet = adding->request.json;
	if (!half_mark_adding(machine, adding->node.node, why))
		return false;
	if (!adding->request.json)
		printf("node %u\n", adding->node.node);
	return make_node_folders(adding->machine, adding->node.node, why) &&
	       keystore_make_wallet(machine, &adding->unlock, adding->config, &adding->node,
				    adding->request.import, &adding->said, why) &&
	       check_wallet(adding, why) &&
	       init_run(machine, &adding->unlock, adding->config, &adding->node, STORE,
			&(struct init_how){.file = -1, .said = &adding->said}, why) &&
	       (disk_sync(machine->fd) || refuse(why, "%s: %s", machine->root, strerror(errno))) &&
	       write_config(adding, why);
}

/* -- one at a time ----------------------------------------------------------------------------- */

static bool load(struct adding *adding, struct why *why)
{
	adding->config = config_of(adding->machine, why);
	if (!adding->config || (adding->machine->as_root && !jail_possible(why)))
		return false;
	return unlock_obtain(adding->machine, adding->config, &adding->unlock, why);
}

static int say_added(const struct adding *adding)
{
	const struct value *values = adding->node.values;
	if (*adding->warning && !adding->request.json)
		fprintf(stderr, "warning: %s\n", adding->warning);
	if (!adding->request.json) {
		printf("port %u\nquota %u MiB\n", values[SETTING_port].number,
		       values[SETTING_quota_mb].number);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	struct json out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_bool(&out, "ok", true);
	json_number(&out, "node", adding->node.node);
	json_text(&out, "wallet", *adding->said.address ? adding->said.address : NULL);
	json_text(&out, "peer", *adding->said.peer ? adding->said.peer : NULL);
	json_text(&out, "tier", values[SETTING_tier].text);
	json_number(&out, "quota_mb", values[SETTING_quota_mb].number);
	json_number(&out, "port", values[SETTING_port].number);
	json_text(&out, "warning", *adding->warning ? adding->warning : NULL);
	json_close(&out, '}');
	json_end(&out);
	return 0;
}

int node_add(struct machine *machine, const struct add_request *request)
{
	struct adding adding = {.machine = machine, .request = *request, .lock = -1};
	struct why why = {"the disk did not take it"}, again;
	bool begun = false;
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	bool added = (adding.lock = half_lock(machine, &why)) >= 0 && load(&adding, &why) &&
		     half_end(machine, &why) && choose(&adding, &why) &&
		     (begun = true, make_node(&adding, &why));
	int code;
	if (added) {
		if (!half_end(machine, &again))
			fprintf(stderr, "%s\n", again.text);
		code = say_added(&adding);
		tell_supervisor(machine);
	} else {
		code = answer_refused(request->json, begun ? "not added" : "refused", adding.rule, &why);
		if (begun && !half_end(machine, &again))
			fprintf(stderr, "%s\n", again.text);
	}
	node_config_free(&adding.node);
	config_free(&adding.config);
	unlock_forget(&adding.unlock);
	if (adding.lock >= 0)
		close(adding.lock);
	return code;
}
