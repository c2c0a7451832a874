/* Every wall taken down in turn: what then gets through is held by that wall alone. Part of the selftest. */
#include "actors/prober/selftest.h"

#include <stdio.h>
#include <string.h>

/* From which kinds' places an attempt got through with a wall down. */
struct matrix {
	uint32_t through[WALLS][ROWS_MOST];
	uint32_t probed; /* kinds */
};

/* As root the uid cannot be left out; a machine that runs without root has none of its own for anybody. It has no control groups
 * either, whose rows are those of the runs without them. */
static bool of_this_wall(unsigned wall, const char *walls)
{
	return wall != WALL_UID || (!strstr(walls, "memory") && !strstr(walls, "pids"));
}

static void take(struct matrix *matrix, const struct selftest *self, unsigned wall, bool cells)
{
	for (unsigned kind = 1; kind < KINDS; kind++) {
		if (!kind_is_probed(kind) || !self->kinds[kind].done)
			continue;
		matrix->probed |= 1U << kind;
		for (unsigned row = 0; attack_rows[row].name; row++) {
			const char *what = self->kinds[kind].outcome[row];
			if (cells && *what)
				printf("cell\t%s\t%s\t%u\t%s\t%s\n",
				       wall < WALLS ? wall_row(wall)->name : "-", actor_row(kind)->name,
				       attack_rows[row].row, attack_rows[row].symbol, what);
			if (wall < WALLS && strcmp(what, "through") == 0 &&
			    of_this_wall(wall, attack_rows[row].walls))
				matrix->through[wall][row] |= 1U << kind;
		}
	}
}

static void kinds_text(uint32_t kinds, uint32_t probed, char *text, size_t size)
{
	size_t length = 0;
	if (kinds == probed) {
		snprintf(text, size, "every");
		return;
	}
	text[0] = '\0';
	for (unsigned kind = 1; kind < KINDS && length < size; kind++)
		if (kinds & 1U << kind)
			length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "",
						   actor_row(kind)->name);
}

/* As in SECURITY.md. */
static void print_single(const struct matrix *matrix)
{
	char kinds[128];
	unsigned count = 0;
	puts("| row | attempt | the one wall | from the place of |\n|---|---|---|---|");
	for (unsigned row = 0; attack_rows[row].name; row++) {
		uint32_t tried = matrix->probed & ~attack_rows[row].except;
		for (unsigned wall = 0; wall < WALLS; wall++) {
			if (!matrix->through[wall][row])
				continue;
			count++;
			kinds_text(matrix->through[wall][row], tried, kinds, sizeof kinds);
			printf("| %u | %s | %s | %s |\n", attack_rows[row].row, attack_rows[row].name,
			       wall_row(wall)->name, kinds);
		}
	}
	printf("%u rows of one wall\n", count);
}

bool matrix_run(struct selftest *self, bool whole, bool cells)
{
	static struct matrix matrix;
	features_print(self->kinds[STEWARD].missing);
	unsigned phases = whole ? (1U << PHASES) - 1 : 1U << PHASE_OTHERS;
	take(&matrix, self, WALLS, cells); /* what was probed with all walls up */
	if (!whole)
		matrix.probed &= ~(1U << BROKER | 1U << SCRIBE);
	for (unsigned wall = 0; wall < WALLS; wall++) {
		memset(self->kinds, 0, sizeof self->kinds);
		self->without = 1U << wall;
		self->user = wall == WALL_UID;
		printf("down  %s: %s\n", wall_row(wall)->name, wall_row(wall)->stops);
		fflush(stdout);
		if (!scratch_build(self) || !probe(self, phases, false)) {
			printf("bad   nothing was learned with that wall down\n");
			return false;
		}
		take(&matrix, self, wall, cells);
	}
	print_single(&matrix);
	return true;
}
