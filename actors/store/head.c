/* The head of the arena file, to disk and back. */
#include "actors/store/head.h"
#include "proto/formats.h"

#include "actors/base/memory/memory.h"
#include "actors/base/whole/whole.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct disk_head {
	char magic[8];
	uint32_t version, unit;
	struct store_id store;
	uint64_t generation, birth;
	uint32_t node, flags;
	uint64_t machine_started, machine_up;
	uint32_t void_count, zero;
	uint64_t units;
	uint8_t zeros[104];
	uint8_t sum[32], mac[32];
	struct {
		uint64_t birth, through;
	} voids[HEAD_VOIDS];
};
enum { VERSION = FORMAT_arena, CLEAN = 1, SIGNED = 2, SUMMED = offsetof(struct disk_head, sum) };
_Static_assert(SUMMED == 192 && offsetof(struct disk_head, voids) == 256, "the table in head.h");
_Static_assert(sizeof(struct disk_head) == HEAD_COPY, "the table in head.h");

static const char magic[8] = {'W', 'R', 'N', 'A', 'R', 'E', 'N', 'A'};

/* What the sum and the HMAC are of, in one piece; the caller frees it. */
static uint8_t *signed_part(const struct disk_head *disk, size_t *length)
{
	size_t voids = le32toh(disk->void_count) * sizeof disk->voids[0];
	uint8_t *all = x_grow(NULL, SUMMED + voids);
	memcpy(all, disk, SUMMED);
	memcpy(all + SUMMED, disk->voids, voids);
	*length = SUMMED + voids;
	return all;
}

static void to_disk(const struct head *head, const struct store_keys *keys, struct disk_head *disk)
{
	memcpy(disk->magic, magic, sizeof magic);
	disk->version = htole32(VERSION);
	disk->unit = htole32(head->unit);
	disk->store = head->store;
	disk->generation = htole64(head->generation);
	disk->birth = htole64(head->birth);
	disk->node = htole32(head->node);
	disk->flags = htole32((head->clean ? CLEAN : 0U) | (keys ? SIGNED : 0U));
	disk->machine_started = htole64((uint64_t)head->machine_started);
	disk->machine_up = htole64(head->machine_up);
	disk->void_count = htole32(head->void_count);
	disk->units = htole64(head->units);
	for (uint32_t i = 0; i < head->void_count; i++) {
		disk->voids[i].birth = htole64(head->voids[i].birth);
		disk->voids[i].through = htole64(head->voids[i].through);
	}
	size_t length;
	uint8_t *all = signed_part(disk, &length);
	sha256(all, length, disk->sum);
	if (keys)
		hmac_sha256(keys->header, all, length, disk->mac);
	x_free(&all);
}

int head_write(int arena, struct head *head, const struct store_keys *keys)
{
	struct disk_head *disk = x_new(sizeof *disk);
	head->generation++;
	to_disk(head, keys, disk);
	uint64_t at = head->generation % 2 ? HEAD_COPY : 0;
	size_t length = (256 + head->void_count * sizeof disk->voids[0] + 4095) / 4096 * 4096;
	int failed = write_whole_at(arena, disk, length, at);
	x_free(&disk);
	return failed;
}

static void from_disk(const struct disk_head *disk, struct head *head, uint8_t mac[32])
{
	head->store = disk->store;
	head->unit = le32toh(disk->unit);
	head->node = (uint16_t)le32toh(disk->node);
	head->generation = le64toh(disk->generation);
	head->birth = le64toh(disk->birth);
	head->clean = le32toh(disk->flags) & CLEAN;
	head->machine_started = (int64_t)le64toh(disk->machine_started);
	head->machine_up = le64toh(disk->machine_up);
	head->void_count = le32toh(disk->void_count);
	head->units = le64toh(disk->units);
	for (uint32_t i = 0; i < head->void_count; i++)
		head->voids[i] =
			(struct head_void){le64toh(disk->voids[i].birth), le64toh(disk->voids[i].through)};
	memset(mac, 0, 32);
	if (le32toh(disk->flags) & SIGNED)
		memcpy(mac, disk->mac, 32);
}

static enum head_end check(const struct disk_head *disk)
{
	if (memcmp(disk->magic, magic, sizeof magic) != 0)
		return HEAD_DAMAGED;
	if (le32toh(disk->version) > VERSION)
		return HEAD_NEWER; /* its own rules for the rest are not known here */
	if (le32toh(disk->void_count) > HEAD_VOIDS)
		return HEAD_DAMAGED;
	uint8_t sum[32];
	size_t length;
	uint8_t *all = signed_part(disk, &length);
	sha256(all, length, sum);
	x_free(&all);
	if (!same_bytes(sum, disk->sum, sizeof sum))
		return HEAD_DAMAGED;
	uint32_t unit = le32toh(disk->unit);
	return unit == 1024 || unit == 4096 ? HEAD_OK : HEAD_DAMAGED;
}

enum { READS = 3 }; /* of a copy that the disk does not give */

enum head_end head_read(int arena, struct head *head, uint8_t mac[32])
{
	struct disk_head *disk = x_new(sizeof *disk);
	enum head_end end = HEAD_DAMAGED;
	int unread = 0;
	memset(head, 0, sizeof *head);
	for (unsigned copy = 0; copy < 2; copy++) {
		int failed = EIO;
		for (int tries = 0; tries < READS && failed; tries++)
			failed = read_whole_at(arena, disk, sizeof *disk, copy * HEAD_COPY);
		enum head_end here = failed ? HEAD_DISK : check(disk);
		if (here == HEAD_OK && (end != HEAD_OK || le64toh(disk->generation) > head->generation))
			from_disk(disk, head, mac);
		if (failed)
			errno = unread = failed;
		if (here == HEAD_NEWER)
			head->newer = le32toh(disk->version);
		if (here == HEAD_NEWER || (end != HEAD_OK && end != HEAD_NEWER && here != HEAD_DAMAGED))
			end = here;
	}
	x_free(&disk);
	/* The one that the disk did not give may be the newer: to go on from the older would use its birth again, and void what is
	 * there. */
	return unread && end == HEAD_OK ? HEAD_DISK : end;
}

bool head_signed(const struct head *head, const struct store_keys *keys, const uint8_t mac[32])
{
	static const uint8_t unsigned_mac[32];
	if (same_bytes(mac, unsigned_mac, 32))
		return head->birth == 0;
	struct disk_head *disk = x_new(sizeof *disk);
	to_disk(head, keys, disk);
	bool same = same_bytes(mac, disk->mac, 32);
	x_free(&disk);
	return same;
}

bool head_voids(const struct head *head, uint64_t sequence)
{
	for (uint32_t i = 0; i < head->void_count; i++)
		if (head->voids[i].birth == sequence >> SEQUENCE_BITS)
			return (sequence & SEQUENCE_NUMBER) > head->voids[i].through;
	return false;
}

void head_machine_now(struct head *head)
{
	struct timespec now, up;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	head->machine_started = now.tv_sec - up.tv_sec;
	head->machine_up = (uint64_t)up.tv_sec;
}

bool head_machine_restarted(const struct head *before)
{
	enum { DRIFT = 60 }; /* seconds by which a clock that is being corrected may move */
	struct head *now = x_new(sizeof *now);
	head_machine_now(now);
	int64_t moved; /* what lies on a disk may be any number */
	bool restarted = __builtin_sub_overflow(now->machine_started, before->machine_started, &moved) ||
			 moved > DRIFT || moved < -DRIFT || now->machine_up < before->machine_up;
	x_free(&now);
	return restarted;
}
