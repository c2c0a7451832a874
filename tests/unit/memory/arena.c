/* The three ways to hold memory: zeroed, aligned, bounded where others fill it. */
#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 64 * 1024, UNIT = sizeof(max_align_t) };

static bool all_zero(const uint8_t *at, size_t bytes)
{
	while (bytes--)
		if (*at++)
			return false;
	return true;
}

Test(arena, zeroed_and_aligned)
{
	struct arena arena;
	arena_begin(&arena, MOST);
	for (size_t bytes = 1; bytes < 300; bytes++) {
		uint8_t *at = arena_take(&arena, bytes);
		cr_assert_not_null(at);
		cr_assert_eq((uintptr_t)at % _Alignof(max_align_t), 0, "%zu bytes", bytes);
		cr_assert(all_zero(at, bytes), "%zu bytes", bytes);
		memset(at, 0xff, bytes); /* the next one must not lie in here */
	}
	arena_end(&arena);
}

Test(arena, pieces_do_not_overlap)
{
	struct arena arena;
	uint8_t *pieces[64];
	arena_begin(&arena, MOST);
	for (unsigned i = 0; i < 64; i++) {
		pieces[i] = arena_take(&arena, 100 + i);
		memset(pieces[i], (int)i, 100 + i);
	}
	for (unsigned i = 0; i < 64; i++)
		for (unsigned at = 0; at < 100 + i; at++)
			cr_assert_eq(pieces[i][at], i);
	arena_end(&arena);
}

Test(arena, up_to_its_bound)
{
	struct arena arena;
	arena_begin(&arena, MOST);
	size_t taken = 0;
	while (arena_take(&arena, UNIT))
		taken += UNIT;
	cr_assert_eq(taken, MOST);
	cr_assert_null(arena_take(&arena, 1));
	arena_end(&arena);
}

Test(arena, one_piece_of_all)
{
	struct arena arena;
	arena_begin(&arena, MOST);
	cr_assert_null(arena_take(&arena, MOST + 1));
	cr_assert_null(arena.blocks, "a refusal takes nothing");
	uint8_t *whole = arena_take(&arena, MOST);
	cr_assert_not_null(whole);
	whole[MOST - 1] = 1;
	cr_assert_null(arena_take(&arena, 1));
	arena_end(&arena);
}

Test(arena, too_much_is_refused_and_the_rest_still_given)
{
	static const size_t wrong[] = {MOST, MOST + 1, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - UNIT, SIZE_MAX / 2};
	struct arena arena;
	arena_begin(&arena, MOST);
	cr_assert_not_null(arena_take(&arena, 1));
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_null(arena_take(&arena, wrong[i]), "%zu bytes", wrong[i]);
	cr_assert_not_null(arena_take(&arena, MOST - UNIT));
	arena_end(&arena);
}

Test(arena, nothing_is_something)
{
	struct arena arena;
	arena_begin(&arena, MOST);
	cr_assert((uintptr_t)arena_take(&arena, 0) > 4096, "the first piece is somewhere");
	uint8_t *one = arena_take(&arena, 1);
	cr_assert_not_null(one);
	*one = 1;
	arena_end(&arena);
	arena_begin(&arena, 0);
	cr_assert_null(arena_take(&arena, 1));
	arena_end(&arena);
}

Test(arena, begun_again)
{
	struct arena arena;
	arena_begin(&arena, MOST);
	for (unsigned round = 0; round < 3; round++) {
		uint8_t *at = arena_take(&arena, MOST);
		cr_assert_not_null(at, "round %u", round);
		cr_assert(all_zero(at, MOST));
		memset(at, 0xff, MOST);
		arena_end(&arena);
		cr_assert_null(arena.blocks);
	}
}

Test(x, new_is_zeroed)
{
	uint8_t *at = x_new(1000), *many = x_new_array(10, 100), *none = x_new(0);
	cr_assert(all_zero(at, 1000) && all_zero(many, 1000));
	cr_assert_not_null(none);
	x_free(&at);
	x_free(&many);
	x_free(&none);
	cr_assert_null(at);
	x_free(&at); /* freeing nothing is nothing */
}

Test(x, grow_keeps)
{
	char *text = x_copy("warren");
	text = x_grow(text, 10000);
	cr_assert_str_eq(text, "warren");
	x_free(&text);
}

/* Nobody gets a pointer back; a sanitizer ends the process in its own way. */
Test(x, array_that_cannot_be)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		close(STDERR_FILENO);
		x_new_array(SIZE_MAX / 2, 3);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

Test(wipe, whole_and_no_more)
{
	uint8_t bytes[64];
	memset(bytes, 0xaa, sizeof bytes);
	wipe(bytes + 8, 48);
	for (unsigned i = 0; i < sizeof bytes; i++)
		cr_assert_eq(bytes[i], i >= 8 && i < 56 ? 0 : 0xaa, "byte %u", i);
}
