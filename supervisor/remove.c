/* `warrend remove` and `warrend reregister`: what cannot be taken back, so each asks first. Runs as root, or
 * as the user whose machine it is, beside a supervisor that may be running.
 *
 * Removing: a mark, a copy of the configuration in the archive, etc/nodeN.conf goes (from here on there is no
 * node N, and half.c ends what is left, whoever begins it: its processes, its keys, its folders). */
#include "supervisor/nodes.h"

#include "supervisor/answer.h"
#include "supervisor/disk.h"
#include "supervisor/half.h"
#include "supervisor/host.h"
#include "supervisor/make.h"
#include "supervisor/occupied.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct removing {
	const struct machine *machine;
	const struct remove_request *request;
	struct config *config;
	const struct node_config *node;
	const char *wallet; /* "" when it is not known */
	char folder[ARCHIVE_FOLDER];
	const char *rule;
};

/* -- whether ------------------------------------------------------------------------------------- */

static bool may_remove(struct removing *removing, struct why *why)
{
	const struct remove_request *request = removing->request;
	removing->node = config_node(removing->config, request->node);
	if (!removing->node)
		return refuse(why, "there is no node %u; warren list names them", request->node);
	removing->wallet = removing->node->values[SETTING_wallet].text;
	if (node_occupied(removing->machine, request->node) && !request->stop) {
		removing->rule = "runs";
		return refuse(why,
			      "node %u runs.\n"
			      "  rule \"only what is stopped is removed\"\n"
			      "  next: warren drain %u, then again; or at once: warren remove %u --stop",
			      request->node, request->node, request->node);
	}
	if (request->destroy_keys && strcasecmp(request->destroy_keys, removing->wallet) != 0) {
		removing->rule = "destroy-keys";
		return refuse(
			why,
			"--destroy-keys must be the address of the wallet whose keys shall be no more.\n"
			"  given %s, and node %u has %s",
			request->destroy_keys, request->node,
			*removing->wallet ? removing->wallet : "one whose address is not known");
	}
	return true;
}

static bool confirmed(const struct removing *removing, struct why *why)
{
	const struct remove_request *request = removing->request;
	char question[200], line[64], number[8];
	if (request->yes)
		return true;
	if (!answer_asks(request->json))
		return refuse(why, "removing a node must be confirmed: add --yes");
	snprintf(number, sizeof number, "%u", request->node);
	fprintf(stderr, "node %u: %s, %s, %s MiB. Its blobs are removed for good.\n", request->node,
		*removing->wallet ? removing->wallet : "wallet unknown",
		removing->node->values[SETTING_tier].text, removing->node->values[SETTING_quota_mb].text);
	fprintf(stderr,
		request->destroy_keys ? "Its keys are DESTROYED: whatever the wallet holds is lost.\n"
				      : "Its keys are kept in archive/%s.\n",
		removing->folder);
	snprintf(question, sizeof question, "to remove it, type its number");
	if (!answer_ask(question, "", line, sizeof line) || strcmp(line, number) != 0)
		return refuse(why, "nothing was removed");
	if (!request->destroy_keys)
		return true;
	if (!answer_ask("to destroy its keys, type its wallet's address", "", line, sizeof line) ||
	    strcasecmp(line, removing->wallet) != 0)
		return refuse(why, "nothing was removed");
	return true;
}

/* -- doing ---------------------------------------------------------------------------------------- */

static void name_folder(struct removing *removing)
{
	struct tm now;
	time_t seconds = time(NULL);
	char stamp[24];
	gmtime_r(&seconds, &now);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &now);
	if (removing->request->destroy_keys)
		snprintf(removing->folder, sizeof removing->folder, "-");
	else
		snprintf(removing->folder, sizeof removing->folder, "node%u-%s", removing->request->node,
			 stamp);
}

static bool copy_text(int from, int to, const char *name)
{
	char text[4096];
	int fd = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got >= 0 && make_file(to, name, 0600, text);
}

