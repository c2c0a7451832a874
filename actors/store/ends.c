/* How an opening that failed looks to the supervisor and to `warren why`. Pure. */
#include "actors/store/ends.h"

#include "actors/base/log/log.h"
#include "proto/birth.h"

/* A folder that is not what the configuration says waits for a person; a disk that refuses is tried again. */
int store_exit_code(enum store_end end)
{
	switch (end) {
	case STORE_OK:
		return 0;
	case STORE_NO_MARKER:
	case STORE_OTHER_NODE:
	case STORE_NO_ARENA:
	case STORE_DAMAGED:
	case STORE_OTHER_SECRET:
	case STORE_NEWER:
		return EXIT_CONFIG;
	case STORE_TAKEN:
	case STORE_NO_ROOM:
	case STORE_DISK:
		return EXIT_WORLD;
	}
	bug("store_end");
}

enum reason_code store_reason(enum store_end end)
{
	switch (end) {
	case STORE_NO_MARKER:
		return REASON_STORE_NO_MARKER;
	case STORE_OTHER_NODE:
		return REASON_STORE_OTHER_NODE;
	case STORE_NO_ARENA:
		return REASON_STORE_NO_ARENA;
	case STORE_DAMAGED:
		return REASON_STORE_DAMAGED;
	case STORE_OTHER_SECRET:
		return REASON_STORE_OTHER_SECRET;
	case STORE_NEWER:
		return REASON_STORE_NEWER;
	case STORE_TAKEN:
		return REASON_STORE_TAKEN;
	case STORE_NO_ROOM:
		return REASON_STORE_NO_ROOM;
	case STORE_OK:
	case STORE_DISK:
		break;
	}
	return REASON_STORE_UNREADABLE;
}
