/* The thread that writes slots: see ink.h. Runs inside wallet@N; touches one descriptor, and holds no key. */
#include "actors/wallet/ink.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK = 64 * 1024 };

struct job {
	uint64_t offset;
	uint8_t slot[SPENT_SLOT];
};

struct ink {
	int fd, event;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct job jobs[SPENT_UNDER_WAY]; /* job n is in place n modulo SPENT_UNDER_WAY */
	uint64_t put, dry;                /* under the lock */
	bool stop;
};

static _Noreturn void failed(const char *what)
{
	log_error("wallet.ink_failed",
		  "what=%s errno=%d why=\"what is on the disk is not known; starting anew\"", what, errno);
	abort();
}

/* Jobs `from` to `to` are not touched by anybody else until they are dry. */
static void write_group(struct ink *ink, uint64_t from, uint64_t to)
{
	const uint64_t one = 1;
	for (uint64_t n = from; n < to; n++) {
		const struct job *job = &ink->jobs[n % SPENT_UNDER_WAY];
		if (pwrite(ink->fd, job->slot, SPENT_SLOT, (off_t)job->offset) != SPENT_SLOT)
			failed("write");
	}
	if (fdatasync(ink->fd) != 0)
		failed("sync");
	pthread_mutex_lock(&ink->lock);
	ink->dry = to;
	pthread_cond_broadcast(&ink->change);
	pthread_mutex_unlock(&ink->lock);
	bug_if(write(ink->event, &one, sizeof one) != sizeof one);
}

static void *ink_run(void *context)
{
	struct ink *ink = context;
	pthread_mutex_lock(&ink->lock);
	for (;;) {
		while (ink->put == ink->dry && !ink->stop)
			pthread_cond_wait(&ink->change, &ink->lock);
		if (ink->put == ink->dry)
			break;
		uint64_t from = ink->dry, to = ink->put;
		pthread_mutex_unlock(&ink->lock);
		write_group(ink, from, to);
		pthread_mutex_lock(&ink->lock);
	}
	pthread_mutex_unlock(&ink->lock);
	return NULL;
}

struct ink *ink_start(int fd)
{
	struct ink *ink = x_new(sizeof *ink);
	pthread_attr_t attributes;
	sigset_t all, before;
	ink->fd = fd;
	ink->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bug_if(ink->event < 0);
	bug_if(pthread_mutex_init(&ink->lock, NULL) || pthread_cond_init(&ink->change, NULL));
	bug_if(pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	bug_if(pthread_create(&ink->thread, &attributes, ink_run, ink));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return ink;
}

void ink_end(struct ink **ink)
{
	struct ink *i = *ink;
	pthread_mutex_lock(&i->lock);
	i->stop = true;
	pthread_cond_broadcast(&i->change);
	pthread_mutex_unlock(&i->lock);
	bug_if(pthread_join(i->thread, NULL));
	pthread_mutex_destroy(&i->lock);
	pthread_cond_destroy(&i->change);
	close(i->event);
	x_free(ink);
}

int ink_fd(const struct ink *ink)
{
	return ink->event;
}

bool ink_put(struct ink *ink, uint64_t offset, const uint8_t slot[SPENT_SLOT])
{
	pthread_mutex_lock(&ink->lock);
	bool room = ink->put - ink->dry < SPENT_UNDER_WAY;
	if (room) {
		struct job *job = &ink->jobs[ink->put++ % SPENT_UNDER_WAY];
		job->offset = offset;
		memcpy(job->slot, slot, SPENT_SLOT);
		pthread_cond_broadcast(&ink->change);
	}
	pthread_mutex_unlock(&ink->lock);
	return room;
}

uint64_t ink_dry(struct ink *ink)
{
	uint64_t seen;
	if (read(ink->event, &seen, sizeof seen) < 0)
		bug_if(errno != EAGAIN);
	pthread_mutex_lock(&ink->lock);
	uint64_t dry = ink->dry;
	pthread_mutex_unlock(&ink->lock);
	return dry;
}
