/* Asks to the supervisor and their answers. Plain C in the process of steward; touches one inherited socket.
 * The supervisor is trusted, but a row is looked at before it is believed: the two are separate programs. */
#include "actors/steward/control.h"

#include "actors/base/memory/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { FALLEN = 8 /* bound of STEWARD_STATUS_REPLY */ };

struct request {
	uint32_t serial; /* 0: free */
	bool reader;
	enum control_verb verb;
	uint64_t deadline_ms;
	control_end_fn *end;
	void *context;
	/* the answer so far; the rest of the reply is a view of these */
	struct machine_row machine;
	struct broker_row broker;
	uint32_t machine_count, broker_count;
	struct node_row *nodes;
	uint32_t node_count, node_room;
	struct process_row *processes;
	uint32_t process_count, process_room;
	struct fallen_row fallen[FALLEN];
	uint32_t fallen_count;
	struct steward_info_reply info;
	bool has_info, may;
	struct holding_row *holdings;
	struct drain_row *drains;
	struct reason *reasons;
	struct owned_limit *limits;
	uint32_t row_count, row_room; /* of these four: a verb has one of them */
};

struct control {
	int fd;
	uint32_t serial; /* the newest */
	struct control_counts counts;
	struct request requests[CONTROL_ASKS];
};

bool target_parse(const char *text, struct target *target)
{
	enum kind kind;
	*target = (struct target){0};
	if (who_parse(text, &kind, &target->node)) {
		target->kind = (uint8_t)kind;
		return true;
	}
	unsigned number = 0;
	if (text[0] < '1' || text[0] > '9')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > NODES_MAX)
			return false;
		number = number * 10 + (unsigned)(*text - '0');
	}
	*target = (struct target){.node = (uint16_t)number};
	return number <= NODES_MAX;
}

struct control *control_open(int fd, uint32_t serial)
{
	struct control *control = x_new(sizeof *control);
	control->fd = fd;
	control->serial = serial;
	return control;
}

const struct control_counts *control_counts(const struct control *control)
{
	return &control->counts;
}

/* -- asking ------------------------------------------------------------------------------------ */

static void rows_free(struct request *request)
{
	x_free(&request->nodes);
	x_free(&request->processes);
	x_free(&request->holdings);
	x_free(&request->drains);
	x_free(&request->reasons);
	x_free(&request->limits);
}

static void request_free(struct control *control, struct request *request)
{
	rows_free(request);
	*request = (struct request){0};
	control->counts.open--;
}

void control_close(struct control **control)
{
	for (int i = 0; i < CONTROL_ASKS; i++)
		if ((*control)->requests[i].serial)
			request_free(*control, &(*control)->requests[i]);
	x_free(control);
}

/* NULL when there is none, or none for a reader. */
static struct request *free_request(struct control *control, bool reader)
{
	struct request *found = NULL;
	int readers = 0;
	for (int i = 0; i < CONTROL_ASKS; i++) {
		struct request *request = &control->requests[i];
		if (!request->serial)
			found = request;
		readers += request->serial && request->reader;
	}
	return reader && readers >= CONTROL_ASKS_READERS ? NULL : found;
}

/* Never 0, which says that a place is free. */
static uint32_t next_serial(struct control *control)
{
	control->serial++;
	if (control->serial == 0)
		control->serial = 1;
	return control->serial;
}

