/* Whether Slack works, by what became of its messages. Pure. */
#ifndef TAGOUT_WATCHER_SLACK_HEALTH_H
#define TAGOUT_WATCHER_SLACK_HEALTH_H

#include "controller/watcher/slack_answer.h"

/* A single failure may be a flake, and to be slowed down is no fault, unless it goes on. */
#define SLACK_HEALTH_FAILURES 2
#define SLACK_HEALTH_LIMITED 3
#define SLACK_HEALTH_LIMITED_MS 60000

struct slack_health {
    unsigned failures; /* in a row, over all rooms */
    unsigned limited;  /* the same */
};

enum slack_health_change {
    SLACK_HEALTH_AS_BEFORE,
    SLACK_HEALTH_WORKS,
    SLACK_HEALTH_BROKEN, /* for the verdict's reason */
};

enum slack_health_change
slack_health_note(struct slack_health *health, const struct slack_verdict *verdict);

#endif
