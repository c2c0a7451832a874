/* The file of a backup: what was written comes back, and whatever was changed, cut or made up is refused. */
#include "tests/unit/supervisor/scratch.h"

#include "supervisor/backup/facts.h"
#include "supervisor/backup/pieces.h"
#include "supervisor/backup/read.h"

enum { QUICK = SCRYPT_LOG_N_LEAST };

static struct scratch scratch;
static struct unlock passphrase;
static int file;

static void know(const char *text)
{
	unlock_forget(&passphrase);
	cr_assert(unlock_new(&passphrase));
	passphrase.length = strlen(text);
	memcpy(passphrase.page, text, passphrase.length);
}

static void setup(void)
{
	scratch = scratch_make();
	know("correct horse");
	file = openat(scratch.fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(file, 0);
}

static void teardown(void)
{
	close(file);
	unlock_forget(&passphrase);
	scratch_end(&scratch);
}

TestSuite(backup, .init = setup, .fini = teardown, .timeout = 120);

static uint8_t byte_at(size_t at)
{
	return (uint8_t)(at * 31 + at / 251);
}

static void write_stream(size_t length)
{
	struct sealed *sealed;
	cr_assert_eq(ftruncate(file, 0), 0);
	cr_assert_eq(lseek(file, 0, SEEK_SET), 0);
	cr_assert_eq(sealed_make_with(file, &passphrase, QUICK, &sealed), SEALED_OK);
	for (size_t at = 0; at < length;) {
		uint8_t bytes[7001];
		size_t take = length - at < sizeof bytes ? length - at : sizeof bytes;
		for (size_t i = 0; i < take; i++)
			bytes[i] = byte_at(at + i);
		cr_assert_eq(sealed_write(sealed, bytes, take), SEALED_OK);
		at += take;
	}
	cr_assert_eq(sealed_finish(sealed), SEALED_OK);
	sealed_free(&sealed);
}

/* How reading it all ends; every byte that came is the one that was written. */
static enum sealed_end read_stream(size_t *length)
{
	struct sealed *sealed;
	uint8_t bytes[5003];
	size_t got;
	*length = 0;
	cr_assert_eq(lseek(file, 0, SEEK_SET), 0);
	enum sealed_end end = sealed_open(file, &passphrase, &sealed);
	while (end == SEALED_OK) {
		end = sealed_read(sealed, bytes, sizeof bytes, &got);
		for (size_t i = 0; i < got; i++)
			cr_assert_eq(bytes[i], byte_at(*length + i));
		*length += got;
	}
	sealed_free(&sealed);
	return end;
}

Test(backup, a_stream_of_any_length_comes_back)
{
	static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 131072, 200000};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		size_t got, chunks = lengths[i] ? (lengths[i] + SEALED_CHUNK - 1) / SEALED_CHUNK : 1;
		write_stream(lengths[i]);
		cr_expect_eq(read_stream(&got), SEALED_OVER);
		cr_expect_eq(got, lengths[i]);
		cr_expect_eq((size_t)lseek(file, 0, SEEK_END),
			     SEALED_HEAD + lengths[i] + chunks * SEALED_MORE);
	}
}

Test(backup, every_byte_counts)
{
	size_t got;
	write_stream(100);
	off_t whole = lseek(file, 0, SEEK_END);
	for (off_t at = 0; at < whole; at++) {
		uint8_t byte;
		cr_assert_eq(pread(file, &byte, 1, at), 1);
		byte ^= 1;
		cr_assert_eq(pwrite(file, &byte, 1, at), 1);
		enum sealed_end end = read_stream(&got);
		cr_expect(end != SEALED_OVER && got == 0, "byte %lld: %d", (long long)at, end);
		byte ^= 1;
		cr_assert_eq(pwrite(file, &byte, 1, at), 1);
	}
	cr_expect_eq(read_stream(&got), SEALED_OVER);
}

