/* `warrend backup`. Runs as root or the machine's owner, beside a supervisor that may be running; reads the machine's files, lets
 * warren-store write its blobs into a pipe in its own jail, and writes one file. A death leaves FILE.part, which the next backup takes
 * away; FILE itself is the old one, or the new one whole and verified. */
#include "supervisor/backup/backup.h"

#include "actors/base/memory/memory.h"
#include "supervisor/answer.h"
#include "supervisor/backup/pieces.h"
#include "supervisor/backup/read.h"
#include "supervisor/host.h"
#include "supervisor/jail.h"
#include "supervisor/nodes.h"
#include "supervisor/passphrase.h"

#include "proto/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_PATH = 4096 };

struct saving {
	const struct machine *machine;
	const struct backup_request *request;
	struct config *config;
	struct unlock unlock, passphrase;
	char part[FILE_PATH];
	int lock, file;
	struct sealed *to;
	struct facts facts;
	const char *rule;
};

static bool sealed_to(enum sealed_end end, const struct saving *saving, struct why *why)
{
	if (end == SEALED_OK)
		return true;
	return refuse(why, "%s: %s", saving->part,
		      end == SEALED_DISK ? strerror(errno) : sealed_sentence(end));
}

/* -- files ----------------------------------------------------------------------------------------------------------- */

static bool put_piece(struct saving *saving, const struct piece *piece, const struct file_bytes *bytes,
		      struct why *why)
{
	enum sealed_end end = piece_begin(saving->to, piece);
	if (end == SEALED_OK)
		end = piece_bytes(saving->to, bytes->at, bytes->length);
	if (end == SEALED_OK)
		end = piece_end(saving->to);
	return sealed_to(end, saving, why);
}

/* The file of a piece, when it is there. Books are written while we read. */
static bool save_file(struct saving *saving, enum piece_kind kind, uint16_t node, const char *stamp,
		      struct why *why)
{
	struct piece piece = {.row = piece_row(kind), .node = node};
	struct file_bytes bytes;
	char path[PIECE_PATH];
	snprintf(piece.stamp, sizeof piece.stamp, "%s", stamp);
	bool books = kind == PIECE_BOOKS || kind == PIECE_OLD_BOOKS;
	if (!(books ? file_read_still : file_read)(saving->machine, piece_path(&piece, path), piece.row->most,
						   &bytes, why))
		return false;
	bool saved = !bytes.at || put_piece(saving, &piece, &bytes, why);
	file_forget(&bytes);
	return saved;
}

static bool save_machine(struct saving *saving, struct why *why)
{
	static const enum piece_kind kinds[] = {PIECE_CONFIG, PIECE_POLICY,       PIECE_MACHINE_ID,
						PIECE_UNLOCK, PIECE_UNLOCK_ASKED, PIECE_ALERTS};
	bool asks = strcmp(saving->facts.secret, "sealed") == 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		bool other = kinds[i] == (asks ? PIECE_UNLOCK : PIECE_UNLOCK_ASKED);
		if (!other && !save_file(saving, kinds[i], 0, "", why))
			return false;
	}
	for (unsigned i = 0; i < saving->config->count; i++) {
		uint16_t node = saving->config->nodes[i].node;
		if (!save_file(saving, PIECE_NODE_CONFIG, node, "", why) ||
		    !save_file(saving, PIECE_NODE_POLICY, node, "", why))
			return false;
	}
	return true;
}

static bool save_archive(struct saving *saving, struct why *why)
{
	struct archived *archived;
	unsigned count;
	if (!archive_list(saving->machine, &archived, &count, why))
		return false;
	bool saved = true;
	for (unsigned i = 0; i < count && saved; i++)
		saved = save_file(saving, PIECE_OLD_CONFIG, archived[i].node, archived[i].stamp, why) &&
			save_file(saving, PIECE_OLD_KEYS, archived[i].node, archived[i].stamp, why) &&
			save_file(saving, PIECE_OLD_BOOKS, archived[i].node, archived[i].stamp, why);
	x_free(&archived);
	return saved;
}

/* -- nodes ----------------------------------------------------------------------------------------------------------- */

struct pump {
	struct saving *saving;
	const struct piece *piece;
	int from, theirs;
};

