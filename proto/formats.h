/* Versions of lasting files: those of this build, and the sentence that refuses a newer one. */
#ifndef WARREN_PROTO_FORMATS_H
#define WARREN_PROTO_FORMATS_H

enum {
#define FORMAT(name, version, ...) FORMAT_##name = version,
#include "proto/formats.def"
#undef FORMAT
};

struct format_row {
	const char *name;
	unsigned version;
	const char *file, *whose, *where, *older;
};
const struct format_row *format_row_at(unsigned index); /* NULL past the last */

/* "index.db is of version 9, and this warren knows 2: install the warren that wrote it, or restore a backup". */
enum { FORMAT_SENTENCE = 160 };
const char *format_newer(const char *file, unsigned long long theirs, unsigned ours, char text[FORMAT_SENTENCE]);

#endif
