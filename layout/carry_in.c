/* From files into a node: each blob is read whole, held against its name, and only then given to the node. */
#include "layout/carry.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "layout/folder.h"
#include "layout/meta.h"

#include <string.h>
#include <unistd.h>

struct carrying {
	struct node *node;
	int blobs;
	struct report *report;
	bool silent;
};

/* What lies in one folder, as far as it is what it says. */
static bool read_blob(int folder, const struct cid *cid, uint8_t **data, size_t *length, char why[FOLDER_WHY])
{
	struct meta meta;
	uint8_t *text;
	size_t text_length;
	struct cid got;
	if (!file_read(folder, META, META_MOST, &text, &text_length, why))
		return false;
	_Static_assert((int)META_WHY <= (int)FOLDER_WHY, "its sentence fits");
	bool parsed = meta_parse((const char *)text, text_length, &meta, why);
	x_free(&text);
	if (!parsed)
		return false;
	if (memcmp(&meta.cid, cid, sizeof *cid) != 0) {
		snprintf(why, FOLDER_WHY, "meta.json is about another blob");
		return false;
	}
	if (!file_read(folder, DATA, BLOB_MOST, data, length, why))
		return false;
	sha256(*data, *length, got.bytes);
	bool sized = meta.size == *length, named = memcmp(&got, cid, sizeof got) == 0;
	if (sized && named)
		return true;
	x_free(data);
	snprintf(why, FOLDER_WHY, "%s",
		 named ? "meta.json tells another size than its data has"
		       : "its data are not the bytes of that name (damaged, or sealed by a node with its own "
			 "key)");
	return false;
}

static void give(struct carrying *carrying, const char *name, const struct cid *cid, const uint8_t *data,
		 size_t length)
{
	enum node_end end = node_has(carrying->node, cid, length);
	if (end == NODE_OK) {
		carrying->report->already++;
		return;
	}
	if (end == NODE_NOT_THERE)
		end = node_put(carrying->node, cid, data, length);
	carrying->silent = end == NODE_SILENT;
	if (end == NODE_OK) {
		carrying->report->done++;
		carrying->report->bytes += length;
	} else if (!carrying->silent) {
		report_refused(carrying->report, name, node_why(carrying->node));
	}
}

static bool one(void *context, const char *name)
{
	struct carrying *carrying = context;
	char why[FOLDER_WHY] = "its name is no CID";
	struct cid cid;
	uint8_t *data = NULL;
	size_t length;
	int folder = -1;
	if (strncmp(name, PART, strlen(PART)) == 0) /* an export that has not ended */
		return true;
	if (cid_parse(name, strlen(name), &cid) && folder_open(carrying->blobs, name, &folder, why) &&
	    read_blob(folder, &cid, &data, &length, why))
		give(carrying, name, &cid, data, length);
	else
		report_refused(carrying->report, name, why);
	x_free(&data);
	if (folder >= 0)
		close(folder);
	return !carrying->silent;
}

int carry_in(struct node *node, int folder, struct report *report)
{
	struct carrying carrying = {.node = node, .report = report};
	char why[FOLDER_WHY];
	if (!folder_open(folder, BLOBS, &carrying.blobs, why))
		return report_failed(report, EXIT_REFUSED, "DIR/%s: %s", BLOBS, why);
	bool read = folder_each(carrying.blobs, one, &carrying, why);
	close(carrying.blobs);
	if (carrying.silent)
		return report_failed(report, EXIT_SILENT,
				     "the node does not answer: %s; the same again goes on here",
				     node_why(node));
	if (!read)
		return report_failed(report, EXIT_REFUSED, "DIR/%s: %s", BLOBS, why);
	return report_end(report);
}
