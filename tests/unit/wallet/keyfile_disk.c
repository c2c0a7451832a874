/* The key file on a disk: what is opened, what is not, and a death at every step of writing it. */
#include "tests/unit/wallet/folder.h"

#include "actors/base/crypto/crypto.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct folder folder;

static void setup(void)
{
	folder_make(&folder);
}

static void teardown(void)
{
	folder_remove(&folder);
}

TestSuite(keyfile_disk, .init = setup, .fini = teardown);

static void expect_file(enum keyfile_end expected, const char *what)
{
	expect_opened(&folder, folder_open(&folder), expected, what, 0);
}

Test(keyfile_disk, written_and_opened)
{
	struct stat about;
	mode_t before = umask(0777);
	expect_file(KEYFILE_ABSENT, "an empty folder");
	cr_assert_eq(folder_write(&folder), KEYFILE_OK);
	umask(before);
	cr_assert_eq(fstatat(folder.fd, KEYFILE_NAME, &about, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect_eq(about.st_mode, (mode_t)(S_IFREG | 0600), "mode %o", about.st_mode);
	cr_expect_eq(about.st_size, KEYFILE_BYTES);
	cr_expect_eq(folder_entries(&folder), 1U, "no temporary is left");
	cr_expect(keyfile_sync(folder.fd));
	expect_file(KEYFILE_OK, "the file");
}

Test(keyfile_disk, truncated_at_every_length)
{
	uint8_t whole[KEYFILE_BYTES + 1] = {0};
	keyfile_seal(NODE, folder.secret, folder.keys, whole);
	for (size_t length = 0; length <= sizeof whole; length++) {
		folder_put(&folder, whole, length);
		expect_opened(&folder, folder_open(&folder),
			      length == KEYFILE_BYTES ? KEYFILE_OK : KEYFILE_DAMAGED, "length", length);
	}
}

Test(keyfile_disk, each_byte_flipped)
{
	uint8_t whole[KEYFILE_BYTES];
	keyfile_seal(NODE, folder.secret, folder.keys, whole);
	for (size_t byte = 0; byte < sizeof whole; byte++) {
		whole[byte] ^= 0xff;
		folder_put(&folder, whole, sizeof whole);
		expect_opened(&folder, folder_open(&folder), KEYFILE_DAMAGED, "byte", byte);
		whole[byte] ^= 0xff;
	}
}

Test(keyfile_disk, a_huge_file)
{
	static uint8_t huge[1 << 20];
	keyfile_seal(NODE, folder.secret, folder.keys, huge);
	folder_put(&folder, huge, sizeof huge);
	expect_file(KEYFILE_DAMAGED, "1 MiB");
}

Test(keyfile_disk, only_a_mode_that_shuts_others_out)
{
	cr_assert_eq(folder_write(&folder), KEYFILE_OK);
	for (mode_t mode = 0; mode < 010000; mode++) {
		if ((mode & 0400) ==
		    0) /* root may read it even so; what others may do is tested with the rest */
			continue;
		cr_assert_eq(fchmodat(folder.fd, KEYFILE_NAME, mode, 0), 0);
		bool shut = (mode & 07077) == 0;
		expect_opened(&folder, folder_open(&folder), shut ? KEYFILE_OK : KEYFILE_UNSAFE, "mode",
			      mode);
	}
}

Test(keyfile_disk, of_another_user)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	cr_assert_eq(folder_write(&folder), KEYFILE_OK);
	cr_assert_eq(fchownat(folder.fd, KEYFILE_NAME, 65534, (gid_t)-1, 0), 0);
	expect_file(KEYFILE_UNSAFE, "owner 65534");
}

Test(keyfile_disk, only_a_plain_file)
{
	cr_assert_eq(folder_write(&folder), KEYFILE_OK);
	cr_assert_eq(renameat(folder.fd, KEYFILE_NAME, folder.fd, "elsewhere"), 0);
	cr_assert_eq(symlinkat("elsewhere", folder.fd, KEYFILE_NAME), 0);
	expect_file(KEYFILE_UNSAFE, "a link to a good file");
	cr_assert_eq(unlinkat(folder.fd, KEYFILE_NAME, 0), 0);

	cr_assert_eq(mkfifoat(folder.fd, KEYFILE_NAME, 0600), 0);
	expect_file(KEYFILE_UNSAFE, "a FIFO");
	cr_assert_eq(unlinkat(folder.fd, KEYFILE_NAME, 0), 0);

	cr_assert_eq(mkdirat(folder.fd, KEYFILE_NAME, 0700), 0);
	expect_file(KEYFILE_UNSAFE, "a folder");
	cr_assert_eq(unlinkat(folder.fd, KEYFILE_NAME, AT_REMOVEDIR), 0);

	struct sockaddr_un name = {.sun_family = AF_UNIX};
	snprintf(name.sun_path, sizeof name.sun_path, "%.60s/" KEYFILE_NAME, folder.path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
	expect_file(KEYFILE_UNSAFE, "a socket");
	close(listener);
}

Test(keyfile_disk, never_overwritten)
{
	uint8_t before[KEYFILE_BYTES], after[KEYFILE_BYTES];
	cr_assert_eq(folder_write(&folder), KEYFILE_OK);
	folder_get(&folder, before, sizeof before);
	cr_expect_eq(folder_write(&folder), KEYFILE_EXISTS);
	folder_get(&folder, after, sizeof after);
	cr_expect_arr_eq(before, after, sizeof before);

	folder_put(&folder, "rubbish", 7); /* not even a damaged one: it may be mended yet */
	cr_expect_eq(folder_write(&folder), KEYFILE_EXISTS);
	cr_expect_eq(folder_get(&folder, after, sizeof after), (size_t)7);

	cr_assert_eq(unlinkat(folder.fd, KEYFILE_NAME, 0), 0);
	cr_assert_eq(symlinkat("nowhere", folder.fd, KEYFILE_NAME), 0);
	cr_expect_eq(folder_write(&folder), KEYFILE_EXISTS);
	cr_expect_eq(folder_entries(&folder), 1U, "nothing was made through the link");
}

/* What an earlier death left, or somebody planted, under the temporary's name. */
Test(keyfile_disk, a_stale_temporary)
{
	struct stat about;
	cr_assert_eq(symlinkat("target", folder.fd, KEYFILE_TEMP), 0);
	cr_expect_eq(folder_write(&folder), KEYFILE_OK);
	cr_expect_lt(fstatat(folder.fd, "target", &about, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect_eq(folder_entries(&folder), 1U);
	expect_file(KEYFILE_OK, "after a planted link");

	cr_assert_eq(mkdirat(folder.fd, KEYFILE_TEMP, 0700), 0);
	cr_assert_eq(unlinkat(folder.fd, KEYFILE_NAME, 0), 0);
	cr_expect_eq(folder_write(&folder), KEYFILE_DISK);
	expect_file(KEYFILE_ABSENT, "after a planted folder");
}

Test(keyfile_disk, one_writer_at_a_time)
{
	int other = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(flock(other, LOCK_EX), 0);
	cr_expect_eq(folder_write(&folder), KEYFILE_DISK);
	cr_expect_eq(errno, EWOULDBLOCK);
	cr_expect_eq(folder_entries(&folder), 0U);
	close(other);
	cr_expect_eq(folder_write(&folder), KEYFILE_OK);
}

/* The disk takes `limit` bytes of a file and no more. */
static enum keyfile_end write_with_limit(rlim_t limit)
{
	pid_t child = fork();
	if (child == 0) {
		/* The folder's own keys are secret memory, which a child does not have. */
		struct rlimit rlimit = {limit, limit};
		struct wallet_keys *keys = fixed_keys(folder.signer);
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &rlimit) != 0)
			_exit(99);
		enum keyfile_end end = keyfile_write(folder.fd, NODE, folder.secret, keys);
		_exit(end == KEYFILE_DISK && errno != EFBIG ? 98 : (int)end);
	}
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status), "status %x", (unsigned)status);
	return (enum keyfile_end)WEXITSTATUS(status);
}

