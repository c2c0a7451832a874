/* Makes the listeners. Runs as the supervisor; touches ROOT/run and binds the configured ports. The
 * descriptors outlive every process that uses them; the kernel closes them when the supervisor dies, and the
 * next one removes the names left behind. */
#include "supervisor/listen.h"

#include "supervisor/port_owner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* -- Unix -------------------------------------------------------------------------------------- */

static bool address_of(const struct machine *machine, const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/run/%s", machine->root, name);
	return length > 0 && length < (int)sizeof address->sun_path;
}

/* Only a refused connection proves that nobody is there; whatever else happens, somebody may be. */
static bool is_dead(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool refused =
		connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static bool make_way(const struct machine *machine, const char *name, const struct sockaddr_un *address,
		     struct why *why)
{
	struct stat at;
	if (fstatat(machine->run, name, &at, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || refuse(why, "%s: %s", address->sun_path, strerror(errno));
	if (!S_ISSOCK(at.st_mode))
		return refuse(why, "%s is in the way and is no socket; look at it, then remove it",
			      address->sun_path);
	if (!is_dead(address))
		return refuse(why, "somebody else listens on %s; find them with: ss -xlp", address->sun_path);
	return unlinkat(machine->run, name, 0) == 0 ||
	       refuse(why, "%s: %s", address->sun_path, strerror(errno));
}

/* Bound with no permission at all, then owned, then opened to its group: at no moment is it wider than at the
 * end. */
static bool open_door(const struct machine *machine, int fd, const char *name,
		      const struct sockaddr_un *address, struct door door)
{
	mode_t before = umask(0777);
	int bound = bind(fd, (const struct sockaddr *)address, sizeof *address);
	umask(before);
	if (bound != 0)
		return false;
	if (door.grouped && fchownat(machine->run, name, (uid_t)-1, door.group, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return fchmodat(machine->run, name, door.grouped ? 0660 : 0600, 0) == 0 &&
	       listen(fd, UNIX_BACKLOG) == 0;
}

int listen_unix(const struct machine *machine, const char *name, struct door door, struct why *why)
{
	struct sockaddr_un address;
	if (!address_of(machine, name, &address)) {
		refuse(why, "%s/run/%s is too long for a socket", machine->root, name);
		return -1;
	}
	if (!make_way(machine, name, &address, why))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && open_door(machine, fd, name, &address, door))
		return fd;
	refuse(why, "%s: %s", address.sun_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

bool listener_lives(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLRDHUP};
	int listens = 0;
	socklen_t length = sizeof listens;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens &&
	       poll(&look, 1, 0) >= 0 && !(look.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void listen_unix_end(const struct machine *machine, const char *name)
{
	unlinkat(machine->run, name, 0);
}

/* -- TCP --------------------------------------------------------------------------------------- */

union tcp_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t tcp_address(const char *host, uint16_t port, union tcp_address *address)
{
	*address = (union tcp_address){0};
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return sizeof address->v4;
	}
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1)
		return 0;
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons(port);
	return sizeof address->v6;
}

static int bound(const union tcp_address *address, socklen_t length)
{
	int yes = 1;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	bool fine = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
		    (address->any.sa_family == AF_INET ||
		     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) == 0) &&
		    bind(fd, &address->any, length) == 0 && listen(fd, TCP_BACKLOG) == 0;
	if (fine)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

int listen_tcp(const char *host, uint16_t port, struct why *why)
{
	union tcp_address address;
	socklen_t length = tcp_address(host, port, &address);
	int fd = length ? bound(&address, length) : -1;
	if (fd >= 0)
		return fd;
	char owner[PORT_OWNER_TEXT];
	int error = errno;
	if (!length)
		refuse(why, "%s is no numeric address", host);
	else if (errno == EADDRINUSE)
		refuse(why, "port %u on %s is in use by %s; end that, or give the node another with port = …",
		       port, host, port_owner(port, owner));
	else if (errno == EACCES)
		refuse(why, "port %u on %s is for root; take one from 1024 on, or run as root", port, host);
	else
		refuse(why, "port %u on %s: %s", port, host, strerror(errno));
	errno = error;
	return -1;
}

bool port_is_free(const char *host, uint16_t port, struct why *why)
{
	int fd = listen_tcp(host, port, why);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
