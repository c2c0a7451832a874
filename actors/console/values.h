/* Messages as JSON and as lines for people, driven by their tables; and what a row says about itself. */
#ifndef WARREN_CONSOLE_VALUES_H
#define WARREN_CONSOLE_VALUES_H

#include "actors/console/render.h"
#include "proto/call.h"

#include <jansson.h>

/* Text that may hold any bytes, as a JSON string: what is not UTF-8 becomes "?". Never NULL. */
json_t *json_text(const char *at, size_t length);
json_t *json_word(const char *text);

/* A number of 64 bits; above 2^63 - 1, which JSON's readers do not hold, its digits as a string. */
json_t *json_number(uint64_t number);

/* {"who": "store@1", "actor": "store", "node": 1}; node is 0 for a process of the machine. */
json_t *json_who(unsigned kind, unsigned node);

/* An object with one member per field: numbers, true and false, texts; CIDs in base32, other ids and bytes as
 * "0x" and hex; an absent optional field and a ticket (it opens a door) are null; many(…) an array of
 * objects. */
json_t *message_json(const struct message *message, const void *from);

/* The same for people: "key=value" lines; a text of several lines, and a table for many(…), indented below
 * their key. */
void message_lines(const struct page *page, const struct message *message, const void *from);

/* Dumps it with a line feed, and frees it. On one line, or indented for people. */
void json_say(const struct page *page, json_t *value, bool one_line);

/* "number 0 … 65535", "CID", "text of at most 32 bytes": what a field takes. */
enum { FIELD_TEXT = 80 };
const char *field_takes(const struct field *field, char text[FIELD_TEXT]);

/* "readers, operators, gateway of the same node, chain of any node". */
enum { RIGHTS_TEXT = 400 };
const char *rights_text(rights may, char text[RIGHTS_TEXT]);

const char *effect_text(enum effect effect);

#endif
