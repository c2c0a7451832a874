/* A refusal in words. Pure: no I/O, no state. */
#include "supervisor/why.h"

#include <stdarg.h>
#include <stdio.h>

bool refuse(struct why *why, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why->text, sizeof why->text, format, arguments);
	va_end(arguments);
	return false;
}

const char *quotable(struct why *why)
{
	for (char *at = why->text; *at; at++)
		if (*at == '"')
			*at = '\'';
		else if (*at == '\n')
			*at = ' ';
	return why->text;
}
