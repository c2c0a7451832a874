/* The inside of a log that was read: orders.c makes it, states.c makes states of it. */
#ifndef WARREN_TESTS_ORDERS_INSIDE_H
#define WARREN_TESTS_ORDERS_INSIDE_H

#include "tests/replay/states.h"

enum { SECTOR = 512, PAGE = 4096, THINGS = 4096, NAMES = 4096 };
#define NOTHING UINT32_MAX

struct order {
	struct order_head head;
	char name[ORDERS_NAME], other[ORDERS_NAME];
	const uint8_t *bytes;
	uint32_t thing;
	size_t durable; /* the number of the order from which on it cannot be lost; SIZE_MAX: never */
};

struct thing { /* a file, or a folder, by whatever names */
	bool is_folder;
	uint64_t inode, most;   /* most: bytes that it ever had */
	uint8_t *image, *dirty; /* `most` bytes, and a flag for each page that is not zero */
	uint64_t length;        /* in the state that is being made */
};

struct name {
	char text[ORDERS_NAME];
	uint32_t thing;
};

struct orders {
	uint8_t *log;
	struct order *all;
	size_t count, room;
	struct thing things[THINGS];
	struct name names[NAMES]; /* of the state that is being made */
	uint32_t thing_count, name_count;
	uint64_t chance, decided;
};

_Noreturn void orders_fail(const char *what); /* ends the program: errno */
bool order_is_data(const struct order *order);
bool order_is_name(const struct order *order);

#endif
