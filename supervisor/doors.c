/* The broker's three listeners: for processes, for operators, for readers. The kernel checks who may connect; which one it was
 * is a person's authority. Part of the supervisor. */
#include "supervisor/supervisor.h"

#include "proto/birth.h"
#include "supervisor/listen.h"

#include <time.h>
#include <unistd.h>

enum { AGAIN_MS = 100 };

static const char *const names[DOORS] = {SOCKET_BUS, SOCKET_OPERATE, SOCKET_READ};

static struct door who_may(const struct supervisor *s, int door)
{
	const struct config *config = s->config;
	if (door == DOOR_BUS)
		return s->machine.as_root ? (struct door){true, machine_bus_group(&s->machine)}
					  : (struct door){0};
	if (door == DOOR_OPERATE)
		return (struct door){config->values[SETTING_operators].text[0] != '\0', config->operators};
	return (struct door){config->values[SETTING_readers].text[0] != '\0', config->readers};
}

static void shut(struct supervisor *s, int door)
{
	if (s->doors[door] >= 0)
		close(s->doors[door]);
	s->doors[door] = -1;
}

bool door_open(struct supervisor *s, int door, int tries, struct why *why)
{
	if (s->doors[door] >= 0 && listener_lives(s->doors[door]))
		return true;
	shut(s, door);
	while (s->doors[door] < 0 && tries-- > 0) {
		s->doors[door] = listen_unix(&s->machine, names[door], who_may(s, door), why);
		if (s->doors[door] < 0 && tries)
			nanosleep(&(struct timespec){.tv_nsec = AGAIN_MS * 1000000L}, NULL);
	}
	return s->doors[door] >= 0;
}

void doors_close(struct supervisor *s)
{
	for (int door = 0; door < DOORS; door++) {
		if (s->doors[door] >= 0)
			listen_unix_end(&s->machine, names[door]);
		shut(s, door);
	}
}
