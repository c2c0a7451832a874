/* States of a disk, made of a log of write orders. Plain memory and one scratch folder; see states.h for what is promised. */
#include "tests/replay/orders_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- chance ---------------------------------------------------------------------------------------------------------- */

static uint64_t draw(struct orders *orders)
{
	orders->chance ^= orders->chance << 13;
	orders->chance ^= orders->chance >> 7;
	orders->chance ^= orders->chance << 17;
	return orders->chance >> 11;
}

/* A state is what was decided for each order, so the decisions are what its number is made of. */
static bool decide(struct orders *orders, unsigned keep)
{
	bool kept = keep >= 100 || (keep > 0 && draw(orders) % 100 < keep);
	orders->decided = (orders->decided ^ (kept + 1U)) * UINT64_C(0x100000001b3);
	return kept;
}

/* -- what orders do -------------------------------------------------------------------------------------------------- */

static void put_bytes(struct thing *thing, uint64_t at, const uint8_t *bytes, uint64_t length)
{
	if (!length)
		return;
	memcpy(thing->image + at, bytes, length);
	memset(thing->dirty + at / PAGE, 1, (at + length - 1) / PAGE - at / PAGE + 1);
	if (at + length > thing->length)
		thing->length = at + length;
}

static void set_length(struct thing *thing, uint64_t length)
{
	for (uint64_t at = length; at < thing->length; at = at / PAGE * PAGE + PAGE)
		if (thing->dirty[at / PAGE]) {
			uint64_t end = at / PAGE * PAGE + PAGE;
			memset(thing->image + at, 0, end - at);
		}
	thing->length = length;
}

/* Of a write that was not synced: by parts, between which it may be torn. The file may have grown without any of them. */
static void tear(struct orders *orders, struct thing *thing, const struct order *order, const struct cut *cut)
{
	uint64_t at = order->head.at, end = at + order->head.length,
		 part = cut->grain == GRAIN_PAGE ? PAGE : SECTOR;
	if (cut->grain == GRAIN_ORDER)
		part = UINT64_MAX;
	while (at < end) {
		uint64_t next = part == UINT64_MAX ? end : at / part * part + part;
		next = next < end ? next : end;
		if (decide(orders, cut->keep))
			put_bytes(thing, at, order->bytes + (at - order->head.at), next - at);
		at = next;
	}
	if (end > thing->length && decide(orders, cut->keep / 2))
		thing->length = end;
}

static void apply_data(struct orders *orders, const struct order *order)
{
	struct thing *thing = &orders->things[order->thing];
	uint64_t end = order->head.at + order->head.length;
	if (order->head.kind == ORDER_WRITE)
		put_bytes(thing, order->head.at, order->bytes, order->head.length);
	else if (order->head.kind == ORDER_LENGTH)
		set_length(thing, order->head.at);
	else if (end > thing->length)
		thing->length = end;
}

static struct name *find_name(struct orders *orders, const char *text)
{
	for (uint32_t i = 0; i < orders->name_count; i++)
		if (strcmp(orders->names[i].text, text) == 0)
			return &orders->names[i];
	return NULL;
}

static void set_name(struct orders *orders, const char *text, uint32_t thing)
{
	struct name *name = find_name(orders, text);
	if (!name) {
		if (orders->name_count == NAMES)
			orders_fail("more names than this program has places for");
		name = &orders->names[orders->name_count++];
		snprintf(name->text, sizeof name->text, "%s", text);
	}
	name->thing = thing;
}

/* A folder that changes its name takes what is in it along. */
static void move_below(struct orders *orders, const char *old, const char *new)
{
	size_t length = strlen(old);
	for (uint32_t i = 0; i < orders->name_count; i++) {
		struct name *name = &orders->names[i];
		char moved[2 * ORDERS_NAME];
		if (name->thing == NOTHING || strncmp(name->text, old, length) != 0 ||
		    name->text[length] != '/')
			continue;
		snprintf(moved, sizeof moved, "%s%s", new, name->text + length);
		uint32_t thing = name->thing;
		name->thing = NOTHING;
		moved[ORDERS_NAME - 1] = '\0';
		set_name(orders, moved, thing);
	}
}

static void apply_name(struct orders *orders, const struct order *order)
{
	const struct name *name = find_name(orders, order->name);
	uint32_t thing = name ? name->thing : NOTHING;
	switch ((enum order_kind)order->head.kind) {
	case ORDER_MAKE:
	case ORDER_FOLDER:
		set_name(orders, order->name, order->thing);
		return;
	case ORDER_RENAME:
		if (thing == NOTHING) /* its old name was lost, and so is the new one */
			return;
		set_name(orders, order->name, NOTHING);
		set_name(orders, order->other, thing);
		if (orders->things[thing].is_folder)
			move_below(orders, order->name, order->other);
		return;
	case ORDER_LINK:
		if (thing != NOTHING)
			set_name(orders, order->other, thing);
		return;
	case ORDER_REMOVE:
		set_name(orders, order->name, NOTHING);
		return;
	case ORDER_WRITE:
	case ORDER_LENGTH:
	case ORDER_RESERVE:
	case ORDER_SYNC:
	case ORDER_SYNCED:
	case ORDER_SYNC_FOLDER:
	case ORDER_SYNCED_FOLDER:
	case ORDER_SYNC_ALL:
	case ORDER_SYNCED_ALL:
	case ORDER_MARK:
		return;
	}
}

