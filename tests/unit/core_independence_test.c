/* C11.5: access does not depend on who is alive. A machine that is watched, under random events and
 * at random times, decides about access as one of which only the access events are told. (What
 * C11.7's lockout does is access on purpose, and is tested elsewhere.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/core_bench.h"
#include "tests/lib/core_same.h"

#define RUNS 400
#define STEPS 400

static struct bench watched;
static struct bench plain;
static uint64_t seed;

static unsigned pick(unsigned count)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % count;
}

static bool is_access(const struct core_notice *notice)
{
    bool is_fault = notice->type == CORE_NOTICE_FAULT || notice->type == CORE_NOTICE_FAULT_CLEARED;

    if (is_fault) {
        return notice->fault == CORE_FAULT_USER_REVOKED;
    }
    return notice->type != CORE_NOTICE_LINK_LOST && notice->type != CORE_NOTICE_MACHINE_ERROR &&
           notice->type != CORE_NOTICE_MACHINE_RECOVERED &&
           notice->type != CORE_NOTICE_MACHINE_OFFLINE;
}

/* The next access notice from `from` on; NULL for none. */
static const struct core_notice *next_notice(const struct core_effects *effects, size_t *from)
{
    while (*from < effects->notice_count) {
        const struct core_notice *notice = &effects->notices[(*from)++];

        if (is_access(notice)) {
            return notice;
        }
    }
    return NULL;
}

static void assert_same_notices(const struct core_effects *one, const struct core_effects *other)
{
    size_t i = 0;
    size_t j = 0;
    const struct core_notice *a = NULL;
    const struct core_notice *b = NULL;

    do {
        a = next_notice(one, &i);
        b = next_notice(other, &j);
        assert_int_equal(a == NULL, b == NULL);
        if (a != NULL) {
            assert_int_equal(a->type, b->type);
            assert_int_equal(a->reason, b->reason);
            assert_int_equal(a->source, b->source);
            assert_string_equal(a->user.name, b->user.name);
        }
    } while (a != NULL);
}

static void assert_same_access(void)
{
    struct core_state one = watched.state;
    struct core_state other = plain.state;

    one.health = other.health = CORE_HEALTH_UNKNOWN;
    one.faults &= CORE_FAULT(CORE_FAULT_USER_REVOKED);
    other.faults &= CORE_FAULT(CORE_FAULT_USER_REVOKED);
    assert_true(core_same_state(&one, &other));
}

static void both(struct core_event event)
{
    plain.now = watched.now;
    core_bench_decide(&watched, event);
    core_bench_decide(&plain, event);
    assert_same_access();
    assert_same_notices(&watched.effects, &plain.effects);
    assert_int_equal(watched.effects.command, plain.effects.command);
    assert_int_equal(watched.effects.save, plain.effects.save);
    assert_int_equal(watched.effects.dropped, plain.effects.dropped);
    assert_int_equal(watched.effects.flag_changed, plain.effects.flag_changed);
}

static void report(const char *boot_id)
{
    static const struct core_holder *const holders[] = {&ADA, &EVE, &BOB, &MIA};
    struct core_report *next = &watched.next;

    if (pick(2) == 0) {
        unsigned who = pick(5);

        next->holder = who < 4 ? holders[who] : NULL;
        next->card = who < 4 ? core_bench_card(holders[who]) : "";
    }
    next->boot_id = boot_id;
    next->oops = pick(12) == 0;
    next->emergency = pick(12) == 0;
    next->seq += pick(8) != 0;
    next->has_reader_ok = pick(4) == 0;
    next->reader_ok = pick(2) == 0;
    both((struct core_event){.type = CORE_EVENT_REPORT, .report = *next});
}

