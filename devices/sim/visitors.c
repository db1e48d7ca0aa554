#include "devices/sim/visitors.h"

#include <string.h>

static void plan(struct visitor *visitor)
{
    visitor->visit = life_next(&visitor->life);
    visitor->phase = VISITOR_AWAY;
    visitor->due_ms += visitor->visit.gap_ms;
}

void visitor_init(
    struct visitor *visitor, uint32_t seed, size_t place, const struct option_machine *machine,
    double per_hour, size_t cards, int64_t now_ms)
{
    visitor->phase = VISITOR_NONE;
    visitor->due_ms = now_ms;
    if (per_hour > 0) {
        visitor->trained = machine->trained;
        life_init(&visitor->life, seed, (uint32_t)place, per_hour, cards, machine->trained_count);
        plan(visitor);
    }
}

static void come(struct visitor *visitor, struct box *box, const struct cards *cards)
{
    const struct life_visit *visit = &visitor->visit;
    struct sim_card card;

    if (!visit->stranger) {
        card = cards->all[visit->trained ? visitor->trained[visit->card] : visit->card];
    } else if (!cards_find(cards, "stranger", &card)) {
        return;
    }
    box_card_in(box, &card);
}

static void repair(const struct box *box, struct observer *observer)
{
    TEXT_LOCAL(body, 256);
    struct json_out out = json_out(&body);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "machine", box->name);
    json_out_string(&out, "by", "tagout-sim");
    json_out_close(&out, '}');
    if (observer_request(observer, "clear", body.data) != STATUS_OK) {
        box_say(box, "link", TONE_WARN, "nobody could be asked to clear the Oops");
    }
}

static void go_on(
    struct visitor *visitor, struct box *box, const struct cards *cards, struct observer *observer)
{
    const struct life_visit *visit = &visitor->visit;

    switch (visitor->phase) {
    case VISITOR_AWAY:
        come(visitor, box, cards);
        visitor->phase = visit->oops ? VISITOR_BEFORE_PRESS : VISITOR_THERE;
        visitor->due_ms += visit->oops ? visit->stay_ms / 2 : visit->stay_ms;
        break;
    case VISITOR_BEFORE_PRESS:
        box_tap(box);
        visitor->phase = VISITOR_THERE;
        visitor->due_ms += visit->stay_ms - visit->stay_ms / 2;
        break;
    case VISITOR_THERE:
        box_card_out(box);
        if (visit->oops) {
            visitor->phase = VISITOR_REPAIR;
            visitor->due_ms += visit->repair_ms;
        } else {
            plan(visitor);
        }
        break;
    case VISITOR_REPAIR:
        repair(box, observer);
        plan(visitor);
        break;
    case VISITOR_NONE:
        break;
    }
}

int64_t visitor_turn(
    struct visitor *visitor, struct box *box, const struct cards *cards, struct observer *observer,
    int64_t now_ms)
{
    while (visitor->phase != VISITOR_NONE && now_ms >= visitor->due_ms) {
        go_on(visitor, box, cards, observer);
    }
    return visitor->phase == VISITOR_NONE ? BOX_NEVER : visitor->due_ms;
}
