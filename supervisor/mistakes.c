/* The list of mistakes in a configuration. Plain C; a list that is full goes on counting. */
#include "supervisor/mistakes.h"

#include "actors/base/memory/memory.h"

#include <stdarg.h>

void mistake(struct mistakes *mistakes, const char *file, int line, const char *format, ...)
{
	if (mistakes->count++ >= MISTAKES_MAX)
		return;
	char text[1024];
	int length = line ? snprintf(text, sizeof text, "%s:%d: ", file, line)
			  : snprintf(text, sizeof text, "%s: ", file);
	if (length < 0 || length >= (int)sizeof text)
		length = 0;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
	va_end(arguments);
	mistakes->lines[mistakes->count - 1] = x_copy(text);
}

void mistakes_print(const struct mistakes *mistakes, FILE *to)
{
	for (unsigned i = 0; i < mistakes->count && i < MISTAKES_MAX; i++)
		fprintf(to, "%s\n", mistakes->lines[i]);
	if (mistakes->count > MISTAKES_MAX)
		fprintf(to, "and %u more\n", mistakes->count - MISTAKES_MAX);
}

void mistakes_end(struct mistakes *mistakes)
{
	for (unsigned i = 0; i < mistakes->count && i < MISTAKES_MAX; i++)
		x_free(&mistakes->lines[i]);
	mistakes->count = 0;
}
