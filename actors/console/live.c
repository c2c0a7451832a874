/* The live console: libedit reads lines, with a history in the user's home and completion from the tables. Each line runs in a
 * child. Part of the console; writes one file, ~/.warren_history. */
#include "actors/console/live.h"

#include "actors/console/complete.h"

#include <editline/readline.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HISTORY_LINES = 1000, LINE_WORDS = WORDS_MAX + 8 };

/* libedit's callbacks carry no context: the one `self` of this program while it lives. */
static struct {
	struct console *console;
	enum ending (*run)(struct console *console, const char *const *argv);
	struct candidates candidates;
	unsigned next; /* candidate to give out */
	enum ending last;
	bool ended;
} self;

/* -- completion ---------------------------------------------------------------------------------------------- */

static char *next_candidate(const char *text, int state)
{
	(void)text;
	self.next = state ? self.next : 0;
	return self.next < self.candidates.count ? strdup(self.candidates.all[self.next++]) : NULL;
}

static char **completions(const char *text, int start, int end)
{
	const char *words[LINE_WORDS];
	(void)end;
	char *before = strndup(rl_line_buffer, (size_t)start);
	int count = before ? line_words(before, words, LINE_WORDS) : -1;
	rl_attempted_completion_over = 1; /* never the names of files */
	if (count >= 0)
		complete(&self.candidates, words, (unsigned)count, text, self.console->root);
	bool open = count >= 0 && self.candidates.count == 1 && strchr(self.candidates.all[0], '=');
	rl_completion_append_character = open ? '\0' : ' ';
	free(before);
	return count >= 0 && self.candidates.count ? rl_completion_matches(text, next_candidate) : NULL;
}

/* -- running ------------------------------------------------------------------------------------------------- */

/* Ctrl-C is for the child; we wait for it. */
static void run_line(const char *const *words)
{
	fflush(NULL);
	struct sigaction before, ignore = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
	sigaction(SIGINT, &ignore, &before);
	pid_t child = fork();
	if (child == 0) {
		sigaction(SIGINT, &usual, NULL);
		struct console *console = self.console;
		console->arguments = (struct arguments){0};
		console->json = false;
		enum ending ending = self.run(console, words);
		fflush(NULL);
		_exit((int)ending);
	}
	int status = 0;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	sigaction(SIGINT, &before, NULL);
	self.last = child > 0 && WIFEXITED(status) ? (enum ending)WEXITSTATUS(status) : END_FAILED;
}

static const char prompt[] = "warren> ";
static void on_line(char *line);

static void begin_line(void)
{
	rl_callback_handler_install(prompt, on_line);
}

static void on_line(char *line)
{
	const char *words[LINE_WORDS];
	rl_callback_handler_remove();
	if (!line) { /* Ctrl-D */
		self.ended = true;
		say(&self.console->out, "\n");
		return;
	}
	if (*line)
		add_history(line);
	int count = line_words(line, words, LINE_WORDS);
	self.ended = count == 1 && (strcmp(words[0], "exit") == 0 || strcmp(words[0], "quit") == 0);
	if (count < 0)
		say(&self.console->err, "warren: a quote is left open, or there are too many words\n");
	else if (count > 0 && !self.ended)
		run_line(words);
	free(line);
	if (!self.ended)
		begin_line();
}

/* -- the whole ----------------------------------------------------------------------------------------------- */

/* "" when there is no home. */
static void history_path(char path[PATH_MAX])
{
	const char *home = getenv("HOME");
	if (!home || *home != '/' || (size_t)snprintf(path, PATH_MAX, "%s/.warren_history", home) >= PATH_MAX)
		path[0] = '\0';
}

static void save_history(const char *path)
{
	mode_t before = umask(0077);
	if (*path)
		write_history(path);
	umask(before);
}

enum ending live(struct console *console,
		 enum ending (*run)(struct console *console, const char *const *argv))
{
	char path[PATH_MAX];
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	self.console = console;
	self.run = run;
	history_path(path);
	rl_readline_name = "warren";
	rl_attempted_completion_function = completions;
	rl_basic_word_break_characters = " \t";
	using_history();
	stifle_history(HISTORY_LINES);
	if (*path)
		read_history(path);
	say(&console->out, "%s: help lists commands, tab completes, exit or Ctrl-D ends\n", console->root);
	begin_line();
	while (!self.ended)
		if (poll(&input, 1, -1) > 0)
			rl_callback_read_char();
	save_history(path);
	return self.last;
}
