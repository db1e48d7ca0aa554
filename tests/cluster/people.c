/* Visitors at the machines, and an operator who waits for each answer before the next request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "tests/cluster/world.h"

#define PATIENCE (15 * SECOND)

/* ---- visitors ---- */

static void visit(struct world *world, struct due *due)
{
    struct box *box = (struct box *)((char *)due - offsetof(struct box, hand));
    int64_t next = dice_between(&world->dice, SECOND, 15 * SECOND);

    if (box->button_down) {
        box_button(world, box, false);
    } else if (dice_percent(&world->dice, 5)) {
        box_button(world, box, true);
        next = dice_between(&world->dice, 20 * MS, 3 * SECOND);
    } else if (box->card != CARD_NONE) {
        box_card(world, box, CARD_NONE);
        next = dice_between(&world->dice, 50 * MS, 5 * SECOND);
    } else {
        box_card(world, box, 1 + (int)dice_below(&world->dice, CARDS - 1));
    }
    world_plan(world, due, world->now + next);
}

/* ---- the operator ---- */

static void ask(struct world *world, const char *verb, unsigned machine, bool value)
{
    struct operator* operator= & world->operator;
    struct message *message;
    char topic[TOPIC_SIZE];
    TEXT_LOCAL(payload, 256);

    operator->transaction = ++ operator->last_transaction;
    operator->machine = machine;
    operator->value = value;
    operator->asked_at = world->now;
    text_copy(operator->verb, sizeof operator->verb, verb);
    text_addf(
        &payload, "{\"machine\":\"%s\",\"value\":%s,\"transaction\":\"%u\"}",
        world->boxes[machine].name, value ? "true" : "false", operator->transaction);
    if (topic_build(topic, sizeof topic, PREFIX, TOPIC_REQUEST, "local", verb) != STATUS_OK) {
        abort();
    }
    world_tell(world, "the operator: %s %s", topic, payload.data);
    message = message_new(TOPIC_REQUEST, 0, topic, payload.data, payload.length);
    broker_take(world, message, 1, false);
    message_release(message);
}

/* From the request on nothing is promised of what it takes back. */
static void ask_for_change(struct world *world, unsigned machine)
{
    static const struct {
        const char *verb;
        bool value;
    } choices[] = {
        {"lockout", true}, {"oops", true},   {"lockout", false}, {"oops", false},
        {"clear", false},  {"clear", false}, {"end", false},     {"clear", false},
    };
    unsigned choice = dice_below(&world->dice, sizeof choices / sizeof choices[0]);
    struct truth *truth = &world->boxes[machine].truth;
    const char *verb = choices[choice].verb;
    bool clears = !choices[choice].value;

    truth_end_session(&world->boxes[machine]);
    truth->asked_at = world->now;
    if (clears && strcmp(verb, "lockout") != 0 && strcmp(verb, "end") != 0) {
        truth->oops.holds = false;
        truth->stopped = false;
        truth->clears_by = world->now + ASKED_FOR;
    }
    if (clears && strcmp(verb, "oops") != 0 && strcmp(verb, "end") != 0) {
        truth->lockout.holds = false;
    }
    ask(world, verb, machine, choices[choice].value);
}

static void act(struct world *world, struct due *due)
{
    struct operator* operator= & world->operator;

    world_plan(world, due, world->now + dice_between(&world->dice, SECOND, 8 * SECOND));
    if (world->broker.is_down ||
        (operator->transaction != 0 && world->now - operator->asked_at<PATIENCE)) {
        return;
    }
    if (!world->is_calm && dice_percent(&world->dice, 3)) {
        ask(world, "handover", 0, false);
    } else {
        ask_for_change(world, dice_below(&world->dice, BOXES));
    }
}

static bool is_answer_to(const struct message *response, unsigned transaction)
{
    TEXT_LOCAL(mine, 64);

    text_addf(&mine, "\"transaction\":\"%u\"", transaction);
    return strstr(response->payload, mine.data) != NULL &&
           strstr(response->payload, "\"status\":\"queued\"") == NULL;
}

void people_hear(struct world *world, const struct message *response)
{
    struct operator* operator= & world->operator;
    bool is_set = operator->value && strcmp(operator->verb, "handover") != 0;

    if (operator->answered != 0 && is_answer_to(response, operator->answered)) {
        world_fail(world, "C12: a request is answered twice: %s", response->payload);
    }
    if (operator->transaction == 0 || !is_answer_to(response, operator->transaction)) {
        return;
    }
    operator->answered = operator->transaction;
    operator->transaction = 0;
    world->boxes[operator->machine].truth.clears_by = 0; /* it was carried out, and only once */
    if (is_set && strstr(response->payload, "\"status\":\"ok\"") != NULL) {
        check_promised(
            world, operator->machine, strcmp(operator->verb, "oops") == 0, response->author);
    }
}

void people_init(struct world *world)
{
    for (unsigned i = 0; i < BOXES; i++) {
        struct box *box = &world->boxes[i];
        box->hand.happen = visit;
        world_plan(world, &box->hand, world->now + dice_between(&world->dice, 0, 15 * SECOND));
    }
    world->operator.acts.happen = act;
    world_plan(world, &world->operator.acts, world->now + 15 * SECOND);
}
