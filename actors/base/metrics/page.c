/* The machine's page. Pure; used by meter and by `warren metrics`. */
#include "actors/base/metrics/page.h"

#include "actors/base/memory/memory.h"

#include <string.h>

static void read_machine(struct metrics_machine *machine, const struct steward_status_reply *status)
{
	if (status->machine_count) {
		machine->up = status->machine[0].up_ms / 1000;
		machine->disk = status->machine[0].disk;
		machine->disk_free = status->machine[0].disk_free;
	}
	machine->nodes = status->nodes_count;
	for (uint32_t i = 0; i < status->nodes_count; i++)
		machine->parked += status->nodes[i].parked;
	if (!status->broker_count)
		return;
	const struct broker_row *broker = &status->broker[0];
	machine->routed = broker->routed;
	machine->denied = broker->denied;
	machine->accused = broker->accused;
	machine->busy = broker->busy;
	machine->late = broker->late;
	machine->gone = broker->gone;
	machine->open = broker->open;
}

void metrics_page_begin(struct metrics_page *page, const struct steward_status_reply *status)
{
	*page = (struct metrics_page){.process_count = status->processes_count,
				      .node_count = status->nodes_count};
	page->processes = x_new_array(page->process_count + 1, sizeof *page->processes);
	page->stores = x_new_array(page->node_count + 1, sizeof *page->stores);
	page->gateways = x_new_array(page->node_count + 1, sizeof *page->gateways);
	read_machine(&page->machine, status);
	for (unsigned i = 0; i < page->process_count; i++) {
		const struct process_row *row = &status->processes[i];
		page->processes[i] = (struct metrics_process){
			.kind = kind_by_name(row->actor, (unsigned)strlen(row->actor)),
			.node = row->node,
			.ready = strcmp(row->state, "ready") == 0,
			.restarts = row->restarts,
			.memory = row->pss_kib * 1024,
			.missing = (uint64_t)__builtin_popcount(row->missing)};
	}
	for (unsigned i = 0; i < page->node_count; i++)
		page->stores[i].node = page->gateways[i].node = status->nodes[i].node;
}

void metrics_page_end(struct metrics_page *page)
{
	x_free(&page->processes);
	x_free(&page->stores);
	x_free(&page->gateways);
}

void metrics_page_store(struct metrics_page *page, uint16_t node, const struct store_stat_reply *reply)
{
	for (unsigned i = 0; i < page->node_count; i++)
		if (page->stores[i].node == node)
			page->stores[i] = (struct metrics_store){.known = true,
								 .node = node,
								 .blobs = reply->blobs,
								 .bytes = reply->bytes,
								 .used = reply->used,
								 .quota = reply->quota,
								 .physical = reply->physical,
								 .corrupt = reply->corrupt,
								 .writable = reply->writable,
								 .puts = reply->puts,
								 .gets = reply->gets,
								 .groups = reply->groups};
}

void metrics_page_gateway(struct metrics_page *page, uint16_t node, const struct gateway_stat_reply *reply)
{
	for (unsigned i = 0; i < page->node_count; i++)
		if (page->gateways[i].node == node)
			page->gateways[i] = (struct metrics_gateway){.known = true,
								     .node = node,
								     .requests = reply->requests,
								     .refused = reply->refused,
								     .failed = reply->failed,
								     .bytes_in = reply->bytes_in,
								     .bytes_out = reply->bytes_out,
								     .connections = reply->connections,
								     .transfers = reply->transfers};
}

void metrics_page_limits(struct metrics_page *page, enum kind kind, uint16_t node,
			 const struct actor_limits_reply *reply)
{
	for (unsigned i = 0; i < page->process_count; i++) {
		struct metrics_process *process = &page->processes[i];
		if (process->kind != kind || process->node != node)
			continue;
		process->depth = process->drops = 0;
		for (uint32_t j = 0; j < reply->limits_count; j++) {
			bool bytes = strncmp(reply->limits[j].name, "bytes", 5) == 0;
			process->depth += reply->limits[j].limit && !bytes ? reply->limits[j].depth : 0;
			process->drops += reply->limits[j].drops;
		}
	}
}

void metrics_page_scribe(struct metrics_page *page, const struct scribe_stat_reply *reply)
{
	page->machine.lines = reply->lines;
	page->machine.lines_lost = reply->dropped;
}

void metrics_page_alerts(struct metrics_page *page, const struct steward_alerts_reply *reply)
{
	struct metrics_machine *machine = &page->machine;
	machine->raised = reply->raised;
	machine->cleared = reply->cleared;
	machine->dropped = reply->dropped;
	memset(machine->alerts, 0, sizeof machine->alerts);
	for (uint32_t i = 0; i < reply->alerts_count; i++) {
		const struct alert_row *row = alert_row(reply->alerts[i].code);
		if (row && reply->alerts[i].active)
			machine->alerts[row->severity]++;
	}
}

char *metrics_page_text(const struct metrics_page *page, size_t *length)
{
	struct metrics metrics = {0};
	metrics_of_machine(&metrics, &page->machine);
	metrics_processes(&metrics, page->processes, page->process_count);
	metrics_stores(&metrics, page->stores, page->node_count);
	metrics_gateways(&metrics, page->gateways, page->node_count);
	*length = metrics.length;
	return metrics.text;
}
