/* Folders of others: what is opened, what is refused, and what a cut-short export leaves. */
#include "layout/folder.h"

#include "actors/base/memory/memory.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char path[] = "/tmp/warren-folder-XXXXXX";
static int here = -1;
static char why[FOLDER_WHY];

static void setup(void)
{
	cr_assert_not_null(mkdtemp(path));
	here = open(path, O_RDONLY | O_DIRECTORY);
	cr_assert(here >= 0);
}

static void teardown(void)
{
	static const char *const names[] = {"plain", "link", "pipe", "socket", "more", ".part-more"};
	unlinkat(here, "folder/inner", 0);
	unlinkat(here, "folder", AT_REMOVEDIR);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlinkat(here, names[i], 0);
	close(here);
	rmdir(path);
}

TestSuite(folder, .init = setup, .fini = teardown, .timeout = 60);

static bool refused(const char *name, uint64_t most, const char *for_what)
{
	uint8_t *bytes;
	size_t length;
	why[0] = '\0';
	bool read = file_read(here, name, most, &bytes, &length, why);
	x_free(&bytes);
	return !read && strstr(why, for_what);
}

Test(folder, nothing_but_a_plain_file_is_opened)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", path);
	int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert(file_write(here, "plain", "bytes", 5, why), "%s", why);
	cr_assert_eq(symlinkat("plain", here, "link"), 0);
	cr_assert_eq(mkfifoat(here, "pipe", 0600), 0);
	cr_assert_eq(mkdirat(here, "folder", 0700), 0);
	cr_assert_eq(bind(socket_fd, (struct sockaddr *)&name, sizeof name), 0);
	close(socket_fd);
	cr_expect(refused("none", 9, "it has no none"), "%s", why);
	cr_expect(refused("link", 9, "symbolic link"), "%s", why);
	cr_expect(refused("pipe", 9, "pipe"), "%s", why); /* and did not wait for a writer */
	cr_expect(refused("socket", 9, "socket"), "%s", why);
	cr_expect(refused("folder", 9, "a folder"), "%s", why);
	cr_expect(refused("plain", 4, "has 5 bytes; at most 4"), "%s", why);
	uint8_t *bytes;
	size_t length;
	cr_assert(file_read(here, "plain", 5, &bytes, &length, why), "%s", why);
	cr_expect_eq(length, 5);
	cr_expect_arr_eq(bytes, "bytes", 5);
	x_free(&bytes);
}

Test(folder, a_link_to_a_folder_is_none)
{
	int fd;
	cr_assert_eq(symlinkat("/tmp", here, "link"), 0);
	cr_expect_not(folder_open(here, "link", &fd, why));
	cr_expect_not_null(strstr(why, "no folder"));
	cr_expect_not(folder_make(here, "link", &fd, why));
	cr_expect_not(folder_remove(here, "link", why));
}

Test(folder, what_is_written_is_ours_alone_and_replaces_nothing_unasked)
{
	struct stat stat;
	cr_assert(file_write(here, "plain", "one", 3, why), "%s", why);
	cr_expect_not(file_write(here, "plain", "two", 3, why));
	cr_expect_not_null(strstr(why, "cannot be made"));
	cr_assert_eq(symlinkat("plain", here, "more"), 0);
	cr_assert(file_write(here, ".part-more", "left over", 9, why), "%s", why);
	cr_assert(file_replace(here, "more", "two", 3, why), "%s", why);
	cr_assert_eq(fstatat(here, "more", &stat, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect(S_ISREG(stat.st_mode), "the link gave way, and was not followed");
	cr_expect_eq(stat.st_mode & 07777, 0600);
	cr_assert_eq(fstatat(here, "plain", &stat, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect_eq(stat.st_size, 3);
}

Test(folder, a_part_goes_with_what_is_in_it)
{
	int fd;
	cr_assert(folder_make(here, "folder", &fd, why), "%s", why);
	cr_assert(file_write(fd, "inner", "half", 4, why), "%s", why);
	close(fd);
	cr_expect(folder_remove(here, "folder", why), "%s", why);
	cr_expect_eq(faccessat(here, "folder", F_OK, 0), -1);
}
