/* The node, over its own HTTP face, like any stranger. What it answers is bounded in time and size, and believed only where it
 * can be checked. One connection, used again and again. */
#ifndef WARREN_LAYOUT_NODE_H
#define WARREN_LAYOUT_NODE_H

#include "proto/ids.h"

/* The highest max_blob_mb there is (proto/settings.def): no node takes more. */
#define BLOB_MOST (UINT64_C(1024) << 20)
enum { NODE_WHY = 256, URL_TEXT = 512, PEER_TEXT = 64 };

struct node; /* x_new'd */

/* `url`: http://HOST:PORT, without a path. NULL: it is none. */
struct node *node_open(const char *url);
void node_close(struct node **node);

enum node_end {
	NODE_OK,
	NODE_NOT_THERE, /* it has no such blob */
	NODE_REFUSED,   /* its sentence is in node_why() */
	NODE_SILENT,    /* it did not answer, several times: it makes no sense to go on */
};
const char *node_why(const struct node *node); /* clean */

/* Who it says it is. */
enum node_end node_info(struct node *node, struct key *key, char peer[PEER_TEXT]);

/* Whether it has the blob, with so many bytes. */
enum node_end node_has(struct node *node, const struct cid *cid, uint64_t size);

/* NODE_OK: it has stored them, under the name that they have. */
enum node_end node_put(struct node *node, const struct cid *cid, const uint8_t *bytes, size_t length);

/* All bytes of it, which are those of the name; x_new'd. */
enum node_end node_get(struct node *node, const struct cid *cid, uint8_t **bytes, size_t *length);

#endif
