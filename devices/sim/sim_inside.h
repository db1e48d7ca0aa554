/* The simulator's state, shared by its files. */
#ifndef TAGOUT_SIM_INSIDE_H
#define TAGOUT_SIM_INSIDE_H

#include <poll.h>

#include "devices/sim/box.h"
#include "devices/sim/control.h"
#include "devices/sim/observer.h"
#include "devices/sim/options.h"
#include "devices/sim/play.h"
#include "devices/sim/visitors.h"

enum sim_phase {
    SIM_CHECKING, /* which names are taken */
    SIM_CONNECTING,
    SIM_RUNNING,
    SIM_LEAVING,
};

struct sim {
    const struct options *options;
    struct teller teller;
    struct box_world world;
    struct rivals rivals;
    uint32_t seed;
    struct box *boxes;
    struct visitor *visitors;
    size_t count;
    struct observer observer;
    struct play play;
    struct control control;
    int signals;
    struct pollfd *polled;
    enum sim_phase phase;
    bool played; /* there is, or was, something to carry out */
    bool changed;
    bool taken;
    int64_t hint_ms; /* when a controller's silence is remarked upon; BOX_NEVER: never, or done */
    int64_t leave_ms;
    int64_t now_ms;
    int code;
};

/* What is told to the simulator; `context` is its `struct sim`. */
void sim_on_changed(void *context);
/* Says once which machines have had no command yet, and what that may come from. Returns when it
 * wants to be called. */
int64_t sim_remark(struct sim *sim);
void sim_on_checked(void *context);
void sim_on_link(void *context, const char *machine, bool online);
void sim_on_state(void *context, const char *machine, const char *payload, size_t length);
void sim_on_event(void *context, const char *machine, const char *payload, size_t length);
void sim_on_answer(void *context, const char *payload, size_t length);
void sim_on_alert(void *context, const char *payload, size_t length);
void sim_on_life(void *context, size_t box, double per_hour);
void sim_on_line(void *context, unsigned number, const char *line);

#endif
