/* Versions of lasting files, as a table. */
#include "proto/formats.h"

#include <stdio.h>

static const struct format_row rows[] = {
#define FORMAT(name, version, file, whose, where, older) {#name, version, file, whose, where, older},
#include "proto/formats.def"
#undef FORMAT
};

const struct format_row *format_row_at(unsigned index)
{
	return index < sizeof rows / sizeof *rows ? &rows[index] : NULL;
}

const char *format_newer(const char *file, unsigned long long theirs, unsigned ours,
			 char text[FORMAT_SENTENCE])
{
	snprintf(text, FORMAT_SENTENCE,
		 "%.60s is of version %llu, and this warren knows %u: install the warren that wrote it, or "
		 "restore a backup",
		 file, theirs, ours);
	return text;
}
