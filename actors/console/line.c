/* A typed line as words. Part of the live console; pure. */
#include "actors/console/live.h"

int line_words(char *line, const char **words, unsigned most)
{
	unsigned count = 0;
	char *from = line, *to = line;
	for (;;) {
		while (*from == ' ' || *from == '\t')
			from++;
		if (!*from)
			break;
		if (count + 1 >= most)
			return -1;
		words[count++] = to;
		for (char quote = '\0'; *from && (quote || (*from != ' ' && *from != '\t')); from++) {
			if (!quote && (*from == '"' || *from == '\''))
				quote = *from;
			else if (quote && *from == quote)
				quote = '\0';
			else if (*from == '\\' && quote != '\'' && from[1])
				*to++ = *++from;
			else
				*to++ = *from;
			if (quote && !from[1])
				return -1;
		}
		if (*from)
			from++;
		*to++ = '\0';
	}
	words[count] = NULL;
	return (int)count;
}