Test(backup, every_cut_is_seen)
{
	size_t got;
	write_stream(2 * SEALED_CHUNK + 10);
	off_t whole = lseek(file, 0, SEEK_END), chunk = SEALED_CHUNK + SEALED_MORE;
	const off_t cuts[] = {0,
			      7,
			      8,
			      11,
			      43,
			      44,
			      67,
			      68,
			      69,
			      85,
			      SEALED_HEAD + chunk - 1,
			      SEALED_HEAD + chunk,
			      SEALED_HEAD + 2 * chunk,
			      SEALED_HEAD + 2 * chunk + 5,
			      whole - 1};
	for (size_t i = sizeof cuts / sizeof *cuts; i-- > 0;) {
		cr_assert_eq(ftruncate(file, cuts[i]), 0);
		enum sealed_end end = read_stream(&got);
		cr_expect(end == SEALED_CUT || end == SEALED_DAMAGED || end == SEALED_NONE ||
				  end == SEALED_WRONG,
			  "%lld bytes: %d", (long long)cuts[i], end);
	}
	write_stream(2 * SEALED_CHUNK);
	cr_assert_eq(ftruncate(file, SEALED_HEAD + chunk), 0);
	cr_expect_eq(read_stream(&got), SEALED_CUT, "a cut between two chunks");
}

Test(backup, chunks_that_were_swapped_repeated_or_added)
{
	static uint8_t first[SEALED_CHUNK + SEALED_MORE], second[sizeof first];
	size_t got;
	write_stream(3 * SEALED_CHUNK);
	cr_assert_eq(pread(file, first, sizeof first, SEALED_HEAD), sizeof first);
	cr_assert_eq(pread(file, second, sizeof second, SEALED_HEAD + sizeof first), sizeof second);
	cr_assert_eq(pwrite(file, first, sizeof first, SEALED_HEAD + sizeof first), sizeof first);
	cr_expect_eq(read_stream(&got), SEALED_DAMAGED);
	cr_assert_eq(pwrite(file, second, sizeof second, SEALED_HEAD), sizeof second);
	cr_expect_eq(read_stream(&got), SEALED_WRONG);
	static const size_t lengths[] = {10,
					 SEALED_CHUNK}; /* the reader stops by itself behind a full chunk */
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		write_stream(lengths[i]);
		cr_assert_eq(lseek(file, 0, SEEK_END) > 0, true);
		cr_assert_eq(write(file, "", 1), 1);
		cr_expect_neq(read_stream(&got), SEALED_OVER, "something after the end of %zu", lengths[i]);
	}
}

Test(backup, another_passphrase_and_other_files)
{
	size_t got;
	write_stream(100);
	know("correct horsf");
	cr_expect_eq(read_stream(&got), SEALED_WRONG);
	know("correct horse");
	const struct {
		off_t at;
		uint8_t value;
		enum sealed_end end;
	} heads[] = {{8, 2, SEALED_NEWER},  {8, 255, SEALED_NEWER},   {8, 0, SEALED_NONE},
		     {0, 'w', SEALED_NONE}, {9, 63, SEALED_ABSURD},   {9, 21, SEALED_ABSURD},
		     {9, 0, SEALED_ABSURD}, {10, 255, SEALED_ABSURD}, {11, 200, SEALED_ABSURD}};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		write_stream(100);
		cr_assert_eq(pwrite(file, &heads[i].value, 1, heads[i].at), 1);
		enum sealed_end end = read_stream(&got);
		cr_expect_eq(end, heads[i].end, "byte %lld = %u: %d", (long long)heads[i].at, heads[i].value,
			     end);
	}
	cr_assert_eq(ftruncate(file, 0), 0);
	cr_expect_eq(read_stream(&got), SEALED_NONE);
}

/* -- pieces ------------------------------------------------------------------------------------------------------------------ */

struct bytes {
	uint8_t at[80000];
	size_t length, read;
};

