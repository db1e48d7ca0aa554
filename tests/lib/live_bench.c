#include "tests/lib/live_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/text.h"

static void add_notices(struct text *line, const struct core_effects *effects)
{
    for (size_t i = 0; i < effects->notice_count; i++) {
        const struct core_notice *notice = &effects->notices[i];
        bool is_fault =
            notice->type == CORE_NOTICE_FAULT || notice->type == CORE_NOTICE_FAULT_CLEARED;

        text_addf(line, " %s", core_notice_text(notice->type));
        if (is_fault) {
            text_addf(line, " %s", core_fault_text(notice->fault));
        }
    }
}

static void note(struct live *live)
{
    const struct bench *bench = &live->bench;
    size_t used = strlen(live->history);
    TEXT_LOCAL(line, 512);

    if (bench->state.health != bench->previous.health) {
        text_addf(&line, " %s", core_health_text(bench->state.health));
    }
    if (bench->effects.probe) {
        text_add(&line, " probe");
    }
    add_notices(&line, &bench->effects);
    if (bench->effects.restart != CORE_RESTART_NONE) {
        text_addf(&line, " [%s]", core_restart_text(bench->effects.restart));
    }
    if (line.length == 0) {
        return;
    }
    snprintf(
        live->history + used, sizeof live->history - used, "%s+%lld%s", used == 0 ? "" : "; ",
        (long long)(bench->now.mono.ms - live->mark_ms), line.data);
    assert_true(used + line.length + 32 < sizeof live->history);
}

void live_decide(struct live *live, struct core_event event)
{
    core_bench_decide(&live->bench, event);
    /* Whatever liveness finds, only C11.7 makes a new version of it. */
    assert_true(!live->bench.effects.probe || !live->bench.effects.save);
    note(live);
}

static void wake(struct live *live)
{
    live_decide(live, (struct core_event){.type = CORE_EVENT_WAKE});
}

void live_elapse(struct live *live, int64_t ms)
{
    struct bench *bench = &live->bench;
    int64_t end_ms = bench->now.mono.ms + ms;

    while (bench->effects.wake_at.ms != 0 && bench->effects.wake_at.ms <= end_ms) {
        int64_t at_ms = bench->effects.wake_at.ms;
        size_t used = strlen(live->history);

        assert_true(at_ms > bench->now.mono.ms);
        core_bench_elapse(bench, at_ms - 1 - bench->now.mono.ms);
        wake(live);
        assert_int_equal(strlen(live->history), used);
        assert_int_equal(bench->effects.wake_at.ms, at_ms);
        core_bench_elapse(bench, 1);
        wake(live);
    }
    core_bench_elapse(bench, end_ms - bench->now.mono.ms);
}

void live_mark(struct live *live)
{
    live->mark_ms = live->bench.now.mono.ms;
    live->history[0] = '\0';
}

void live_start_unheard(struct live *live)
{
    memset(live, 0, sizeof *live);
    core_bench_start(&live->bench, SECOND_ABSENT);
    live_connect(live);
    live_mark(live);
}

void live_start(struct live *live)
{
    live_start_unheard(live);
    live_report(live);
    live_mark(live);
}

void live_report(struct live *live)
{
    live->bench.next.seq++;
    live_decide(live, (struct core_event){.type = CORE_EVENT_REPORT, .report = live->bench.next});
}

void live_boot(struct live *live, const char *boot_id, double uptime_s)
{
    live->bench.next.boot_id = boot_id;
    live->bench.next.seq = 0;
    live->bench.next.uptime_s = uptime_s;
    live->bench.next.has_ack = false;
    live_report(live);
}

void live_insert(struct live *live, const struct core_holder *holder)
{
    live->bench.next.card = core_bench_card(holder);
    live->bench.next.holder = holder;
    live_report(live);
}

void live_remove(struct live *live)
{
    live->bench.next.card = "";
    live->bench.next.holder = NULL;
    live_report(live);
}

void live_link_lost(struct live *live)
{
    live_decide(live, (struct core_event){.type = CORE_EVENT_LINK, .link = {.lost = true}});
}

void live_link_online(struct live *live)
{
    live_decide(live, (struct core_event){.type = CORE_EVENT_LINK});
}

void live_offline(struct live *live)
{
    live_decide(live, (struct core_event){.type = CORE_EVENT_OFFLINE});
}

void live_retained(struct live *live, bool offline, bool lost)
{
    live_decide(
        live, (struct core_event){
                  .type = offline ? CORE_EVENT_OFFLINE : CORE_EVENT_LINK,
                  .link = {.retained = true, .lost = lost},
              });
}

void live_pong(struct live *live, uint32_t before)
{
    live_decide(
        live, (struct core_event){
                  .type = CORE_EVENT_PONG,
                  .pong =
                      {
                          .id = live->bench.state.watch.probe_id - before,
                          .boot_id = live->bench.next.boot_id,
                      },
              });
}

void live_connect(struct live *live)
{
    live_decide(live, (struct core_event){.type = CORE_EVENT_CONNECTED});
}

void live_disconnect(struct live *live)
{
    live_decide(live, (struct core_event){.type = CORE_EVENT_DISCONNECTED});
}

void live_restart_asked(struct live *live, bool force, bool when_idle)
{
    live_decide(
        live, (struct core_event){.type = CORE_EVENT_RESTART, .restart = {force, when_idle}});
}

void live_tells_at(const struct live *live, const char *history, const char *file, int at)
{
    _assert_string_equal(live->history, history, file, at);
}
