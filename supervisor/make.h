/* Making a machine: `warrend --root DIR create`. */
#ifndef WARREN_SUPERVISOR_MAKE_H
#define WARREN_SUPERVISOR_MAKE_H

#include "supervisor/machine.h"

struct make_request { /* NULL: as it is in proto/settings.def */
	const char *name, *operators, *readers;
};

/* Makes what is missing of the machine at `root`; etc/warren.conf comes last, so one that was cut short is completed by the
 * next attempt. On a machine that is whole it changes nothing; *made says which. */
bool machine_make(const char *root, const struct make_request *request, bool *made, struct why *why);

/* A folder below `parent`, made when it is not there, with this owner and mode. As root only the owner is changed. */
bool make_folder(const struct machine *machine, int parent, const char *name, mode_t mode, uint32_t uid, struct why *why);

/* The folders of a node, whoever makes it (add, restore): each is its own process's; its logs are scribe's. */
bool make_node_folders(const struct machine *machine, uint16_t node, struct why *why);

/* Writes a file whole or not at all: <name>.new, fsync, rename, fsync of the folder. */
bool make_file(int folder, const char *name, mode_t mode, const char *text);

#endif
