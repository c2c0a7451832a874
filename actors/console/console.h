/* What the commands of `warren` share: the command line, where the machine is, where the output goes, how a
 * command ends. */
#ifndef WARREN_CONSOLE_H
#define WARREN_CONSOLE_H

#include "actors/console/arguments.h"
#include "actors/console/client.h"
#include "actors/console/commands.h"
#include "actors/console/render.h"
#include "actors/console/values.h"

#include <limits.h>

struct console {
	struct arguments arguments;
	char root[PATH_MAX];
	const char *root_from; /* "because of --root" … */
	bool json;
	bool slow_shown; /* that somebody is waited for */
	struct page out, err;
};

/* clang-format off */
#define DECLARE_COMMAND(symbol, ...) enum ending command_##symbol(struct console *console);
COMMANDS(DECLARE_COMMAND)
/* clang-format on */

/* A sentence to standard error, or {"ok": false, "error": …, "why": …} to standard output. Returns `ending`.
 */
enum ending complain(struct console *console, enum ending ending, const char *error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same about an ask that did not end ERR_OK; says what kind of authority was missing. */
enum ending complain_of(struct console *console, const struct client *client,
			const struct question *question);

/* The slow_fn of the console. */
void console_slow(void *context, const char *who, const char *what, uint64_t waited_ms, uint64_t most_ms);

/* client_open() with the console's root; complains when it fails. */
enum ending console_connect(struct console *console, struct client *client);

/* "store@1", "broker": who that is. Complains with the nearest names. */
enum ending parse_who(struct console *console, const char *text, enum kind *kind, uint16_t *node);

/* The value of an option that is a time; `otherwise` when it was not given. Complains. */
enum ending option_duration(struct console *console, const char *name, uint64_t otherwise, uint64_t *ms);
enum ending option_number(struct console *console, const char *name, uint64_t lowest, uint64_t highest,
			  uint64_t otherwise, uint64_t *number);

/* A descriptor that becomes readable on Ctrl-C or SIGTERM; both are blocked from then on. */
int interrupts(void);

#endif
