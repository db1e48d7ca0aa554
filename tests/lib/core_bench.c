#include "tests/lib/core_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/text.h"
#include "tests/lib/core_same.h"

static const core_authorization lathe[] = {LATHE};
static const core_authorization mill_and_dust[] = {MILL, DUST};
static const core_authorization opens[] = {LATHE, MILL};
static const core_authorization opens_second[] = {DUST};

const struct core_holder ADA = {.user = {"1", "Ada"}, .authorizations = {lathe, 1}};
const struct core_holder EVE = {.user = {"2", "Eve"}, .authorizations = {mill_and_dust, 2}};
const struct core_holder BOB = {.user = {"3", "Bob"}};
const struct core_holder MIA = {.user = {"4", "Mia"}, .oops_override = true};

const char *core_bench_card(const struct core_holder *holder)
{
    static const char *const cards[] = {"ada1", "eve1", "bob1", "mia1"};

    return cards[holder->user.account_id[0] - '1'];
}

void core_bench_start(struct bench *bench, enum core_bench_second second)
{
    *bench = (struct bench){
        .config =
            {
                .authorizations_or = {opens, 2},
                .second_relay =
                    {
                        .present = second != SECOND_ABSENT,
                        .unauthorized_warn_only = second == SECOND_WARNS,
                        .always_enabled = second == SECOND_ALWAYS,
                        .authorizations_or = {opens_second, 1},
                    },
            },
        .now = {.mono = {5000000}, .wall = {1700000000000}},
        .epoch = 1700000000,
        .epoch_ceiling = 1700086400,
        .next = {.card = "", .uptime_s = 3600, .boot_id = "boot-1"},
    };
    core_state_init(&bench->state);
}

void core_bench_elapse(struct bench *bench, int64_t ms)
{
    bench->now.mono.ms += ms;
    bench->now.wall.ms += ms;
    bench->next.uptime_s += (double)ms / 1000.0;
}

/* What holds of every decision, whichever it is. */
static void check_effects(const struct bench *bench)
{
    const struct core_state *before = &bench->previous;
    const struct core_state *after = &bench->state;
    const struct core_effects *effects = &bench->effects;
    int moved = version_compare(after->version, before->version);

    assert_int_equal(core_broken_invariant(&bench->config, after), 0);
    assert_int_equal(effects->repaired, bench->damaged);
    assert_true(moved >= 0);
    assert_int_equal(moved > 0, effects->save);
    assert_true(!effects->save || effects->command);
    assert_true(effects->notice_count <= CORE_NOTICES_MAX);
    assert_true(effects->notice_count == 0 || effects->changed);
    assert_true(
        core_mode_relay(after->mode) == core_mode_relay(before->mode) ||
        (effects->command && effects->changed));
    assert_true(after->confirmed == CORE_UNKNOWN || effects->wake_at.ms != 0);
    /* Without a watch there is nothing else to wait for: timers are armed for what is live. */
    assert_true(
        effects->wake_at.ms == 0 || after->confirmed != CORE_UNKNOWN ||
        (after->watch.connected && core_is_live(after)) || after->watch.waiting != 0);
    assert_true(!effects->keep || (effects->changed && !effects->save));
    assert_int_equal(core_mode_is_session(after->mode), after->session_since.ms != 0);
}

void core_bench_decide(struct bench *bench, struct core_event event)
{
    struct core_effects effects_in_place;
    struct core_state in_place = bench->state;

    event.now = bench->now;
    event.epoch = bench->epoch;
    event.epoch_ceiling = bench->epoch_ceiling;
    event.lead_in_doubt = bench->lead_in_doubt;
    event.loaded = bench->loaded;
    bench->previous = bench->state;
    core_decide(&bench->config, &bench->previous, &event, &bench->state, &bench->effects);
    /* `after` may be the same object as `before`, and the answer is the same again. */
    core_decide(&bench->config, &in_place, &event, &in_place, &effects_in_place);
    assert_true(core_same_state(&in_place, &bench->state));
    assert_true(core_same_watch(&in_place.watch, &bench->state.watch));
    assert_true(core_same_effects(&effects_in_place, &bench->effects));
    check_effects(bench);
}

void core_bench_repeat(struct bench *bench)
{
    core_bench_decide(bench, (struct core_event){.type = CORE_EVENT_REPORT, .report = bench->next});
}

void core_bench_heartbeat(struct bench *bench)
{
    bench->next.seq++;
    core_bench_elapse(bench, 1000);
    core_bench_repeat(bench);
}

