/* Time, and what happens at one. */
#ifndef TAGOUT_CLUSTER_DUE_H
#define TAGOUT_CLUSTER_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/heap.h"
#include "controller/support/time.h"

#define PREFIX "tagout"
#define NODES_MAX 3
#define BOXES 3
#define EACH_MAX 3                  /* of controllers, and of boxes */
#define CLIENTS (NODES_MAX + BOXES) /* of the broker: controllers, then boxes */
#define MS ((int64_t)1000)          /* the virtual clock counts microseconds */
#define SECOND (1000 * MS)
/* What the operator asked for may be done so much later. */
#define ASKED_FOR (40 * SECOND)
#define ANSWER_WITHIN (10 * SECOND) /* C12.4 */

struct world;

/* Something that happens at a time. Embedded in what it happens to; heap_set takes it out. */
struct due {
    struct heap_item item;
    void (*happen)(struct world *world, struct due *due);
};

#endif
