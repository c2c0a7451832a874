/* A folder for one test. */
#include "tests/unit/wallet/folder.h"

#include "actors/base/crypto/crypto.h"

void folder_make(struct folder *folder)
{
	enum secret_wall got;
	crypto_warm();
	place_make(folder->path, "wallet");
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(folder->fd, 0);
	for (unsigned i = 0; i < SEALING_SECRET; i++)
		folder->secret[i] = (uint8_t)i;
	folder->signer = signer_new();
	folder->keys = fixed_keys(folder->signer);
	folder->opened = keys_new(SECRET_HIDDEN, &got);
}

static unsigned each_entry(const struct folder *folder, bool remove)
{
	unsigned count = 0;
	DIR *entries = opendir(folder->path);
	cr_assert_not_null(entries);
	for (struct dirent *entry; (entry = readdir(entries));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		if (remove && unlinkat(folder->fd, entry->d_name, 0) != 0)
			unlinkat(folder->fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(entries);
	return count;
}

unsigned folder_entries(const struct folder *folder)
{
	return each_entry(folder, false);
}

void folder_remove(struct folder *folder)
{
	each_entry(folder, true);
	close(folder->fd);
	cr_expect_eq(rmdir(folder->path), 0);
	keys_free(&folder->keys);
	keys_free(&folder->opened);
	signer_free(&folder->signer);
}

void folder_put(const struct folder *folder, const void *bytes, size_t length)
{
	unlinkat(folder->fd, KEYFILE_NAME, 0);
	int fd = openat(folder->fd, KEYFILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

size_t folder_get(const struct folder *folder, void *bytes, size_t room)
{
	int fd = openat(folder->fd, KEYFILE_NAME, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	ssize_t length = read(fd, bytes, room);
	cr_assert_geq(length, 0);
	close(fd);
	return (size_t)length;
}

enum keyfile_end folder_open(struct folder *folder)
{
	memset(folder->opened, 0xa5, sizeof *folder->opened);
	return keyfile_open(folder->fd, NODE, folder->secret, folder->signer, folder->opened);
}

enum keyfile_end folder_write(struct folder *folder)
{
	return keyfile_write(folder->fd, NODE, folder->secret, folder->keys);
}

void expect_opened(const struct folder *folder, enum keyfile_end end, enum keyfile_end expected,
		   const char *what, size_t where)
{
	const struct wallet_keys none = {0};
	cr_expect_eq(end, expected, "%s %zu: %s", what, where, keyfile_sentence(end));
	cr_expect_arr_eq(folder->opened, expected == KEYFILE_OK ? folder->keys : &none, sizeof none, "%s %zu",
			 what, where);
}
