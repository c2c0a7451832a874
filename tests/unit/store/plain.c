/* The plain parts under the store, each alone: chunks, the Merkle tree, the free map, slots, headers, the arena's head, the
 * marker. */
#include "tests/unit/store/house.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "actors/store/arena.h"
#include "actors/store/marker.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* -- chunks ---------------------------------------------------------------------------------------------------------- */

Test(plain, sums_of_a_blob)
{
	const struct {
		uint64_t size, chunks, stored;
	} rows[] = {{0, 1, 272},
		    {1, 1, 273},
		    {65535, 1, 65807},
		    {65536, 1, 65808},
		    {65537, 2, 65825},
		    {131072, 2, 131360},
		    {UINT64_C(1) << 30, 16384, (UINT64_C(1) << 30) + 256 + 16384 * 16}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_expect_eq(chunk_count(rows[i].size), rows[i].chunks);
		cr_expect_eq(blob_stored(rows[i].size), rows[i].stored);
		cr_expect_eq(blob_units(rows[i].size, 1024), (rows[i].stored + 1023) / 1024);
		uint64_t last = rows[i].chunks - 1;
		cr_expect_eq(chunk_at(last) + chunk_length(rows[i].size, last) + 16, rows[i].stored);
	}
}

Test(plain, a_chunk_opens_only_where_it_was_sealed)
{
	crypto_warm();
	uint8_t secret[32] = {1}, plain[100], sealed[116], opened[100];
	struct store_id store = {{2}};
	struct store_keys *keys = store_keys_new(secret, &store);
	struct blob_id one = {{3}}, two = {{4}};
	struct sealer *sealer = blob_sealer(keys, &one), *other = blob_sealer(keys, &two);
	fill(plain, sizeof plain, 1);
	chunk_seal(sealer, 5, false, plain, sizeof plain, sealed);
	cr_expect(chunk_unseal(sealer, 5, false, sealed, sizeof plain, opened));
	cr_expect_arr_eq(opened, plain, sizeof plain);
	cr_expect_not(chunk_unseal(sealer, 6, false, sealed, sizeof plain, opened), "another place");
	cr_expect_not(chunk_unseal(sealer, 5, true, sealed, sizeof plain, opened), "cut short after it");
	cr_expect_not(chunk_unseal(sealer, 5, false, sealed, sizeof plain - 1, opened), "cut short in it");
	cr_expect_not(chunk_unseal(other, 5, false, sealed, sizeof plain, opened), "another blob");
	sealer_free(&sealer);
	sealer_free(&other);
	store_keys_free(&keys);
}

/* What the seal is, written down once more with other words: RFC 5869 and AES-GCM by the base, the nonce by hand. */
Test(plain, a_chunk_is_sealed_as_the_header_says)
{
	crypto_warm();
	uint8_t secret[32] = {9}, store_key[32], key[32], expected[16 + 3], sealed[16 + 3];
	struct store_id store = {{8}};
	struct blob_id id = {{7}};
	hkdf_sha256(secret, 32, store.bytes, 16, "warren store 1", 14, store_key, 32);
	uint8_t info[13 + 16] = "warren blob 1";
	memcpy(info + 13, id.bytes, 16);
	hkdf_sha256(store_key, 32, NULL, 0, info, sizeof info, key, 32);
	const uint8_t nonce[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1}; /* chunk 258, the last */
	struct sealer *by_hand = sealer_new(key);
	seal(by_hand, nonce, NULL, 0, (const uint8_t *)"abc", 3, expected);
	struct store_keys *keys = store_keys_new(secret, &store);
	struct sealer *sealer = blob_sealer(keys, &id);
	chunk_seal(sealer, 258, true, (const uint8_t *)"abc", 3, sealed);
	cr_expect_arr_eq(sealed, expected, sizeof sealed);
	sealer_free(&by_hand);
	sealer_free(&sealer);
	store_keys_free(&keys);
}

/* -- the free map ---------------------------------------------------------------------------------------------------- */

/* Against an array of bytes that knows everything. */
Test(plain, the_map_agrees_with_an_array)
{
	enum { UNITS = 5000, HELD = 400 };
	struct freemap *map = freemap_new(UNITS);
	static uint8_t taken[UNITS];
	static struct runs held[HELD];
	uint64_t left = UNITS, state = 1;
	for (unsigned step = 0; step < 200000; step++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		unsigned i = (unsigned)(state >> 33) % HELD;
		uint64_t want = 1 + (state >> 20) % 40;
		if (held[i].count) {
			for (uint32_t r = 0; r < held[i].count; r++)
				for (uint64_t u = 0; u < held[i].run[r].count; u++)
					taken[held[i].run[r].start + u]--;
			left += held[i].units;
			freemap_give_all(map, &held[i]);
			continue;
		}
		bool got = freemap_take(map, want, &held[i]);
		cr_assert_eq(got, want <= left, "%lu wanted, %lu left", (unsigned long)want,
			     (unsigned long)left);
		if (!got)
			continue;
		cr_assert_eq(held[i].units, want);
		for (uint32_t r = 0; r < held[i].count; r++)
			for (uint64_t u = 0; u < held[i].run[r].count; u++)
				cr_assert_eq(++taken[held[i].run[r].start + u], 1, "a unit was given twice");
		left -= want;
		cr_assert_eq(freemap_left(map), left);
	}
	for (unsigned i = 0; i < HELD; i++)
		runs_end(&held[i]);
	freemap_end(&map);
}

