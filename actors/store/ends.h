/* What the ends of an opening mean for others: an exit code, a reason. */
#ifndef WARREN_STORE_ENDS_H
#define WARREN_STORE_ENDS_H

#include "actors/store/blobs.h"
#include "proto/reasons.h"

int store_exit_code(enum store_end end);	   /* 0 for STORE_OK */
enum reason_code store_reason(enum store_end end); /* not of STORE_OK */

#endif
