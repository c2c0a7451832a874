/* Text from anywhere, on its way to a person: its characters, and which of them a terminal would obey. */
#ifndef WARREN_PROTO_UTF8_H
#define WARREN_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes (1 to 4) of the character that begins here, and in *code which one it is; 0 for what is not UTF-8 (RFC 3629: shortest
 * form, no surrogates, at most U+10FFFF). `length` is at least 1. */
unsigned utf8_read(const void *at, size_t length, uint32_t *code);

/* Would steer a terminal, end a line, turn the direction of writing, or cannot be seen (Unicode 15: Cc, and of Cf what hides). */
bool utf8_steers(uint32_t code);

#endif
