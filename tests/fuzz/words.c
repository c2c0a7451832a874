/* The small parsers of proto/: the header frame, CIDs, hex, names of processes. The first byte chooses which. What is accepted
 * is written again as exactly what was read. */
#include "tests/fuzz/target.h"

#include "actors/base/memory/memory.h"
#include "proto/actors.h"
#include "proto/envelope.h"
#include "proto/ids.h"

#include <string.h>

static void envelope(const uint8_t *bytes, size_t length)
{
	struct envelope first, second;
	uint8_t written[ENVELOPE_BYTES];
	if (!envelope_read(bytes, length, &first))
		return;
	must(length == ENVELOPE_BYTES);
	envelope_write(&first, written);
	must(envelope_read(written, sizeof written, &second));
	must(second.serial == first.serial && second.caller_birth == first.caller_birth &&
	     second.error == first.error);
}

static void cid(const char *text, size_t length)
{
	struct cid cid;
	char written[CID_TEXT], hex[CID_HEX];
	if (!cid_parse(text, length, &cid))
		return;
	cid_text(&cid, written);
	hex_text(cid.bytes, 32, hex);
	must((length == CID_TEXT - 1 && memcmp(text, written, length) == 0) ||
	     (length == CID_HEX - 1 && strncasecmp(text, hex, length) == 0));
}

static void who(const char *text)
{
	enum kind kind;
	uint16_t node;
	char written[WHO_TEXT];
	if (who_parse(text, &kind, &node))
		must(strcmp(who_text(kind, node, written), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	char *text = x_new(length); /* terminated, as the first byte is no part of it */
	memcpy(text, bytes + 1, length - 1);
	if (bytes[0] % 3 == 0)
		envelope(bytes + 1, length - 1);
	else if (bytes[0] % 3 == 1)
		cid((const char *)bytes + 1, length - 1);
	else
		who(text);
	x_free(&text);
	return 0;
}