/* What warren-store writes into its pipe becomes the piece. */
static bool pump_out(void *context, struct why *why)
{
	struct pump *pump = context;
	struct sealed *to = pump->saving->to;
	static uint8_t bytes[PIECE_PART]; /* sealed by the store already */
	ssize_t got;
	close(pump->theirs);
	enum sealed_end end = piece_begin(to, pump->piece);
	while (end == SEALED_OK && (got = read(pump->from, bytes, sizeof bytes)) != 0)
		if (got > 0)
			end = piece_bytes(to, bytes, (size_t)got);
		else if (errno != EINTR)
			end = SEALED_DISK;
	if (end == SEALED_OK)
		end = piece_end(to);
	bool fine = sealed_to(end, pump->saving, why);
	close(pump->from);
	return fine;
}

static bool save_store(struct saving *saving, const struct node_config *node, struct init_said *said,
		       struct why *why)
{
	int pipe[2];
	struct piece piece = {.row = piece_row(PIECE_STORE), .node = node->node};
	if (pipe2(pipe, O_CLOEXEC) != 0)
		return refuse(why, "no pipe: %s", strerror(errno));
	struct pump pump = {saving, &piece, pipe[0], pipe[1]};
	struct init_how how = {.flags =
				       BIRTH_BACKUP | BIRTH_FILE | (saving->request->blobs ? BIRTH_BLOBS : 0),
			       .file = pipe[1],
			       .said = said,
			       .talk = pump_out,
			       .context = &pump};
	return init_run(saving->machine, &saving->unlock, saving->config, node, STORE, &how, why);
}

static bool save_node(struct saving *saving, const struct node_config *node, struct why *why)
{
	struct init_said said = {.quiet = true};
	struct why inner = {"?"};
	if (!saving->request->json)
		fprintf(stderr, "node %u …\n", node->node);
	/* That its keys open under this unlock secret is seen before anything of it is believed. */
	bool saved = init_run(saving->machine, &saving->unlock, saving->config, node, WALLET,
			      &(struct init_how){.flags = BIRTH_BACKUP, .file = -1, .said = &said}, &inner) &&
		     save_file(saving, PIECE_KEYS, node->node, "", &inner) &&
		     save_file(saving, PIECE_BOOKS, node->node, "", &inner) &&
		     save_store(saving, node, &said, &inner);
	if (!saved)
		return refuse(why, "node %u: %s", node->node, inner.text);
	facts_add(&saving->facts, node->node, &said);
	return true;
}

static bool save_facts(struct saving *saving, struct why *why)
{
	struct piece piece = {.row = piece_row(PIECE_FACTS)};
	char *text = facts_print(&saving->facts);
	struct file_bytes bytes = {(uint8_t *)text, strlen(text)};
	bool saved = put_piece(saving, &piece, &bytes, why);
	x_free(&text);
	return saved && sealed_to(sealed_finish(saving->to), saving, why);
}

/* -- the file -------------------------------------------------------------------------------------------------------- */

static bool may_write(struct saving *saving, struct why *why)
{
	struct stat at;
	const char *file = saving->request->file;
	if ((size_t)snprintf(saving->part, sizeof saving->part, "%s.part", file) >= sizeof saving->part)
		return refuse(why, "%s is too long a name", file);
	if (lstat(file, &at) != 0)
		return errno == ENOENT || refuse(why, "%s: %s", file, strerror(errno));
	if (!S_ISREG(at.st_mode))
		return refuse(why, "%s is in the way and is no file", file);
	saving->rule = "exists";
	return saving->request->replace ||
	       refuse(why, "%s is there already; give another name, or --replace it", file);
}

