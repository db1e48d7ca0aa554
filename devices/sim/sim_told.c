/* What boxes, broker and control tell the simulator. */
#include <stdlib.h>
#include <string.h>

#include "devices/sim/sim_inside.h"

#define NAMES_MAX 3

static struct box *find_box(struct sim *sim, const char *machine)
{
    for (size_t i = 0; i < sim->count; i++) {
        if (strcmp(sim->boxes[i].name, machine) == 0) {
            return &sim->boxes[i];
        }
    }
    return NULL;
}

void sim_on_changed(void *context)
{
    struct sim *sim = context;

    play_look(&sim->play);
    sim->changed = true;
}

int64_t sim_remark(struct sim *sim)
{
    size_t silent = 0;
    TEXT_LOCAL(names, 256);

    if (sim->now_ms < sim->hint_ms) {
        return sim->hint_ms;
    }
    sim->hint_ms = BOX_NEVER;
    for (size_t i = 0; i < sim->count; i++) {
        const struct box *box = &sim->boxes[i];
        if (box->link.up && box->device.seq > 0 && box->device.answered_seq == 0) {
            silent++;
            if (silent <= NAMES_MAX) {
                text_addf(&names, "%s%s", silent > 1 ? ", " : "", box->name);
            }
        }
    }
    if (silent > NAMES_MAX) {
        text_addf(&names, " and %zu more", silent - NAMES_MAX);
    }
    if (silent > 0) {
        teller_say(
            &sim->teller, "-", "hint", TONE_WARN,
            "no controller has answered %s: does one run, with the prefix \"%s\" and %s in its "
            "machines.json?",
            names.data, sim->options->prefix, silent == 1 ? "this name" : "these names");
    }
    return BOX_NEVER;
}

void sim_on_checked(void *context)
{
    struct sim *sim = context;

    if (sim->taken) {
        return;
    }
    sim->phase = SIM_CONNECTING;
    for (size_t i = 0; i < sim->count; i++) {
        box_power_on(&sim->boxes[i]);
    }
    sim->changed = true;
}

void sim_on_link(void *context, const char *machine, bool online)
{
    struct sim *sim = context;

    if (sim->phase == SIM_CHECKING && online && !sim->options->take_over &&
        find_box(sim, machine) != NULL) {
        teller_fail(
            &sim->teller,
            "tagout-sim: %s is online already: a box or another simulator has this name "
            "(--take-over takes it)",
            machine);
        sim->taken = true;
        sim->code = EXIT_FAILURE;
    }
}

void sim_on_state(void *context, const char *machine, const char *payload, size_t length)
{
    struct box *box = find_box(context, machine);
    struct json *state = NULL;
    TEXT_LOCAL(why, 128);

    if (box == NULL || (length > 0 && json_parse(payload, length, &state, &why) != STATUS_OK)) {
        return;
    }
    json_free(box->state);
    box->state = state;
    sim_on_changed(context);
}

void sim_on_event(void *context, const char *machine, const char *payload, size_t length)
{
    struct box *box = find_box(context, machine);
    struct json *event = NULL;
    const char *type;
    TEXT_LOCAL(why, 128);

    if (box == NULL || json_parse(payload, length, &event, &why) != STATUS_OK) {
        return;
    }
    type = json_get_string(event, "event_type");
    if (type[0] != '\0') {
        box_note(box->events, type);
        sim_on_changed(context);
    }
    json_free(event);
}

void sim_on_answer(void *context, const char *payload, size_t length)
{
    struct sim *sim = context;

    (void)length;
    text_copy(sim->play.answer, sizeof sim->play.answer, payload);
    sim_on_changed(sim);
}

/* Shown too: who plays with a shop wants to see what its operators are told. */
void sim_on_alert(void *context, const char *payload, size_t length)
{
    struct sim *sim = context;
    struct json *alert = NULL;
    TEXT_LOCAL(why, 128);

    if (json_parse(payload, length, &alert, &why) != STATUS_OK) {
        return;
    }
    teller_say(&sim->teller, "-", "alert", TONE_BAD, "ALERT  %s", json_get_string(alert, "text"));
    play_hear_alert(&sim->play, json_get_string(alert, "alert"), json_get_string(alert, "text"));
    json_free(alert);
    sim_on_changed(sim);
}

void sim_on_life(void *context, size_t box, double per_hour)
{
    struct sim *sim = context;

    visitor_init(
        &sim->visitors[box], sim->seed, box, &sim->options->machines[box], per_hour,
        sim->options->cards.count, sim->now_ms);
}

void sim_on_line(void *context, unsigned number, const char *line)
{
    struct sim *sim = context;
    TEXT_LOCAL(why, 1024);

    if (play_add(&sim->play, sim->control.name, number, line, &why) != STATUS_OK) {
        teller_fail(&sim->teller, "%s", why.data);
        sim->code = EXIT_FAILURE;
    }
}
