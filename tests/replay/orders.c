/* A log of write orders, read back: which file each is on, and from when on it cannot be lost any more. */
#include "tests/replay/orders_inside.h"

#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void orders_fail(const char *what)
{
	fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void wrong(const char *what)
{
	fprintf(stderr, "replay: %s\n", what);
	exit(1);
}

/* -- reading the log ------------------------------------------------------------------------------------------------- */

bool order_is_data(const struct order *order)
{
	return order->head.kind == ORDER_WRITE || order->head.kind == ORDER_LENGTH ||
	       order->head.kind == ORDER_RESERVE;
}

bool order_is_name(const struct order *order)
{
	uint32_t kind = order->head.kind;
	return kind == ORDER_MAKE || kind == ORDER_FOLDER || kind == ORDER_RENAME || kind == ORDER_LINK ||
	       kind == ORDER_REMOVE;
}

static uint32_t new_thing(struct orders *orders, uint64_t inode, bool is_folder)
{
	if (orders->thing_count == THINGS)
		wrong("more files than this program has places for");
	orders->things[orders->thing_count] = (struct thing){.is_folder = is_folder, .inode = inode};
	return orders->thing_count++;
}

static uint32_t thing_of(const struct orders *orders, uint64_t inode)
{
	for (uint32_t i = orders->thing_count; i-- > 0;)
		if (!orders->things[i].is_folder && orders->things[i].inode == inode)
			return i;
	wrong("an order on a file that was there before the log began");
}

/* The folder that a name is in: the length of its name. */
static size_t folder_length(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash ? (size_t)(slash - name) : 0;
}

static bool is_in(const char *name, const char *folder)
{
	size_t length = folder_length(name);
	return strlen(folder) == length && strncmp(name, folder, length) == 0;
}

/* Whether this order is made durable by that sync. */
static bool is_meant(const struct order *order, const struct order *synced)
{
	bool two = order->head.kind == ORDER_RENAME || order->head.kind == ORDER_LINK;
	if (synced->head.kind == ORDER_SYNCED_ALL)
		return order_is_data(order) || order_is_name(order);
	if (synced->head.kind == ORDER_SYNCED)
		return order_is_data(order) && order->thing == synced->thing;
	return order_is_name(order) && is_in(two ? order->other : order->name, synced->name);
}

/* A sync has ended: what was asked before it began is durable now. */
static void settle(struct orders *orders, size_t end, enum lie lie)
{
	const struct order *synced = &orders->all[end];
	if (lie == LIE_SYNCS || (lie == LIE_FOLDERS && synced->head.kind != ORDER_SYNCED))
		return;
	size_t begin = end;
	while (begin > 0 && !(orders->all[begin - 1].head.kind == synced->head.kind - 1 &&
			      orders->all[begin - 1].head.at == synced->head.at))
		begin--;
	for (size_t i = 0; i + 1 < begin; i++)
		if (orders->all[i].durable == SIZE_MAX && is_meant(&orders->all[i], synced))
			orders->all[i].durable = end;
}

static void understand(struct orders *orders, size_t i, enum lie lie)
{
	struct order *order = &orders->all[i];
	switch ((enum order_kind)order->head.kind) {
	case ORDER_MAKE:
	case ORDER_FOLDER:
		order->thing = new_thing(orders, order->head.file, order->head.kind == ORDER_FOLDER);
		break;
	case ORDER_WRITE:
	case ORDER_LENGTH:
	case ORDER_RESERVE: {
		order->thing = thing_of(orders, order->head.file);
		uint64_t end = order->head.at + (order->head.kind == ORDER_LENGTH ? 0 : order->head.length);
		if (end > orders->things[order->thing].most)
			orders->things[order->thing].most = end;
		break;
	}
	case ORDER_SYNCED:
		order->thing = thing_of(orders, order->head.file);
		settle(orders, i, lie);
		break;
	case ORDER_SYNCED_FOLDER:
	case ORDER_SYNCED_ALL:
		settle(orders, i, lie);
		break;
	case ORDER_SYNC:
	case ORDER_SYNC_FOLDER:
	case ORDER_SYNC_ALL:
	case ORDER_RENAME:
	case ORDER_LINK:
	case ORDER_REMOVE:
	case ORDER_MARK:
		break;
	}
}

static size_t parse(struct orders *orders, const uint8_t *at, size_t left, enum lie lie)
{
	struct order order = {.durable = SIZE_MAX, .thing = NOTHING};
	if (left < sizeof order.head)
		wrong("the log ends in the middle of a record");
	memcpy(&order.head, at, sizeof order.head);
	size_t whole = sizeof order.head + order.head.name_length + order.head.bytes;
	if (order.head.kind < ORDER_MAKE || order.head.kind > ORDER_MARK ||
	    order.head.name_length >= ORDERS_NAME || whole > left)
		wrong("the log is not one");
	memcpy(order.name, at + sizeof order.head, order.head.name_length);
	order.bytes = at + sizeof order.head + order.head.name_length;
	if (order.head.kind == ORDER_RENAME || order.head.kind == ORDER_LINK) {
		if (order.head.bytes >= ORDERS_NAME)
			wrong("a name is too long");
		memcpy(order.other, order.bytes, order.head.bytes);
	}
	if (orders->count == orders->room) {
		orders->room = orders->room * 2 + 1024;
		orders->all = x_grow(orders->all, orders->room * sizeof *orders->all);
	}
	orders->all[orders->count] = order;
	understand(orders, orders->count++, lie);
	return whole;
}

/* Who looks at a state, a child, needs no images: not to copy them is a fifth of the time. */
static uint8_t *image_new(uint64_t most)
{
	void *image = mmap(NULL, most + PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (image == MAP_FAILED || madvise(image, most + PAGE, MADV_DONTFORK) != 0)
		orders_fail("memory for a file");
	return image;
}

struct orders *orders_read(const char *log, enum lie lie)
{
	struct orders *orders = x_new(sizeof *orders);
	struct stat stat;
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) != 0)
		orders_fail(log);
	size_t size = (size_t)stat.st_size;
	orders->log = x_new(size + 1);
	for (size_t at = 0; at < size;) {
		ssize_t got = read(fd, orders->log + at, size - at);
		if (got <= 0)
			orders_fail(log);
		at += (size_t)got;
	}
	close(fd);
	for (size_t at = 0; at < size;)
		at += parse(orders, orders->log + at, size - at, lie);
	for (uint32_t i = 0; i < orders->thing_count; i++) {
		orders->things[i].image = image_new(orders->things[i].most);
		orders->things[i].dirty = x_new(orders->things[i].most / PAGE + 1);
	}
	return orders;
}

void orders_free(struct orders **orders)
{
	for (uint32_t i = 0; i < (*orders)->thing_count; i++) {
		munmap((*orders)->things[i].image, (*orders)->things[i].most + PAGE);
		x_free(&(*orders)->things[i].dirty);
	}
	x_free(&(*orders)->all);
	x_free(&(*orders)->log);
	x_free(orders);
}

size_t orders_count(const struct orders *orders)
{
	return orders->count;
}

const void *orders_mark(const struct orders *orders, size_t i, size_t least)
{
	const struct order *order = &orders->all[i];
	return order->head.kind == ORDER_MARK && order->head.bytes >= least ? order->bytes : NULL;
}

size_t orders_open(const struct orders *orders, size_t at)
{
	size_t open = 0;
	for (size_t i = 0; i < at; i++)
		open += (order_is_data(&orders->all[i]) || order_is_name(&orders->all[i])) &&
			orders->all[i].durable >= at;
	return open;
}
