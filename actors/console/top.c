/* `warren top`: every process as it works, drawn anew every two seconds until q; once where there is no terminal. Asks all at once
 * and waits for nobody that hangs: what is silent is said to be. Reads /proc for what the kernel knows. */
#include "actors/console/screen.h"
#include "actors/console/units.h"
#include "actors/console/work.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVERY_MS = 2000, ONCE_MS = 500, EVERY_LEAST_MS = 200, EVERY_MOST_MS = 60000 };

struct top {
	struct console *console;
	struct client client;
	struct worker *workers;
	unsigned count;
	enum top_order order;
	unsigned selected;
	char machine[40];
};

/* -- one look ------------------------------------------------------------------------------------------------ */

static uint64_t ticks_of(uint32_t pid)
{
	char path[48], text[1024];
	snprintf(path, sizeof path, "/proc/%u/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return stat_ticks(text);
}

/* UINT64_MAX where we may not look: another user's process. */
static uint64_t fds_of(uint32_t pid)
{
	char path[48];
	uint64_t count = 0;
	snprintf(path, sizeof path, "/proc/%u/fd", pid);
	DIR *folder = opendir(path);
	if (!folder)
		return UINT64_MAX;
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

static void look_inside(struct look *look, const struct actor_work_reply *work,
			const struct actor_limits_reply *limits)
{
	if (work) {
		look->calls = work->calls;
		look->asks = work->asks;
		for (uint32_t i = 0; i < work->times_count && i < WORK_BUCKETS; i++)
			look->buckets[i] = work->times[i].count;
	}
	for (uint32_t i = 0; limits && i < limits->limits_count; i++)
		if (strcmp(limits->limits[i].name, "calls kept") == 0) {
			look->queue = limits->limits[i].depth;
			look->queue_limit = limits->limits[i].limit;
		}
}

static void look_at_broker(struct look *look, const struct steward_status_reply *status)
{
	if (!status->broker_count)
		return;
	look->calls = look->asks = status->broker[0].routed;
	look->queue = status->broker[0].open;
	look->queue_limit = status->broker[0].open_limit;
}

static struct worker *find_worker(const struct top *top, const char *who)
{
	for (unsigned i = 0; i < top->count; i++)
		if (strcmp(top->workers[i].who, who) == 0)
			return &top->workers[i];
	return NULL;
}

static struct worker look_at(const struct top *top, const struct process_row *process,
			     const struct steward_status_reply *status)
{
	struct worker worker = {.pid = process->pid,
				.uid = process->uid,
				.restarts = process->restarts,
				.pss_kib = process->pss_kib,
				.now_ns = clock_ns()};
	memset(&worker.now, 0xff, sizeof worker.now);
	memset(&worker.before, 0xff, sizeof worker.before);
	process_who(process, worker.who);
	clean_text(process->state, worker.state);
	if (process->pid) {
		worker.now.cpu_ticks = ticks_of(process->pid);
		worker.now.fds = fds_of(process->pid);
	}
	if (process_kind(process) == BROKER)
		look_at_broker(&worker.now, status);
	const struct worker *earlier = find_worker(top, worker.who);
	if (earlier && earlier->pid == worker.pid) {
		worker.before = earlier->now;
		worker.before_ns = earlier->now_ns;
	}
	return worker;
}

static enum ending look(struct top *top)
{
	const struct steward_status_reply *status;
	unsigned works = 0, limits = 0;
	enum ending ending = ask_status(top->console, &top->client, &status);
	if (ending != END_OK)
		return ending;
	struct question *work = ask_each(&top->client, status, &row_actor_work, KIND_NONE, &works);
	struct question *limit = ask_each(&top->client, status, &row_actor_limits, KIND_NONE, &limits);
	struct worker *workers = x_new_array(status->processes_count + 1, sizeof *workers);
	for (uint32_t i = 0; i < status->processes_count; i++) {
		const struct process_row *process = &status->processes[i];
		enum kind kind = process_kind(process);
		workers[i] = look_at(top, process, status);
		const void *did = answer_of(work, works, &row_actor_work, kind, process->node);
		workers[i].silent = process_answers(process) && !did;
		look_inside(&workers[i].now, did,
			    answer_of(limit, limits, &row_actor_limits, kind, process->node));
	}
	if (status->machine_count)
		clean_text(status->machine[0].name, top->machine);
	x_free(&work);
	x_free(&limit);
	x_free(&top->workers);
	top->workers = workers;
	top->count = status->processes_count;
	return END_OK;
}

/* -- once ---------------------------------------------------------------------------------------------------- */

static json_t *known(uint64_t number)
{
	return number == UINT64_MAX ? json_null() : json_number(number);
}

static json_t *worker_json(const struct worker *worker)
{
	uint64_t ns = worker->now_ns - worker->before_ns,
		 cpu = worker_cpu(worker, (uint64_t)sysconf(_SC_CLK_TCK));
	json_t *object = json_object();
	json_object_set_new(object, "who", json_word(worker->who));
	json_object_set_new(object, "pid", worker->pid ? json_integer(worker->pid) : json_null());
	json_object_set_new(object, "uid", json_integer(worker->uid));
	json_object_set_new(object, "cpu_permille", known(cpu));
	json_object_set_new(object, "pss", worker->pss_kib ? json_number(worker->pss_kib) : json_null());
	json_object_set_new(object, "fds", known(worker->now.fds));
	json_object_set_new(object, "calls_per_s", known(rate(worker->before.calls, worker->now.calls, ns)));
	json_object_set_new(object, "asks_per_s", known(rate(worker->before.asks, worker->now.asks, ns)));
	json_object_set_new(object, "queue", known(worker->now.queue));
	json_object_set_new(object, "queue_limit", known(worker->now.queue_limit));
	json_object_set_new(object, "p50_us", known(worker_percentile(worker, 50)));
	json_object_set_new(object, "p99_us", known(worker_percentile(worker, 99)));
	json_object_set_new(object, "restarts", json_integer(worker->restarts));
	json_object_set_new(object, "state", json_word(worker->silent ? "silent" : worker->state));
	return object;
}

static void show_once(const struct top *top)
{
	if (!top->console->json) {
		top_table(&top->console->out, top->workers, top->count, top->order);
		return;
	}
	json_t *list = json_array();
	for (unsigned i = 0; i < top->count; i++)
		json_array_append_new(list, worker_json(&top->workers[i]));
	json_say(&top->console->out, json_pack("{s:o}", "processes", list), false);
}

static enum ending once(struct top *top, uint64_t ms)
{
	enum ending ending = look(top);
	if (ending != END_OK)
		return ending;
	usleep((useconds_t)(ms * 1000));
	ending = look(top);
	if (ending == END_OK)
		show_once(top);
	return ending;
}

/* -- on a terminal ------------------------------------------------------------------------------------------- */

/* The selected process's last lines, until a key. */
static void show_logs(struct top *top)
{
	struct console console = *top->console;
	console.arguments = (struct arguments){.words = {top->workers[top->selected].who}, .count = 1};
	screen_leave();
	command_logs(&console);
	screen_wait_key(&console.out);
	screen_enter();
}

static enum ending watch(struct top *top, uint64_t every_ms)
{
	enum ending ending = look(top);
	bool runs = ending == END_OK && screen_enter();
	if (ending == END_OK && !runs)
		return complain(top->console, END_FAILED, "failed",
				"this terminal (TERM) cannot be drawn on: --once");
	while (runs) {
		top_sort(top->workers, top->count, top->order);
		screen_draw(top->machine, top->workers, top->count, top->order, top->selected);
		switch (screen_key((int)every_ms)) {
		case PRESSED_QUIT:
			runs = false;
			break;
		case PRESSED_SORT:
			top->order = (top->order + 1) % TOP_ORDERS;
			break;
		case PRESSED_DOWN:
			top->selected += top->selected + 1 < top->count;
			break;
		case PRESSED_UP:
			top->selected -= top->selected > 0;
			break;
		case PRESSED_ENTER:
			show_logs(top);
			break;
		case PRESSED_NOTHING:
			ending = look(top);
			runs = ending == END_OK;
			break;
		}
	}
	screen_leave();
	return ending;
}

/* -- the command --------------------------------------------------------------------------------------------- */

enum ending command_top(struct console *console)
{
	struct top top = {.console = console};
	bool draws = !console->json && !argument(&console->arguments, "once") && isatty(STDOUT_FILENO) &&
		     isatty(STDIN_FILENO);
	uint64_t every;
	enum ending ending = option_duration(console, "every", draws ? EVERY_MS : ONCE_MS, &every);
	if (ending == END_OK && (every < EVERY_LEAST_MS || every > EVERY_MOST_MS))
		return complain(console, END_USAGE, "usage", "--every: from 200ms to 1m");
	if (ending == END_OK)
		ending = console_connect(console, &top.client);
	if (ending != END_OK)
		return ending;
	top.client.slow = draws ? (struct slow){0} : top.client.slow;
	ending = draws ? watch(&top, every) : once(&top, every);
	x_free(&top.workers);
	client_close(&top.client);
	return ending;
}