/* What a person needs beside the keys to make the node again: its number and its configuration. */
static bool make_archive(const struct removing *removing, const char *conf, struct why *why)
{
	const struct machine *machine = removing->machine;
	if (strcmp(removing->folder, "-") == 0)
		return true;
	int archive = archive_open(machine, why);
	if (archive < 0)
		return false;
	bool made = make_folder(machine, archive, removing->folder, 0700, geteuid(), why);
	int folder =
		made ? openat(archive, removing->folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	made = folder >= 0 && copy_text(machine->etc, folder, conf);
	if (!made)
		refuse(why, "%s/archive/%s: %s", machine->root, removing->folder, strerror(errno));
	if (folder >= 0)
		close(folder);
	close(archive);
	return made;
}

static bool undeclare(const struct machine *machine, const char *conf, struct why *why)
{
	if (unlinkat(machine->etc, conf, 0) != 0)
		return refuse(why, "%s/etc/%s: %s", machine->root, conf, strerror(errno));
	return disk_sync(machine->etc) || refuse(why, "%s/etc: %s", machine->root, strerror(errno));
}

static bool remove_node(struct removing *removing, bool *begun, struct why *why)
{
	const struct machine *machine = removing->machine;
	char conf[32];
	snprintf(conf, sizeof conf, "node%u.conf", removing->request->node);
	*begun = half_mark_removing(machine, removing->request->node, removing->folder, why);
	return *begun && make_archive(removing, conf, why) && undeclare(machine, conf, why);
}

static int say_removed(const struct removing *removing)
{
	const struct remove_request *request = removing->request;
	char path[ROOT_TEXT + ARCHIVE_FOLDER + 16];
	bool kept = strcmp(removing->folder, "-") != 0;
	snprintf(path, sizeof path, "%s/archive/%s", removing->machine->root, removing->folder);
	if (!request->json) {
		printf("node %u is removed\n", request->node);
		if (kept)
			printf("its keys are in %s, sealed under this machine's unlock secret\n", path);
		return 0;
	}
	struct json out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_bool(&out, "ok", true);
	json_number(&out, "node", request->node);
	json_text(&out, "wallet", *removing->wallet ? removing->wallet : NULL);
	json_text(&out, "archive", kept ? path : NULL);
	json_close(&out, '}');
	json_end(&out);
	return 0;
}

int node_remove(const struct machine *machine, const struct remove_request *request)
{
	struct removing removing = {.machine = machine, .request = request, .wallet = ""};
	struct why why = {"?"}, again;
	bool begun = false;
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	name_folder(&removing);
	int lock = half_lock(machine, &why);
	bool removed = lock >= 0 && half_end(machine, &why) && (removing.config = config_of(machine, &why)) &&
		       may_remove(&removing, &why) && confirmed(&removing, &why) &&
		       remove_node(&removing, &begun, &why) && half_end(machine, &why);
	int code = removed ? say_removed(&removing)
			   : answer_refused(request->json, begun ? "not removed" : "refused", removing.rule,
					    &why);
	if (!removed && begun && node_has_config(machine, request->node) && !half_end(machine, &again))
		fprintf(stderr, "%s\n", again.text);
	config_free(&removing.config);
	if (lock >= 0)
		close(lock);
	return code;
}

/* -- reregister ------------------------------------------------------------------------------------ */

static int say_registered(const struct host_id *id, bool changed, bool json)
{
	char live[HOST_ID_TEXT], kept[HOST_ID_TEXT];
	if (!json) {
		printf(changed ? "the machine is %s from now on\n" : "the machine is %s, as before\n",
		       host_id_text(&id->live, live));
		return 0;
	}
	struct json out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_bool(&out, "ok", true);
	json_text(&out, "machine_id", host_id_text(&id->live, live));
	json_text(&out, "machine_id_before", host_id_text(&id->kept, kept));
	json_bool(&out, "changed", changed);
	json_close(&out, '}');
	json_end(&out);
	return 0;
}

int machine_reregister(const struct machine *machine, const struct reregister_request *request)
{
	char live[HOST_ID_TEXT], kept[HOST_ID_TEXT], line[64];
	struct why why;
	struct host_id id = host_look(machine);
	if (id.state == HOST_UNKNOWN) {
		refuse(&why, HOST_ID_FILE " holds no machine id (systemd-machine-id-setup makes one)");
		return answer_refused(request->json, "refused", "machine-id", &why);
	}
	if (id.state != HOST_CHANGED)
		return say_registered(&id, false, request->json);
	bool sure = request->yes;
	if (!sure && answer_asks(request->json)) {
		fprintf(stderr, "kept: %s\nnow:  %s\n", host_id_text(&id.kept, kept),
			host_id_text(&id.live, live));
		sure = answer_ask("its nodes count as this machine's from now on; yes or no", "no", line,
				  sizeof line) &&
		       strcmp(line, "yes") == 0;
	}
	if (!sure) {
		refuse(&why, "a new machine id must be confirmed: add --yes");
		return answer_refused(request->json, "refused", "machine-id", &why);
	}
	if (!host_keep(machine, &id.live)) {
		refuse(&why, "%s/machine/id: %s", machine->root, strerror(errno));
		return answer_refused(request->json, "failed", NULL, &why);
	}
	tell_supervisor(machine);
	return say_registered(&id, true, request->json);
}
