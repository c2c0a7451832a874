/* Control groups. Runs as the supervisor; writes below its own group, or below the root of the hierarchy when
 * its own cannot have children with controllers. Never fatal: a machine without writable groups runs, and
 * `doctor` says so. */
#include "supervisor/limits.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const controllers[LIMIT_KINDS] = {"memory", "pids"};
static const unsigned walls[LIMIT_KINDS] = {WALL_MEMORY, WALL_PIDS};

/* -- small files ------------------------------------------------------------------------------- */

/* False, too, when the path does not fit: a group that cannot be named cannot be used. */
static bool join(char path[CGROUP_PATH], const char *folder, const char *name)
{
	int length = snprintf(path, CGROUP_PATH, "%s/%s", folder, name);
	return length > 0 && length < CGROUP_PATH;
}

static bool put(const char *folder, const char *name, const char *text)
{
	char path[CGROUP_PATH];
	if (!join(path, folder, name))
		return false;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool wrote = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return wrote;
}

static bool put_number(const char *folder, const char *name, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	return put(folder, name, text);
}

/* Whether the file holds this word. */
static bool says(const char *folder, const char *name, const char *word)
{
	char path[CGROUP_PATH], found[64];
	FILE *file = join(path, folder, name) ? fopen(path, "re") : NULL;
	bool there = false;
	while (file && !there && fscanf(file, "%63s", found) == 1)
		there = strcmp(found, word) == 0;
	if (file)
		fclose(file);
	return there;
}

static bool make_group(const char *path)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* -- where ------------------------------------------------------------------------------------- */

/* The mount point of the hierarchy that has this controller: version 2 when it is there, else version 1. */
static bool find_hierarchy(const char *controller, char path[CGROUP_PATH], bool *second)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	bool found = false;
	for (const struct mntent *mount; mounts && !found && (mount = getmntent(mounts));) {
		*second = strcmp(mount->mnt_type, "cgroup2") == 0;
		found = *second ? says(mount->mnt_dir, "cgroup.controllers", controller)
				: strcmp(mount->mnt_type, "cgroup") == 0 && hasmntopt(mount, controller);
		if (found)
			found = snprintf(path, CGROUP_PATH, "%s", mount->mnt_dir) < CGROUP_PATH;
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

/* Our own group in it: lines "number:controllers:path" of /proc/self/cgroup, "0::path" for version 2
 * (cgroups(7)). */
static bool own_group(const char *controller, bool second, char path[CGROUP_PATH])
{
	char line[CGROUP_PATH];
	FILE *file = fopen("/proc/self/cgroup", "re");
	bool found = false;
	while (file && !found && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
		if (!group)
			continue;
		*group++ = '\0';
		char *rest = names + 1;
		found = second && !*rest;
		for (char *name; !second && !found && (name = strsep(&rest, ","));)
			found = strcmp(name, controller) == 0;
		if (found)
			snprintf(path, CGROUP_PATH, "%s", strcmp(group, "/") == 0 ? "" : group);
	}
	if (file)
		fclose(file);
	return found;
}

/* Version 2 gives a controller to the children of a group only when no process is in the group itself: if we
 * are the only one there (a delegated unit), we step aside into a child. */
static bool give_controller(const char *group, const char *controller)
{
	char change[32], aside[CGROUP_PATH];
	snprintf(change, sizeof change, "+%s", controller);
	if (says(group, "cgroup.subtree_control", controller) || put(group, "cgroup.subtree_control", change))
		return true;
	if (errno != EBUSY || !join(aside, group, "supervisor") || !make_group(aside))
		return false;
	if (!put_number(aside, "cgroup.procs", (uint64_t)getpid()))
		return false;
	if (put(group, "cgroup.subtree_control", change))
		return true;
	put_number(group, "cgroup.procs", (uint64_t)getpid());
	rmdir(aside);
	return false;
}

enum { LEVELS = 3 }; /* warren-<pid>, a node, a process */

/* Groups of supervisors that were killed: only empty ones can be removed, so nothing alive is touched. */
static void remove_group(const char *path, int levels)
{
	DIR *folder = levels > 1 ? opendir(path) : NULL;
	char child[CGROUP_PATH];
	for (const struct dirent *entry; folder && (entry = readdir(folder));)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && join(child, path, entry->d_name))
			remove_group(child, levels - 1);
	if (folder)
		closedir(folder);
	rmdir(path);
}

static void remove_dead(const char *beside)
{
	DIR *folder = opendir(beside);
	char path[CGROUP_PATH], *end;
	for (const struct dirent *entry; folder && (entry = readdir(folder));) {
		if (strncmp(entry->d_name, "warren-", 7) != 0 || !isdigit((unsigned char)entry->d_name[7]))
			continue;
		long pid = strtol(entry->d_name + 7, &end, 10);
		if (!*end && pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH &&
		    join(path, beside, entry->d_name))
			remove_group(path, LEVELS);
	}
	if (folder)
		closedir(folder);
}

static bool try_below(struct limit_tree *tree, const char *group, const char *controller)
{
	char name[32];
	snprintf(name, sizeof name, "warren-%d", getpid());
	if (access(group, W_OK) != 0 || (tree->second && !give_controller(group, controller)))
		return false;
	remove_dead(group);
	if (!join(tree->path, group, name) || !make_group(tree->path))
		return false;
	if (!tree->second || give_controller(tree->path, controller))
		return true;
	rmdir(tree->path);
	return false;
}

