/* The marker file, to disk and back. */
#include "actors/store/marker.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 128 };

enum marker_end marker_read(int folder, struct marker *marker)
{
	char text[TEXT + 1] = "", id[33] = "";
	int fd = openat(folder, MARKER_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return faccessat(folder, MARKER_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? MARKER_DISK
										      : MARKER_NONE;
	ssize_t got = read(fd, text, TEXT);
	close(fd);
	if (got < 0)
		return MARKER_DISK;
	unsigned node = 0;
	int end = 0;
	*marker = (struct marker){0};
	if (sscanf(text, "warren store %u\n", &marker->version) != 1)
		return MARKER_DAMAGED;
	if (marker->version > MARKER_VERSION)
		return MARKER_NEWER;
	if (sscanf(text, "warren store %*u\nnode %5u\nstore %32[0-9a-f]%n", &node, id, &end) != 2 ||
	    strcmp(text + end, "\n") != 0 || node > UINT16_MAX ||
	    !hex_parse(id, 32, marker->store.bytes, sizeof marker->store.bytes))
		return MARKER_DAMAGED;
	marker->node = (uint16_t)node;
	return MARKER_OK;
}

bool marker_write(int folder, const struct marker *marker)
{
	static const char unfinished[] = MARKER_FILE ".new";
	char text[TEXT], id[33];
	int length = snprintf(text, sizeof text, "warren store %u\nnode %u\nstore %s\n", marker->version,
			      marker->node, hex_text(marker->store.bytes, sizeof marker->store.bytes, id));
	int fd = openat(folder, unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	bool written = write(fd, text, (size_t)length) == length && fsync(fd) == 0;
	return close(fd) == 0 && written && renameat(folder, unfinished, folder, MARKER_FILE) == 0 &&
	       fsync(folder) == 0;
}
