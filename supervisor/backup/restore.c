/* `warrend restore` and `warrend backup --verify`. Run as root or whoever will own the machine. A restore builds ROOT.restoring and
 * renames it; killed at any step it leaves that folder, with a mark in it, and the next restore takes it away. */
#include "supervisor/backup/backup.h"

#include "actors/base/memory/memory.h"
#include "supervisor/answer.h"
#include "supervisor/disk.h"
#include "supervisor/host.h"
#include "supervisor/listen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK ".restoring" /* a file in the folder that is being built, and the end of its name */

enum { WHERE = 4096 };

/* A folder that is being built, held by us as long as it is open. */
struct building {
	char path[WHERE];
	int parent, folder;
	char name[256];
};

/* -- where ---------------------------------------------------------------------------------------------------------------- */

/* ROOT as an absolute path, whether it is there or not. */
static bool find_root(const char *root, char path[WHERE], struct why *why)
{
	char given[WHERE];
	if (snprintf(given, sizeof given, "%s", root) >= (int)sizeof given)
		return refuse(why, "%s is too long a path", root);
	size_t length = strlen(given);
	while (length > 1 && given[length - 1] == '/')
		given[--length] = '\0';
	char *real = realpath(given, NULL), *slash = strrchr(given, '/');
	const char *name = slash ? slash + 1 : given;
	if (real) {
		snprintf(path, WHERE, "%s", real);
		free(real);
		return true;
	}
	if (errno != ENOENT || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return refuse(why, "%s: %s", root, strerror(errno));
	if (slash)
		*slash = '\0';
	real = realpath(slash ? (*given ? given : "/") : ".", NULL);
	if (!real)
		return refuse(why, "the folder that %s is to be in: %s", root, strerror(errno));
	int fits = snprintf(path, WHERE, "%s%s%s", real, strcmp(real, "/") == 0 ? "" : "/", name);
	free(real);
	return fits < WHERE || refuse(why, "%s is too long a path", root);
}

static bool is_empty(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *open = fd < 0 ? NULL : fdopendir(fd);
	if (!open) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool empty = true;
	for (const struct dirent *entry; empty && (entry = readdir(open));)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(open);
	return empty;
}

static bool root_is_free(const char *root, struct why *why)
{
	int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return errno == ENOENT || refuse(why, "%s: %s", root, strerror(errno));
	bool empty = is_empty(folder);
	close(folder);
	return empty || refuse(why,
			       "%s is not empty: a machine is restored into a folder of its own, which is "
			       "missing or empty",
			       root);
}

/* -- the folder that is being built --------------------------------------------------------------------------------------- */

static bool hold(struct building *at, struct why *why)
{
	at->folder = openat(at->parent, at->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at->folder < 0)
		return refuse(why, "%s: %s", at->path, strerror(errno));
	return flock(at->folder, LOCK_EX | LOCK_NB) == 0 ||
	       refuse(why, "%s is being restored or verified by somebody else right now", at->path);
}

/* What a kill left, if it is ours. */
static bool clear(struct building *at, struct why *why)
{
	struct stat is;
	if (fstatat(at->parent, at->name, &is, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || refuse(why, "%s: %s", at->path, strerror(errno));
	if (!S_ISDIR(is.st_mode) || is.st_uid != geteuid() || !hold(at, why))
		return S_ISDIR(is.st_mode) && is.st_uid == geteuid()
			       ? false
			       : refuse(why, "%s is in the way, and is none of ours", at->path);
	bool ours = faccessat(at->folder, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || is_empty(at->folder);
	if (ours && !disk_remove(at->parent, at->name))
		ours = refuse(why, "%s cannot be taken away: %s", at->path, strerror(errno));
	else if (!ours)
		refuse(why, "%s is in the way, and no restore left it", at->path);
	close(at->folder);
	at->folder = -1;
	return ours;
}

static bool begin(struct building *at, const char *path, struct why *why)
{
	*at = (struct building){.parent = -1, .folder = -1};
	snprintf(at->path, sizeof at->path, "%s", path);
	const char *slash = strrchr(path, '/');
	char above[WHERE];
	snprintf(above, sizeof above, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if ((size_t)snprintf(at->name, sizeof at->name, "%s", slash + 1) >= sizeof at->name)
		return refuse(why, "%s is too long a path", path);
	at->parent = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at->parent < 0)
		return refuse(why, "%s: %s", above, strerror(errno));
	if (!clear(at, why))
		return false;
	if (mkdirat(at->parent, at->name, 0711) != 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	if (!hold(at, why))
		return false;
	int mark = openat(at->folder, MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (mark < 0)
		return refuse(why, "%s/" MARK ": %s", path, strerror(errno));
	close(mark);
	return true;
}

/* `whole`: it has its name already. */
static void leave(struct building *at, bool whole)
{
	if (!whole && at->folder >= 0)
		disk_remove(at->parent, at->name);
	if (at->folder >= 0)
		close(at->folder);
	if (at->parent >= 0)
		close(at->parent);
}

static bool give_name(struct building *at, const char *root, struct why *why)
{
	if (fchmod(at->folder, 0755) != 0 || syncfs(at->folder) != 0)
		return refuse(why, "%s: %s", at->path, strerror(errno));
	if (rename(at->path, root) != 0)
		return refuse(why, "%s cannot become %s: %s", at->path, root,
			      errno == EBUSY ? "it is a mount point; restore into a folder below it"
					     : strerror(errno));
	unlinkat(at->folder, MARK, 0);
	return fsync(at->parent) == 0 || refuse(why, "%s: %s", root, strerror(errno));
}

/* -- looking at a backup --------------------------------------------------------------------------------------------------- */

bool restore_scratch(const char *root, const struct machine *machine, const struct unlock *unlock, int file,
		     const struct unlock *passphrase, struct facts *told, const char **rule, struct why *why)
{
	struct building at;
	char path[WHERE];
	if (snprintf(path, sizeof path, machine ? "%s/run/verifying" : "%s.verifying", root) >= ROOT_TEXT)
		return refuse(why, "%s is too long a path", root);
	struct restore how = {
		.root = path, .claim = root, .like = machine, .unlock = unlock, .scratch = true};
	bool fine = begin(&at, path, why) && restore_run(&how, file, passphrase, told, NULL, rule, why);
	leave(&at, false);
	return fine;
}

static int open_file(const char *path, struct why *why)
{
	struct stat at;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && fstat(fd, &at) == 0 && S_ISREG(at.st_mode))
		return fd;
	refuse(why, "%s: %s", path, fd < 0 ? strerror(errno) : "it is not a file");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_machine(const char *root, struct machine *machine)
{
	struct why none;
	bool is = machine_open(machine, root, &none);
	if (!is)
		machine_close(machine);
	return is;
}

int backup_verify(const char *given, const struct backup_request *request)
{
	struct facts told = {0};
	struct unlock passphrase = {0};
	struct machine machine;
	struct stat at = {0};
	char root[WHERE];
	const char *rule = NULL;
	struct why why = {"?"};
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	int file = open_file(request->file, &why);
	bool there = is_machine(given, &machine);
	bool fine =
		file >= 0 && fstat(file, &at) == 0 && find_root(given, root, &why) &&
		backup_passphrase(request->passphrase_file, false, &passphrase, &why) &&
		restore_scratch(root, there ? &machine : NULL, NULL, file, &passphrase, &told, &rule, &why);
	if (fine)
		backup_say(request, "backup verified", &told, (uint64_t)at.st_size);
	int code = fine ? 0 : answer_refused(request->json, "not verified", rule, &why);
	unlock_forget(&passphrase);
	facts_end(&told);
	if (there)
		machine_close(&machine);
	if (file >= 0)
		close(file);
	return code;
}

/* -- restoring --------------------------------------------------------------------------------------------------------------- */

static void say_progress(uint16_t node)
{
	fprintf(stderr, "node %u …\n", node);
}

/* What an operator must know of the new machine, each a line; in JSON a list. */
struct notes {
	char *text[NODES_MAX + 8];
	unsigned count;
};

__attribute__((format(printf, 2, 3))) static void note(struct notes *notes, const char *format, ...)
{
	char line[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (notes->count < sizeof notes->text / sizeof *notes->text)
		notes->text[notes->count++] = x_copy(line);
}

static void note_ports(struct notes *notes, const char *root, const struct config *config)
{
	struct why why;
	for (unsigned i = 0; i < config->count; i++)
		if (!port_is_free(config->values[SETTING_host].text,
				  (uint16_t)config->nodes[i].values[SETTING_port].number, &why))
			note(notes,
			     "node %u: %s; end what holds it, or set another port in %s/etc/node%u.conf",
			     config->nodes[i].node, why.text, root, config->nodes[i].node);
}

static void note_host(struct notes *notes, const char *root, const struct facts *told)
{
	struct hash live;
	char text[HOST_ID_TEXT];
	if (strcmp(told->machine, "-") != 0 && host_id_read(HOST_ID_FILE, &live) &&
	    strcmp(host_id_text(&live, text), told->machine) != 0)
		note(notes,
		     "this is another machine (%s) than the one backed up (%s): nodes run, and nothing is "
		     "added until: "
		     "warrend --root %s reregister",
		     text, told->machine, root);
}

static void note_lost(struct notes *notes, const char *root, const struct facts *told)
{
	for (unsigned i = 0; i < told->count; i++) {
		const struct node_facts *node = &told->nodes[i];
		if (node->listed)
			note(notes,
			     "node %u: its %" PRIu64
			     " blobs are not in this backup. It begins empty, under its old ids; "
			     "%s/node%u/storage/lost names them",
			     node->node, node->listed, root, node->node);
		if (node->damaged)
			note(notes,
			     "node %u: %" PRIu64
			     " blobs were damaged already when the backup was made, and are lost",
			     node->node, node->damaged);
	}
}

static void note_all(struct notes *notes, const char *root, const struct facts *told,
		     const struct config *config)
{
	note(notes,
	     "the old machine must not run beside this one: two machines would sign with the same keys");
	if (told->count)
		note(notes, "wallets sign no transaction for 24 hours: what they signed after the backup is "
			    "not known here. If "
			    "nothing was: stop the node, move ROOT/nodeN/keys/wallet.spent away, start it");
	note_host(notes, root, told);
	note_ports(notes, root, config);
	note_lost(notes, root, told);
	if (!programs_installed())
		note(notes,
		     "its programs are not in a backup: scripts/up --root %s puts them there and starts it",
		     root);
}

static void say_node(struct json *out, const struct node_facts *node)
{
	json_open(out, NULL, '{');
	json_number(out, "node", node->node);
	json_text(out, "wallet", node->wallet);
	json_text(out, "peer", node->peer);
	json_text(out, "store", node->store);
	json_number(out, "blobs", node->blobs);
	json_number(out, "bytes", node->bytes);
	json_number(out, "listed", node->listed);
	json_number(out, "damaged", node->damaged);
	json_close(out, '}');
}

static void say(const struct backup_request *request, const char *what, const struct facts *facts,
		uint64_t bytes, const char *root, const struct notes *notes)
{
	if (!request->json) {
		for (unsigned i = 0; i < facts->count; i++) {
			const struct node_facts *node = &facts->nodes[i];
			printf("node %u  %s  %s  %" PRIu64 " blobs%s\n", node->node, node->wallet, node->peer,
			       node->blobs + node->listed, facts->blobs ? "" : ", only their names");
			if (node->damaged && !root)
				printf("node %u  %" PRIu64
				       " blobs are damaged and not in it: warren logs store@%u\n",
				       node->node, node->damaged, node->node);
		}
		for (unsigned i = 0; notes && i < notes->count; i++)
			printf("note: %s\n", notes->text[i]);
		printf("%s: %s\n", what, root ? root : request->file);
		fflush(stdout);
		return;
	}
	struct json out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_bool(&out, "ok", true);
	json_text(&out, "file", request->file);
	json_number(&out, "bytes", bytes);
	json_number(&out, "made", (uint64_t)facts->made);
	json_text(&out, "machine_id", facts->machine);
	json_text(&out, "unlock_secret", facts->secret);
	json_bool(&out, "blobs", facts->blobs);
	json_open(&out, "nodes", '[');
	for (unsigned i = 0; i < facts->count; i++)
		say_node(&out, &facts->nodes[i]);
	json_close(&out, ']');
	if (notes) {
		json_text(&out, "root", root);
		json_open(&out, "notes", '[');
		for (unsigned i = 0; i < notes->count; i++)
			json_text(&out, NULL, notes->text[i]);
		json_close(&out, ']');
	}
	json_close(&out, '}');
	json_end(&out);
}

void backup_say(const struct backup_request *request, const char *what, const struct facts *facts,
		uint64_t bytes)
{
	say(request, what, facts, bytes, NULL, NULL);
}

static void say_restored(const struct backup_request *request, const char *root, const struct facts *told,
			 const struct config *config, int file)
{
	struct notes notes = {.count = 0};
	struct stat at = {0};
	fstat(file, &at);
	note_all(&notes, root, told, config);
	say(request, "restored", told, (uint64_t)at.st_size, root, &notes);
	for (unsigned i = 0; i < notes.count; i++)
		x_free(&notes.text[i]);
}

static bool build(struct building *at, const struct restore *how, int file, const struct unlock *passphrase,
		  struct facts *told, struct config **config, const char **rule, struct why *why)
{
	return begin(at, how->root, why) && restore_run(how, file, passphrase, told, config, rule, why) &&
	       give_name(at, how->claim, why);
}

int backup_restore(const char *given, const struct backup_request *request)
{
	struct facts told = {0};
	struct unlock passphrase = {0};
	struct config *config = NULL;
	struct building at = {.parent = -1, .folder = -1};
	char root[WHERE], path[WHERE + 16];
	const char *rule = NULL;
	struct why why = {"?"};
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	int file = open_file(request->file, &why);
	bool may = file >= 0 && find_root(given, root, &why) && root_is_free(root, &why);
	if (may && snprintf(path, sizeof path, "%s" MARK, root) >= ROOT_TEXT)
		may = refuse(&why, "%s is too long a path: the sockets below it allow %d characters", root,
			     ROOT_TEXT - (int)sizeof MARK);
	struct restore how = {.root = path, .claim = root, .progress = request->json ? NULL : say_progress};
	bool restored = may && backup_passphrase(request->passphrase_file, false, &passphrase, &why) &&
			build(&at, &how, file, &passphrase, &told, &config, &rule, &why);
	leave(&at, restored);
	if (restored)
		say_restored(request, root, &told, config, file);
	int code = restored ? 0 : answer_refused(request->json, may ? "not restored" : "refused", rule, &why);
	unlock_forget(&passphrase);
	facts_end(&told);
	config_free(&config);
	if (file >= 0)
		close(file);
	return code;
}
