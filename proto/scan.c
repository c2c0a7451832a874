/* The pre-scan: hostile bytes are looked at here before msgpack-c sees them. Without it five bytes (dd ff 00 00 00) make
 * msgpack-c 4.0 ask for 128 GiB. Pure: no allocation, linear time, constant memory. */
#include "proto/msg.h"

struct scan {
	const uint8_t *at, *end;
	uint64_t pending[MESSAGE_DEPTH + 1]; /* values still to come at each depth */
	unsigned depth;
	uint64_t values; /* that there may still be */
};

/* Big-endian number of `width` bytes; false when they are not there. */
static bool take(struct scan *scan, unsigned width, uint64_t *value)
{
	if ((size_t)(scan->end - scan->at) < width)
		return false;
	*value = 0;
	while (width--)
		*value = *value << 8 | *scan->at++;
	return true;
}

static bool skip(struct scan *scan, uint64_t length)
{
	if (length > (uint64_t)(scan->end - scan->at))
		return false;
	scan->at += length;
	return true;
}

/* Opens an array of `count` values: each takes at least a byte, so more than the bytes left is a lie. */
static bool open_array(struct scan *scan, uint64_t count)
{
	if (count > (uint64_t)(scan->end - scan->at) || scan->depth == MESSAGE_DEPTH)
		return false;
	scan->pending[++scan->depth] = count;
	return true;
}

/* What follows a lead byte of 0xc0 and up. Maps, extensions and floats are in no message. */
static bool scan_long(struct scan *scan, uint8_t lead)
{
	uint64_t count;
	switch (lead) {
	case 0xc0: /* nil */
	case 0xc2: /* false */
	case 0xc3: /* true */
		return true;
	case 0xc4: /* bin 8, 16, 32 */
	case 0xc5:
	case 0xc6:
		return take(scan, 1U << (lead - 0xc4), &count) && skip(scan, count);
	case 0xcc: /* unsigned 8 to 64 */
	case 0xcd:
	case 0xce:
	case 0xcf:
		return skip(scan, UINT64_C(1) << (lead - 0xcc));
	case 0xd0: /* signed 8 to 64 */
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return skip(scan, UINT64_C(1) << (lead - 0xd0));
	case 0xd9: /* str 8, 16, 32 */
	case 0xda:
	case 0xdb:
		return take(scan, 1U << (lead - 0xd9), &count) && skip(scan, count);
	case 0xdc: /* array 16, 32 */
	case 0xdd:
		return take(scan, 2U << (lead - 0xdc), &count) && open_array(scan, count);
	}
	return false;
}

static bool scan_value(struct scan *scan)
{
	uint64_t lead;
	if (!take(scan, 1, &lead))
		return false;
	if (lead < 0x80 || lead >= 0xe0) /* small integers */
		return true;
	if (lead < 0x90) /* map */
		return false;
	if (lead < 0xa0)
		return open_array(scan, lead & 15);
	if (lead < 0xc0)
		return skip(scan, lead & 31);
	return scan_long(scan, (uint8_t)lead);
}

static bool scan_whole(const uint8_t *bytes, size_t length, uint64_t values)
{
	struct scan scan = {.at = bytes, .end = bytes + length, .pending = {1}, .values = values};
	for (;;) {
		while (scan.pending[scan.depth] == 0) {
			if (scan.depth == 0)
				return scan.at == scan.end;
			scan.depth--;
		}
		scan.pending[scan.depth]--;
		if (scan.values-- == 0 || !scan_value(&scan))
			return false;
	}
}

bool message_scan(const uint8_t *bytes, size_t length)
{
	return scan_whole(bytes, length, UINT64_MAX);
}

/* The array itself and what is in it, with every `many` as full as it may be. */
static uint64_t values_of(const struct message *message)
{
	uint64_t values = 1 + message->count;
	for (const struct field *field = message->fields(); field->name; field++)
		if (field->kind == FIELD_many)
			values += field->bound * values_of(field->element);
	return values;
}

bool message_fits(const struct message *message, const uint8_t *bytes, size_t length)
{
	return scan_whole(bytes, length, values_of(message));
}
