/* Row 8, from a process that the roster does not know: the doors of the broker and of other nodes' stores.
 * Part of the prober. Here a door counts as open when the kernel lets us connect; what the broker then does
 * is tried in prober.c. */
#include "actors/prober/attack.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool connects(const char *folder, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.80s/%.20s", folder, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool through = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return through;
}

bool attack_operate(const struct target *target)
{
	return connects(target->run, "operate.sock");
}

bool attack_read_only(const struct target *target)
{
	return connects(target->run, "read.sock");
}

bool attack_store_of_another(const struct target *target)
{
	char name[32];
	for (unsigned node = 1; node <= 3; node++) {
		snprintf(name, sizeof name, "store-%u.sock", node);
		if (node != target->node && connects(target->run, name))
			return true;
	}
	return false;
}

bool attack_replace_socket(const struct target *target)
{
	char path[300];
	snprintf(path, sizeof path, "%s/bus.sock", target->run);
	return target_moves(path);
}
