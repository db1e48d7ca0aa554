/* Whether an event comes in its turn. C8.2: `n` grows by one with each event of a machine. A leader
 * that was cut off keeps what the broker did not take, and its successor counts on from what was
 * saved: what the first one still has comes late then, with numbers that are given already. Pure.
 */
#ifndef TAGOUT_WATCHER_TURN_H
#define TAGOUT_WATCHER_TURN_H

#include "controller/watcher/heard_event.h"
#include "controller/watcher/watched.h"

/* The clocks of two controllers are not further apart. An event of an older epoch that is newer by
 * more is no late one: epochs began anew. */
#define TURN_CLOCKS_APART_MS 3600000

enum turn {
    TURN_NEXT,
    TURN_GAP,  /* some before it were missed */
    TURN_ANEW, /* its counting began anew */
    TURN_LATE, /* behind what happened after it: the count stays */
};

/* Of an event that was not heard before. */
enum turn turn_of(const struct watched *machine, const struct heard_event *event);

/* It is the machine's last one now. */
void turn_take(struct watched *machine, const struct heard_event *event);

#endif
