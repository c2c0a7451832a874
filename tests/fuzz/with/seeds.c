/* Writes seeds for the target `messages` into a folder: of every message that there is, one with everything and one with nothing in it.
 * tests/fuzz/run --seeds runs it when rows were added. */
#include "tests/fuzz/with/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 20, SEED_MOST = 4096, MEMORY = 8 << 20 };

static bool write_seed(const char *folder, const struct message *message, enum sample_size size,
		       const char *kind)
{
	static uint8_t seed[CHOICE + ROOM];
	char path[512];
	struct arena arena;
	arena_begin(&arena, MEMORY);
	struct sample sample = {.state = 1, .arena = &arena, .size = size};
	size_t length = message_pack(message, sample_message(&sample, message), seed + CHOICE, ROOM);
	arena_end(&arena);
	if (length > SEED_MOST) /* the other one will do */
		return true;
	seed[0] = (uint8_t)place_of(message);
	seed[1] = (uint8_t)(place_of(message) >> 8);
	snprintf(path, sizeof path, "%s/%s-%s", folder, message->name, kind);
	FILE *file = length ? fopen(path, "we") : NULL;
	return file && fwrite(seed, 1, CHOICE + length, file) == CHOICE + length && fclose(file) == 0;
}

int main(int argc, char **argv)
{
	const struct message *message;
	for (unsigned i = 0; argc == 2 && (message = every_message(i)); i++)
		if (!write_seed(argv[1], message, SAMPLE_ANY, "any") ||
		    !write_seed(argv[1], message, SAMPLE_LEAST, "least")) {
			fprintf(stderr, "%s cannot be written\n", message->name);
			return 1;
		}
	return argc == 2 ? 0 : 2;
}
