/* `warren scan`: has stores read and hash all that they hold, shows how far they are, and names what they found. The stores scan by
 * themselves: whoever looks on may leave, and come back with the same command. */
#include "actors/console/target.h"
#include "actors/console/units.h"
#include "proto/store.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 200, GONE_LOOKS = 50, BAR = 30, NAMES_MOST = 100000 };

struct scanned {
	uint16_t node;
	bool begun, over, lost; /* lost: its store was born anew meanwhile, and scans no more */
	unsigned silent;        /* looks in a row */
	enum err err;
	char why[2 * SENTENCE_TEXT];
	struct store_scan_reply told;
	json_t *names;
};

struct scanning {
	struct console *console;
	struct client *client;
	struct target target;
	struct scanned *nodes;
	unsigned count;
	int interrupt;
	bool bar;
};

/* -- asking -------------------------------------------------------------------------------------------- */

static const void *ask_store(struct scanning *scanning, struct scanned *scanned, const struct call_row *row,
			     const void *request)
{
	struct question question = {.row = row, .kind = STORE, .node = scanned->node, .request = request};
	char text[2 * SENTENCE_TEXT];
	scanned->err = client_ask_one(scanning->client, &question);
	if (scanned->err == ERR_OK)
		return question.reply;
	snprintf(scanned->why, sizeof scanned->why, "%s", err_text(scanned->err, question.why, text));
	return NULL;
}

static void look_at(struct scanning *scanning, struct scanned *scanned)
{
	const struct store_scan_reply *reply = ask_store(scanning, scanned, &row_store_scan, NULL);
	if (!reply) {
		scanned->over = ++scanned->silent >= GONE_LOOKS || !scanned->told.since_ms;
		return;
	}
	scanned->silent = 0;
	scanned->lost = scanned->told.since_ms && reply->since_ms != scanned->told.since_ms;
	scanned->told = *reply;
	scanned->over = scanned->lost || !reply->running;
}

static void begin(struct scanning *scanning, struct scanned *scanned)
{
	if (ask_store(scanning, scanned, &row_store_scan_start, NULL))
		look_at(scanning, scanned);
	scanned->over |= scanned->err != ERR_OK;
}

static void name_all(struct scanning *scanning, struct scanned *scanned)
{
	const struct store_corrupt_reply *reply;
	struct store_corrupt request = {0};
	char cid[CID_TEXT];
	scanned->names = json_array();
	do {
		reply = ask_store(scanning, scanned, &row_store_corrupt, &request);
		for (uint32_t i = 0; reply && i < reply->blobs_count; i++)
			json_array_append_new(scanned->names,
					      json_string(cid_text(&reply->blobs[i].cid, cid)));
		request.has_after = reply && reply->has_next;
		if (request.has_after)
			request.after = reply->next;
		client_forget(scanning->client);
	} while (request.has_after && json_array_size(scanned->names) < scanned->told.corrupt &&
		 json_array_size(scanned->names) < NAMES_MOST);
}

/* -- showing ------------------------------------------------------------------------------------------- */

/* One bar for all: what is looked at of what there is. Blobs come and go meanwhile. */
static void draw(const struct scanning *scanning)
{
	uint64_t done = 0, of = 0, found = 0;
	char bar[BAR + 1], text_done[UNIT_TEXT], text_of[UNIT_TEXT], text_found[UNIT_TEXT];
	for (unsigned i = 0; i < scanning->count; i++) {
		const struct store_scan_reply *told = &scanning->nodes[i].told;
		done += told->done;
		of += told->done > told->of || !told->running ? told->done : told->of;
		found += told->found;
	}
	unsigned full = of ? (unsigned)(done * BAR / of) : BAR;
	memset(bar, ' ', BAR);
	memset(bar, '#', full);
	bar[BAR] = '\0';
	fprintf(scanning->console->err.to, "\r\033[K[%s] %s of %s blobs, %s corrupt", bar,
		count_text(done, text_done), count_text(of, text_of), count_text(found, text_found));
	fflush(scanning->console->err.to);
}

