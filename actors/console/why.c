/* `warren why`: why something is as it is, from the records of whoever decided it: the fact with its inputs, the rule, the next
 * try, what one can do. Holds no opinion of its own but the order: what holds before what is over, the newest first. */
#include "actors/console/gathered.h"
#include "actors/base/clock/clock.h"
#include "actors/console/units.h"
#include "actors/console/words.h"
#include "proto/log_text.h"
#include "proto/store.h"

#include <string.h>
#include <time.h>

enum { SHOWN = 8, SHOWN_OVER = 3 };

/* What is asked about. */
struct about_what {
	enum kind kind;      /* KIND_NONE: the node, or the machine */
	uint16_t node;       /* 0 and no kind: the machine */
	const char *name;    /* of a reason; NULL: any */
	const char *thing;   /* a CID, a call …; NULL: any */
	char text[WORD_MAX]; /* how it is called */
};

static bool is_meant(const struct about_what *what, const struct gathered_reason *reason)
{
	const struct reason_row *row = reason->row;
	if (what->name)
		return strcmp(row->name, what->name) == 0;
	if (what->thing)
		return strcmp(row->thing, what->thing) == 0;
	return (!what->kind && !what->node) || reason_is_about(row, what->kind, what->node);
}

/* -- words ------------------------------------------------------------------------------------------------ */

/* "node 3", "store@3", "the machine": whom a record is about. */
static const char *subject_text(const struct reason_row *row, char text[WORD_MAX])
{
	char actor[sizeof row->actor];
	clean_text(row->actor, actor);
	if (*actor && row->node)
		snprintf(text, WORD_MAX, "%s@%u", actor, row->node);
	else if (*actor)
		snprintf(text, WORD_MAX, "%s", actor);
	else if (row->node)
		snprintf(text, WORD_MAX, "node %u", row->node);
	else
		snprintf(text, WORD_MAX, "the machine");
	return text;
}

/* A remedy with its places filled in. */
static void fill(const char *pattern, size_t length, const struct reason_row *row, char *out, size_t room)
{
	char who[WORD_MAX], node[16], thing[sizeof row->thing];
	subject_text(row, who);
	snprintf(node, sizeof node, "%u", row->node);
	clean_text(row->thing, thing);
	const struct {
		const char *mark, *with;
	} places[] = {
		{"{who}", !*row->actor && row->node ? node : who}, {"{node}", node}, {"{thing}", thing}};
	size_t used = 0;
	for (size_t i = 0; i < length && used + 1 < room;) {
		unsigned place = 0;
		while (place < 3 && strncmp(pattern + i, places[place].mark, strlen(places[place].mark)) != 0)
			place++;
		if (place == 3) {
			out[used++] = pattern[i++];
			continue;
		}
		int wrote = snprintf(out + used, room - used, "%s", places[place].with);
		used += (size_t)wrote < room - used ? (size_t)wrote : room - used - 1;
		i += strlen(places[place].mark);
	}
	out[used] = '\0';
}

/* The next of "one | two"; false: no more. */
static bool next_remedy(const char **at, const struct reason_row *row, char text[200])
{
	if (!**at)
		return false;
	const char *bar = strstr(*at, " | ");
	size_t length = bar ? (size_t)(bar - *at) : strlen(*at);
	fill(*at, length, row, text, 200);
	*at += bar ? length + 3 : length;
	return true;
}

/* -- for people ------------------------------------------------------------------------------------------- */

static void say_times(const struct page *page, const struct reason_row *row)
{
	char clock[16], ago[UNIT_TEXT], since[UNIT_TEXT];
	time_t seconds = (time_t)(row->last_ms / 1000);
	struct tm local;
	int64_t age = wall_ms() - row->last_ms;
	strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&seconds, &local));
	say_in(page, FAINT, "  %s, %s ago%s", clock, duration_text(age > 0 ? (uint64_t)age : 0, ago),
	       row->over ? ", over since then" : "");
	if (row->count > 1)
		say_in(page, FAINT, ", %u times in %s", row->count,
		       duration_text((uint64_t)(row->last_ms - row->first_ms), since));
	say(page, "\n");
}

