/* Proofs as JSON: there and back, and what is not one. */
#include "actors/base/memory/memory.h"
#include "actors/base/proof/proof_json.h"
#include "tests/unit/proof/maker.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct made made;

Test(json, what_was_printed_is_read_again)
{
	const uint64_t sizes[] = {0, 1, 1025, MADE_BYTES};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct proof read;
		struct proof_room *room;
		char why[PROOF_WHY];
		make(&made, sizes[i], PROOF_SAMPLES);
		char *text = proof_print(&made.proof);
		cr_assert(proof_parse(text, strlen(text), &read, &room, why), "%s", why);
		cr_expect_eq(proof_judge(&read, &made.wanted), PROOF_HOLDS);
		char *again = proof_print(&read);
		cr_expect_str_eq(again, text);
		free(again);
		free(text);
		x_free(&room);
	}
}

/* One edit of a text that is right; the sentence must name the place. */
Test(json, what_is_wrong_is_said)
{
	static const struct {
		const char *from, *to, *says;
	} rows[] = {
		{"\"version\":1", "\"version\":2", "version"},
		{"\"version\":1,", "", "signs nothing that needs the bytes"},
		{"\"cid\":\"b", "\"cid\":\"x", "CID"},
		{"\"size\":", "\"size\":-", "size"},
		{"\"tree\":\"", "\"tree\":\"z", "tree"},
		{"\"publicKey\":\"", "\"publicKey\":\"0", "publicKey"},
		{"\"samples\":[", "\"samples\":7,\"x\":[", "samples"},
		{"\"bytes\":\"", "\"bytes\":\"*", "base64"},
		{"\"path\":[\"", "\"path\":[\"0", "64 hex"},
		{"\"path\":[", "\"path\":{},\"x\":[", "path"},
		{"\"leaf\":", "\"leaf\":-1,\"x\":", "leaf"},
		{"{", "[", "JSON"},
	};
	make(&made, MADE_BYTES, 2);
	char *text = proof_print(&made.proof), edited[8192];
	cr_assert_lt(strlen(text) + 64, sizeof edited);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct proof read;
		struct proof_room *room;
		char why[PROOF_WHY] = "";
		const char *at = strstr(text, rows[i].from);
		cr_assert(at, "%s", rows[i].from);
		int length = snprintf(edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, rows[i].to,
				      at + strlen(rows[i].from));
		cr_expect(!proof_parse(edited, (size_t)length, &read, &room, why), "%s", rows[i].to);
		cr_expect(strstr(why, rows[i].says), "%s: %s", rows[i].to, why);
		cr_expect_null(room);
	}
	free(text);
}

Test(json, nothing_longer_than_a_proof_is_looked_at)
{
	static char long_text[PROOF_JSON + 1];
	struct proof read;
	struct proof_room *room;
	char why[PROOF_WHY];
	memset(long_text, ' ', sizeof long_text);
	cr_expect(!proof_parse(long_text, sizeof long_text, &read, &room, why));
	cr_expect_str_eq(why, "it is longer than any proof");
}