static enum err send_ask(const struct control *control, const struct wish *wish,
			 const struct alert_news *news)
{
	struct control_alert alert = {0};
	if (news)
		alert.news = *news;
	size_t length = news ? sizeof alert : sizeof alert.ask;
	alert.ask = (struct control_ask){
		.serial = control->serial,
		.verb = (uint8_t)wish->verb,
		.amount = wish->amount,
		.kind = wish->target.kind,
		.node = wish->target.node,
		.uid = wish->uid,
		.authority = (uint8_t)wish->authority,
	};
	if (send(control->fd, &alert, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length)
		return ERR_KEPT;
	bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR;
	return full ? ERR_BUSY : ERR_UNAVAILABLE;
}

static enum err ask(struct control *control, const struct wish *wish, const struct alert_news *news,
		    uint64_t deadline_ms, control_end_fn *end, void *context)
{
	bool reader = wish->authority != OPERATOR;
	struct request *request = free_request(control, reader);
	uint32_t serial = next_serial(control);
	enum err err = request ? send_ask(control, wish, news) : ERR_BUSY;
	if (err != ERR_KEPT) {
		control->counts.busy += err == ERR_BUSY;
		return err;
	}
	*request = (struct request){.serial = serial,
				    .reader = reader,
				    .verb = wish->verb,
				    .deadline_ms = deadline_ms,
				    .end = end,
				    .context = context};
	if (++control->counts.open > control->counts.high)
		control->counts.high = control->counts.open;
	return ERR_KEPT;
}

enum err control_ask(struct control *control, const struct wish *wish, uint64_t deadline_ms,
		     control_end_fn *end, void *context)
{
	return ask(control, wish, NULL, deadline_ms, end, context);
}

enum err control_carry(struct control *control, const struct alert_news *news, uint64_t deadline_ms,
		       control_end_fn *end, void *context)
{
	struct wish wish = {.verb = (enum control_verb)CONTROL_ALERT, .authority = READER};
	return ask(control, &wish, news, deadline_ms, end, context);
}

/* -- rows -------------------------------------------------------------------------------------- */

static const char *state_name(unsigned state)
{
	static const char *const names[PROCESS_STATE_COUNT] = {
#define S(SYMBOL, name) name,
		PROCESS_STATES(S)
#undef S
	};
	return state < PROCESS_STATE_COUNT ? names[state] : "?";
}

/* Room for one more, doubling up to `most`; false when they are that many. */
static bool grow(void **rows, uint32_t count, uint32_t *room, uint32_t most, size_t size)
{
	if (count == most)
		return false;
	if (count == *room) {
		*room = *room == 0 ? 64 : *room * 2 < most ? *room * 2 : most;
		*rows = x_grow(*rows, *room * size);
	}
	return true;
}

static bool add_machine(struct request *request, const struct control_machine *from)
{
	if (request->machine_count)
		return false;
	struct machine_row *row = &request->machine;
	*row = (struct machine_row){.nodes = from->nodes,
				    .processes = from->processes,
				    .missing = from->missing,
				    .up_ms = from->uptime_ms,
				    .pid = from->pid,
				    .uid_base = from->uid_base,
				    .root = from->root != 0,
				    .id_changed = from->id_changed != 0,
				    .disk = from->disk,
				    .disk_free = from->disk_free};
	snprintf(row->name, sizeof row->name, "%.*s", (int)sizeof from->name, from->name);
	request->machine_count = 1;
	return true;
}

static bool add_broker(struct request *request, const struct control_broker *from)
{
	if (request->broker_count)
		return false;
	request->broker = (struct broker_row){.open = from->open,
					      .open_high = from->open_high,
					      .open_limit = from->open_limit,
					      .peers = from->peers,
					      .people = from->people,
					      .routed = from->routed,
					      .denied = from->denied,
					      .busy = from->busy,
					      .late = from->late,
					      .gone = from->gone,
					      .dropped = from->dropped,
					      .accused = from->accused.count,
					      .accused_kind = from->accused.kind,
					      .accused_node = from->accused.node,
					      .accused_number = from->accused.number};
	request->broker_count = 1;
	return true;
}

static bool add_node(struct request *request, const struct control_node *from)
{
	void *rows = request->nodes;
	if (!grow(&rows, request->node_count, &request->node_room, CONTROL_NODES, sizeof *request->nodes))
		return false;
	request->nodes = rows;
	struct node_row *row = &request->nodes[request->node_count++];
	*row = (struct node_row){.node = from->node,
				 .parked = from->parked != 0,
				 .draining = from->draining != 0,
				 .port = from->port,
				 .quota_mb = from->quota_mb,
				 .refused = (uint8_t)from->refused};
	snprintf(row->tier, sizeof row->tier, "%.*s", (int)sizeof from->tier, from->tier);
	return true;
}

/* One that is running again, or has said nothing, is none. */
static void add_fallen(struct request *request, const struct control_process *from,
		       const struct process_row *row)
{
	const struct reason_rule *why = reason_rule(from->why);
	if (!why || request->fallen_count == FALLEN)
		return;
	struct fallen_row *fallen = &request->fallen[request->fallen_count++];
	*fallen = (struct fallen_row){.node = row->node};
	snprintf(fallen->actor, sizeof fallen->actor, "%s", row->actor);
	snprintf(fallen->why, sizeof fallen->why, "%s", why->name);
}

static bool add_process(struct request *request, const struct control_process *from)
{
	void *rows = request->processes;
	if (!grow(&rows, request->process_count, &request->process_room, CONTROL_PROCESSES,
		  sizeof *request->processes))
		return false;
	request->processes = rows;
	struct process_row *row = &request->processes[request->process_count++];
	*row = (struct process_row){.node = from->node,
				    .pid = from->pid,
				    .uid = from->uid,
				    .restarts = from->restarts,
				    .last_end = from->last_end,
				    .missing = from->missing,
				    .pss_kib = from->pss_kib,
				    .up_ms = from->up_ms,
				    .next_ms = from->next_ms};
	snprintf(row->actor, sizeof row->actor, "%s", kind_name(from->kind));
	snprintf(row->state, sizeof row->state, "%s", state_name(from->state));
	add_fallen(request, from, row);
	return true;
}

static bool add_capacity(struct request *request, const struct control_capacity *from)
{
	if (request->has_info)
		return false;
	struct steward_info_reply *info = &request->info;
	*info = (struct steward_info_reply){.total = from->total,
					    .free = from->free,
					    .reserved = from->reserved,
					    .promised = from->promised,
					    .share = from->share,
					    .keep = from->keep,
					    .available = from->available,
					    .memory = from->memory,
					    .cores = from->cores,
					    .nodes = from->nodes,
					    .nodes_most = from->nodes_most,
					    .has_machine_id = from->id_known != 0,
					    .id_changed = from->id_changed != 0};
	snprintf(info->disk_rule, sizeof info->disk_rule, "%.*s", (int)sizeof from->disk_rule,
		 from->disk_rule);
	snprintf(info->nodes_rule, sizeof info->nodes_rule, "%.*s", (int)sizeof from->nodes_rule,
		 from->nodes_rule);
	snprintf(info->recommended, sizeof info->recommended, "%.*s", (int)sizeof from->recommended,
		 from->recommended);
	memcpy(info->machine_id.bytes, from->id, sizeof info->machine_id.bytes);
	request->may = from->may != 0;
	request->has_info = true;
	return true;
}

static bool add_holding(struct request *request, const struct control_holding *from)
{
	void *rows = request->holdings;
	if (!grow(&rows, request->row_count, &request->row_room, CONTROL_NODES, sizeof *request->holdings))
		return false;
	request->holdings = rows;
	request->holdings[request->row_count++] = (struct holding_row){.node = from->node,
								       .claimed_mb = from->claimed,
								       .actual_mb = from->actual,
								       .valid = from->valid != 0};
	return true;
}

static bool add_draining(struct request *request, const struct control_draining *from)
{
	void *rows = request->drains;
	if (!grow(&rows, request->row_count, &request->row_room, CONTROL_NODES, sizeof *request->drains))
		return false;
	request->drains = rows;
	request->drains[request->row_count++] = (struct drain_row){.node = from->node,
								   .over = from->over != 0,
								   .cut = from->cut != 0,
								   .since_ms = from->since_ms,
								   .left_ms = from->left_ms};
	return true;
}

static bool add_reason(struct request *request, const struct reason *from)
{
	void *rows = request->reasons;
	struct reason sound = *from;
	if (!reason_sound(&sound) || !grow(&rows, request->row_count, &request->row_room, CONTROL_REASON_ROWS,
					   sizeof *request->reasons))
		return false;
	request->reasons = rows;
	request->reasons[request->row_count++] = sound;
	return true;
}

static bool add_limit(struct request *request, const struct roster_limit *from)
{
	void *rows = request->limits;
	if (!grow(&rows, request->row_count, &request->row_room, CONTROL_LIMIT_ROWS, sizeof *request->limits))
		return false;
	request->limits = rows;
	struct owned_limit *row = &request->limits[request->row_count++];
	*row = (struct owned_limit){
		.depth = from->depth, .high = from->high, .limit = from->limit, .drops = from->drops};
	snprintf(row->actor, sizeof row->actor, "%s", from->kind ? kind_name(from->kind) : "warrend");
	snprintf(row->name, sizeof row->name, "%.*s", (int)sizeof from->name - 1, from->name);
	return true;
}

/* -- answers ----------------------------------------------------------------------------------- */

static void end_request(struct control *control, struct request *request, enum err err, const char *why)
{
	/* Out of the table first: whoever is told may ask again at once. */
	struct request ended = *request;
	*request = (struct request){0};
	struct steward_status_reply status = {
		.machine = &ended.machine,
		.machine_count = ended.machine_count,
		.nodes = ended.nodes,
		.nodes_count = ended.node_count,
		.processes = ended.processes,
		.processes_count = ended.process_count,
		.broker = &ended.broker,
		.broker_count = ended.broker_count,
		.fallen = ended.fallen,
		.fallen_count = ended.fallen_count,
	};
	struct reason_row *reasons = x_new_array(ended.row_count + 1, sizeof *reasons);
	for (uint32_t i = 0; ended.reasons && i < ended.row_count; i++)
		reason_to_row(&ended.reasons[i], &reasons[i]);
	struct control_answer answer = {.status = ended.verb == CONTROL_STATUS ? &status : NULL,
					.info = ended.has_info ? &ended.info : NULL,
					.may = ended.may,
					.holdings = ended.holdings,
					.drains = ended.drains,
					.reasons = reasons,
					.limits = ended.limits,
					.count = ended.row_count};
	control->counts.open--;
	ended.end(ended.context, ended.verb, err, why, err == ERR_OK ? &answer : NULL);
	x_free(&reasons);
	rows_free(&ended);
}

static void row_done(struct control *control, struct request *request, const struct control_row *row)
{
	char why[sizeof row->why + 1];
	memcpy(why, row->why, sizeof row->why);
	why[sizeof row->why] = '\0';
	end_request(control, request, (enum err)row->error, why);
}

static struct request *find(struct control *control, uint32_t serial)
{
	for (int i = 0; serial && i < CONTROL_ASKS; i++)
		if (control->requests[i].serial == serial)
			return &control->requests[i];
	return NULL;
}

/* False for one that belongs to nothing. */
static bool take_row(struct control *control, const struct control_row *row)
{
	struct request *request = find(control, row->serial);
	if (!request)
		return false;
	bool status = request->verb == CONTROL_STATUS;
	switch ((enum control_row_type)row->type) {
	case CONTROL_MACHINE:
		return status && add_machine(request, &row->machine);
	case CONTROL_NODE:
		return status && add_node(request, &row->node);
	case CONTROL_PROCESS:
		return status && add_process(request, &row->process);
	case CONTROL_BROKER:
		return status && add_broker(request, &row->broker);
	case CONTROL_CAPACITY:
		return (request->verb == CONTROL_INFO || request->verb == CONTROL_ALLOCATE) &&
		       add_capacity(request, &row->capacity);
	case CONTROL_HOLDING:
		return request->verb == CONTROL_VERIFY && add_holding(request, &row->holding);
	case CONTROL_DRAINING:
		return request->verb == CONTROL_DRAINS && add_draining(request, &row->draining);
	case CONTROL_REASON:
		return request->verb == CONTROL_REASONS && add_reason(request, &row->reason);
	case CONTROL_LIMIT:
		return request->verb == CONTROL_LIMITS && add_limit(request, &row->limit);
	case CONTROL_DONE:
		row_done(control, request, row);
		return true;
	}
	return false;
}

bool control_receive(struct control *control)
{
	for (int i = 0; i < CONTROL_TURN; i++) {
		struct control_row row[2]; /* so that a longer datagram is seen to be longer */
		ssize_t length = recv(control->fd, row, sizeof row, MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return true;
		if (length <= 0)
			return false;
		if (length != sizeof *row || !take_row(control, row))
			control->counts.stray++;
	}
	return true;
}

void control_expire(struct control *control, uint64_t now_ms)
{
	for (int i = 0; i < CONTROL_ASKS; i++) {
		struct request *request = &control->requests[i];
		if (request->serial && request->deadline_ms <= now_ms)
			end_request(control, request, ERR_LATE, "");
	}
}
