/* What changed between the versions of the configuration's language: how an older file is read, and how it is written anew. */
#ifndef WARREN_SUPERVISOR_CONFIG_CHANGE_H
#define WARREN_SUPERVISOR_CONFIG_CHANGE_H

#include "supervisor/config_rows.h"
#include "supervisor/machine.h"

/* What a text of a file of this version is called now; the same text when nothing changed. */
const char *config_now(unsigned version, unsigned setting, const char *text);

/* `warrend migrate`: writes every file of ROOT/etc in today's language; what was stays beside it as NAME.v1. Prints for
 * people. */
int verb_migrate(struct machine *machine);

#endif
