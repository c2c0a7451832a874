/* The log of write orders: everything that a process asked of a disk, in the order in which it asked, as the recorder
 * (recorder.c) writes it and states.c reads it. One record after the other: a head, the name, the bytes. Numbers are this
 * machine's own; the file lives for one run.
 *
 * A sync is two records. What was asked before the first is durable once the second is there, and not sooner. */
#ifndef WARREN_TESTS_ORDERS_H
#define WARREN_TESTS_ORDERS_H

#include <stdint.h>

/* The environment of who is recorded: the folder that is looked at, with all below it, and the log, which is appended to. */
#define ORDERS_FOLDER "WARREN_ORDERS_FOLDER"
#define ORDERS_LOG    "WARREN_ORDERS_LOG"

enum {
	MARK_FD = 250,        /* what is written here is a mark: kept in its place among the orders, and written nowhere */
	ORDERS_NAME = 256,    /* the most bytes of a name, and its end */
	ORDERS_ENV = 200,     /* the most bytes of the folder's path */
};

enum order_kind {
	ORDER_MAKE = 1,   /* name: a new file, empty; file: what it is called from now on */
	ORDER_FOLDER,     /* name: a new folder */
	ORDER_WRITE,      /* file, at, length, bytes */
	ORDER_LENGTH,     /* file, at: the new length */
	ORDER_RESERVE,    /* file, at, length: reads as zeros, and the file is at least that long */
	ORDER_SYNC,       /* file: a sync begins */
	ORDER_SYNCED,     /* file: it has ended well; at: the number of the record with which it began */
	ORDER_SYNC_FOLDER, ORDER_SYNCED_FOLDER, /* the same for the names in folder `name`; "" is the folder itself */
	ORDER_SYNC_ALL, ORDER_SYNCED_ALL, /* the same for everything */
	ORDER_RENAME,     /* name, and in the bytes the new one */
	ORDER_LINK,       /* name, and in the bytes the new one */
	ORDER_REMOVE,     /* name: of a file or a folder */
	ORDER_MARK,       /* the bytes: what the recorded process says of itself */
};

struct order_head {
	uint32_t kind, name_length; /* the name's without an end */
	uint64_t file, at, length;  /* length: of a write or a reservation */
	uint64_t bytes;             /* how many follow the name */
};

#endif
