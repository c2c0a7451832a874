/* Preloaded as a negative control: files are synced, folders are not, so that a rename is not durable. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int fd)
{
	struct stat info;
	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		return 0;
	return (int)syscall(SYS_fsync, fd);
}