static enum sealed_end from_bytes(void *source, void *into, size_t room, size_t *got)
{
	struct bytes *bytes = source;
	size_t left = bytes->length - bytes->read;
	*got = left < room ? left : room;
	memcpy(into, bytes->at + bytes->read, *got);
	bytes->read += *got;
	return *got ? SEALED_OK : SEALED_OVER;
}

static void add_head(struct bytes *bytes, int kind, int zero, int node, const char *stamp)
{
	uint8_t *at = bytes->at + bytes->length;
	memset(at, 0, PIECE_HEAD);
	at[0] = (uint8_t)kind;
	at[1] = (uint8_t)zero;
	at[2] = (uint8_t)(node >> 8);
	at[3] = (uint8_t)node;
	memcpy(at + 4, stamp, strlen(stamp));
	bytes->length += PIECE_HEAD;
}

static void add_part(struct bytes *bytes, uint32_t length, size_t there)
{
	const uint8_t count[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
				  (uint8_t)length};
	memcpy(bytes->at + bytes->length, count, 4);
	memset(bytes->at + bytes->length + 4, 'x', there);
	bytes->length += 4 + there;
}

static void add(struct bytes *bytes, int kind, int node, const char *stamp)
{
	add_head(bytes, kind, 0, node, stamp);
	add_part(bytes, 3, 3);
	add_part(bytes, 0, 0);
}

static enum sealed_end read_pieces(struct bytes *bytes, unsigned *count)
{
	struct pieces pieces;
	uint8_t some[100];
	size_t got;
	*count = 0;
	bytes->read = 0;
	pieces_from(&pieces, from_bytes, bytes);
	for (enum sealed_end end;; ++*count) {
		if ((end = pieces_next(&pieces)) != SEALED_OK)
			return end;
		while ((end = pieces_read(&pieces, some, sizeof some, &got)) == SEALED_OK)
			;
		if (end != SEALED_OVER)
			return end;
	}
}

#define STAMP "20261121T170518Z"

static void whole(struct bytes *bytes)
{
	*bytes = (struct bytes){0};
	add(bytes, PIECE_CONFIG, 0, "");
	add(bytes, PIECE_NODE_CONFIG, 1, "");
	add(bytes, PIECE_NODE_CONFIG, 512, "");
	add(bytes, PIECE_KEYS, 1, "");
	add(bytes, PIECE_STORE, 1, "");
	add(bytes, PIECE_KEYS, 512, "");
	add(bytes, PIECE_OLD_KEYS, 1, STAMP);
	add(bytes, PIECE_OLD_KEYS, 1, "20261121T170519Z");
	add(bytes, PIECE_FACTS, 0, "");
}

Test(backup, pieces_come_in_order_and_end)
{
	static struct bytes bytes;
	unsigned count;
	whole(&bytes);
	cr_expect_eq(read_pieces(&bytes, &count), SEALED_OVER);
	cr_expect_eq(count, 9);
	for (size_t length = bytes.length; length-- > 0;) {
		bytes.length = length;
		cr_expect_eq(read_pieces(&bytes, &count), SEALED_DAMAGED, "%zu bytes", length);
	}
	whole(&bytes);
	bytes.length++;
	cr_expect_eq(read_pieces(&bytes, &count), SEALED_DAMAGED, "a byte after the end");
}

