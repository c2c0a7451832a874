/* `warren blobs`: what a node keeps, a page at a time; `warren pin`, `unpin`, `delete`, `undelete`, `purge`; `warren gc`: what its collector would take away, and
 * a pass of it. */
#include "actors/console/processes.h"
#include "actors/console/units.h"
#include "proto/store.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { PAGE_ROWS = 1000, BLOBS_USUAL = 100, BLOBS_MOST = 100000 };

static enum ending read_node(struct console *console, uint16_t *node)
{
	uint64_t number;
	const char *word = console->arguments.words[0];
	if (!number_parse(word, 1, NODES_MAX, &number))
		return complain(console, END_USAGE, "usage", "there is no node \"%s\": 1 to %d", word,
				NODES_MAX);
	*node = (uint16_t)number;
	return END_OK;
}

static enum ending read_cid(struct console *console, const char *text, struct cid *cid)
{
	if (cid_parse(text, strlen(text), cid))
		return END_OK;
	return complain(console, END_USAGE, err_name(ERR_BAD_CID), "%s", err_sentence(ERR_BAD_CID));
}

/* "3 d 4 h"; a time that is yet to come is no age. */
static const char *age_text(int64_t then, char text[UNIT_TEXT])
{
	int64_t now = time(NULL);
	return duration_text(now > then ? (uint64_t)(now - then) * 1000 : 0, text);
}

/* -- warren blobs -------------------------------------------------------------------------------------- */

struct showing {
	struct console *console;
	json_t *list; /* NULL: lines */
	uint64_t left;
	bool more;
	struct cid last; /* shown */
};

static void show_blob(const struct showing *showing, const struct kept_row *blob)
{
	char cid[CID_TEXT], size[UNIT_TEXT], age[UNIT_TEXT], trashed[UNIT_TEXT];
	const struct console *console = showing->console;
	if (showing->list) {
		json_array_append_new(showing->list, message_json(&message_kept_row, blob));
		return;
	}
	say_in(&console->out, blob->corrupt ? BAD_NEWS : PLAIN, "%s  %s, %s old%s%s%s%s\n",
	       cid_text(&blob->cid, cid), size_text(blob->size, size), age_text(blob->stored_at, age),
	       blob->pinned ? ", pinned" : "", blob->corrupt ? ", corrupt" : "",
	       blob->trashed ? ", in the trash for " : "",
	       blob->trashed ? age_text(blob->trashed, trashed) : "");
}

/* True: there is more to ask for. */
static bool show_page(struct showing *showing, const struct store_blobs_reply *page)
{
	for (uint32_t i = 0; i < page->blobs_count; i++) {
		showing->more = !showing->left;
		if (showing->more)
			return false;
		showing->left--;
		show_blob(showing, &page->blobs[i]);
		showing->last = page->blobs[i].cid;
	}
	return page->has_next;
}

static enum ending show_all(struct showing *showing, struct client *client, struct question *question,
			    struct store_blobs *request)
{
	for (;;) {
		if (client_ask_one(client, question) != ERR_OK)
			return complain_of(showing->console, client, question);
		const struct store_blobs_reply *page = question->reply;
		if (!show_page(showing, page))
			return END_OK;
		request->has_after = true;
		request->after = page->next;
		client_forget(client);
	}
}

static enum ending read_request(struct console *console, struct store_blobs *request, uint64_t *most)
{
	const struct arguments *arguments = &console->arguments;
	const char *after = argument(arguments, "after");
	bool pinned = argument(arguments, "pinned"), trash = argument(arguments, "trash");
	if (pinned && trash)
		return complain(console, END_USAGE, "usage",
				"--pinned or --trash: nothing in the trash is pinned");
	request->most = PAGE_ROWS;
	request->has_after = after;
	snprintf(request->which, sizeof request->which, "%s", pinned ? "pinned" : trash ? "trash" : "all");
	enum ending ending = option_number(console, "most", 1, BLOBS_MOST, BLOBS_USUAL, most);
	return ending == END_OK && after ? read_cid(console, after, &request->after) : ending;
}

enum ending command_blobs(struct console *console)
{
	struct client client;
	struct store_blobs request = {0};
	struct showing showing = {.console = console};
	struct question question = {.row = &row_store_blobs, .kind = STORE, .request = &request};
	char cid[CID_TEXT];
	enum ending ending = read_node(console, &question.node);
	if (ending == END_OK)
		ending = read_request(console, &request, &showing.left);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	showing.list = console->json ? json_array() : NULL;
	ending = show_all(&showing, &client, &question, &request);
	client_close(&client);
	cid_text(&showing.last, cid);
	if (ending == END_OK && showing.list)
		json_say(&console->out,
			 json_pack("{s:i, s:O, s:o}", "node", question.node, "blobs", showing.list, "next",
				   showing.more ? json_word(cid) : json_null()),
			 false);
	else if (ending == END_OK && showing.more)
		say_in(&console->out, FAINT, "there are more: --after %s\n", cid);
	json_decref(showing.list);
	return ending;
}

/* -- warren pin, unpin, delete, undelete, purge: one blob, an operator's word ----------------------------- */

struct word_on_blob {
	const struct call_row *row;
	const char *said; /* of the CID, once it is done */
	const char *name; /* of what it is then, in JSON … */
	bool is;          /* … and whether */
};

