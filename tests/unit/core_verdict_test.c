/* C11's decision table, whole: every kind of doubt in every place of the settle window and in every
 * step of a probe cycle, each limit one millisecond before and at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/core/liveness.h"

#define BASE_MS 1000000
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* The table as the contract tells it, in another order and without its shortcuts. */
static enum core_verdict
expected(const struct core_liveness *liveness, const struct core_watch *watch, int64_t now_ms)
{
    int64_t heard_ms = watch->quiet_until.ms - liveness->recent_report_ms;
    bool silent = now_ms - heard_ms >= liveness->recent_report_ms;
    bool lost = watch->lost && now_ms - watch->lost_at.ms >= CORE_LINK_GRACE_MS;
    bool unanswered =
        watch->probes == 2 && now_ms - watch->probed_at.ms >= liveness->probe_timeout_ms;

    if (!lost && !silent) {
        return CORE_ALIVE;
    }
    return unanswered ? CORE_DEAD : CORE_BUSY;
}

static bool
is_probed(const struct core_liveness *liveness, const struct core_watch *watch, int64_t now_ms)
{
    int64_t since_ms = now_ms - watch->probed_at.ms;

    if (watch->probes == 0) {
        return now_ms >= watch->settle_until.ms && now_ms >= watch->quiet_until.ms;
    }
    return watch->probes == 1 && since_ms >= liveness->reprobe_delay_ms &&
           since_ms >= liveness->probe_timeout_ms;
}

static void
check(const struct core_liveness *liveness, const struct core_watch *watch, int64_t now_ms)
{
    struct core_judgement judgement = core_verdict(liveness, watch, (struct mono_time){now_ms});
    enum core_verdict verdict = expected(liveness, watch, now_ms);
    bool busy = verdict == CORE_BUSY;

    assert_int_equal(judgement.verdict, verdict);
    assert_int_equal(judgement.probe, busy && is_probed(liveness, watch, now_ms));
    assert_int_equal(judgement.settling, busy && now_ms < watch->settle_until.ms);
    /* There is always a next step, later than now, except after the last and before a probe. */
    assert_int_equal(judgement.again.ms == 0, verdict == CORE_DEAD || judgement.probe);
    assert_true(judgement.again.ms == 0 || judgement.again.ms > now_ms);
    /* Until then nothing changes, and then something does. */
    if (judgement.again.ms != 0) {
        struct core_judgement before =
            core_verdict(liveness, watch, (struct mono_time){judgement.again.ms - 1});
        struct core_judgement then =
            core_verdict(liveness, watch, (struct mono_time){judgement.again.ms});

        assert_true(before.verdict == judgement.verdict && before.probe == judgement.probe);
        assert_true(then.verdict != judgement.verdict || then.probe != judgement.probe);
    }
}

static size_t check_limits(const struct core_liveness *liveness, const struct core_watch *watch)
{
    const int64_t limits_ms[] = {
        BASE_MS,
        watch->quiet_until.ms,
        watch->settle_until.ms,
        watch->lost_at.ms,
        watch->lost_at.ms + CORE_LINK_GRACE_MS,
        watch->probed_at.ms + liveness->probe_timeout_ms,
        watch->probed_at.ms + liveness->reprobe_delay_ms,
        watch->probed_at.ms + liveness->reprobe_delay_ms + liveness->probe_timeout_ms,
    };

    for (size_t i = 0; i < COUNT_OF(limits_ms); i++) {
        for (int64_t off_ms = -1; off_ms <= 1; off_ms++) {
            check(liveness, watch, limits_ms[i] + off_ms);
        }
    }
    return COUNT_OF(limits_ms) * 3;
}

static void C11_the_table_at_each_limit(void **unused)
{
    static const struct core_liveness settings[] = {
        {15000, 60000, 2000, 1000},
        {15000, 0, 2000, 1000},
        {100, 60000, 30, 70}, /* the second probe waits for the first one's time */
        {3600000, 10, 2000, 1000},
    };
    static const int64_t places_ms[] = {-70000, -15000, -1000, -500, 0, 1, 499, 1000, 15000};
    size_t cells = 0;

    (void)unused;
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        for (size_t quiet = 0; quiet < COUNT_OF(places_ms); quiet++) {
            for (size_t settle = 0; settle < COUNT_OF(places_ms); settle++) {
                for (size_t lost = 0; lost <= COUNT_OF(places_ms); lost++) {
                    for (uint8_t probes = 0; probes <= 2; probes++) {
                        bool is_lost = lost < COUNT_OF(places_ms);
                        struct core_watch watch = {
                            .connected = true,
                            .lost = is_lost,
                            .probes = probes,
                            .quiet_until = {BASE_MS + places_ms[quiet]},
                            .settle_until = {BASE_MS + places_ms[settle]},
                            .lost_at = {is_lost ? BASE_MS + places_ms[lost] : BASE_MS},
                        };

                        /* A probe is sent when both are over, and never before. */
                        watch.probed_at = quiet > settle ? watch.quiet_until : watch.settle_until;
                        cells += check_limits(&settings[i], &watch);
                    }
                }
            }
        }
    }
    print_message("note: %zu cells of the table\n", cells);
    assert_true(cells > 200000);
}

static void C11_1_the_defaults_are_the_contracts(void **unused)
{
    (void)unused;
    assert_int_equal(core_liveness_default.recent_report_ms, 15000);
    assert_int_equal(core_liveness_default.settle_ms, 60000);
    assert_int_equal(core_liveness_default.reprobe_delay_ms, 2000);
    assert_int_equal(core_liveness_default.probe_timeout_ms, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C11_the_table_at_each_limit),
        cmocka_unit_test(C11_1_the_defaults_are_the_contracts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
