/* wallet@N: holds the lasting private keys of node N, says what they are for, and signs what the policy allows. Runs
 * as its own user without network; opens two files before the seal, keys and books, and writes the books alone; asks
 * nobody. A signature leaves when its charge is on the disk. When it dies, the others ask again once it is back: the
 * books know what was signed. */
#include "actors/base/crypto/crypto.h"
#include "actors/base/reasons/reasons.h"
#include "actors/wallet/budget.h"
#include "actors/wallet/making.h"
#include "actors/wallet/wallet_self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

HANDLERS(wallet_handlers, WALLET_CALLS);

enum err on_wallet_address(struct actor *self, struct call *call, const struct wallet_address *in,
			   struct wallet_address_reply *out)
{
	(void)call, (void)in;
	const struct wallet *wallet = actor_state(self);
	out->address = wallet->keys->address;
	memcpy(out->text, wallet->address, sizeof out->text);
	return ERR_OK;
}

enum err on_wallet_node_key(struct actor *self, struct call *call, const struct wallet_node_key *in,
			    struct wallet_node_key_reply *out)
{
	(void)call, (void)in;
	const struct wallet *wallet = actor_state(self);
	out->key = wallet->keys->node_key;
	memcpy(out->peer_id, wallet->peer_id, sizeof wallet->peer_id);
	return ERR_OK;
}

enum err on_wallet_binding(struct actor *self, struct call *call, const struct wallet_binding *in,
			   struct wallet_binding_reply *out)
{
	(void)call, (void)in;
	const struct statement *statement = &((const struct wallet *)actor_state(self))->statement;
	out->statement = (struct view){statement->text, (uint32_t)statement->length};
	out->wallet_signature = statement->by_wallet;
	out->node_signature = statement->by_node;
	return ERR_OK;
}

/* -- signing ----------------------------------------------------------------------------------- */

enum err wallet_refuse(struct actor *self, struct call *call, const char *name, const struct refusal *refusal)
{
	const char *why = refusal->why;
	struct wallet_refused event = {.uid = call_asker(call).uid, .why = {why, (uint32_t)strlen(why)}};
	struct about about = {WALLET, actor_node(self), 0};
	uint64_t now = wall_clock();
	snprintf(event.call, sizeof event.call, "%s", name);
	who_text(call_asker(call).kind, call_asker(call).node, event.asker);
	log_warn("wallet.refused", "call=%s asker=%s uid=%u why=\"%s\"", name, event.asker, event.uid, why);
	if (refusal->when_s > now)
		about.next_in_ms = (refusal->when_s - now) * 1000;
	reason_about(refusal->code, about, refusal->rule, "%s for %s, uid %u: %s", name, event.asker,
		     event.uid, why);
	publish_wallet_refused(self, &event);
	actor_refused(self);
	call_fail_why(call, ERR_REFUSED, why);
	return ERR_KEPT;
}

/* What the asker did wrong, whatever the policy says. */
static enum err malformed(struct actor *self, struct call *call, const char *why)
{
	struct refusal refusal = {.code = REASON_POLICY_MALFORMED};
	snprintf(refusal.why, sizeof refusal.why, "%s", why);
	return wallet_refuse(self, call, "wallet_sign_tx", &refusal);
}

/* What was allowed once is no longer refused. */
static void allowed(const char *rule)
{
	reason_over(REASON_POLICY_ABSENT, NULL);
	reason_over(REASON_POLICY_NO_RULE, rule);
	reason_over(REASON_POLICY_SPACING, rule);
	reason_over(REASON_POLICY_BUDGET, rule);
}

