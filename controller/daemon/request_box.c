/* C6 `card`, `forget`: what concerns a machine's box and not who may use it. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"
#include "controller/support/log.h"
#include "topics/state.h"

#define UNKNOWN_CARD_MS 300000 /* C6: so long the last unknown card can be asked for */

/* ---- card ---- */

/* A box that left, or fell silent, can't tell that its card is out: whoever asks is told so. */
static void add_presence(struct json_out *out, const struct machine *machine)
{
    const struct core_state *core = &machine->record.core;
    const struct core_watch *watch = &core->watch;

    json_out_string(out, "health", core_health_text(core->health));
    json_out_wall(
        out, "heard_at", watch->heard_wall.ms != 0 ? watch->heard_wall : core->last_report);
}

/* The number goes to whoever asked, to nobody else, and never into the log. */
void do_card(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    int64_t age_ms = controller->now.mono.ms - machine->unknown_card_at.ms;
    bool is_in = machine->raw_card[0] != '\0';
    bool is_recent = machine->unknown_card[0] != '\0' && age_ms < UNKNOWN_CARD_MS;
    TEXT_LOCAL(by, 600);
    TEXT_LOCAL(data, 256);
    struct json_out out = json_out(&data);

    describe_person(account, request, &by);
    log_info("%s: its card's number was asked for by %s", machine->record.machine, by.data);
    if (!is_in && !is_recent) {
        answer_error(
            controller, account, request,
            "no card is in, and no unknown one was put in within 5 min");
        return;
    }
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "fob", is_in ? machine->raw_card : machine->unknown_card);
    json_out_bool(&out, "in", is_in);
    add_presence(&out, machine);
    json_out_close(&out, '}');
    answer(controller, account, "card", RESPONSE_OK, data.data, NULL, request->transaction);
}

/* ---- forget ---- */

void do_forget(struct controller *controller, const char *account, const struct request *request)
{
    struct store *store = controller->ports.store;
    struct machine *machine = fleet_find(controller->fleet, request->machine);
    bool is_known = machine != NULL && !machine->forgotten;
    TEXT_LOCAL(by, 600);
    TEXT_LOCAL(why, 512);

    if (roster_machine_called(controller->roster, request->machine) != NULL) {
        text_addf(
            &why, "%s is configured; take it out of machines.json and reload first",
            request->machine);
    } else if (!text_is_name(request->machine, TOPIC_MACHINE_MAX)) {
        text_addf(&why, "\"%s\" is no machine's name", request->machine);
    } else if (store->operations->forget(store, request->machine) != STATUS_OK) {
        text_addf(&why, "%s, and it would remember: try again later", store_away_text(controller));
    }
    if (why.length > 0) {
        answer_error(controller, account, request, why.data);
        return;
    }
    if (machine != NULL) {
        saves_forget(controller, machine);
        fleet_reset(machine);
    }
    is_known |= strangers_forget(&controller->strangers, request->machine);
    publish(controller, TOPIC_COMMAND, request->machine, NULL, "", 0);
    publish(controller, TOPIC_STATE, request->machine, NULL, "", 0);
    discovery_forget(controller, request->machine);
    describe_person(account, request, &by);
    log_info(
        is_known ? "%s was forgotten by %s" : "%s was to be forgotten by %s, and is not known",
        request->machine, by.data);
    if (!is_known) {
        /* A slip of the pen, most likely; what others may have kept under that name is gone. */
        text_addf(
            &why, "%s was never heard of: see the names in \"status --strangers\"",
            request->machine);
        answer_error(controller, account, request, why.data);
        return;
    }
    answer(controller, account, "forget", RESPONSE_OK, "{}", NULL, request->transaction);
}
