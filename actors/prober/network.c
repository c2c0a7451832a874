/* Rows 11, 12, 13 and 21: out of the jail over the network, or over what the host listens on. Nothing is sent beyond
 * 127.0.0.1. Part of the prober. */
#include "actors/prober/attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool makes(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool ends(int fd, bool through)
{
	int error = errno;
	close(fd);
	errno = error;
	return through;
}

bool attack_internet_socket(const struct target *target)
{
	(void)target;
	return makes(AF_INET, SOCK_STREAM, 0);
}

bool attack_listen_on_port(const struct target *target)
{
	(void)target;
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && ends(fd, bind(fd, (struct sockaddr *)&any, sizeof any) == 0 && listen(fd, 1) == 0);
}

static bool connects(int type, in_addr_t address, int port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(address)}};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	return fd >= 0 && ends(fd, connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
}

bool attack_dial_host(const struct target *target)
{
	return connects(SOCK_STREAM, INADDR_LOOPBACK, target->port);
}

bool attack_send_datagram(const struct target *target)
{
	return connects(SOCK_DGRAM, INADDR_LOOPBACK, target->port);
}

/* 192.0.2.0/24 is for documentation (RFC 5737). Connecting a datagram socket looks for a route and sends nothing. */
bool attack_route_out(const struct target *target)
{
	(void)target;
	return connects(SOCK_DGRAM, 0xc0000201, 9);
}

static bool opens(const struct sockaddr_un *address, size_t length)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && ends(fd, connect(fd, (const struct sockaddr *)address, (socklen_t)length) == 0);
}

bool attack_abstract_socket(const struct target *target)
{
	(void)target;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path + 1, SELFTEST_ABSTRACT, sizeof SELFTEST_ABSTRACT - 1);
	return opens(&address, offsetof(struct sockaddr_un, sun_path) + sizeof SELFTEST_ABSTRACT);
}

bool attack_host_socket(const struct target *target)
{
	(void)target;
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SELFTEST_SOCKET};
	return opens(&address, sizeof address);
}

bool attack_netlink(const struct target *target)
{
	(void)target;
	return makes(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

bool attack_raw_socket(const struct target *target)
{
	(void)target;
	return makes(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

bool attack_packet_socket(const struct target *target)
{
	(void)target;
	return makes(AF_PACKET, SOCK_DGRAM, 0);
}

/* Gives "lo" the flags that it has. */
bool attack_change_interface(const struct target *target)
{
	(void)target;
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && ends(fd, ioctl(fd, SIOCGIFFLAGS, &lo) == 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0);
}
