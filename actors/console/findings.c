/* What is wrong with a machine, judged from reports. Part of the console; pure. */
#include "actors/console/findings.h"

#include "actors/console/processes.h"
#include "actors/console/units.h"
#include "proto/reasons.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void finding_add(struct findings *findings, enum judged judged, const char *next, const char *format, ...)
{
	findings->bad += judged == BAD;
	findings->warn += judged == WARN;
	if (findings->count == FINDINGS_MAX) {
		findings->omitted++;
		return;
	}
	struct finding *finding = &findings->all[findings->count++];
	char what[sizeof finding->what];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	finding->judged = judged;
	clean_text(what, finding->what);
	clean_text(next, finding->next);
}

/* -- processes ----------------------------------------------------------------------------------------- */

static void of_backoff(struct findings *findings, const struct process_row *process, const char *who,
		       const char *logs)
{
	char end[UNIT_TEXT], wait[UNIT_TEXT], times[UNIT_TEXT];
	finding_add(findings, BAD, logs, "%s died: %s; restarted %s so far, starts again in %s", who,
		    end_text(process->last_end, end), plural_text(process->restarts, "time", "times", times),
		    duration_text(process->next_ms, wait));
}

static const char *fallen_why(const struct steward_status_reply *status, const struct process_row *process)
{
	for (uint32_t i = 0; i < status->fallen_count; i++)
		if (status->fallen[i].node == process->node &&
		    strcmp(status->fallen[i].actor, process->actor) == 0)
			return status->fallen[i].why;
	return "";
}

/* Its last words name the rule; `why` has the fact. */
static void of_misconfigured(struct findings *findings, const struct steward_status_reply *status,
			     const struct process_row *process, const char *who, const char *logs)
{
	char end[UNIT_TEXT], why[80];
	const struct reason_rule *rule = reason_rule_named(fallen_why(status, process));
	snprintf(why, sizeof why, "warren why %s", who);
	if (rule)
		finding_add(findings, BAD, why, "%s does not start (%s): %s", who, rule->name, rule->rule);
	else
		finding_add(findings, BAD, logs, "%s does not start: %s; mend it, then: warren reload", who,
			    end_text(process->last_end, end));
}

static void of_process(struct findings *findings, const struct steward_status_reply *status,
		       const struct process_row *process)
{
	char who[WHO_TEXT], logs[80], start[80], why[80], end[UNIT_TEXT];
	process_who(process, who);
	snprintf(why, sizeof why, "warren why %s", who);
	snprintf(logs, sizeof logs, "warren logs %s", who);
	snprintf(start, sizeof start, "warren start %s", who);
	switch (process_state(process)) {
	case PROCESS_READY:
		return;
	case PROCESS_WAITING:
		finding_add(findings, WARN, "", "%s waits for its turn to start", who);
		return;
	case PROCESS_STARTING:
		finding_add(findings, WARN, why, "%s is starting", who);
		return;
	case PROCESS_BACKOFF:
		of_backoff(findings, process, who, logs);
		return;
	case PROCESS_PARKED:
		finding_add(findings, BAD, start, "%s is parked: it died too often; %s", who,
			    end_text(process->last_end, end));
		return;
	case PROCESS_MISCONFIGURED:
		of_misconfigured(findings, status, process, who, logs);
		return;
	case PROCESS_STOPPING:
		finding_add(findings, WARN, "", "%s is stopping", who);
		return;
	case PROCESS_STOPPED:
		finding_add(findings, WARN, start, "%s is stopped", who);
		return;
	case PROCESS_STUCK:
		finding_add(findings, BAD, "look at the disk: dmesg",
			    "%s was killed and the kernel does not let it go", who);
		return;
	case PROCESS_LOCKED:
		finding_add(findings, WARN, "warren unlock",
			    "%s is locked: its keys wait for the machine's passphrase", who);
		return;
	case PROCESS_STATE_COUNT:
		finding_add(findings, WARN, logs, "%s is \"%s\", which this build does not know", who,
			    process->state);
		return;
	}
}

/* Of a parked node: whose deaths were the reason. */
static const struct process_row *most_restarted(const struct steward_status_reply *status, unsigned node)
{
	const struct process_row *most = NULL;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		if (process->node == node && process->last_end &&
		    (!most || process->restarts > most->restarts))
			most = process;
	}
	return most;
}

/* Whether every process of a node is stopped. */
static bool all_stopped(const struct steward_status_reply *status, unsigned node)
{
	unsigned declared = 0, stopped = 0;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		declared += status->processes[i].node == node;
		stopped += status->processes[i].node == node &&
			   process_state(&status->processes[i]) == PROCESS_STOPPED;
	}
	return declared && stopped == declared;
}

