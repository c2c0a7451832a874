/* `warren cid`: what a file would be called in a store, and the root that a verifier keeps; `warren prove`: a node's proof that it
 * holds a blob; `warren verify FILE`: whether such a proof holds. The first and the last need no machine and believe none. */
#include "actors/console/processes.h"
#include "actors/console/proofs.h"
#include "actors/console/units.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/proof/proof_json.h"
#include "actors/base/proof/proof_reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- warren cid ---------------------------------------------------------------------------------------- */

struct named {
	struct cid cid;
	struct hash root;
	uint64_t size;
};

static bool name_file(FILE *file, struct named *named)
{
	uint8_t bytes[65536];
	struct merkle merkle = {0};
	struct sha256 *sum = sha256_begin();
	struct hash tree;
	size_t got;
	named->size = 0;
	while ((got = fread(bytes, 1, sizeof bytes, file))) {
		sha256_add(sum, bytes, got);
		merkle_add(&merkle, bytes, got);
		named->size += got;
	}
	sha256_end(&sum, named->cid.bytes);
	merkle_end(&merkle, &tree);
	proof_root(named->size, &tree, &named->root);
	return !ferror(file);
}

static FILE *open_named(const char *path)
{
	return strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
}

static void say_named(const struct console *console, const struct named *named, const char *path)
{
	char cid[CID_TEXT], root[65];
	cid_text(&named->cid, cid);
	hex_text(named->root.bytes, 32, root);
	if (console->json)
		json_say(&console->out,
			 json_pack("{s:s, s:I, s:s, s:o}", "cid", cid, "size", (json_int_t)named->size,
				   "root", root, "file", json_word(path)),
			 true);
	else
		say(&console->out, "%s %s %" PRIu64 " %s\n", cid, root, named->size, path);
}

enum ending command_cid(struct console *console)
{
	enum ending ending = END_OK;
	for (unsigned i = 0; i < console->arguments.count; i++) {
		const char *path = console->arguments.words[i];
		struct named named;
		FILE *file = open_named(path);
		if (file && name_file(file, &named))
			say_named(console, &named, path);
		else
			ending = complain(console, END_FAILED, "file", "%s cannot be read: %s", path,
					  strerror(errno));
		if (file && file != stdin)
			fclose(file);
	}
	return ending;
}

/* -- what is given as options -------------------------------------------------------------------------- */

static enum ending option_hex(struct console *console, const char *name, uint8_t bytes[32])
{
	const char *text = argument(&console->arguments, name);
	if (text && strncmp(text, "0x", 2) == 0)
		text += 2;
	if (text && hex_parse(text, strlen(text), bytes, 32))
		return END_OK;
	return complain(console, END_USAGE, "usage",
			text ? "--%s is 64 hex digits" : "--%s is needed: 64 hex digits", name);
}

static enum ending parse_cid(struct console *console, const char *text, struct cid *cid)
{
	if (text && cid_parse(text, strlen(text), cid))
		return END_OK;
	return complain(console, END_USAGE, err_name(ERR_BAD_CID), "%s", err_sentence(ERR_BAD_CID));
}

/* -- warren prove -------------------------------------------------------------------------------------- */

static enum ending read_wanted(struct console *console, uint16_t *node, struct store_prove *wanted)
{
	const struct arguments *arguments = &console->arguments;
	uint64_t number;
	if (!number_parse(arguments->words[0], 1, NODES_MAX, &number))
		return complain(console, END_USAGE, "usage", "there is no node \"%s\": 1 to %d",
				arguments->words[0], NODES_MAX);
	*node = (uint16_t)number;
	enum ending ending = parse_cid(console, arguments->words[1], &wanted->cid);
	if (ending == END_OK)
		ending = option_number(console, "samples", 1, PROOF_SAMPLES, PROOF_SAMPLES_USUAL, &number);
	wanted->samples = (uint8_t)number;
	if (ending != END_OK)
		return ending;
	if (argument(arguments, "challenge"))
		return option_hex(console, "challenge", wanted->challenge.bytes);
	random_bytes(wanted->challenge.bytes, 32);
	return END_OK;
}

enum ending command_prove(struct console *console)
{
	struct client client;
	struct store_prove wanted;
	struct question question = {.row = &row_store_prove, .kind = STORE, .request = &wanted};
	enum ending ending = read_wanted(console, &question.node, &wanted);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	if (client_ask_one(&client, &question) != ERR_OK) {
		ending = complain_of(console, &client, &question);
	} else {
		struct proof proof;
		proof_of_reply(&wanted, question.reply, &proof);
		char *text = proof_print(&proof);
		say(&console->out, "%s\n", text ? text : "");
		free(text);
	}
	client_close(&client);
	return ending;
}

/* -- warren verify FILE -------------------------------------------------------------------------------- */

static enum ending read_judged(struct console *console, struct proof_wanted *wanted, struct hash *challenge)
{
	uint64_t samples;
	enum ending ending = parse_cid(console, argument(&console->arguments, "cid"), &wanted->cid);
	if (ending == END_OK)
		ending = option_hex(console, "key", wanted->node.bytes);
	if (ending == END_OK)
		ending = option_hex(console, "with-root", wanted->root.bytes);
	if (ending == END_OK)
		ending = option_number(console, "samples", 1, PROOF_SAMPLES, PROOF_SAMPLES_USUAL, &samples);
	if (ending != END_OK)
		return ending;
	wanted->samples = (unsigned)samples;
	wanted->now = (uint64_t)time(NULL);
	if (!argument(&console->arguments, "challenge"))
		return END_OK;
	wanted->challenge = challenge;
	return option_hex(console, "challenge", challenge->bytes);
}

static enum ending say_verdict(struct console *console, enum proof_verdict verdict, bool compared)
{
	bool holds = verdict == PROOF_HOLDS;
	if (console->json) {
		json_say(&console->out,
			 json_pack("{s:b, s:s, s:s, s:b}", "ok", holds, "verdict",
				   proof_verdict_name(verdict), "why", proof_verdict_sentence(verdict),
				   "challengeCompared", compared),
			 false);
		return holds ? END_OK : END_FAILED;
	}
	say_in(&console->out, holds ? GOOD : BAD_NEWS, "%s: %s\n", proof_verdict_name(verdict),
	       proof_verdict_sentence(verdict));
	if (holds && !compared)
		say_in(&console->out, DOUBTFUL,
		       "its challenge was not compared (--challenge): it may be an answer of the last "
		       "hour\n");
	return holds ? END_OK : END_FAILED;
}

enum ending verify_proof(struct console *console, const char *path)
{
	struct proof_wanted wanted = {0};
	struct hash challenge;
	char why[PROOF_WHY];
	enum ending ending = read_judged(console, &wanted, &challenge);
	if (ending != END_OK)
		return ending;
	FILE *file = open_named(path);
	if (!file)
		return complain(console, END_FAILED, "file", "%s cannot be read: %s", path, strerror(errno));
	char *text = x_grow(NULL, PROOF_JSON + 1);
	size_t length = fread(text, 1, PROOF_JSON + 1, file);
	if (file != stdin)
		fclose(file);
	struct proof *proof = x_new(sizeof *proof);
	struct proof_room *room;
	if (proof_parse(text, length, proof, &room, why))
		ending = say_verdict(console, proof_judge(proof, &wanted), wanted.challenge);
	else
		ending = complain(console, END_FAILED, err_name(ERR_MALFORMED), "%s is no proof: %s", path,
				  why);
	x_free(&room);
	x_free(&proof);
	x_free(&text);
	return ending;
}
