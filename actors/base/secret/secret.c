/* Secret memory. Linked by processes that hold a lasting key; each piece lives as long as they do. It is lost
 * with the process: nothing of it is ever on a disk. */
#include "actors/base/secret/secret.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define VECTORS \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
		"xmm12", "xmm13", "xmm14", "xmm15"
#elif defined(__aarch64__)
#define VECTORS \
	"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", \
		"v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#endif

enum { ALIGNMENT = 16, MOST = 1024 * 1024 };

/* guard page | whole pages, the piece at their end | guard page */
struct layout {
	size_t page, inner, whole;
	size_t offset; /* of the piece in the whole */
};

static struct layout layout_of(size_t bytes)
{
	bug_if(bytes == 0 || bytes > MOST);
	struct layout layout = {.page = (size_t)sysconf(_SC_PAGESIZE)};
	size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	layout.inner = (rounded + layout.page - 1) / layout.page * layout.page;
	layout.whole = layout.inner + 2 * layout.page;
	layout.offset = layout.page + layout.inner - rounded;
	return layout;
}

/* Pages that the kernel takes out of its own map. It refuses to hibernate as long as there are any, which
 * suits us: an image on the disk would hold the keys. */
static bool map_hidden(void *at, size_t bytes)
{
#ifdef SYS_memfd_secret
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	if (fd < 0)
		return false;
	bool mapped = ftruncate(fd, (off_t)bytes) == 0 &&
		      mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == at;
	close(fd);
	return mapped;
#else
	(void)at, (void)bytes;
	return false; /* this C library has not heard of it */
#endif
}

static enum secret_wall map_inner(void *at, size_t bytes, enum secret_wall best)
{
	enum secret_wall got = SECRET_HIDDEN;
	if (best < SECRET_HIDDEN || !map_hidden(at, bytes)) {
		void *mapped = mmap(at, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		bug_if(mapped != at);
		/* mlock2 with no flags is mlock, which the sanitizers replace by nothing */
		got = best >= SECRET_LOCKED && mlock2(at, bytes, 0) == 0 ? SECRET_LOCKED : SECRET_PLAIN;
	}
	/* A child gets no copy. Hidden pages are shared by nature, so wiping them in the child would wipe
	 * them here. */
	if (madvise(at, bytes, MADV_DONTDUMP) != 0 || madvise(at, bytes, MADV_DONTFORK) != 0)
		got = SECRET_PLAIN;
	return got;
}

void *secret_new(size_t bytes, enum secret_wall best, enum secret_wall *got)
{
	struct layout layout = layout_of(bytes);
	char *whole = mmap(NULL, layout.whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bug_if(whole == MAP_FAILED);
	*got = map_inner(whole + layout.page, layout.inner, best);
	wipe(whole + layout.page, layout.inner); /* brings the pages in, now, before a seal */
	return whole + layout.offset;
}

void secret_release(void *at, size_t bytes)
{
	if (!at)
		return;
	struct layout layout = layout_of(bytes);
	char *whole = (char *)at - layout.offset;
	wipe(whole + layout.page, layout.inner);
	bug_if(munmap(whole, layout.whole) != 0);
}

const char *secret_wall_name(enum secret_wall wall)
{
	switch (wall) {
	case SECRET_PLAIN:
		return "plain";
	case SECRET_LOCKED:
		return "locked";
	case SECRET_HIDDEN:
		return "hidden";
	}
	bug("no such wall");
}

/* A copied key stays in the vector registers that memcpy used (glibc prefers the upper sixteen where there
 * are any), and who saves the registers next writes it to the stack: the dynamic linker does, when it binds a
 * function at its first call. */
__attribute__((noinline)) static void wipe_registers(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(".irp r,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
				 "vpxorq %%zmm\\r, %%zmm\\r, %%zmm\\r\n\t.endr" ::
					 : "memory");
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall" ::: "memory", VECTORS);
	else
		__asm__ volatile(".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
				 "pxor %%xmm\\r, %%xmm\\r\n\t.endr" ::
					 : "memory", VECTORS);
#elif defined(__aarch64__)
	/* v8 to v15 belong to the caller in their lower halves */
	__asm__ volatile(".irp r,0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
			 "movi v\\r\\().2d, #0\n\t.endr" ::
				 : "memory", VECTORS);
#endif
}

/* Not for the sanitizer: newer ones move a frame like this one away from the stack that is meant. */
__attribute__((noinline, no_sanitize_address)) void secret_wipe_stack(void)
{
	wipe_registers();
	char frame[SECRET_STACK];
	wipe(frame, sizeof frame);
}