Test(plain, the_map_claims_exactly)
{
	struct freemap *map = freemap_new(200);
	cr_expect(freemap_claim(map, (struct run){60, 10}));
	cr_expect_not(freemap_claim(map, (struct run){69, 1}));
	cr_expect_not(freemap_claim(map, (struct run){50, 11}));
	cr_expect_not(freemap_claim(map, (struct run){199, 2}), "past the end");
	cr_expect_not(freemap_claim(map, (struct run){UINT64_C(1) << 40, 1}), "far past the end");
	cr_expect_not(freemap_claim(map, (struct run){5, 0}), "nothing");
	cr_expect_eq(freemap_left(map), 190);
	cr_expect(freemap_claim(map, (struct run){0, 60}) && freemap_claim(map, (struct run){70, 130}));
	struct runs none = {0};
	cr_expect_not(freemap_take(map, 1, &none));
	freemap_give(map, (struct run){130, 1});
	cr_expect(freemap_take(map, 1, &none));
	cr_expect_eq(none.run[0].start, 130);
	runs_end(&none);
	freemap_end(&map);
}

Test(plain, the_map_prefers_one_stretch)
{
	struct freemap *map = freemap_new(1000);
	struct runs runs = {0};
	for (uint64_t at = 0; at < 20; at += 2)
		freemap_claim(map, (struct run){at, 1}); /* ten holes of one unit, then a wide place */
	cr_expect(freemap_take(map, 50, &runs));
	cr_expect_eq(runs.count, 1);
	runs_end(&runs);
	freemap_end(&map);
}

/* -- slots ----------------------------------------------------------------------------------------------------------- */

