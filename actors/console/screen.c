/* The picture of `warren top`. Part of the console; draws with ncurses, and leaves the terminal as it was. */
#include "actors/console/screen.h"

#include "actors/console/units.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <ncurses.h>

static const char *const order_names[TOP_ORDERS] = {"place", "cpu", "memory", "in/s", "restarts"};

/* -- order --------------------------------------------------------------------------------------------------- */

static uint64_t weight(const struct worker *worker, enum top_order order)
{
	uint64_t ns = worker->now_ns - worker->before_ns, value = 0;
	switch (order) {
	case BY_PLACE:
	case TOP_ORDERS:
		return 0;
	case BY_CPU:
		value = worker_cpu(worker, 100);
		break;
	case BY_MEMORY:
		value = worker->pss_kib;
		break;
	case BY_CALLS:
		value = rate(worker->before.calls, worker->now.calls, ns);
		break;
	case BY_RESTARTS:
		value = worker->restarts;
		break;
	}
	return value == UINT64_MAX ? 0 : value;
}

/* Stable: those of equal weight keep their places. */
void top_sort(struct worker *workers, unsigned count, enum top_order order)
{
	for (unsigned i = 1; order != BY_PLACE && i < count; i++) {
		struct worker moved = workers[i];
		unsigned at = i;
		for (; at > 0 && weight(&workers[at - 1], order) < weight(&moved, order); at--)
			workers[at] = workers[at - 1];
		workers[at] = moved;
	}
}

/* -- cells --------------------------------------------------------------------------------------------------- */

static void number_cell(struct table *table, uint64_t number)
{
	char text[UNIT_TEXT];
	table_cell(table, "%s", number == UINT64_MAX ? "–" : count_text(number, text));
}

static void cells(struct table *table, const struct worker *worker)
{
	char text[UNIT_TEXT];
	uint64_t ns = worker->now_ns - worker->before_ns,
		 cpu = worker_cpu(worker, (uint64_t)sysconf(_SC_CLK_TCK));
	uint64_t p50 = worker_percentile(worker, 50), p99 = worker_percentile(worker, 99);
	table_cell(table, "%s", worker->who);
	if (worker->pid)
		table_cell(table, "%u", worker->pid);
	else
		table_cell(table, "–");
	table_cell(table, "%u", worker->uid);
	if (cpu == UINT64_MAX)
		table_cell(table, "–");
	else
		table_cell(table, "%u.%u%%", (unsigned)(cpu / 10), (unsigned)(cpu % 10));
	table_cell(table, "%s", worker->pss_kib ? size_text(worker->pss_kib * 1024, text) : "?");
	number_cell(table, worker->now.fds);
	number_cell(table, rate(worker->before.calls, worker->now.calls, ns));
	number_cell(table, rate(worker->before.asks, worker->now.asks, ns));
	if (worker->now.queue == UINT64_MAX)
		table_cell(table, "–");
	else
		table_cell(table, "%u/%u", (unsigned)worker->now.queue, (unsigned)worker->now.queue_limit);
	if (p50 == UINT64_MAX)
		table_cell(table, "–");
	else
		table_cell(table, "%.3g/%.3g", (double)p50 / 1000, (double)p99 / 1000);
	table_cell(table, "%u", worker->restarts);
	table_cell(table, "%s",
		   worker->silent                        ? "silent"
		   : strcmp(worker->state, "ready") == 0 ? "ok"
							 : worker->state);
	if (worker->silent || strcmp(worker->state, "ready") != 0)
		table_tint(table, DOUBTFUL);
}

void top_table(const struct page *page, struct worker *workers, unsigned count, enum top_order order)
{
	struct table table;
	top_sort(workers, count, order);
	table_begin(&table,
		    "process >pid >uid >cpu >mem(pss) >fds >in/s >out/s >queue >p50/p99~ms >restarts state");
	for (unsigned i = 0; i < count; i++)
		cells(&table, &workers[i]);
	table_print(&table, page, 1);
	table_end(&table);
}

/* -- drawing ------------------------------------------------------------------------------------------------- */

static SCREEN *screen;

bool screen_enter(void)
{
	setlocale(LC_CTYPE, "C.UTF-8"); /* only how characters are coded: what is printed is UTF-8 */
	if (!screen)
		screen = newterm(NULL, stdout, stdin);
	else
		refresh();
	if (!screen)
		return false;
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	return true;
}

void screen_leave(void)
{
	if (screen)
		endwin();
}

/* Bytes of a text that fit into so many columns. */
static int fitting(const char *text, int columns)
{
	int bytes = 0;
	for (; text[bytes] && columns >= 0; bytes++)
		columns -= (text[bytes] & 0xc0) != 0x80;
	while (columns < 0 && bytes > 0 && (text[--bytes] & 0xc0) == 0x80)
		continue;
	return bytes;
}

void screen_draw(const char *machine, struct worker *workers, unsigned count, enum top_order order,
		 unsigned selected)
{
	char *text = NULL, *rest;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	if (!to)
		return;
	struct page page = {.to = to};
	top_table(&page, workers, count, order);
	fclose(to);
	erase();
	mvprintw(0, 0, " %s   q quits · s sort: %s · arrows, enter: the actor's logs", machine,
		 order_names[order]);
	/* As many lines as fit, the selected one among them: below the title and the table's own header. */
	int room = LINES - 2, first = (int)selected >= room ? (int)selected - room + 1 : 0, line = 0;
	rest = text;
	for (char *at; (at = strsep(&rest, "\n")) && rest; line++) {
		bool header = line == 0;
		int row = header ? 1 : line - 1 - first + 2;
		if (!header && (row < 2 || row >= LINES))
			continue;
		if (!header && line - 1 == (int)selected)
			attron(A_REVERSE);
		else if (header)
			attron(A_BOLD);
		mvaddnstr(row, 0, at, fitting(at, COLS));
		attrset(A_NORMAL);
	}
	refresh();
	free(text);
}

enum screen_key screen_key(int wait_ms)
{
	timeout(wait_ms);
	int key = getch();
	if (key == 'q' || key == 'Q' || key == 4)
		return PRESSED_QUIT;
	if (key == 's')
		return PRESSED_SORT;
	if (key == KEY_DOWN || key == 'j')
		return PRESSED_DOWN;
	if (key == KEY_UP || key == 'k')
		return PRESSED_UP;
	if (key == '\n' || key == KEY_ENTER)
		return PRESSED_ENTER;
	return PRESSED_NOTHING;
}

void screen_wait_key(const struct page *page)
{
	char byte;
	say(page, "\n(enter: back)\n");
	fflush(page->to);
	while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n' && byte != '\r' && byte != 'q')
		continue;
}
