/* Whether a forged line came into a log as what it is: stamped with the process that wrote it, in that process's file, clean. Part
 * of the selftest. */
#include "actors/prober/forged.h"

#include "actors/prober/selftest.h"

#include <stdio.h>
#include <string.h>

/* The stamp of `who` comes before anything that the process wrote. */
static bool stamped(const char *line, const char *who)
{
	const char *forged = strstr(line, FORGED), *stamp = strstr(line, who),
		   *other = strstr(line, "wallet@2");
	return stamp && stamp < forged && (!other || stamp < other);
}

static bool clean(const char *line)
{
	for (; *line; line++)
		if (((unsigned char)*line < ' ' && *line != '\n') || *line == 0x7f)
			return false;
	return true;
}

bool forged_lines_held(const struct actor_row *row)
{
	char path[256], line[2048], who[WHO_TEXT];
	unsigned found = 0;
	bool held = true;
	log_path(row, path);
	who_text(row->kind, row->scope == PER_NODE, who);
	FILE *log = fopen(path, "re");
	while (log && fgets(line, sizeof line, log)) {
		if (!strstr(line, FORGED))
			continue;
		found++;
		held = held && stamped(line, who) && clean(line);
	}
	if (log)
		fclose(log);
	return held && found == FORGED_COUNT;
}
