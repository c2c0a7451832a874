/* Log files in a real folder: rotation, refusals of the disk, what people and other programs may do to them.
 */
#include "actors/scribe/file.h"
#include "room.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "2026-11-21T10:47:03.123Z info store@2[9] "

static struct room room;
static struct files files;
static struct file file;

static void begin(uint64_t rotate_bytes, unsigned keep)
{
	room = room_open();
	files_begin(&files, room.folder, rotate_bytes, keep, 77);
	file_begin(&file, STORE, 2);
}

static void end(void)
{
	file_end(&files, &file);
	cr_assert_eq(files.open_count, 0);
}

/* After every test, also one that failed. */
static void leave(void)
{
	room_close(&room);
}

TestSuite(file, .fini = leave);

/* A line of exactly 64 bytes that carries a number. */
static void add_numbered(unsigned number, uint64_t ms)
{
	char line[80];
	struct moment now = at(ms);
	snprintf(line, sizeof line, HEAD "n number=%08u filler\n", number);
	memset(line + strlen(line) - 1, '.', sizeof line - strlen(line));
	line[63] = '\n';
	file_append(&files, &file, line, 64, &now);
}

static unsigned number_in(const char *line)
{
	const char *number = strstr(line, "number=");
	cr_assert_not_null(number);
	return (unsigned)strtoul(number + 7, NULL, 10);
}

static void put(const char *name, const char *text, size_t length)
{
	int fd = openat(room.folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, length), (ssize_t)length);
	close(fd);
}

Test(file, lines_lie_where_they_belong)
{
	begin(1 << 20, 3);
	umask(0027);
	struct moment now = at(0);
	struct file broker;
	file_begin(&broker, BROKER, 0);
	add_numbered(1, 0);
	add_numbered(2, 0);
	file_append(&files, &broker, HEAD "x\n", sizeof HEAD "x\n" - 1, &now);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 2);
	cr_assert_eq(room_lines(&room, "machine/broker.log"), 1);
	cr_assert_eq(files.lines, 3);
	cr_assert_eq(files.bytes, 128 + sizeof HEAD "x\n" - 1);
	struct stat stat;
	cr_assert_eq(fstatat(room.folder, "node2/store.log", &stat, 0), 0);
	cr_assert_eq(stat.st_mode & 07777, FILE_MODE);
	cr_assert_eq(fstatat(room.folder, "node2", &stat, 0), 0);
	cr_assert_eq(stat.st_mode & 07777, FOLDER_MODE);
	file_end(&files, &broker);
	end();
}

Test(file, a_second_life_appends)
{
	begin(1 << 20, 3);
	add_numbered(1, 0);
	file_end(&files, &file);
	files_begin(&files, room.folder, 1 << 20, 3, 78);
	file_begin(&file, STORE, 2);
	add_numbered(2, 0);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 2);
	cr_assert_eq(file.size, 128);
	end();
}

/* -- rotation ---------------------------------------------------------------------------------- */

/* 100 lines, 10 to a file, 4 older ones kept: the newest 50 are there, in order, in the right files. */
Test(file, rotation_keeps_the_newest_in_order)
{
	begin(640, 4);
	for (unsigned i = 0; i < 100; i++)
		add_numbered(i, 0);
	cr_assert_eq(files.rotations, 9);
	unsigned expect = 50;
	for (int age = 4; age >= 0; age--) {
		char name[32];
		snprintf(name, sizeof name, age ? "node2/store.log.%d" : "node2/store.log", age);
		cr_assert_eq(room_lines(&room, name), 10, "%s", name);
		char *text = room_read(&room, name);
		for (unsigned i = 0; i < 10; i++)
			cr_assert_eq(number_in(text + (size_t)64 * i), expect++);
		free(text);
	}
	cr_assert_not(room_has(&room, "node2/store.log.5"));
	cr_assert_eq(files.lines, 100);
	end();
}

Test(file, a_file_never_outgrows_its_size)
{
	begin(640, 2);
	for (unsigned i = 0; i < 10; i++)
		add_numbered(i, 0);
	cr_assert_eq(files.rotations, 0, "exactly full is not too full");
	add_numbered(10, 0);
	cr_assert_eq(files.rotations, 1);
	cr_assert_eq(file.size, 64);
	end();
}