static void compose(struct orders *orders, const struct cut *cut)
{
	size_t one = cut->but_one ? orders_open(orders, cut->at) : 0, seen = 0;
	orders->chance = cut->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	orders->decided = UINT64_C(0xcbf29ce484222325) ^ cut->at;
	orders->name_count = 0;
	one = one ? draw(orders) % one : 0;
	for (size_t i = 0; i < cut->at; i++) {
		const struct order *order = &orders->all[i];
		bool data = order_is_data(order), open = order->durable >= cut->at;
		if (!data && !order_is_name(order))
			continue;
		if (open && cut->but_one) {
			if (!decide(orders, (seen++ == one) == (cut->keep > 0) ? 0 : 100))
				continue;
		} else if (open && order->head.kind == ORDER_WRITE) {
			tear(orders, &orders->things[order->thing], order, cut);
			continue;
		} else if (open && !decide(orders, data ? cut->keep : cut->keep_names)) {
			continue;
		}
		data ? apply_data(orders, order) : apply_name(orders, order);
	}
}

static void clear(struct orders *orders)
{
	for (uint32_t i = 0; i < orders->thing_count; i++) {
		struct thing *thing = &orders->things[i];
		for (uint64_t page = 0; page * PAGE < thing->most; page++)
			if (thing->dirty[page])
				memset(thing->image + page * PAGE, 0, PAGE);
		memset(thing->dirty, 0, thing->most / PAGE + 1);
		thing->length = 0;
	}
}

/* -- to a folder and back -------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat, (void)kind;
	return at->level == 0 ? 0 : remove(path);
}

void folder_empty(const char *folder)
{
	if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		orders_fail(folder);
}

static void write_thing(const struct thing *thing, int fd)
{
	if (ftruncate(fd, (off_t)thing->length) != 0)
		orders_fail("a state's file");
	for (uint64_t at = 0; at < thing->length;) {
		uint64_t end = at;
		while (end < thing->length && thing->dirty[end / PAGE])
			end += PAGE;
		uint64_t length = (end < thing->length ? end : thing->length) - at;
		if (end > at && pwrite(fd, thing->image + at, length, (off_t)at) != (ssize_t)length)
			orders_fail("a state's file");
		at = end > at ? end : at + PAGE;
	}
}

static bool by_name(const struct orders *orders, const char *folder, uint32_t i, char path[2 * ORDERS_NAME])
{
	const struct name *name = &orders->names[i];
	snprintf(path, 2 * ORDERS_NAME, "%s/%s", folder, name->text);
	return name->thing != NOTHING;
}

/* Folders before what is in them: shorter names first, as a parent's is shorter. */
static void make_folders(const struct orders *orders, const char *folder)
{
	char path[2 * ORDERS_NAME];
	for (size_t length = 1; length < ORDERS_NAME; length++)
		for (uint32_t i = 0; i < orders->name_count; i++)
			if (strlen(orders->names[i].text) == length && by_name(orders, folder, i, path) &&
			    orders->things[orders->names[i].thing].is_folder && mkdir(path, 0700) != 0 &&
			    errno != ENOENT)
				orders_fail(path);
}

uint64_t state_make(struct orders *orders, const struct cut *cut, const char *folder)
{
	char path[2 * ORDERS_NAME], first[2 * ORDERS_NAME];
	folder_empty(folder);
	clear(orders);
	compose(orders, cut);
	make_folders(orders, folder);
	for (uint32_t i = 0; i < orders->name_count; i++) {
		uint32_t thing = orders->names[i].thing, j = 0;
		if (!by_name(orders, folder, i, path) || orders->things[thing].is_folder)
			continue;
		while (orders->names[j].thing != thing)
			j++;
		if (j < i && by_name(orders, folder, j, first) && link(first, path) == 0)
			continue;
		int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno == ENOENT)
			continue; /* its folder was lost */
		if (fd < 0)
			orders_fail(path);
		write_thing(&orders->things[thing], fd);
		close(fd);
	}
	return orders->decided;
}

static bool same_file(const struct thing *thing, const char *path)
{
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t bytes[PAGE];
	bool same = fd >= 0 && fstat(fd, &stat) == 0 && (uint64_t)stat.st_size == thing->length;
	for (uint64_t at = 0; same && at < thing->length; at += PAGE) {
		size_t length = thing->length - at < PAGE ? thing->length - at : PAGE;
		same = pread(fd, bytes, length, (off_t)at) == (ssize_t)length &&
		       memcmp(bytes, thing->image + at, length) == 0;
	}
	if (fd >= 0)
		close(fd);
	return same;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), most = strlen(end);
	return length >= most && strcmp(text + length - most, end) == 0;
}

bool state_is(struct orders *orders, const char *folder, const char *but, char why[ORDERS_NAME + 80])
{
	const struct cut all = {.at = orders->count, .keep = 100, .keep_names = 100};
	char path[2 * ORDERS_NAME];
	clear(orders);
	compose(orders, &all);
	for (uint32_t i = 0; i < orders->name_count; i++) {
		const char *text = orders->names[i].text;
		if (!by_name(orders, folder, i, path) || ends_in(text, but))
			continue;
		const struct thing *thing = &orders->things[orders->names[i].thing];
		if (!thing->is_folder && !same_file(thing, path)) {
			snprintf(why, ORDERS_NAME + 80, "%s is not what the log says", text);
			return false;
		}
	}
	DIR *entries = opendir(folder);
	bool known = entries != NULL;
	for (struct dirent *entry; known && (entry = readdir(entries));) {
		known = entry->d_name[0] == '.' || ends_in(entry->d_name, but) ||
			find_name(orders, entry->d_name);
		if (!known)
			snprintf(why, ORDERS_NAME + 80, "%.200s is there, and the log does not know it",
				 entry->d_name);
	}
	if (entries)
		closedir(entries);
	return known;
}
