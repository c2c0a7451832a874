/* Other processes' log pipes, where the prober took scribe's place and nobody else reads them. */
#ifndef WARREN_PROBER_PUMP_H
#define WARREN_PROBER_PUMP_H

#include "proto/actors.h"

enum { PUMP_PIPES = 64 };

struct pump {
	int from;  /* FD_LOGS */
	int broker; /* where the lines of a taken broker go: a file */
	struct {
		int fd;
		uint8_t kind;
	} pipes[PUMP_PIPES];
	unsigned count;
};

/* Takes what is handed over, and copies what was written. Never waits. */
void pump_turn(struct pump *pump);

#endif
