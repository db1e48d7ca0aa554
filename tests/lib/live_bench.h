/* A machine on the bench that is watched (C11): its history is what the tests compare.
 *
 *   "+15000 suspect probe; +17000 probe; +18000 error machine_error"
 *
 * is what happened since the mark, each with its milliseconds: health where it changed, probes,
 * notices (a fault with its name), answers to a restart in brackets. Time passes from one
 * `wake_at` to the next, and nothing may happen one millisecond before any of them.
 */
#ifndef TAGOUT_TESTS_LIVE_BENCH_H
#define TAGOUT_TESTS_LIVE_BENCH_H

#include "tests/lib/core_bench.h"

struct live {
    struct bench bench;
    int64_t mark_ms;
    char history[2048];
};

/* The controller is connected and the machine, up for an hour, has just sent its first report. */
void live_start(struct live *live);
/* Nothing was heard of it yet. */
void live_start_unheard(struct live *live);
/* The history begins here. */
void live_mark(struct live *live);

void live_elapse(struct live *live, int64_t ms);
/* Each acts now. The report is a heartbeat with the bench's `next`. */
void live_report(struct live *live);
void live_boot(struct live *live, const char *boot_id, double uptime_s);
void live_insert(struct live *live, const struct core_holder *holder);
void live_remove(struct live *live);
void live_link_lost(struct live *live);
void live_link_online(struct live *live);
void live_offline(struct live *live);
/* What the broker kept: `offline`, else `lost`, else `online`. */
void live_retained(struct live *live, bool offline, bool lost);
/* Answers the last probe, or the one `before` it. */
void live_pong(struct live *live, uint32_t before);
void live_connect(struct live *live);
void live_disconnect(struct live *live);
void live_restart_asked(struct live *live, bool force, bool when_idle);
void live_decide(struct live *live, struct core_event event);

#define live_tells(live, history) live_tells_at(live, history, __FILE__, __LINE__)
void live_tells_at(const struct live *live, const char *history, const char *file, int at);

#endif