Test(backup, pieces_that_are_made_up)
{
	static const struct {
		int kind, zero, node;
		const char *stamp;
	} wrong[] = {{0, 0, 0, ""},
		     {16, 0, 0, ""},
		     {255, 0, 0, ""},
		     {PIECE_CONFIG, 1, 0, ""},
		     {PIECE_CONFIG, 0, 1, ""},
		     {PIECE_CONFIG, 0, 0, STAMP},
		     {PIECE_KEYS, 0, 0, ""},
		     {PIECE_KEYS, 0, 513, ""},
		     {PIECE_KEYS, 0, 65535, ""},
		     {PIECE_OLD_KEYS, 0, 1, ""},
		     {PIECE_OLD_KEYS, 0, 1, "../../../../etc/"},
		     {PIECE_OLD_KEYS, 0, 1, "20261121T17051/Z"},
		     {PIECE_OLD_KEYS, 0, 1, "20261121T170518"}};
	struct bytes bytes;
	unsigned count;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		bytes = (struct bytes){0};
		add_head(&bytes, wrong[i].kind, wrong[i].zero, wrong[i].node, wrong[i].stamp);
		add_part(&bytes, 0, 0);
		cr_expect_eq(read_pieces(&bytes, &count), SEALED_DAMAGED, "%zu", i);
		cr_expect_eq(count, 0, "%zu", i);
	}
	bytes = (struct bytes){0};
	add(&bytes, PIECE_CONFIG, 0, "");
	add(&bytes, PIECE_MACHINE_ID, 0, "");
	add(&bytes, PIECE_FACTS, 0, "");
	cr_expect_eq(read_pieces(&bytes, &count), SEALED_OVER, "in order");
	static const struct {
		int kind, node;
		const char *stamp;
	} pairs[][2] = {{{PIECE_MACHINE_ID, 0, ""}, {PIECE_CONFIG, 0, ""}},
			{{PIECE_CONFIG, 0, ""}, {PIECE_CONFIG, 0, ""}},
			{{PIECE_KEYS, 2, ""}, {PIECE_STORE, 1, ""}},
			{{PIECE_KEYS, 1, ""}, {PIECE_NODE_CONFIG, 1, ""}},
			{{PIECE_OLD_KEYS, 1, STAMP}, {PIECE_OLD_KEYS, 1, STAMP}},
			{{PIECE_OLD_KEYS, 1, STAMP}, {PIECE_OLD_BOOKS, 1, "20251121T170518Z"}}};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		bytes = (struct bytes){0};
		for (int j = 0; j < 2; j++)
			add(&bytes, pairs[i][j].kind, pairs[i][j].node, pairs[i][j].stamp);
		add(&bytes, PIECE_FACTS, 0, "");
		cr_expect_eq(read_pieces(&bytes, &count), SEALED_DAMAGED, "%zu: out of order, or twice", i);
		cr_expect_eq(count, 1);
	}
}

/* The bytes that are said are there, so that nothing but the bound can be what is wrong. */
static enum sealed_end read_part(int kind, uint32_t length, uint32_t more)
{
	static struct bytes bytes;
	unsigned count;
	bytes = (struct bytes){0};
	add_head(&bytes, kind, 0, 1, "");
	add_part(&bytes, length, length);
	if (more)
		add_part(&bytes, more, more);
	add_part(&bytes, 0, 0);
	add(&bytes, PIECE_FACTS, 0, "");
	return read_pieces(&bytes, &count);
}

Test(backup, parts_and_pieces_have_bounds)
{
	cr_expect_eq(read_part(PIECE_STORE, 65536, 0), SEALED_OVER);
	cr_expect_eq(read_part(PIECE_STORE, 65537, 0), SEALED_DAMAGED);
	cr_expect_eq(read_part(PIECE_KEYS, 4096, 0), SEALED_OVER);
	cr_expect_eq(read_part(PIECE_KEYS, 4097, 0), SEALED_DAMAGED);
	cr_expect_eq(read_part(PIECE_KEYS, 4096, 1), SEALED_DAMAGED);
	static const uint32_t absurd[] = {0x7fffffff, 0xffffffff};
	static struct bytes bytes;
	unsigned count;
	for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
		bytes = (struct bytes){0};
		add_head(&bytes, PIECE_STORE, 0, 1, "");
		add_part(&bytes, absurd[i], 100);
		cr_expect_eq(read_pieces(&bytes, &count), SEALED_DAMAGED);
	}
}