static void of_parked(struct findings *findings, const struct steward_status_reply *status, unsigned node)
{
	char next[120], who[WHO_TEXT], end[UNIT_TEXT];
	const struct process_row *cause = most_restarted(status, node);
	snprintf(next, sizeof next, "warren logs %u, then warren start %u", node, node);
	finding_add(findings, BAD, next, "node %u is parked, its processes died too often%s%s%s%s", node,
		    cause ? "; " : "", cause ? process_who(cause, who) : "", cause ? ": " : "",
		    cause ? end_text(cause->last_end, end) : "");
}

/* True when it says all there is to say of the node's processes. */
static bool of_node(struct findings *findings, const struct steward_status_reply *status,
		    const struct node_row *node)
{
	char next[80];
	bool stopped = all_stopped(status, node->node);
	snprintf(next, sizeof next, "warren start %u", node->node);
	if (node->parked)
		of_parked(findings, status, node->node);
	else if (node->draining && stopped)
		finding_add(findings, WARN, next, "node %u is drained: its work has ended, it is stopped",
			    node->node);
	else if (node->draining)
		finding_add(findings, WARN, next, "node %u drains: it takes nothing new, then stops",
			    node->node);
	else if (stopped)
		finding_add(findings, WARN, next, "node %u is stopped", node->node);
	return node->parked || node->draining || stopped;
}

static void of_processes(struct findings *findings, const struct steward_status_reply *status, unsigned node,
			 bool only_stuck)
{
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		if (process->node == node && (!only_stuck || process_state(process) == PROCESS_STUCK))
			of_process(findings, status, process);
	}
}

static bool declared(const struct steward_status_reply *status, unsigned node)
{
	for (uint32_t i = 0; i < status->nodes_count; i++)
		if (status->nodes[i].node == node)
			return true;
	return false;
}

void findings_of_processes(struct findings *findings, const struct steward_status_reply *status)
{
	if (status->machine_count && status->machine[0].id_changed)
		finding_add(
			findings, BAD, "put it back, or, if it is on purpose: warren reregister",
			"this is not the machine that its nodes were made on (machine.changed): nothing is "
			"added or registered");
	for (uint32_t i = 0; i < status->processes_count;
	     i++) /* the machine's own, and those of no node we know */
		if (!declared(status, status->processes[i].node))
			of_process(findings, status, &status->processes[i]);
	for (uint32_t i = 0; i < status->nodes_count; i++) {
		unsigned node = status->nodes[i].node;
		bool said = of_node(findings, status, &status->nodes[i]);
		of_processes(findings, status, node, said);
	}
}

/* -- what they report themselves ------------------------------------------------------------------------ */

void findings_of_store(struct findings *findings, unsigned node, const struct store_stat_reply *stat)
{
	char next[80], share[UNIT_TEXT], count[UNIT_TEXT];
	if (!stat->writable) {
		snprintf(next, sizeof next, "warren logs store@%u", node);
		finding_add(findings, BAD, next, "store@%u takes no writes: %s", node,
			    *stat->trouble ? stat->trouble : "it does not say why");
	}
	if (stat->corrupt) {
		snprintf(next, sizeof next, "warren logs store@%u --grep corrupt", node);
		finding_add(findings, BAD, next, "store@%u has met %s; they are not served", node,
			    plural_text(stat->corrupt, "corrupt blob", "corrupt blobs", count));
	}
	if (stat->quota && stat->used >= stat->quota - stat->quota / 20)
		finding_add(findings, WARN, "delete something, or raise quota_mb",
			    "store@%u is nearly full: %s", node, share_text(stat->used, stat->quota, share));
}

void findings_of_scribe(struct findings *findings, const struct scribe_stat_reply *stat)
{
	char count[UNIT_TEXT];
	if (*stat->trouble)
		finding_add(findings, BAD, "free space on the disk of ROOT/logs", "logs are not written: %s",
			    stat->trouble);
	if (stat->dropped)
		finding_add(findings, WARN, "warren logs scribe", "%s dropped since scribe started",
			    plural_text(stat->dropped, "log line was", "log lines were", count));
}

void findings_of_limit(struct findings *findings, const char *who, const struct limit_row *limit)
{
	char count[UNIT_TEXT], next[80];
	snprintf(next, sizeof next, "warren limits %s", who);
	if (limit->limit && limit->depth >= limit->limit)
		finding_add(findings, WARN, next, "%s: \"%s\" is full (%" PRIu64 ")", who, limit->name,
			    limit->limit);
	else if (limit->drops)
		finding_add(findings, WARN, next, "%s: \"%s\" has turned away %s", who, limit->name,
			    plural_text(limit->drops, "thing", "things", count));
}

