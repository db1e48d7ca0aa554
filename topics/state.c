#include "topics/state.h"

#include <math.h>

#include "topics/member.h"

#define WALL_SECONDS_MAX 1e11 /* some three thousand years: no clock says more */

static void print_flags(const struct state_payload *state, struct json_out *out)
{
    json_out_bool(out, "oops", state->oops);
    json_out_string(out, "oops_by", state->oops_by);
    json_out_wall(out, "oops_at", state->oops_at);
    json_out_bool(out, "lockout", state->lockout);
    json_out_string(out, "lockout_by", state->lockout_by);
    json_out_string(out, "lockout_reason", state->lockout_reason);
    json_out_wall(out, "lockout_at", state->lockout_at);
    json_out_bool(out, "override", state->override);
    json_out_bool(out, "emergency", state->emergency);
}

static void print_faults(const struct state_payload *state, struct json_out *out)
{
    json_out_open(out, "faults", '[');
    for (size_t i = 0; i < state->fault_count; i++) {
        json_out_string(out, NULL, state->faults[i]);
    }
    json_out_close(out, ']');
}

enum status state_print(const struct state_payload *state, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "machine", state->machine);
    json_out_string(&out, "display_name", state->display_name);
    json_out_string(&out, "health", state->health);
    json_out_string(&out, "mode", state->mode);
    json_out_bool(&out, "relay", state->relay);
    json_out_string(&out, "confirmed", state->confirmed);
    json_out_bool(&out, "second_relay", state->second_relay);
    json_out_string(&out, "second_relay_authorization", state->second_relay_authorization);
    print_flags(state, &out);
    json_out_string(&out, "user", state->user);
    json_out_string(&out, "account_id", state->account_id);
    json_out_string(&out, "display", state->display);
    json_out_wall(&out, "session_since", state->session_since);
    json_out_wall(&out, "last_update", state->last_update);
    json_out_wall(&out, "booted_at", state->booted_at);
    json_out_string(&out, "boot_id", state->boot_id);
    if (state->seq != 0) {
        json_out_integer(&out, "seq", state->seq);
    } else {
        json_out_null(&out, "seq");
    }
    json_out_string(&out, "fw", state->fw);
    json_out_string(&out, "card", state->card);
    json_out_string(&out, "card_key", state->card_key);
    json_out_bool(&out, "card_spent", state->card_spent);
    json_out_bool(&out, "problem", state->problem);
    print_faults(state, &out);
    json_out_integer(&out, "save_timeouts", state->save_timeouts);
    json_out_integer(&out, "event_n", state->event_n);
    json_out_integer(&out, "epoch", (int64_t)state->version.epoch);
    json_out_integer(&out, "rev", state->version.rev);
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}

static void read_wall(struct members *members, const char *key, struct wall_time *ret_time)
{
    double seconds = 0;

    if (!member_number(members, key, OPTIONAL, &seconds)) {
        return;
    }
    if (seconds < 0 || seconds > WALL_SECONDS_MAX) {
        member_fail(members, key, "%.17g is no time", seconds);
        return;
    }
    ret_time->ms = (int64_t)llround(seconds * 1000.0);
}

static void read_faults(struct members *members, struct state_payload *state)
{
    const struct json *array = NULL;

    if (!member_container(members, "faults", OPTIONAL, JSON_ARRAY, &array)) {
        return;
    }
    for (const struct json *fault = json_first(array); fault != NULL; fault = json_next(fault)) {
        if (json_type(fault) != JSON_STRING) {
            member_fail(members, "faults", "must hold strings only");
            return;
        }
        if (state->fault_count == STATE_FAULTS_MAX) {
            member_fail(members, "faults", "over %d", STATE_FAULTS_MAX);
            return;
        }
        state->faults[state->fault_count++] = json_string(fault);
    }
}

static void read_flags(struct members *members, struct state_payload *state)
{
    member_bool(members, "oops", REQUIRED, &state->oops);
    member_string(members, "oops_by", OPTIONAL, &state->oops_by);
    read_wall(members, "oops_at", &state->oops_at);
    member_bool(members, "lockout", REQUIRED, &state->lockout);
    member_string(members, "lockout_by", OPTIONAL, &state->lockout_by);
    member_string(members, "lockout_reason", OPTIONAL, &state->lockout_reason);
    read_wall(members, "lockout_at", &state->lockout_at);
    member_bool(members, "override", OPTIONAL, &state->override);
    member_bool(members, "emergency", OPTIONAL, &state->emergency);
}

static void read_counts(struct members *members, struct state_payload *state)
{
    uint64_t seq = 0;
    uint64_t save_timeouts = 0;
    uint64_t event_n = 0;
    uint64_t epoch = 0;
    uint64_t rev = 0;

    member_integer(members, "seq", OPTIONAL, 1, UINT32_MAX, &seq);
    member_integer(members, "save_timeouts", OPTIONAL, 0, UINT32_MAX, &save_timeouts);
    member_integer(members, "event_n", OPTIONAL, 0, UINT32_MAX, &event_n);
    member_integer(members, "epoch", REQUIRED, 0, VERSION_EPOCH_MAX, &epoch);
    member_integer(members, "rev", REQUIRED, 0, VERSION_REV_MAX, &rev);
    state->seq = (uint32_t)seq;
    state->save_timeouts = (uint32_t)save_timeouts;
    state->event_n = (uint32_t)event_n;
    state->version = (struct version){.epoch = epoch, .rev = (uint32_t)rev};
}

static void read_members(struct members *members, struct state_payload *state)
{
    member_string(members, "machine", REQUIRED, &state->machine);
    member_string(members, "display_name", OPTIONAL, &state->display_name);
    member_string(members, "health", OPTIONAL, &state->health);
    member_string(members, "mode", REQUIRED, &state->mode);
    member_bool(members, "relay", OPTIONAL, &state->relay);
    member_string(members, "confirmed", OPTIONAL, &state->confirmed);
    member_bool(members, "second_relay", OPTIONAL, &state->second_relay);
    member_string(
        members, "second_relay_authorization", OPTIONAL, &state->second_relay_authorization);
    read_flags(members, state);
    member_string(members, "user", OPTIONAL, &state->user);
    member_string(members, "account_id", OPTIONAL, &state->account_id);
    member_string(members, "display", OPTIONAL, &state->display);
    read_wall(members, "session_since", &state->session_since);
    read_wall(members, "last_update", &state->last_update);
    read_wall(members, "booted_at", &state->booted_at);
    member_string(members, "boot_id", OPTIONAL, &state->boot_id);
    member_string(members, "fw", OPTIONAL, &state->fw);
    member_string(members, "card", OPTIONAL, &state->card);
    member_string(members, "card_key", OPTIONAL, &state->card_key);
    member_bool(members, "card_spent", OPTIONAL, &state->card_spent);
    member_bool(members, "problem", OPTIONAL, &state->problem);
    read_faults(members, state);
    read_counts(members, state);
}

enum status
state_parse(const char *payload, size_t length, struct state_copy *ret_copy, struct text *why)
{
    struct state_copy copy = {0};
    struct members members = members_of(payload, length, STATE_BYTES_MAX, &copy.document, why);

    read_members(&members, &copy.state);
    if (members.failed) {
        state_copy_free(&copy);
        return STATUS_INVALID;
    }
    *ret_copy = copy;
    return STATUS_OK;
}

void state_copy_free(struct state_copy *copy)
{
    if (copy != NULL) {
        json_free(copy->document);
        *copy = (struct state_copy){0};
    }
}
