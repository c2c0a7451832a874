/* What a disk may hold after a power cut: the log of write orders read back, and folders made of it. The disk keeps only what it
 * promised: what was asked of a file before a sync of that file began, once that sync has ended; a name, once its folder was
 * synced after it was given or taken away. Of everything else each order is there or not by itself, whatever came after it; a
 * write may be torn between any two sectors. A sector is whole, and a rename is: old name and new one change together. */
#ifndef WARREN_TESTS_STATES_H
#define WARREN_TESTS_STATES_H

#include "tests/replay/orders.h"

#include <stdbool.h>
#include <stddef.h>

struct orders;

/* Syncs that are taken for nothing: the negative controls. */
enum lie { NO_LIE, LIE_SYNCS, LIE_FOLDERS };

/* Ends the program with a sentence when there is no such log, or it is not whole. */
struct orders *orders_read(const char *log, enum lie lie);
void orders_free(struct orders **orders);
size_t orders_count(const struct orders *orders);

/* The bytes of order `i` if it is a mark, of at least `least` bytes; else NULL. */
const void *orders_mark(const struct orders *orders, size_t i, size_t least);

enum grain { GRAIN_ORDER, GRAIN_PAGE, GRAIN_SECTOR };

/* The cut comes before order number `at`; what was not durable then is kept by chance. */
struct cut {
	size_t at;
	uint64_t seed;
	unsigned keep;        /* per cent of the orders on files, or of their parts by `grain` */
	unsigned keep_names;  /* per cent of the orders on names */
	enum grain grain;
	bool but_one;         /* all is kept but one order; `keep` 0: one is kept and nothing else */
};

/* How many orders the cut leaves to chance. */
size_t orders_open(const struct orders *orders, size_t at);

/* Makes that state in `folder`, which is emptied first. Returns a number that is the same only for the same state. */
uint64_t state_make(struct orders *orders, const struct cut *cut, const char *folder);

void folder_empty(const char *folder); /* all that is in it; it stays */

/* Whether all orders together are what is in `folder`; if not, `why` names a file. Names that end in `but` are not looked at. */
bool state_is(struct orders *orders, const char *folder, const char *but, char why[ORDERS_NAME + 80]);

#endif
