/* Stands where anvil would, in the foreign row's jail, and tries what a foreign program must not be able to do. Writes a line for each
 * attempt, "<name> <errno, or 0: it worked>", into `tried` in its own folder, and stays until it is ended.
 * ROOT of the machine and the port of its node stand in `root`, there too: the test put them in. Runs as the uid of anvil. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *tried;
static char root[256];

static void say(const char *name, long result)
{
	fprintf(tried, "%s %d\n", name, result < 0 ? errno : 0);
}

static void open_at(const char *name, const char *below, int flags)
{
	char path[512];
	snprintf(path, sizeof path, "%s%s", *below == '/' ? "" : root, below);
	say(name, open(path, flags | O_CLOEXEC, 0600));
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void dial(const char *name, int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	say(name, fd < 0 ? fd : connect(fd, (struct sockaddr *)&address, sizeof address));
}

static int bind_to(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	return fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4) != 0
		       ? -1
		       : fd;
}

static void bus(const char *name, const char *folder, const char *socket_name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, socket_name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	say(name, length >= (int)sizeof address.sun_path
			  ? -1
			  : connect(fd, (struct sockaddr *)&address, sizeof address));
}

static void files(void)
{
	char sockets[300];
	open_at("read-wallet", "node1/keys/wallet.keys", O_RDONLY);
	open_at("read-store", "node1/storage/arena", O_RDONLY);
	open_at("read-unlock", "machine/unlock", O_RDONLY);
	open_at("list-node", "node1", O_RDONLY | O_DIRECTORY);
	open_at("read-config", "etc/warren.conf", O_RDONLY);
	open_at("write-etc", "/etc/warren-was-here", O_WRONLY | O_CREAT);
	open_at("write-tmp", "/tmp/warren-was-here", O_WRONLY | O_CREAT);
	open_at("read-passwd", "/etc/passwd", O_RDONLY);
	snprintf(sockets, sizeof sockets, "%srun", root);
	bus("bus", sockets, "bus.sock");
	bus("operate", sockets, "operate.sock");
	bus("bus-inside", "/run/warren/run", "bus.sock");
}

static void kernel(void)
{
	struct rlimit open_files;
	char *none[] = {NULL};
	say("kill", kill(getppid(), SIGSTOP));
	say("fork", fork());
	say("exec", execve("/bin/true", none, none));
	say("setuid", setuid(0));
	say("userns", unshare(CLONE_NEWUSER));
	say("mount", mount("none", "/", "tmpfs", 0, NULL));
	say("ptrace", syscall(SYS_ptrace, 16, getppid(), 0, 0)); /* PTRACE_ATTACH */
	say("udp", socket(AF_INET, SOCK_DGRAM, 0));
	getrlimit(RLIMIT_NOFILE, &open_files);
	fprintf(tried, "files %llu\n", (unsigned long long)open_files.rlim_max);
}

/* --port N comes as anvil's. */
static int own_port(int count, char **arguments)
{
	for (int i = 1; i + 1 < count; i++)
		if (strcmp(arguments[i], "--port") == 0)
			return (int)strtol(arguments[i + 1], NULL, 10);
	return 0;
}

int main(int count, char **arguments)
{
	const char *home = getenv("HOME");
	int node = 0;
	if (!home || chdir(home) != 0)
		return 1;
	FILE *told = fopen("root", "re");
	char folder[200];
	if (!told || fscanf(told, "%199s %d", folder, &node) != 2)
		return 2;
	snprintf(root, sizeof root, "%s/", folder);
	tried = fopen("tried.new", "we");
	if (!tried)
		return 3;
	files();
	kernel();
	dial("dial-node", node);
	say("bind-other", bind_to(own_port(count, arguments) + 1));
	say("bind-own", bind_to(own_port(count, arguments)));
	if (fclose(tried) != 0 || rename("tried.new", "tried") != 0)
		return 4;
	for (;;)
		pause();
}