static void say_reason(const struct page *page, const struct gathered_reason *reason)
{
	const struct reason_row *row = reason->row;
	char who[WORD_MAX], inputs[256], thing[80], remedy[200], left[UNIT_TEXT];
	clean(row->inputs.at, row->inputs.length, false, inputs, sizeof inputs);
	clean_text(row->thing, thing);
	say_in(page, row->over ? FAINT : PLAIN, "  %s %s: %s", row->over ? "before " : "because",
	       subject_text(row, who), inputs);
	if (*thing && !strstr(inputs, thing))
		say(page, " (%s)", thing);
	say_times(page, row);
	if (row->over || !reason->rule)
		return;
	say(page, "  rule    %s: %s\n", row->name, reason->rule->rule);
	int64_t next = row->next_ms - wall_ms();
	bool waits =
		reason->rule->code == REASON_POLICY_BUDGET || reason->rule->code == REASON_POLICY_SPACING;
	if (row->next_ms && next > 0)
		say(page, "  next    %s in %s\n", waits ? "allowed again" : "tried again",
		    duration_text((uint64_t)next, left));
	else if (row->next_ms)
		say(page, "  next    %s\n", waits ? "allowed by now" : "being tried now");
	const char *at = reason->rule->can;
	for (bool first = true; next_remedy(&at, row, remedy); first = false)
		say(page, "%s%s", first ? "  you can: " : " · ", remedy);
	if (*reason->rule->can)
		say(page, "\n");
}

/* The state of what was asked about, as the supervisor has it. */
static void state_text(const struct gathered *gathered, const struct about_what *what, char text[160])
{
	const struct steward_status_reply *status = gathered->status;
	char since[UNIT_TEXT], end[UNIT_TEXT];
	if (what->kind) {
		const struct process_row *process = find_process(status, what->kind, what->node);
		if (!process)
			snprintf(text, 160, "is not declared");
		else if (process_ready(process))
			snprintf(text, 160, "is ready since %s", duration_text(process->up_ms, since));
		else
			snprintf(text, 160, "is not ready: %s; it last %s", process->state,
				 end_text(process->last_end, end));
		return;
	}
	unsigned ready = 0, all = 0;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		all += !what->node || status->processes[i].node == what->node;
		ready += (!what->node || status->processes[i].node == what->node) &&
			 process_ready(&status->processes[i]);
	}
	const char *more = "";
	for (uint32_t i = 0; what->node && i < status->nodes_count; i++)
		if (status->nodes[i].node == what->node)
			more = status->nodes[i].parked     ? ", it is parked"
			       : status->nodes[i].draining ? ", it drains"
							   : "";
	if (all)
		snprintf(text, 160, "has %u of %u processes ready%s", ready, all, more);
	else
		snprintf(text, 160, "is not declared");
}

static void say_why(const struct console *console, const struct gathered *gathered,
		    const struct about_what *what)
{
	char state[160] = "";
	unsigned shown = 0, over = 0, left = 0;
	if (!what->name && !what->thing) {
		state_text(gathered, what, state);
		say(&console->out, "%s %s.\n", what->text, state);
	} else {
		say(&console->out, "%s:\n", what->text);
	}
	for (unsigned i = 0; i < gathered->count; i++) {
		const struct gathered_reason *reason = &gathered->all[i];
		if (!is_meant(what, reason))
			continue;
		if (reason->row->over ? over == SHOWN_OVER : shown == SHOWN) {
			left++;
			continue;
		}
		say_reason(&console->out, reason);
		*(reason->row->over ? &over : &shown) += 1;
	}
	if (!shown && !over)
		say(&console->out, "  nobody decided anything against it\n");
	if (left)
		say(&console->out, "  … and %u more: --json\n", left);
	for (unsigned i = 0; i < gathered->silent_count; i++)
		say_in(&console->out, DOUBTFUL, "  %s did not answer: what it decided is not known\n",
		       gathered->silent[i]);
}

/* -- for programs ----------------------------------------------------------------------------------------- */

static json_t *reason_json(const struct gathered_reason *reason)
{
	const struct reason_row *row = reason->row;
	char who[WORD_MAX], remedy[200];
	json_t *object = json_object(), *can = json_array();
	const char *at = reason->rule ? reason->rule->can : "";
	while (next_remedy(&at, row, remedy))
		json_array_append_new(can, json_word(remedy));
	json_object_set_new(object, "name", json_word(row->name));
	json_object_set_new(object, "code", reason->rule ? json_integer(reason->rule->code) : json_null());
	json_object_set_new(object, "subject", json_word(subject_text(row, who)));
	json_object_set_new(object, "actor", *row->actor ? json_word(row->actor) : json_null());
	json_object_set_new(object, "node", json_integer(row->node));
	json_object_set_new(object, "thing", *row->thing ? json_word(row->thing) : json_null());
	json_object_set_new(object, "inputs", json_text(row->inputs.at, row->inputs.length));
	json_object_set_new(object, "rule", reason->rule ? json_word(reason->rule->rule) : json_null());
	json_object_set_new(object, "you_can", can);
	json_object_set_new(object, "by", json_word(reason->by));
	json_object_set_new(object, "over", json_boolean(row->over));
	json_object_set_new(object, "count", json_integer(row->count));
	json_object_set_new(object, "first_ms", json_integer((json_int_t)row->first_ms));
	json_object_set_new(object, "last_ms", json_integer((json_int_t)row->last_ms));
	json_object_set_new(object, "next_ms",
			    row->next_ms ? json_integer((json_int_t)row->next_ms) : json_null());
	return object;
}

