/* The ballast file. Touched by the committer's thread alone, once the store is open. */
#include "actors/store/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RESERVE = 32 << 20,
	PART = 4 << 20, /* given back at a time; a commit's log needs less */
};

uint64_t ballast_reserve_for(uint64_t quota)
{
	return quota / 64 + RESERVE;
}

void ballast_close(struct ballast *ballast)
{
	if (ballast->fd >= 0)
		close(ballast->fd);
	ballast->fd = -1;
}

bool ballast_open(struct ballast *ballast, int folder, uint64_t reserve)
{
	*ballast = (struct ballast){.fd = -1, .reserve = reserve};
	ballast->fd = openat(folder, BALLAST_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat stat;
	if (ballast->fd < 0)
		return false;
	if (fstat(ballast->fd, &stat) != 0) {
		ballast_close(ballast);
		return false;
	}
	ballast->size = (uint64_t)stat.st_size;
	return true;
}

static bool shrink(struct ballast *ballast, uint64_t size)
{
	if (ftruncate(ballast->fd, (off_t)size) != 0)
		return false;
	ballast->size = size;
	return true;
}

bool ballast_fill(struct ballast *ballast, uint64_t index_bytes)
{
	uint64_t want = ballast->reserve > index_bytes ? ballast->reserve - index_bytes : 0;
	if (ballast->fd < 0 || want == ballast->size)
		return true;
	if (want < ballast->size)
		return shrink(ballast, want);
	int failed;
	do
		failed = fallocate(ballast->fd, 0, 0, (off_t)want);
	while (failed && errno == EINTR);
	if (failed && errno == EOPNOTSUPP)
		return true; /* a file system that promises nothing; `warren doctor` says so */
	if (failed) {
		shrink(ballast, ballast->size); /* what was reserved before it failed */
		return false;
	}
	ballast->size = want;
	return true;
}

bool ballast_yield(struct ballast *ballast, enum ballast_for purpose)
{
	uint64_t keep = purpose == FOR_DELETES ? 0 : PART;
	if (purpose == FOR_NOTHING || ballast->fd < 0 || ballast->size <= keep)
		return false;
	return shrink(ballast, ballast->size - keep > PART ? ballast->size - PART : keep);
}

bool ballast_spent(const struct ballast *ballast, uint64_t index_bytes)
{
	return ballast->fd >= 0 && ballast->size <= PART && ballast->reserve > index_bytes + PART;
}
