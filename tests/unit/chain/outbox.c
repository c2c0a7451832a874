/* The outbox: what it promises before, during and after a death. A death is a file that is opened again without having been closed. */
#include "actors/chain/abi.h"
#include "actors/chain/outbox.h"
#include "actors/chain/probe.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHAIN_ID = 1370 };
static char folder[PLACE], path[PLACE + 32], why[OUTBOX_WHY];
static const uint8_t data[] = {0x12, 0x48, 0xab, 0x2b, 1, 2, 3};

static void place(void)
{
	place_make(folder, "outbox");
	snprintf(path, sizeof path, "%s/outbox.sqlite", folder);
}

static void tidy(void)
{
	char command[128];
	const char *const ends[] = {"", "-wal", "-shm"};
	for (int i = 0; i < 3; i++) {
		snprintf(command, sizeof command, "%s%s", path, ends[i]);
		unlink(command);
	}
	rmdir(folder);
}

static struct outbox *opened(void)
{
	struct outbox *outbox;
	enum outbox_end end = outbox_open(&outbox, path, CHAIN_ID, why);
	cr_assert_eq(end, OUTBOX_OK, "%s", why);
	return outbox;
}

static struct entry wanted(uint8_t once, uint16_t node)
{
	struct entry entry = {.node = node,
			      .value = u256_of(5),
			      .length = sizeof data,
			      .purpose = "heartbeat",
			      .method = "heartbeatByNodeId"};
	memset(&entry.once, once, sizeof entry.once);
	return entry;
}

static struct entry *add(struct outbox *outbox, uint8_t once, uint16_t node)
{
	struct entry entry = wanted(once, node), *made = NULL;
	outbox_add(outbox, &entry, data, &made);
	return made;
}

static bool attempt(struct outbox *outbox, struct entry *entry, uint64_t nonce)
{
	struct attempt one = {.number = ++entry->attempts, .nonce = nonce, .fee = entry->fee};
	memset(&one.once, (int)entry->attempts, sizeof one.once);
	entry->nonce = nonce;
	entry->has_nonce = true;
	entry->state = SENT_SIGNING;
	return outbox_attempt(outbox, entry, &one);
}

static bool is_signed(struct outbox *outbox, struct entry *entry, uint8_t byte)
{
	memset(&entry->hash, byte, sizeof entry->hash);
	entry->has_hash = true;
	entry->state = SENT_SENT;
	return outbox_signed(outbox, entry, entry->attempts, &entry->hash, &byte, 1);
}

/* In a child that ends without closing anything, and that says nothing to the test program but how it ended. */
static void dies_after(bool (*work)(struct outbox *))
{
	pid_t child = fork();
	if (!child) {
		struct outbox *outbox;
		_exit(outbox_open(&outbox, path, CHAIN_ID, why) == OUTBOX_OK && work(outbox) ? 0 : 1);
	}
	int status;
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
}

static bool ask_two_and_sign_one(struct outbox *outbox)
{
	struct entry *first = add(outbox, 1, 1);
	if (!first || !add(outbox, 2, 1) || !attempt(outbox, first, 7) || !is_signed(outbox, first, 0xaa))
		return false;
	first->fee.max = u256_of(99);
	return attempt(outbox, first, 7);
}

