/* Which machine is meant. Part of the console; reads /proc/self/exe and the working directory. */
#include "actors/console/root.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool program_path(char *path, size_t room)
{
	ssize_t length = readlink("/proc/self/exe", path, room);
	if (length <= 0 || (size_t)length >= room)
		return false;
	path[length] = '\0';
	return true;
}

bool folder_of(const char *program, char *folder, size_t room)
{
	const char *slash = strrchr(program, '/');
	if (!slash)
		return false;
	int length = slash == program ? 1 : (int)(slash - program);
	return (size_t)snprintf(folder, room, "%.*s", length, program) < room;
}

bool is_installed(const char *program)
{
	return strncmp(program, INSTALLED, sizeof INSTALLED - 1) == 0;
}

static bool absolute(const char *path, char *root, size_t room)
{
	size_t used = 0;
	if (*path != '/') {
		if (!getcwd(root, room))
			return false;
		used = strlen(root);
		used = used == 1 ? 0 : used; /* the working directory is "/" */
	}
	size_t length = strlen(path);
	if (used + length + 2 > room)
		return false;
	if (*path != '/')
		root[used++] = '/';
	memcpy(root + used, path, length + 1);
	for (used += length; used > 1 && root[used - 1] == '/'; used--)
		root[used - 1] = '\0';
	return true;
}

const char *root_find(const char *given, const char *environment, const char *program, char *root,
		      size_t room)
{
	if (given && *given)
		return absolute(given, root, room) ? "because of --root" : NULL;
	if (environment && *environment)
		return absolute(environment, root, room) ? "because of $WARREN_ROOT" : NULL;
	if (program && is_installed(program))
		return absolute(INSTALLED_ROOT, root, room) ? "because this is the installed one" : NULL;
	char folder[4096];
	if (!program || !folder_of(program, folder, sizeof folder) || !folder_of(folder, root, room))
		return NULL;
	return "because this program stands below it";
}
