/* One machine under any row of events: what the core is told, and what must be true of its answers.
 */
#ifndef TAGOUT_TESTS_FUZZ_CORE_FUZZ_H
#define TAGOUT_TESTS_FUZZ_CORE_FUZZ_H

#include "controller/core/decide.h"

struct play {
    struct core_config config;
    bool swapped;  /* who may what */
    unsigned gone; /* bits of cards whose holder is not configured */
    struct core_state state;
    struct now now;
    uint64_t epoch;
    struct version loaded;
    bool in_doubt;
    size_t boot;
    int64_t booted_ms;
    uint32_t probe_id;
    struct mono_time wake_at;
    bool put_in; /* the card that is in was told of as put in, after its boot's first report */
    bool restart_waits;
};

/* Decides, and checks: I1 to I6, and that everything is told exactly once. */
void core_play(struct play *play, const struct core_event *event);

#endif