Test(outbox, a_death_loses_nothing_that_was_done, .init = place, .fini = tidy)
{
	dies_after(ask_two_and_sign_one);
	struct outbox *outbox = opened();
	cr_assert_eq(outbox_count(outbox), 2);
	struct entry *first = outbox_at(outbox, 0), *second = outbox_at(outbox, 1);
	struct attempt attempts[OUTBOX_ATTEMPTS];
	uint8_t bytes[OUTBOX_DATA], raw[OUTBOX_RAW];
	size_t length;
	cr_assert(first->state == SENT_SIGNING && first->has_nonce && first->nonce == 7 &&
		  first->attempts == 2);
	cr_assert(second->state == SENT_QUEUED && !second->has_nonce);
	cr_assert_eq(outbox_attempts(outbox, first, attempts), 2);
	cr_assert(attempts[0].number == 2 && !attempts[0].is_signed && attempts[0].fee.max.bytes[31] == 99);
	cr_assert_eq(attempts[0].once.bytes[5], 2, "the wallet is asked with the same key");
	cr_assert(attempts[1].is_signed && attempts[1].hash.bytes[3] == 0xaa);
	cr_assert(outbox_raw(outbox, first, 1, raw, &length) && length == 1 && raw[0] == 0xaa);
	cr_assert(outbox_data(outbox, first, bytes) && memcmp(bytes, data, sizeof data) == 0);
	cr_assert_str_eq(first->purpose, "heartbeat");
	struct stat file;
	cr_assert(stat(path, &file) == 0 && (file.st_mode & 0777) == 0600);
	outbox_close(&outbox);
}

Test(outbox, one_key_is_one_transaction, .init = place, .fini = tidy)
{
	struct outbox *outbox = opened();
	struct entry again = wanted(1, 1);
	uint64_t id = 0;
	unsigned state;
	bool same;
	cr_assert_not(outbox_once(outbox, &again, data, &id, &state, &same));
	uint64_t made = add(outbox, 1, 1)->id;
	cr_assert(outbox_once(outbox, &again, data, &id, &state, &same) && same && id == made &&
		  state == SENT_QUEUED);
	uint8_t others[sizeof data];
	memcpy(others, data, sizeof data);
	others[6]++;
	cr_assert(outbox_once(outbox, &again, others, &id, &state, &same) && !same);
	again.value = u256_of(6);
	cr_assert(outbox_once(outbox, &again, data, &id, &state, &same) && !same);
	again = wanted(1, 2);
	cr_assert(outbox_once(outbox, &again, data, &id, &state, &same) && !same, "another wallet");
	struct entry *doubled;
	again = wanted(1, 1);
	cr_assert_not(outbox_add(outbox, &again, data, &doubled), "the disk says so, too");
	outbox_close(&outbox);
}

Test(outbox, a_nonce_is_one_of_ours_at_a_time_and_gaps_are_filled, .init = place, .fini = tidy)
{
	struct outbox *outbox = opened();
	cr_assert_eq(outbox_nonce(outbox, 1, 4), 4);
	cr_assert(attempt(outbox, add(outbox, 1, 1), 4));
	struct entry *refused = add(outbox, 2, 1);
	cr_assert(attempt(outbox, refused, 5));
	cr_assert(attempt(outbox, add(outbox, 3, 1), 6));
	cr_assert(attempt(outbox, add(outbox, 4, 2), 7));
	cr_assert_eq(outbox_nonce(outbox, 1, 4), 7);
	cr_assert_eq(outbox_nonce(outbox, 1, 2), 2, "a gap before them");
	cr_assert_eq(outbox_nonce(outbox, 2, 4), 4, "another wallet has its own");
	refused->state = SENT_REFUSED;
	refused->settled = true;
	refused->has_nonce = false;
	cr_assert(outbox_unsigned(outbox, refused, 1));
	cr_assert_eq(outbox_count(outbox), 3);
	cr_assert_eq(outbox_nonce(outbox, 1, 4), 5);
	outbox_close(&outbox);
}

