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

bool strangers_heard(struct strangers *strangers, const char *name, struct now now)
{
    struct stranger *stranger = find(strangers, name);

    if (stranger == NULL) {
        if (strangers->count == STRANGERS_MAX) {
            return false;
        }
        stranger = &strangers->items[strangers->count++];
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

void strangers_forget(struct strangers *strangers, const char *name)
{
    struct stranger *stranger = find(strangers, name);

    if (stranger != NULL) {
        *stranger = strangers->items[--strangers->count];
    }
}
