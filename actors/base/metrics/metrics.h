/* Figures in the text form that Prometheus reads (text/plain; version=0.0.4), for gateway@N about its node and for meter and the
 * console about the machine: the same families under the same names. Labels are bounded by what is declared: node, process,
 * severity. Never a CID, an address, or anything else that a stranger chose. Pure. */
#ifndef WARREN_METRICS_H
#define WARREN_METRICS_H

#include "proto/actors.h"

#include <stddef.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* FIGURE(field, name, type, help); a counter counts from the birth of the process that counts. */
#define STORE_FIGURES(F)                                                                                               \
	F(blobs, "warren_store_blobs", "gauge", "Blobs stored.")                                                       \
	F(bytes, "warren_store_bytes", "gauge", "Bytes of the stored blobs.")                                          \
	F(used, "warren_store_used_bytes", "gauge", "What the stored blobs are charged.")                              \
	F(quota, "warren_store_quota_bytes", "gauge", "What this node may hold.")                                      \
	F(physical, "warren_store_physical_bytes", "gauge", "What it takes of the disk.")                              \
	F(corrupt, "warren_store_corrupt_blobs", "gauge", "Blobs that failed their check.")                            \
	F(writable, "warren_store_writable", "gauge", "1 while it takes new blobs.")                                   \
	F(puts, "warren_store_puts_total", "counter", "Blobs put.")                                                    \
	F(gets, "warren_store_gets_total", "counter", "Blobs read.")                                                   \
	F(groups, "warren_store_commits_total", "counter", "Groups made durable.")

#define GATEWAY_FIGURES(F)                                                                                             \
	F(requests, "warren_http_requests_total", "counter", "HTTP requests answered.")                                \
	F(refused, "warren_http_refused_total", "counter", "Of these with 4xx.")                                       \
	F(failed, "warren_http_failed_total", "counter", "Of these with 5xx, or cut off.")                             \
	F(bytes_in, "warren_http_received_bytes_total", "counter", "Bytes of blobs received.")                         \
	F(bytes_out, "warren_http_sent_bytes_total", "counter", "Bytes of blobs sent.")                                \
	F(connections, "warren_http_connections", "gauge", "Connections open.")                                        \
	F(transfers, "warren_http_transfers", "gauge", "Blobs on their way.")

#define PROCESS_FIGURES(F)                                                                                             \
	F(ready, "warren_process_ready", "gauge", "1 while it is ready.")                                              \
	F(restarts, "warren_process_restarts_total", "counter", "Births after the first, since the supervisor began.") \
	F(memory, "warren_process_memory_bytes", "gauge", "Its share of memory (PSS); 0 where the kernel does not say.") \
	F(missing, "warren_process_walls_missing", "gauge", "Walls that are missing around it.")                       \
	F(depth, "warren_process_queued", "gauge", "Entries in its bounded queues and tables.")                        \
	F(drops, "warren_process_drops_total", "counter", "What its bounded queues and tables turned away.")

#define MACHINE_FIGURES(F)                                                                                             \
	F(up, "warren_up_seconds", "gauge", "Since the supervisor began.")                                             \
	F(nodes, "warren_nodes", "gauge", "Nodes declared.")                                                           \
	F(parked, "warren_nodes_parked", "gauge", "Nodes parked.")                                                     \
	F(disk, "warren_disk_bytes", "gauge", "The disk below the machine's folder.")                                  \
	F(disk_free, "warren_disk_free_bytes", "gauge", "Of it free.")                                                 \
	F(routed, "warren_bus_routed_total", "counter", "Messages passed on by the broker.")                           \
	F(denied, "warren_bus_denied_total", "counter", "Asks that no row allows.")                                    \
	F(accused, "warren_bus_accused_total", "counter", "Of these by processes, which never should.")                \
	F(busy, "warren_bus_busy_total", "counter", "Asks that found a full queue.")                                   \
	F(late, "warren_bus_late_total", "counter", "Asks past their deadline.")                                       \
	F(gone, "warren_bus_gone_total", "counter", "Asks to who died.")                                               \
	F(open, "warren_bus_open_asks", "gauge", "Asks that wait for their answer.")                                   \
	F(lines, "warren_log_lines_total", "counter", "Log lines written.")                                            \
	F(lines_lost, "warren_log_lines_dropped_total", "counter", "Log lines that the disk did not take.")            \
	F(raised, "warren_alerts_raised_total", "counter", "Alerts raised.")                                           \
	F(cleared, "warren_alerts_cleared_total", "counter", "Alerts that were over.")                                 \
	F(dropped, "warren_alerts_dropped_total", "counter", "Alerts that found no room.")

#define FIGURE_FIELD(field, ...) uint64_t field;
struct metrics_store {
	bool known;
	uint16_t node;
	STORE_FIGURES(FIGURE_FIELD)
};
struct metrics_gateway {
	bool known;
	uint16_t node;
	GATEWAY_FIGURES(FIGURE_FIELD)
};
struct metrics_process {
	enum kind kind;
	uint16_t node;
	PROCESS_FIGURES(FIGURE_FIELD)
};
struct metrics_machine {
	uint64_t alerts[3]; /* that stand, by enum alert_severity */
	MACHINE_FIGURES(FIGURE_FIELD)
};
#undef FIGURE_FIELD

/* A text that grows; its end is a NUL. x_free(&metrics.text) when it is done with. */
struct metrics {
	char *text;
	size_t length, room;
};

void metrics_stores(struct metrics *metrics, const struct metrics_store *stores, unsigned count);
void metrics_gateways(struct metrics *metrics, const struct metrics_gateway *gateways, unsigned count);
void metrics_processes(struct metrics *metrics, const struct metrics_process *processes, unsigned count);
void metrics_of_machine(struct metrics *metrics, const struct metrics_machine *machine);

#endif
