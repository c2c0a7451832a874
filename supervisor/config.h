/* The configuration: ROOT/etc/warren.conf, one ROOT/etc/nodeN.conf for each declared node, the environment's names of seed
 * 003 over both, the defaults of proto/settings.def under both. Read whole and checked whole: either there is no mistake, or
 * there is no configuration. */
#ifndef WARREN_SUPERVISOR_CONFIG_H
#define WARREN_SUPERVISOR_CONFIG_H

#include "proto/actors.h"
#include "proto/chain_profile.h"
#include "supervisor/mistakes.h"
#include "supervisor/tiers.h"

#include <stddef.h>

enum setting {
#define SETTING(name, ...) SETTING_##name,
#include "proto/settings.def"
#undef SETTING
	SETTINGS
};

/* Where a value comes from; later ones win. Precedence as FEATURES K21 has it. */
enum value_source { FROM_DEFAULT, FROM_MACHINE, FROM_NODE, FROM_ENVIRONMENT };

struct value {
	char *text;      /* NULL: not given */
	uint32_t number; /* of an INT */
	enum value_source source;
	int line;
};

struct node_config {
	uint16_t node;
	struct value values[SETTINGS]; /* NODE words, all resolved: port and quota_mb are never 0 */
	char *policy;                  /* what its wallet is told (proto/policy.h); NULL: nothing may be signed */
};

struct config {
	struct value values[SETTINGS]; /* MACHINE words, all resolved; NODE words as a node has them that says nothing */
	struct node_config *nodes;     /* in rising order */
	unsigned count;
	struct mistakes notes;         /* words of older files that are called otherwise now; each with its place */
	uint32_t without;              /* WALL_ bits */
	uint32_t operators, readers;   /* gids; 0: root alone */
	struct chain_profile chain;    /* etc/chain.conf; without a name: none (chain_file.h) */
	uint16_t anvil_port;           /* where the embedded chain listens; 0: this machine has none */
};

/* `etc` is an open directory; `path` its name in the mistakes. NULL when there are any. */
struct config *config_load(int etc, const char *path, struct mistakes *mistakes);
void config_free(struct config **config); /* NULL is fine */

const struct node_config *config_node(const struct config *config, uint16_t node); /* NULL: not declared */

/* The setting tier_profile. */
enum profile config_profile(const struct config *config);

/* Whose wallet that address is; NULL: nobody's here, also for "". */
const struct node_config *config_wallet(const struct config *config, const char *address);

/* A node that is not declared yet. `quota_mib` and `port` are its own, nothing overrides them. */
struct node_config config_propose(const struct config *config, uint16_t node, const char *tier, uint32_t quota_mib,
				  uint16_t port);
void node_config_free(struct node_config *node);

/* What a process of this row is told: lines "name=value\n". `node` is NULL for one of the machine. Returns the length, or -1
 * when it does not fit. */
int config_told(const struct config *config, const struct node_config *node, const struct actor_row *row, char *text,
		size_t room);

/* Whether a process of this row is told this word. */
bool row_is_told(const struct actor_row *row, const char *word);

/* Whether two versions of a node tell all its processes the same. */
bool config_same(const struct node_config *a, const struct node_config *b);

/* The same of what is said for the whole machine. */
bool config_same_machine(const struct config *a, const struct config *b);

/* The port of a node that was given none: 5001 + 100 for each earlier node (FEATURES K29). */
uint32_t config_port(uint32_t first, uint16_t node);
enum { PORT_FIRST = 5001, PORT_STEP = 100 };

/* "node12.conf" → 12; 0 for a name that is not a node's. */
uint16_t config_file_node(const char *name);

#endif