/* `request` is that of the call, and `cid` lies in it. */
static enum ending say_on_blob(struct console *console, const struct word_on_blob *word, const void *request,
			       struct cid *cid)
{
	struct client client;
	struct question question = {.row = word->row, .kind = STORE, .request = request};
	char text[CID_TEXT];
	enum ending ending = read_node(console, &question.node);
	if (ending == END_OK)
		ending = read_cid(console, console->arguments.words[1], cid);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	cid_text(cid, text);
	if (client_ask_one(&client, &question) != ERR_OK)
		ending = complain_of(console, &client, &question);
	else if (console->json)
		json_say(&console->out,
			 json_pack("{s:b, s:i, s:s, s:b}", "ok", 1, "node", question.node, "cid", text,
				   word->name, word->is),
			 false);
	else
		say(&console->out, "%s %s\n", text, word->said);
	client_close(&client);
	return ending;
}

enum ending command_pin(struct console *console)
{
	static const struct word_on_blob word = {
		&row_store_pin, "is pinned: it is neither deleted nor collected", "pinned", true};
	struct store_pin request = {.pinned = true};
	return say_on_blob(console, &word, &request, &request.cid);
}

enum ending command_unpin(struct console *console)
{
	static const struct word_on_blob word = {&row_store_pin, "is not pinned", "pinned", false};
	struct store_pin request = {.pinned = false};
	return say_on_blob(console, &word, &request, &request.cid);
}

enum ending command_delete(struct console *console)
{
	static const struct word_on_blob word = {
		&row_store_delete,
		"is deleted; with trash_hours set, `warren undelete` brings it back until they are over",
		"deleted", true};
	struct store_delete request = {0};
	return say_on_blob(console, &word, &request, &request.cid);
}

enum ending command_undelete(struct console *console)
{
	static const struct word_on_blob word = {&row_store_restore, "is out of the trash, and served again",
						 "deleted", false};
	struct store_restore request = {0};
	return say_on_blob(console, &word, &request, &request.cid);
}

enum ending command_purge(struct console *console)
{
	static const struct word_on_blob word = {&row_store_purge, "is gone from the trash, for good",
						 "purged", true};
	struct store_purge request = {0};
	return say_on_blob(console, &word, &request, &request.cid);
}

/* -- warren gc ----------------------------------------------------------------------------------------- */

static void say_rules(const struct console *console, const struct store_gc_reply *reply, bool dry)
{
	char free[UNIT_TEXT], floor[UNIT_TEXT], looked[UNIT_TEXT], bytes[UNIT_TEXT];
	say(&console->out, "gc is %s: ", reply->mode);
	if (strcmp(reply->mode, "off") == 0)
		say(&console->out, "nothing is collected");
	if (strcmp(reply->mode, "time") == 0 || strcmp(reply->mode, "hybrid") == 0)
		say(&console->out, "what is older than %u days", reply->days);
	if (strcmp(reply->mode, "hybrid") == 0)
		say(&console->out, "; ");
	if (strcmp(reply->mode, "size") == 0 || strcmp(reply->mode, "hybrid") == 0)
		say(&console->out, "the oldest, until %s are free (%s are)", size_text(reply->floor, floor),
		    size_text(reply->free, free));
	say(&console->out, "\n%s blobs, %" PRIu64 " of them pinned; ", count_text(reply->looked, looked),
	    reply->pinned);
	if (dry)
		say(&console->out, "%u would go\n", reply->chosen_count);
	else
		say(&console->out, "%" PRIu64 " were deleted, %s\n", reply->collected,
		    size_text(reply->bytes, bytes));
}

static void say_pass(const struct console *console, const struct store_gc_reply *reply, bool dry)
{
	char cid[CID_TEXT], size[UNIT_TEXT], age[UNIT_TEXT];
	say_rules(console, reply, dry);
	for (uint32_t i = 0; i < reply->chosen_count; i++)
		say(&console->out, "  %s  %s, %s old\n", cid_text(&reply->chosen[i].cid, cid),
		    size_text(reply->chosen[i].size, size), age_text(reply->chosen[i].stored_at, age));
	if (reply->more)
		say(&console->out, "and more: a pass takes the oldest %u\n", reply->chosen_count);
	if (reply->held)
		say_in(&console->out, DOUBTFUL,
		       "its index was rebuilt, which loses pins: nothing is collected until you pin again "
		       "what must stay, and give --release\n");
}

enum ending command_gc(struct console *console)
{
	struct client client;
	bool dry = argument(&console->arguments, "dry-run");
	struct store_gc request = {.release = argument(&console->arguments, "release")};
	struct question question = {.row = dry ? &row_store_gc_plan : &row_store_gc,
				    .kind = STORE,
				    .request = dry ? NULL : &request};
	if (dry && request.release)
		return complain(console, END_USAGE, "usage", "--dry-run touches nothing: not with --release");
	enum ending ending = read_node(console, &question.node);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	if (client_ask_one(&client, &question) != ERR_OK) {
		ending = complain_of(console, &client, &question);
	} else if (console->json) {
		json_t *object = message_json(&message_store_gc_reply, question.reply);
		json_object_set_new(object, "dryRun", json_boolean(dry));
		json_say(&console->out, object, false);
	} else {
		say_pass(console, question.reply, dry); /* a plan has the same fields */
	}
	client_close(&client);
	return ending;
}
