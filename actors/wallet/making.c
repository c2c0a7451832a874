/* Making, importing and exporting keys. Runs in `warren-wallet --init` as wallet@N, in its jail; touches its own folder, the
 * terminal or pipe, and one inherited file. Whatever ends it half-way leaves no key file, or a whole one. */
#include "actors/wallet/making.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/prompt/prompt.h"
#include "actors/base/whole/whole.h"
#include "actors/wallet/keystore.h"
#include "actors/wallet/spent.h"
#include "proto/birth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PASSPHRASE_LEAST = 8 };

/* Everything secret on its way, in secret memory. */
struct desk {
	char text[KEYSTORE_BYTES + 1]; /* of the file */
	char line[PROMPT_MOST], again[PROMPT_MOST];
	struct keystore_work work;
	uint8_t secret[WALLET_SECRET], seed[NODE_SEED];
};

static struct desk *desk_new(void)
{
	enum secret_wall got;
	return secret_new(sizeof(struct desk), SECRET_HIDDEN, &got);
}

static void desk_free(struct desk **desk)
{
	secret_free(desk, sizeof **desk);
}

static enum making_end refused(char why[MAKING_WHY], const char *sentence)
{
	snprintf(why, MAKING_WHY, "%s", sentence);
	return MAKING_REFUSED;
}

/* -- new keys ---------------------------------------------------------------------------------- */

static enum keyfile_end open_keys(struct making *making)
{
	return keyfile_open(making->folder, making->node, making->secret, making->signer, making->keys);
}

/* Writes the keys, and opens what was written. EXISTS: another --init was faster, so its keys are the node's. */
static enum keyfile_end keep(struct making *making)
{
	const struct address address = making->keys->address;
	enum keyfile_end end = keyfile_write(making->folder, making->node, making->secret, making->keys);
	if (end != KEYFILE_OK)
		return end;
	end = open_keys(making);
	bug_if(end == KEYFILE_OK && memcmp(&address, &making->keys->address, sizeof address) != 0);
	return end == KEYFILE_OK && !keyfile_sync(making->folder) ? KEYFILE_DISK : end;
}

enum making_end making_new(struct making *making, bool *made, enum keyfile_end *end)
{
	*end = open_keys(making);
	*made = *end == KEYFILE_ABSENT;
	if (*made) {
		keys_make(making->keys, making->signer);
		*end = keep(making);
	} else if (*end == KEYFILE_OK && !keyfile_sync(making->folder)) {
		*end = KEYFILE_DISK;
	}
	if (*end == KEYFILE_EXISTS) {
		*made = false;
		*end = open_keys(making);
	}
	return *end == KEYFILE_OK ? MAKING_OK : MAKING_KEYS;
}

/* -- import ------------------------------------------------------------------------------------ */

