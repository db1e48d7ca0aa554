#include "controller/core/liveness.h"

const struct core_liveness core_liveness_default = {
    .recent_report_ms = 15000,
    .settle_ms = 60000,
    .reprobe_delay_ms = 2000,
    .probe_timeout_ms = 1000,
};

static int64_t later(int64_t one_ms, int64_t other_ms)
{
    return one_ms > other_ms ? one_ms : other_ms;
}

/* C11.1: `link` became `lost`, or nothing was heard for too long. */
static int64_t doubt_from_ms(const struct core_watch *watch)
{
    int64_t lost_ms = watch->lost_at.ms + CORE_LINK_GRACE_MS;

    return watch->lost && lost_ms < watch->quiet_until.ms ? lost_ms : watch->quiet_until.ms;
}

struct core_judgement core_verdict(
    const struct core_liveness *liveness, const struct core_watch *watch, struct mono_time now)
{
    struct core_judgement judgement = {.verdict = CORE_BUSY};
    int64_t due_ms = doubt_from_ms(watch);

    if (now.ms < due_ms) {
        judgement.verdict = CORE_ALIVE;
        judgement.again.ms = due_ms;
        return judgement;
    }
    judgement.settling = now.ms < watch->settle_until.ms;
    switch (watch->probes) {
    case 0: /* C11.2, then C11.3 */
        due_ms = later(watch->settle_until.ms, watch->quiet_until.ms);
        judgement.probe = now.ms >= due_ms;
        break;
    case 1: /* C11.4: not before the first has had its time */
        due_ms =
            watch->probed_at.ms + later(liveness->reprobe_delay_ms, liveness->probe_timeout_ms);
        judgement.probe = now.ms >= due_ms;
        break;
    default:
        due_ms = watch->probed_at.ms + liveness->probe_timeout_ms;
        if (now.ms >= due_ms) {
            judgement.verdict = CORE_DEAD;
        }
    }
    if (now.ms < due_ms) {
        judgement.again.ms = due_ms;
    }
    return judgement;
}
