/* A machine on disk: what is made, what is refused. Runs as whoever runs the tests, so the machine is a machine without root
 * or one of root's; what is asked here holds for both. */
#include "scratch.h"
#include "supervisor/machine.h"
#include "supervisor/make.h"
#include "supervisor/unlock.h"

#include <signal.h>
#include <sys/wait.h>

static struct scratch scratch;
static struct machine machine;
static struct why why;

/* Built by hand as one without root, so that no uids of this host are claimed. */
static void begin(void)
{
	static const char *const folders[] = {"etc",  "bin",   "run",           "machine",   "machine/empty",
					      "logs", "node1", "node1/storage", "node1/keys"};
	scratch = scratch_make();
	for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
		cr_assert_eq(mkdirat(scratch.fd, folders[i], i < 5 || i == 6 ? 0755 : 0700), 0);
	scratch_write(&scratch, "bin/warren-store", 0711, "program");
	cr_assert(machine_open_root(&machine, scratch.path, &why), "%s", why.text);
	machine.own = openat(machine.fd, "machine", O_PATH | O_DIRECTORY | O_CLOEXEC);
	machine.bin = openat(machine.fd, "bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
	machine.run = openat(machine.fd, "run", O_PATH | O_DIRECTORY | O_CLOEXEC);
	machine.etc = openat(machine.fd, "etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	why.text[0] = '\0';
}

static void end(void)
{
	machine_close(&machine);
	scratch_end(&scratch);
}

TestSuite(machine, .init = begin, .fini = end);

static void mode(const char *name, mode_t to)
{
	cr_assert_eq(fchmodat(scratch.fd, name, to, 0), 0);
}

static void assert_place(bool opens, enum kind kind, uint16_t node, const char *word)
{
	int fd = place_open(&machine, kind, node, &why);
	cr_assert_eq(fd >= 0, opens, "%s", why.text);
	if (!opens)
		cr_assert_not_null(strstr(why.text, word), "%s", why.text);
	close(fd);
}

static void assert_program(bool opens, const char *word)
{
	bool readable;
	int fd = program_open(&machine, STORE, &readable, &why);
	cr_assert_eq(fd >= 0, opens, "%s", why.text);
	if (!opens)
		cr_assert_not_null(strstr(why.text, word), "%s", why.text);
	close(fd);
}

Test(machine, places_are_where_the_layout_says)
{
	char path[PATH_TEXT];
	cr_assert_str_eq(place_path(STORE, 2, path), "node2/storage");
	cr_assert_str_eq(place_path(WALLET, 2, path), "node2/keys");
	cr_assert_str_eq(place_path(SCRIBE, 0, path), "logs");
	cr_assert_str_eq(place_path(GATEWAY, 2, path), "machine/empty");
	cr_assert_str_eq(place_path(BROKER, 0, path), "machine/empty");
}

Test(machine, only_who_seals_is_given_a_secret)
{
	for (unsigned kind = 1; kind < READER; kind++)
		cr_assert_eq(place_has_secret((enum kind)kind), kind == STORE || kind == WALLET, "%u", kind);
}

Test(machine, a_place_is_its_process_s_own_and_closed_to_others)
{
	assert_place(true, STORE, 1, "");
	assert_place(true, WALLET, 1, "");
	assert_place(true, BROKER, 0, "");
	mode("node1/storage", 0750);
	assert_place(false, STORE, 1, "mode 750");
	mode("node1/storage", 0701);
	assert_place(false, STORE, 1, "mode 701");
	mode("node1/storage", 0700);
	machine.own_uid++;
	assert_place(false, STORE, 1, "belongs to uid");
}

Test(machine, a_place_that_is_missing_is_not_made)
{
	assert_place(false, STORE, 2, "mounted");
	cr_assert_eq(unlinkat(scratch.fd, "node1/storage", AT_REMOVEDIR), 0);
	assert_place(false, STORE, 1, "mounted");
	cr_assert_neq(faccessat(scratch.fd, "node1/storage", F_OK, 0), 0);
}

Test(machine, a_place_reached_by_a_link_is_refused)
{
	cr_assert_eq(renameat(scratch.fd, "node1/storage", scratch.fd, "elsewhere"), 0);
	cr_assert_eq(symlinkat("../elsewhere", scratch.fd, "node1/storage"), 0);
	assert_place(false, STORE, 1, "");
	cr_assert_eq(renameat(scratch.fd, "node1", scratch.fd, "away"), 0);
	cr_assert_eq(symlinkat("away", scratch.fd, "node1"), 0);
	assert_place(false, WALLET, 1, "");
}

Test(machine, a_place_whose_parent_others_can_write_is_refused)
{
	mode("node1", 0777);
	assert_place(false, STORE, 1, "can be written by others");
}

Test(machine, a_program_is_only_ours_to_change)
{
	assert_program(true, "");
	mode("bin/warren-store", 0731);
	assert_program(false, "can be written by others");
	mode("bin/warren-store", 0713);
	assert_program(false, "can be written by others");
	mode("bin/warren-store", 04711);
	assert_program(false, "set-user-ID");
	mode("bin/warren-store", 02711);
	assert_program(false, "set-user-ID");
	mode("bin/warren-store", 0600);
	assert_program(false, "cannot be executed");
	mode("bin/warren-store", 0711);
	assert_program(true, "");
	mode("bin", 0775);
	assert_program(false, "bin can be written by others");
	mode("bin", 0755);
	mode(".", 0757);
	assert_program(false, "can be written by others");
}

Test(machine, a_program_is_a_file_that_is_there)
{
	cr_assert_eq(renameat(scratch.fd, "bin/warren-store", scratch.fd, "bin/x"), 0);
	assert_program(false, "scripts/up");
	cr_assert_eq(symlinkat("x", scratch.fd, "bin/warren-store"), 0);
	assert_program(false, "not a file");
	cr_assert_eq(unlinkat(scratch.fd, "bin/warren-store", 0), 0);
	cr_assert_eq(mkdirat(scratch.fd, "bin/warren-store", 0755), 0);
	assert_program(false, "not a file");
}

Test(machine, a_program_that_its_process_could_read_is_known_to_be)
{
	bool readable = true;
	bool owner = geteuid() != 0;
	mode("bin/warren-store", owner ? 0111 : 0711);
	int fd = program_open(&machine, STORE, &readable, &why);
	cr_assert_geq(fd, 0, "%s", why.text);
	cr_assert_not(readable);
	close(fd);
	mode("bin/warren-store", 0755);
	fd = program_open(&machine, STORE, &readable, &why);
	cr_assert(readable);
	close(fd);
}

Test(machine, a_root_that_others_can_write_is_refused)
{
	struct machine other;
	mode(".", 0777);
	cr_assert_not(machine_open_root(&other, scratch.path, &why));
	machine_close(&other);
	mode(".", 0755);
	cr_assert(machine_open_root(&other, scratch.path, &why));
	machine_close(&other);
}

Test(machine, a_root_too_long_for_a_socket_is_refused)
{
	char path[ROOT_TEXT + 64];
	struct machine other;
	snprintf(path, sizeof path, "%s/%0*d", scratch.path, ROOT_TEXT - (int)strlen(scratch.path) - 1, 0);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_not(machine_open_root(&other, path, &why));
	cr_assert_not_null(strstr(why.text, "too long"));
	path[strlen(path) - 1] = '\0';
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert(machine_open_root(&other, path, &why), "%s", why.text);
	machine_close(&other);
}

Test(machine, a_second_lock_is_refused_with_the_pid_of_the_first)
{
	int ready[2];
	char byte;
	pid_t holder;
	cr_assert_eq(pipe(ready), 0);
	pid_t first = fork();
	if (first == 0) {
		bool locked = machine_lock(&machine, &holder);
		if (write(ready[1], locked ? "y" : "n", 1) == 1)
			pause();
		_exit(1);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	cr_assert_eq(byte, 'y');
	cr_assert_not(machine_lock(&machine, &holder));
	cr_assert_eq(holder, first);
	cr_assert(machine_held(&machine, &holder));
	cr_assert_eq(holder, first);
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	cr_assert_not(machine_held(&machine, &holder), "the lock dies with its holder");
	cr_assert(machine_lock(&machine, &holder));
}

Test(machine, a_file_is_written_whole_or_not_at_all)
{
	char text[16] = "";
	cr_assert(make_file(scratch.fd, "file", 0644, "one"));
	cr_assert(make_file(scratch.fd, "file", 0640, "two"));
	int fd = openat(scratch.fd, "file", O_RDONLY);
	cr_assert_eq(read(fd, text, sizeof text), 3);
	cr_assert_str_eq(text, "two");
	close(fd);
	cr_assert_neq(faccessat(scratch.fd, "file.new", F_OK, 0), 0);
	cr_assert_eq(mkdirat(scratch.fd, "file.new", 0755), 0);
	cr_assert_not(make_file(scratch.fd, "file", 0644, "three"), "there is no place to prepare it");
	cr_assert_eq(faccessat(scratch.fd, "file", F_OK, 0), 0, "and the old one is still there");
	cr_assert_eq(mkdirat(scratch.fd, "folder", 0755), 0);
	cr_assert_not(make_file(scratch.fd, "folder", 0644, "three"), "nothing is put in a folder's place");
}

Test(machine, removing_follows_no_link)
{
	cr_assert_eq(mkdirat(scratch.fd, "half", 0755), 0);
	cr_assert_eq(mkdirat(scratch.fd, "half/in", 0755), 0);
	scratch_write(&scratch, "half/in/file", 0600, "x");
	scratch_write(&scratch, "precious", 0600, "x");
	cr_assert_eq(symlinkat("../node1", scratch.fd, "half/link"), 0);
	cr_assert_eq(symlinkat("../precious", scratch.fd, "half/other"), 0);
	cr_assert(disk_remove(scratch.fd, "half"));
	cr_assert_neq(faccessat(scratch.fd, "half", F_OK, 0), 0);
	cr_assert_eq(faccessat(scratch.fd, "node1/storage", F_OK, 0), 0);
	cr_assert_eq(faccessat(scratch.fd, "precious", F_OK, 0), 0);
	cr_assert(disk_remove(scratch.fd, "half"), "gone is gone");
	cr_assert(disk_remove_below(scratch.fd, "no-folder", "half"));
}

/* -- the unlock secret ------------------------------------------------------------------------- */

static bool load(struct unlock *unlock)
{
	return unlock_load(unlock, machine.own, "machine", &why);
}

Test(machine, an_unlock_secret_is_drawn_once)
{
	struct unlock one, two;
	unsetenv("CREDENTIALS_DIRECTORY");
	cr_assert_not(load(&one), "there is none yet");
	cr_assert(unlock_make(machine.own, "machine", &why), "%s", why.text);
	struct stat at;
	cr_assert_eq(fstatat(machine.own, "unlock", &at, 0), 0);
	cr_assert_eq(at.st_mode & 07777, 0400);
	cr_assert_eq(at.st_size, 32);
	cr_assert(load(&one), "%s", why.text);
	cr_assert(unlock_make(machine.own, "machine", &why));
	cr_assert(load(&two), "%s", why.text);
	cr_assert_eq(one.length, two.length);
	cr_assert_arr_eq(one.page, two.page, one.length, "it is not drawn again");
	unlock_forget(&one);
	cr_assert_null(one.page);
	unlock_forget(&two);
}

Test(machine, an_unlock_secret_that_others_can_read_is_refused)
{
	struct unlock unlock;
	unsetenv("CREDENTIALS_DIRECTORY");
	cr_assert(unlock_make(machine.own, "machine", &why));
	mode("machine/unlock", 0440);
	cr_assert_not(load(&unlock));
	mode("machine/unlock", 0404);
	cr_assert_not(load(&unlock));
	mode("machine/unlock", 0600);
	cr_assert(load(&unlock), "%s", why.text);
	unlock_forget(&unlock);
}

Test(machine, an_unlock_secret_that_is_too_short_is_refused)
{
	struct unlock unlock;
	unsetenv("CREDENTIALS_DIRECTORY");
	scratch_write(&scratch, "machine/unlock", 0400, "fifteen letters");
	cr_assert_not(load(&unlock));
	scratch_write(&scratch, "machine/unlock", 0400, "sixteen letters!");
	cr_assert(load(&unlock), "%s", why.text);
	unlock_forget(&unlock);
}

Test(machine, a_credential_of_the_service_manager_wins)
{
	struct unlock unlock;
	char path[128];
	snprintf(path, sizeof path, "%s/etc", scratch.path);
	setenv("CREDENTIALS_DIRECTORY", path, 1);
	scratch_write(&scratch, "etc/unlock", 0400, "the credential's own bytes");
	cr_assert(unlock_make(machine.own, "machine", &why));
	cr_assert_neq(faccessat(machine.own, "unlock", F_OK, 0), 0, "no file is made beside it");
	cr_assert(load(&unlock), "%s", why.text);
	cr_assert_eq(unlock.length, 26);
	unlock_forget(&unlock);
}

Test(machine, every_process_has_a_secret_of_its_own)
{
	struct unlock unlock;
	uint8_t secrets[4][32], again[32];
	unsetenv("CREDENTIALS_DIRECTORY");
	scratch_write(&scratch, "machine/unlock", 0400, "0123456789abcdef");
	cr_assert(load(&unlock));
	unlock_derive(&unlock, WALLET, 1, secrets[0]);
	unlock_derive(&unlock, WALLET, 2, secrets[1]);
	unlock_derive(&unlock, STORE, 1, secrets[2]);
	unlock_derive(&unlock, STORE, 12, secrets[3]);
	unlock_derive(&unlock, WALLET, 1, again);
	cr_assert_arr_eq(secrets[0], again, 32, "and the same one every time");
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			cr_assert_arr_neq(secrets[i], secrets[j], 32);
	/* HKDF-SHA-256, key as above, no salt, info "warren wallet node 1"; computed with Python's hmac. */
	static const uint8_t known[] = {
		0x83, 0x88, 0x0d, 0x06, 0x40, 0xd1, 0x53, 0xd5, 0x7a, 0x8c, 0x8c,
		0x5c, 0x19, 0x44, 0x85, 0xb4, 0x98, 0x7d, 0x37, 0x78, 0xb1, 0x82,
		0x31, 0x76, 0x93, 0xab, 0xb6, 0x9c, 0x92, 0xe5, 0xcd, 0x93,
	};
	cr_assert_arr_eq(secrets[0], known, 32);
	unlock_forget(&unlock);
}

Test(machine, a_child_does_not_inherit_the_unlock_secret)
{
	struct unlock unlock;
	unsetenv("CREDENTIALS_DIRECTORY");
	scratch_write(&scratch, "machine/unlock", 0400, "0123456789abcdef");
	cr_assert(load(&unlock));
	int status;
	pid_t child = fork();
	if (child == 0) {
		uint8_t any = 0;
		for (size_t i = 0; i < UNLOCK_MOST; i++)
			any |= unlock.page[i];
		_exit(any ? 1 : 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_assert_eq(unlock.page[0], '0', "and we still have it");
	unlock_forget(&unlock);
}
