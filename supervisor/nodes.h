/* The verbs of `warrend` about nodes and their machine, beside adding one: `info`, `list`, `verify`, `remove`, `reregister`,
 * `tiers`. Each prints what it found, or with `json` one object, and returns the exit code: 0, or 1 when it was refused, when a
 * node does not hold what it claims, or when the machine's id has changed. */
#ifndef WARREN_SUPERVISOR_NODES_H
#define WARREN_SUPERVISOR_NODES_H

#include "supervisor/add.h"
#include "supervisor/capacity.h"
#include "supervisor/config.h"

int nodes_info(const struct machine *machine, bool json);
int nodes_list(const struct machine *machine, bool json);
int nodes_verify(const struct machine *machine, uint16_t node, bool json); /* 0: all */
int nodes_tiers(const char *profile, bool json);                           /* NULL: every profile */

struct remove_request {
	uint16_t node;
	bool yes, stop, json;
	const char *destroy_keys; /* the address of the wallet whose keys shall be no more; NULL: they are archived */
};
int node_remove(const struct machine *machine, const struct remove_request *request);

struct reregister_request {
	bool yes, json;
};
int machine_reregister(const struct machine *machine, const struct reregister_request *request);

/* -- what they share --------------------------------------------------------------------------------------------------- */

/* NULL: there are mistakes; they are on stderr, and *why says so. */
struct config *config_of(const struct machine *machine, struct why *why);

/* Asks a person for tier, storage and port, with defaults that fit; for `warrend add` without --tier. */
bool wishes_ask(struct add_request *request, const struct capacity *capacity, uint16_t node, const char *root,
		struct why *why);

#endif
