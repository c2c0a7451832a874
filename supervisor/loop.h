/* One epoll loop over descriptors. A watch may be taken away, and its descriptor closed, from within any handler. */
#ifndef WARREN_SUPERVISOR_LOOP_H
#define WARREN_SUPERVISOR_LOOP_H

#include "actors/base/clock/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* `events` are EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. */
typedef void loop_fn(void *context, int fd, uint32_t events);

struct loop *loop_new(void); /* NULL and errno when there is no epoll descriptor */
void loop_free(struct loop **loop);

/* One watch for a descriptor. False and errno when the kernel refuses. */
bool loop_watch(struct loop *loop, int fd, uint32_t events, loop_fn *ready, void *context);
void loop_events(struct loop *loop, int fd, uint32_t events);
void loop_unwatch(struct loop *loop, int fd); /* before the descriptor is closed; one that is not watched is fine */

/* Waits at most `ms`, then calls what is ready. */
void loop_turn(struct loop *loop, int ms);

/* From `then` to `now`; 0 when `then` is the later one: a turn has one `now`, and things happen within it. */
uint64_t elapsed_ms(uint64_t now, uint64_t then);

#endif