static bool bad(const struct scanned *scanned)
{
	return scanned->told.corrupt || scanned->told.unreadable || scanned->told.broke;
}

static void say_end(const struct scanning *scanning, const struct scanned *scanned)
{
	const struct page *out = &scanning->console->out;
	const struct store_scan_reply *told = &scanned->told;
	char blobs[UNIT_TEXT], ago[UNIT_TEXT];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t since = (int64_t)now.tv_sec * 1000 - told->finished_ms;
	plural_text(told->done, "blob", "blobs", blobs);
	if (!told->finished_ms) {
		say(out, "node %u: no scan has ended since its store was born\n", scanned->node);
		return;
	}
	say_in(out, told->found || told->unreadable || told->broke ? BAD_NEWS : GOOD,
	       "node %u: %s looked at, %" PRIu64 " corrupt, ended %s ago\n", scanned->node, blobs,
	       told->found, duration_text(since > 0 ? (uint64_t)since : 0, ago));
	if (told->unreadable)
		say_in(out, BAD_NEWS,
		       "node %u: the disk did not give %" PRIu64 " of them: look at the disk (smartctl)\n",
		       scanned->node, told->unreadable);
	if (told->broke)
		say_in(out, BAD_NEWS,
		       "node %u: it ended early, as the index could not be read: warren logs store@%u\n",
		       scanned->node, scanned->node);
}

static void say_node(const struct scanning *scanning, const struct scanned *scanned)
{
	const struct page *out = &scanning->console->out;
	const struct store_scan_reply *told = &scanned->told;
	char done[UNIT_TEXT], of[UNIT_TEXT];
	size_t i;
	json_t *name;
	if (scanned->err != ERR_OK)
		say_in(out, BAD_NEWS, "node %u: %s\n", scanned->node, scanned->why);
	else if (scanned->lost)
		say_in(out, BAD_NEWS,
		       "node %u: its store was born anew, and the scan ended with it: scan again\n",
		       scanned->node);
	else if (told->running)
		say(out, "node %u: %s of %s blobs looked at, %" PRIu64 " corrupt; it goes on by itself\n",
		    scanned->node, count_text(told->done, done), count_text(told->of, of), told->found);
	else
		say_end(scanning, scanned);
	if (told->corrupt)
		say_in(out, BAD_NEWS,
		       "node %u: %" PRIu64 " corrupt in all: not served; store them again or delete them%s\n",
		       scanned->node, told->corrupt,
		       scanned->names ? ":" : " (warren scan --corrupt names them)");
	json_array_foreach(scanned->names, i, name) say(out, "  %s\n", json_string_value(name));
}

static json_t *time_json(int64_t ms)
{
	return ms ? json_integer(ms) : json_null();
}

static json_t *node_json(const struct scanned *scanned)
{
	const struct store_scan_reply *told = &scanned->told;
	bool known = scanned->err == ERR_OK;
	json_t *node = json_pack("{s:i, s:b, s:b, s:b}", "node", (int)scanned->node, "running", told->running,
				 "lost", scanned->lost, "broke", told->broke);
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {{"done", told->done},
		       {"of", told->of},
		       {"found", told->found},
		       {"unreadable", told->unreadable},
		       {"corrupt", told->corrupt}};
	for (unsigned i = 0; i < sizeof figures / sizeof *figures; i++)
		json_object_set_new(node, figures[i].name,
				    known ? json_number(figures[i].value) : json_null());
	json_object_set_new(node, "since_ms", time_json(told->since_ms));
	json_object_set_new(node, "finished_ms", time_json(told->finished_ms));
	json_object_set_new(node, "error", known ? json_null() : json_string(err_name(scanned->err)));
	if (scanned->names)
		json_object_set(node, "names", scanned->names);
	return node;
}

