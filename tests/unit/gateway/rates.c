/* How often a client may ask. */
#include "actors/base/crypto/crypto.h"
#include "actors/gateway/rates.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static struct rates *rates;
static struct sockaddr_storage storage;

static const struct sockaddr *from(const char *text)
{
	struct sockaddr_in *in = (void *)&storage;
	struct sockaddr_in6 *in6 = (void *)&storage;
	memset(&storage, 0, sizeof storage);
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
		storage.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
		storage.ss_family = AF_INET6;
	cr_assert(storage.ss_family, "%s", text);
	return (const void *)&storage;
}

Test(rates, the_request_after_the_last_one_allowed_waits)
{
	static const unsigned most[RATE_COUNT] = {60, 100, 300, 1000, 200}; /* FEATURES B19 */
	rates = rates_new(false);
	for (enum rate rate = 0; rate < RATE_COUNT; rate++) {
		for (unsigned i = 0; i < most[rate]; i++)
			cr_assert_eq(rates_ask(rates, from("192.0.2.1"), rate, 1000 + i), 0, "%s, the %u-th",
				     rate_what(rate), i + 1);
		cr_expect_eq(rates_ask(rates, from("192.0.2.1"), rate, 31000), 30, "%s", rate_what(rate));
		cr_expect_eq(rates_ask(rates, from("192.0.2.1"), rate, 60999), 1);
		cr_expect_eq(rates_ask(rates, from("192.0.2.2"), rate, 60999), 0, "another client");
		cr_expect_eq(rates_ask(rates, from("192.0.2.1"), rate, 61000), 0, "a new minute");
	}
	rates_free(&rates);
}

Test(rates, who_counts_as_one_client)
{
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {{"192.0.2.1", "192.0.2.2", false},
		    {"192.0.2.1", "::ffff:192.0.2.1", true},
		    {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		    {"2001:db8:1:2::1", "2001:db8:1:3::1", false}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		rates = rates_new(false);
		for (int n = 0; n < 60; n++)
			cr_assert_eq(rates_ask(rates, from(rows[i].one), RATE_STORE, 5), 0);
		cr_expect_eq(rates_ask(rates, from(rows[i].other), RATE_STORE, 5) > 0, rows[i].same,
			     "%s and %s", rows[i].one, rows[i].other);
		rates_free(&rates);
	}
}

Test(rates, this_machine_is_counted_only_when_it_is_to_be)
{
	static const char *const ours[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		for (unsigned too = 0; too < 2; too++) {
			rates = rates_new(too != 0);
			unsigned refused = 0;
			for (int n = 0; n < 61; n++)
				refused += rates_ask(rates, from(ours[i]), RATE_STORE, 5) > 0;
			cr_expect_eq(refused, too, "%s", ours[i]);
			rates_free(&rates);
		}
}

/* More clients than there are places: the table stays as it is, and a client that asks all the time keeps its count. */
Test(rates, many_clients_take_no_more_room)
{
	rates = rates_new(false);
	for (int n = 0; n < 60; n++)
		rates_ask(rates, from("192.0.2.1"), RATE_STORE, 1);
	for (uint32_t i = 0; i < 20000; i++) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + i)};
		rates_ask(rates, (const void *)&in, RATE_STORE, 2 + i / 10);
		if (i % 100 == 0)
			cr_assert(rates_ask(rates, from("192.0.2.1"), RATE_STORE, 2 + i / 10) > 0,
				  "after %u others", i);
	}
	cr_expect_leq(*rates_clients(rates), RATE_CLIENTS);
	cr_expect_gt(*rates_forgotten(rates), 0);
	rates_free(&rates);
}