void findings_of_broker(struct findings *findings, const struct broker_row *broker)
{
	char count[UNIT_TEXT];
	if (broker->denied)
		finding_add(findings, WARN, "warren logs broker --grep denied",
			    "%s denied: somebody asks for what it may not",
			    plural_text(broker->denied, "ask was", "asks were", count));
	if (broker->open_limit && broker->open >= broker->open_limit)
		finding_add(findings, BAD, "warren limits", "the broker is full: %u asks are open",
			    broker->open);
}

/* -- walls --------------------------------------------------------------------------------------------- */

/* Without these a break-in in one process reaches others; without the rest, one process can starve others or
 * a key is a little less well hidden. */
static bool separates(unsigned wall)
{
	return wall != WALL_MEMORY && wall != WALL_PIDS && wall != WALL_SECRETS;
}

static void of_wall(struct findings *findings, const struct steward_status_reply *status,
		    const uint32_t *missing, unsigned wall, unsigned running)
{
	const struct wall_row *row = wall_row(wall);
	char who[WHO_TEXT], names[3 * WHO_TEXT + 8] = "";
	unsigned without = 0;
	for (uint32_t i = 0; i < status->processes_count; i++) {
		if (!status->processes[i].pid || !(missing[i] & 1U << wall))
			continue;
		size_t used = strlen(names);
		if (++without <= 3)
			snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
				 process_who(&status->processes[i], who));
	}
	bool machine = status->machine_count && status->machine[0].missing & 1U << wall;
	if (without)
		finding_add(findings, separates(wall) ? BAD : WARN, row->remedy,
			    "wall \"%s\" is missing around %u of %u processes (%s%s): %s", row->name, without,
			    running, names, without > 3 ? " …" : "", row->stops);
	else if (machine)
		finding_add(findings, WARN, row->remedy, "wall \"%s\" could not be built by this machine: %s",
			    row->name, row->stops);
}

void findings_of_walls(struct findings *findings, const struct steward_status_reply *status,
		       const uint32_t *missing)
{
	char names[200] = "";
	unsigned running = 0, before = findings->count + findings->omitted;
	for (uint32_t i = 0; i < status->processes_count; i++)
		running += status->processes[i].pid != 0;
	for (unsigned wall = 0; wall < WALLS; wall++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", wall_row(wall)->name);
		of_wall(findings, status, missing, wall, running);
	}
	if (running && before == findings->count + findings->omitted)
		finding_add(findings, FINE, "", "%u of %u processes have their walls (%s)", running, running,
			    names);
}

/* -- saying them --------------------------------------------------------------------------------------- */

void findings_sort(struct findings *findings)
{
	for (unsigned i = 1; i < findings->count; i++) {
		struct finding moved = findings->all[i];
		unsigned at = i;
		for (; at > 0 && findings->all[at - 1].judged < moved.judged; at--)
			findings->all[at] = findings->all[at - 1];
		findings->all[at] = moved;
	}
}

const char *findings_verdict(const struct findings *findings, char text[64])
{
	char bad[UNIT_TEXT], warn[UNIT_TEXT];
	plural_text(findings->bad, "trouble", "troubles", bad);
	plural_text(findings->warn, "warning", "warnings", warn);
	if (!findings->bad && !findings->warn)
		return "all well";
	snprintf(text, 64, "%.28s%s%.28s", findings->bad ? bad : "",
		 findings->bad && findings->warn ? ", " : "", findings->warn ? warn : "");
	return text;
}

static const struct {
	const char *name;
	enum tint tint;
} levels[] = {[FINE] = {"ok", GOOD}, [WARN] = {"warn", DOUBTFUL}, [BAD] = {"bad", BAD_NEWS}};

void findings_say(const struct findings *findings, const struct page *page, bool all)
{
	for (unsigned i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->all[i];
		if (finding->judged == FINE && !all)
			continue;
		int space = 60 - (int)width(finding->what);
		say_in(page, levels[finding->judged].tint, " %-5s", levels[finding->judged].name);
		say(page, "%s%*s%s\n", finding->what, *finding->next ? (space > 0 ? space : 0) + 4 : 0, "",
		    finding->next);
	}
	if (findings->omitted)
		say(page, " …     and %u more\n", findings->omitted);
}

json_t *findings_json(const struct findings *findings, bool all)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->all[i];
		if (finding->judged == FINE && !all)
			continue;
		json_t *row = json_object();
		json_object_set_new(row, "level", json_word(levels[finding->judged].name));
		json_object_set_new(row, "what", json_word(finding->what));
		json_object_set_new(row, "next", *finding->next ? json_word(finding->next) : json_null());
		json_array_append_new(list, row);
	}
	return list;
}
