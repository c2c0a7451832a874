/* A backup into a folder: the pieces one by one, each where its kind belongs. Runs as root or the machine's owner, in a verb. What it
 * reads is authenticated before it is looked at, and then trusted no further: kinds, numbers and lengths are bounded, no path comes out
 * of the file, what a store wrote is read by warren-store in its own jail, what a wallet wrote by warren-wallet. A death leaves a
 * folder that is no machine yet; who called takes it away. */
#include "supervisor/backup/backup.h"

#include "actors/base/memory/memory.h"
#include "actors/base/whole/whole.h"
#include "supervisor/backup/pieces.h"
#include "supervisor/disk.h"
#include "supervisor/jail.h"
#include "supervisor/make.h"
#include "supervisor/nodes.h"
#include "supervisor/passphrase.h"
#include "supervisor/uids.h"

#include "proto/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct loading {
	const struct restore *how;
	struct machine machine;
	struct config *config;
	struct unlock own;
	const struct unlock *unlock;
	struct sealed *from;
	struct pieces pieces;
	struct facts made, *told;
	bool secret; /* the unlock secret, or what it is sealed in, came */
	const char **rule;
	char programs[PATH_TEXT];
};

static bool read_well(struct loading *in, enum sealed_end end, struct why *why)
{
	if (end == SEALED_OK)
		return true;
	*in->rule = end == SEALED_WRONG ? "passphrase" : end == SEALED_DISK ? NULL : "damaged";
	return refuse(why, "%s", end == SEALED_DISK ? strerror(errno) : sealed_sentence(end));
}

/* -- the machine's own folders ----------------------------------------------------------------------------------------- */

