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
	struct owned_limit limits[3];
	char name[33], thing[REASON_THING + 1], inputs[REASON_INPUTS + 1]; /* of the first reason */
	struct reason_row reason;                                          /* without its views */
	bool reasons_named, last_over;
};

static void keep_reasons(struct ending *ending, const struct reason_row *rows, uint32_t count)
{
	ending->reasons_named = true;
	for (uint32_t i = 0; i < count; i++)
		ending->reasons_named = ending->reasons_named && *rows[i].name && rows[i].name[0] != '?';
	if (!count)
		return;
	ending->reason = rows[0];
	snprintf(ending->name, sizeof ending->name, "%s", rows[0].name);
	snprintf(ending->thing, sizeof ending->thing, "%s", rows[0].thing);
	snprintf(ending->inputs, sizeof ending->inputs, "%.*s", (int)rows[0].inputs.length,
		 (const char *)rows[0].inputs.at);
	ending->last_over = rows[count - 1].over;
}

static void ended(void *context, enum control_verb verb, enum err err, const char *why,
		  const struct control_answer *answer)
{
	struct ending *ending = context;
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
	if (verb == CONTROL_REASONS)
		keep_reasons(ending, answer->reasons, answer->count);
	for (uint32_t i = 0; verb == CONTROL_LIMITS && i < answer->count && i < 3; i++)
		ending->limits[i] = answer->limits[i];
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

static struct control_row reason_of(uint32_t serial, enum reason_code code, const char *inputs)
{
	struct control_row row = {.serial = serial,
				  .type = CONTROL_REASON,
				  .reason = {.code = (uint16_t)code,
					     .kind = STORE,
					     .node = 2,
					     .count = 3,
					     .first_ms = 1000,
					     .last_ms = 2000,
					     .next_ms = 3000,
					     .thing = "a thing"}};
	snprintf(row.reason.inputs, sizeof row.reason.inputs, "%s", inputs);
	return row;
}

Test(looks, reasons_come_back_as_they_were_and_harmless)
{
	begin(0);
	struct ending reasons = {0}, other = {0};
	uint32_t serial = asked(CONTROL_REASONS, &reasons), limits = asked(CONTROL_LIMITS, &other);
	send_row(reason_of(serial, REASON_STORE_FULL, "used up\nand \x1b[31m more"));
	struct control_row row = reason_of(serial, REASON_STORE_DISK, "");
	memset(row.reason.thing, 't', sizeof row.reason.thing); /* neither is terminated */
	memset(row.reason.inputs, 'i', sizeof row.reason.inputs);
	row.reason.over = 77;
	send_row(row);
	send_row(reason_of(serial, 9999, "a code of another build"));
	row = reason_of(serial, REASON_STORE_FULL, "never happened");
	row.reason.count = 0;
	send_row(row);
	send_row(reason_of(limits, REASON_STORE_FULL, "to one that asked for something else"));
	send_done(serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(reasons.count, 2);
	cr_expect_eq(control_counts(control)->stray, 3);
	cr_expect_str_eq(reasons.name, "store-full");
	cr_expect_str_eq(reasons.reason.actor, "store");
	cr_expect_str_eq(reasons.thing, "a thing");
	cr_expect_str_eq(reasons.inputs, "used up?and ?[31m more");
	cr_expect(reasons.reason.node == 2 && reasons.reason.count == 3 && !reasons.reason.over &&
		  reasons.reason.first_ms == 1000 && reasons.reason.last_ms == 2000 &&
		  reasons.reason.next_ms == 3000);
	cr_expect(reasons.last_over && reasons.reasons_named);
	end();
}

Test(looks, reasons_are_as_many_as_the_reply_holds)
{
	begin(0);
	struct ending reasons = {0}, none = {0};
	uint32_t serial = asked(CONTROL_REASONS, &reasons);
	for (int i = 0; i < CONTROL_REASON_ROWS + 5; i++) {
		send_row(reason_of(serial, REASON_STORE_FULL, "again"));
		cr_assert(control_receive(control));
	}
	send_done(serial, ERR_OK, "");
	send_done(asked(CONTROL_REASONS, &none), ERR_OK, "");
	cr_assert(control_receive(control));
	cr_expect_eq(reasons.count, CONTROL_REASON_ROWS);
	cr_expect_eq(none.count, 0);
	cr_expect_eq(control_counts(control)->stray, 5);
	end();
}

Test(looks, limits_come_back_with_whose_they_are)
{
	begin(0);
	struct ending limits = {0}, reasons = {0};
	uint32_t serial = asked(CONTROL_LIMITS, &limits), other = asked(CONTROL_REASONS, &reasons);
	struct control_row row = {
		.serial = serial,
		.type = CONTROL_LIMIT,
		.limit = {.kind = BROKER, .name = "people", .depth = 1, .high = 2, .limit = 3, .drops = 4}};
	send_row(row);
	row.limit.kind = KIND_NONE;
	memset(row.limit.name, 'n', sizeof row.limit.name); /* not terminated */
	send_row(row);
	row.serial = other; /* who asked for reasons gets none */
	send_row(row);
	row.serial = serial;
	for (int i = 2; i < CONTROL_LIMIT_ROWS + 3; i++) {
		send_row(row);
		cr_assert(control_receive(control));
	}
	send_done(serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_expect_eq(limits.count, CONTROL_LIMIT_ROWS);
	cr_expect_eq(control_counts(control)->stray, 4);
	const struct owned_limit *first = &limits.limits[0], *second = &limits.limits[1];
	cr_expect_str_eq(first->actor, "broker");
	cr_expect_str_eq(first->name, "people");
	cr_expect(first->depth == 1 && first->high == 2 && first->limit == 3 && first->drops == 4);
	cr_expect_str_eq(second->actor, "warrend");
	cr_expect_eq(strlen(second->name), sizeof second->name - 1);
	end();
}
