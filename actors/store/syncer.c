/* The syncer thread: see syncer.h. Runs inside store@N; touches the arena's descriptor and nothing else. */
#include "actors/store/syncer.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK = 64 * 1024 };

struct syncer {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool wanted, stop; /* under the lock */
};

_Noreturn void sync_failed(const char *what, int number)
{
	log_error("store.sync_failed",
		  "what=%s errno=%d why=\"what is on the disk is not known; starting anew\"", what, number);
	abort();
}

static void *syncer_run(void *context)
{
	struct syncer *syncer = context;
	pthread_mutex_lock(&syncer->lock);
	for (;;) {
		while (!syncer->wanted && !syncer->stop)
			pthread_cond_wait(&syncer->change, &syncer->lock);
		if (!syncer->wanted)
			break;
		pthread_mutex_unlock(&syncer->lock);
		if (fdatasync(syncer->fd) != 0)
			sync_failed("arena", errno);
		pthread_mutex_lock(&syncer->lock);
		syncer->wanted = false;
		pthread_cond_broadcast(&syncer->change);
	}
	pthread_mutex_unlock(&syncer->lock);
	return NULL;
}

struct syncer *syncer_start(int fd)
{
	struct syncer *syncer = x_new(sizeof *syncer);
	syncer->fd = fd;
	pthread_attr_t attributes;
	sigset_t all, before;
	sigfillset(&all);
	bug_if(pthread_mutex_init(&syncer->lock, NULL) || pthread_cond_init(&syncer->change, NULL));
	bug_if(pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK));
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	bug_if(pthread_create(&syncer->thread, &attributes, syncer_run, syncer));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return syncer;
}

void syncer_end(struct syncer **syncer)
{
	struct syncer *s = *syncer;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->change);
	pthread_mutex_unlock(&s->lock);
	bug_if(pthread_join(s->thread, NULL));
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->change);
	x_free(syncer);
}

void syncer_begin(struct syncer *syncer)
{
	pthread_mutex_lock(&syncer->lock);
	syncer->wanted = true;
	pthread_cond_broadcast(&syncer->change);
	pthread_mutex_unlock(&syncer->lock);
}

void syncer_wait(struct syncer *syncer)
{
	pthread_mutex_lock(&syncer->lock);
	while (syncer->wanted)
		pthread_cond_wait(&syncer->change, &syncer->lock);
	pthread_mutex_unlock(&syncer->lock);
}
