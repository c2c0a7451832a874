/* `warren logs`: what processes wrote. Reads the files below ROOT/logs itself, as logs never travel on the
 * bus; needs no running machine. */
#include "actors/console/console.h"
#include "actors/base/clock/clock.h"
#include "actors/console/merge.h"
#include "actors/console/units.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	LINES = 50, /* shown when neither --lines nor --since is given */
	LINES_MAX = 1000000,
	LOOK_MS = 200, /* with -f: how often the files are looked at */
};

struct logs {
	struct console *console;
	struct merge merge;
	struct log_filter filter;
	uint64_t most;
	uint64_t for_ms; /* with -f; UINT64_MAX: until Ctrl-C */
	bool follow;
	int refused; /* errno of the last file that could not be opened */
};

/* -- which files ----------------------------------------------------------------------------------------- */

static bool add_file(struct logs *logs, const char *path)
{
	for (unsigned i = 0; i < logs->merge.count; i++)
		if (strcmp(logs->merge.logs[i].file.path, path) == 0)
			return true;
	if (logs->merge.count == LOGS_MAX)
		return false;
	unsigned count = ++logs->merge.count;
	logs->merge.logs = x_grow(logs->merge.logs, count * sizeof *logs->merge.logs);
	struct merged *merged = &logs->merge.logs[count - 1];
	*merged = (struct merged){0};
	logfile_begin(&merged->file, path);
	return true;
}

static bool is_log(const char *name)
{
	size_t length = strlen(name);
	return length > 4 && name[0] != '.' && strcmp(name + length - 4, ".log") == 0;
}

/* Every log in one folder, "machine" or "node2". */
static void add_folder(struct logs *logs, const char *folder)
{
	char path[LOGFILE_PATH];
	if ((size_t)snprintf(path, sizeof path, "%s/logs/%s", logs->console->root, folder) >= sizeof path)
		return;
	DIR *opened = opendir(path);
	if (!opened) {
		logs->refused = errno;
		return;
	}
	for (struct dirent *entry; (entry = readdir(opened));) {
		if (is_log(entry->d_name) &&
		    (size_t)snprintf(path, sizeof path, "%s/logs/%s/%s", logs->console->root, folder,
				     entry->d_name) < sizeof path)
			add_file(logs, path);
	}
	closedir(opened);
}

static void add_all(struct logs *logs)
{
	char path[LOGFILE_PATH];
	snprintf(path, sizeof path, "%s/logs", logs->console->root);
	DIR *opened = opendir(path);
	if (!opened) {
		logs->refused = errno;
		return;
	}
	for (struct dirent *entry; (entry = readdir(opened));)
		if (strcmp(entry->d_name, "machine") == 0 || strncmp(entry->d_name, "node", 4) == 0)
			add_folder(logs, entry->d_name);
	closedir(opened);
}

/* "store@1", "warrend", or "2" for all of node 2. */
static enum ending add_word(struct logs *logs, const char *word)
{
	char path[LOGFILE_PATH], below[LOG_PATH_TEXT], folder[32];
	enum kind kind = KIND_NONE;
	uint16_t node = 0;
	uint64_t number;
	if (number_parse(word, 1, NODES_MAX, &number)) {
		snprintf(folder, sizeof folder, "node%u", (unsigned)number);
		add_folder(logs, folder);
		return END_OK;
	}
	if (strcmp(word, LOG_WARREND) != 0) {
		enum ending ending = parse_who(logs->console, word, &kind, &node);
		if (ending != END_OK)
			return ending;
	}
	snprintf(path, sizeof path, "%s/logs/%s", logs->console->root, log_path_text(kind, node, below));
	add_file(logs, path);
	return END_OK;
}

/* -- printing ------------------------------------------------------------------------------------------ */

static void add_pairs(json_t *object, const struct log_text *text)
{
	json_t *fields = json_object(), *words = json_array();
	struct log_word rest = text->rest;
	struct log_pair pair;
	char value[LOG_TEXT_MAX], key[LOG_TEXT_MAX];
	while (log_pair_next(&rest, &pair)) {
		size_t length = log_pair_value(&pair, value, sizeof value);
		if (pair.key.length == 0) {
			json_array_append_new(words, json_text(value, length));
			continue;
		}
		clean(pair.key.at, pair.key.length, false, key, sizeof key);
		json_object_set_new(fields, key, json_text(value, length));
	}
	json_object_set_new(object, "fields", fields);
	if (json_array_size(words))
		json_object_set_new(object, "words", words);
	else
		json_decref(words);
}

static void print_json(const struct logs *logs, const struct log_line *line)
{
	char time[LOG_TIME_TEXT];
	json_t *object = json_object();
	if (!line->known) {
		json_object_set_new(object, "text", json_text(line->at, line->length));
		json_say(&logs->console->out, object, true);
		return;
	}
	const struct log_text *text = &line->text;
	size_t name = strcspn(text->actor.at, "@[");
	json_object_set_new(object, "time", json_word(log_time_text(text->time_ms, time)));
	json_object_set_new(object, "level", json_word(log_text_level(text->level)));
	json_object_set_new(object, "who", json_text(text->actor.at, text->actor.length));
	json_object_set_new(object, "actor",
			    json_text(text->actor.at, name < text->actor.length ? name : text->actor.length));
	json_object_set_new(object, "node", json_integer(text->node));
	json_object_set_new(object, "pid", json_integer(text->pid));
	json_object_set_new(object, "event", json_text(text->event.at, text->event.length));
	add_pairs(object, text);
	json_say(&logs->console->out, object, true);
}

