/* Power cuts. The real store code writes on an ext4 of its own (a file, loop-mounted); at a random moment the
 * writer is stopped, the file system is shut down without flushing its log, mounted again, and what was
 * acknowledged is held against what is there. The writer is stopped first because the shutdown itself is not
 * atomic. Needs root, loop devices and mkfs.ext4; makes everything in a scratch folder and a mount namespace
 * of its own, and stops by itself.
 *
 *   power cut N [PRELOAD]     N cuts under load; PRELOAD is put into LD_PRELOAD of the writer: the negative
 * control power init N [PRELOAD]    N cuts right after a store was made
 *
 * Prints "cuts=N lost=… wrong=… unopened=… acknowledged=…" and exits 0 whatever the numbers: the caller
 * judges. */
#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/store/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	IMAGE_MB = 64,
	QUOTA_MB = 12,
	IN_FLIGHT = 16,
	LARGEST = 20000,
	SHUTDOWN_NO_LOG_FLUSH = 2, /* EXT4_GOING_FLAGS_NOLOGFLUSH */
	ACKS_MAX = 65536,
};
#define EXT4_SHUTDOWN _IOR('X', 125, uint32_t)

struct ack {
	uint64_t seed;
	struct cid cid;
};

static uint32_t size_of(uint64_t seed)
{
	return (uint32_t)(seed * 2654435761U % LARGEST);
}

static void fill(uint64_t seed, uint8_t *at, size_t length)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (size_t i = 0; i < length; i++) {
		state ^= state << 13, state ^= state >> 7, state ^= state << 17;
		at[i] = (uint8_t)state;
	}
}

static struct store_shape shape_of(const char *folder)
{
	static const uint8_t secret[32] = {1};
	return (struct store_shape){.folder = folder,
				    .node = 1,
				    .quota = QUOTA_MB * UINT64_C(1048576),
				    .max_blob = 1048576,
				    .shards = {.count = 1, .spans = 1},
				    .secret = secret};
}

/* -- the writer, a process of its own: power write FOLDER, acknowledgements on stdout
 * ---------------------------------- */

struct flight {
	uint64_t seed;
	bool up;
};

static void landed(void *context, enum err err, const struct stored *stored)
{
	struct flight *flight = context;
	struct ack ack = {.seed = flight->seed};
	flight->up = false;
	if (err != ERR_OK)
		return;
	ack.cid = stored->cid;
	(void)!write(STDOUT_FILENO, &ack, sizeof ack); /* less than PIPE_BUF: whole or not at all */
}

static bool take_off(struct store *store, struct flight *flight, uint64_t seed, uint8_t *blob)
{
	struct put *put;
	struct stored stored;
	uint32_t size = size_of(seed);
	*flight = (struct flight){seed, true};
	fill(seed, blob, size);
	if (store_put_begin(store, size, &put) != ERR_OK)
		return false;
	if (store_put_data(put, blob, size) != ERR_OK) {
		store_put_abort(&put);
		return false;
	}
	enum err err = store_put_end(&put, &stored, landed, flight);
	if (err == ERR_OK)
		landed(flight, err, &stored);
	return err == ERR_OK || err == ERR_KEPT;
}

static int write_blobs(const char *folder)
{
	static struct flight flights[IN_FLIGHT];
	static uint8_t blob[LARGEST];
	struct store_shape shape = shape_of(folder);
	struct store *store;
	char why[STORE_WHY];
	uint64_t seed;
	random_bytes(&seed, sizeof seed);
	if (store_open(&store, &shape, why) != STORE_OK) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	for (bool full = false;;) {
		for (int i = 0; i < IN_FLIGHT && !full; i++)
			if (!flights[i].up && !take_off(store, &flights[i], ++seed, blob))
				flights[i].up = false, full = true;
		struct pollfd ready = {.fd = store_fd(store), .events = POLLIN};
		if (poll(&ready, 1, 1000) > 0)
			store_turn(store);
	}
}

static int init_store(const char *folder)
{
	struct store_shape shape = shape_of(folder);
	uint64_t physical;
	bool found;
	char why[STORE_WHY];
	if (store_init(&shape, &physical, &found, why) == STORE_OK)
		return 0;
	fprintf(stderr, "%s\n", why);
	return 1;
}

/* -- what is there afterwards
 * ----------------------------------------------------------------------------------------- */

struct tally {
	unsigned cuts, lossy, unopened;
	uint64_t acknowledged, lost, wrong;
};

static bool same_as_sent(struct store *store, const struct ack *ack, bool *there)
{
	static uint8_t sent[LARGEST];
	struct get *get;
	*there = store_get_open(store, &ack->cid, &get) == ERR_OK;
	if (!*there)
		return false;
	uint32_t size = size_of(ack->seed);
	fill(ack->seed, sent, size);
	size_t at = 0, length = 0;
	const uint8_t *bytes;
	bool same = get_size(get) == size && store_get_range(get, 0, UINT64_MAX) == ERR_OK;
	while (same && store_get_next(get, &bytes, &length) == ERR_OK && length) {
		same = at + length <= size && memcmp(sent + at, bytes, length) == 0;
		at += length;
	}
	store_get_close(&get);
	return same && at == size;
}

