/* What the verbs of `warrend` say, and ask. Runs as the person who typed it. */
#include "supervisor/answer.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* -- JSON ---------------------------------------------------------------------------------------- */

static void quoted(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte == '"' || byte == '\\')
			fprintf(to, "\\%c", byte);
		else if (byte == '\n')
			fputs("\\n", to);
		else if (byte < ' ' || byte == 0x7f)
			fprintf(to, "\\u%04x", byte);
		else
			fputc(byte, to);
	}
	fputc('"', to);
}

static void next(struct json *json, const char *name)
{
	if (json->comma)
		fputs(", ", json->to);
	json->comma = true;
	if (!name)
		return;
	quoted(json->to, name);
	fputs(": ", json->to);
}

void json_open(struct json *json, const char *name, char bracket)
{
	next(json, name);
	fputc(bracket, json->to);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->to);
	json->comma = true;
}

void json_text(struct json *json, const char *name, const char *text)
{
	next(json, name);
	if (text)
		quoted(json->to, text);
	else
		fputs("null", json->to);
}

void json_number(struct json *json, const char *name, uint64_t number)
{
	next(json, name);
	fprintf(json->to, "%" PRIu64, number);
}

void json_bool(struct json *json, const char *name, bool value)
{
	next(json, name);
	fputs(value ? "true" : "false", json->to);
}

void json_end(struct json *json)
{
	fputc('\n', json->to);
	fflush(json->to);
}

int answer_refused(bool json, const char *error, const char *rule, const struct why *why)
{
	if (!json) {
		fprintf(stderr, "%s: %s\n", error, why->text);
		return 1;
	}
	struct json out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_bool(&out, "ok", false);
	json_text(&out, "error", error);
	json_text(&out, "rule", rule);
	json_text(&out, "why", why->text);
	json_close(&out, '}');
	json_end(&out);
	return 1;
}

/* -- asking -------------------------------------------------------------------------------------- */

bool answer_asks(bool json)
{
	return !json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Byte by byte: what comes after the line is somebody else's, as the wallet's --init has this terminal too. */
bool answer_ask(const char *question, const char *otherwise, char *line, size_t room)
{
	size_t length = 0;
	fprintf(stderr, *otherwise ? "%s [%s]: " : "%s: ", question, otherwise);
	fflush(stderr);
	for (char byte;;) {
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return false;
		if (byte == '\n')
			break;
		if (length + 1 < room)
			line[length++] = byte;
	}
	line[length] = '\0';
	if (!length)
		snprintf(line, room, "%s", otherwise);
	return true;
}
