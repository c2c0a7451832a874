/* Claims of uid blocks. Runs as root, when a machine is made; writes /var/lib/warren-uids and
 * ROOT/machine/uids. A kill in the middle leaves a claim that the next attempt for the same ROOT finds again.
 */
#include "supervisor/uids.h"

#include "actors/base/memory/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct uid_world uid_world = {"/var/lib/warren-uids", "/etc/passwd", "/etc/group", "/etc/subuid",
				    "/etc/subgid"};

uint32_t uid_of(uint32_t base, enum kind kind, uint16_t node)
{
	return base + UIDS_PER_NODE * node + (uint32_t)kind;
}

static uint32_t base_of(unsigned block)
{
	return UIDS_FIRST + block * UIDS_BLOCK;
}

static bool is_base(unsigned long uid)
{
	return uid >= UIDS_FIRST && uid < base_of(UIDS_BLOCKS) && (uid - UIDS_FIRST) % UIDS_BLOCK == 0;
}

/* -- who has which ids already ----------------------------------------------------------------- */

static void take(bool taken[UIDS_BLOCKS], uint64_t first, uint64_t count)
{
	uint64_t last = first + count - 1;
	if (!count || last < UIDS_FIRST || first >= base_of(UIDS_BLOCKS))
		return;
	unsigned block = first < UIDS_FIRST ? 0 : (unsigned)((first - UIDS_FIRST) / UIDS_BLOCK);
	for (; block < UIDS_BLOCKS && base_of(block) <= last; block++)
		taken[block] = true;
}

static void take_people(bool taken[UIDS_BLOCKS], const struct uid_world *world)
{
	FILE *file = fopen(world->passwd, "re");
	for (const struct passwd *user; file && (user = fgetpwent(file));) {
		take(taken, user->pw_uid, 1);
		take(taken, user->pw_gid, 1);
	}
	if (file)
		fclose(file);
	file = fopen(world->group, "re");
	for (const struct group *group; file && (group = fgetgrent(file));)
		take(taken, group->gr_gid, 1);
	if (file)
		fclose(file);
}

/* Lines name:first:count. */
static void take_ranges(bool taken[UIDS_BLOCKS], const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];
	while (file && fgets(line, sizeof line, file)) {
		char *at = strchr(line, ':'), *end;
		if (!at)
			continue;
		uint64_t first = strtoull(at + 1, &end, 10);
		if (*end == ':')
			take(taken, first, strtoull(end + 1, NULL, 10));
	}
	if (file)
		fclose(file);
}

/* -- claims ------------------------------------------------------------------------------------ */

static bool is_claim_of(int claims, const char *name, const char *root)
{
	char text[4096];
	int fd = openat(claims, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, root) == 0;
}

/* Takes the blocks that are claimed; true when one of them is this machine's already. */
static bool take_claimed(int claims, bool taken[UIDS_BLOCKS], const char *root, uint32_t *base)
{
	bool ours = false;
	int fd = openat(claims, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !folder)
		close(fd);
	for (const struct dirent *entry; folder && !ours && (entry = readdir(folder));) {
		char *end;
		unsigned long first = strtoul(entry->d_name, &end, 10);
		if (*end || !is_base(first))
			continue;
		take(taken, first, 1);
		ours = is_claim_of(claims, entry->d_name, root);
		*base = ours ? (uint32_t)first : *base;
	}
	if (folder)
		closedir(folder);
	return ours;
}

/* O_EXCL decides between two who come at once. The file is made whole under another name first, so that a
 * claim always says whose it is. False with errno EEXIST when somebody has it. */
static bool claim(int claims, unsigned block, const char *root)
{
	char name[16], part[32];
	snprintf(name, sizeof name, "%u", base_of(block));
	snprintf(part, sizeof part, ".%u.%d", base_of(block), getpid());
	unlinkat(claims, part, 0);
	int fd = openat(claims, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return false;
	bool whole = dprintf(fd, "%s\n", root) > 0 && fsync(fd) == 0;
	close(fd);
	whole = whole &&
		linkat(claims, part, claims, name, 0) == 0; /* fails when `name` exists, as O_EXCL does */
	int error = errno;
	unlinkat(claims, part, 0);
	errno = error;
	return whole;
}

static bool find_block(int claims, bool taken[UIDS_BLOCKS], const char *root, uint32_t *base, struct why *why)
{
	if (take_claimed(claims, taken, root, base))
		return true;
	for (unsigned block = 0; block < UIDS_BLOCKS; block++) {
		if (taken[block])
			continue;
		if (claim(claims, block, root)) {
			*base = base_of(block);
			return fsync(claims) == 0 ||
			       refuse(why, "the claim of uids is not on disk: %s", strerror(errno));
		}
		if (errno != EEXIST)
			return refuse(why, "uids cannot be claimed: %s", strerror(errno));
	}
	return refuse(why, "all %d blocks of uids from %d on are taken", UIDS_BLOCKS, UIDS_FIRST);
}

bool uids_claim(const struct uid_world *world, const char *root, uint32_t *base, struct why *why)
{
	if (mkdir(world->claims, 0755) != 0 && errno != EEXIST)
		return refuse(why, "%s: %s", world->claims, strerror(errno));
	int claims = open(world->claims, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat at;
	if (claims < 0)
		return refuse(why, "%s: %s", world->claims, strerror(errno));
	bool *taken = x_new_array(UIDS_BLOCKS, sizeof *taken);
	bool found;
	if (fstat(claims, &at) != 0 || at.st_uid != geteuid() || at.st_mode & 022) {
		found = refuse(why, "%s must be ours and closed to others' writing; chown and chmod 0755 it",
			       world->claims);
	} else {
		take_people(taken, world);
		take_ranges(taken, world->subuid);
		take_ranges(taken, world->subgid);
		found = find_block(claims, taken, root, base, why);
	}
	x_free(&taken);
	close(claims);
	return found;
}

/* -- ROOT/machine/uids ------------------------------------------------------------------------- */

bool uids_read(int machine_folder, uint32_t *base)
{
	char text[16];
	int fd = openat(machine_folder, "uids", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, text, sizeof text - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	errno = EINVAL;
	if (*end != '\n' || !is_base(value))
		return false;
	*base = (uint32_t)value;
	return true;
}

bool uids_write(int machine_folder, uint32_t base)
{
	unlinkat(machine_folder, "uids.new", 0);
	int fd = openat(machine_folder, "uids.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			0644);
	if (fd < 0)
		return false;
	bool whole = dprintf(fd, "%u\n", base) > 0 && fsync(fd) == 0;
	close(fd);
	return whole && renameat(machine_folder, "uids.new", machine_folder, "uids") == 0;
}

bool uids_mapped(uint32_t base)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	bool mapped = !map; /* no user namespaces: everything is there */
	unsigned first, outside, count;
	while (!mapped && map && fscanf(map, "%u %u %u", &first, &outside, &count) == 3)
		mapped = base >= first && (uint64_t)base + UIDS_BLOCK <= (uint64_t)first + count;
	if (map)
		fclose(map);
	return mapped;
}
