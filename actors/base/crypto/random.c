/* Random bytes from the kernel, and comparing without telling by the time it takes. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/log/log.h"

#include <errno.h>
#include <sodium.h>
#include <sys/random.h>

void random_bytes(void *at, size_t length)
{
	for (uint8_t *to = at; length;) {
		ssize_t got = getrandom(to, length, 0);
		if (got < 0) {
			bug_if(errno != EINTR); /* no source of random: nothing we make would be secret */
			continue;
		}
		to += got;
		length -= (size_t)got;
	}
}

bool same_bytes(const void *a, const void *b, size_t length)
{
	return sodium_memcmp(a, b, length) == 0;
}
