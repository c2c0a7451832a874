/* What the commands share: complaints, the connection, reading what was typed. Part of the console. */
#include "actors/console/console.h"

#include "actors/console/units.h"
#include "actors/console/words.h"
#include "proto/birth.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* -- complaints ---------------------------------------------------------------------------------------- */

enum ending complain(struct console *console, enum ending ending, const char *error, const char *format, ...)
{
	char why[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	if (console->json) {
		json_t *object = json_object();
		json_object_set_new(object, "ok", json_false());
		json_object_set_new(object, "error", json_word(error));
		json_object_set_new(object, "why", json_word(why));
		json_say(&console->out, object, false);
	} else {
		say(&console->err, "warren: %s\n", why);
	}
	return ending;
}

enum ending complain_of(struct console *console, const struct client *client, const struct question *question)
{
	char who[WHO_TEXT], text[2 * SENTENCE_TEXT];
	const char *name = err_name(question->err);
	who_text(question->kind, question->node, who);
	if (question->err == ERR_DENIED && client->authority == READER &&
	    !(question->row->may & MAY(READER, ANY_NODE)))
		return complain(console, END_DENIED, name,
				"denied: you may look and not operate, as %s is closed to you, and %s is for "
				"operators",
				SOCKET_OPERATE, question->row->name);
	return complain(console, ending_of(question->err), name, "%s %s: %s", who, question->row->name,
			err_text(question->err, question->why, text));
}

/* -- waiting ------------------------------------------------------------------------------------------------ */

/* On a terminal a line that counts, and goes when it is over. Elsewhere one sentence, and only where an answer should come at
 * once: a stop or a restart takes its time. */
void console_slow(void *context, const char *who, const char *what, uint64_t waited_ms, uint64_t most_ms)
{
	struct console *console = context;
	const struct call_row *row = call_by_name(what);
	char waited[UNIT_TEXT], most[UNIT_TEXT];
	bool terminal = isatty(fileno(console->err.to));
	if (!who) {
		if (console->slow_shown && terminal)
			fprintf(console->err.to, "\r\033[K");
		console->slow_shown = false;
		return;
	}
	if (terminal) {
		fprintf(console->err.to, "\r\033[Kwaiting for %s %s  %s of at most %s", who, what,
			duration_text(waited_ms, waited), duration_text(most_ms, most));
		fflush(console->err.to);
	} else if (!console->slow_shown && !console->json && (!row || row->effect == READ)) {
		say(&console->err, "warren: %s is silent; waiting for it, at most %s\n", who,
		    duration_text(most_ms, most));
		fflush(console->err.to);
	}
	console->slow_shown = true;
}

/* -- reading what was typed -------------------------------------------------------------------------------
 */

enum ending console_connect(struct console *console, struct client *client)
{
	char why[SENTENCE_TEXT];
	enum ending ending =
		client_open(client, console->root, WELCOME_MS, (struct slow){console_slow, console}, why);
	if (ending == END_OK)
		return END_OK;
	const char *error = ending == END_NO_MACHINE ? "no-machine"
			    : ending == END_DENIED   ? "denied"
			    : ending == END_UNKNOWN  ? "gone"
						     : "failed";
	if (ending == END_NO_MACHINE)
		return complain(console, ending, error, "%s (ROOT is %s, %s)", why, console->root,
				console->root_from);
	return complain(console, ending, error, "%s", why);
}

enum ending parse_who(struct console *console, const char *text, enum kind *kind, uint16_t *node)
{
	char meant[WHY_TEXT];
	struct nearest nearest = {0};
	if (who_parse(text, kind, node))
		return END_OK;
	size_t length = strcspn(text, "@");
	enum kind known = kind_by_name(text, (unsigned)length);
	if (known && actor_row(known)->scope == PER_NODE)
		return complain(console, END_USAGE, "usage",
				"there is one %s for each node: %s@1, %s@2 … not \"%s\"", kind_name(known),
				kind_name(known), kind_name(known), text);
	if (known)
		return complain(console, END_USAGE, "usage", "a machine has one %s, of no node: not \"%s\"",
				kind_name(known), text);
	char name[WORD_MAX];
	snprintf(name, sizeof name, "%.*s", (int)(length < WORD_MAX ? length : WORD_MAX - 1), text);
	for (unsigned i = 1; i < READER; i++)
		if (actor_row(i))
			nearest_offer(&nearest, name, actor_row(i)->name);
	return complain(console, END_USAGE, "usage", "there is no actor \"%s\"%s (warren status shows all)",
			text, nearest_text(&nearest, meant, sizeof meant));
}

enum ending option_duration(struct console *console, const char *name, uint64_t otherwise, uint64_t *ms)
{
	const char *text = argument(&console->arguments, name);
	*ms = otherwise;
	if (!text || duration_parse(text, ms))
		return END_OK;
	return complain(console, END_USAGE, "usage", "--%s \"%s\" is no time: 90s, 10m, 2h, 1d are", name,
			text);
}

enum ending option_number(struct console *console, const char *name, uint64_t lowest, uint64_t highest,
			  uint64_t otherwise, uint64_t *number)
{
	const char *text = argument(&console->arguments, name);
	*number = otherwise;
	if (!text || number_parse(text, lowest, highest, number))
		return END_OK;
	return complain(console, END_USAGE, "usage", "--%s \"%s\" is no number from %" PRIu64 " to %" PRIu64,
			name, text, lowest, highest);
}

int interrupts(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
