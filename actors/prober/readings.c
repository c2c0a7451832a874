/* What the probers wrote into their logs. Part of the selftest. */
#include "actors/prober/selftest.h"

#include "proto/birth.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct attack_row attack_rows[] = {
#define OF(KIND)                                 (UINT32_C(1) << (KIND))
#define ATTACK(row, symbol, except, walls, name) {row, #symbol, walls, name, except, false},
#define BUS(row, symbol, walls, name)            {row, #symbol, walls, name, OF(BROKER) | OF(SCRIBE), true},
#define OPEN(row, what, why)
#include "actors/prober/attacks.def"
#undef ATTACK
#undef BUS
#undef OPEN
	{0, NULL, NULL, NULL, 0, false},
};

const struct open_row open_rows[] = {
#define ATTACK(row, symbol, except, walls, name)
#define BUS(row, symbol, walls, name)
#define OPEN(row, what, why) {row, what, why},
#include "actors/prober/attacks.def"
#undef ATTACK
#undef BUS
#undef OPEN
	{0, NULL, NULL},
};

_Static_assert(sizeof attack_rows / sizeof *attack_rows <= ROWS_MOST, "readings have room for every row");

unsigned attack_row_count(void)
{
	return sizeof attack_rows / sizeof *attack_rows - 1;
}

unsigned row_index(const char *symbol)
{
	for (unsigned i = 0; attack_rows[i].name; i++)
		if (strcmp(attack_rows[i].symbol, symbol) == 0)
			return i;
	return ROWS_MOST;
}

bool in_phase(enum phase phase, enum kind kind)
{
	if (phase == PHASES)
		return false;
	return (phase == PHASE_BROKER) == (kind == BROKER || kind == SCRIBE);
}

void log_path(const struct actor_row *row, char path[256])
{
	if (row->kind == SCRIBE)
		snprintf(path, 256, SELFTEST_ROOT "/logs/" SELFTEST_LOG);
	else if (row->kind == BROKER)
		snprintf(path, 256, SELFTEST_ROOT "/logs/" SELFTEST_BROKER_LOG);
	else if (row->scope == PER_NODE)
		snprintf(path, 256, SELFTEST_ROOT "/logs/node1/%s.log", row->name);
	else
		snprintf(path, 256, SELFTEST_ROOT "/logs/machine/%s.log", row->name);
}

/* -- one line -------------------------------------------------------------------------------------------------- */

static void read_line(struct reading *reading, const char *line)
{
	char symbol[64], what[OUTCOME];
	unsigned row, index;
	int welcomed;
	const char *at = strstr(line, "probe.attempt ");
	if (at && sscanf(at, "probe.attempt row=%u symbol=%63s outcome=%15s", &row, symbol, what) == 3 &&
	    (index = row_index(symbol)) < ROWS_MOST)
		memcpy(reading->outcome[index], what, sizeof what);
	at = strstr(line, "probe.control ");
	if (at && sscanf(at, "probe.control forbidden=%u allowed=%u welcomed=%d", &reading->forbidden,
			 &reading->allowed, &welcomed) == 3)
		reading->welcomed = welcomed;
	unsigned last = row_index("eat_memory");
	if (strstr(line, "probe.reborn ") && reading->told && !*reading->outcome[last])
		snprintf(reading->outcome[last], OUTCOME, "ended");
	at = strstr(line, "probe.done ");
	reading->done = reading->told && *reading->outcome[last];
	if (!at)
		return;
	const char *victims = strstr(at, "victims="), *missing = strstr(at, "missing=");
	reading->told = victims && missing && sscanf(victims, "victims=%u", &reading->victims) == 1 &&
			sscanf(missing, "missing=%x", &reading->missing) == 1;
}

void readings_clear(struct selftest *self, enum phase phase)
{
	char path[256];
	for (unsigned kind = 1; kind < KINDS; kind++) {
		if (!kind_is_probed(kind) || !in_phase(phase, kind))
			continue;
		self->kinds[kind] = (struct reading){0};
		log_path(actor_row(kind), path);
		unlink(path);
	}
}

bool readings_take(struct selftest *self, enum phase phase)
{
	bool done = true;
	char path[256], line[2048];
	for (unsigned kind = 1; kind < KINDS; kind++) {
		if (!kind_is_probed(kind) || !in_phase(phase, kind))
			continue;
		struct reading *reading = &self->kinds[kind];
		log_path(actor_row(kind), path);
		FILE *log = reading->done ? NULL : fopen(path, "re");
		while (log && fgets(line, sizeof line, log))
			read_line(reading, line);
		if (log)
			fclose(log);
		unsigned forged = row_index("forge_lines");
		if (reading->done && *reading->outcome[forged] && !forged_lines_held(actor_row(kind)))
			snprintf(reading->outcome[forged], OUTCOME, "through");
		if (actor_row(kind)->opens &
		    FD_DIALS) /* it is in the host's network, and says nothing of that */
			reading->missing |= 1U << WALL_NETWORK;
		done = done && reading->done;
	}
	return done;
}

/* -- the verdict ----------------------------------------------------------------------------------------------- */

/* Whether a wall that stops this alone is there: a limit or a right always is. */
static bool has_a_wall(uint32_t missing, const char *walls)
{
	char word[16];
	for (int used = 0; sscanf(walls, " %15s%n", word, &used) == 1; walls += used) {
		unsigned wall = 0;
		while (wall < WALLS && strcmp(wall_row(wall)->name, word) != 0)
			wall++;
		if (wall == WALLS || !(missing & 1U << wall))
			return true;
	}
	return false;
}

enum verdict verdict_of(const struct reading *reading, unsigned row)
{
	const char *what = reading->outcome[row];
	if (!*what)
		return NOT_TRIED;
	if (strcmp(what, "through") != 0 && strcmp(what, "not-tried") != 0)
		return STOPPED;
	return has_a_wall(reading->missing, attack_rows[row].walls) ? GOT_THROUGH : NO_WALL;
}
