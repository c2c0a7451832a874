/* The journal: what was written is read; what was torn is cut; a state replaces it. */
#include "actors/anvil/journal.h"

#include "tests/unit/place.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct here {
	char path[PLACE];
	int folder;
	struct journal journal;
};

static void begin(struct here *here)
{
	place_make(here->path, "journal");
	here->folder = open(here->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(journal_open(&here->journal, here->folder));
}

static void again(struct here *here)
{
	journal_close(&here->journal);
	cr_assert(journal_open(&here->journal, here->folder));
}

static void end(struct here *here)
{
	journal_close(&here->journal);
	unlinkat(here->folder, JOURNAL_FILE, 0);
	close(here->folder);
	cr_expect_eq(rmdir(here->path), 0);
}

static void append(struct here *here, uint64_t number, const char *raws)
{
	cr_assert(journal_append(&here->journal, &(struct block){number, 1000 + number, raws}));
}

static void expect(const struct here *here, unsigned index, uint64_t number, const char *raws)
{
	cr_assert_lt(index, here->journal.count);
	cr_expect_eq(here->journal.blocks[index].number, number);
	cr_expect_eq(here->journal.blocks[index].timestamp, 1000 + number);
	cr_expect_str_eq(here->journal.blocks[index].raws, raws);
}

Test(journal, what_is_written_is_read)
{
	struct here here;
	begin(&here);
	cr_expect_eq(here.journal.count, 0);
	append(&here, 1, "0x02aa,0x02bb");
	append(&here, 2, "");
	again(&here);
	cr_assert_eq(here.journal.count, 2);
	expect(&here, 0, 1, "0x02aa,0x02bb");
	expect(&here, 1, 2, "");
	append(&here, 3, "0x02cc");
	cr_expect_eq(here.journal.appended, 3);
	again(&here);
	expect(&here, 2, 3, "0x02cc");
	end(&here);
}

/* A death in the middle of a line, at each byte of it: the lines before stay, and the next is whole. */
Test(journal, what_is_torn_is_cut_off)
{
	struct here here;
	struct stat file;
	begin(&here);
	append(&here, 1, "0x02aa");
	uint64_t first = here.journal.bytes;
	append(&here, 2, "0x02bb");
	uint64_t whole = here.journal.bytes;
	for (uint64_t length = whole - 1; length >= first; length--) {
		cr_assert_eq(ftruncate(here.journal.fd, (off_t)length), 0);
		again(&here);
		cr_assert_eq(here.journal.count, 1, "%llu bytes", (unsigned long long)length);
		cr_assert_eq(fstat(here.journal.fd, &file), 0);
		cr_expect_eq((uint64_t)file.st_size, first);
		append(&here, 2, "0x02bb");
	}
	again(&here);
	expect(&here, 1, 2, "0x02bb");
	end(&here);
}

Test(journal, a_changed_byte_ends_it)
{
	struct here here;
	char byte;
	begin(&here);
	append(&here, 1, "0x02aa");
	uint64_t first = here.journal.bytes;
	append(&here, 2, "0x02bb");
	append(&here, 3, "0x02cc");
	cr_assert_eq(pread(here.journal.fd, &byte, 1, (off_t)first + 9), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(here.journal.fd, &byte, 1, (off_t)first + 9), 1);
	again(&here);
	cr_expect_eq(here.journal.count, 1, "what comes behind it builds on it");
	end(&here);
}

Test(journal, the_last_word_about_a_block_counts)
{
	struct here here;
	begin(&here);
	append(&here, 1, "0x02aa");
	append(&here, 2, "0x02bb");
	append(&here, 3, "0x02cc");
	append(&here, 2, "0x02dd");
	again(&here);
	cr_assert_eq(here.journal.count, 2);
	expect(&here, 1, 2, "0x02dd");
	end(&here);
}

Test(journal, cleared_it_begins_anew)
{
	struct here here;
	begin(&here);
	append(&here, 1, "0x02aa");
	cr_assert(journal_clear(&here.journal));
	cr_expect_eq(here.journal.appended, 0);
	append(&here, 2, "0x02bb");
	again(&here);
	cr_assert_eq(here.journal.count, 1);
	expect(&here, 0, 2, "0x02bb");
	end(&here);
}
