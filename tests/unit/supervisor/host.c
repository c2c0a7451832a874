/* The machine's id: what it is made of, when it has changed; which nodes have processes. */
#include "scratch.h"
#include "supervisor/host.h"
#include "supervisor/occupied.h"

#include <sys/wait.h>

static struct scratch scratch;
static struct machine machine;

static void begin(void)
{
	scratch = scratch_make();
	machine = (struct machine){.own = scratch.fd};
}

static void end(void)
{
	scratch_end(&scratch);
}

TestSuite(host, .init = begin, .fini = end);

static bool read_id(const char *text, struct hash *id)
{
	char path[96];
	scratch_write(&scratch, "machine-id", 0444, text);
	snprintf(path, sizeof path, "%s/machine-id", scratch.path);
	return host_id_read(path, id);
}

/* Computed apart with Python: hmac.new(text, b"warren machine id 1", sha256), then Keccak-256 of "machine" and that. */
Test(host, the_id_is_a_keyed_hash_of_the_machine_id)
{
	struct hash id;
	char text[HOST_ID_TEXT];
	cr_assert(read_id("0123456789abcdef0123456789abcdef\n", &id));
	cr_assert_str_eq(host_id_text(&id, text),
			 "0x30c0ffc8a84c34fcc741e81a92121f873364bdffb028949b040acca03f537f15");
}

Test(host, what_is_no_machine_id_gives_none)
{
	struct hash id;
	cr_assert_not(read_id("", &id));
	cr_assert_not(read_id("uninitialized\n", &id));
	cr_assert_not(read_id("0123456789abcdef0123456789abcdeg\n", &id));
	cr_assert_not(read_id("0123456789abcdef0123456789abcdef0\n", &id));
	cr_assert_not(host_id_read("/nonexistent/machine-id", &id));
}

Test(host, the_first_look_keeps_it_and_another_one_is_a_change)
{
	struct hash other = {{1, 2, 3}};
	struct why why;
	struct host_id id = host_look(&machine);
	if (id.state == HOST_UNKNOWN)
		cr_skip_test("this host has no machine id");
	cr_assert_eq(id.state, HOST_NEW);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(host_look(&machine).state, HOST_SAME);
	cr_assert(host_keep(&machine, &other));
	id = host_look(&machine);
	cr_assert_eq(id.state, HOST_CHANGED);
	cr_assert_eq(memcmp(&id.kept, &other, sizeof other), 0);
	cr_assert_not(host_refuse_changed(&id, &why));
	cr_assert_not_null(strstr(why.text, "warrend reregister"));
	scratch_write(&scratch, "id", 0644, "nonsense\n");
	cr_assert_eq(host_look(&machine).state, HOST_CHANGED, "damaged is not new");
}

static int child_says_occupied(int *said)
{
	int pipes[2];
	cr_assert_eq(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = occupied_open(&machine);
		bool locked = fd >= 0 && occupied_say(fd, 7, true);
		char byte = (char)locked;
		if (write(pipes[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	char byte = 0;
	cr_assert_eq(read(pipes[0], &byte, 1), 1);
	*said = byte;
	close(pipes[0]);
	close(pipes[1]);
	return pid;
}

Test(host, a_node_is_occupied_while_the_supervisor_says_so_and_lives)
{
	int said;
	cr_assert_not(node_occupied(&machine, 7), "nobody ever ran");
	pid_t pid = child_says_occupied(&said);
	cr_assert(said);
	cr_assert(node_occupied(&machine, 7));
	cr_assert_not(node_occupied(&machine, 6));
	cr_assert_not(node_occupied(&machine, 8));
	cr_assert_not(node_wait_free(&machine, 7, 40));
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert(node_wait_free(&machine, 7, 10000), "the kernel gives it up");
	waitpid(pid, NULL, 0);
}