static void access_event(void)
{
    static const char *const boots[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    const char *current = watched.next.boot_id;
    const char *boot_id = pick(20) == 0 ? boots[pick(8)] : current;

    switch (pick(12)) {
    case 0:
        both((struct core_event){.type = CORE_EVENT_SET_OOPS, .set = {pick(2) == 0}});
        break;
    case 1:
        both((struct core_event){.type = CORE_EVENT_SET_LOCKOUT, .set = {pick(2) == 0}});
        break;
    case 2:
        both((struct core_event){.type = CORE_EVENT_END});
        break;
    case 3:
        both((struct core_event){.type = CORE_EVENT_OFFLINE});
        break;
    case 4:
        both((struct core_event){.type = CORE_EVENT_CONFIG});
        break;
    default:
        report(boot_id);
    }
}

static void watch_event(void)
{
    static const enum core_event_type types[] = {
        CORE_EVENT_LINK,         CORE_EVENT_LINK,    CORE_EVENT_PONG, CORE_EVENT_CONNECTED,
        CORE_EVENT_DISCONNECTED, CORE_EVENT_RESTART, CORE_EVENT_WAKE, CORE_EVENT_OFFLINE,
    };
    struct core_event event = {.type = types[pick(8)]};

    if (event.type == CORE_EVENT_LINK) {
        event.link = (struct core_link){.retained = pick(4) == 0, .lost = pick(3) != 0};
    } else if (event.type == CORE_EVENT_OFFLINE) {
        event.link.retained = true;
    } else if (event.type == CORE_EVENT_PONG) {
        event.pong = (struct core_pong){watched.state.watch.probe_id - pick(3), "a"};
    } else if (event.type == CORE_EVENT_RESTART) {
        event.restart = (struct core_restart_asked){pick(2) == 0, pick(2) == 0};
    }
    core_bench_decide(&watched, event);
    assert_false(watched.effects.command || watched.effects.save);
    /* `confirmed` ends with the clock, whoever looks at it first. */
    plain.now = watched.now;
    core_bench_wake(&plain);
    assert_same_access();
}

/* From one wake to the next, as the loop does; sometimes it is late. */
static void elapse(void)
{
    static const int64_t spans_ms[] = {0, 1, 100, 1000, 1000, 5000, 10000, 15000, 20000, 90000};
    int64_t end_ms = watched.now.mono.ms + spans_ms[pick(10)];
    bool late = pick(10) == 0;

    while (!late && watched.effects.wake_at.ms != 0 && watched.effects.wake_at.ms <= end_ms) {
        int64_t ms = watched.effects.wake_at.ms - watched.now.mono.ms;

        core_bench_elapse(&watched, ms > 0 ? ms : 0);
        core_bench_wake(&watched);
        assert_false(watched.effects.command || watched.effects.save);
    }
    core_bench_elapse(&watched, end_ms - watched.now.mono.ms);
    plain.now = watched.now;
    core_bench_wake(&watched);
    core_bench_wake(&plain);
    assert_same_access();
}

static void C11_5_access_is_the_same_whoever_is_alive(void **unused)
{
    size_t seen[CORE_HEALTH_COUNT] = {0};
    size_t on = 0;

    (void)unused;
    for (uint64_t run = 1; run <= RUNS; run++) {
        seed = run * 0x9e3779b97f4a7c15U;
        core_bench_start(&watched, pick(2) == 0 ? SECOND_ABSENT : SECOND_PLAIN);
        watched.config.always_enabled = pick(4) == 0;
        watched.config.unauthorized_warn_only = pick(4) == 0;
        watched.config.mains_switched = pick(4) == 0;
        watched.next.boot_id = "a";
        plain = watched;
        core_bench_decide(&watched, (struct core_event){.type = CORE_EVENT_CONNECTED});
        for (int step = 0; step < STEPS; step++) {
            switch (pick(4)) {
            case 0:
                elapse();
                break;
            case 1:
                access_event();
                break;
            default:
                watch_event();
            }
            seen[watched.state.health]++;
            on += core_mode_relay(watched.state.mode);
        }
    }
    /* A walk in which nothing is doubted would prove nothing. */
    for (int health = 1; health < CORE_HEALTH_COUNT; health++) {
        print_message(
            "note: %zu steps %s\n", seen[health], core_health_text((enum core_health)health));
        assert_true(seen[health] > 1000);
    }
    assert_true(on > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C11_5_access_is_the_same_whoever_is_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