Test(plain, slots_for_a_list)
{
	const uint32_t rows[][2] = {{1, 0},  {9, 0},  {10, 1}, {24, 1},
				    {25, 2}, {39, 2}, {40, 3}, {1 << 20, 69905}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(slots_for(rows[i][0]), rows[i][1], "%u runs", rows[i][0]);
	/* the sum in slots.h: no length of list needs more than the slack of its own units */
	for (uint32_t runs = 10; runs < 20000; runs++)
		cr_assert_leq(slots_for(runs) * UINT64_C(128) * 64, runs * UINT64_C(1024));
}

Test(plain, slots_are_restored_from_what_is_used)
{
	struct freemap *map = freemap_new(100);
	struct slots slots;
	uint64_t used[11], again[11];
	slots_begin(&slots, map, 1024);
	cr_assert(slots_take(&slots, used, 11));
	cr_expect_eq(slots.pages, 2);
	cr_expect_eq(freemap_left(map), 98);
	for (unsigned i = 0; i < 11; i++)
		for (unsigned k = 0; k < i; k++)
			cr_expect_neq(used[i], used[k]);
	slots_end(&slots);
	freemap_end(&map);

	map = freemap_new(100);
	slots_begin(&slots, map, 1024);
	memcpy(again, used, sizeof used);
	cr_assert(slots_restore(&slots, again, 11));
	cr_expect_eq(slots.pages, 2);
	cr_expect_eq(slots.count, 5, "the spare ones of both pages");
	uint64_t more[5];
	cr_assert(slots_take(&slots, more, 5));
	for (unsigned i = 0; i < 5; i++)
		for (unsigned k = 0; k < 11; k++)
			cr_expect_neq(more[i], used[k]);
	cr_expect_eq(freemap_left(map), 98);
	used[1] = used[0];
	slots_end(&slots);
	freemap_end(&map);
	map = freemap_new(100);
	slots_begin(&slots, map, 1024);
	cr_expect_not(slots_restore(&slots, used, 11), "one slot for two lists");
	slots_end(&slots);
	freemap_end(&map);
}

/* -- headers --------------------------------------------------------------------------------------------------------- */

struct pages {
	uint8_t bytes[64 * SLOT];
};

static bool fetch(void *context, uint64_t slot, uint8_t bytes[SLOT])
{
	if (slot >= 64)
		return false;
	memcpy(bytes, ((struct pages *)context)->bytes + slot * SLOT, SLOT);
	return true;
}

static struct blob a_blob(uint32_t runs)
{
	struct blob blob = {.sequence = 77, .size = 12345, .stored_at = -5};
	fill((uint8_t *)&blob.cid, 32, 1);
	fill((uint8_t *)&blob.root, 32, 2);
	fill((uint8_t *)&blob.id, 16, 3);
	for (uint32_t i = 0; i < runs; i++)
		runs_add(&blob.runs, (struct run){10 + 5 * i, 1 + i % 3});
	blob.slot_count = slots_for(runs);
	if (blob.slot_count)
		blob.slots = x_new_array(blob.slot_count, sizeof *blob.slots);
	for (uint32_t i = 0; i < blob.slot_count; i++)
		blob.slots[i] = 63 - 2 * i;
	return blob;
}

Test(plain, a_header_comes_back_and_every_bit_of_it_counts)
{
	crypto_warm();
	uint8_t secret[32] = {1}, header[BLOB_HEADER];
	struct store_id store = {{2}}, other = {{3}};
	struct store_keys *keys = store_keys_new(secret, &store);
	const uint32_t runs[] = {1, 9, 10, 24, 25, 100};
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		struct blob blob = a_blob(runs[i]), back;
		static struct pages pages;
		uint8_t slots[16 * SLOT];
		uint64_t through;
		header_write(keys, &store, &blob, 66, header, slots);
		for (uint32_t s = 0; s < blob.slot_count; s++)
			memcpy(pages.bytes + blob.slots[s] * SLOT, slots + s * SLOT, SLOT);
		cr_assert(header_read(keys, &store, header, fetch, &pages, &back, &through));
		cr_expect(through == 66 && back.sequence == 77 && back.size == 12345 && back.stored_at == -5);
		cr_expect_arr_eq(&back.cid, &blob.cid, 32);
		cr_expect_arr_eq(&back.root, &blob.root, 32);
		cr_expect_arr_eq(&back.id, &blob.id, 16);
		cr_assert_eq(back.runs.count, runs[i]);
		cr_expect_eq(back.runs.units, blob.runs.units);
		for (uint32_t r = 0; r < runs[i]; r++)
			cr_expect(back.runs.run[r].start == blob.runs.run[r].start &&
				  back.runs.run[r].count == blob.runs.run[r].count);
		blob_end(&back);
		for (unsigned bit = 0; bit < BLOB_HEADER * 8; bit++) {
			header[bit / 8] ^= (uint8_t)(1U << bit % 8);
			cr_expect_not(header_read(keys, &store, header, fetch, &pages, &back, &through),
				      "bit %u", bit);
			header[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		for (uint32_t s = 0; s < blob.slot_count; s++)
			for (unsigned bit = 0; bit < SLOT * 8; bit += 7) {
				uint8_t *at = pages.bytes + blob.slots[s] * SLOT + bit / 8;
				*at ^= (uint8_t)(1U << bit % 8);
				cr_expect_not(
					header_read(keys, &store, header, fetch, &pages, &back, &through),
					"slot %u bit %u", s, bit);
				*at ^= (uint8_t)(1U << bit % 8);
			}
		cr_expect_not(header_read(keys, &other, header, fetch, &pages, &back, &through));
		blob_end(&blob);
	}
	store_keys_free(&keys);
}

/* -- the arena's head ------------------------------------------------------------------------------------------------ */

Test(plain, a_torn_head_leaves_the_one_before)
{
	crypto_warm();
	uint8_t secret[32] = {1}, mac[32];
	struct head *head = x_new(sizeof *head), *back = x_new(sizeof *back);
	struct store_keys *keys = store_keys_new(secret, &(struct store_id){{5}});
	char path[] = "/tmp/warren-head-XXXXXX";
	int fd = mkstemp(path);
	unlink(path);
	cr_assert_eq(ftruncate(fd, HEAD), 0);
	cr_expect_eq(head_read(fd, back, mac), HEAD_DAMAGED);
	*head = (struct head){.store = {{5}}, .unit = 1024, .node = 3};
	for (uint64_t i = 0; i < 9; i++) {
		head->birth = i;
		if (i)
			head->voids[head->void_count++] = (struct head_void){i, 10 * i};
		cr_assert_eq(head_write(fd, head, i ? keys : NULL), 0);
		cr_assert_eq(head_read(fd, back, mac), HEAD_OK);
		cr_expect_eq(back->birth, i);
		cr_expect_eq(back->void_count, i);
		cr_expect(head_signed(back, keys, mac));
	}
	cr_expect(head_voids(back, (UINT64_C(4) << SEQUENCE_BITS) + 41));
	cr_expect_not(head_voids(back, (UINT64_C(4) << SEQUENCE_BITS) + 40));
	cr_expect_not(head_voids(back, (UINT64_C(9) << SEQUENCE_BITS) + 1));
	struct store_keys *others = store_keys_new(secret, &(struct store_id){{6}});
	cr_expect_not(head_signed(back, others, mac));

	/* generation 9 lies in the second copy: each byte of it that is torn brings back generation 8 */
	for (unsigned at = 0; at < 256 + 8 * 16; at += 3) {
		uint8_t was, torn;
		if (at >= 224 && at < 256)
			continue; /* the HMAC is head_signed()'s */
		cr_assert_eq(pread(fd, &was, 1, HEAD_COPY + at), 1);
		torn = was ^ 0x10;
		cr_assert_eq(pwrite(fd, &torn, 1, HEAD_COPY + at), 1);
		enum head_end end = head_read(fd, back, mac);
		if (at >= 8 && at < 12)
			cr_expect_eq(end, HEAD_NEWER, "the version");
		else
			cr_expect(end == HEAD_OK && back->generation == 8, "byte %u", at);
		cr_assert_eq(pwrite(fd, &was, 1, HEAD_COPY + at), 1);
	}
	store_keys_free(&keys);
	store_keys_free(&others);
	x_free(&head);
	x_free(&back);
	close(fd);
}

/* -- the arena's sums ------------------------------------------------------------------------------------------------ */

Test(plain, the_arena_has_room_for_quota_and_slack)
{
	cr_expect_eq(arena_unit_for(UINT64_C(64) << 30), 1024);
	cr_expect_eq(arena_unit_for((UINT64_C(64) << 30) + 1), 4096);
	for (uint64_t quota = 1; quota < 5000; quota++) {
		uint64_t units = arena_units_for(quota * 1024, 1024);
		cr_assert_eq(units, quota + quota / 64 + 1);
		cr_assert_eq(arena_quota_units(units), quota);
		cr_assert_leq(arena_quota_units(units - 1), quota);
	}
}

/* -- the marker ------------------------------------------------------------------------------------------------------ */

Test(plain, the_marker_is_strict)
{
	char path[PLACE], file[PLACE + sizeof MARKER_FILE];
	place_make(path, "marker");
	snprintf(file, sizeof file, "%s/%s", path, MARKER_FILE);
	int folder = open(path, O_RDONLY | O_DIRECTORY);
	struct marker marker = {1, 65535, {{1, 2, 3}}}, back;
	cr_expect_eq(marker_read(folder, &back), MARKER_NONE);
	cr_assert(marker_write(folder, &marker));
	cr_assert_eq(marker_read(folder, &back), MARKER_OK);
	cr_expect(back.node == 65535 && memcmp(&back.store, &marker.store, 16) == 0);
	static const struct {
		const char *text;
		enum marker_end end;
	} rows[] = {
		{"", MARKER_DAMAGED},
		{"warren store 2\nanything\n", MARKER_NEWER},
		{"warren store 1\nnode 3\nstore 0f1e2d3c4b5a69788796a5b4c3d2e1f0\n", MARKER_OK},
		{"warren store 1\nnode 3\nstore 0f1e2d3c4b5a69788796a5b4c3d2e1f0", MARKER_DAMAGED},
		{"warren store 1\nnode 3\nstore 0f1e2d3c4b5a69788796a5b4c3d2e1f0\nmore\n", MARKER_DAMAGED},
		{"warren store 1\nnode 3\nstore 0f1e2d3c4b5a69788796a5b4c3d2e1\n", MARKER_DAMAGED},
		{"warren store 1\nnode 65536\nstore 0f1e2d3c4b5a69788796a5b4c3d2e1f0\n", MARKER_DAMAGED},
		{"warren store 1\nnode x\nstore 0f1e2d3c4b5a69788796a5b4c3d2e1f0\n", MARKER_DAMAGED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		FILE *out = fopen(file, "w");
		fputs(rows[i].text, out);
		fclose(out);
		cr_expect_eq(marker_read(folder, &back), rows[i].end, "row %zu", i);
	}
	unlink(file);
	cr_assert_eq(symlink("/etc/hostname", file), 0);
	cr_expect_eq(marker_read(folder, &back), MARKER_DISK, "not through a link");
	unlink(file);
	close(folder);
	rmdir(path);
}

/* A row of the index says so; sums of such sizes would go round, and agree. */
Test(blob, a_size_that_goes_round_does_not_fit)
{
	struct blob blob = {.size = 3};
	blob.runs.units = blob_units(blob.size, 1024);
	cr_expect(blob_fits(&blob, 1024));
	blob.runs.units++;
	cr_expect_not(blob_fits(&blob, 1024));
	for (unsigned bits = 40; bits < 64; bits++) {
		blob.size = UINT64_MAX << bits;
		blob.runs.units = blob_units(blob.size, 1024);
		cr_expect_not(blob_fits(&blob, 1024), "%u", bits);
	}
}