/* What is worst: nothing is known of a node, or something of one is bad. */
static enum ending say_all(const struct scanning *scanning)
{
	enum ending ending = END_OK;
	json_t *nodes = json_array();
	for (unsigned i = 0; i < scanning->count; i++) {
		const struct scanned *scanned = &scanning->nodes[i];
		if (scanning->console->json)
			json_array_append_new(nodes, node_json(scanned));
		else
			say_node(scanning, scanned);
		if (scanned->err == ERR_OK && bad(scanned))
			ending = END_FAILED;
		else if (ending == END_OK && scanned->err != ERR_OK)
			ending = ending_of(scanned->err);
		else if (ending == END_OK && scanned->lost)
			ending = END_UNKNOWN;
	}
	if (scanning->console->json)
		json_say(&scanning->console->out,
			 json_pack("{s:b, s:O}", "ok", ending == END_OK, "nodes", nodes), false);
	json_decref(nodes);
	return ending;
}

/* -- all of it ----------------------------------------------------------------------------------------- */

static bool all_over(const struct scanning *scanning)
{
	for (unsigned i = 0; i < scanning->count; i++)
		if (!scanning->nodes[i].over)
			return false;
	return true;
}

static enum ending watch(struct scanning *scanning)
{
	struct pollfd interrupt = {.fd = scanning->interrupt, .events = POLLIN};
	bool left = false;
	for (;;) {
		if (scanning->bar)
			draw(scanning);
		if (left || all_over(scanning))
			break;
		left = poll(&interrupt, 1, LOOK_MS) > 0;
		for (unsigned i = 0; !left && i < scanning->count; i++)
			if (!scanning->nodes[i].over)
				look_at(scanning, &scanning->nodes[i]);
		client_forget(scanning->client);
	}
	if (scanning->bar)
		fprintf(scanning->console->err.to, "\r\033[K");
	if (left)
		return complain(scanning->console, END_UNKNOWN, "interrupted",
				"the scan goes on without you; warren scan %s --wait shows it again",
				scanning->target.text);
	return END_OK;
}

static enum ending find_nodes(struct scanning *scanning)
{
	const struct steward_status_reply *status = NULL;
	enum ending ending = ask_status(scanning->console, scanning->client, &status);
	if (ending != END_OK)
		return ending;
	scanning->nodes = x_new_array(status->nodes_count + 1, sizeof *scanning->nodes);
	for (uint32_t i = 0; i < status->nodes_count; i++)
		if (scanning->target.all || status->nodes[i].node == scanning->target.node)
			scanning->nodes[scanning->count++].node = status->nodes[i].node;
	if (scanning->count || scanning->target.all)
		return END_OK;
	return complain(scanning->console, END_USAGE, "usage", "this machine has no node %u (warren status)",
			scanning->target.node);
}

static enum ending scan(struct scanning *scanning)
{
	const struct arguments *arguments = &scanning->console->arguments;
	bool names = argument(arguments, "corrupt"), wait = argument(arguments, "wait");
	enum ending ending = find_nodes(scanning);
	for (unsigned i = 0; ending == END_OK && i < scanning->count; i++)
		(names && !wait ? look_at : begin)(scanning, &scanning->nodes[i]);
	client_forget(scanning->client);
	if (ending == END_OK && wait)
		ending = watch(scanning);
	for (unsigned i = 0; ending == END_OK && names && i < scanning->count; i++)
		if (scanning->nodes[i].err == ERR_OK)
			name_all(scanning, &scanning->nodes[i]);
	return ending == END_OK ? say_all(scanning) : ending;
}

enum ending command_scan(struct console *console)
{
	struct client client;
	struct scanning scanning = {.console = console, .client = &client};
	enum ending ending = parse_target(console, &scanning.target);
	if (ending == END_OK && scanning.target.kind)
		return complain(console, END_USAGE, "usage", "a node is scanned as a whole: warren scan %u",
				scanning.target.node);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	scanning.interrupt = argument(&console->arguments, "wait") ? interrupts() : -1;
	scanning.bar = !console->json && isatty(fileno(console->err.to));
	ending = scan(&scanning);
	for (unsigned i = 0; i < scanning.count; i++)
		json_decref(scanning.nodes[i].names);
	x_free(&scanning.nodes);
	client_close(&client);
	return ending;
}
