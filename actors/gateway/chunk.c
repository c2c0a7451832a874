/* Buffers of blob bytes. Linked by the gateway; gone with it. */
#include "actors/gateway/chunk.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <malloc.h>

struct chunk *chunk_new(struct chunks *chunks, uint32_t room)
{
	bug_if(room > CHUNK_ROOM);
	struct chunk *chunk = NULL;
	if (room == CHUNK_ROOM && chunks->spare) {
		chunk = chunks->spare;
		chunks->spare = chunk->next;
		chunks->spares--;
	} else {
		chunk = x_grow(NULL, sizeof *chunk + room);
	}
	*chunk = (struct chunk){.home = chunks, .room = room};
	chunks->held += room;
	if (chunks->held > chunks->high)
		chunks->high = chunks->held;
	return chunk;
}

void chunk_free(struct chunk **at)
{
	struct chunk *chunk = *at;
	*at = NULL;
	if (!chunk)
		return;
	struct chunks *chunks = chunk->home;
	chunks->held -= chunk->room;
	if (chunk->room == CHUNK_ROOM && chunks->spares < CHUNKS_SPARE) {
		chunk->next = chunks->spare;
		chunks->spare = chunk;
		chunks->spares++;
	} else {
		x_free(&chunk);
	}
}

void chunks_forget(struct chunks *chunks)
{
	if (!chunks->spare)
		return;
	while (chunks->spare) {
		struct chunk *chunk = chunks->spare;
		chunks->spare = chunk->next;
		x_free(&chunk);
	}
	chunks->spares = 0;
	malloc_trim(0);
}
