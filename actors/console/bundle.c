/* `warren bundle`: one archive for whoever helps, with everything that tells how this machine is and nothing that is secret. What
 * processes know it asks through the console's own commands, each a run of this program: so a person gets in it what that person
 * may see, and a process or a broker that hangs costs a part its time and not the bundle. */
#include "actors/console/bundle.h"

#include "actors/base/log/log.h"
#include "actors/console/console.h"
#include "actors/console/units.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_MS =
		15000, /* the console waits at most 3 s for a broker and 5 s for an answer; twice as long on a busy host */
	UNANSWERED_MOST = 3, /* in a row; then nobody is asked any more */
	WHY_NODES = 64,      /* nodes that have a file of their own; `why.json` has all */
	TRUST_MS = 60000,    /* of all answers together: a machine that hangs keeps nobody longer */
};

/* What is asked, in the words of the command line. */
static const struct asked {
	const char *file, *words[3];
} asked[] = {
	{"limits.json", {"limits", "--json"}}, /* first: says who does not answer before somebody mends it */
	{"status.json", {"status", "--json"}},
	{"doctor.txt", {"doctor"}}, /* says something of a machine that is down, too */
	{"status.txt", {"status", "-v"}},
	{"why.txt", {"why"}},
	{"why.json", {"why", "--json"}},
	{"alerts.txt", {"alerts", "-v"}},
	{"alerts.json", {"alerts", "--json"}},
	{"limits.txt", {"limits"}},
	{"metrics.txt", {"metrics"}},
	{"top.txt", {"top", "--once"}},
	{"map.txt", {"map", "-v"}},
	{"info.txt", {"info"}},
};

struct bundle {
	struct console *console;
	struct parts parts;
	struct secrets secrets;
	uint64_t begun_ns;
	unsigned unanswered; /* parts in a row that nobody answered */
	json_t *silent;      /* who was asked and did not answer */
	char path[PATH_MAX], draft[PATH_MAX + 16];
	int fd; /* the draft */
};

