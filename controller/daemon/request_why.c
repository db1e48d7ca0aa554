/* C6 `why`: why a machine's relay is on or off. Facts, for a program to put into words: the state,
 * the rule that decided, the card that is in, who would be let in, and what happened of late. */
#include <stdlib.h>
#include <string.h>

#include "controller/config/authorizations.h"
#include "controller/daemon/controller_inside.h"
#include "controller/daemon/render.h"
#include "controller/support/json.h"
#include "topics/state.h"

#define ANSWER_SIZE ((size_t)64 * 1024)
#define AUTHORIZATIONS_TOLD 16 /* of so many names is the list; `count` tells of the rest */

static void print_authorizations(struct json_out *out, const struct core_authorizations *list)
{
    json_out_open(out, "authorizations_or", '[');
    for (size_t i = 0; i < list->count && i < AUTHORIZATIONS_TOLD; i++) {
        json_out_string(out, NULL, authorization_name(list->items[i]));
    }
    json_out_close(out, ']');
    json_out_integer(out, "count", (int64_t)list->count);
}

static void print_access(struct json_out *out, const struct core_config *config)
{
    const struct core_second_relay_config *second = &config->second_relay;

    json_out_open(out, "access", '{');
    json_out_bool(out, "always_enabled", config->always_enabled);
    json_out_bool(out, "unauthorized_warn_only", config->unauthorized_warn_only);
    print_authorizations(out, &config->authorizations_or);
    if (second->present) {
        json_out_open(out, "second_relay", '{');
        json_out_bool(out, "always_enabled", second->always_enabled);
        json_out_bool(out, "unauthorized_warn_only", second->unauthorized_warn_only);
        print_authorizations(out, &second->authorizations_or);
        json_out_close(out, '}');
    }
    json_out_close(out, '}');
}

static bool
holds_any(const struct core_authorizations *held, const struct core_authorizations *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        for (size_t j = 0; j < held->count; j++) {
            if (wanted->items[i] == held->items[j]) {
                return true;
            }
        }
    }
    return false;
}

/* The card that is in, never its number. Whose it is, is unknown after a start until the first
 * report: `user` is null then, as for a card that is nobody's, but `read` is false. */
static void
print_card(struct json_out *out, const struct controller *controller, const struct machine *machine)
{
    const struct core_state *core = &machine->record.core;
    const struct roster_user *user = NULL;

    if (core->card[0] == '\0') {
        json_out_null(out, "card");
        return;
    }
    if (machine->raw_card[0] != '\0') {
        user = roster_user_by_fob(controller->roster, machine->raw_card);
    }
    json_out_open(out, "card", '{');
    json_out_bool(out, "read", machine->raw_card[0] != '\0');
    json_out_bool(out, "spent", core->card_spent);
    json_out_string(out, "user", user == NULL ? NULL : user->holder.user.name);
    json_out_string(out, "account_id", user == NULL ? NULL : user->holder.user.account_id);
    if (user != NULL) {
        json_out_bool(
            out, "blocked",
            blocks_refuse(
                &controller->block_keeping.blocks, machine->record.card_key, core->card,
                user->holder.user.account_id));
        json_out_bool(
            out, "authorized",
            holds_any(&user->holder.authorizations, &machine->config->config.authorizations_or));
        json_out_bool(out, "oops_override", user->holder.oops_override);
    }
    json_out_close(out, '}');
}

static void print_fault(struct json_out *out, const char *fault, const char *text)
{
    json_out_open(out, NULL, '{');
    json_out_string(out, "fault", fault);
    json_out_string(out, "text", text);
    json_out_close(out, '}');
}

static void print_faults(struct json_out *out, const struct machine *machine)
{
    json_out_open(out, "faults", '[');
    for (unsigned i = 0; i < CORE_FAULT_COUNT; i++) {
        enum core_fault_index fault = (enum core_fault_index)i;
        if ((machine->record.core.faults & CORE_FAULT(fault)) != 0) {
            print_fault(out, core_fault_text(fault), render_fault(fault));
        }
    }
    if (machine->save_late) {
        print_fault(out, "save_timeout", RENDER_SAVE_LATE);
    }
    json_out_close(out, ']');
}

static const char *restart_word(const struct core_watch *watch)
{
    switch (watch->waiting) {
    case CORE_WAITING_LIFE:
        return "waits_for_life";
    case CORE_WAITING_IDLE:
        return "waits_for_idle";
    case CORE_WAITING_NONE:
        break;
    }
    return watch->restarting ? "under_way" : NULL;
}

static void print_history(struct json_out *out, const struct machine *machine, struct wall_time now)
{
    const struct history *history = &machine->history;

    json_out_open(out, "history", '[');
    for (size_t i = 0; i < history->count; i++) {
        const struct history_item *item = history_at(history, i);
        enum core_mode mode = (enum core_mode)item->mode;
        TEXT_LOCAL(sentence, 512);

        history_sentence(item, machine->config->display_name, now, &sentence);
        json_out_open(out, NULL, '{');
        json_out_wall(out, "at", item->at);
        json_out_string(out, "rule", core_rule_text((enum core_rule)item->rule));
        json_out_string(out, "event_type", core_notice_text((enum core_notice_type)item->notice));
        json_out_string(out, "text", sentence.data);
        json_out_string(out, "mode", core_mode_text(mode));
        json_out_bool(out, "relay", core_mode_relay(mode));
        json_out_bool(out, "second_relay", item->second_relay);
        json_out_close(out, '}');
    }
    json_out_close(out, ']');
}

static bool
print_why(const struct controller *controller, const struct machine *machine, struct text *data)
{
    const struct core_state *core = &machine->record.core;
    const struct history *history = &machine->history;
    struct wall_time heard =
        core->watch.heard_wall.ms != 0 ? core->watch.heard_wall : core->last_report;
    struct json_out out = json_out(data);
    struct state_payload state;
    char display[RENDER_DISPLAY_SIZE];
    TEXT_LOCAL(state_text, STATE_BYTES_MAX);

    render_state(controller->settings, machine, display, &state);
    if (state_print(&state, &state_text) != STATUS_OK) {
        return false;
    }
    json_out_open(&out, NULL, '{');
    json_out_raw(&out, "state", state_text.data);
    json_out_string(&out, "rule", core_rule_text((enum core_rule)history->rule));
    json_out_wall(&out, "rule_at", history->rule_at);
    print_card(&out, controller, machine);
    print_access(&out, &machine->config->config);
    json_out_wall(&out, "heard_at", heard);
    json_out_bool(&out, "link_lost", core->watch.lost);
    json_out_string(&out, "restart", restart_word(&core->watch));
    json_out_bool(&out, "saved", version_compare(machine->saved, core->version) >= 0);
    print_faults(&out, machine);
    json_out_wall(&out, "history_since", controller->since);
    print_history(&out, machine, controller->now.wall);
    json_out_close(&out, '}');
    return !data->cut;
}

void do_why(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    char *buffer = malloc(ANSWER_SIZE);
    struct text data;

    if (buffer == NULL) {
        answer_error(controller, account, request, status_text(STATUS_NO_MEMORY));
        return;
    }
    judge_waiting(controller, machine);
    data = text_over(buffer, ANSWER_SIZE);
    if (print_why(controller, machine, &data)) {
        answer(controller, account, "why", RESPONSE_OK, data.data, NULL, request->transaction);
    } else {
        answer_error(controller, account, request, "what is known does not fit into an answer");
    }
    free(buffer);
}
