/* Listeners: who is in the way, and who is not. Loopback only. */
#include "scratch.h"
#include "supervisor/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct scratch scratch;
static struct machine machine;
static struct why why;

static void begin(void)
{
	scratch = scratch_make();
	cr_assert_eq(mkdirat(scratch.fd, "run", 0755), 0);
	machine = (struct machine){.run = openat(scratch.fd, "run", O_PATH | O_DIRECTORY)};
	snprintf(machine.root, sizeof machine.root, "%s", scratch.path);
}

static void end(void)
{
	scratch_end(&scratch);
}

TestSuite(listen, .init = begin, .fini = end);

static int connects(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/run/%s", scratch.path, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static mode_t mode_of(const char *name)
{
	struct stat at;
	cr_assert_eq(fstatat(machine.run, name, &at, 0), 0);
	cr_assert(S_ISSOCK(at.st_mode));
	return at.st_mode & 07777;
}

Test(listen, a_door_is_for_root_or_for_a_group)
{
	int own = listen_unix(&machine, "own.sock", (struct door){0}, &why);
	int grouped = listen_unix(&machine, "group.sock", (struct door){true, getegid()}, &why);
	cr_assert(own >= 0 && grouped >= 0, "%s", why.text);
	cr_assert_eq(mode_of("own.sock"), 0600);
	cr_assert_eq(mode_of("group.sock"), 0660);
	cr_assert_geq(connects("own.sock"), 0);
	cr_assert_eq(fcntl(own, F_GETFD), FD_CLOEXEC);
	cr_assert(fcntl(own, F_GETFL) & O_NONBLOCK);
	listen_unix_end(&machine, "own.sock");
	cr_assert_neq(faccessat(machine.run, "own.sock", F_OK, 0), 0);
}

Test(listen, a_socket_left_behind_is_replaced)
{
	int first = listen_unix(&machine, "a.sock", (struct door){0}, &why);
	cr_assert_geq(first, 0, "%s", why.text);
	close(first);
	cr_assert_eq(mode_of("a.sock"), 0600, "its name is still there");
	int second = listen_unix(&machine, "a.sock", (struct door){0}, &why);
	cr_assert_geq(second, 0, "%s", why.text);
	cr_assert_geq(connects("a.sock"), 0);
}

Test(listen, a_socket_that_somebody_listens_on_is_not_stolen)
{
	int first = listen_unix(&machine, "a.sock", (struct door){0}, &why);
	cr_assert_lt(listen_unix(&machine, "a.sock", (struct door){0}, &why), 0);
	cr_assert_not_null(strstr(why.text, "somebody else listens"));
	cr_assert_geq(connects("a.sock"), 0, "the first one still answers");
	close(first);
}

Test(listen, one_whose_backlog_is_full_is_not_dead)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/run/full.sock", scratch.path);
	int busy = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(busy, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(busy, 0), 0);
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(fd, (struct sockaddr *)&address, sizeof address);
	}
	cr_assert_lt(listen_unix(&machine, "full.sock", (struct door){0}, &why), 0);
}

Test(listen, what_is_no_socket_is_left_alone)
{
	scratch_write(&scratch, "run/a.sock", 0600, "precious");
	cr_assert_lt(listen_unix(&machine, "a.sock", (struct door){0}, &why), 0);
	cr_assert_eq(faccessat(machine.run, "a.sock", F_OK, 0), 0);
	cr_assert_eq(symlinkat("elsewhere", machine.run, "b.sock"), 0);
	cr_assert_lt(listen_unix(&machine, "b.sock", (struct door){0}, &why), 0);
}

static uint16_t some_port(int *fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(*fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(getsockname(*fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

Test(listen, a_taken_port_is_named_with_its_holder)
{
	int fd;
	char wanted[32];
	uint16_t port = some_port(&fd);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_lt(listen_tcp("127.0.0.1", port, &why), 0);
	snprintf(wanted, sizeof wanted, "port %u", port);
	cr_assert_not_null(strstr(why.text, wanted), "%s", why.text);
	snprintf(wanted, sizeof wanted, "(pid %d)", getpid());
	cr_assert_not_null(strstr(why.text, wanted), "%s", why.text);
	cr_assert_not(port_is_free("127.0.0.1", port, &why));
	close(fd);
	cr_assert(port_is_free("127.0.0.1", port, &why), "%s", why.text);
	cr_assert(port_is_free("127.0.0.1", port, &why), "looking does not take it");
}

Test(listen, a_listener_waits_for_nobody_and_is_not_inherited)
{
	int fd;
	uint16_t port = some_port(&fd);
	close(fd);
	fd = listen_tcp("127.0.0.1", port, &why);
	cr_assert_geq(fd, 0, "%s", why.text);
	cr_assert_eq(accept(fd, NULL, NULL), -1);
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_assert_lt(listen_tcp("localhost", port, &why), 0, "names are not looked up");
}

Test(listen, one_that_was_shut_down_by_whoever_inherited_it_is_known_to_be_dead)
{
	int fd, tcp, local = listen_unix(&machine, "a.sock", (struct door){0}, &why);
	uint16_t port = some_port(&fd);
	close(fd);
	tcp = listen_tcp("127.0.0.1", port, &why);
	cr_assert(listener_lives(local));
	cr_assert(listener_lives(tcp));
	cr_assert_geq(connects("a.sock"), 0);
	cr_assert(listener_lives(local), "also with somebody in its backlog");
	cr_assert_eq(shutdown(local, SHUT_RD), 0);
	cr_assert_eq(shutdown(tcp, SHUT_RD), 0);
	cr_assert_not(listener_lives(local));
	cr_assert_not(listener_lives(tcp));
	close(local);
	close(tcp);
	cr_assert_not(listener_lives(tcp));
	cr_assert_geq(listen_unix(&machine, "a.sock", (struct door){0}, &why), 0, "%s", why.text);
	cr_assert_geq(listen_tcp("127.0.0.1", port, &why), 0, "%s", why.text);
}
