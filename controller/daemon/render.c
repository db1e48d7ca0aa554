#include "controller/daemon/render.h"

#include <string.h>

#include "controller/support/text.h"

struct look {
    enum settings_text text;
    double rgb[3];
    double brightness;
};

/* C4: one look for each mode. */
static const struct look looks[CORE_MODE_COUNT] = {
    [CORE_IDLE] = {TEXT_INSERT_CARD, {0, 0, 0}, 0},
    [CORE_IN_USE] = {TEXT_WELCOME, {0, 1, 0}, 0.5},
    [CORE_OVERRIDE] = {TEXT_OVERRIDE, {0, 1, 0}, 0.5},
    [CORE_EMERGENCY] = {TEXT_EMERGENCY, {0, 1, 0}, 0.5},
    [CORE_ALWAYS_ON] = {TEXT_ALWAYS_ON, {0, 1, 0}, 0.5},
    [CORE_DENIED] = {TEXT_UNAUTHORIZED, {1, 0.5, 0}, 0.5},
    [CORE_UNKNOWN_FOB] = {TEXT_UNKNOWN_FOB, {1, 0, 0}, 0.5},
    [CORE_OOPS] = {TEXT_OOPS, {1, 0, 0}, 0.5},
    [CORE_LOCKOUT] = {TEXT_LOCKOUT, {1, 0.5, 0}, 0.5},
};

void render_display(
    const struct settings *settings, const struct core_state *state,
    char display[RENDER_DISPLAY_SIZE])
{
    static const char placeholder[] = "{name}";
    bool flooded =
        state->mode == CORE_IDLE && (state->faults & CORE_FAULT(CORE_FAULT_CARD_FLOOD)) != 0;
    const char *template = settings->texts[flooded ? TEXT_TOO_MANY_CARDS : looks[state->mode].text];
    const char *at = strstr(template, placeholder);
    struct text out = text_over(display, RENDER_DISPLAY_SIZE);

    if (at == NULL) {
        text_add(&out, template);
        return;
    }
    text_add_bytes(&out, template, (size_t)(at - template));
    text_add(&out, state->user.name);
    text_add(&out, at + sizeof placeholder - 1);
}

void render_light(const struct core_state *state, double ret_light[RENDER_LIGHTS])
{
    const struct look *look = &looks[state->mode];

    memcpy(ret_light, look->rgb, sizeof look->rgb);
    ret_light[RENDER_LIGHTS - 1] = look->brightness;
}

void render_command(
    const struct settings *settings, const struct core_state *state, struct command *ret_command)
{
    const struct look *look = &looks[state->mode];
    char display[RENDER_DISPLAY_SIZE];

    *ret_command = (struct command){
        .relay = core_mode_relay(state->mode),
        .second_relay = state->second_relay,
        .oops_led = state->oopsed,
        .lockout = state->locked_out,
        .rgb = {look->rgb[0], look->rgb[1], look->rgb[2]},
        .brightness = look->brightness,
        .needs_card = core_needs_card(state),
        .second_needs_card = core_second_needs_card(state),
        .seq = state->seq,
        .version = state->version,
    };
    render_display(settings, state, display);
    command_cut_display(ret_command->display, display);
    text_copy(ret_command->boot_id, sizeof ret_command->boot_id, state->boot_id);
}

static const char *or_null(const char *string)
{
    return string[0] == '\0' ? NULL : string;
}

void render_state(
    const struct settings *settings, const struct machine *machine,
    char display[RENDER_DISPLAY_SIZE], struct state_payload *ret_payload)
{
    const struct machine_record *record = &machine->record;
    const struct core_state *core = &record->core;

    render_display(settings, core, display);
    *ret_payload = (struct state_payload){
        .machine = record->machine,
        .display_name = machine->config == NULL ? record->machine : machine->config->display_name,
        .health = core_health_text(core->health),
        .mode = core_mode_text(core->mode),
        .relay = core_mode_relay(core->mode),
        .confirmed = core_observed_text(core->confirmed),
        .second_relay = core->second_relay,
        .second_relay_authorization = core_second_text(core->second),
        .oops = core->oopsed,
        .oops_by = record->oops_by,
        .oops_at = record->oops_at,
        .lockout = core->locked_out,
        .lockout_by = record->lockout_by,
        .lockout_reason = record->lockout_reason,
        .lockout_at = record->lockout_at,
        .override = core->mode == CORE_OVERRIDE,
        .emergency = core->mode == CORE_EMERGENCY,
        .user = core->has_user ? core->user.name : NULL,
        .account_id = core->has_user ? core->user.account_id : NULL,
        .display = display,
        .session_since = core->session_since,
        .last_update = core->last_update,
        .booted_at = core->booted_at,
        .boot_id = or_null(core->boot_id),
        .seq = core->seq,
        .fw = record->fw,
        .card = or_null(core->card),
        .card_key = core->card[0] == '\0' ? NULL : or_null(record->card_key),
        .card_spent = core->card_spent,
        .problem = core->faults != 0 || machine->save_late || core->health == CORE_HEALTH_ERROR,
        .save_timeouts = record->save_timeouts,
        .event_n = record->event_n,
        .version = core->version,
    };
    for (unsigned fault = 0; fault < CORE_FAULT_COUNT; fault++) {
        if ((core->faults & CORE_FAULT(fault)) != 0) {
            ret_payload->faults[ret_payload->fault_count++] =
                core_fault_text((enum core_fault_index)fault);
        }
    }
    if (machine->save_late) {
        ret_payload->faults[ret_payload->fault_count++] = "save_timeout";
    }
}
