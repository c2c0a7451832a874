/* From a port to its socket's inode (/proc/net/tcp), from there to the process that holds it (/proc/PID/fd).
 * Reads /proc and changes nothing. */
#include "supervisor/port_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TCP_LISTEN = 0x0A }; /* proc(5), state of a row of /proc/net/tcp */

static bool listening(const char *table, uint16_t port, unsigned long *inode, unsigned *uid)
{
	FILE *file = fopen(table, "re");
	char line[512];
	bool found = false;
	while (file && !found && fgets(line, sizeof line, file)) {
		unsigned local, state;
		found = sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %u %*d %lu",
			       &local, &state, uid, inode) == 4 &&
			local == port && state == TCP_LISTEN;
	}
	if (file)
		fclose(file);
	return found;
}

static bool holds(const char *pid, unsigned long inode)
{
	char path[300], link[64], wanted[64];
	snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	DIR *folder = opendir(path);
	bool found = false;
	for (const struct dirent *entry; folder && !found && (entry = readdir(folder));) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
		link[length > 0 ? length : 0] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	if (folder)
		closedir(folder);
	return found;
}

static void name_of(const char *pid, char text[PORT_OWNER_TEXT])
{
	char path[300], name[32] = "?";
	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	FILE *file = fopen(path, "re");
	if (file && !fgets(name, sizeof name, file))
		snprintf(name, sizeof name, "?");
	if (file)
		fclose(file);
	for (char *at = name; *at; at++)
		if (!isprint((unsigned char)*at))
			*at = '\0';
	snprintf(text, PORT_OWNER_TEXT, "%s (pid %.10s)", name, pid);
}

const char *port_owner(uint16_t port, char text[PORT_OWNER_TEXT])
{
	unsigned long inode;
	unsigned uid;
	snprintf(text, PORT_OWNER_TEXT, "somebody");
	if (!listening("/proc/net/tcp", port, &inode, &uid) &&
	    !listening("/proc/net/tcp6", port, &inode, &uid))
		return text;
	snprintf(text, PORT_OWNER_TEXT, "uid %u", uid);
	DIR *folder = opendir("/proc");
	for (const struct dirent *entry; folder && (entry = readdir(folder));)
		if (isdigit((unsigned char)entry->d_name[0]) && holds(entry->d_name, inode)) {
			name_of(entry->d_name, text);
			break;
		}
	if (folder)
		closedir(folder);
	return text;
}