/* Signs what is on the disk, and answers. */
static void sign(struct actor *self, const struct waiting *waiting)
{
	struct wallet *wallet = actor_state(self);
	struct wallet_sign_tx_reply reply = {0};
	uint8_t raw[TRANSACTION_RAW];
	char hash[65];
	size_t length = transaction_sign(&waiting->tx, wallet->signer, wallet->keys->wallet_secret, raw,
					 &reply.tx_hash);
	reply.raw = (struct view){raw, (uint32_t)length};
	struct wallet_signed event = {.chain_id = waiting->tx.chain_id,
				      .nonce = waiting->tx.nonce,
				      .to = waiting->tx.to,
				      .value = waiting->tx.value,
				      .tx_hash = reply.tx_hash};
	transaction_fee(&waiting->tx, &event.fee);
	memcpy(event.rule, waiting->rule, sizeof event.rule);
	memcpy(event.purpose, waiting->purpose, sizeof event.purpose);
	log_info("wallet.signed", "rule=%s chain=%llu nonce=%llu hash=0x%s uid=%u", waiting->rule,
		 (unsigned long long)event.chain_id, (unsigned long long)event.nonce,
		 hex_text(reply.tx_hash.bytes, 32, hash), call_asker(waiting->call).uid);
	publish_wallet_signed(self, &event);
	reply_wallet_sign_tx(waiting->call, &reply);
}

/* Answers all that is dry. Looking takes the descriptor's news away, so nobody looks but here. */
static void on_dry(struct actor *self, void *context, int fd, short events)
{
	(void)context, (void)fd, (void)events;
	struct wallet *wallet = actor_state(self);
	uint64_t dry = ink_dry(wallet->ink), done = 0;
	for (; done < wallet->waiting_count && wallet->waiting[done].put <= dry; done++)
		sign(self, &wallet->waiting[done]);
	wallet->waiting_count -= done;
	memmove(wallet->waiting, wallet->waiting + done, wallet->waiting_count * sizeof *wallet->waiting);
}

static struct transaction transaction_of(const struct wallet_sign_tx *in)
{
	struct transaction tx = {.type = in->type,
				 .chain_id = in->chain_id,
				 .nonce = in->nonce,
				 .gas = in->gas,
				 .max_fee = in->max_fee,
				 .to = in->to,
				 .value = in->value,
				 .data = in->data.at,
				 .data_length = in->data.length};
	if (in->has_max_priority)
		tx.max_priority = in->max_priority;
	return tx;
}

/* Signed when all that was ever put is dry: also what was charged before, and asked for again. */
static enum err wait_for_ink(struct actor *self, struct call *call, const struct wallet_sign_tx *in,
			     const char *rule)
{
	struct wallet *wallet = actor_state(self);
	struct waiting waiting = {.call = call, .tx = transaction_of(in), .put = wallet->put};
	snprintf(waiting.rule, sizeof waiting.rule, "%s", rule);
	snprintf(waiting.purpose, sizeof waiting.purpose, "%s", in->purpose);
	wallet->waiting[wallet->waiting_count++] = waiting;
	if (wallet->waiting_count > wallet->waiting_high)
		wallet->waiting_high = wallet->waiting_count;
	on_dry(self, NULL, ink_fd(wallet->ink), POLLIN);
	return ERR_KEPT;
}

/* Asked again with the caller's own key: what was charged then is not charged again, if it is the same. */
static enum err sign_again(struct actor *self, struct call *call, const struct wallet_sign_tx *in,
			   const struct hash *before)
{
	struct transaction tx = transaction_of(in);
	uint8_t digest[32];
	if (transaction_wrong(&tx))
		return malformed(self, call, transaction_wrong(&tx));
	transaction_digest(&tx, digest);
	if (memcmp(digest, before->bytes, sizeof digest) != 0)
		return malformed(self, call, "this key (once) was used for another transaction");
	return wait_for_ink(self, call, in, "asked-again");
}