static bool open_part(struct saving *saving, struct why *why)
{
	unlink(saving->part);
	saving->file = open(saving->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (saving->file < 0)
		return refuse(why, "%s: %s", saving->part, strerror(errno));
	return sealed_to(sealed_make(saving->file, &saving->passphrase, &saving->to), saving, why);
}

static bool write_all(struct saving *saving, struct why *why)
{
	if (!open_part(saving, why) || !save_machine(saving, why))
		return false;
	for (unsigned i = 0; i < saving->config->count; i++)
		if (!save_node(saving, &saving->config->nodes[i], why))
			return false;
	if (!save_archive(saving, why) || !save_facts(saving, why))
		return false;
	sealed_free(&saving->to);
	return fsync(saving->file) == 0 || refuse(why, "%s: %s", saving->part, strerror(errno));
}

/* From the file, as a restore would: nothing of what was written is remembered. */
static bool look_again(struct saving *saving, struct why *why)
{
	struct facts told = {0};
	struct why inner = {"?"};
	bool asks = strcmp(saving->facts.secret, "sealed") == 0;
	if (!saving->request->json)
		fprintf(stderr, "verifying …\n");
	bool same = lseek(saving->file, 0, SEEK_SET) == 0 &&
		    restore_scratch(saving->machine->root, saving->machine, asks ? &saving->unlock : NULL,
				    saving->file, &saving->passphrase, &told, &saving->rule, &inner);
	facts_end(&told);
	return same ||
	       refuse(why, "what was written could not be restored, and was thrown away: %s", inner.text);
}

static bool put_in_place(struct saving *saving, struct why *why)
{
	char folder[FILE_PATH];
	const char *slash = strrchr(saving->request->file, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - saving->request->file) + 1 : 1,
		 slash ? saving->request->file : ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool placed = fd >= 0 && rename(saving->part, saving->request->file) == 0 && fsync(fd) == 0;
	if (!placed)
		refuse(why, "%s: %s", saving->request->file, strerror(errno));
	if (fd >= 0)
		close(fd);
	return placed;
}

/* -- all of it ------------------------------------------------------------------------------------------------------- */

static bool one_at_a_time(struct saving *saving, struct why *why)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	saving->lock =
		openat(saving->machine->own, "backup.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (saving->lock < 0)
		return refuse(why, "%s/machine/backup.lock: %s", saving->machine->root, strerror(errno));
	return fcntl(saving->lock, F_SETLK, &lock) == 0 ||
	       refuse(why, "another backup of this machine is being made or verified; wait for it");
}

static const char *where_the_secret_is(const struct saving *saving)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	char path[512];
	if (strcmp(saving->config->values[SETTING_unlock].text, "ask") == 0)
		return "sealed";
	return credentials && snprintf(path, sizeof path, "%s/unlock", credentials) < (int)sizeof path &&
			       access(path, F_OK) == 0
		       ? "elsewhere"
		       : "file";
}

static bool load(struct saving *saving, struct why *why)
{
	struct host_id id = host_look(saving->machine);
	saving->config = config_of(saving->machine, why);
	if (!saving->config || (saving->machine->as_root && !jail_possible(why)))
		return false;
	if (id.state == HOST_SAME || id.state == HOST_CHANGED)
		host_id_text(&id.kept, saving->facts.machine);
	else
		snprintf(saving->facts.machine, sizeof saving->facts.machine, "-");
	snprintf(saving->facts.secret, sizeof saving->facts.secret, "%s", where_the_secret_is(saving));
	saving->facts.made = time(NULL);
	saving->facts.blobs = saving->request->blobs;
	return unlock_obtain(saving->machine, saving->config, &saving->unlock, why) &&
	       backup_passphrase(saving->request->passphrase_file, true, &saving->passphrase, why);
}

int backup_save(const struct machine *machine, const struct backup_request *request)
{
	struct saving saving = {.machine = machine, .request = request, .lock = -1, .file = -1};
	struct why why = {"?"};
	struct stat at = {0};
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	bool may = one_at_a_time(&saving, &why) && may_write(&saving, &why) && load(&saving, &why);
	saving.rule = may ? NULL : saving.rule;
	bool saved = may && write_all(&saving, &why) && look_again(&saving, &why) &&
		     fstat(saving.file, &at) == 0 && put_in_place(&saving, &why);
	if (!saved && saving.file >= 0)
		unlink(saving.part);
	if (saved)
		backup_say(request, "backup verified", &saving.facts, (uint64_t)at.st_size);
	int code =
		saved ? 0 : answer_refused(request->json, may ? "no backup" : "refused", saving.rule, &why);
	sealed_free(&saving.to);
	unlock_forget(&saving.passphrase);
	unlock_forget(&saving.unlock);
	facts_end(&saving.facts);
	config_free(&saving.config);
	if (saving.file >= 0)
		close(saving.file);
	if (saving.lock >= 0)
		close(saving.lock);
	return code;
}
