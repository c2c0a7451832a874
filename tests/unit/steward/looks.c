/* What comes back of looks at disks and drains; the test is the supervisor at the other end of a socket pair. */
#include "tests/unit/steward/line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ending {
	char why[256];
	bool info, may;
	struct steward_info_reply disk;
	uint32_t count; /* of what follows; the first of each */
	struct holding_row holding;
	struct drain_row drain;
};

static void ended(void *context, enum control_verb verb, enum err err, const char *why,
		  const struct control_answer *answer)
{
	struct ending *ending = context;
	(void)verb;
	cr_assert_eq(err, ERR_OK);
	snprintf(ending->why, sizeof ending->why, "%s", why);
	ending->info = answer->info;
	if (answer->info)
		ending->disk = *answer->info;
	ending->may = answer->may;
	ending->count = answer->count;
	if (answer->count && answer->holdings)
		ending->holding = answer->holdings[0];
	if (answer->count && answer->drains)
		ending->drain = answer->drains[0];
}

/* The serial of the ask, as the supervisor hears it. */
static uint32_t asked(enum control_verb verb, struct ending *ending)
{
	struct wish wish = {verb, {0}, 1234, READER, verb == CONTROL_ALLOCATE ? 77 : 0};
	struct control_ask heard = {0};
	cr_assert_eq(control_ask(control, &wish, 1000, ended, ending), ERR_KEPT);
	cr_assert_eq(recv(theirs, &heard, sizeof heard, MSG_DONTWAIT), (ssize_t)sizeof heard);
	cr_assert(heard.verb == verb && heard.amount == wish.amount && heard.authority == READER);
	return heard.serial;
}

Test(looks, they_come_back_with_what_was_asked_and_nothing_else)
{
	begin(0);
	struct ending info = {0}, verify = {0}, drains = {0}, room = {0};
	uint32_t a = asked(CONTROL_INFO, &info), b = asked(CONTROL_VERIFY, &verify);
	uint32_t c = asked(CONTROL_DRAINS, &drains), d = asked(CONTROL_ALLOCATE, &room);
	struct control_row disk = {
		.serial = a,
		.type = CONTROL_CAPACITY,
		.capacity = {.total = 100, .available = 64, .nodes_most = 10, .id_known = 1, .may = 1}};
	memset(disk.capacity.disk_rule, 'r', sizeof disk.capacity.disk_rule); /* not terminated */
	struct control_row holding = {
		.serial = b, .type = CONTROL_HOLDING, .holding = {.node = 2, .claimed = 16, .actual = 15}};
	struct control_row drain = {.serial = c, .type = CONTROL_DRAINING, .draining = {2, 1, 1, 3000, 7000}};
	send_row(disk), send_row(disk), send_row(holding), send_row(holding), send_row(drain);
	holding.serial = c; /* to one that never asked for it */
	drain.serial = a;
	send_row(holding), send_row(drain);
	disk.serial = d;
	send_row(disk);
	send_done(a, ERR_OK, ""), send_done(b, ERR_OK, ""), send_done(c, ERR_OK, "");
	send_done(d, ERR_OK, "a reason beside success");
	cr_assert(control_receive(control));
	cr_assert(info.info && info.disk.total == 100 && info.disk.available == 64 &&
		  info.disk.nodes_most == 10 && info.disk.has_machine_id && !info.disk.id_changed);
	cr_assert_eq(strlen(info.disk.disk_rule), sizeof info.disk.disk_rule - 1);
	cr_assert(verify.count == 2 && verify.holding.node == 2 && verify.holding.claimed_mb == 16 &&
		  verify.holding.actual_mb == 15 && !verify.holding.valid);
	cr_assert(drains.count == 1 && drains.drain.node == 2 && drains.drain.over && drains.drain.cut &&
		  drains.drain.since_ms == 3000 && drains.drain.left_ms == 7000);
	cr_assert(room.may && room.info);
	cr_assert_str_eq(room.why, "a reason beside success");
	cr_assert_eq(control_counts(control)->stray, 3, "a second disk, and two that nobody asked for");
	end();
}
