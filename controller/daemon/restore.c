#include "controller/daemon/restore.h"

#include "controller/support/text.h"
#include "persistence/record.h"

static void copy(char *target, size_t size, const char *source)
{
    text_copy(target, size, source == NULL ? "" : source);
}

/* The last uptime that is certain; the copy does not carry the very last one. */
static double least_uptime_s(const struct state_payload *state)
{
    int64_t ms = state->last_update.ms - state->booted_at.ms;

    return state->booted_at.ms != 0 && ms > 0 ? (double)ms / 1000 : 0;
}

static uint32_t parse_faults(const struct state_payload *state)
{
    uint32_t faults = 0;

    for (size_t i = 0; i < state->fault_count; i++) {
        enum core_fault_index fault;
        if (core_fault_parse(state->faults[i], &fault)) {
            faults |= CORE_FAULT(fault);
        }
    }
    return faults;
}

void restore_record(const struct state_payload *state, struct record *ret_record)
{
    struct record record = {0};
    struct core_state *core = &record.core;

    core_state_init(core);
    copy(record.machine, sizeof record.machine, state->machine);
    if (!core_mode_parse(state->mode, &core->mode)) {
        core->mode = CORE_IDLE;
    }
    if (!core_second_parse(state->second_relay_authorization, &core->second)) {
        core->second = CORE_SECOND_NONE;
    }
    core->second_relay = state->second_relay;
    core->oopsed = state->oops;
    core->locked_out = state->lockout;
    core->card_spent = state->card_spent;
    copy(core->card, sizeof core->card, state->card);
    core->has_user = state->user != NULL && state->account_id != NULL;
    copy(core->user.name, sizeof core->user.name, state->user);
    copy(core->user.account_id, sizeof core->user.account_id, state->account_id);
    core->faults = parse_faults(state);
    if (state->health == NULL || !core_health_parse(state->health, &core->health)) {
        core->health = CORE_HEALTH_UNKNOWN;
    }
    core->known = state->booted_at.ms != 0;
    copy(core->boot_id, sizeof core->boot_id, state->boot_id);
    core->seq = state->seq; /* what comes twice, and late, is no news for the next leader either */
    core->uptime_s = least_uptime_s(state);
    core->version = state->version;
    core->switched = state->version;
    core->session_since = state->session_since;
    core->last_report = state->last_update;
    core->last_update = state->last_update;
    core->booted_at = state->booted_at;

    record.event_n = state->event_n;
    record.save_timeouts = state->save_timeouts;
    copy(record.card_key, sizeof record.card_key, state->card_key);
    copy(record.fw, sizeof record.fw, state->fw);
    copy(record.oops_by, sizeof record.oops_by, state->oops_by);
    record.oops_at = state->oops_at;
    copy(record.lockout_by, sizeof record.lockout_by, state->lockout_by);
    copy(record.lockout_reason, sizeof record.lockout_reason, state->lockout_reason);
    record.lockout_at = state->lockout_at;
    record_settle(&record.core);
    *ret_record = record;
}
