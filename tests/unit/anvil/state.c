/* The state's file: whole, or what was there before. */
#include "actors/anvil/state.h"

#include "proto/ids.h"
#include "tests/unit/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LARGE = 300000 };

struct here {
	char path[PLACE];
	int folder;
	char *hex, *plain;
};

/* What anvil_dumpState would answer for a state of so many bytes. */
static void make(struct here *here, size_t length)
{
	z_stream stream = {0};
	size_t room = length + 1024;
	unsigned char *packed = malloc(room);
	here->plain = malloc(length + 1);
	for (size_t i = 0; i < length; i++)
		here->plain[i] = (char)('a' + (i * i / 7 + i) % 26);
	cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (unsigned char *)here->plain;
	stream.avail_in = (uInt)length;
	stream.next_out = packed;
	stream.avail_out = (uInt)room;
	cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	here->hex = malloc(stream.total_out * 2 + 3);
	memcpy(here->hex, "0x", 3);
	hex_text(packed, stream.total_out, here->hex + 2);
	deflateEnd(&stream);
	free(packed);
}

static void begin(struct here *here, size_t length)
{
	place_make(here->path, "state");
	here->folder = open(here->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make(here, length);
}

static void end(struct here *here)
{
	free(here->hex);
	free(here->plain);
	unlinkat(here->folder, STATE_FILE, 0);
	unlinkat(here->folder, STATE_FILE ".new", 0);
	close(here->folder);
	cr_expect_eq(rmdir(here->path), 0);
}

static bool has(const struct here *here, const char *bytes, size_t length)
{
	char *got = malloc(length + 1);
	int fd = openat(here->folder, STATE_FILE, O_RDONLY | O_CLOEXEC);
	bool same =
		fd >= 0 && read(fd, got, length + 1) == (ssize_t)length && memcmp(got, bytes, length) == 0;
	close(fd);
	free(got);
	return same;
}

Test(state, it_is_unpacked_whole)
{
	struct here here;
	begin(&here, LARGE);
	cr_expect_not(state_there(here.folder));
	cr_assert(state_write(here.folder, here.hex), "%s", strerror(errno));
	cr_expect(state_there(here.folder));
	cr_expect(has(&here, here.plain, LARGE));
	end(&here);
}

Test(state, what_is_not_whole_replaces_nothing)
{
	struct here here;
	begin(&here, LARGE);
	cr_assert(state_write(here.folder, here.hex));
	size_t length = strlen(here.hex);
	const size_t cuts[] = {0, 1, 2, 3, 4, 40, length / 2, length / 2 + 1, length - 2, length - 1};
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		char *cut = strndup(here.hex, cuts[i]);
		cr_expect_not(state_write(here.folder, cut), "%zu of %zu", cuts[i], length);
		cr_expect_eq(errno, EBADMSG, "%zu of %zu: %s", cuts[i], length, strerror(errno));
		free(cut);
	}
	here.hex[length / 2] = here.hex[length / 2] == '0' ? '1' : '0';
	cr_expect_not(state_write(here.folder, here.hex), "a changed digit");
	here.hex[length / 2] = 'g';
	cr_expect_not(state_write(here.folder, here.hex), "no digit");
	cr_expect(has(&here, here.plain, LARGE), "what was there is there");
	end(&here);
}
