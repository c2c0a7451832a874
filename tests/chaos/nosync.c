/* Preloaded into a writer as a negative control: every sync is a lie. */
int fsync(int fd);
int fdatasync(int fd);
int sync_file_range(int fd, long long offset, long long bytes, unsigned flags);

int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int sync_file_range(int fd, long long offset, long long bytes, unsigned flags)
{
	(void)fd, (void)offset, (void)bytes, (void)flags;
	return 0;
}