void core_bench_insert(struct bench *bench, const struct core_holder *holder)
{
    bench->next.card = core_bench_card(holder);
    bench->next.holder = holder;
    core_bench_heartbeat(bench);
}

void core_bench_insert_stranger(struct bench *bench)
{
    bench->next.card = STRANGER;
    bench->next.holder = NULL;
    core_bench_heartbeat(bench);
}

void core_bench_remove(struct bench *bench)
{
    bench->next.card = "";
    bench->next.holder = NULL;
    core_bench_heartbeat(bench);
}

void core_bench_press(struct bench *bench)
{
    bench->next.oops = true;
    core_bench_heartbeat(bench);
}

void core_bench_release(struct bench *bench)
{
    bench->next.oops = false;
    core_bench_heartbeat(bench);
}

void core_bench_reboot(struct bench *bench, const char *boot_id)
{
    bench->next.boot_id = boot_id;
    bench->next.seq = 0;
    bench->next.uptime_s = 2;
    bench->next.emergency = false;
    bench->next.has_ack = false;
    core_bench_heartbeat(bench);
}

void core_bench_acknowledge(struct bench *bench)
{
    bench->next.has_ack = true;
    bench->next.ack = (struct core_ack){
        .version = bench->state.version,
        .oops = bench->state.oopsed,
        .lockout = bench->state.locked_out,
    };
}

void core_bench_set_oops(struct bench *bench, bool value)
{
    core_bench_decide(bench, (struct core_event){.type = CORE_EVENT_SET_OOPS, .set = {value}});
}

void core_bench_set_lockout(struct bench *bench, bool value)
{
    core_bench_decide(bench, (struct core_event){.type = CORE_EVENT_SET_LOCKOUT, .set = {value}});
}

void core_bench_end(struct bench *bench)
{
    core_bench_decide(bench, (struct core_event){.type = CORE_EVENT_END});
}

void core_bench_reload(struct bench *bench, const struct core_holder *holder)
{
    core_bench_decide(
        bench, (struct core_event){.type = CORE_EVENT_CONFIG, .reconfigured = {.holder = holder}});
}

void core_bench_offline(struct bench *bench)
{
    core_bench_decide(bench, (struct core_event){.type = CORE_EVENT_OFFLINE});
}

void core_bench_wake(struct bench *bench)
{
    core_bench_decide(bench, (struct core_event){.type = CORE_EVENT_WAKE});
}

void core_bench_restart_controller(struct bench *bench)
{
    struct core_state *state = &bench->state;

    state->heard = false;
    memset(state->past_boots, 0, sizeof state->past_boots);
    state->relay_seen = CORE_UNKNOWN;
    state->confirmed = CORE_UNKNOWN;
    state->reported_at = (struct mono_time){0};
    state->acked = (struct version){0};
    state->session_started = (struct mono_time){0};
    memset(&state->watch, 0, sizeof state->watch);
    bench->now.mono.ms = 1000;
    bench->epoch++;
    bench->loaded = state->version;
    state->version.epoch = bench->epoch; /* C12.4 */
}

void core_bench_lose_everything(struct bench *bench)
{
    core_state_init(&bench->state);
    core_bench_restart_controller(bench);
}

static void tell_notice(struct text *line, const struct core_notice *notice)
{
    text_add(line, core_notice_text(notice->type));
    if (notice->has_user) {
        text_addf(line, " %s", notice->user.name);
    }
    if (notice->type == CORE_NOTICE_LOGOUT) {
        text_addf(
            line, " %s%s %lld s", core_reason_text(notice->reason),
            notice->approximate ? " about" : "", (long long)(notice->session_ms / 1000));
    }
    if (notice->warn_only) {
        text_add(line, " warn_only");
    }
    if (notice->type == CORE_NOTICE_FAULT || notice->type == CORE_NOTICE_FAULT_CLEARED) {
        text_addf(line, " %s", core_fault_text(notice->fault));
    }
}

void core_bench_tells_at(const struct bench *bench, const char *line, const char *file, int at)
{
    const struct core_state *state = &bench->state;
    TEXT_LOCAL(told, 512);

    text_add(&told, core_mode_text(state->mode));
    if (state->has_user) {
        text_addf(&told, " %s", state->user.name);
    }
    if (state->second != CORE_SECOND_NONE) {
        text_addf(&told, " %c%s", state->second_relay ? '+' : '-', core_second_text(state->second));
    }
    for (size_t i = 0; i < bench->effects.notice_count; i++) {
        text_add(&told, i == 0 ? " | " : ", ");
        tell_notice(&told, &bench->effects.notices[i]);
    }
    _assert_string_equal(told.data, line, file, at);
}