static bool read_file(int file, char *text, size_t room, size_t *length)
{
	*length = 0;
	for (;;) {
		ssize_t got = read(file, text + *length, room - *length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 && *length < room;
		*length += (size_t)got;
	}
}

/* "0x" and 64 digits, with blanks around; false for anything else. */
static bool hex_secret(const char *text, size_t length, uint8_t secret[WALLET_SECRET])
{
	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	while (length && strchr(" \t\r\n", *text))
		text++, length--;
	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2, length -= 2;
	return hex_parse(text, length, secret, WALLET_SECRET);
}

static enum making_end from_keystore(struct making *making, struct desk *desk, size_t length,
				     char why[MAKING_WHY])
{
	struct keystore keystore;
	struct address address;
	char wrong[KEYSTORE_WHY];
	if (!keystore_parse(desk->text, length, &keystore, wrong))
		return refused(why, wrong);
	enum prompt_end end =
		prompt_secret(STDIN_FILENO, STDERR_FILENO,
			      "passphrase of the keystore (not shown): ", desk->line, sizeof desk->line);
	if (end != PROMPT_OK)
		return refused(why, prompt_sentence(end));
	if (!keystore_open(&keystore, desk->line, &desk->work, desk->secret))
		return refused(
			why, "the keystore does not open: the passphrase is wrong, or the file was changed");
	if (keystore.has_address && signer_address(making->signer, desk->secret, &address) &&
	    memcmp(&address, &keystore.address, sizeof address) != 0)
		return refused(why, "the keystore says another address than its key has");
	return MAKING_OK;
}

/* The secret into desk->secret. */
static enum making_end find_secret(struct making *making, struct desk *desk, char why[MAKING_WHY])
{
	size_t length;
	if (making->file < 0) {
		enum prompt_end end = prompt_secret(STDIN_FILENO, STDERR_FILENO,
						    "wallet key, 64 hex digits (not shown): ", desk->line,
						    sizeof desk->line);
		if (end != PROMPT_OK)
			return refused(why, prompt_sentence(end));
		return hex_secret(desk->line, strlen(desk->line), desk->secret)
			       ? MAKING_OK
			       : refused(why, "that is no key: 64 hex digits are one");
	}
	if (!read_file(making->file, desk->text, sizeof desk->text, &length))
		return refused(why, "the file cannot be read, or is longer than a keystore or a key is");
	size_t first = strspn(desk->text, " \t\r\n");
	if (first < length && desk->text[first] == '{')
		return from_keystore(making, desk, length, why);
	return hex_secret(desk->text, length, desk->secret)
		       ? MAKING_OK
		       : refused(why, "the file is neither a V3 keystore nor a key of 64 hex digits");
}

enum making_end making_import(struct making *making, enum keyfile_end *end, char why[MAKING_WHY])
{
	*end = open_keys(making);
	if (*end != KEYFILE_ABSENT) {
		*end = *end == KEYFILE_OK ? KEYFILE_EXISTS : *end;
		return MAKING_KEYS;
	}
	struct desk *desk = desk_new();
	enum making_end made = find_secret(making, desk, why);
	if (made == MAKING_OK) {
		random_bytes(desk->seed, sizeof desk->seed);
		if (keys_from(making->keys, making->signer, desk->secret, desk->seed))
			*end = keep(making);
		else
			made = refused(
				why,
				"that is no key of the curve: it is zero, or not below the group's order");
	}
	desk_free(&desk);
	return made == MAKING_OK && *end != KEYFILE_OK ? MAKING_KEYS : made;
}

/* -- export ------------------------------------------------------------------------------------ */

static enum making_end new_passphrase(struct desk *desk, char why[MAKING_WHY])
{
	enum prompt_end end =
		prompt_secret(STDIN_FILENO, STDERR_FILENO,
			      "passphrase for the keystore (not shown): ", desk->line, sizeof desk->line);
	if (end != PROMPT_OK)
		return refused(why, prompt_sentence(end));
	if (strlen(desk->line) < PASSPHRASE_LEAST)
		return refused(why, "a passphrase has at least 8 characters");
	if (!prompt_is_terminal(STDIN_FILENO))
		return MAKING_OK;
	end = prompt_secret(STDIN_FILENO, STDERR_FILENO, "the same again: ", desk->again, sizeof desk->again);
	if (end != PROMPT_OK)
		return refused(why, prompt_sentence(end));
	return strcmp(desk->line, desk->again) == 0 ? MAKING_OK : refused(why, "the two are not the same");
}

enum making_end making_export(struct making *making, enum keyfile_end *end, char why[MAKING_WHY])
{
	*end = open_keys(making);
	if (*end != KEYFILE_OK)
		return MAKING_KEYS;
	struct desk *desk = desk_new();
	enum making_end made = new_passphrase(desk, why);
	if (made == MAKING_OK) {
		struct keystore keystore;
		char json[KEYSTORE_TEXT];
		int to = making->file < 0 ? STDOUT_FILENO : making->file;
		keystore_seal(making->keys->wallet_secret, &making->keys->address, desk->line, 0, &desk->work,
			      &keystore);
		if (write_whole(to, json, keystore_print(&keystore, json)) ||
		    (making->file >= 0 && fsync(making->file) != 0))
			made = refused(why, "the keystore cannot be written");
	}
	desk_free(&desk);
	return made;
}

/* -- out of a backup, into one ------------------------------------------------------------------- */

enum making_end making_look(struct making *making, enum keyfile_end *end)
{
	*end = open_keys(making);
	return *end == KEYFILE_OK ? MAKING_OK : MAKING_KEYS;
}

enum making_end making_restored(struct making *making, uint64_t now, enum keyfile_end *end,
				char why[MAKING_WHY])
{
	struct spent *spent;
	bool made;
	enum making_end looked = making_look(making, end);
	if (looked != MAKING_OK)
		return looked;
	enum spent_end books = spent_open(making->folder, &spent, &made);
	if (books != SPENT_OK)
		return refused(why, spent_sentence(books));
	bool entered = spent_restore(spent, now);
	spent_free(&spent);
	return entered && keyfile_sync(making->folder) ? MAKING_OK
						       : refused(why, "the disk refused the books");
}

/* -- what a birth asks for ----------------------------------------------------------------------- */

enum making_end making_do(struct making *making, uint8_t flags, const char **how, enum keyfile_end *end,
			  char why[MAKING_WHY])
{
	bool made = false;
	*how = flags & BIRTH_EXPORT    ? "exported"
	       : flags & BIRTH_IMPORT  ? "imported"
	       : flags & BIRTH_RESTORE ? "restored"
				       : "found";
	if (flags & BIRTH_EXPORT)
		return making_export(making, end, why);
	if (flags & BIRTH_IMPORT)
		return making_import(making, end, why);
	if (flags & BIRTH_BACKUP)
		return making_look(making, end);
	if (flags & BIRTH_RESTORE)
		return making_restored(making, (uint64_t)time(NULL), end, why);
	enum making_end done = making_new(making, &made, end);
	*how = made ? "made" : *how;
	return done;
}
