/* Reads one configuration file with libconfig, which knows the line of every setting. The files are root's
 * (or, without root, ours): one that anybody else can write is a mistake. Part of the supervisor. */
#include "supervisor/config_file.h"

#include "actors/base/memory/memory.h"
#include "supervisor/config_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
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

static void read_word(const config_setting_t *from, const char *shown, bool of_node,
		      struct value given[SETTINGS], struct mistakes *mistakes)
{
	const char *name = config_setting_name(from);
	int line = (int)config_setting_source_line(from);
	enum setting setting = setting_by_name(name);
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
	if (of_node && row->where == WHERE_MACHINE) {
		mistake(mistakes, shown, line, "%s is said for the whole machine, in warren.conf", name);
		return;
	}
	struct value value = {.source = of_node ? FROM_NODE : FROM_MACHINE, .line = line};
	if (!take(from, row, &value, &why) || !setting_check(setting, &value, &why)) {
		mistake(mistakes, shown, line, "%s", why.text);
		x_free(&value.text);
		return;
	}
	given[setting] = value;
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

static void parse(FILE *file, const char *shown, bool of_node, struct value given[SETTINGS],
		  struct mistakes *mistakes)
{
	config_t config;
	config_init(&config);
	if (!config_read(&config, file)) {
		mistake(mistakes, shown, config_error_line(&config),
			"%s; a line is  word = 12;  or  word = \"text\";", config_error_text(&config));
	} else {
		const config_setting_t *root = config_root_setting(&config);
		for (int i = 0; i < config_setting_length(root); i++)
			read_word(config_setting_get_elem(root, (unsigned)i), shown, of_node, given,
				  mistakes);
	}
	config_destroy(&config);
}

bool config_file_read(int etc, const char *name, const char *shown, bool of_node,
		      struct value given[SETTINGS], struct mistakes *mistakes)
{
	int fd = openat(etc, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			mistake(mistakes, shown, 0, "cannot be read: %s", strerror(errno));
		return errno != ENOENT;
	}
	FILE *file = config_file_trusted(fd, shown, mistakes) ? fdopen(fd, "r") : NULL;
	if (!file) {
		close(fd);
		return true;
	}
	parse(file, shown, of_node, given, mistakes);
	fclose(file);
	return true;
}

void values_free(struct value values[SETTINGS])
{
	for (unsigned i = 0; i < SETTINGS; i++)
		x_free(&values[i].text);
}