static void json_why(const struct console *console, const struct gathered *gathered,
		     const struct about_what *what)
{
	json_t *object = json_object(), *list = json_array(), *silent = json_array();
	char state[160] = "";
	bool holds = false;
	if (!what->name && !what->thing)
		state_text(gathered, what, state);
	for (unsigned i = 0; i < gathered->count; i++) {
		if (!is_meant(what, &gathered->all[i]))
			continue;
		holds = holds || !gathered->all[i].row->over;
		json_array_append_new(list, reason_json(&gathered->all[i]));
	}
	for (unsigned i = 0; i < gathered->silent_count; i++)
		json_array_append_new(silent, json_word(gathered->silent[i]));
	json_object_set_new(object, "ok", json_boolean(!holds));
	json_object_set_new(object, "subject", json_word(what->text));
	json_object_set_new(object, "state", *state ? json_word(state) : json_null());
	json_object_set_new(object, "reasons", list);
	json_object_set_new(object, "silent", silent);
	json_say(&console->out, object, false);
}

/* -- a blob ------------------------------------------------------------------------------------------------- */

/* Which stores have it, and why one that has not will not. */
static void say_blob(struct console *console, struct client *client, const struct gathered *gathered,
		     const struct cid *cid)
{
	const struct steward_status_reply *status = gathered->status;
	struct store_head request = {*cid};
	char who[WHO_TEXT], size[UNIT_TEXT];
	unsigned count = 0;
	struct question *questions = x_new_array(status->processes_count + 1, sizeof *questions);
	for (uint32_t i = 0; i < status->processes_count; i++)
		if (process_answers(&status->processes[i]) && process_kind(&status->processes[i]) == STORE)
			questions[count++] = (struct question){.row = &row_store_head,
							       .kind = STORE,
							       .node = status->processes[i].node,
							       .request = &request};
	client_ask(client, questions, count, IMPATIENT);
	for (unsigned i = 0; i < count; i++) {
		const struct store_head_reply *head = questions[i].reply;
		who_text(STORE, questions[i].node, who);
		if (questions[i].err == ERR_OK)
			say(&console->out, "  %s has it, %s\n", who, size_text(head->size, size));
		else
			say(&console->out, "  %s: %s\n", who,
			    questions[i].err == ERR_NOT_FOUND ? "it is not here"
							      : err_sentence(questions[i].err));
	}
	x_free(&questions);
}

/* -- the command ------------------------------------------------------------------------------------------ */

static const char *reason_name(const char *word)
{
	const struct reason_rule *rule;
	for (unsigned i = 0; (rule = reason_rule_at(i)); i++)
		if (strcmp(rule->name, word) == 0)
			return rule->name;
	return NULL;
}

/* "node 3", "3", "store@3", a CID, the name of a reason; nothing: the machine. */
static enum ending parse_what(struct console *console, struct about_what *what, struct cid *cid)
{
	const struct arguments *arguments = &console->arguments;
	const char *word = arguments->count ? arguments->words[arguments->count - 1] : "";
	uint64_t node = 0;
	snprintf(what->text, sizeof what->text, "%s", arguments->count ? word : "the machine");
	if (arguments->count == 2 && strcmp(arguments->words[0], "node") != 0)
		return complain(console, END_USAGE, "usage", "so: warren why node %s, or warren why %s", word,
				word);
	if (!arguments->count)
		return END_OK;
	if (number_parse(word, 1, NODES_MAX, &node)) {
		what->node = (uint16_t)node;
		snprintf(what->text, sizeof what->text, "node %u", what->node);
		return END_OK;
	}
	if (cid_parse(word, strlen(word), cid)) {
		what->thing = word;
		return END_OK;
	}
	what->name = reason_name(word);
	return what->name ? END_OK : parse_who(console, word, &what->kind, &what->node);
}

enum ending command_why(struct console *console)
{
	struct client client;
	struct gathered gathered;
	struct about_what what = {0};
	struct cid cid;
	enum ending ending = parse_what(console, &what, &cid);
	if (ending == END_OK)
		ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	ending = gather(console, &client, what.thing || what.name ? KIND_NONE : what.kind, what.node,
			&gathered);
	if (ending == END_OK && console->json)
		json_why(console, &gathered, &what);
	else if (ending == END_OK)
		say_why(console, &gathered, &what);
	if (ending == END_OK && what.thing && !console->json)
		say_blob(console, &client, &gathered, &cid);
	gathered_end(&gathered);
	client_close(&client);
	return ending;
}