static void hold_against(const char *folder, const struct ack *acks, size_t count, struct tally *tally)
{
	struct store_shape shape = shape_of(folder);
	struct store *store;
	char why[STORE_WHY];
	uint64_t before = tally->lost + tally->wrong;
	tally->cuts++;
	tally->acknowledged += count;
	if (store_open(&store, &shape, why) != STORE_OK) {
		fprintf(stderr, "not opened: %s\n", why);
		tally->unopened++;
		tally->lossy++;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		bool there;
		if (!same_as_sent(store, &acks[i], &there))
			there ? tally->wrong++ : tally->lost++;
	}
	tally->lossy += tally->lost + tally->wrong > before;
	store_close(&store);
}

/* -- one cut
 * ----------------------------------------------------------------------------------------------------------
 */

static bool run(char *const *argv)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		int nothing = open("/dev/null", O_RDWR);
		dup2(nothing, 1);
		dup2(nothing, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool mount_image(char *image, char *at)
{
	return run((char *[]){(char[]){"mount"}, (char[]){"-o"}, (char[]){"loop"}, image, at, NULL});
}

static pid_t start_self(char *verb, char *folder, const char *preload, int out)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	dup2(out, STDOUT_FILENO);
	if (preload)
		setenv("LD_PRELOAD", preload, 1);
	char program[] = "/proc/self/exe";
	execv(program, (char *[]){program, verb, folder, NULL});
	_exit(127);
}

static bool cut_power(const char *mounted)
{
	int fd = open(mounted, O_RDONLY | O_CLOEXEC);
	uint32_t how = SHUTDOWN_NO_LOG_FLUSH;
	bool cut = fd >= 0 && ioctl(fd, EXT4_SHUTDOWN, &how) == 0;
	if (fd >= 0)
		close(fd);
	return cut;
}

static size_t read_acks(int from, struct ack *acks)
{
	size_t count = 0;
	while (count < ACKS_MAX && read(from, &acks[count], sizeof *acks) == sizeof *acks)
		count++;
	return count;
}

static size_t write_until_cut(char *folder, const char *mounted, const char *preload, struct ack *acks)
{
	int pipes[2];
	uint16_t moment;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return 0;
	fcntl(pipes[0], F_SETPIPE_SZ, 1 << 20);
	pid_t writer = start_self((char[]){"write"}, folder, preload, pipes[1]);
	close(pipes[1]);
	random_bytes(&moment, sizeof moment);
	usleep(30000 + moment % 150000);
	kill(writer, SIGSTOP);
	waitpid(writer, NULL, WUNTRACED);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	size_t count = read_acks(pipes[0], acks);
	if (!cut_power(mounted))
		perror("EXT4_IOC_SHUTDOWN");
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	close(pipes[0]);
	return count;
}

static bool one_cut(bool under_load, const char *preload, struct tally *tally)
{
	static struct ack acks[ACKS_MAX];
	char image[] = "image", mounted[] = "mounted", folder[] = "mounted/store";
	unlink(image);
	int fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), status;
	if (fd < 0 || ftruncate(fd, IMAGE_MB * 1048576L) != 0)
		return false;
	close(fd);
	if (!run((char *[]){(char[]){"mkfs.ext4"}, (char[]){"-q"}, (char[]){"-F"}, image, NULL}) ||
	    !mount_image(image, mounted) || mkdir(folder, 0700) != 0)
		return false;
	sync();
	pid_t maker = start_self((char[]){"init"}, folder, under_load ? NULL : preload, STDOUT_FILENO);
	if (waitpid(maker, &status, 0) != maker || status != 0)
		return false;
	size_t count = 0;
	if (under_load)
		count = write_until_cut(folder, mounted, preload, acks);
	else
		cut_power(mounted);
	if (umount(mounted) != 0 || !mount_image(image, mounted))
		return false;
	hold_against(folder, acks, count, tally);
	return umount2(mounted, MNT_DETACH) == 0;
}

static int cuts(bool under_load, unsigned count, const char *preload)
{
	char scratch[] = "/tmp/warren-power-XXXXXX";
	struct tally tally = {0};
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    !mkdtemp(scratch) || chdir(scratch) != 0 || mkdir("mounted", 0700) != 0) {
		perror("power: a mount namespace and a scratch folder");
		return 1;
	}
	bool made = true;
	while (made && tally.cuts < count)
		made = one_cut(under_load, preload, &tally);
	if (!made)
		perror("power: loop device, mkfs.ext4 or mount");
	unlink("image");
	rmdir("mounted");
	if (chdir("/") == 0)
		rmdir(scratch);
	printf("cuts=%u lossy=%u unopened=%u acknowledged=%" PRIu64 " lost=%" PRIu64 " wrong=%" PRIu64 "\n",
	       tally.cuts, tally.lossy, tally.unopened, tally.acknowledged, tally.lost, tally.wrong);
	return made ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "write") == 0)
		return write_blobs(argv[2]);
	if (argc == 3 && strcmp(argv[1], "init") == 0 && argv[2][0] == 'm')
		return init_store(argv[2]);
	bool load = argc >= 3 && strcmp(argv[1], "cut") == 0;
	if (!load && !(argc >= 3 && strcmp(argv[1], "init") == 0)) {
		fprintf(stderr, "usage: power cut|init N [PRELOAD]\n");
		return 2;
	}
	return cuts(load, (unsigned)strtoul(argv[2], NULL, 10), argc > 3 ? argv[3] : NULL);
}
