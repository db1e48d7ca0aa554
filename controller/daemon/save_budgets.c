/* Each report and each change has a time of its own to be saved in, also when its save joins one
 * that is under way (C9.2); what misses it is a save timeout (C9.3).
 *
 * All budgets are of the same length, so that their deadlines come in the order in which they were
 * opened: one ring, looked at from its front.
 */
#include <stdlib.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"
#include "controller/support/log.h"

/* From the front; `index` is below the room there is. */
static struct budget *budget_at(const struct save_budgets *budgets, size_t index)
{
    size_t at = budgets->first + index;

    return &budgets->items[at < budgets->room ? at : at - budgets->room];
}

static bool make_room(struct save_budgets *budgets)
{
    size_t room = budgets->room == 0 ? 256 : budgets->room * 2;
    struct budget *items;

    if (budgets->count < budgets->room) {
        return true;
    }
    items = malloc(room * sizeof *items);
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < budgets->count; i++) {
        items[i] = *budget_at(budgets, i);
    }
    free(budgets->items);
    budgets->items = items;
    budgets->first = 0;
    budgets->room = room;
    return true;
}

bool save_budgets_open(struct controller *controller, struct machine *machine, bool is_change)
{
    struct save_budgets *budgets = &controller->saves.budgets;

    if (!make_room(budgets)) {
        return false;
    }
    *budget_at(budgets, budgets->count++) = (struct budget){
        .machine = machine,
        .is_change = is_change,
        .version = machine->record.core.version,
        .deadline = {.ms = controller->now.mono.ms + controller->settings->redis.save_timeout_ms},
    };
    return true;
}

static void publish_timeout(struct controller *controller, const struct machine *machine)
{
    TEXT_LOCAL(payload, 512);
    struct json_out out = json_out(&payload);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "machine", machine->record.machine);
    json_out_integer(&out, "count", machine->record.save_timeouts);
    json_out_integer(&out, "budget_ms", controller->settings->redis.save_timeout_ms);
    json_out_string(&out, "controller", controller->settings->controller.id);
    json_out_wall(&out, "at", controller->now.wall);
    json_out_close(&out, '}');
    publish(controller, TOPIC_SAVE_TIMEOUT, NULL, NULL, payload.data, payload.length);
}

/* C8.2: the event stands at the start and at the end of an outage only. */
void save_budgets_set_late(struct controller *controller, struct machine *machine, bool late)
{
    if (machine->save_late == late || machine->config == NULL) {
        return;
    }
    machine->save_late = late;
    publish_save_notice(controller, machine);
    publish_state(controller, machine);
    saves_want_again(controller, machine);
}

/* C9.3: counted for life, told to the fleet; nothing is lost, since the save is still wanted. The
 * count is part of the record. */
static void count_timeout(struct controller *controller, struct machine *machine)
{
    if (machine->record.save_timeouts < UINT32_MAX) {
        machine->record.save_timeouts++;
    }
    controller->counters.save_timeouts++;
    publish_timeout(controller, machine);
    save_budgets_set_late(controller, machine, true);
    saves_want_again(controller, machine);
}

static bool is_saved(const struct budget *budget)
{
    return version_compare(budget->machine->saved, budget->version) >= 0;
}

void save_budgets_close(struct controller *controller)
{
    struct save_budgets *budgets = &controller->saves.budgets;

    while (budgets->count > 0) {
        struct budget budget = *budget_at(budgets, 0);
        bool in_time = is_saved(&budget);

        if (!in_time && controller->now.mono.ms < budget.deadline.ms) {
            break;
        }
        budgets->first = budgets->first + 1 == budgets->room ? 0 : budgets->first + 1;
        budgets->count--;
        if (!in_time) {
            save_answers_give(controller, budget.machine, budget.version, false);
        }
        if (!in_time && budget.is_change) {
            count_timeout(controller, budget.machine);
        }
    }
}

struct mono_time save_budgets_deadline(const struct controller *controller)
{
    const struct save_budgets *budgets = &controller->saves.budgets;

    return budgets->count > 0 ? budget_at(budgets, 0)->deadline : (struct mono_time){0};
}
