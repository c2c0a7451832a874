/* A process of a machine that is alive, beats, and says nothing else: it never comes to the bus (system/ready.test.js puts it in
 * a wallet's place). */
#include "proto/birth.h"

#include <time.h>
#include <unistd.h>

int main(void)
{
	const char beat = LIFE_BEAT;
	while (write(FD_LIFE, &beat, 1) == 1)
		nanosleep(&(struct timespec){0, 500000000}, NULL);
	return 0;
}
