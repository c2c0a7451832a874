/* Lines that a prober writes to its log as if they were somebody else's: a line's end in the middle, another's stamp, and what
 * would steer the terminal of who reads it. */
#ifndef WARREN_PROBER_FORGED_H
#define WARREN_PROBER_FORGED_H

#define FORGED "probe.forged"
enum { FORGED_COUNT = 3 };
#define FORGED_LINES                                                                                                   \
	"info " FORGED " first=\033[2J\033]0;x\007\r\n"                                                                  \
	"error " FORGED " who=wallet@2 pid=1\n"                                                                        \
	"2026-01-01T00:00:00.000Z wallet@2[1] error " FORGED " third\n"

#endif