static int open_folder(int parent, const char *name)
{
	return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The programs: the package's, the machine's that is like this one, or those beside the very program that runs. */
static bool find_programs(struct loading *in, struct why *why)
{
	struct machine *machine = &in->machine;
	if (programs_installed()) {
		snprintf(in->programs, sizeof in->programs, "%s", PROGRAMS_INSTALLED);
	} else if (in->how->like) {
		snprintf(in->programs, sizeof in->programs, "%s/bin", in->how->like->root);
	} else {
		ssize_t length = readlink("/proc/self/exe", in->programs, sizeof in->programs - 1);
		in->programs[length > 0 ? length : 0] = '\0';
		char *slash = strrchr(in->programs, '/');
		if (!slash)
			return refuse(why, "where this program lies is not to be seen");
		*slash = '\0';
	}
	machine->programs = in->programs;
	machine->bin = open(in->programs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return machine->bin >= 0 ? only_ours(machine->bin, in->programs, S_IFDIR, why)
				 : refuse(why, "%s: %s", in->programs, strerror(errno));
}

static bool claim(struct loading *in, struct why *why)
{
	struct machine *machine = &in->machine;
	machine->as_root = geteuid() == 0 && uids_mapped(UIDS_FIRST);
	if (!machine->as_root)
		return true;
	if (in->how->like)
		machine->uid_base = in->how->like->uid_base;
	else if (!uids_claim(&uid_world, in->how->claim, &machine->uid_base, why))
		return false;
	return jail_possible(why) && (uids_write(machine->own, machine->uid_base) ||
				      refuse(why, "%s/machine/uids: %s", machine->root, strerror(errno)));
}

static bool make_machine(struct loading *in, struct why *why)
{
	struct machine *machine = &in->machine;
	const struct {
		const char *name;
		int *fd;
		mode_t mode;
	} folders[] = {
		{"etc", &machine->etc, 0755}, {"run", &machine->run, 0755}, {"machine", &machine->own, 0711}};
	if (!machine_open_root(machine, in->how->root, why))
		return false;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		if (!make_folder(machine, machine->fd, folders[i].name, folders[i].mode, geteuid(), why))
			return false;
		*folders[i].fd = open_folder(machine->fd, folders[i].name);
		if (*folders[i].fd < 0)
			return refuse(why, "%s/%s: %s", machine->root, folders[i].name, strerror(errno));
	}
	return find_programs(in, why) && claim(in, why) &&
	       make_folder(machine, machine->own, "empty", 0555, geteuid(), why) &&
	       make_folder(machine, machine->fd, "logs", 0700, machine_uid(machine, SCRIBE, 0), why);
}

/* -- a file -------------------------------------------------------------------------------------------------------------- */

/* The folder that a path of pieces.def ends in; each is ours alone until its node is whole. -1 and the sentence. */
static int make_parents(struct loading *in, char *path, const char **name, struct why *why)
{
	int folder = dup(in->machine.fd);
	char *slash;
	for (; folder >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
		*slash = '\0';
		if (mkdirat(folder, path, 0700) != 0 && errno != EEXIST)
			break;
		int next = open_folder(folder, path);
		close(folder);
		folder = next;
	}
	*name = path;
	if (folder >= 0 && !strchr(path, '/'))
		return folder;
	refuse(why, "%s: %s", in->machine.root, strerror(errno));
	if (folder >= 0)
		close(folder);
	return -1;
}

static bool fill_file(struct loading *in, int fd, const char *shown, struct why *why)
{
	uint8_t bytes[4096];
	size_t got;
	enum sealed_end end;
	bool wrote = true;
	while (wrote && (end = pieces_read(&in->pieces, bytes, sizeof bytes, &got)) == SEALED_OK)
		wrote = write_whole(fd, bytes, got) == 0;
	wipe(bytes, sizeof bytes);
	if (!wrote)
		return refuse(why, "%s/%s: %s", in->machine.root, shown, strerror(errno));
	return end == SEALED_OVER || read_well(in, end, why);
}

static bool load_file(struct loading *in, struct why *why)
{
	const struct piece *piece = &in->pieces.piece;
	const struct machine *machine = &in->machine;
	char path[PIECE_PATH], shown[PIECE_PATH];
	const char *name;
	uint32_t uid = piece->row->owner == OURS
			       ? machine->own_uid
			       : machine_uid(machine, (enum kind)piece->row->owner, piece->node);
	piece_path(piece, shown);
	piece_path(piece, path);
	int folder = make_parents(in, path, &name, why);
	int fd = folder < 0
			 ? -1
			 : openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (folder >= 0 && fd < 0)
		refuse(why, "%s/%s: %s", machine->root, shown, strerror(errno));
	bool loaded = fd >= 0 && fill_file(in, fd, shown, why);
	if (loaded && ((machine->as_root && fchown(fd, uid, uid) != 0) || fchmod(fd, piece->row->mode) != 0))
		loaded = refuse(why, "%s/%s: %s", machine->root, shown, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (folder >= 0)
		close(folder);
	in->secret = in->secret || piece->row->kind == PIECE_UNLOCK || piece->row->kind == PIECE_UNLOCK_ASKED;
	return loaded;
}

/* -- a node -------------------------------------------------------------------------------------------------------------- */

/* The configuration and the secret, once: all of their pieces come before the first node's. */
static bool know_machine(struct loading *in, struct why *why)
{
	if (in->unlock)
		return true;
	in->config = config_of(&in->machine, why);
	if (!in->config)
		return false;
	bool asks = strcmp(in->config->values[SETTING_unlock].text, "ask") == 0;
	if (!in->secret && !asks && !getenv("CREDENTIALS_DIRECTORY"))
		return refuse(
			why,
			"the unlock secret of this machine was a systemd credential, and is not in the "
			"backup; give it: systemd-run --pty -p LoadCredential=unlock:FILE, and this command");
	in->unlock = in->how->unlock;
	if (!in->unlock && unlock_obtain(&in->machine, in->config, &in->own, why))
		in->unlock = &in->own;
	return in->unlock;
}

struct pump {
	struct loading *in;
	int to, theirs;
};

/* The piece into the pipe of warren-store. When that ends early it says why itself, so that is no error here. */
static bool pump_in(void *context, struct why *why)
{
	struct pump *pump = context;
	static uint8_t bytes[PIECE_PART]; /* sealed by the store */
	size_t got;
	enum sealed_end end;
	bool taken = true;
	close(pump->theirs);
	while ((end = pieces_read(&pump->in->pieces, bytes, sizeof bytes, &got)) == SEALED_OK && taken)
		taken = write_whole(pump->to, bytes, got) == 0;
	close(pump->to);
	return !taken || end == SEALED_OVER || read_well(pump->in, end, why);
}

static bool load_store(struct loading *in, const struct node_config *node, struct init_said *said,
		       struct why *why)
{
	int pipe[2];
	if (pipe2(pipe, O_CLOEXEC) != 0)
		return refuse(why, "no pipe: %s", strerror(errno));
	struct pump pump = {in, pipe[1], pipe[0]};
	struct init_how how = {.flags = BIRTH_RESTORE | BIRTH_FILE | (in->how->scratch ? BIRTH_SCRATCH : 0),
			       .file = pipe[0],
			       .said = said,
			       .talk = pump_in,
			       .context = &pump};
	return init_run(&in->machine, in->unlock, in->config, node, STORE, &how, why);
}

static void forget_node(struct loading *in, uint16_t node)
{
	char name[32];
	snprintf(name, sizeof name, "node%u", node);
	disk_remove(in->machine.fd, name);
}

static bool load_node(struct loading *in, struct why *why)
{
	uint16_t number = in->pieces.piece.node;
	struct init_said said = {.quiet = true};
	struct why inner = {"?"};
	if (!know_machine(in, why))
		return false;
	const struct node_config *node = config_node(in->config, number);
	if (!node)
		return refuse(why, "it has a store of node %u, and no configuration of that node", number);
	if (in->how->progress)
		in->how->progress(number);
	bool loaded =
		make_node_folders(&in->machine, number, &inner) &&
		init_run(&in->machine, in->unlock, in->config, node, WALLET,
			 &(struct init_how){.flags = BIRTH_RESTORE, .file = -1, .said = &said}, &inner) &&
		load_store(in, node, &said, &inner);
	if (!loaded)
		return refuse(why, "node %u: %s", number, inner.text);
	facts_add(&in->made, number, &said);
	if (in->how->scratch)
		forget_node(in, number);
	return true;
}

/* -- what it says of itself ---------------------------------------------------------------------------------------------- */

static bool read_facts(struct loading *in, struct why *why)
{
	size_t length = 0, got;
	enum sealed_end end;
	char *text = x_new(FACTS_MOST + 1);
	while ((end = pieces_read(&in->pieces, text + length, FACTS_MOST - length, &got)) == SEALED_OK && got)
		length += got;
	bool read = end == SEALED_OVER || read_well(in, end, why);
	if (read && (strlen(text) != length || !facts_parse(text, in->told)))
		read = refuse(why, "what it says of itself cannot be read");
	x_free(&text);
	return read;
}

static bool kept_id(const struct loading *in, char text[FACTS_MACHINE])
{
	int fd = openat(in->machine.own, "id", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd < 0 ? 0 : read(fd, text, FACTS_MACHINE - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return *text;
}

static bool all_the_same(struct loading *in, struct why *why)
{
	char id[FACTS_MACHINE];
	const char *what;
	if (strcmp(kept_id(in, id) ? id : "-", in->told->machine) != 0)
		return refuse(why, "the machine's id came out as another one");
	if (in->made.count != in->told->count || in->config->count != in->told->count)
		return refuse(why, "%u nodes came out, and it has %u", in->made.count, in->told->count);
	for (unsigned i = 0; i < in->told->count; i++)
		if (!facts_same(&in->told->nodes[i], &in->made.nodes[i], &what) ||
		    in->told->nodes[i].node != in->made.nodes[i].node)
			return refuse(why, "node %u: %s came out as another one", in->told->nodes[i].node,
				      what ? what : "its number");
	return true;
}

/* -- all of it ------------------------------------------------------------------------------------------------------------ */

static bool load_piece(struct loading *in, struct why *why)
{
	switch (in->pieces.piece.row->kind) {
	case PIECE_STORE:
		return load_node(in, why);
	case PIECE_FACTS:
		return know_machine(in, why) && read_facts(in, why) && all_the_same(in, why);
	case PIECE_CONFIG:
	case PIECE_POLICY:
	case PIECE_MACHINE_ID:
	case PIECE_UNLOCK:
	case PIECE_UNLOCK_ASKED:
	case PIECE_ALERTS:
	case PIECE_NODE_CONFIG:
	case PIECE_NODE_POLICY:
	case PIECE_KEYS:
	case PIECE_BOOKS:
	case PIECE_OLD_CONFIG:
	case PIECE_OLD_KEYS:
	case PIECE_OLD_BOOKS:
		return load_file(in, why);
	}
	return refuse(why, "there is no such piece");
}

/* Folders that were ours alone while they were filled go to their owners. */
static bool hand_over_folders(struct loading *in, struct why *why)
{
	const struct machine *machine = &in->machine;
	return make_folder(machine, machine->own, "steward", 0700, machine_uid(machine, STEWARD, 0), why) &&
	       (disk_sync(machine->fd) || refuse(why, "%s: %s", machine->root, strerror(errno)));
}

bool restore_run(const struct restore *how, int file, const struct unlock *passphrase, struct facts *told,
		 struct config **config, const char **rule, struct why *why)
{
	struct loading in = {.how = how,
			     .machine = {.fd = -1, .etc = -1, .bin = -1, .run = -1, .own = -1, .lock = -1},
			     .told = told,
			     .rule = rule};
	*told = (struct facts){0};
	/* Nothing is made for a passphrase that is none. */
	bool fine = read_well(&in, sealed_open(file, passphrase, &in.from), why);
	pieces_from(&in.pieces, pieces_from_sealed, in.from);
	enum sealed_end end = fine ? pieces_next(&in.pieces) : SEALED_OK;
	fine = fine && read_well(&in, end, why) && make_machine(&in, why);
	while (fine && end == SEALED_OK) {
		fine = load_piece(&in, why);
		end = fine ? pieces_next(&in.pieces) : SEALED_OK;
	}
	fine = fine && (end == SEALED_OVER || read_well(&in, end, why)) && hand_over_folders(&in, why);
	sealed_free(&in.from);
	facts_end(&in.made);
	unlock_forget(&in.own);
	machine_close(&in.machine);
	if (fine && config)
		*config = in.config;
	else
		config_free(&in.config);
	return fine;
}
