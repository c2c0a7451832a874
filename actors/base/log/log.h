/* Log lines on FD_LOG: "level event key=value …" (proto/logs.h). Writing never blocks: when the pipe is full the line is
 * dropped and counted, and the next line that fits says how many were. Scribe adds time, process and pid. */
#ifndef WARREN_LOG_H
#define WARREN_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* The event is a dotted word ("store.opened"); `format` makes "key=value key=value". Values with spaces are put in quotes by
 * the caller; control bytes become '?'. Never a secret. */
void log_line(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/* From this level up; LOG_INFO at first. */
void log_threshold(enum log_level level);
const char *log_level_name(enum log_level level);
int log_level_by_name(const char *name); /* -1: none */
uint64_t log_dropped(void);              /* lines that did not fit in the pipe, since the start */

/* Ours: something that cannot be. Logs where, and aborts; stays on in release. */
#define bug(what) bug_at(what, __FILE__, __LINE__)
#define bug_if(condition)                                                                                              \
	do {                                                                                                           \
		if (condition)                                                                                         \
			bug(#condition);                                                                               \
	} while (0)
_Noreturn void bug_at(const char *what, const char *file, int line);

#endif
