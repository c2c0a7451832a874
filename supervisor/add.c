/* Adds a node. Runs as root, or as the user whose machine it is, beside a supervisor that may be running.
 * Order of what is written: a mark with the number, folders, the store's and the wallet's own state made by
 * themselves, etc/nodeN.conf, and the mark goes. A mark without a configuration is half a node, and the next
 * call removes it. */
#include "supervisor/add.h"

#include "actors/base/memory/memory.h"
#include "supervisor/config.h"
#include "supervisor/disk.h"
#include "supervisor/jail.h"
#include "supervisor/keystore.h"
#include "supervisor/listen.h"
#include "supervisor/make.h"
#include "supervisor/room.h"
#include "supervisor/passphrase.h"

#include "proto/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "adding" /* in ROOT/machine */

enum { QUOTA_LEAST = 8, QUOTA_MOST = 4194304 }; /* quota_mb in proto/settings.def */

struct adding {
	struct machine *machine;
	const struct add_request *request;
	struct config *config;
	struct unlock unlock;
	struct node_config node;
	int lock;
};

/* -- half a node ------------------------------------------------------------------------------- */

static bool has_config(const struct machine *machine, uint16_t node)
{
	char name[32];
	snprintf(name, sizeof name, "node%u.conf", node);
	return faccessat(machine->etc, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool has_folder(const struct machine *machine, uint16_t node)
{
	char name[32];
	snprintf(name, sizeof name, "node%u", node);
	return faccessat(machine->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static uint16_t marked(const struct machine *machine)
{
	char text[16];
	int fd = openat(machine->own, MARK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	unsigned long node = strtoul(text, NULL, 10);
	return node <= NODES_MAX ? (uint16_t)node : 0;
}

static bool remove_half(const struct machine *machine, struct why *why)
{
	char name[32];
	uint16_t node = marked(machine);
	if (node && !has_config(machine, node)) {
		snprintf(name, sizeof name, "node%u", node);
		if (!disk_remove(machine->fd, name) || !disk_remove_below(machine->fd, "logs", name))
			return refuse(why, "the remains of half-made node %u stay: %s", node,
				      strerror(errno));
		fprintf(stderr, "removed what was left of node %u, whose adding was cut short\n", node);
	}
	return unlinkat(machine->own, MARK, 0) == 0 || errno == ENOENT ||
	       refuse(why, "%s: %s", MARK, strerror(errno));
}

/* -- its number, size and port ----------------------------------------------------------------- */

/* After the highest there is or was: a folder without a configuration is somebody's data, and its number
 * stays taken. */
static bool choose_number(struct adding *adding, uint16_t *number, struct why *why)
{
	*number = 1;
	for (unsigned node = 1; node <= NODES_MAX; node++)
		if (has_config(adding->machine, (uint16_t)node) ||
		    has_folder(adding->machine, (uint16_t)node))
			*number = (uint16_t)(node + 1);
	return *number <= NODES_MAX || refuse(why, "a machine has at most %d nodes", NODES_MAX);
}

static bool choose_size(const struct add_request *request, uint32_t *mib, struct why *why)
{
	char names[TIER_NAMES_TEXT];
	uint32_t of_tier = tier_mib(request->tier);
	if (!of_tier)
		return refuse(why, "there is no tier \"%s\"; it is %s", request->tier, tier_names(names));
	*mib = request->storage_mib ? request->storage_mib : of_tier;
	return (*mib >= QUOTA_LEAST && *mib <= QUOTA_MOST) ||
	       refuse(why, "storage is %u MiB; it must be %d to %d", *mib, QUOTA_LEAST, QUOTA_MOST);
}

static bool choose_port(const struct adding *adding, uint16_t number, uint16_t *port, struct why *why)
{
	const struct config *config = adding->config;
	uint32_t wanted = adding->request->port ? adding->request->port : config_port(PORT_FIRST, number);
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

static bool choose(struct adding *adding, struct why *why)
{
	uint16_t number = 0, port = 0;
	uint32_t mib = 0;
	if (!choose_number(adding, &number, why) || !choose_size(adding->request, &mib, why) ||
	    !disk_has_room(adding->machine, adding->config, mib, why) ||
	    !choose_port(adding, number, &port, why))
		return false;
	adding->node = config_propose(adding->config, number, adding->request->tier, mib, port);
	return true;
}

/* -- making it --------------------------------------------------------------------------------- */

static bool make_folders(const struct adding *adding, struct why *why)
{
	const struct machine *machine = adding->machine;
	uint16_t node = adding->node.node;
	char name[32], target[48];
	snprintf(name, sizeof name, "node%u", node);
	snprintf(target, sizeof target, "../logs/%s", name);
	if (!make_folder(machine, machine->fd, name, 0711, machine->own_uid, why))
		return false;
	int folder = openat(machine->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int logs = openat(machine->fd, "logs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool made = folder >= 0 && logs >= 0;
	if (!made)
		refuse(why, "%s/%s: %s", machine->root, name, strerror(errno));
	made = made &&
	       make_folder(machine, folder, "storage", 0700, machine_uid(machine, STORE, node), why) &&
	       make_folder(machine, folder, "keys", 0700, machine_uid(machine, WALLET, node), why) &&
	       disk_make_foreign(machine, logs, name, machine_uid(machine, SCRIBE, 0), why);
	if (made && symlinkat(target, folder, "logs") != 0 && errno != EEXIST)
		made = refuse(why, "%s/%s/logs: %s", machine->root, name, strerror(errno));
	if (folder >= 0)
		close(folder);
	if (logs >= 0)
		close(logs);
	return made;
}

static bool write_config(const struct adding *adding, struct why *why)
{
	const struct value *values = adding->node.values;
	char name[32], text[512];
	snprintf(name, sizeof name, "node%u.conf", adding->node.node);
	snprintf(text, sizeof text,
		 "# Node %u, made by warrend add.\ntier = \"%s\";\nquota_mb = %s;\nport = %s;\n",
		 adding->node.node, values[SETTING_tier].text, values[SETTING_quota_mb].text,
		 values[SETTING_port].text);
	return write_whole(adding->machine->etc, name, 0644, text) ||
	       refuse(why, "%s/etc/%s: %s", adding->machine->root, name, strerror(errno));
}

static bool make_node(struct adding *adding, struct why *why)
{
	const struct machine *machine = adding->machine;
	char number[16];
	snprintf(number, sizeof number, "%u\n", adding->node.node);
	if (!write_whole(machine->own, MARK, 0644, number))
		return refuse(why, "%s/machine/" MARK ": %s", machine->root, strerror(errno));
	printf("node %u\n", adding->node.node);
	return make_folders(adding, why) &&
	       keystore_make_wallet(machine, &adding->unlock, adding->config, &adding->node,
				    adding->request->import, why) &&
	       init_run(machine, &adding->unlock, adding->config, &adding->node, STORE, false, why) &&
	       disk_sync(machine->fd) && write_config(adding, why);
}

static void tell_supervisor(const struct machine *machine)
{
	pid_t holder;
	if (machine_held(machine, &holder) && holder > 1)
		kill(holder, SIGHUP);
}

/* -- one at a time ----------------------------------------------------------------------------- */

static bool lock_adding(struct adding *adding, struct why *why)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	adding->lock =
		openat(adding->machine->own, "add.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (adding->lock < 0)
		return refuse(why, "%s/machine/add.lock: %s", adding->machine->root, strerror(errno));
	return fcntl(adding->lock, F_SETLK, &lock) == 0 ||
	       refuse(why, "another node is being added right now; wait for it");
}

static bool load(struct adding *adding, struct why *why)
{
	char etc[ROOT_TEXT + 8];
	struct mistakes mistakes = {0};
	snprintf(etc, sizeof etc, "%s/etc", adding->machine->root);
	adding->config = config_load(adding->machine->etc, etc, &mistakes);
	if (!adding->config) {
		mistakes_print(&mistakes, stderr);
		refuse(why, "%u mistakes in the configuration; mend them first", mistakes.count);
		mistakes_end(&mistakes);
		return false;
	}
	if (adding->machine->as_root && !jail_possible(why))
		return false;
	return unlock_obtain(adding->machine, adding->config, &adding->unlock, why);
}

int node_add(struct machine *machine, const struct add_request *request)
{
	struct adding adding = {.machine = machine, .request = request, .lock = -1};
	struct why why = {"the disk did not take it"};
	bool begun = false;
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	bool added = lock_adding(&adding, &why) && load(&adding, &why) && remove_half(machine, &why) &&
		     choose(&adding, &why) && (begun = true, make_node(&adding, &why));
	if (added) {
		unlinkat(machine->own, MARK, 0);
		printf("port %u\nquota %u MiB\n", adding.node.values[SETTING_port].number,
		       adding.node.values[SETTING_quota_mb].number);
		fflush(stdout);
		tell_supervisor(machine);
	} else {
		struct why again;
		fprintf(stderr, "%s%s\n", begun ? "not added: " : "refused: ", why.text);
		if (begun && !remove_half(machine, &again))
			fprintf(stderr, "%s\n", again.text);
	}
	node_config_free(&adding.node);
	config_free(&adding.config);
	unlock_forget(&adding.unlock);
	if (adding.lock >= 0)
		close(adding.lock);
	return added ? 0 : 1;
}
