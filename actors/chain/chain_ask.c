/* Batches of questions for whichever server is good; part of the process chain. One that fails costs its server its place, and the
 * next is asked at once: within TRY_MS, when it says nothing at all. */
#include "actors/chain/chain_self.h"

#include <stdio.h>
#include <string.h>

struct job {
	struct chain *self;
	struct rpc_batch batch;
	unsigned tried, avoid, server;
	uint64_t began_ms;
	job_end_fn *end;
	void *context;
};

struct job *job_new(struct chain *self, job_end_fn *end, void *context)
{
	if (self->jobs == JOBS) {
		self->jobs_dropped++;
		return NULL;
	}
	struct job *job = x_new(sizeof *job);
	job->self = self;
	job->end = end;
	job->context = context;
	rpc_begin(&job->batch, self->next_id);
	rpc_add(&job->batch, "eth_chainId", "%s", "");
	if (++self->jobs > self->jobs_high)
		self->jobs_high = self->jobs;
	return job;
}

struct rpc_batch *job_batch(struct job *job)
{
	return &job->batch;
}

void job_avoid(struct job *job, unsigned servers)
{
	job->avoid = servers;
}

static void finish(struct job *job, const struct rpc_answer *answer, const char *why)
{
	struct chain *self = job->self;
	self->jobs--;
	job->end(self, job->context, answer, job->server, why);
	x_free(&job);
}

static void try_next(struct job *job, const char *why);

/* Whether it is an answer of our chain; else `why` says what it is. */
static bool believed(struct job *job, const struct rpc_answer *answer, char why[RPC_WHY])
{
	uint64_t id;
	if (answer->replies[0].kind != RPC_RESULT || !rpc_u64(answer->replies[0].result, &id)) {
		snprintf(why, RPC_WHY, "it does not say which chain it is of");
		return false;
	}
	if (id == job->self->profile.id)
		return true;
	snprintf(why, RPC_WHY, "it is of chain %llu, not %llu", (unsigned long long)id,
		 (unsigned long long)job->self->profile.id);
	return false;
}

static void on_end(void *context, const char *bytes, size_t length, const char *why)
{
	struct job *job = context;
	struct rpc_answer answer;
	char because[RPC_WHY];
	snprintf(because, sizeof because, "%s", why);
	if (!bytes || !rpc_read(bytes, length, job->batch.first, job->batch.count, &answer, because)) {
		pool_failed(&job->self->pool, job->server, because, now_ms());
		try_next(job, because);
		return;
	}
	if (!believed(job, &answer, because)) {
		pool_failed(&job->self->pool, job->server, because, now_ms());
		rpc_forget(&answer);
		try_next(job, because);
		return;
	}
	pool_answered(&job->self->pool, job->server, now_ms());
	finish(job, &answer, "");
	rpc_forget(&answer);
}

static void try_next(struct job *job, const char *why)
{
	struct chain *self = job->self;
	int server = pool_pick(&self->pool, job->tried | job->avoid);
	if (server < 0)
		server = pool_pick(&self->pool, job->tried);
	if (server < 0) {
		finish(job, NULL, *why ? why : "no server of the chain can be used");
		return;
	}
	job->server = (unsigned)server;
	job->tried |= 1U << server;
	unsigned limit = pool_pick(&self->pool, job->tried) >= 0 ? TRY_MS : ALONE_MS;
	if (!dial_post(self->dial, job->server, job->batch.text, job->batch.used, limit, on_end, job))
		finish(job, NULL, "too many questions are under way");
}

void job_go(struct job *job)
{
	rpc_end(&job->batch);
	if (job->batch.full) {
		finish(job, NULL, "more than fits in one question");
		return;
	}
	job->self->next_id += job->batch.count;
	try_next(job, "");
}
