/* ustar by hand, as it is one header of fixed fields and zeros behind each file; the compression is zlib's. Part of the
 * console. A library for archives would read sixty formats of strangers, and be linked with a dozen more, to write this one. */
#include "actors/console/tar.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { OUT = 32 * 1024, GZIP = 16 /* deflateInit2: a gzip header */, MEMORY = 8 };

struct tar {
	int fd, failed; /* errno of the first failure */
	z_stream z;
	uint8_t out[OUT];
};

struct header { /* every number is octal text, ended by NUL */
	char name[TAR_NAME], mode[8], uid[8], gid[8], size[12], time[12], sum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], zero[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is a block");

static void write_out(struct tar *tar, size_t length)
{
	for (size_t at = 0; at < length && !tar->failed;) {
		ssize_t wrote = write(tar->fd, tar->out + at, length - at);
		if (wrote > 0)
			at += (size_t)wrote;
		else if (wrote == 0 || errno != EINTR)
			tar->failed = wrote == 0 ? EIO : errno;
	}
}

static void press(struct tar *tar, const void *bytes, size_t length, int flush)
{
	int more;
	tar->z.next_in = (Bytef *)(uintptr_t)bytes;
	tar->z.avail_in = (uInt)length;
	do {
		tar->z.next_out = tar->out;
		tar->z.avail_out = OUT;
		more = deflate(&tar->z, flush);
		bug_if(more == Z_STREAM_ERROR);
		write_out(tar, OUT - tar->z.avail_out);
	} while (!tar->failed && (tar->z.avail_out == 0 || (flush == Z_FINISH && more != Z_STREAM_END)));
}

struct tar *tar_begin(int fd)
{
	struct tar *tar = x_new(sizeof *tar);
	tar->fd = fd;
	bug_if(deflateInit2(&tar->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, MEMORY,
			    Z_DEFAULT_STRATEGY) != Z_OK);
	return tar;
}

bool tar_add(struct tar *tar, const char *name, const void *bytes, size_t length, int64_t unix_s)
{
	static const uint8_t zeros[TAR_BLOCK];
	struct header header = {.mode = "0000600",
				.uid = "0000000",
				.gid = "0000000",
				.type = '0',
				.magic = "ustar",
				.version = {'0', '0'},
				.sum = "       "};
	unsigned sum = 0;
	bug_if(strlen(name) >= sizeof header.name || length >> 32);
	memcpy(header.name, name, strlen(name));
	snprintf(header.size, sizeof header.size, "%011llo", (unsigned long long)length);
	snprintf(header.time, sizeof header.time, "%011llo", (unsigned long long)unix_s & 077777777777);
	header.sum[7] = ' '; /* while it is counted, the sum is eight spaces */
	for (size_t i = 0; i < sizeof header; i++)
		sum += ((const uint8_t *)&header)[i];
	snprintf(header.sum, sizeof header.sum, "%06o", sum);
	press(tar, &header, sizeof header, Z_NO_FLUSH);
	press(tar, bytes, length, Z_NO_FLUSH);
	press(tar, zeros, (TAR_BLOCK - length % TAR_BLOCK) % TAR_BLOCK, Z_NO_FLUSH);
	return !tar->failed;
}

int tar_end(struct tar **tar)
{
	static const uint8_t zeros[TAR_END];
	press(*tar, zeros, sizeof zeros, Z_FINISH);
	int failed = (*tar)->failed;
	deflateEnd(&(*tar)->z);
	x_free(tar);
	return failed;
}