enum err on_wallet_sign_tx(struct actor *self, struct call *call, const struct wallet_sign_tx *in,
			   struct wallet_sign_tx_reply *out)
{
	(void)out;
	static const struct hash none;
	struct wallet *wallet = actor_state(self);
	struct transaction tx = transaction_of(in);
	struct charge charge;
	struct refusal refusal;
	uint8_t slot[SPENT_SLOT];
	if (wallet->waiting_count == SPENT_UNDER_WAY) { /* slots that are not dry are of calls that wait */
		wallet->waiting_busy++;
		return ERR_BUSY;
	}
	if (memcmp(&in->once, &none, sizeof none) == 0)
		return malformed(self, call,
				 "once must be a random key of the caller, 32 bytes, for asking again");
	uint64_t now = spent_now(wallet->spent, (uint64_t)age_now(&wallet->age));
	const struct hash *before = spent_once(wallet->spent, &in->once);
	if (before)
		return sign_again(self, call, in, before);
	if (!verdict_transaction(&wallet->policy, wallet->spent, &tx, now, &charge, &refusal))
		return wallet_refuse(self, call, "wallet_sign_tx", &refusal);
	allowed(charge.rule);
	charge.once = in->once;
	uint64_t offset = spent_add(wallet->spent, &charge, now, slot);
	bug_if(!ink_put(wallet->ink, offset, slot));
	wallet->put++;
	return wait_for_ink(self, call, in, charge.rule);
}

/* -- what may be signed ------------------------------------------------------------------------ */

enum err on_wallet_policy(struct actor *self, struct call *call, const struct wallet_policy *in,
			  struct wallet_policy_reply *out)
{
	(void)in;
	struct wallet *wallet = actor_state(self);
	uint64_t now = spent_now(wallet->spent, (uint64_t)age_now(&wallet->age));
	budget_rows(&wallet->policy, wallet->spent, now, call_arena(call), out);
	return ERR_OK;
}

/* -- birth -- */

static int refuse(enum keyfile_end end, int folder, int error)
{
	char why[KEYFILE_WHY];
	keyfile_why(end, folder, error, why);
	reason_note(keyfile_reason(end), KEYFILE_NAME, "%s", why);
	log_error("wallet.keys", "file=%s why=\"%s\"", KEYFILE_NAME, why);
	return end == KEYFILE_DISK ? EXIT_WORLD : EXIT_CONFIG;
}

/* A row without a secret is given zeroes; to seal under them would be to write the keys in the clear. */
static bool has_secret(struct actor *self)
{
	static const uint8_t none[SEALING_SECRET];
	return !same_bytes(actor_secret(self), none, sizeof none);
}

/* Everything but the keys themselves. Returns the node's folder, or a negative exit code. */
static int prepare(struct actor *self, struct wallet *wallet)
{
	if (!has_secret(self)) {
		log_error("wallet.secret",
			  "why=\"the supervisor gave no sealing secret; check the unlock secret\"");
		reason_note(REASON_KEY_LOCKED, "", "the supervisor gave no sealing secret");
		return -EXIT_CONFIG;
	}
	enum secret_wall best = actor_pretends(self, WALL_SECRETS) ? SECRET_LOCKED : SECRET_HIDDEN, got;
	wallet->keys = keys_new(best, &got);
	if (got != SECRET_HIDDEN) {
		actor_missing(self, WALL_SECRETS);
		log_warn("wallet.memory", "wall=%s", secret_wall_name(got));
	}
	wallet->signer = signer_new();
	int folder = open(actor_self_path(self), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		log_error("wallet.folder", "path=\"%s\" errno=\"%s\"", actor_self_path(self),
			  strerror(errno));
		reason_note(REASON_KEY_ABSENT, "", "its folder cannot be opened: %s", strerror(errno));
		return -EXIT_CONFIG;
	}
	return folder;
}

/* The supervisor read and checked it; a line that is none comes of two builds that do not belong together. */
static int open_policy(struct actor *self, struct wallet *wallet)
{
	const char *line = actor_setting(self, "policy");
	if (!*line || policy_parse(line, &wallet->policy))
		return 0;
	log_error("wallet.policy",
		  "why=\"the supervisor told a policy that is none; install all programs from one build\"");
	return EXIT_CONFIG;
}

