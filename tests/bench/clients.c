/* Clients that load a server over loopback and count what was answered well: the same generator for Warren,
 * nginx (WebDAV) and redis, so that a ratio is between servers and not between clients.
 *
 *   bench-clients warren|nginx|redis put PORT CLIENTS SIZE COUNT
 *   bench-clients warren|nginx get PORT CLIENTS SIZE COUNT        stores one blob first, then reads it
 *
 * Every blob is new. Each client is a thread with one connection and one request under way. Prints requests a
 * second. */
#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 512, CLIENTS_MAX = 256, BUFFER = 1 << 17 };
enum server { WARREN_SERVER, NGINX_SERVER, REDIS_SERVER };

struct job {
	enum server server;
	bool get;
	uint16_t port;
	size_t size;
	unsigned count;
	char path[160]; /* of what is read */
	_Atomic unsigned taken;
	_Atomic unsigned failed;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int dial(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		perror("connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static bool send_all(int fd, struct iovec *parts, int count)
{
	while (count) {
		ssize_t sent = writev(fd, parts, count);
		if (sent <= 0)
			return false;
		for (; count && (size_t)sent >= parts->iov_len; count--)
			sent -= (ssize_t)parts++->iov_len;
		if (count) {
			parts->iov_base = (uint8_t *)parts->iov_base + sent;
			parts->iov_len -= (size_t)sent;
		}
	}
	return true;
}

/* Reads one HTTP answer whole; its status, or 0. `body` (may be NULL) gets what fits in 1 KiB. */
static int http_answer(int fd, uint8_t *buffer, char *body)
{
	size_t have = 0;
	char *end = NULL;
	while (!end) {
		ssize_t got = have < BUFFER - 1 ? read(fd, buffer + have, BUFFER - 1 - have) : 0;
		if (got <= 0)
			return 0;
		have += (size_t)got;
		buffer[have] = '\0';
		end = strstr((char *)buffer, "\r\n\r\n");
	}
	const char *field = strcasestr((char *)buffer, "\r\ncontent-length:");
	size_t length = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
	int status = (int)strtol((char *)buffer + 9, NULL, 10);
	size_t past = have - (size_t)(end + 4 - (char *)buffer);
	if (body)
		snprintf(body, 1024, "%.*s", (int)past, end + 4);
	while (past < length) {
		ssize_t got = read(fd, buffer, BUFFER - 1 < length - past ? BUFFER - 1 : length - past);
		if (got <= 0)
			return 0;
		past += (size_t)got;
	}
	return status;
}

static bool redis_answer(int fd)
{
	char line[64];
	size_t have = 0;
	while (have < sizeof line - 1 && !memchr(line, '\n', have)) {
		ssize_t got = read(fd, line + have, sizeof line - 1 - have);
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return line[0] == '+';
}

static bool put(const struct job *job, int fd, const uint8_t *blob, uint8_t *buffer, char *body)
{
	char head[HEAD], tail[] = "\r\n";
	uint64_t name;
	memcpy(&name, blob, sizeof name);
	int length = 0;
	switch (job->server) {
	case WARREN_SERVER:
		length =
			snprintf(head, sizeof head,
				 "POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", job->size);
		break;
	case NGINX_SERVER:
		length = snprintf(head, sizeof head,
				  "PUT /%016llx HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
				  (unsigned long long)name, job->size);
		break;
	case REDIS_SERVER:
		length = snprintf(head, sizeof head, "*3\r\n$3\r\nSET\r\n$16\r\n%016llx\r\n$%zu\r\n",
				  (unsigned long long)name, job->size);
		break;
	}
	struct iovec parts[] = {{head, (size_t)length}, {(void *)blob, job->size}, {tail, 2}};
	if (!send_all(fd, parts, job->server == REDIS_SERVER ? 3 : 2))
		return false;
	if (job->server == REDIS_SERVER)
		return redis_answer(fd);
	int status = http_answer(fd, buffer, body);
	return status == 201 || status == 204;
}

static bool get(const struct job *job, int fd, uint8_t *buffer)
{
	char head[HEAD];
	int length = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", job->path);
	struct iovec part = {head, (size_t)length};
	return send_all(fd, &part, 1) && http_answer(fd, buffer, NULL) == 200;
}

static void *client(void *of)
{
	struct job *job = of;
	uint8_t *blob = x_new(job->size + 8), *buffer = x_new(BUFFER);
	int fd = dial(job->port);
	random_bytes(blob, job->size);
	while (atomic_fetch_add(&job->taken, 1) < job->count) {
		random_bytes(blob, 8); /* a new blob by its first bytes */
		if (!(job->get ? get(job, fd, buffer) : put(job, fd, blob, buffer, NULL)))
			job->failed++;
	}
	close(fd);
	x_free(&blob);
	x_free(&buffer);
	return NULL;
}

/* Stores what is going to be read and notes its path. */
static bool prepare(struct job *job)
{
	uint8_t *blob = x_new(job->size + 8), *buffer = x_new(BUFFER);
	char body[1024] = "";
	int fd = dial(job->port);
	random_bytes(blob, job->size);
	bool stored = put(job, fd, blob, buffer, body);
	uint64_t name;
	memcpy(&name, blob, sizeof name);
	const char *cid = strstr(body, "bafkrei");
	if (job->server == NGINX_SERVER)
		snprintf(job->path, sizeof job->path, "/%016llx", (unsigned long long)name);
	else if (cid)
		snprintf(job->path, sizeof job->path, "/retrieve/%.59s", cid);
	close(fd);
	x_free(&blob);
	x_free(&buffer);
	return stored && job->path[0];
}

int main(int argc, char **argv)
{
	static struct job job;
	pthread_t threads[CLIENTS_MAX];
	unsigned clients = argc == 7 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
	if (clients < 1 || clients > CLIENTS_MAX)
		return fprintf(stderr, "usage: bench-clients SERVER put|get PORT CLIENTS SIZE COUNT\n"), 2;
	job.server = strcmp(argv[1], "redis") == 0   ? REDIS_SERVER
		     : strcmp(argv[1], "nginx") == 0 ? NGINX_SERVER
						     : WARREN_SERVER;
	job.get = strcmp(argv[2], "get") == 0;
	job.port = (uint16_t)strtoul(argv[3], NULL, 10);
	job.size = strtoul(argv[5], NULL, 10);
	job.count = (unsigned)strtoul(argv[6], NULL, 10);
	if (job.get && !prepare(&job))
		return fprintf(stderr, "the blob to be read could not be stored\n"), 1;
	double began = now();
	for (unsigned i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, client, &job);
	for (unsigned i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	double took = now() - began;
	if (job.failed)
		return fprintf(stderr, "%u of %u failed\n", job.failed, job.count), 1;
	printf("%.1f\n", job.count / took);
	return 0;
}