Test(backup, where_pieces_lie)
{
	char path[PIECE_PATH];
	for (unsigned number = 1; number <= PIECE_FACTS; number++) {
		struct piece piece = {.row = piece_row(number), .node = 512, .stamp = STAMP};
		cr_assert_not_null(piece.row, "%u", number);
		piece_path(&piece, path);
		cr_expect(!strstr(path, "..") && path[0] != '/' && !strchr(path, '#') && !strchr(path, '@'),
			  "%s", path);
	}
	cr_expect_str_eq(
		piece_path(&(struct piece){.row = piece_row(PIECE_OLD_BOOKS), .node = 12, .stamp = STAMP},
			   path),
		"archive/node12-" STAMP "/keys/wallet.spent");
}

/* -- facts ------------------------------------------------------------------------------------------------------------------- */

Test(backup, facts_come_back)
{
	struct facts facts = {.made = 1763744718, .machine = "0x12", .secret = "file", .blobs = true}, read;
	struct init_said said = {.address = "0xabc",
				 .peer = "12D3",
				 .store = "0f1e",
				 .blobs = "3",
				 .bytes = "99",
				 .listed = "0"};
	const char *what;
	facts_add(&facts, 2, &said);
	facts_add(&facts, 7, &said);
	char *text = facts_print(&facts);
	cr_assert(facts_parse(text, &read), "%s", text);
	cr_expect_eq(read.count, 2);
	cr_expect_eq(read.made, facts.made);
	cr_expect(read.blobs);
	cr_expect(facts_same(&facts.nodes[1], facts_node(&read, 7), &what));
	read.nodes[1].bytes++;
	cr_expect_not(facts_same(&facts.nodes[1], facts_node(&read, 7), &what));
	facts_end(&read);
	for (size_t length = strlen(text); length-- > 0;) {
		text[length] = '\0';
		bool parsed = facts_parse(text, &read);
		cr_expect(!parsed || read.count < 2, "%zu: %s", length, text);
		if (parsed)
			facts_end(&read);
	}
	free(text);
	facts_end(&facts);
	cr_expect_not(facts_parse("warren 1 made 1 machine - secret file blobs 1\nnode 513 a b c 1 1 1 1\n",
				  &read));
	cr_expect_not(facts_parse(
		"warren 1 made 1 machine - secret file blobs 1\nnode 2 a b c 1 1 1 1\nnode 2 a b c 1 1 1 1\n",
		&read));
}

/* -- reading the machine's files ------------------------------------------------------------------------------------------------ */

Test(backup, no_link_is_followed_and_only_files_are_read)
{
	struct machine machine = {.fd = scratch.fd};
	struct file_bytes bytes;
	struct why why;
	snprintf(machine.root, sizeof machine.root, "%s", scratch.path);
	scratch_write(&scratch, "plain", 0600, "text");
	cr_assert_eq(mkdirat(scratch.fd, "folder", 0700), 0);
	cr_assert_eq(symlinkat("plain", scratch.fd, "link"), 0);
	cr_assert_eq(symlinkat("/etc", scratch.fd, "away"), 0);
	cr_assert_eq(mkfifoat(scratch.fd, "pipe", 0600), 0);
	cr_assert(file_read(&machine, "plain", 10, &bytes, &why));
	cr_expect_eq(bytes.length, 4);
	file_forget(&bytes);
	cr_assert(file_read(&machine, "none", 10, &bytes, &why));
	cr_expect_null(bytes.at);
	static const char *const wrong[] = {"link", "away/passwd", "folder", "pipe", "../etc/passwd"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_not(file_read(&machine, wrong[i], 100000, &bytes, &why), "%s", wrong[i]);
	cr_expect_not(file_read(&machine, "plain", 3, &bytes, &why), "longer than it may be");
}

Test(backup, zeros_at_the_end_of_books_are_left_out)
{
	struct machine machine = {.fd = scratch.fd};
	struct file_bytes bytes;
	struct why why;
	scratch_write(&scratch, "books", 0600, "slot");
	int books = openat(scratch.fd, "books", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(ftruncate(books, 4 << 20), 0);
	close(books);
	cr_assert(file_read_still(&machine, "books", 4 << 20, &bytes, &why), "%s", why.text);
	cr_expect_eq(bytes.length, 256);
	file_forget(&bytes);
}
