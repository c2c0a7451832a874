/* The inside of this folder: libgcrypt, started once. */
#ifndef WARREN_CRYPTO_LIBRARY_H
#define WARREN_CRYPTO_LIBRARY_H

/* Before any other call of libgcrypt; whichever thread comes first starts it. */
void library(void);

#endif
