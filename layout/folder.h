/* Folders and files that somebody else may have made: no link is followed, nothing but a plain file is ever opened, and what
 * changes while it is read is not believed. Every function that returns false has a sentence in `why`. */
#ifndef WARREN_LAYOUT_FOLDER_H
#define WARREN_LAYOUT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOLDER_WHY = 200 };
#define PART ".part-" /* what an unfinished thing is called; no CID begins so */

/* A folder below `at`. */
bool folder_open(int at, const char *name, int *fd, char why[FOLDER_WHY]);
/* The same; made (0700) when it is not there. */
bool folder_make(int at, const char *name, int *fd, char why[FOLDER_WHY]);

/* All of a plain file: x_new'd, at most `most` bytes. */
bool file_read(int folder, const char *name, uint64_t most, uint8_t **bytes, size_t *length, char why[FOLDER_WHY]);

/* A new file (0600), and the bytes on the disk. */
bool file_write(int folder, const char *name, const void *bytes, size_t length, char why[FOLDER_WHY]);
/* The same, in place of whatever has that name, at once or not at all. */
bool file_replace(int folder, const char *name, const void *bytes, size_t length, char why[FOLDER_WHY]);

/* Empties and removes a folder of plain files; a folder in it is in the way. */
bool folder_remove(int at, const char *name, char why[FOLDER_WHY]);

/* What lies in a folder, but for "." and ".."; the names are as they come, and are nobody's words to print raw. */
typedef bool folder_fn(void *context, const char *name); /* false: stop */
bool folder_each(int fd, folder_fn *each, void *context, char why[FOLDER_WHY]);

#endif