static int open_books(struct actor *self, struct wallet *wallet, int folder)
{
	bool made;
	char why[SPENT_WHY];
	enum spent_end end = spent_open(folder, &wallet->spent, &made);
	if (end != SPENT_OK) {
		reason_note(spent_reason(end), SPENT_NAME, "%s", spent_why(end, folder, errno, why));
		log_error("wallet.spent", "file=%s why=\"%s\"", SPENT_NAME, why);
		return end == SPENT_DISK ? EXIT_WORLD : EXIT_CONFIG;
	}
	if (made)
		log_info("wallet.spent",
			 "file=%s why=\"there was none: the budgets of the policy begin full\"", SPENT_NAME);
	spent_tell_restored(wallet->spent, (uint64_t)age_now(&wallet->age));
	wallet->ink = ink_start(spent_fd(wallet->spent));
	actor_watch(self, ink_fd(wallet->ink), POLLIN, on_dry, NULL);
	actor_limit(self, (struct limit){"signatures under way", &wallet->waiting_count,
					 &wallet->waiting_high, &wallet->waiting_busy, SPENT_UNDER_WAY});
	return 0;
}

static void name(struct wallet *wallet)
{
	address_text(&wallet->keys->address, wallet->address);
	peer_id_text(&wallet->keys->node_key, wallet->peer_id);
}

static int start(struct actor *self)
{
	struct wallet *wallet = actor_state(self);
	int folder = prepare(self, wallet);
	if (folder < 0)
		return -folder;
	enum keyfile_end end =
		keyfile_open(folder, actor_node(self), actor_secret(self), wallet->signer, wallet->keys);
	int error = errno;
	actor_forget_secret(self);
	int failed = end != KEYFILE_OK ? refuse(end, folder, error) : open_policy(self, wallet);
	if (!failed)
		failed = open_books(self, wallet, folder);
	close(folder);
	if (failed)
		return failed;

	name(wallet);
	statement_make(wallet->keys, wallet->signer, &wallet->statement);
	log_info("wallet.opened", "address=%s peer=%s", wallet->address, wallet->peer_id);
	return 0;
}

/* -- warren-wallet --init ---------------------------------------------------------------------- */

static int tell(struct wallet *wallet, const char *how)
{
	name(wallet);
	log_info("wallet.keys", "keys=%s address=%s peer=%s", how, wallet->address, wallet->peer_id);
	printf("address %s\npeer %s\nkeys %s\n", wallet->address, wallet->peer_id, how);
	return fflush(stdout) == 0 ? 0 : EXIT_WORLD;
}

/* What is done, by the flags of the birth record. Idempotent without them: a node that has keys keeps them. */
static int make(struct actor *self, struct wallet *wallet, struct making *making)
{
	uint8_t flags = actor_init_flags(self);
	const char *how;
	if (flags & (BIRTH_BACKUP | BIRTH_RESTORE)) /* said already, by whoever asks */
		log_threshold(LOG_WARN);
	char why[MAKING_WHY];
	enum keyfile_end keys;
	enum making_end end = making_do(making, flags, &how, &keys, why);
	if (end == MAKING_KEYS)
		return refuse(keys, making->folder, errno);
	if (end == MAKING_REFUSED) {
		fprintf(stderr, "%s\n", why);
		return EXIT_CONFIG;
	}
	if (flags & BIRTH_EXPORT) {
		log_info("wallet.exported", "node=%u", making->node);
		return 0;
	}
	return tell(wallet, how);
}

static int init(struct actor *self)
{
	struct wallet *wallet = actor_state(self);
	int folder = prepare(self, wallet);
	if (folder < 0)
		return -folder;
	struct making making = {.folder = folder,
				.node = actor_node(self),
				.secret = actor_secret(self),
				.signer = wallet->signer,
				.keys = wallet->keys,
				.file = actor_init_flags(self) & BIRTH_FILE ? FD_FIRST : -1};
	int code = make(self, wallet, &making);
	close(folder);
	actor_forget_secret(self);
	keys_free(&wallet->keys);
	signer_free(&wallet->signer);
	return code;
}

static const struct actor_spec wallet_spec = {
	.kind = WALLET,
	.handlers = wallet_handlers,
	.start = start,
	.init = init,
};

int main(void)
{
	static struct wallet self;
	return actor_main(&wallet_spec, &self);
}
