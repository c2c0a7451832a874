/* `warren status`: whether all is well. Asks the steward for everything, then each wallet and store that is
 * ready, all at once and without waiting long for one that hangs; what is not known is shown as such. */
#include "actors/console/findings.h"
#include "actors/console/processes.h"
#include "actors/console/units.h"
#include "proto/store.h"
#include "proto/wallet.h"

#include <string.h>

struct picture {
	const struct steward_status_reply *status;
	struct question *wallets, *stores;
	unsigned wallet_count, store_count;
	struct findings findings;
	unsigned alerts; /* that stand and nobody has seen, but for those that are only worth knowing */
};

static const struct wallet_address_reply *wallet_of(const struct picture *picture, unsigned node)
{
	return answer_of(picture->wallets, picture->wallet_count, &row_wallet_address, WALLET, node);
}

static const struct store_stat_reply *store_of(const struct picture *picture, unsigned node)
{
	return answer_of(picture->stores, picture->store_count, &row_store_stat, STORE, node);
}

static void silent(struct picture *picture, const struct question *questions, unsigned count)
{
	char who[WHO_TEXT], next[80];
	for (unsigned i = 0; i < count; i++) {
		const struct question *question = &questions[i];
		if (question->err == ERR_OK)
			continue;
		snprintf(next, sizeof next, "warren logs %s", who_text(question->kind, question->node, who));
		finding_add(&picture->findings, WARN, next, "%s did not answer %s: %s", who,
			    question->row->name, err_name(question->err));
	}
}

static void judge(struct picture *picture)
{
	findings_of_processes(&picture->findings, picture->status);
	for (uint32_t i = 0; i < picture->status->nodes_count; i++) {
		unsigned node = picture->status->nodes[i].node;
		const struct store_stat_reply *stat = store_of(picture, node);
		if (stat)
			findings_of_store(&picture->findings, node, stat);
	}
	silent(picture, picture->wallets, picture->wallet_count);
	silent(picture, picture->stores, picture->store_count);
	findings_sort(&picture->findings);
}

/* One word for a node: the worst of what its processes are. */
static const char *node_state(const struct picture *picture, const struct node_row *node)
{
	unsigned declared = 0, ready = 0, stopped = 0, dead = 0, locked = 0;
	const struct steward_status_reply *status = picture->status;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		if (status->processes[i].node != node->node)
			continue;
		enum process_state state = process_state(&status->processes[i]);
		declared++;
		ready += state == PROCESS_READY;
		locked += state == PROCESS_LOCKED;
		stopped += state == PROCESS_STOPPED || state == PROCESS_STOPPING;
		dead += state == PROCESS_BACKOFF || state == PROCESS_STUCK ||
			state == PROCESS_MISCONFIGURED || state == PROCESS_PARKED;
	}
	const struct store_stat_reply *stat = store_of(picture, node->node);
	if (node->parked)
		return "parked";
	if (node->draining)
		return stopped && stopped == declared ? "drained" : "draining";
	if (stopped && stopped == declared)
		return "stopped";
	if (dead || stopped)
		return "degraded";
	if (locked)
		return "locked";
	if (ready < declared)
		return "starting";
	return stat && !stat->writable ? "read-only" : "ready";
}

/* -- for people ---------------------------------------------------------------------------------------- */

static void say_first_line(const struct console *console, const struct picture *picture)
{
	const struct steward_status_reply *status = picture->status;
	char nodes[UNIT_TEXT], processes[UNIT_TEXT], restarts[UNIT_TEXT], up[UNIT_TEXT], memory[UNIT_TEXT];
	char verdict[64], name[40] = "warren";
	uint64_t restarted = 0, pss_kib = 0, up_ms = status->machine_count ? status->machine[0].up_ms : 0;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		restarted += status->processes[i].restarts;
		pss_kib += status->processes[i].pss_kib;
	}
	if (status->machine_count)
		clean_text(status->machine[0].name, name);
	enum tint tint = picture->findings.bad ? BAD_NEWS : picture->findings.warn ? DOUBTFUL : GOOD;
	say(&console->out, "%s: ", name);
	say_in(&console->out, tint, "%s", findings_verdict(&picture->findings, verdict));
	say(&console->out, " · %s · %s, %s in %s", plural_text(status->nodes_count, "node", "nodes", nodes),
	    plural_text(status->processes_count, "process", "processes", processes),
	    plural_text(restarted, "restart", "restarts", restarts), duration_text(up_ms, up));
	if (picture->alerts)
		say_in(&console->out, tint, " · %s", plural_text(picture->alerts, "alert", "alerts", memory));
	if (pss_kib)
		say(&console->out, " · %s", size_text(pss_kib * 1024, memory));
	say(&console->out, "\n");
}

static void node_cells(struct table *table, const struct picture *picture, const struct node_row *node)
{
	char text[UNIT_TEXT], wallet_text[64] = "?", up[UNIT_TEXT];
	const struct wallet_address_reply *wallet = wallet_of(picture, node->node);
	const struct store_stat_reply *stat = store_of(picture, node->node);
	const char *state = node_state(picture, node);
	uint64_t up_ms = UINT64_MAX;
	for (uint32_t i = 0; i < picture->status->processes_count; i++) {
		const struct process_row *process = &picture->status->processes[i];
		if (process->node == node->node && process_ready(process) && process->up_ms < up_ms)
			up_ms = process->up_ms;
	}
	if (wallet)
		clean_text(wallet->text, wallet_text);
	table_cell(table, "%u", node->node);
	table_cell(table, "%s", short_address(wallet_text, text));
	table_cell(table, "%s", node->tier);
	if (stat)
		table_cell(table, "%s", share_text(stat->used, stat->quota, text));
	else
		table_cell(table, "? / %s", size_text((uint64_t)node->quota_mb << 20, text));
	table_cell(table, "%s", stat ? count_text(stat->blobs, text) : "?");
	table_cell(table, ":%u", node->port);
	table_cell(table, "%s", state);
	table_cell(table, "%s", up_ms == UINT64_MAX ? "" : duration_text(up_ms, up));
	if (strcmp(state, "ready") != 0)
		table_tint(table, strcmp(state, "starting") == 0 ? DOUBTFUL : BAD_NEWS);
}

