/* What a verifier parses of a stranger: a proof as JSON. What is read can be judged, and printed and read again to the same. */
#include "tests/fuzz/target.h"

#include "actors/base/memory/memory.h"
#include "actors/base/proof/proof_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct proof read, again;
	struct proof_room *room, *room_again;
	char why[PROOF_WHY] = "";
	if (!proof_parse((const char *)bytes, length, &read, &room, why)) {
		must(*why && strlen(why) < sizeof why && !room);
		return 0;
	}
	must(read.count <= PROOF_SAMPLES);
	const struct proof_wanted wanted = {
		.cid = read.cid, .node = read.node, .samples = 1, .now = read.time};
	must(proof_judge(&read, &wanted) != PROOF_HOLDS); /* nobody knows a root of zeroes */
	char *text = proof_print(&read);
	must(text && proof_parse(text, strlen(text), &again, &room_again, why));
	must(again.count == read.count && again.size == read.size && again.time == read.time);
	free(text);
	x_free(&room);
	x_free(&room_again);
	return 0;
}
