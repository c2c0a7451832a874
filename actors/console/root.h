/* Which machine is meant: its folder, ROOT. */
#ifndef WARREN_CONSOLE_ROOT_H
#define WARREN_CONSOLE_ROOT_H

#include <stdbool.h>
#include <stddef.h>

/* The package's: its programs, and the machine of warrend@nodes.service (supervisor/machine.h). */
#define INSTALLED      "/usr/lib/warren/"
#define INSTALLED_ROOT "/var/lib/warren/nodes"

/* `given` (--root), else `environment` ($WARREN_ROOT), else INSTALLED_ROOT for a `program` that the package
 * installed, else the parent of the folder that `program` stands in; "" and NULL are not given. Absolute,
 * without a slash at its end. Returns why it is this one ("because of --root"), or NULL when there is no
 * answer or it does not fit in `room`. */
const char *root_find(const char *given, const char *environment, const char *program, char *root,
		      size_t room);

/* The folder that a path is in, "/" for one at the top; false when it has none, or when it does not fit. */
bool folder_of(const char *program, char *folder, size_t room);

bool is_installed(const char *program);

/* Where this program itself stands: /proc/self/exe. */
bool program_path(char *path, size_t room);

#endif
