/* meta.json, read and written. Pure. */
#include "layout/meta.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { META_VERSION = 2 }; /* ByteCave core's */

static bool complain(char why[META_WHY], const char *what)
{
	snprintf(why, META_WHY, "%s", what);
	return false;
}

static bool read_fields(const json_t *object, struct meta *meta, char why[META_WHY])
{
	const json_t *cid = json_object_get(object, "cid"), *size = json_object_get(object, "size");
	if (!json_is_object(object))
		return complain(why, "meta.json is no JSON object");
	if (!json_is_string(cid) || !cid_parse(json_string_value(cid), json_string_length(cid), &meta->cid))
		return complain(why, "\"cid\" of meta.json is no CID");
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return complain(why, "\"size\" of meta.json is no number of bytes");
	if (json_is_true(json_object_get(object, "compressed")))
		return complain(why,
				"its data is compressed (meta.json): unpack it first, as a CID names the "
				"bytes that were given");
	meta->size = (uint64_t)json_integer_value(size);
	return true;
}

bool meta_parse(const char *text, size_t length, struct meta *meta, char why[META_WHY])
{
	json_error_t error;
	if (length > META_MOST)
		return complain(why, "meta.json is larger than 64 KiB");
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!object) { /* its words about what it found may hold a piece of it, so they are not said */
		snprintf(why, META_WHY, "meta.json is no JSON: line %d, column %d", error.line, error.column);
		return false;
	}
	bool good = read_fields(object, meta, why);
	json_decref(object);
	return good;
}

char *meta_print(const struct meta *meta)
{
	char cid[CID_TEXT];
	json_t *object = json_pack("{s:s, s:I, s:s, s:i, s:b}", "cid", cid_text(&meta->cid, cid), "size",
				   (json_int_t)meta->size, "mimeType", "application/octet-stream", "version",
				   META_VERSION, "compressed", 0);
	char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
	json_decref(object);
	return text;
}
