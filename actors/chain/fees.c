/* Offers for gas. Pure. */
#include "actors/chain/fees.h"

#include <string.h>

struct fee fee_first(const struct u256 *base, const struct u256 *priority)
{
	struct fee fee = {.priority = *priority};
	u256_multiply(&fee.max, base, 2); /* on overflow the highest number, which no cap lets through */
	u256_add(&fee.max, &fee.max, priority);
	return fee;
}

struct fee fee_first_legacy(const struct u256 *price)
{
	return (struct fee){.max = *price};
}

struct u256 fee_default_cap(const struct fee *first)
{
	struct u256 cap;
	u256_multiply(&cap, &first->max, FEES_CAP_TIMES);
	return cap;
}

static struct u256 quarter(const struct u256 *number)
{
	struct u256 made;
	unsigned rest = 0;
	for (size_t i = 0; i < sizeof made.bytes; i++) {
		made.bytes[i] = (uint8_t)(rest << 6 | number->bytes[i] >> 2);
		rest = number->bytes[i] & 3;
	}
	return made;
}

/* A quarter more, and one wei for what is too small to have a quarter. */
static struct u256 more_than(const struct u256 *number)
{
	struct u256 more = quarter(number), one = u256_of(1);
	u256_add(&more, &more, &one);
	u256_add(&more, &more, number);
	return more;
}

bool fee_higher(struct fee *fee, const struct fee *fresh, const struct u256 *cap)
{
	struct fee more = {.max = more_than(&fee->max)};
	if (u256_compare(&more.max, cap) > 0)
		return false;
	more.max = u256_larger(&more.max, &fresh->max);
	if (!u256_is_zero(&fee->priority)) {
		more.priority = more_than(&fee->priority);
		more.priority = u256_larger(&more.priority, &fresh->priority);
	}
	fee_cap(&more, cap);
	*fee = more;
	return true;
}

void fee_cap(struct fee *fee, const struct u256 *cap)
{
	if (u256_compare(&fee->max, cap) > 0)
		fee->max = *cap;
	if (u256_compare(&fee->priority, &fee->max) > 0)
		fee->priority = fee->max;
}
