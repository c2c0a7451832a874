/* The marker file: tells a folder that is not mounted from a store that is empty. Written last when a store is made, by
 * rename, and never again. Text:
 *
 *   warren store 1
 *   node 3
 *   store 0f1e2d3c4b5a69788796a5b4c3d2e1f0
 */
#ifndef WARREN_STORE_MARKER_H
#define WARREN_STORE_MARKER_H

#include "actors/store/chunk.h"
#include "proto/formats.h"

#define MARKER_FILE "marker"

struct marker {
	uint32_t version; /* 1 */
	uint16_t node;
	struct store_id store;
};
enum { MARKER_VERSION = FORMAT_marker };

enum marker_end { MARKER_OK, MARKER_NONE, MARKER_DAMAGED, MARKER_NEWER, MARKER_DISK /* errno says why */ };
enum marker_end marker_read(int folder, struct marker *marker);

/* Written, synced, renamed, the folder synced. False, and errno, when the disk would not. */
bool marker_write(int folder, const struct marker *marker);

#endif
