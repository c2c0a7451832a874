/* The manual pages warren(1) and warren.conf(5), written from the tables of commands, options, reasons and settings, so that a
 * row that is added is in them. Part of the console; asks nobody. */
#include "actors/console/man.h"

#include "proto/reasons.h"

#include <stdarg.h>
#include <string.h>

/* Text for roff: a backslash, a leading dot or quote and a dash that is meant as such are escaped. */
__attribute__((format(printf, 2, 3))) static void roff(FILE *to, const char *format, ...)
{
	char text[2048];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	for (const char *at = text; *at; at++) {
		bool begins = at == text || at[-1] == '\n';
		if (begins && (*at == '.' || *at == '\''))
			fputs("\\&", to);
		if (*at == '\\')
			fputs("\\e", to);
		else if (*at == '-')
			fputs("\\-", to);
		else
			fputc(*at, to);
	}
}

static void item(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void item(FILE *to, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	fputs(".TP\n.B ", to);
	roff(to, "%s\n", text);
}

/* -- warren(1) ---------------------------------------------------------------------------------------------- */

static void man_options(FILE *to, const char *command)
{
	for (const struct option *option = option_rows(); option->name; option++) {
		char letter[8] = "";
		if (command ? !option->command || strcmp(option->command, command) != 0
			    : option->command != NULL)
			continue;
		if (option->letter)
			snprintf(letter, sizeof letter, "-%c, ", option->letter);
		item(to, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
		     option->value ? option->value : "");
		roff(to, "%s\n", option->help);
	}
}

static bool has_options(const char *command)
{
	for (const struct option *option = option_rows(); option->name; option++)
		if (option->command && strcmp(option->command, command) == 0)
			return true;
	return false;
}

static void man_command(FILE *to, const struct command *command)
{
	item(to, "%s %s", command->name, command->words);
	roff(to, "%s\n", command->help);
	if (has_options(command->name)) {
		fputs(".RS\n", to);
		man_options(to, command->name);
		fputs(".RE\n", to);
	}
}

static void man_examples(FILE *to)
{
	const struct command *command;
	fputs(".SH EXAMPLES\n.nf\n", to);
	for (unsigned i = 0; (command = command_at(i)); i++)
		if (*command->more)
			roff(to, "%s\n", command->more);
	fputs(".fi\n", to);
}

static void man_warren(FILE *to)
{
	const struct command *command;
	const struct reason_rule *rule;
	fputs(".TH WARREN 1\n.SH NAME\nwarren \\- see and operate a machine of wallet-isolated nodes\n.SH "
	      "SYNOPSIS\n"
	      ".B warren\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIWORD\\fR]...\n.SH DESCRIPTION\n"
	      "Without a command, on a terminal, a live console with history and completion. What a person "
	      "may do is which of the "
	      "sockets\n\\fIROOT\\fR/run/operate.sock and \\fIROOT\\fR/run/read.sock the kernel lets them "
	      "open.\n"
	      "\\fIACTOR\\fR is a process, \"store@1\" or \"broker\"; \\fITARGET\\fR an \\fIACTOR\\fR or a "
	      "node's number.\n"
	      ".SH COMMANDS\n",
	      to);
	for (unsigned i = 0; (command = command_at(i)); i++)
		if (*command->help)
			man_command(to, command);
	fputs(".SH OPTIONS\nOf every command:\n", to);
	man_options(to, NULL);
	fputs(".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nrefused, or it failed; doctor: something is "
	      "bad\n.TP\n.B 2\nthe command "
	      "line makes no sense\n.TP\n.B 3\nno machine runs there\n.TP\n.B 4\ndenied\n.TP\n.B 5\noutcome "
	      "unknown, or not now: "
	      "look, then ask again\n.SH REASONS\nThe names that \\fBwarren why\\fR prints, each with its "
	      "rule.\n",
	      to);
	for (unsigned i = 0; (rule = reason_rule_at(i)); i++) {
		item(to, "%s", rule->name);
		roff(to, "%s\n", rule->rule);
	}
	fputs(".SH ENVIRONMENT\n.TP\n.B WARREN_ROOT\nthe machine's folder, where \\-\\-root does not "
	      "say\n.TP\n.B NO_COLOR\nno "
	      "colour\n.SH FILES\n.TP\n.I ~/.warren_history\nthe lines typed into the live console, the last "
	      "1000; mode 0600\n",
	      to);
	man_examples(to);
	fputs(".SH SEE ALSO\n.BR warrend (8),\n.BR warren.conf (5)\n", to);
}

/* -- warren.conf(5) ----------------------------------------------------------------------------------------- */

enum { MACHINE, NODE };

static const struct setting {
	const char *name;
	int where;
	const char *kind;
	long long lowest, highest;
	const char *otherwise, *environment, *help;
} settings[] = {
#define SETTING(name, where, kind, lowest, highest, otherwise, environment, help) \
	{#name, where, #kind, lowest, highest, otherwise, environment, help},
#include "proto/settings.def"
#undef SETTING
};

static void man_settings(FILE *to, int where)
{
	for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++) {
		const struct setting *setting = &settings[i];
		if (setting->where != where)
			continue;
		item(to, "%s", setting->name);
		roff(to, "%s.", setting->help);
		if (strcmp(setting->kind, "INT") == 0)
			roff(to, " A number from %lld to %lld; %s unless given.", setting->lowest,
			     setting->highest, setting->otherwise);
		else
			roff(to, " At most %lld bytes; %s%s%s unless given.", setting->highest,
			     *setting->otherwise ? "\"" : "",
			     *setting->otherwise ? setting->otherwise : "empty",
			     *setting->otherwise ? "\"" : "");
		if (*setting->environment)
			roff(to, " The environment's %s overrides it.", setting->environment);
		fputc('\n', to);
	}
}

static void man_conf(FILE *to)
{
	fputs(".TH WARREN.CONF 5\n.SH NAME\nwarren.conf, nodeN.conf \\- configuration of a machine and its "
	      "nodes\n.SH SYNOPSIS\n"
	      ".I ROOT/etc/warren.conf\n.br\n.I ROOT/etc/nodeN.conf\n.SH DESCRIPTION\nLines \\fIname\\fR = "
	      "\\fIvalue\\fR; in "
	      "libconfig's syntax. A text stands in quotes. \\fIversion\\fR = 2; at the top says which "
	      "version of these words a file speaks (1 unless given); older files are read as they were "
	      "meant, and \\fBwarrend migrate\\fR writes them anew. A word that is none of these, or a value "
	      "out of "
	      "its bounds, is a "
	      "mistake, and the\nwhole configuration is refused with the line; \\fBwarrend check\\fR says so "
	      "without running "
	      "anything.\nA change takes effect with \\fBwarren reload\\fR and, where \\fBwarren why\\fR "
	      "says so, a restart.\n"
	      ".SH THE MACHINE\n",
	      to);
	man_settings(to, MACHINE);
	fputs(".SH A NODE\nIn nodeN.conf; in warren.conf they are the default of all nodes.\n", to);
	man_settings(to, NODE);
	fputs(".SH SEE ALSO\n.BR warren (1),\n.BR warrend (8)\n", to);
}

enum ending man(struct console *console, const char *page)
{
	if (strcmp(page, "warren") == 0)
		man_warren(console->out.to);
	else if (strcmp(page, "warren.conf") == 0)
		man_conf(console->out.to);
	else
		return complain(console, END_USAGE, "usage",
				"there is no page \"%s\" here: warren, warren.conf", page);
	return END_OK;
}