static void say_nodes(const struct console *console, const struct picture *picture)
{
	struct table table;
	table_begin(&table, ">node wallet tier >used~/~quota >blobs http state since");
	for (uint32_t i = 0; i < picture->status->nodes_count; i++)
		node_cells(&table, picture, &picture->status->nodes[i]);
	if (picture->status->nodes_count)
		say(&console->out, "\n");
	table_print(&table, &console->out, 1);
	table_end(&table);
	if (!picture->status->nodes_count)
		say(&console->out, "\n no node yet: warren add --tier bronze\n");
}

static void say_processes(const struct console *console, const struct steward_status_reply *status)
{
	struct table table;
	char who[WHO_TEXT], text[UNIT_TEXT];
	table_begin(&table, "process >pid >uid >mem~(pss) >restarts state since");
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		table_cell(&table, "%s", process_who(process, who));
		if (process->pid)
			table_cell(&table, "%u", process->pid);
		else
			table_cell(&table, "–");
		table_cell(&table, "%u", process->uid);
		table_cell(&table, "%s", process->pss_kib ? size_text(process->pss_kib * 1024, text) : "?");
		table_cell(&table, "%u", process->restarts);
		table_cell(&table, "%s", process->state);
		table_cell(&table, "%s", process_ready(process) ? duration_text(process->up_ms, text) : "");
		if (!process_ready(process))
			table_tint(&table, DOUBTFUL);
	}
	say(&console->out, "\n");
	table_print(&table, &console->out, 1);
	table_end(&table);
}

static void say_picture(const struct console *console, const struct picture *picture)
{
	say_first_line(console, picture);
	findings_say(&picture->findings, &console->out, false);
	say_nodes(console, picture);
	if (argument(&console->arguments, "verbose"))
		say_processes(console, picture->status);
}

/* -- for programs -------------------------------------------------------------------------------------- */

static json_t *node_json(const struct picture *picture, const struct node_row *node)
{
	const struct wallet_address_reply *wallet = wallet_of(picture, node->node);
	const struct store_stat_reply *stat = store_of(picture, node->node);
	json_t *object = json_object();
	json_object_set_new(object, "node", json_integer(node->node));
	json_object_set_new(object, "wallet", wallet ? json_word(wallet->text) : json_null());
	json_object_set_new(object, "tier", json_word(node->tier));
	json_object_set_new(object, "port", json_integer(node->port));
	json_object_set_new(object, "quota",
			    json_number(stat ? stat->quota : (uint64_t)node->quota_mb << 20));
	json_object_set_new(object, "used", stat ? json_number(stat->used) : json_null());
	json_object_set_new(object, "state", json_word(node_state(picture, node)));
	json_object_set_new(object, "blobs", stat ? json_number(stat->blobs) : json_null());
	json_object_set_new(object, "writable", stat ? json_boolean(stat->writable) : json_null());
	return object;
}

static json_t *machine_json(const struct steward_status_reply *status)
{
	if (!status->machine_count)
		return json_null();
	json_t *machine = message_json(&message_machine_row, &status->machine[0]);
	json_object_set_new(machine, "missing", walls_json(status->machine[0].missing));
	return machine;
}

static void say_json(const struct console *console, const struct picture *picture)
{
	const struct steward_status_reply *status = picture->status;
	char verdict[64];
	json_t *object = json_object(), *nodes = json_array(), *processes = json_array();
	for (uint32_t i = 0; i < status->nodes_count; i++)
		json_array_append_new(nodes, node_json(picture, &status->nodes[i]));
	for (uint32_t i = 0; i < status->processes_count; i++)
		json_array_append_new(processes, process_json(&status->processes[i]));
	json_object_set_new(object, "ok", json_boolean(!picture->findings.bad && !picture->findings.warn));
	json_object_set_new(object, "verdict", json_word(findings_verdict(&picture->findings, verdict)));
	json_object_set_new(object, "machine", machine_json(status));
	json_object_set_new(object, "alerts", json_integer(picture->alerts));
	json_object_set_new(object, "findings", findings_json(&picture->findings, false));
	json_object_set_new(object, "nodes", nodes);
	json_object_set_new(object, "processes", processes);
	json_object_set_new(object, "broker",
			    status->broker_count ? message_json(&message_broker_row, &status->broker[0])
						 : json_null());
	json_say(&console->out, object, false);
}

enum ending command_status(struct console *console)
{
	struct client client;
	struct picture picture = {0};
	enum ending ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	ending = ask_status(console, &client, &picture.status);
	if (ending == END_OK) {
		picture.wallets =
			ask_each(&client, picture.status, &row_wallet_address, WALLET, &picture.wallet_count);
		picture.stores =
			ask_each(&client, picture.status, &row_store_stat, STORE, &picture.store_count);
		picture.alerts = alerts_unseen(&client);
		judge(&picture);
		if (console->json)
			say_json(console, &picture);
		else
			say_picture(console, &picture);
		x_free(&picture.wallets);
		x_free(&picture.stores);
	}
	client_close(&client);
	return ending;
}
