/* A clock for what expires. Plain: two numbers, two clocks, one small file. */
#include "actors/base/age/age.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 64 };

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t look(struct age *age, int64_t wall, int64_t boot)
{
	bool restarted = boot < age->boot; /* where that cannot be seen, less is believed */
	int64_t lived = restarted ? boot : boot - age->boot;
	int64_t most = age->at + lived + lived / AGE_CATCH_UP + (restarted ? AGE_OFF_S : 0);
	int64_t believed = wall > age->at + lived ? smaller(wall, most) : age->at + lived;
	if (!age->at)
		believed = wall;
	if (!age->at || restarted || lived >= AGE_CATCH_UP) /* an eighth of less would be rounded away */
		*age = (struct age){believed, boot};
	return believed;
}

int64_t age_step(struct age *age, int64_t wall, int64_t boot)
{
	return smaller(wall, look(age, wall, boot));
}

static int64_t look_now(struct age *age, int64_t *wall)
{
	struct timespec now, boot;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	*wall = now.tv_sec;
	return look(age, now.tv_sec, boot.tv_sec);
}

int64_t age_now(struct age *age)
{
	int64_t wall, believed = look_now(age, &wall);
	return smaller(wall, believed);
}

int64_t age_stamp(struct age *age)
{
	int64_t wall;
	return look_now(age, &wall);
}

bool age_load(struct age *age, int folder)
{
	char text[TEXT + 1] = "";
	struct age read_age;
	unsigned version = 0;
	int fd = openat(folder, AGE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd < 0 ? -1 : read(fd, text, TEXT);
	if (fd >= 0)
		close(fd);
	if (got != TEXT ||
	    sscanf(text, "warren age %u at %" SCNd64 " boot %" SCNd64, &version, &read_age.at,
		   &read_age.boot) != 3 ||
	    version != AGE_VERSION || read_age.at <= 0 || read_age.boot < 0)
		return false;
	*age = read_age;
	return true;
}

bool age_save(const struct age *age, int folder)
{
	char text[TEXT + 1];
	int length = snprintf(text, sizeof text, "warren age %d at %" PRId64 " boot %" PRId64, AGE_VERSION,
			      age->at, age->boot);
	memset(text + length, ' ', (size_t)(TEXT - length));
	text[TEXT - 1] = '\n';
	int fd = openat(folder, AGE_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	bool written = pwrite(fd, text, TEXT, 0) == TEXT;
	return close(fd) == 0 && written;
}
