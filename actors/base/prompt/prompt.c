/* One secret line. Runs as whoever asks; touches the two descriptors it is given. A process that is killed in the middle leaves a
 * terminal without echo, as any program does (`stty sane`). */
#include "actors/base/prompt/prompt.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { INTERRUPT = 3, END = 4, BACK = 8, KILL_LINE = 21, DELETE = 127 };

const char *prompt_sentence(enum prompt_end end)
{
	switch (end) {
	case PROMPT_OK:
		return "done";
	case PROMPT_NOTHING:
		return "nothing was typed";
	case PROMPT_LONG:
		return "the line is longer than 1023 bytes";
	case PROMPT_STOPPED:
		return "given up";
	}
	bug("no such end");
}

bool prompt_is_terminal(int in)
{
	return isatty(in);
}

static void put(int out, const char *text)
{
	ssize_t wrote = write(out, text, strlen(text));
	(void)wrote; /* a question that nobody sees can still be answered */
}

/* One byte at a time, so that nothing of the next line is taken. False: end of input. */
static bool get(int in, char *byte)
{
	ssize_t got;
	do
		got = read(in, byte, 1);
	while (got < 0 && errno == EINTR);
	return got == 1;
}

static enum prompt_end read_line(int in, bool terminal, char *line, size_t room)
{
	size_t used = 0;
	bool too_long = false;
	for (char byte; get(in, &byte) && byte != '\n' && byte != '\r';) {
		if (terminal && byte == INTERRUPT)
			return PROMPT_STOPPED;
		if (terminal && byte == END)
			break;
		if (terminal && (byte == BACK || byte == DELETE))
			used -= used > 0;
		else if (terminal && byte == KILL_LINE)
			used = 0;
		else if (used + 1 < room)
			line[used++] = byte;
		else
			too_long = true;
	}
	line[used] = '\0';
	if (too_long)
		return PROMPT_LONG;
	return used && strlen(line) == used ? PROMPT_OK : PROMPT_NOTHING;
}

enum prompt_end prompt_secret(int in, int out, const char *question, char *line, size_t room)
{
	struct termios before, quiet;
	bool terminal = tcgetattr(in, &before) == 0;
	if (terminal) {
		quiet = before;
		quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG);
		quiet.c_cc[VMIN] = 1;
		quiet.c_cc[VTIME] = 0;
		tcsetattr(in, TCSAFLUSH, &quiet);
		put(out, question);
	}
	enum prompt_end end = read_line(in, terminal, line, room);
	if (terminal) {
		tcsetattr(in, TCSAFLUSH, &before);
		put(out, "\n");
	}
	if (end != PROMPT_OK)
		wipe(line, room);
	return end;
}
