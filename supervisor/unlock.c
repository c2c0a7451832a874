/* The unlock secret: read once into a page that is locked and that no child inherits. Part of the supervisor;
 * whoever reads its file can unseal every node's keys from a copied folder, so the file is ours alone. */
#include "supervisor/unlock.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The systemd credential (systemd.exec(5), LoadCredential=unlock:…); -1: none. */
static int open_credential(void)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[512];
	if (!folder || folder[0] != '/' ||
	    snprintf(path, sizeof path, "%s/unlock", folder) >= (int)sizeof path)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static bool is_private(int fd, const char *shown, struct why *why)
{
	struct stat at;
	if (fstat(fd, &at) != 0 || !S_ISREG(at.st_mode))
		return refuse(why, "%s/unlock is not a file", shown);
	if (at.st_uid != geteuid())
		return refuse(why, "%s/unlock belongs to uid %u, not to us; chown it", shown, at.st_uid);
	if (at.st_mode & 077)
		return refuse(why, "%s/unlock is open to others (mode %03o); chmod 0400 it", shown,
			      at.st_mode & 0777);
	return true;
}

bool unlock_new(struct unlock *unlock)
{
	void *page = mmap(NULL, UNLOCK_MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	*unlock = (struct unlock){.page = page};
	mlock(page, UNLOCK_MOST); /* best effort: a limit of 0 is no reason not to run */
	return madvise(page, UNLOCK_MOST, MADV_WIPEONFORK) == 0 &&
	       madvise(page, UNLOCK_MOST, MADV_DONTDUMP) == 0;
}

static bool read_into(struct unlock *unlock, int fd)
{
	ssize_t got;
	for (unlock->length = 0; unlock->length < UNLOCK_MOST; unlock->length += (size_t)got) {
		got = read(fd, unlock->page + unlock->length, UNLOCK_MOST - unlock->length);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			return got == 0;
	}
	return true;
}

bool unlock_load(struct unlock *unlock, int folder, const char *shown, struct why *why)
{
	*unlock = (struct unlock){0};
	int fd = open_credential();
	bool credential = fd >= 0;
	if (!credential)
		fd = openat(folder, "unlock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return refuse(why, "%s/unlock: %s; it unseals every node's keys: restore it from your backup",
			      shown, strerror(errno));
	bool loaded = credential || is_private(fd, shown, why);
	if (loaded && !(unlock_new(unlock) && read_into(unlock, fd)))
		loaded = refuse(why, "the unlock secret cannot be kept in memory: %s", strerror(errno));
	close(fd);
	if (loaded && unlock->length < UNLOCK_LEAST)
		loaded = refuse(why, "the unlock secret has %zu bytes; it must have at least %d",
				unlock->length, UNLOCK_LEAST);
	if (!loaded)
		unlock_forget(unlock);
	return loaded;
}

void unlock_forget(struct unlock *unlock)
{
	if (unlock->page) {
		wipe(unlock->page, UNLOCK_MOST);
		munmap(unlock->page, UNLOCK_MOST);
	}
	*unlock = (struct unlock){0};
}

bool unlock_make(int folder, const char *shown, struct why *why)
{
	int fd = open_credential();
	if (fd < 0)
		fd = openat(folder, "unlock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0) {
		close(fd);
		return true;
	}
	unlinkat(folder, "unlock.new", 0);
	fd = openat(folder, "unlock.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0)
		return refuse(why, "%s/unlock.new: %s", shown, strerror(errno));
	uint8_t secret[UNLOCK_MAKE];
	random_bytes(secret, sizeof secret);
	bool whole = write(fd, secret, sizeof secret) == sizeof secret && fsync(fd) == 0;
	wipe(secret, sizeof secret);
	close(fd);
	if (!whole || renameat(folder, "unlock.new", folder, "unlock") != 0)
		return refuse(why, "%s/unlock: %s", shown, strerror(errno));
	return true;
}

void unlock_derive(const struct unlock *unlock, enum kind kind, uint16_t node, uint8_t secret[32])
{
	char info[48];
	int length = snprintf(info, sizeof info, "warren %s node %u", kind_name(kind), node);
	hkdf_sha256(unlock->page, unlock->length, NULL, 0, info, (size_t)length, secret, 32);
}
