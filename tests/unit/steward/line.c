/* The line between a test and the control under test. */
#include "tests/unit/steward/line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct control *control;
int ours, theirs;

void begin(uint32_t serial)
{
	int pair[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ours = pair[0];
	theirs = pair[1];
	control = control_open(ours, serial);
}

void end(void)
{
	control_close(&control);
	close(ours);
	close(theirs);
}

void send_row(struct control_row row)
{
	cr_assert_eq(send(theirs, &row, sizeof row, MSG_DONTWAIT), (ssize_t)sizeof row);
}

void send_done(uint32_t serial, enum err err, const char *why)
{
	struct control_row row = {.serial = serial, .type = CONTROL_DONE, .error = (uint16_t)err};
	snprintf(row.why, sizeof row.why, "%.*s", (int)sizeof row.why - 1, why);
	send_row(row);
}
