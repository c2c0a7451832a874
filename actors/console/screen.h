/* The picture of `warren top`: as a table, and on a terminal that can be drawn on (ncurses). */
#ifndef WARREN_CONSOLE_SCREEN_H
#define WARREN_CONSOLE_SCREEN_H

#include "actors/console/work.h"

enum top_order { BY_PLACE, BY_CPU, BY_MEMORY, BY_CALLS, BY_RESTARTS, TOP_ORDERS };
enum screen_key { PRESSED_NOTHING, PRESSED_QUIT, PRESSED_SORT, PRESSED_DOWN, PRESSED_UP, PRESSED_ENTER };

void top_sort(struct worker *workers, unsigned count, enum top_order order);
void top_table(const struct page *page, struct worker *workers, unsigned count, enum top_order order);

bool screen_enter(void); /* false: this terminal cannot */
void screen_leave(void);
void screen_draw(const char *machine, struct worker *workers, unsigned count, enum top_order order, unsigned selected);
enum screen_key screen_key(int wait_ms); /* PRESSED_NOTHING: none within that time */
void screen_wait_key(const struct page *page); /* outside the drawing */

#endif
