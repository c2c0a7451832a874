/* One configuration file, read against proto/settings.def. Inside of config*.c. */
#ifndef WARREN_SUPERVISOR_CONFIG_FILE_H
#define WARREN_SUPERVISOR_CONFIG_FILE_H

#include "supervisor/config.h"

/* Reads `name` in the directory `etc`; `shown` is how mistakes call it. Words that are absent stay NULL in `given`. A file of
 * a node may hold only NODE words. Of an older file each changed word is a note, and its value is today's. Returns the version
 * of the file (1 when it cannot be told), or 0 when there is no such file, which is no mistake of itself. */
unsigned config_file_read(int etc, const char *name, const char *shown, bool of_node, struct value given[SETTINGS],
			  struct mistakes *mistakes, struct mistakes *notes);

/* libconfig, of this one file: what @include names, anybody might write, at any length, so it is a mistake. False: there was
 * one. */
struct config_t;
bool config_file_parse(struct config_t *config, FILE *file, const char *shown, struct mistakes *mistakes);

/* What `version` at the top says; absent: 1. 0, and a mistake: it is none, or newer than ours. */
struct config_setting_t;
unsigned config_version_of(const struct config_setting_t *root, unsigned ours, const char *shown, struct mistakes *mistakes);

/* Whether what is open here may be believed: a file of root's or ours that nobody else can write, and not too long. Says what is
 * wrong. */
bool config_file_trusted(int fd, const char *shown, struct mistakes *mistakes);

void values_free(struct value values[SETTINGS]);

#endif