Test(file, fewer_kept_than_before)
{
	begin(128, 30);
	for (unsigned i = 0; i < 80; i++)
		add_numbered(i, 0);
	cr_assert(room_has(&room, "node2/store.log.30"));
	files.keep = 2;
	for (unsigned i = 80; i < 83; i++)
		add_numbered(i, 0);
	cr_assert(room_has(&room, "node2/store.log.1") && room_has(&room, "node2/store.log.2"));
	for (unsigned age = 3; age <= 30; age++) {
		char name[32];
		snprintf(name, sizeof name, "node2/store.log.%u", age);
		cr_assert_not(room_has(&room, name), "%s", name);
	}
	end();
}

/* A kill in the middle of a rotation leaves a gap; a folder in the way is trouble and no loss of what is
 * there. */
Test(file, rotation_over_a_gap_and_an_obstacle)
{
	begin(128, 3);
	for (unsigned i = 0; i < 8; i++)
		add_numbered(i, 0);
	cr_assert_eq(unlinkat(room.folder, "node2/store.log.2", 0), 0);
	add_numbered(8, 0);
	cr_assert_eq(files.rotations, 4);
	cr_assert_eq(room_lines(&room, "node2/store.log.3"), 0, "the gap moved on");
	cr_assert_eq(room_lines(&room, "node2/store.log.2"), 2);
	cr_assert_eq(mkdirat(room.folder, "node2/store.log.3", 0700), 0);
	add_numbered(9, 0);
	add_numbered(10, 0);
	cr_assert_neq(file.trouble, 0);
	cr_assert_eq(files.dropped, 1);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 2);
	cr_assert_eq(unlinkat(room.folder, "node2/store.log.3", AT_REMOVEDIR), 0);
	add_numbered(11, FILE_RETRY_MS);
	cr_assert_eq(file.trouble, 0);
	cr_assert_eq(room_lines(&room, "node2/store.log.2"), 2, "what was there before");
	cr_assert_eq(room_lines(&room, "node2/store.log.1"), 1, "how many are missing; no room for another");
	cr_assert_eq(room_lines(&room, "node2/store.log"), 1);
	end();
}

/* -- the disk refuses -------------------------------------------------------------------------- */

/* Offered = written + dropped, no half line ever, nothing is tried before its time, and the gap says how wide
 * it is. */
Test(file, a_full_disk_drops_and_counts)
{
	begin(1 << 20, 3);
	struct small_disk disk = disk_small(&room);
	files.folder = room.folder;
	add_numbered(0, 0);
	disk_fill(&disk, &room);
	unsigned offered = 1;
	while (!file.trouble && offered < 3000)
		add_numbered(offered++, 0);
	cr_assert_neq(file.trouble, 0, "the disk never became full");
	for (int i = 0; i < 50; i++)
		add_numbered(offered++, FILE_RETRY_MS - 1);
	uint64_t dropped = files.dropped;
	cr_assert_eq(dropped, 51);
	cr_assert_eq(files.lines + dropped, offered);
	cr_assert_eq(room_lines(&room, "node2/store.log"), files.lines);
	cr_assert_eq(files.troubled, 1);
	cr_assert_eq(strncmp(files.trouble, "node2/store.log: ", 17), 0, "%s", files.trouble);
	disk_free(&disk, &room);
	add_numbered(offered++, FILE_RETRY_MS - 1);
	cr_assert_eq(files.dropped, dropped + 1, "tried before its time");
	struct moment now = at(FILE_RETRY_MS);
	file_tick(&files, &file, &now);
	cr_assert_eq(file.trouble, 0);
	cr_assert_eq(files.troubled, 0);
	cr_assert_str_eq(files.trouble, "");
	add_numbered(offered++, FILE_RETRY_MS);
	char *text = room_read(&room, "node2/store.log");
	const char *said = strstr(text, " warn scribe[77] scribe.dropped lines=52 why=\"");
	cr_assert_not_null(said, "%s", text + file.size - 200);
	cr_assert_eq(number_in(strchr(said, '\n')), offered - 1, "the next line is the next one");
	free(text);
	cr_assert_eq(files.lines + files.dropped, offered + 1);
	cr_assert_eq(room_lines(&room, "node2/store.log"), files.lines);
	end();
}

