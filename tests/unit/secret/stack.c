/* What a function leaves on the stack is there until secret_wipe_stack(). The stack is read through
 * /proc/self/mem, because C has no word for it. */
#include "actors/base/secret/secret.h"

#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { LEFT = 24 * 1024, LOOK = 64 * 1024 };

__attribute__((noinline, no_sanitize_address)) static void leave_traces(void)
{
	uint8_t frame[LEFT];
	memset(frame, 0xc3, sizeof frame);
	__asm__ volatile("" : : "r"(frame) : "memory");
}

/* Runs of 64 pattern bytes below this frame. */
__attribute__((noinline)) static unsigned traces(void)
{
	uint8_t *below = x_new(LOOK);
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	off_t from = (off_t)((uintptr_t)__builtin_frame_address(0) - LOOK);
	cr_assert_eq(pread(memory, below, LOOK, from), LOOK);
	close(memory);
	unsigned found = 0, run = 0;
	for (unsigned i = 0; i < LOOK; i++) {
		run = below[i] == 0xc3 ? run + 1 : 0;
		found += run == 64;
	}
	x_free(&below);
	return found;
}

/* The stack grows by being touched: all of it that will be looked at must be there. */
__attribute__((noinline, no_sanitize_address)) static void grow(void)
{
	uint8_t frame[2 * LOOK];
	memset(frame, 0, sizeof frame);
	__asm__ volatile("" : : "r"(frame) : "memory");
}

Test(stack, is_wiped)
{
	grow();
	secret_wipe_stack(); /* once, so that the dynamic linker, which saves registers on the stack, has done
				its part */
	cr_assert_eq(traces(), 0U);
	leave_traces();
	cr_assert_gt(traces(), 0U, "the control: a frame outlives its function");
	leave_traces();
	secret_wipe_stack();
	cr_expect_eq(traces(), 0U);
}
