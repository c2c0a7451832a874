/* ZMTP by hand. Part of the tests' harness. */
#include "tests/actor/raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { GREETING = 64, PATIENCE_MS = 5000, FLAG_MORE = 1, FLAG_LONG = 2, FLAG_COMMAND = 4 };

int raw_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	memcpy(address.sun_path, path, strlen(path));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool raw_write(int fd, const void *at, size_t length)
{
	const char *bytes = at;
	while (length) {
		ssize_t wrote = send(fd, bytes, length, MSG_NOSIGNAL);
		if (wrote < 0 && (errno == EAGAIN || errno == EINTR)) {
			struct pollfd item = {.fd = fd, .events = POLLOUT};
			if (poll(&item, 1, PATIENCE_MS) <= 0)
				return false;
			continue;
		}
		if (wrote <= 0)
			return false;
		bytes += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

long raw_drain(int fd, int ms)
{
	char bytes[4096];
	long sum = 0;
	struct pollfd item = {.fd = fd, .events = POLLIN};
	while (poll(&item, 1, ms) > 0) {
		ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return -1;
		sum += got > 0 ? got : 0;
	}
	return sum;
}

static size_t property_write(uint8_t *at, const char *name, const void *value, size_t length)
{
	uint32_t big = htonl((uint32_t)length);
	size_t name_length = strlen(name);
	at[0] = (uint8_t)name_length;
	memcpy(at + 1, name, name_length);
	memcpy(at + 1 + name_length, &big, 4);
	if (length)
		memcpy(at + 5 + name_length, value, length);
	return 5 + name_length + length;
}

bool raw_greet(int fd, const void *identity, size_t length, const char *property, const char *value)
{
	uint8_t greeting[GREETING] = {0xff, [9] = 0x7f, [10] = 3, [12] = 'N', 'U', 'L', 'L'};
	uint8_t ready[512] = {FLAG_COMMAND, 0, 5, 'R', 'E', 'A', 'D', 'Y'};
	size_t used = 8;
	used += property_write(ready + used, "Socket-Type", "DEALER", 6);
	used += property_write(ready + used, "Identity", identity, length);
	if (property)
		used += property_write(ready + used, property, value, strlen(value));
	ready[1] = (uint8_t)(used - 2);
	return used < 256 && raw_write(fd, greeting, sizeof greeting) && raw_write(fd, ready, used);
}

bool raw_frame(int fd, const void *at, size_t length, bool more)
{
	uint8_t header[9] = {more ? FLAG_MORE : 0, (uint8_t)length};
	size_t used = 2;
	if (length > UINT8_MAX) {
		header[0] |= FLAG_LONG;
		for (unsigned i = 0; i < 8; i++)
			header[1 + i] = (uint8_t)((uint64_t)length >> 8 * (7 - i));
		used = 9;
	}
	return raw_write(fd, header, used) && raw_write(fd, at, length);
}
