/* wallet@N: holds the lasting private keys of node N and says what they are for. Runs as its own user in an
 * empty network namespace; touches one file, and that only before the seal; asks nobody. What it answers is
 * public and was made at its start, so no call brings a key to work. When it dies the node's other processes
 * go on with what they were told, and ask again once it is back; nothing is lost, because the file is only
 * read. */
#include "actors/base/actor.h"
#include "actors/base/crypto/crypto.h"
#include "actors/base/reasons/reasons.h"
#include "actors/wallet/keyfile.h"
#include "actors/wallet/statement.h"
#include "proto/wallet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct wallet {
	struct wallet_keys *keys; /* secret memory */
	struct signer *signer;
	char address[ADDRESS_TEXT];
	char peer_id[PEER_ID_TEXT];
	struct statement statement;
};

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

/* -- birth -- */

static enum reason_code reason_of(enum keyfile_end end)
{
	switch (end) {
	case KEYFILE_ABSENT:
		return REASON_KEY_ABSENT;
	case KEYFILE_UNSAFE:
		return REASON_KEY_UNSAFE;
	case KEYFILE_DAMAGED:
		return REASON_KEY_DAMAGED;
	case KEYFILE_NEWER:
		return REASON_KEY_NEWER;
	case KEYFILE_OTHER_NODE:
		return REASON_KEY_OTHER_NODE;
	case KEYFILE_WRONG_SECRET:
		return REASON_KEY_LOCKED;
	case KEYFILE_OK:
	case KEYFILE_EXISTS:
	case KEYFILE_DISK:
		break;
	}
	return REASON_KEY_UNREADABLE;
}

static int refuse(enum keyfile_end end, int error)
{
	reason_note(reason_of(end), KEYFILE_NAME, "%s%s%s", keyfile_sentence(end),
		    end == KEYFILE_DISK ? ": " : "", end == KEYFILE_DISK ? strerror(error) : "");
	if (end != KEYFILE_DISK) {
		log_error("wallet.keys", "file=%s why=\"%s\"", KEYFILE_NAME, keyfile_sentence(end));
		return EXIT_CONFIG;
	}
	log_error("wallet.keys", "file=%s why=\"%s\" errno=\"%s\"", KEYFILE_NAME, keyfile_sentence(end),
		  strerror(error));
	return EXIT_WORLD;
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

static int start(struct actor *self)
{
	struct wallet *wallet = actor_state(self);
	int folder = prepare(self, wallet);
	if (folder < 0)
		return -folder;
	enum keyfile_end end =
		keyfile_open(folder, actor_node(self), actor_secret(self), wallet->signer, wallet->keys);
	int error = errno;
	close(folder);
	actor_forget_secret(self);
	if (end != KEYFILE_OK)
		return refuse(end, error);

	address_text(&wallet->keys->address, wallet->address);
	peer_id_text(&wallet->keys->node_key, wallet->peer_id);
	statement_make(wallet->keys, wallet->signer, &wallet->statement);
	log_info("wallet.opened", "address=%s peer=%s", wallet->address, wallet->peer_id);
	return 0;
}

/* -- warren-wallet --init
 * ------------------------------------------------------------------------------------------- */

/* Opens the keys, making them first where there are none, and reads back what was written. */
static enum keyfile_end find_or_make(struct actor *self, struct wallet *wallet, int folder, bool *made)
{
	const uint16_t node = actor_node(self);
	const uint8_t *secret = actor_secret(self);
	enum keyfile_end end = keyfile_open(folder, node, secret, wallet->signer, wallet->keys);
	*made = false;
	if (end != KEYFILE_ABSENT)
		return end;
	keys_make(wallet->keys, wallet->signer);
	const struct address address = wallet->keys->address;
	end = keyfile_write(folder, node, secret, wallet->keys);
	/* EXISTS: another --init was faster, so its keys are the node's. */
	if (end != KEYFILE_OK && end != KEYFILE_EXISTS)
		return end;
	*made = end == KEYFILE_OK;
	end = keyfile_open(folder, node, secret, wallet->signer, wallet->keys);
	bug_if(*made && end == KEYFILE_OK && memcmp(&address, &wallet->keys->address, sizeof address) != 0);
	return end;
}

static int tell(const struct wallet *wallet, bool made)
{
	char address[ADDRESS_TEXT], peer_id[PEER_ID_TEXT];
	address_text(&wallet->keys->address, address);
	peer_id_text(&wallet->keys->node_key, peer_id);
	log_info(made ? "wallet.made" : "wallet.found", "address=%s peer=%s", address, peer_id);
	printf("address %s\npeer %s\nkeys %s\n", address, peer_id, made ? "made" : "found");
	return fflush(stdout) == 0 ? 0 : EXIT_WORLD;
}

/* Idempotent: a node that has keys keeps them. */
static int init(struct actor *self)
{
	struct wallet *wallet = actor_state(self);
	int folder = prepare(self, wallet);
	if (folder < 0)
		return -folder;
	bool made;
	enum keyfile_end end = find_or_make(self, wallet, folder, &made);
	if (end == KEYFILE_OK && !keyfile_sync(folder))
		end = KEYFILE_DISK;
	int error = errno;
	close(folder);
	actor_forget_secret(self);
	int code = end == KEYFILE_OK ? tell(wallet, made) : refuse(end, error);
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
