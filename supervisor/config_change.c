/* Older words of the configuration. Reading turns them in memory (config_file.c); `warrend migrate` writes them, line by line, so
 * that comments and order stay. Part of the supervisor. */
#include "supervisor/config_change.h"

#include "actors/base/memory/memory.h"
#include "actors/base/migrate/migrate.h"
#include "proto/birth.h"
#include "proto/formats.h"
#include "supervisor/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct change {
	unsigned version; /* that brought it */
	enum setting setting;
	const char *was, *is;
} changes[] = {
	{2, SETTING_ram_rule, "seed", "on"}, /* the other one is called off; nobody knew what a seed is */
};

const char *config_now(unsigned version, unsigned setting, const char *text)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		if (version < changes[i].version && setting == changes[i].setting &&
		    strcmp(text, changes[i].was) == 0)
			text = changes[i].is;
	return text;
}

/* -- warrend migrate --------------------------------------------------------------------------- */

enum { TEXT_MOST = 64 * 1024, GROWS = 4096 };

struct rewriting {
	int etc;
	const char *name;
	char draft[MIGRATE_NAME];
};

static bool read_draft(const struct rewriting *rewriting, char *text, size_t room)
{
	int fd = openat(rewriting->etc, rewriting->draft, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd < 0 ? -1 : read(fd, text, room - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got >= 0 && (size_t)got < room - 1;
}

static bool write_draft(const struct rewriting *rewriting, const char *text)
{
	int fd = openat(rewriting->etc, rewriting->draft, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	bool wrote = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	return (fd < 0 || close(fd) == 0) && wrote;
}

/* Replaces one piece of text by another, whose place is known to be its own. */
static void replace(char *text, size_t room, char *at, size_t length, const char *with)
{
	size_t more = strlen(with), rest = strlen(at + length) + 1;
	if (strlen(text) + more + 1 > room)
		return;
	memmove(at + more, at + length, rest);
	memcpy(at, with, more);
}

/* The value of a word at the begin of a line: where it stands, and how long it is. NULL: it is written some other way. */
static char *value_of(char *text, const char *word, size_t *length)
{
	for (char *line = text; line; line = strchr(line, '\n'), line += line != NULL) {
		char *at = line + strspn(line, " \t");
		size_t letters = strlen(word);
		if (strncmp(at, word, letters) != 0)
			continue;
		at += letters + strspn(at + letters, " \t");
		if (*at != '=' && *at != ':')
			continue;
		at += 1 + strspn(at + 1, " \t");
		*length = strcspn(at, " \t;\n");
		return at;
	}
	return NULL;
}

static void rewrite(char *text, size_t room, unsigned to)
{
	char with[40];
	size_t length;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		const struct change *change = &changes[i];
		char was[40], *at = value_of(text, setting_row(change->setting)->name, &length);
		snprintf(was, sizeof was, "\"%s\"", change->was);
		snprintf(with, sizeof with, "\"%s\"", change->is);
		if (change->version == to && at && strlen(was) == length && strncmp(at, was, length) == 0)
			replace(text, room, at, length, with);
	}
	char *at = value_of(text, "version", &length);
	snprintf(with, sizeof with, at ? "%u" : "version = %u;\n", to);
	replace(text, room, at ? at : text, at ? length : 0, with);
}

/* What was written must say the same, in today's words, or it is not put in place. */
static enum migrate_end step(void *context, unsigned from, char why[MIGRATE_WHY])
{
	struct rewriting *rewriting = context;
	struct mistakes mistakes = {0}, notes = {0};
	struct value given[SETTINGS] = {0};
	char *text = x_new(TEXT_MOST + GROWS);
	bool wrote = read_draft(rewriting, text, TEXT_MOST);
	if (wrote)
		rewrite(text, TEXT_MOST + GROWS, from + 1);
	wrote = wrote && write_draft(rewriting, text);
	x_free(&text);
	if (!wrote) {
		snprintf(why, MIGRATE_WHY, "%s: %s", rewriting->draft, strerror(errno));
		return errno == ENOSPC || errno == EDQUOT ? MIGRATE_FULL : MIGRATE_DISK;
	}
	config_file_read(rewriting->etc, rewriting->draft, rewriting->name,
			 config_file_node(rewriting->name) != 0, given, &mistakes, &notes);
	values_free(given);
	bool same = !mistakes.count && (!notes.count || from + 1 < FORMAT_settings);
	if (!same)
		snprintf(why, MIGRATE_WHY, "write it by hand: %.180s",
			 mistakes.count ? mistakes.lines[0] : notes.lines[0]);
	mistakes_end(&mistakes);
	mistakes_end(&notes);
	return same ? MIGRATE_OK : MIGRATE_DAMAGED;
}

static bool migrate_one(const struct machine *machine, int etc, const char *name)
{
	struct mistakes mistakes = {0}, notes = {0};
	struct value given[SETTINGS] = {0};
	struct rewriting rewriting = {.etc = etc, .name = name};
	char why[MIGRATE_WHY];
	unsigned version =
		config_file_read(etc, name, name, config_file_node(name) != 0, given, &mistakes, &notes);
	values_free(given);
	bool fine = !mistakes.count;
	snprintf(rewriting.draft, sizeof rewriting.draft, "%s" MIGRATE_DRAFT, name);
	mistakes_print(&mistakes, stderr);
	if (fine && version == FORMAT_settings) {
		printf("%s/etc/%s is of version %d already\n", machine->root, name, FORMAT_settings);
	} else if (fine) {
		const struct migration migration = {name, version, FORMAT_settings, step, &rewriting,
						    NULL, NULL};
		fine = migrate(etc, &migration, why) == MIGRATE_OK;
		mistakes_print(&notes, stdout);
		if (fine)
			printf("%s/etc/%s is of version %d now; what it was is %s.v%u\n", machine->root, name,
			       FORMAT_settings, name, version);
		else
			fprintf(stderr, "%s/etc/%s stays as it is: %s\n", machine->root, name, why);
	}
	mistakes_end(&mistakes);
	mistakes_end(&notes);
	return fine;
}

int verb_migrate(struct machine *machine)
{
	bool fine = true;
	char name[32];
	int etc = openat(machine->etc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0) {
		fprintf(stderr, "%s/etc: %s\n", machine->root, strerror(errno));
		return 1;
	}
	fine = migrate_one(machine, etc, "warren.conf");
	for (unsigned node = 1; node <= NODES_MAX; node++) {
		snprintf(name, sizeof name, "node%u.conf", node);
		if (faccessat(etc, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			fine = migrate_one(machine, etc, name) && fine;
	}
	close(etc);
	return fine ? 0 : EXIT_CONFIG;
}
