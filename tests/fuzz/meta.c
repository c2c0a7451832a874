/* meta.json of a blob, as an import finds it. What is accepted is printed and read again to the same. */
#include "tests/fuzz/target.h"

#include "layout/meta.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct meta read, again;
	char why[META_WHY] = "";
	if (!meta_parse((const char *)bytes, length, &read, why)) {
		must(*why && strlen(why) < sizeof why);
		return 0;
	}
	must(length <= META_MOST && read.size <= INT64_MAX);
	char *text = meta_print(&read);
	must(text && meta_parse(text, strlen(text), &again, why));
	must(memcmp(&again.cid, &read.cid, sizeof read.cid) == 0 && again.size == read.size);
	free(text);
	return 0;
}