static void print_line(const struct logs *logs, const struct log_line *line)
{
	static const enum tint tints[LOG_LEVELS] = {FAINT, PLAIN, DOUBTFUL, BAD_NEWS};
	char flat[LOGFILE_BUFFER];
	if (logs->console->json) {
		print_json(logs, line);
		return;
	}
	clean(line->at, line->length, false, flat, sizeof flat);
	say_in(&logs->console->out, line->known ? tints[line->text.level] : PLAIN, "%s", flat);
	say(&logs->console->out, "\n");
}

/* The last `most` wanted lines of all together: each log stands where at most that many of its own follow. */
static void print_tail(struct logs *logs, uint64_t found)
{
	uint64_t skip = found > logs->most ? found - logs->most : 0;
	for (const struct log_line *line; (line = merge_next(&logs->merge));) {
		if (!log_wanted(&logs->filter, line))
			continue;
		if (skip)
			skip--;
		else
			print_line(logs, line);
	}
}

static void follow(struct logs *logs)
{
	struct pollfd signals = {.fd = interrupts(), .events = POLLIN};
	const uint64_t begun = clock_ns();
	while (poll(&signals, 1, LOOK_MS) == 0 && (clock_ns() - begun) / 1000000 < logs->for_ms) {
		int64_t now = wall_ms();
		for (const struct log_line *line; (line = merge_next_before(&logs->merge, now));)
			if (log_wanted(&logs->filter, line))
				print_line(logs, line);
		if (fflush(logs->console->out.to) != 0)
			break;
	}
	close(signals.fd);
}

/* -- the command ----------------------------------------------------------------------------------------- */

static enum ending read_options(struct logs *logs)
{
	struct console *console = logs->console;
	const char *level = argument(&console->arguments, "level");
	uint64_t since;
	enum ending ending = option_duration(console, "since", UINT64_MAX, &since);
	if (ending == END_OK)
		ending = option_duration(console, "for", UINT64_MAX, &logs->for_ms);
	if (ending == END_OK)
		ending = option_number(console, "lines", 0, LINES_MAX,
				       since == UINT64_MAX ? LINES : LINES_MAX, &logs->most);
	if (ending != END_OK)
		return ending;
	int number = level ? log_text_level_parse(level, strlen(level)) : 0;
	if (number < 0)
		return complain(console, END_USAGE, "usage",
				"there is no level \"%s\": debug, info, warn, error", level);
	logs->filter.level = (unsigned)number;
	logs->filter.grep = argument(&console->arguments, "grep");
	logs->filter.since_ms = since == UINT64_MAX ? INT64_MIN : wall_ms() - (int64_t)since;
	logs->follow = argument(&console->arguments, "follow") != NULL;
	return END_OK;
}

/* A descriptor for each log: more than the usual soft limit on a large machine. */
static void raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Puts each log where its last lines begin; returns how many they are in all. */
static uint64_t find_tails(struct logs *logs, unsigned *found)
{
	uint64_t lines = 0;
	*found = 0;
	for (unsigned i = 0; i < logs->merge.count; i++) {
		int64_t count = logfile_tail(&logs->merge.logs[i].file, &logs->filter, logs->most);
		if (count < 0)
			logs->refused = (int)-count;
		else
			(*found)++;
		lines += count > 0 ? (uint64_t)count : 0;
	}
	return lines;
}

static enum ending nothing_found(struct logs *logs)
{
	struct console *console = logs->console;
	const char *one = logs->merge.count == 1 ? logs->merge.logs[0].file.path : "";
	if (logs->refused == EACCES || logs->refused == EPERM)
		return complain(console, END_DENIED, "denied", "you may not read the logs below %s/logs",
				console->root);
	if (logs->refused && logs->refused != ENOENT)
		return complain(console, END_FAILED, "failed", "the logs below %s/logs: %s", console->root,
				strerror(logs->refused));
	if (*one)
		return complain(console, END_FAILED, "not-found", "nothing was written yet: there is no %s",
				one);
	return complain(console, END_FAILED, "not-found", "there are no logs below %s/logs (ROOT is %s, %s)",
			console->root, console->root, console->root_from);
}

enum ending command_logs(struct console *console)
{
	struct logs logs = {.console = console};
	unsigned found;
	enum ending ending = read_options(&logs);
	for (unsigned i = 0; ending == END_OK && i < console->arguments.count; i++)
		ending = add_word(&logs, console->arguments.words[i]);
	if (ending == END_OK && !console->arguments.count)
		add_all(&logs);
	if (ending == END_OK) {
		raise_limit();
		uint64_t lines = find_tails(&logs, &found);
		bool waits = logs.follow && logs.merge.count && (!logs.refused || logs.refused == ENOENT);
		if (!found && !waits)
			ending = nothing_found(&logs);
		else
			print_tail(&logs, lines);
		if (ending == END_OK && logs.follow)
			follow(&logs);
	}
	merge_end(&logs.merge);
	return ending;
}