uint64_t part_room(const struct part *part)
{
	return TAR_BLOCK + (part->length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

uint64_t parts_room(const struct parts *parts)
{
	uint64_t room = 0;
	for (unsigned i = 0; i < parts->count; i++)
		room += part_room(&parts->all[i]);
	return room;
}

/* -- what processes say ----------------------------------------------------------------------------------- */

/* What the command said of itself, when it could not do its work. */
static void take_complaint(struct part *part, int code)
{
	json_error_t error;
	json_t *said = json_loadb(part->bytes, part->length, 0, &error);
	const char *why = json_string_value(json_object_get(said, "why"));
	size_t line = part->bytes ? strcspn(part->bytes, "\n") : 0;
	if (why)
		part_missing(part, "%s", why);
	else
		part_missing(part, "code %d: %.*s", code, (int)(line < 150 ? line : 150),
			     line ? part->bytes : "");
	json_decref(said);
}

/* NULL: it is asked. */
static const char *not_asked(const struct bundle *bundle)
{
	uint64_t spent_ms = (clock_ns() - bundle->begun_ns) / 1000000;
	if (bundle->parts.stopped)
		return "it was broken off";
	if (bundle->unanswered >= UNANSWERED_MOST)
		return "not asked, as nobody answered what was asked before";
	if (spent_ms >= TRUST_MS)
		return "not asked: the answers before it took a minute";
	if (parts_room(&bundle->parts) + BUNDLE_ANSWER > BUNDLE_ANSWERS)
		return "not asked: the answers before it filled their room";
	return NULL;
}

static struct part *ask(struct bundle *bundle, const char *file, const char *const words[3])
{
	struct part *part = part_new(&bundle->parts, "%s", file);
	const char *argv[8] = {NULL, "--root", bundle->console->root}, *why = not_asked(bundle);
	bool json = words[1] && strcmp(words[1], "--json") == 0;
	for (unsigned i = 0; i < 3 && words[i]; i++)
		argv[3 + i] = words[i];
	if (why) {
		part_missing(part, "%s", why);
		return part;
	}
	int code = part_of_program(&bundle->parts, part,
				   &(struct program){argv, ANSWER_MS, BUNDLE_ANSWER, !json});
	if (code > END_FAILED)
		take_complaint(part, code);
	bool nobody = code < 0 || code == END_NO_MACHINE || code == END_UNKNOWN;
	bundle->unanswered = nobody ? bundle->unanswered + 1 : 0;
	return part;
}

/* Who did not answer `limits`, which asks every process. */
static void note_silent(struct bundle *bundle, const struct part *limits)
{
	json_error_t error;
	json_t *said = limits->bytes ? json_loadb(limits->bytes, limits->length, 0, &error) : NULL, *row;
	size_t i;
	json_array_foreach(json_object_get(said, "processes"), i, row)
	{
		const char *who = json_string_value(json_object_get(row, "who"));
		const char *how = json_string_value(json_object_get(row, "error"));
		if (who && how)
			json_array_append_new(bundle->silent,
					      json_pack("{s:s, s:s}", "who", who, "error", how));
	}
	json_decref(said);
}

/* A file for each node, as status.json names them; the part's address does not last, so it is read first. */
static void ask_of_nodes(struct bundle *bundle, json_t *status)
{
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(status, "nodes"), i, row)
	{
		char number[16], file[40];
		if (i == WHY_NODES)
			break;
		snprintf(number, sizeof number, "%d", (int)json_integer_value(json_object_get(row, "node")));
		snprintf(file, sizeof file, "why-node%s.txt", number);
		ask(bundle, file, (const char *const[3]){"why", "node", number});
	}
}

static void ask_all(struct bundle *bundle)
{
	json_t *status = NULL;
	json_error_t error;
	for (size_t i = 0; i < sizeof asked / sizeof *asked && !bundle->parts.stopped; i++) {
		if (!bundle->console->json && isatty(STDERR_FILENO))
			fprintf(stderr, "\r\033[K%s", asked[i].file);
		const struct part *part = ask(bundle, asked[i].file, asked[i].words);
		if (strcmp(part->name, "limits.json") == 0)
			note_silent(bundle, part);
		if (strcmp(part->name, "status.json") == 0 && part->state == PART_WHOLE)
			status = json_loadb(part->bytes, part->length, 0, &error);
	}
	ask_of_nodes(bundle, status);
	json_decref(status);
	if (!bundle->console->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

/* -- the table of contents -------------------------------------------------------------------------------- */

static const char *state_name(enum part_state state)
{
	switch (state) {
	case PART_WHOLE:
		return "whole";
	case PART_CUT:
		return "cut";
	case PART_MISSING:
		return "missing";
	}
	bug("part_state");
}

static json_t *contents_json(const struct bundle *bundle)
{
	json_t *all = json_array();
	for (unsigned i = 0; i < bundle->parts.count; i++) {
		const struct part *part = &bundle->parts.all[i];
		json_t *row = json_object();
		json_object_set_new(row, "name", json_word(part->name));
		json_object_set_new(row, "state", json_word(state_name(part->state)));
		json_object_set_new(row, "bytes", json_integer((json_int_t)part->length));
		json_object_set_new(row, "of", json_integer((json_int_t)part->of));
		json_object_set_new(row, "why", *part->why ? json_word(part->why) : json_null());
		json_array_append_new(all, row);
	}
	return all;
}

static void say_contents(const struct bundle *bundle, const struct page *page)
{
	struct table table;
	char size[UNIT_TEXT];
	table_begin(&table, "file >size what");
	for (unsigned i = 0; i < bundle->parts.count; i++) {
		const struct part *part = &bundle->parts.all[i];
		table_cell(&table, "%s", part->name);
		table_cell(&table, "%s",
			   part->state == PART_MISSING && !part->length ? "–"
									: size_text(part->length, size));
		table_cell(&table, "%s%s%s", part->state == PART_WHOLE ? "" : state_name(part->state),
			   part->state != PART_WHOLE && *part->why ? ": " : "", part->why);
		if (part->state != PART_WHOLE)
			table_tint(&table, DOUBTFUL);
	}
	table_print(&table, page, 1);
	table_end(&table);
	json_t *row;
	size_t i;
	json_array_foreach(bundle->silent, i, row)
	{
		say_in(page, DOUBTFUL, " %s did not answer: %s\n",
		       json_string_value(json_object_get(row, "who")),
		       json_string_value(json_object_get(row, "error")));
	}
}

/* The same table, as the archive's own first file. */
static bool write_contents(const struct bundle *bundle, struct tar *tar, int64_t now)
{
	char *text = NULL;
	size_t length = 0;
	struct page page = {open_memstream(&text, &length), false};
	if (!page.to)
		return false;
	say(&page,
	    "A bundle of %s, without keys, passphrases, tokens and comments of configuration files.\n\n",
	    bundle->console->root);
	say_contents(bundle, &page);
	fclose(page.to);
	if (length > BUNDLE_SPARE / 2)
		length = BUNDLE_SPARE / 2;
	bool wrote = tar_add(tar, "warren-bundle/CONTENTS.txt", text, length, now);
	free(text);
	return wrote;
}

/* -- the file --------------------------------------------------------------------------------------------- */

/* FILE, or one named after the time in the folder that we are in; and the draft beside it. */
static enum ending name_file(struct bundle *bundle)
{
	struct console *console = bundle->console;
	char stamp[32];
	time_t now = time(NULL);
	struct tm at;
	strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", gmtime_r(&now, &at));
	int length = console->arguments.count
			     ? snprintf(bundle->path, sizeof bundle->path, "%s", console->arguments.words[0])
			     : snprintf(bundle->path, sizeof bundle->path, "warren-bundle-%s.tar.gz", stamp);
	struct stat there;
	if (length >= (int)sizeof bundle->path)
		return complain(console, END_USAGE, "usage", "that name is too long");
	if (lstat(bundle->path, &there) == 0)
		return complain(console, END_FAILED, "exists",
				"%s is there already, and is not overwritten: %s", bundle->path,
				S_ISDIR(there.st_mode) ? "name a file in it"
						       : "give another name, or remove it");
	snprintf(bundle->draft, sizeof bundle->draft, "%s.%d.part", bundle->path, getpid());
	bundle->fd = open(bundle->draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (bundle->fd < 0)
		return complain(console, END_FAILED, "failed", "%s cannot be written: %s", bundle->path,
				strerror(errno));
	return END_OK;
}

static int write_archive(const struct bundle *bundle)
{
	char name[TAR_NAME + 16];
	int64_t now = (int64_t)time(NULL);
	struct tar *tar = tar_begin(bundle->fd);
	bool fine = write_contents(bundle, tar, now);
	for (unsigned i = 0; i < bundle->parts.count && fine; i++) {
		const struct part *part = &bundle->parts.all[i];
		if ((size_t)snprintf(name, sizeof name, "warren-bundle/%s", part->name) < TAR_NAME &&
		    part->length)
			fine = tar_add(tar, name, part->bytes, part->length, now);
	}
	int failed = tar_end(&tar);
	if (!failed && fsync(bundle->fd) != 0)
		failed = errno;
	return failed;
}

/* What another made there meanwhile stays. */
static int put_in_place(const struct bundle *bundle)
{
	if (renameat2(AT_FDCWD, bundle->draft, AT_FDCWD, bundle->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	return link(bundle->draft, bundle->path) == 0 ? (unlink(bundle->draft), 0) : errno;
}

/* A scrubbed text may have become longer; its room stays what it was. */
static void scrub_all(struct bundle *bundle)
{
	for (unsigned i = 0; i < bundle->parts.count; i++) {
		struct part *part = &bundle->parts.all[i];
		size_t room = part->length;
		if (!part->bytes)
			continue;
		part->bytes = scrub_text(part->bytes, &part->length, &bundle->secrets);
		if (part->length > room && strncmp(part->name, "logs/", 5) == 0)
			memmove(part->bytes, part->bytes + part->length - room, room);
		if (part->length > room && strncmp(part->name, "logs/", 5) == 0)
			part->length = room;
	}
}

static void collect(struct bundle *bundle)
{
	const char *root = bundle->console->root;
	bundle_programs(&bundle->parts, root);
	bundle_host(&bundle->parts, root);
	bundle_config(&bundle->parts, root, &bundle->secrets);
	ask_all(bundle);
	if (!bundle->parts.stopped)
		bundle_journal(&bundle->parts);
	uint64_t taken = parts_room(&bundle->parts) + BUNDLE_SPARE;
	bundle_logs(&bundle->parts, root, taken < BUNDLE_MOST ? BUNDLE_MOST - taken : 0);
	scrub_all(bundle);
}

static enum ending say_done(const struct bundle *bundle)
{
	const struct console *console = bundle->console;
	char size[UNIT_TEXT];
	struct stat at = {0};
	fstat(bundle->fd, &at);
	if (console->json) {
		json_t *object = json_object();
		json_object_set_new(object, "ok", json_true());
		json_object_set_new(object, "file", json_word(bundle->path));
		json_object_set_new(object, "bytes", json_integer(at.st_size));
		json_object_set_new(object, "silent", json_incref(bundle->silent));
		json_object_set_new(object, "parts", contents_json(bundle));
		json_say(&console->out, object, false);
		return END_OK;
	}
	say_contents(bundle, &console->out);
	say(&console->out,
	    "\n%s  %s, readable by you alone. It holds addresses and log lines, and no secret that we know "
	    "of:\n"
	    "look into it before you give it away.\n",
	    bundle->path, size_text((uint64_t)at.st_size, size));
	return END_OK;
}

static enum ending make(struct bundle *bundle)
{
	struct console *console = bundle->console;
	enum ending ending = name_file(bundle);
	if (ending != END_OK)
		return ending;
	collect(bundle);
	int failed = bundle->parts.stopped ? EINTR : write_archive(bundle);
	if (!failed)
		failed = put_in_place(bundle);
	if (!failed)
		return say_done(bundle);
	unlink(bundle->draft);
	if (bundle->parts.stopped)
		return complain(console, END_FAILED, "interrupted", "broken off: nothing was written");
	return complain(console, END_FAILED, "failed", "%s could not be written: %s; nothing was left there",
			bundle->path, strerror(failed));
}

enum ending command_bundle(struct console *console)
{
	struct bundle *bundle = x_new(sizeof *bundle);
	bundle->console = console;
	bundle->fd = -1;
	bundle->begun_ns = clock_ns();
	bundle->silent = json_array();
	bundle->parts.interrupted = interrupts();
	enum ending ending = make(bundle);
	if (bundle->fd >= 0)
		close(bundle->fd);
	close(bundle->parts.interrupted);
	json_decref(bundle->silent);
	parts_end(&bundle->parts);
	secrets_end(&bundle->secrets);
	x_free(&bundle);
	return ending;
}
