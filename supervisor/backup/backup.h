/* `warrend backup` and `warrend restore`: a machine into one sealed file, and out of it. Each prints what it did, or why not, and
 * returns the exit code: 0, or 1. They run beside a supervisor that may be running, and never in it. */
#ifndef WARREN_BACKUP_BACKUP_H
#define WARREN_BACKUP_BACKUP_H

#include "supervisor/backup/facts.h"
#include "supervisor/config.h"
#include "supervisor/machine.h"
#include "supervisor/unlock.h"

struct backup_request {
	const char *file, *passphrase_file; /* NULL: a person is asked, or a pipe gives a line */
	bool blobs, replace, verify, json;
};

/* Writes FILE.part, restores it into a scratch folder, compares, and only then gives it its name. */
int backup_save(const struct machine *machine, const struct backup_request *request);

/* The second half of it, for a file that is there. `root` need not be a machine. */
int backup_verify(const char *root, const struct backup_request *request);

/* Makes the machine of a backup at `root`, which is not there yet or empty. Built beside it, and renamed when it is whole. */
int backup_restore(const char *root, const struct backup_request *request);

/* -- what the three share ------------------------------------------------------------------------------------------------ */

enum { BACKUP_PASSPHRASE_LEAST = 12 };

/* The passphrase of a file; asked for twice when it is a new one. The caller ends it by unlock_forget(). */
bool backup_passphrase(const char *file, bool new, struct unlock *passphrase, struct why *why);

/* A restore into `root`, step by step. */
struct restore {
	const char *root;             /* where it is built; within ROOT_TEXT */
	const char *claim;            /* the ROOT that its uids are claimed for … */
	const struct machine *like;   /* … unless this one's are to be used */
	const struct unlock *unlock;  /* known already; NULL: found as a start would find it */
	bool scratch;                 /* only to look at: no node is kept, nothing is reserved */
	void (*progress)(uint16_t node);
};
/* *told is what the file says of itself, and what was made is the same. Both ended by the caller. The folder is left as it is,
 * whole or not. *rule is a word for the kind of refusal, or NULL. */
bool restore_run(const struct restore *how, int file, const struct unlock *passphrase, struct facts *told, struct config **config,
		 const char **rule, struct why *why);

/* ROOT/run/verifying, or beside a ROOT that is none: makes it, restores into it, and takes it away again. */
bool restore_scratch(const char *root, const struct machine *machine, const struct unlock *unlock, int file,
		     const struct unlock *passphrase, struct facts *told, const char **rule, struct why *why);

void backup_say(const struct backup_request *request, const char *what, const struct facts *facts, uint64_t bytes);

#endif
