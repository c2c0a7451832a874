/* The writer of log lines. Linked by every program; the level and the count are per process by nature, as stderr is, and a
 * bug must be logged before there is a `self`: the one exception to "no globals". */
#include "actors/base/log/log.h"

#include "proto/logs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	enum log_level threshold;
	uint64_t dropped, told;
} state = {LOG_INFO, 0, 0};

static const char *const names[] = {"debug", "info", "warn", "error"};

void log_threshold(enum log_level level)
{
	state.threshold = level;
}

const char *log_level_name(enum log_level level)
{
	return names[level];
}

int log_level_by_name(const char *name)
{
	for (int i = 0; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

uint64_t log_dropped(void)
{
	return state.dropped;
}

/* A line is at most PIPE_BUF, so it is written whole or not at all. */
static int write_line(const char *line, size_t length)
{
	ssize_t wrote;
	do
		wrote = write(STDERR_FILENO, line, length);
	while (wrote < 0 && errno == EINTR);
	return wrote == (ssize_t)length ? 0 : -1;
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
	if (level < state.threshold)
		return;
	char line[LOG_LINE_MAX];
	int length = snprintf(line, sizeof line, "%s %s ", names[level], event);
	va_list arguments;
	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof line - 2)
		length = (int)sizeof line - 2;
	for (int i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[length++] = '\n';
	if (state.dropped != state.told) {
		char count[64];
		int n = snprintf(count, sizeof count, "warn log.dropped lines=%llu\n",
				 (unsigned long long)(state.dropped - state.told));
		if (write_line(count, (size_t)n) == 0)
			state.told = state.dropped;
	}
	if (write_line(line, (size_t)length) < 0)
		state.dropped++;
}

_Noreturn void bug_at(const char *what, const char *file, int line)
{
	log_line(LOG_ERROR, "bug", "what=\"%s\" at=%s:%d", what, file, line);
	abort();
}
