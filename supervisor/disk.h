/* The disk below ROOT: how much there is, whether a node fits, taking a half-made one away again. */
#ifndef WARREN_SUPERVISOR_DISK_H
#define WARREN_SUPERVISOR_DISK_H

#include "supervisor/capacity.h"
#include "supervisor/config.h"
#include "supervisor/machine.h"

/* Free, total, what the declared nodes were promised and what their stores hold already. */
bool disk_room(const struct machine *machine, const struct config *config, struct room *room, struct why *why);

/* The same with memory, cores and what the configuration says of both. */
bool disk_capacity(const struct machine *machine, const struct config *config, struct capacity *capacity, struct why *why);

/* What a node's store was promised, and what its arena file really holds of that on the disk (seed 000, verifyNodeStorage).
 * *why is the reason when it is not valid. Mebibytes. */
struct holding {
	uint64_t claimed, actual;
	bool valid;
};
struct holding disk_verify(const struct machine *machine, const struct node_config *node, struct why *why);

/* Removes a file or a whole folder below `parent`, following no link. True also when it is not there. */
bool disk_remove(int parent, const char *name);
bool disk_remove_below(int parent, const char *folder, const char *name);

/* Makes a folder inside one that belongs to `uid` itself, which may put anything in its place meanwhile. 0700, or open to the
 * group that its parent hands down (log_folder.h). */
bool disk_make_foreign(const struct machine *machine, int parent, const char *name, uint32_t uid, struct why *why);

/* syncfs(2) of the file system below. */
bool disk_sync(int folder);

#endif
