/* Provers: a blob is read whole, each chunk authenticated, its tree grown anew; what the challenge draws is kept. A tree that is
 * not the one in the header means that the bytes are not those that came: that is no proof but a finding. Main thread; touches
 * what get.c touches. */
#include "actors/store/prove.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/store/store_inside.h"

#include <string.h>
#include <time.h>

enum { STEP_CHUNKS = 4 };

struct prover {
	struct provers *provers;
	struct prover *next; /* in the order they came; those that are done are in no list */
	struct get *get;
	struct merkle merkle;
	struct merkle_watch *watches;
	struct prove_wanted wanted;
	struct proof proof;
	proved_fn *proved;
	void *context;
	uint64_t began_ms;
};

struct provers {
	struct store *store;
	struct prover *first, **last;
	struct proofs_told told;
	struct proof_past past[PROOFS_REMEMBERED];
	uint64_t past_count; /* ever */
};

static uint64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct provers *provers_new(struct store *store)
{
	struct provers *provers = x_new(sizeof *provers);
	provers->store = store;
	provers->last = &provers->first;
	return provers;
}

static void drop(struct prover **at)
{
	struct prover *prover = *at;
	prover->provers->told.depth--;
	store_get_close(&prover->get);
	x_free(&prover->watches);
	x_free(at);
}

void provers_free(struct provers **at)
{
	struct provers *provers = *at;
	if (!provers)
		return;
	while (provers->first) {
		struct prover *prover = provers->first;
		provers->first = prover->next;
		drop(&prover);
	}
	x_free(at);
}

static void remember(struct provers *provers, const struct prove_wanted *wanted, uint64_t began_ms,
		     enum err err)
{
	struct proof_past *past = &provers->past[provers->past_count++ % PROOFS_REMEMBERED];
	*past = (struct proof_past){.cid = wanted->cid,
				    .challenge = wanted->challenge,
				    .at = time(NULL),
				    .ms = (uint32_t)(clock_ms() - began_ms),
				    .err = err};
	if (err == ERR_OK) {
		provers->told.proved++;
		return;
	}
	provers->told.failed++;
	bug_if((unsigned)err >= PROVE_ERRS);
	provers->told.failed_by[err]++;
}

/* What the challenge draws, known before a byte is read. */
static void draw(struct prover *prover)
{
	const struct prove_wanted *wanted = &prover->wanted;
	struct proof *proof = &prover->proof;
	struct hash drawn;
	uint64_t leaves = merkle_leaves(proof->size);
	proof->count = leaves ? wanted->samples : 0;
	prover->watches = x_grow(NULL, (proof->count + 1) * sizeof *prover->watches);
	proof_draw(&wanted->challenge, &wanted->node, &wanted->cid, &drawn);
	for (unsigned i = 0; i < proof->count; i++) {
		prover->watches[i].leaf = proof_leaf(&drawn, i, leaves);
		prover->watches[i].length = prover->watches[i].steps = 0;
	}
	prover->merkle.watches = prover->watches;
	prover->merkle.watch_count = proof->count;
}

enum err prover_begin(struct provers *provers, const struct prove_wanted *wanted, proved_fn *proved,
		      void *context)
{
	bug_if(wanted->samples < 1 || wanted->samples > PROOF_SAMPLES);
	uint64_t began_ms = clock_ms();
	struct get *get = NULL;
	enum err err = provers->told.depth == PROVERS ? ERR_BUSY
						      : get_open(provers->store, &wanted->cid, false, &get);
	if (err != ERR_OK) {
		provers->told.refused += err == ERR_BUSY;
		remember(provers, wanted, began_ms, err);
		return err;
	}
	struct prover *prover = x_new(sizeof *prover);
	*prover = (struct prover){.provers = provers,
				  .get = get,
				  .wanted = *wanted,
				  .proved = proved,
				  .context = context,
				  .began_ms = began_ms};
	prover->proof = (struct proof){.cid = wanted->cid,
				       .size = get_size(get),
				       .challenge = wanted->challenge,
				       .node = wanted->node};
	draw(prover);
	*provers->last = prover;
	provers->last = &prover->next;
	if (++provers->told.depth > provers->told.high)
		provers->told.high = provers->told.depth;
	return ERR_KEPT;
}

static void fill_samples(struct prover *prover)
{
	for (unsigned i = 0; i < prover->proof.count; i++) {
		const struct merkle_watch *watch = &prover->watches[i];
		prover->proof.samples[i] = (struct proof_sample){.leaf = watch->leaf,
								 .bytes = watch->bytes,
								 .length = watch->length,
								 .path = watch->path[0],
								 .steps = watch->steps};
	}
}

/* ERR_KEPT: there is more to read. */
static enum err step(struct prover *prover)
{
	for (int i = 0; i < STEP_CHUNKS; i++) {
		const uint8_t *bytes;
		size_t length;
		enum err err = store_get_next(prover->get, &bytes, &length);
		if (err != ERR_OK)
			return err;
		merkle_add(&prover->merkle, bytes, length);
		if (length)
			continue;
		merkle_end(&prover->merkle, &prover->proof.tree);
		struct blob *blob = get_blob(prover->get);
		if (memcmp(&blob->root, &prover->proof.tree, sizeof blob->root) != 0) {
			store_found_corrupt(prover->provers->store, blob, CORRUPT_HEADER);
			return ERR_CORRUPT;
		}
		fill_samples(prover);
		return ERR_OK;
	}
	return ERR_KEPT;
}

bool provers_turn(struct provers *provers)
{
	struct prover *prover = provers->first;
	if (!prover)
		return false;
	enum err err = step(prover);
	if (err == ERR_KEPT)
		return true;
	provers->first = prover->next;
	if (!provers->first)
		provers->last = &provers->first;
	store_get_close(&prover->get);
	prover->proved(prover->context, prover, err);
	return provers->first;
}

struct proof *prover_proof(struct prover *prover)
{
	return &prover->proof;
}

void prover_end(struct prover **at, enum err err)
{
	struct prover *prover = *at;
	remember(prover->provers, &prover->wanted, prover->began_ms, err);
	drop(at);
}

const struct proofs_told *proofs_told(const struct provers *provers)
{
	return &provers->told;
}

const struct proof_past *proof_past(const struct provers *provers, unsigned back)
{
	if (back >= PROOFS_REMEMBERED || back >= provers->past_count)
		return NULL;
	return &provers->past[(provers->past_count - 1 - back) % PROOFS_REMEMBERED];
}
