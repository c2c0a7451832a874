/* The bare loops that the store is measured against: the same hashing, sealing, writing and syncing (or
 * reading, opening and writing to TCP) with nothing around it. One thread, no index, no protocol.
 *
 *   bench-loops put FOLDER SIZE COUNT GROUP   one fdatasync for each GROUP blobs; prints blobs a second
 *
 *   bench-loops sync FOLDER COUNT             4 KiB pwrite and fdatasync: the disk's own rate
 *
 *   bench-loops get FOLDER SIZE COUNT         reads, opens and sends one blob over loopback TCP
 *
 *   bench-loops crypto SIZE COUNT             opens and hashes in memory: all these two allow
 *
 *   bench-loops open SIZE COUNT               opens only, as a get does */
#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/base/proof/merkle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536, ARENA = 256 << 20 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void stop(const char *what)
{
	perror(what);
	exit(1);
}

static int fresh_file(const char *folder)
{
	char path[512];
	snprintf(path, sizeof path, "%s/loop", folder);
	unlink(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, ARENA) != 0 || fsync(fd) != 0)
		stop(path);
	unlink(path);
	return fd;
}

/* Seals `blob` chunk by chunk to `at`; returns the bytes written. */
static size_t put_blob(int fd, off_t at, const uint8_t *blob, size_t size, struct sealer *sealer,
		       uint8_t *sealed)
{
	struct sha256 *digest = sha256_begin();
	struct merkle merkle = {0};
	struct hash root;
	uint8_t cid[32], nonce[SEAL_NONCE] = {0};
	size_t wrote = 0;
	for (size_t done = 0; done < size; done += CHUNK) {
		size_t length = size - done < CHUNK ? size - done : CHUNK;
		memcpy(nonce, &done, sizeof done);
		sha256_add(digest, blob + done, length);
		merkle_add(&merkle, blob + done, length);
		seal(sealer, nonce, NULL, 0, blob + done, length, sealed);
		if (pwrite(fd, sealed, length + SEAL_TAG, at + (off_t)wrote) != (ssize_t)(length + SEAL_TAG))
			stop("pwrite");
		wrote += length + SEAL_TAG;
	}
	sha256_end(&digest, cid);
	merkle_end(&merkle, &root);
	return wrote;
}

static double put_loop(const char *folder, size_t size, unsigned count, unsigned group)
{
	uint8_t *blob = x_new(size), *sealed = x_new(CHUNK + SEAL_TAG), key[SEAL_KEY];
	int fd = fresh_file(folder);
	off_t at = 0;
	random_bytes(blob, size);
	double began = now();
	for (unsigned i = 1; i <= count; i++) {
		memcpy(key, &i, sizeof i); /* a key of its own for each blob, as the store has */
		struct sealer *sealer = sealer_new(key);
		if (at + (off_t)size * 2 > ARENA)
			at = 0;
		at += (off_t)put_blob(fd, at, blob, size, sealer, sealed);
		sealer_free(&sealer);
		if (i % group == 0 && fdatasync(fd) != 0)
			stop("fdatasync");
	}
	double rate = count / (now() - began);
	close(fd);
	return rate;
}

static double sync_loop(const char *folder, unsigned count)
{
	uint8_t block[4096] = {1};
	int fd = fresh_file(folder);
	double began = now();
	for (unsigned i = 0; i < count; i++)
		if (pwrite(fd, block, sizeof block, (off_t)i * 4096 % ARENA) != sizeof block ||
		    fdatasync(fd) != 0)
			stop("sync");
	double rate = count / (now() - began);
	close(fd);
	return rate;
}

/* The other end of the TCP connection: reads and forgets, in a process of its own. */
static int sink(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
	    listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		stop("listen");
	pid_t child = fork();
	if (child == 0) {
		static uint8_t bytes[1 << 18];
		int in = accept(listener, NULL, NULL);
		while (read(in, bytes, sizeof bytes) > 0)
			;
		_exit(0);
	}
	int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (child < 0 || out < 0 || connect(out, (struct sockaddr *)&address, length) != 0)
		stop("connect");
	close(listener);
	return out;
}

static void send_all(int out, const uint8_t *at, size_t length)
{
	while (length) {
		ssize_t sent = write(out, at, length);
		if (sent <= 0)
			stop("write");
		at += sent;
		length -= (size_t)sent;
	}
}

static double get_loop(const char *folder, size_t size, unsigned count)
{
	uint8_t *blob = x_new(size + 1), *sealed = x_new(CHUNK + SEAL_TAG), *plain = x_new(CHUNK),
		key[SEAL_KEY] = {1};
	struct sealer *sealer = sealer_new(key);
	int fd = fresh_file(folder), out = sink();
	put_blob(fd, 0, blob, size, sealer, sealed);
	double began = now();
	for (unsigned i = 0; i < count; i++) {
		off_t at = 0;
		uint8_t nonce[SEAL_NONCE] = {0};
		for (size_t done = 0; done < size; done += CHUNK) {
			size_t length = size - done < CHUNK ? size - done : CHUNK;
			memcpy(nonce, &done, sizeof done);
			if (pread(fd, sealed, length + SEAL_TAG, at) != (ssize_t)(length + SEAL_TAG) ||
			    !unseal(sealer, nonce, NULL, 0, sealed, length, plain))
				stop("pread or unseal");
			send_all(out, plain, length);
			at += (off_t)(length + SEAL_TAG);
		}
	}
	double rate = count / (now() - began);
	close(out);
	wait(NULL);
	return rate;
}

static double crypto_loop(size_t size, unsigned count, bool hashed)
{
	uint8_t *plain = x_new(CHUNK), *sealed = x_new(CHUNK + SEAL_TAG), key[SEAL_KEY] = {1},
		nonce[SEAL_NONCE] = {0}, cid[32];
	struct sealer *sealer = sealer_new(key);
	seal(sealer, nonce, NULL, 0, plain, CHUNK, sealed);
	double began = now();
	for (unsigned i = 0; i < count; i++) {
		struct sha256 *digest = hashed ? sha256_begin() : NULL;
		for (size_t done = 0; done < size; done += CHUNK) {
			if (!unseal(sealer, nonce, NULL, 0, sealed, CHUNK, plain))
				stop("unseal");
			if (hashed)
				sha256_add(digest, plain, CHUNK);
		}
		if (hashed)
			sha256_end(&digest, cid);
	}
	return count / (now() - began);
}

int main(int argc, char **argv)
{
	bool hashed = argc == 4 && strcmp(argv[1], "crypto") == 0;
	size_t size = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned last = argc > 3 ? (unsigned)strtoul(argv[argc - 1], NULL, 10) : 0;
	if (argc == 6 && strcmp(argv[1], "put") == 0)
		printf("%.1f\n", put_loop(argv[2], size, (unsigned)strtoul(argv[4], NULL, 10), last));
	else if (argc == 4 && strcmp(argv[1], "sync") == 0)
		printf("%.1f\n", sync_loop(argv[2], last));
	else if (argc == 5 && strcmp(argv[1], "get") == 0)
		printf("%.1f\n", get_loop(argv[2], size, last));
	else if (hashed || (argc == 4 && strcmp(argv[1], "open") == 0))
		printf("%.1f\n", crypto_loop(strtoul(argv[2], NULL, 10), last, hashed));
	else
		return fprintf(stderr, "usage: bench-loops put|sync|get FOLDER … | crypto|open SIZE COUNT\n"),
		       2;
	return 0;
}