Test(outbox, what_is_settled_is_listed_and_no_longer_held, .init = place, .fini = tidy)
{
	struct outbox *outbox = opened();
	static struct entry rows[OUTBOX_LIST];
	for (uint8_t i = 1; i <= 40; i++)
		add(outbox, i, i % 2 ? 1 : 2);
	struct entry *first = outbox_at(outbox, 0);
	first->state = SENT_CONFIRMED;
	first->settled = true;
	first->block = 12;
	cr_assert(outbox_save(outbox, first));
	cr_assert_eq(outbox_count(outbox), 39);
	cr_assert_eq(outbox_confirmed(outbox), 1);
	cr_assert_eq(outbox_list(outbox, 0, 0, rows), OUTBOX_LIST);
	cr_assert_eq(rows[0].id, 40);
	cr_assert_eq(outbox_list(outbox, 1, 5, rows), 2);
	cr_assert(rows[1].id == 1 && rows[1].state == SENT_CONFIRMED && rows[1].block == 12);
	outbox_close(&outbox);
	outbox = opened();
	cr_assert_eq(outbox_count(outbox), 39);
	cr_assert_eq(outbox_confirmed(outbox), 1);
	outbox_close(&outbox);
}

Test(outbox, it_holds_a_bounded_number, .init = place, .fini = tidy)
{
	struct outbox *outbox = opened();
	struct entry entry = wanted(0, 1), *made;
	for (unsigned i = 0; i < OUTBOX_OPEN; i++) {
		memcpy(&entry.once, &i, sizeof i);
		cr_assert(outbox_add(outbox, &entry, data, &made));
	}
	memset(&entry.once, 0xff, sizeof entry.once);
	cr_assert_not(outbox_add(outbox, &entry, data, &made));
	outbox_close(&outbox);
}

Test(outbox, another_file_and_another_chain_are_not_touched, .init = place, .fini = tidy)
{
	struct outbox *outbox = opened();
	struct hash genesis;
	cr_assert_not(outbox_genesis(outbox, &genesis));
	memset(&genesis, 3, sizeof genesis);
	cr_assert(outbox_set_genesis(outbox, &genesis));
	outbox_close(&outbox);
	cr_assert_eq(outbox_open(&outbox, path, CHAIN_ID + 1, why), OUTBOX_DAMAGED);
	cr_assert(strstr(why, "the outbox of chain 1370, and the profile is of chain 1371"), "%s", why);
	outbox = opened();
	memset(&genesis, 0, sizeof genesis);
	cr_assert(outbox_genesis(outbox, &genesis) && genesis.bytes[9] == 3);
	outbox_close(&outbox);
	tidy();
	cr_assert_eq(mkdir(folder, 0700), 0);
	FILE *other = fopen(path, "w");
	fprintf(other, "%0600d", 1);
	fclose(other);
	cr_assert_eq(outbox_open(&outbox, path, CHAIN_ID, why), OUTBOX_DAMAGED);
	cr_assert_not_null(strstr(why, "not a database"), "%s", why);
}

/* -- what a contract's code can do ------------------------------------------------------------------------------ */

Test(probe, a_selector_counts_where_it_is_pushed_and_nowhere_else)
{
	static struct probe probe;
	char missing[8192];
	const struct abi_method *heartbeat = &abi_RelayManager_heartbeatByNodeId,
				*tiers = &abi_RelayManager_getTierInfo;
	const uint8_t code[] = {0x60, 0x80, 0x63, 0x12, 0x48, 0xab,
				0x2b, 0x14,                         /* PUSH4 of the heartbeat's, EQ */
				0x64, 0x63, 0xeb, 0x6c, 0xc0, 0x10, /* the other one is data of a PUSH5 … */
				0x63, 0xeb, 0x6c, 0xc0};            /* … and cut off at the end */
	probe_code(&probe, "RelayManager", code, sizeof code);
	cr_assert(probe.done && probe.there && probe_has(&probe, heartbeat) && !probe_has(&probe, tiers));
	cr_assert_eq(probe_missing(&probe, "RelayManager", missing, sizeof missing), probe.methods - 1);
	cr_assert(strstr(missing, " getTierInfo ") && !strstr(missing, "heartbeatByNodeId"));
	cr_assert_not(probe_has(&probe, &abi_MCTToken_approve));
	probe_code(&probe, "RelayManager", code, 0);
	cr_assert(probe.done && !probe.there && !probe_has(&probe, heartbeat));
}
