/* Reads one configuration file with libconfig, which knows the line of every setting. The files are root's
 * (or, without root, ours): one that anybody else can write is a mistake. Part of the supervisor. */
#include "supervisor/config_file.h"

#include "actors/base/memory/memory.h"
#include "proto/formats.h"
#include "supervisor/config_change.h"
#include "supervisor/config_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024 };

static const char *type_name(int type)
{
	switch (type) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a fraction";
	case CONFIG_TYPE_STRING:
		return "a text in quotes";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a group or list";
	}
}

/* What the file says, if it is of the kind that the row asks for. */
static bool take(const config_setting_t *from, const struct setting_row *row, struct value *value,
		 struct why *why)
{
	int type = config_setting_type(from);
	bool number = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	if (row->type == TYPE_INT ? !number : type != CONFIG_TYPE_STRING)
		return refuse(why, "%s is %s; it must be %s", row->name, type_name(type),
			      type_name(row->type == TYPE_INT ? CONFIG_TYPE_INT : CONFIG_TYPE_STRING));
	if (!number) {
		value->text = x_copy(config_setting_get_string(from));
		return true;
	}
	long long given =
		type == CONFIG_TYPE_INT ? config_setting_get_int(from) : config_setting_get_int64(from);
	if (given < row->lowest || given > row->highest)
		return refuse(why, "%s is %lld; it must be %u to %u%s", row->name, given, row->lowest,
			      row->highest, setting_bound(row));
	char text[24];
	snprintf(text, sizeof text, "%lld", given);
	value->text = x_copy(text);
	value->number = (uint32_t)given;
	return true;
}

struct reading {
	const char *shown;
	bool of_node;
	unsigned version;
	struct value *given;
	struct mistakes *mistakes, *notes;
};

static void read_word(const struct reading *reading, const config_setting_t *from)
{
	const char *name = config_setting_name(from), *shown = reading->shown;
	int line = (int)config_setting_source_line(from);
	enum setting setting = setting_by_name(name);
	struct mistakes *mistakes = reading->mistakes;
	struct why why;
	if (setting == SETTINGS) {
		const char *near = setting_near(name);
		if (near)
			mistake(mistakes, shown, line, "unknown word \"%s\"; did you mean %s?", name, near);
		else
			mistake(mistakes, shown, line, "unknown word \"%s\"", name);
		return;
	}
	const struct setting_row *row = setting_row(setting);
	if (reading->of_node && row->where == WHERE_MACHINE) {
		mistake(mistakes, shown, line, "%s is said for the whole machine, in warren.conf", name);
		return;
	}
	struct value value = {.source = reading->of_node ? FROM_NODE : FROM_MACHINE, .line = line};
	bool taken = take(from, row, &value, &why);
	const char *now = taken ? config_now(reading->version, setting, value.text) : NULL;
	if (taken && now != value.text) {
		mistake(reading->notes, shown, line, "%s = \"%s\" is \"%s\" since version %d", name,
			value.text, now, FORMAT_settings);
		x_free(&value.text);
		value.text = x_copy(now);
	}
	if (!taken || !setting_check(setting, &value, &why)) {
		mistake(mistakes, shown, line, "%s", why.text);
		x_free(&value.text);
		return;
	}
	reading->given[setting] = value;
}

unsigned config_version_of(const config_setting_t *root, unsigned ours, const char *shown,
			   struct mistakes *mistakes)
{
	const config_setting_t *at = config_setting_get_member(root, "version");
	int line = at ? (int)config_setting_source_line(at) : 0, type = at ? config_setting_type(at) : 0;
	char newer[FORMAT_SENTENCE];
	if (!at)
		return 1;
	if (type != CONFIG_TYPE_INT || config_setting_get_int(at) < 1)
		mistake(mistakes, shown, line, "version must be a number from 1 to %u", ours);
	else if ((unsigned)config_setting_get_int(at) > ours)
		mistake(mistakes, shown, line, "%s",
			format_newer("the file", (unsigned)config_setting_get_int(at), ours, newer));
	else
		return (unsigned)config_setting_get_int(at);
	return 0;
}

bool config_file_trusted(int fd, const char *shown, struct mistakes *mistakes)
{
	struct stat file;
	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
		mistake(mistakes, shown, 0, "is not a file");
	else if (file.st_uid != geteuid() && file.st_uid != 0)
		mistake(mistakes, shown, 0, "belongs to uid %u; it must be root's (chown root)", file.st_uid);
	else if (file.st_mode & 022)
		mistake(mistakes, shown, 0, "can be written by others (mode %03o); chmod go-w",
			file.st_mode & 0777);
	else if (file.st_size > FILE_BYTES_MAX)
		mistake(mistakes, shown, 0, "is larger than %d bytes", FILE_BYTES_MAX);
	else
		return true;
	return false;
}

/* The number of the first line that begins with @include; 0: none. */
static int line_that_includes(FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	int number = 0;
	bool found = false;
	while (!found && getline(&line, &room, file) >= 0) {
		number++;
		found = strncmp(line + strspn(line, " \t"), "@include", 8) == 0;
	}
	free(line);
	rewind(file);
	return found ? number : 0;
}

bool config_file_parse(config_t *config, FILE *file, const char *shown, struct mistakes *mistakes)
{
	int includes = line_that_includes(file);
	if (includes)
		mistake(mistakes, shown, includes,
			"@include is not followed: write here what is to be said here");
	else if (!config_read(config, file))
		mistake(mistakes, shown, config_error_line(config),
			"%s; a line is  word = 12;  or  word = \"text\";", config_error_text(config));
	else
		return true;
	return false;
}

static void parse(FILE *file, struct reading *reading)
{
	config_t config;
	config_init(&config);
	const config_setting_t *root = NULL;
	if (config_file_parse(&config, file, reading->shown, reading->mistakes))
		root = config_root_setting(&config);
	if (root)
		reading->version =
			config_version_of(root, FORMAT_settings, reading->shown, reading->mistakes);
	for (int i = 0; reading->version && i < config_setting_length(root); i++) {
		const config_setting_t *word = config_setting_get_elem(root, (unsigned)i);
		if (strcmp(config_setting_name(word), "version") != 0)
			read_word(reading, word);
	}
	config_destroy(&config);
}

unsigned config_file_read(int etc, const char *name, const char *shown, bool of_node,
			  struct value given[SETTINGS], struct mistakes *mistakes, struct mistakes *notes)
{
	struct reading reading = {shown, of_node, 0, given, mistakes, notes};
	int fd = openat(etc, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			mistake(mistakes, shown, 0, "cannot be read: %s", strerror(errno));
		return errno != ENOENT;
	}
	bool trusted = config_file_trusted(fd, shown, mistakes);
	FILE *file = trusted ? fdopen(fd, "r") : NULL;
	if (trusted && !file)
		mistake(mistakes, shown, 0, "cannot be read: %s", strerror(errno));
	if (!file) {
		close(fd);
		return 1;
	}
	parse(file, &reading);
	fclose(file);
	return reading.version ? reading.version : 1;
}

void values_free(struct value values[SETTINGS])
{
	for (unsigned i = 0; i < SETTINGS; i++)
		x_free(&values[i].text);
}
