/* A folder for one test, and files in it. */
#ifndef WARREN_TESTS_FOLDER_H
#define WARREN_TESTS_FOLDER_H

#include "tests/unit/wallet/fixed.h"

#include "actors/wallet/keyfile.h"
#include "tests/unit/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODE = 7 };

struct folder {
	char path[PLACE];
	int fd;
	uint8_t secret[SEALING_SECRET];
	struct signer *signer;
	struct wallet_keys *keys; /* the fixed ones */
	struct wallet_keys *opened;
};

void folder_make(struct folder *folder);
void folder_remove(struct folder *folder);
unsigned folder_entries(const struct folder *folder);

/* Puts these bytes in the place of the key file, mode 0600. */
void folder_put(const struct folder *folder, const void *bytes, size_t length);
size_t folder_get(const struct folder *folder, void *bytes, size_t room);

enum keyfile_end folder_open(struct folder *folder); /* with the right node and secret */
enum keyfile_end folder_write(struct folder *folder);

/* *folder->opened are the fixed keys, or nothing at all. */
void expect_opened(const struct folder *folder, enum keyfile_end end, enum keyfile_end expected,
		   const char *what, size_t where);

#endif
