#include "controller/daemon/strangers.h"

#include <string.h>

#include "controller/support/text.h"

static struct stranger *find(struct strangers *strangers, const char *name)
{
    for (size_t i = 0; i < strangers->count; i++) {
        if (strcmp(strangers->items[i].name, name) == 0) {
            return &strangers->items[i];
        }
    }
    return NULL;
}

/* A place for a new name: one that is free, or that of a name whose last line is a minute old. So
 * there are never more lines a minute than places. NULL for none. */
static struct stranger *find_room(struct strangers *strangers, struct now now)
{
    struct stranger *oldest = &strangers->items[0];

    if (strangers->count < STRANGERS_MAX) {
        return &strangers->items[strangers->count++];
    }
    for (size_t i = 1; i < strangers->count; i++) {
        if (strangers->items[i].logged.ms < oldest->logged.ms) {
            oldest = &strangers->items[i];
        }
    }
    return now.mono.ms - oldest->logged.ms >= STRANGERS_LOG_MS ? oldest : NULL;
}

bool strangers_heard(struct strangers *strangers, const char *name, struct now now)
{
    struct stranger *stranger = find(strangers, name);

    if (stranger == NULL) {
        stranger = find_room(strangers, now);
        if (stranger == NULL) {
            return false;
        }
        *stranger = (struct stranger){.logged = {.ms = now.mono.ms - STRANGERS_LOG_MS}};
        text_copy(stranger->name, sizeof stranger->name, name);
    }
    stranger->messages++;
    stranger->last = now.wall;
    if (now.mono.ms - stranger->logged.ms < STRANGERS_LOG_MS) {
        return false;
    }
    stranger->logged = now.mono;
    return true;
}

bool strangers_forget(struct strangers *strangers, const char *name)
{
    struct stranger *stranger = find(strangers, name);

    if (stranger != NULL) {
        *stranger = strangers->items[--strangers->count];
    }
    return stranger != NULL;
}
