/* Carries out the random life of life.h at the boxes: one visitor a machine at a time. */
#ifndef TAGOUT_SIM_VISITORS_H
#define TAGOUT_SIM_VISITORS_H

#include <stddef.h>
#include <stdint.h>

#include "devices/sim/box.h"
#include "devices/sim/cards.h"
#include "devices/sim/life.h"
#include "devices/sim/observer.h"
#include "devices/sim/options.h"

enum visitor_phase {
    VISITOR_NONE,
    VISITOR_AWAY,
    VISITOR_BEFORE_PRESS,
    VISITOR_THERE,
    VISITOR_REPAIR,
};

struct visitor {
    struct life life;
    const size_t *trained; /* borrowed: places of the cards of those who may use the machine */
    struct life_visit visit;
    enum visitor_phase phase;
    int64_t due_ms;
};

/* The machine at that place of the options. `per_hour` 0: nobody comes any more. */
void visitor_init(
    struct visitor *visitor, uint32_t seed, size_t place, const struct option_machine *machine,
    double per_hour, size_t cards, int64_t now_ms);

/* Returns when it wants to be called at the latest. */
int64_t visitor_turn(
    struct visitor *visitor, struct box *box, const struct cards *cards, struct observer *observer,
    int64_t now_ms);

#endif