Test(keyfile_disk, a_disk_that_refuses)
{
	for (rlim_t limit = 0; limit < KEYFILE_BYTES; limit += 31) {
		cr_expect_eq(write_with_limit(limit), KEYFILE_DISK, "%lu", (unsigned long)limit);
		cr_expect_eq(folder_entries(&folder), 0U, "%lu", (unsigned long)limit);
	}
	cr_expect_eq(write_with_limit(KEYFILE_BYTES), KEYFILE_OK);
	expect_file(KEYFILE_OK, "when there is room");
}

/* -- a death at each step -- */

/* The process dies when it makes this system call; `argument` -1: with any arguments, else only when argument
 * `index` is that. */
struct step {
	const char *name;
	int number;
	unsigned index;
	int argument;
	bool written; /* whether the file must be there after that death */
};

static bool die_at(const struct step *step)
{
	uint32_t argument = offsetof(struct seccomp_data, args) + 8 * step->index;
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)step->number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument), /* the low half; little-endian */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)step->argument, 0, step->argument < 0 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void die_while_writing(const struct step *step)
{
	pid_t child = fork();
	if (child == 0) {
		struct wallet_keys *keys = fixed_keys(folder.signer);
		if (die_at(step))
			keyfile_write(folder.fd, NODE, folder.secret, keys);
		_exit(0);
	}
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status), "%s was never reached: %x", step->name, (unsigned)status);
}

/* After each death there is no file or a whole one, and the next --init goes on from there. */
Test(keyfile_disk, a_death_at_each_step)
{
	const struct step steps[] = {
		{"lock", SYS_flock, 1, LOCK_EX | LOCK_NB, false},
		{"look", SYS_newfstatat, 0, -1, false},
		{"sweep", SYS_unlinkat, 0, -1, false},
		{"create", SYS_openat, 0, folder.fd, false},
		{"mode", SYS_fchmod, 0, -1, false},
		{"write", SYS_write, 2, KEYFILE_BYTES, false},
		{"sync", SYS_fsync, 0, -1, false},
		{"rename", SYS_renameat, 0, -1, false},
		{"sync the folder", SYS_fsync, 0, folder.fd, true},
		{"unlock", SYS_flock, 1, LOCK_UN, true},
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		die_while_writing(&steps[i]);
		expect_file(steps[i].written ? KEYFILE_OK : KEYFILE_ABSENT, steps[i].name);
		cr_expect_eq(folder_write(&folder), steps[i].written ? KEYFILE_EXISTS : KEYFILE_OK, "%s",
			     steps[i].name);
		expect_file(KEYFILE_OK, steps[i].name);
		cr_expect_eq(folder_entries(&folder), 1U, "%s: the temporary is swept", steps[i].name);
		cr_assert_eq(unlinkat(folder.fd, KEYFILE_NAME, 0), 0);
	}
}
