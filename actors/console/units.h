/* Numbers to the words that people read, and back: durations, sizes, counts, the way a process ended. Pure.
 */
#ifndef WARREN_CONSOLE_UNITS_H
#define WARREN_CONSOLE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum { UNIT_TEXT = 64 };

/* The two leading units: "23 ms", "8 s", "5 m 3 s", "4 h 12 m", "3 d 4 h". */
const char *duration_text(uint64_t ms, char text[UNIT_TEXT]);

/* "512 B", "1.9 GiB", "412 MiB": one digit after the point below 10, none where it would be 0. */
const char *size_text(uint64_t bytes, char text[UNIT_TEXT]);

/* "412 / 1024 MiB": both in the unit that suits the second. */
const char *share_text(uint64_t used, uint64_t quota, char text[UNIT_TEXT]);

/* "12 007". */
const char *count_text(uint64_t count, char text[UNIT_TEXT]);

/* "1 node", "3 nodes", "17 processes"; the words are given. */
const char *plural_text(uint64_t count, const char *one, const char *many, char text[UNIT_TEXT]);

/* `last_end` of proto/control.h: "killed by signal 9 (KILL)", "ended with code 1", "ended". */
const char *end_text(int64_t last_end, char text[UNIT_TEXT]);

/* "0x5aAe…BeAed"; a text that is no address comes back as it is. */
const char *short_address(const char *address, char text[UNIT_TEXT]);

/* "250ms", "90s", "10m", "2h", "1d"; a bare number is seconds. At most ten years. */
bool duration_parse(const char *text, uint64_t *ms);

/* Decimal digits and nothing else, lowest … highest. */
bool number_parse(const char *text, uint64_t lowest, uint64_t highest, uint64_t *number);

#endif
