/* meta.json, which lies beside the data of a blob in the layout of seed 003. Its fields are those that ByteCave core writes (cid,
 * size, mimeType, version, compressed); what it has besides (times, senders, replicas, metrics) is about a node, not about the
 * bytes, and is neither read nor written: so two nodes that hold the same blobs export the same files. */
#ifndef WARREN_LAYOUT_META_H
#define WARREN_LAYOUT_META_H

#include "proto/ids.h"

enum { META_MOST = 65536, META_WHY = 200 }; /* bytes of a file; of a sentence */

struct meta {
	struct cid cid;
	uint64_t size; /* of the data */
};

/* Hostile bytes. False, with a sentence: it is not what it should be. */
bool meta_parse(const char *text, size_t length, struct meta *meta, char why[META_WHY]);

char *meta_print(const struct meta *meta); /* malloc'ed; the same for the same blob, everywhere */

#endif