/* Tried each second, without a word or a line, for as long as it lasts. */
Test(file, a_disk_that_stays_full)
{
	begin(1 << 20, 3);
	struct small_disk disk = disk_small(&room);
	files.folder = room.folder;
	add_numbered(0, 0);
	disk_fill(&disk, &room);
	for (unsigned i = 1; !file.trouble && i < 3000; i++)
		add_numbered(i, 0);
	uint64_t lines = files.lines, dropped = files.dropped;
	for (uint64_t second = 1; second <= 100; second++) {
		struct moment now = at(second * FILE_RETRY_MS);
		file_tick(&files, &file, &now);
		cr_assert_neq(file.trouble, 0);
		cr_assert_eq(file.retry_ms, now.ms + FILE_RETRY_MS);
	}
	cr_assert_eq(files.lines, lines);
	cr_assert_eq(files.dropped, dropped, "our own line is none of theirs");
	cr_assert_eq(file.dropped, dropped);
	end();
}

/* One batch of many lines that fits in part: whole lines stay, the rest is counted. */
Test(file, half_a_batch)
{
	begin(1 << 20, 3);
	struct small_disk disk = disk_small(&room);
	files.folder = room.folder;
	static char batch[40 * 64 * 61];
	struct moment now = at(0);
	enum { LINES = 2000, LENGTH = 61 };
	for (int i = 0; i < LINES; i++) {
		char line[80];
		snprintf(line, sizeof line, HEAD "n number=%08u .\n", (unsigned)i);
		memset(line + strlen(line) - 1, '.', sizeof line - strlen(line));
		line[LENGTH - 1] = '\n';
		memcpy(batch + (size_t)i * LENGTH, line, LENGTH);
	}
	if (!disk.mounted)
		disk_fill(&disk, &room); /* else 120 KiB are more than there is anyway */
	file_append(&files, &file, batch, (size_t)LINES * LENGTH, &now);
	cr_assert_neq(file.trouble, 0);
	cr_assert_gt(files.lines, 0);
	cr_assert_eq(files.lines + files.dropped, LINES);
	cr_assert_eq(room_lines(&room, "node2/store.log"), files.lines);
	end();
}

/* Trouble, good days, trouble: each gap says its own width. */
Test(file, each_gap_is_counted_for_itself)
{
	begin(1 << 20, 3);
	struct small_disk disk = disk_small(&room);
	files.folder = room.folder;
	add_numbered(0, 0);
	for (unsigned time = 0; time < 2; time++) {
		uint64_t begun = (uint64_t)time * 10 * FILE_RETRY_MS;
		disk_fill(&disk, &room);
		for (unsigned i = 0; !file.trouble && i < 3000; i++)
			add_numbered(i, begun);
		for (unsigned i = 0; i < 2 + time; i++)
			add_numbered(i, begun);
		disk_free(&disk, &room);
		add_numbered(9, begun + FILE_RETRY_MS);
		cr_assert_eq(file.trouble, 0);
	}
	char *text = room_read(&room, "node2/store.log");
	cr_assert_not_null(strstr(text, "scribe.dropped lines=3 "));
	cr_assert_not_null(strstr(text, "scribe.dropped lines=4 "));
	free(text);
	cr_assert_eq(files.dropped, 7);
	end();
}

/* -- what others do to files ------------------------------------------------------------------- */

Test(file, no_link_is_followed)
{
	begin(1 << 20, 3);
	put("precious", "precious", 8);
	cr_assert_eq(mkdirat(room.folder, "node2", 0700), 0);
	cr_assert_eq(symlinkat("../precious", room.folder, "node2/store.log"), 0);
	add_numbered(1, 0);
	cr_assert_eq(files.dropped, 1);
	cr_assert_eq(unlinkat(room.folder, "node2/store.log", 0), 0);
	cr_assert_eq(unlinkat(room.folder, "node2", AT_REMOVEDIR), 0);
	cr_assert_eq(mkdirat(room.folder, "elsewhere", 0700), 0);
	cr_assert_eq(symlinkat("elsewhere", room.folder, "node2"), 0);
	add_numbered(2, FILE_RETRY_MS);
	cr_assert_eq(files.dropped, 2);
	cr_assert_not(room_has(&room, "elsewhere/store.log"));
	char *text = room_read(&room, "precious");
	cr_assert_str_eq(text, "precious");
	free(text);
	end();
}

