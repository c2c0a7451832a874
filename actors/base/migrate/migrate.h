/* Brings a lasting file of an older version to ours, the first time that we meet it. Whatever happens, the name stands for a
 * whole file, the old one or the new one; and the old one stays beside it.
 *
 *   NAME.draft       a copy, which the steps change; of one that a death left, nothing is used
 *   NAME.keep        a second name of the old file, for a moment
 *   NAME.vN          the old file, N its version. It stays until an operator removes it; a later migration from the same version
 *                    takes its place
 *
 * In this order: copy, steps, sync the draft; the old file gets its second name, sync the folder; the draft is renamed over NAME,
 * sync the folder. A death before that rename leaves the old file in force, and the next start begins again. A step that fails
 * leaves it too. Plain C; the file must be its owner's alone for that time. */
#ifndef WARREN_MIGRATE_H
#define WARREN_MIGRATE_H

#include <stdbool.h>

enum { MIGRATE_NAME = 64, MIGRATE_WHY = 240 };
#define MIGRATE_DRAFT ".draft"

enum migrate_end {
	MIGRATE_OK,
	MIGRATE_FULL,    /* no space: nothing has changed */
	MIGRATE_DISK,    /* the disk refused: the old file or the new one is in force, whole */
	MIGRATE_DAMAGED, /* a step found that it is not a file of its version: nothing has changed */
};

struct migration {
	const char *name; /* in the folder; at most MIGRATE_NAME - 16 letters */
	unsigned from, to;
	/* Turns NAME.draft, a whole file of version `from`, into one of version from + 1. It need not sync. */
	enum migrate_end (*step)(void *context, unsigned from, char why[MIGRATE_WHY]);
	void *context;
	void (*alive)(void *context); /* called now and then while much is copied; may be NULL */
	void *alive_context;
};

/* `folder` is open for reading. When it does not end MIGRATE_OK, `why` is a sentence without its end. */
enum migrate_end migrate(int folder, const struct migration *migration, char why[MIGRATE_WHY]);

#endif
