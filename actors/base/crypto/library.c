/* libgcrypt, started once for the life of the process. Runs in every process; it looks at /etc/gcrypt/hwf.deny and
 * /proc/sys/crypto/fips_enabled, and after the first call touches nothing outside its memory. */
#include "actors/base/crypto/library.h"

#include "actors/base/log/log.h"

#include <gcrypt.h>
#include <pthread.h>

/* No locked pool: keys only pass through here, and who has lasting ones has secret memory. And no FIPS mode,
 * whatever a file of the system says: there libgcrypt takes no nonce from its caller. */
static void start(void)
{
	bug_if(gcry_control(GCRYCTL_NO_FIPS_MODE) != 0);
	bug_if(!gcry_check_version(NULL));
	bug_if(gcry_control(GCRYCTL_DISABLE_SECMEM) != 0);
	bug_if(gcry_control(GCRYCTL_INITIALIZATION_FINISHED) != 0);
}

void library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	bug_if(pthread_once(&once, start) != 0);
}