Test(file, only_a_file_is_a_file)
{
	begin(1 << 20, 3);
	cr_assert_eq(mkdirat(room.folder, "node2", 0700), 0);
	cr_assert_eq(mkfifoat(room.folder, "node2/store.log", 0600), 0);
	unsigned before = open_descriptors();
	add_numbered(1, 0);
	cr_assert_eq(files.dropped, 1, "a pipe without a reader would have blocked, or swallowed it");
	cr_assert_eq(open_descriptors(), before);
	end();
}

Test(file, a_torn_tail_is_closed_off)
{
	begin(1 << 20, 3);
	cr_assert_eq(mkdirat(room.folder, "node2", 0700), 0);
	put("node2/store.log", HEAD "whole\n" HEAD "to", 2 * (sizeof HEAD - 1) + 8);
	add_numbered(1, 0);
	char *text = room_read(&room, "node2/store.log");
	cr_assert_eq(strncmp(text, HEAD "whole\n" HEAD "to\n" HEAD "n", 3 * (sizeof HEAD - 1) + 10), 0, "%s",
		     text);
	free(text);
	end();
}

Test(file, a_removed_file_is_let_go)
{
	begin(640, 3);
	struct moment now = at(0);
	for (unsigned i = 0; i < 6; i++)
		add_numbered(i, 0);
	cr_assert_eq(unlinkat(room.folder, "node2/store.log", 0), 0);
	file_tick(&files, &file, &now);
	add_numbered(6, 0);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 1);
	for (unsigned i = 7; i < 13; i++)
		add_numbered(i, 0);
	put("node2/store.log", "", 0);
	file_tick(&files, &file, &now);
	for (unsigned i = 13; i < 20; i++)
		add_numbered(i, 0);
	cr_assert_eq(files.rotations, 0, "emptied by hand, it had room for these");
	cr_assert_eq(room_lines(&room, "node2/store.log"), 7);
	end();
}

/* -- many -------------------------------------------------------------------------------------- */

Test(file, more_files_than_descriptors)
{
	begin(1 << 20, 3);
	enum { MANY = FILES_OPEN + 100 };
	static struct file many[MANY];
	unsigned before = open_descriptors();
	struct moment now = at(0);
	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < MANY; i++) {
			if (round == 0)
				file_begin(&many[i], STORE, i + 1);
			file_append(&files, &many[i], HEAD "x\n", sizeof HEAD "x\n" - 1, &now);
			cr_assert_leq(files.open_count, FILES_OPEN);
		}
	cr_assert_eq(open_descriptors(), before + FILES_OPEN);
	cr_assert_eq(files.dropped, 0);
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];
		snprintf(name, sizeof name, "node%u/store.log", i + 1);
		cr_assert_eq(room_lines(&room, name), 2);
	}
	unsigned synced = 0;
	while (files_sync_one(&files))
		synced++;
	cr_assert_eq(synced, FILES_OPEN);
	for (unsigned i = 0; i < MANY; i++)
		file_end(&files, &many[i]);
	cr_assert_eq(open_descriptors(), before);
	end();
}

/* The one in use stays open, the one longest unused goes. */
Test(file, the_longest_unused_is_closed)
{
	begin(1 << 20, 3);
	static struct file many[FILES_OPEN];
	struct moment now = at(0);
	add_numbered(0, 0);
	for (unsigned i = 0; i < FILES_OPEN; i++) {
		file_begin(&many[i], WALLET, i + 1);
		file_append(&files, &many[i], HEAD "x\n", sizeof HEAD "x\n" - 1, &now);
		add_numbered(i + 1, 0);
		cr_assert_geq(file.fd, 0);
	}
	cr_assert_lt(many[0].fd, 0);
	cr_assert_geq(many[1].fd, 0);
	for (unsigned i = 0; i < FILES_OPEN; i++)
		file_end(&files, &many[i]);
	end();
}
