/* From a node into files: each blob in a folder of another name, synced, and only then given its own. */
#include "layout/carry.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "layout/folder.h"
#include "layout/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- who it was ------------------------------------------------------------------------------------------------------- */

/* The public halves alone: what signs for a node never leaves its wallet. */
static bool write_identity(int folder, const struct key *key, const char *peer, char why[FOLDER_WHY])
{
	/* libp2p's protobuf PublicKey: Type = Ed25519 (1), Data = 32 bytes */
	uint8_t marshalled[36] = {0x08, 0x01, 0x12, 0x20};
	char hex[65], base64[sodium_base64_ENCODED_LEN(36, sodium_base64_VARIANT_ORIGINAL)], text[256];
	int keys = -1, p2p = -1;
	memcpy(marshalled + 4, key->bytes, sizeof key->bytes);
	sodium_bin2base64(base64, sizeof base64, marshalled, sizeof marshalled,
			  sodium_base64_VARIANT_ORIGINAL);
	int length =
		snprintf(text, sizeof text, "{\n  \"id\": \"%s\",\n  \"pubKey\": \"%s\"\n}\n", peer, base64);
	hex_text(key->bytes, sizeof key->bytes, hex);
	hex[64] = '\n';
	bool good = folder_make(folder, "keys", &keys, why) &&
		    file_replace(keys, "public.key", hex, sizeof hex, why) &&
		    folder_make(folder, "p2p", &p2p, why) &&
		    file_replace(p2p, "peer-id.json", text, (size_t)length, why);
	if (keys >= 0)
		close(keys);
	if (p2p >= 0)
		close(p2p);
	return good;
}

/* -- one blob --------------------------------------------------------------------------------------------------------- */

/* Whether what has this name already is this blob, whole. */
static bool is_there(int blobs, const char *name, const struct cid *cid)
{
	char why[FOLDER_WHY];
	uint8_t *text = NULL, *data = NULL;
	size_t text_length, length;
	struct meta meta;
	struct cid got;
	int folder;
	if (!folder_open(blobs, name, &folder, why))
		return false;
	bool whole = file_read(folder, META, META_MOST, &text, &text_length, why) &&
		     meta_parse((const char *)text, text_length, &meta, why) &&
		     memcmp(&meta.cid, cid, sizeof *cid) == 0 &&
		     file_read(folder, DATA, BLOB_MOST, &data, &length, why) && meta.size == length;
	if (whole)
		sha256(data, length, got.bytes);
	x_free(&text);
	x_free(&data);
	close(folder);
	return whole && memcmp(&got, cid, sizeof got) == 0;
}

static bool write_part(int blobs, const char *part, const struct cid *cid, const uint8_t *data, size_t length,
		       char why[FOLDER_WHY])
{
	int folder;
	char *text = meta_print(&(struct meta){*cid, length});
	bool made = text && folder_make(blobs, part, &folder, why);
	bool good = made && file_write(folder, DATA, data, length, why) &&
		    file_write(folder, META, text, strlen(text), why);
	if (good && fsync(folder) != 0) {
		snprintf(why, FOLDER_WHY, "it cannot be synced: %s", strerror(errno));
		good = false;
	}
	if (made)
		close(folder);
	free(text);
	return good;
}

static bool write_blob(int blobs, const char *name, const struct cid *cid, const uint8_t *data, size_t length,
		       char why[FOLDER_WHY])
{
	char part[CID_TEXT + sizeof PART], ignored[FOLDER_WHY];
	snprintf(part, sizeof part, PART "%s", name);
	if (write_part(blobs, part, cid, data, length, why)) {
		if (renameat2(blobs, part, blobs, name, RENAME_NOREPLACE) == 0)
			return true;
		snprintf(why, FOLDER_WHY,
			 errno == EEXIST ? "something else has that name there"
					 : "it cannot be given its name: %s",
			 strerror(errno));
	}
	folder_remove(blobs, part, ignored);
	return false;
}

static enum node_end one(struct node *node, int blobs, const struct cid *cid, struct report *report)
{
	char name[CID_TEXT], why[FOLDER_WHY];
	struct stat stat;
	uint8_t *data;
	size_t length;
	cid_text(cid, name);
	if (is_there(blobs, name, cid)) {
		report->already++;
		return NODE_OK;
	}
	if (fstatat(blobs, name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
		report_refused(report, name, "something else has that name there");
		return NODE_OK;
	}
	enum node_end end = node_get(node, cid, &data, &length);
	if (end == NODE_REFUSED)
		report_refused(report, name, node_why(node));
	if (end == NODE_NOT_THERE)
		report_refused(report, name, "the node does not have it (any more)");
	if (end != NODE_OK)
		return end;
	if (write_blob(blobs, name, cid, data, length, why)) {
		report->done++;
		report->bytes += length;
	} else {
		report_refused(report, name, why);
	}
	x_free(&data);
	return NODE_OK;
}

/* -- all -------------------------------------------------------------------------------------------------------------- */

/* What was killed in the middle leaves its part behind. */
static bool sweep(void *context, const char *name)
{
	char why[FOLDER_WHY];
	if (strncmp(name, PART, strlen(PART)) == 0)
		folder_remove(*(int *)context, name, why);
	return true;
}

static int each_line(struct node *node, int blobs, FILE *list, struct report *report)
{
	char *line = NULL;
	size_t room = 0;
	enum node_end end = NODE_OK;
	while (end != NODE_SILENT && getline(&line, &room, list) >= 0) {
		struct cid cid;
		size_t length = strcspn(line, " \t\r\n");
		line[length] = '\0';
		if (!length)
			continue;
		if (cid_parse(line, length, &cid))
			end = one(node, blobs, &cid, report);
		else
			report_refused(report, line, "it is no CID");
	}
	free(line);
	if (end == NODE_SILENT)
		return report_failed(report, EXIT_SILENT,
				     "the node does not answer: %s; the same again goes on here",
				     node_why(node));
	if (ferror(list) || fsync(blobs) != 0)
		return report_failed(report, EXIT_REFUSED, "%s", strerror(errno));
	return report_end(report);
}

int carry_out(struct node *node, int folder, FILE *list, struct report *report)
{
	char why[FOLDER_WHY], peer[PEER_TEXT];
	struct key key;
	int blobs;
	enum node_end end = node_info(node, &key, peer);
	if (end != NODE_OK)
		return report_failed(report, end == NODE_SILENT ? EXIT_SILENT : EXIT_REFUSED, "%s",
				     node_why(node));
	if (!folder_make(folder, BLOBS, &blobs, why))
		return report_failed(report, EXIT_REFUSED, "DIR/%s: %s", BLOBS, why);
	int code;
	if (flock(blobs, LOCK_EX | LOCK_NB) != 0)
		code = report_failed(report, EXIT_REFUSED, "another export is at work there");
	else if (!write_identity(folder, &key, peer, why))
		code = report_failed(report, EXIT_REFUSED, "DIR/keys, DIR/p2p: %s", why);
	else if (!folder_each(blobs, sweep, &blobs, why))
		code = report_failed(report, EXIT_REFUSED, "DIR/%s: %s", BLOBS, why);
	else
		code = each_line(node, blobs, list, report);
	close(blobs);
	return code;
}
