/* Allocation that cannot fail quietly. Linked by every program. */
#include "actors/base/memory/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *older;
	max_align_t at[];
};

enum { BLOCK = 4096 - 64 };

static void *or_die(void *pointer)
{
	if (!pointer) {
		fputs("error memory.exhausted\n", stderr);
		abort();
	}
	return pointer;
}

void *x_new(size_t bytes)
{
	return or_die(calloc(1, bytes ? bytes : 1));
}

void *x_new_array(size_t count, size_t bytes)
{
	return or_die(calloc(count ? count : 1, bytes ? bytes : 1));
}

void *x_grow(void *old, size_t bytes)
{
	return or_die(realloc(old, bytes ? bytes : 1));
}

char *x_copy(const char *text)
{
	return or_die(strdup(text));
}

void x_release(void *pointer)
{
	free(pointer);
}

void arena_begin(struct arena *arena, size_t most)
{
	*arena = (struct arena){.most = most};
}

void *arena_take(struct arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX - sizeof(max_align_t))
		return NULL;
	bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!arena->blocks || bytes > arena->room - arena->used) {
		size_t room = bytes > BLOCK ? bytes : BLOCK;
		if (bytes > arena->most - arena->taken)
			return NULL;
		struct arena_block *block = x_new(sizeof *block + room);
		block->older = arena->blocks;
		arena->blocks = block;
		arena->used = 0;
		arena->room = room;
	}
	if (bytes > arena->most - arena->taken)
		return NULL;
	void *at = (uint8_t *)arena->blocks->at + arena->used;
	arena->used += bytes;
	arena->taken += bytes;
	return at;
}

void arena_end(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;
		arena->blocks = block->older;
		free(block);
	}
	arena_begin(arena, arena->most);
}

void wipe(void *at, size_t bytes)
{
	explicit_bzero(at, bytes);
}