/* Version 2 has one group for a process, whatever the controllers: the second one joins the first one's tree. */
static bool join_tree(struct limit_tree *tree, const struct limit_tree *first, const char *controller)
{
	char above[CGROUP_PATH];
	snprintf(above, sizeof above, "%s", first->path);
	*strrchr(above, '/') = '\0';
	snprintf(tree->path, sizeof tree->path, "%s", first->path);
	return give_controller(above, controller) && give_controller(tree->path, controller);
}

static void open_tree_of(struct limit_tree *tree, const struct limit_tree *first, const char *controller)
{
	char hierarchy[CGROUP_PATH], own[CGROUP_PATH], group[CGROUP_PATH];
	if (!find_hierarchy(controller, hierarchy, &tree->second))
		return;
	if (tree->second && first->there && first->second) {
		tree->there = join_tree(tree, first, controller);
		return;
	}
	if (!own_group(controller, tree->second, own))
		return;
	int length = snprintf(group, sizeof group, "%s%s", hierarchy, own);
	tree->there = length < CGROUP_PATH && try_below(tree, group, controller);
	if (!tree->there && *own)
		tree->there = try_below(tree, hierarchy, controller);
}

void limits_open(struct limits *limits, uint32_t without)
{
	*limits = (struct limits){0};
	for (int kind = 0; kind < LIMIT_KINDS; kind++)
		if (!(without & 1U << walls[kind]))
			open_tree_of(&limits->trees[kind], &limits->trees[LIMIT_MEMORY], controllers[kind]);
}

/* -- one node ---------------------------------------------------------------------------------- */

const char *limits_group(const char *actor, uint16_t node, char name[GROUP_TEXT])
{
	if (node)
		snprintf(name, GROUP_TEXT, "node%u/%s", node, actor);
	else
		snprintf(name, GROUP_TEXT, "%s", actor);
	return name;
}

/* 0 takes away what was set at an earlier birth. Version 1 has no word for none but -1. */
static bool set_together(const struct limit_tree *tree, const char *group, uint32_t mib)
{
	const char *file = tree->second ? "memory.max" : "memory.limit_in_bytes";
	if (!mib)
		return put(group, file, tree->second ? "max" : "-1");
	return put_number(group, file, (uint64_t)mib << 20);
}

bool limits_node(struct limits *limits, uint16_t node, uint32_t memory_mib)
{
	bool set = !memory_mib;
	char name[GROUP_TEXT], group[CGROUP_PATH];
	snprintf(name, sizeof name, "node%u", node);
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		const struct limit_tree *tree = &limits->trees[kind];
		if (!tree->there || !join(group, tree->path, name) || !make_group(group))
			continue;
		/* No process is ever in this group itself, so version 2 gives it controllers. */
		if (tree->second)
			give_controller(group, controllers[kind]);
		if (kind == LIMIT_MEMORY)
			set = set_together(tree, group, memory_mib);
	}
	return set;
}

/* -- one process ------------------------------------------------------------------------------- */

static bool set_memory(const struct limit_tree *tree, const char *group, uint32_t mib)
{
	uint64_t bytes = (uint64_t)mib << 20;
	if (!tree->second)
		return put_number(group, "memory.limit_in_bytes", bytes);
	put(group, "memory.swap.max", "0"); /* absent without swap accounting */
	put(group, "memory.oom.group", "1");
	return put_number(group, "memory.max", bytes);
}

uint32_t limits_enter(struct limits *limits, const char *name, pid_t pid, uint32_t memory_mib)
{
	uint32_t missing = 0;
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		const struct limit_tree *tree = &limits->trees[kind];
		char group[CGROUP_PATH];
		bool set = tree->there && join(group, tree->path, name) && make_group(group);
		if (set && kind == LIMIT_MEMORY)
			set = set_memory(tree, group, memory_mib);
		else if (set)
			set = put_number(group, "pids.max", TASKS_MOST);
		if (!set || !put_number(group, "cgroup.procs", (uint64_t)pid))
			missing |= 1U << walls[kind];
	}
	return missing;
}

void limits_kill(struct limits *limits, const char *name)
{
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		char group[CGROUP_PATH], procs[CGROUP_PATH];
		if (!limits->trees[kind].there || !join(group, limits->trees[kind].path, name) ||
		    !join(procs, group, "cgroup.procs"))
			continue;
		if (limits->trees[kind].second && put(group, "cgroup.kill", "1"))
			continue;
		FILE *file = fopen(procs, "re");
		for (int pid; file && fscanf(file, "%d", &pid) == 1;)
			if (pid > 1)
				kill(pid, SIGKILL);
		if (file)
			fclose(file);
	}
}

void limits_leave(struct limits *limits, const char *name)
{
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		char group[CGROUP_PATH];
		if (!limits->trees[kind].there || !join(group, limits->trees[kind].path, name))
			continue;
		rmdir(group);
		*strrchr(group, '/') = '\0';
		rmdir(group);
	}
}

void limits_close(struct limits *limits)
{
	for (int kind = 0; kind < LIMIT_KINDS; kind++) {
		struct limit_tree *tree = &limits->trees[kind];
		if (!tree->there)
			continue;
		tree->there = false;
		remove_group(tree->path, LEVELS);
		*strrchr(tree->path, '/') = '\0';
		remove_dead(tree->path);
	}
}
