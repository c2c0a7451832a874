/* What is put in a process's place to die at its start, each time (chaos/crash.test.js). */
#include <stdlib.h>

int main(void)
{
	abort();
}
