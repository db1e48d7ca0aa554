/* What the controller counts of what it does, for metrics. */
#ifndef TAGOUT_DAEMON_COUNTERS_H
#define TAGOUT_DAEMON_COUNTERS_H

#include <stdint.h>

#include "controller/core/effect.h"
#include "controller/support/histogram.h"
#include "topics/member.h"
#include "topics/request.h"
#include "topics/topic.h"

/* Counted under tagout_NAME_total. */
#define COUNTER_LIST(X)                                                                            \
    X(reports, "Reports that were judged")                                                         \
    X(reports_merged, "Reports merged into a newer one of the same machine")                       \
    X(reports_duplicate, "Reports that came twice")                                                \
    X(reports_superseded, "Reports of a boot that another one superseded")                         \
    X(bad_messages, "Other messages that were malformed and changed nothing")                      \
    X(stranger_messages, "Messages of machines that are not configured")                           \
    X(retained_discarded, "Messages that must not arrive retained")                                \
    X(announcements, "Messages about machines to Home Assistant")                                  \
    X(commands, "Commands published")                                                              \
    X(states, "States published")                                                                  \
    X(probes, "Probes published")                                                                  \
    X(pongs, "Probes answered")                                                                    \
    X(probes_failed, "Machines that answered no probe, and count as dead")                         \
    X(stalls, "Times that the loop stood still, so that all silences counted anew")                \
    X(publishes_lost, "Messages that the full outbox refused")                                     \
    X(requests, "Requests that came")                                                              \
    X(requests_refused, "Requests answered with an error")                                         \
    X(requests_busy, "Requests answered busy")                                                     \
    X(saves_started, "Saves that were sent to Redis")                                              \
    X(saves, "States saved")                                                                       \
    X(saves_refused, "Saves that Redis refused")                                                   \
    X(saves_lost, "Saves whose connection broke before the answer")                                \
    X(save_timeouts, "Saves that missed their budget")                                             \
    X(bad_records, "Stored records that could not be read")                                        \
    X(held_dropped, "Messages that waited to be acted upon and were given up")                     \
    X(reloads, "Configurations taken over")                                                        \
    X(reloads_failed, "Reloads that changed nothing")

struct counters {
#define COUNTER_FIELD(name, help) uint64_t name;
    COUNTER_LIST(COUNTER_FIELD)
#undef COUNTER_FIELD
    uint64_t bad_reports[MEMBER_FLAW_COUNT];
    uint64_t events[CORE_NOTICE_COUNT + 1]; /* the last: `save_timeout` */
    uint64_t published[TOPIC_COUNT];
    /* By verb, the last: unknown; and by enum response_status. */
    uint64_t answers[REQUEST_VERB_COUNT + 1][RESPONSE_STATUS_COUNT];
    struct histogram decisions;  /* from a report's arrival to its command */
    struct histogram save_times; /* from a save's start to Redis' answer */
};

#endif
