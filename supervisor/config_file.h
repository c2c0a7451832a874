/* One configuration file, read against proto/settings.def. Inside of config*.c. */
#ifndef WARREN_SUPERVISOR_CONFIG_FILE_H
#define WARREN_SUPERVISOR_CONFIG_FILE_H

#include "supervisor/config.h"

/* Reads `name` in the directory `etc`; `shown` is how mistakes call it. Words that are absent stay NULL in `given`. A file of
 * a node may hold only NODE words. False when there is no such file, which is no mistake of itself. */
bool config_file_read(int etc, const char *name, const char *shown, bool of_node, struct value given[SETTINGS],
		      struct mistakes *mistakes);

/* Whether what is open here may be believed: a file of root's or ours that nobody else can write, and not too long. Says what is
 * wrong. */
bool config_file_trusted(int fd, const char *shown, struct mistakes *mistakes);

void values_free(struct value values[SETTINGS]);

#endif
