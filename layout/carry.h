/* The two ways. `folder` is the descriptor of DIR. Both return how the program ends. */
#ifndef WARREN_LAYOUT_CARRY_H
#define WARREN_LAYOUT_CARRY_H

#include "layout/node.h"
#include "layout/report.h"

#include <stdio.h>

#define BLOBS "blobs"
#define DATA  "data"
#define META  "meta.json"

/* Every blob of DIR/blobs that is what it is called. */
int carry_in(struct node *node, int folder, struct report *report);

/* The blobs that `list` names, a CID in each line. Each is there whole or not at all, whenever it is killed. */
int carry_out(struct node *node, int folder, FILE *list, struct report *report);

#endif
