/* Lines: as scribe takes them out of the pipes of processes that may be broken or taken over, as they lie in files, as the console reads
 * them back. The first byte chooses. What scribe writes is one line, which reads as what it stamped and cannot steer a terminal, however
 * its bytes were split over reads. */
#include "tests/fuzz/target.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/console/logfile.h"
#include "actors/console/render.h"
#include "actors/scribe/line.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct lines {
	char text[64][LOG_TEXT_MAX];
	size_t length[64];
	unsigned count;
};

/* No byte of a control character, no mark that turns the direction of writing; UTF-8 where `clean` was asked. */
static void check_harmless(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		must(c >= ' ' && c != 0x7f);
		must(!(c == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] < 0xa0));
		must(!(c == 0xe2 && i + 2 < length && (unsigned char)text[i + 1] == 0x80 &&
		       (unsigned char)text[i + 2] >= 0xaa && (unsigned char)text[i + 2] <= 0xae));
	}
}

static void on_line(void *context, const char *bytes, size_t length, bool cut)
{
	static const struct stamp stamp = {"2026-11-21T10:47:03.123Z", "store@1", 4130};
	struct lines *lines = context;
	struct log_text text;
	char out[LOG_TEXT_MAX];
	must(length <= LOG_LINE_MAX && !memchr(bytes, '\n', length));
	size_t wrote = line_text(&stamp, bytes, length, cut, out);
	must(wrote <= sizeof out);
	if (!wrote)
		return;
	must(out[wrote - 1] == '\n' && !memchr(out, '\n', wrote - 1));
	check_harmless(out, wrote - 1);
	must(log_line_parse(out, wrote, &text));
	must(text.node == 1 && text.pid == 4130 && text.level < LOG_LEVELS && text.actor.length == 7);
	struct log_pair pair;
	char value[64];
	for (unsigned words = 0; log_pair_next(&text.rest, &pair); words++) {
		must(words < LOG_TEXT_MAX && pair.value.at >= out &&
		     pair.value.at + pair.value.length < out + wrote);
		must(log_pair_value(&pair, value, sizeof value) < sizeof value);
	}
	if (lines->count < 64) {
		memcpy(lines->text[lines->count], out, wrote);
		lines->length[lines->count++] = wrote;
	}
}

static void scribes(const char *bytes, size_t length, size_t piece)
{
	static struct lines whole, parts;
	static struct line line;
	line = (struct line){0};
	whole.count = parts.count = 0;
	line_feed(&line, bytes, length, on_line, &whole);
	line_flush(&line, on_line, &whole);
	for (size_t at = 0; at < length; at += piece)
		line_feed(&line, bytes + at, length - at < piece ? length - at : piece, on_line, &parts);
	line_flush(&line, on_line, &parts);
	must(line.length == 0 && !line.cut && whole.count == parts.count);
	for (unsigned i = 0; i < whole.count; i++)
		must(whole.length[i] == parts.length[i] &&
		     memcmp(whole.text[i], parts.text[i], whole.length[i]) == 0);
}

static void parsed(const char *bytes, size_t length)
{
	struct log_line line;
	char time[LOG_TIME_TEXT];
	log_line_read(bytes, length, 7, &line);
	if (!line.known)
		return;
	must(line.text.level < LOG_LEVELS && line.text.node <= NODES_MAX &&
	     line.text.actor.length < WHO_TEXT);
	must(memcmp(log_time_text(line.text.time_ms, time), bytes, LOG_TIME_TEXT - 1) == 0);
	struct log_pair pair;
	while (log_pair_next(&line.text.rest, &pair))
		must(pair.key.at >= bytes && pair.value.at + pair.value.length <= bytes + length);
}

/* A file, and an older one, of anybody's bytes: each line is given once, forwards and from the end. */
static void files(const char *bytes, size_t length)
{
	static char folder[FUZZ_PLACE], path[FUZZ_PLACE + 8];
	static int newer = -1, older = -1;
	const struct log_filter all = {0, NULL, INT64_MIN};
	struct logfile log;
	struct log_line line;
	if (newer < 0) {
		char name[sizeof path + 8];
		fuzz_place(folder);
		snprintf(path, sizeof path, "%s/log", folder);
		snprintf(name, sizeof name, "%s.1", path);
		must((newer = open(path, O_RDWR | O_CREAT, 0600)) >= 0 &&
		     (older = open(name, O_RDWR | O_CREAT, 0600)) >= 0);
	}
	size_t split = length / 2, feeds = 0;
	must(ftruncate(older, 0) == 0 && pwrite(older, bytes, split, 0) == (ssize_t)split);
	must(ftruncate(newer, 0) == 0 &&
	     pwrite(newer, bytes + split, length - split, 0) == (ssize_t)(length - split));
	for (size_t i = 0; i < length; i++)
		feeds += bytes[i] == '\n';
	logfile_begin(&log, path);
	int64_t there = logfile_tail(&log, &all, 1000000), given = 0;
	must(there >= 0 && (size_t)there <= feeds + 2);
	for (; logfile_next(&log, &line); given++)
		must(line.length <= LOGFILE_BUFFER && (size_t)given <= length);
	must(given >= there);
	must(logfile_tail(&log, &(struct log_filter){3, "x", 0}, 3) <= 3);
	logfile_end(&log);
}

static void rendered(const char *bytes, size_t length)
{
	char *out = x_new(3 * length + 1), few[8], *again = x_new(3 * length + 1);
	size_t kept = clean(bytes, length, false, out, 3 * length + 1);
	must(strlen(out) == kept);
	check_harmless(out, kept);
	must(clean(out, kept, false, again, 3 * length + 1) == kept && memcmp(out, again, kept) == 0);
	kept = clean(bytes, length, true, few, sizeof few);
	must(kept < sizeof few && few[kept] == '\0');
	must(width(out) <= 3 * length);
	x_free(&again);
	x_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 2)
		return 0;
	switch (bytes[0] % 8) {
	case 0:
	case 1:
	case 2:
		scribes((const char *)bytes + 2, length - 2, bytes[1] + 1U);
		break;
	case 3:
	case 4:
		parsed((const char *)bytes + 2, length - 2);
		break;
	case 5:
		files((const char *)bytes + 2, length - 2);
		break;
	case 6:
	case 7:
		rendered((const char *)bytes + 2, length - 2);
		break;
	}
	return 0;
}
