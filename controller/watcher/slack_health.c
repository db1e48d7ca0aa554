#include "controller/watcher/slack_health.h"

enum slack_health_change
slack_health_note(struct slack_health *health, const struct slack_verdict *verdict)
{
    bool is_broken = true;

    if (verdict->works) {
        *health = (struct slack_health){0};
        return SLACK_HEALTH_WORKS;
    }
    switch (verdict->outcome.kind) {
    case SLACK_RATE_LIMITED:
        is_broken = ++health->limited >= SLACK_HEALTH_LIMITED ||
                    verdict->outcome.wait_ms >= SLACK_HEALTH_LIMITED_MS;
        break;
    case SLACK_FAILED:
        is_broken = ++health->failures >= SLACK_HEALTH_FAILURES;
        break;
    case SLACK_DELIVERED:
    case SLACK_REFUSED:
    case SLACK_DECLINED:
    case SLACK_HOPELESS:
        health->failures++;
        break;
    }
    return is_broken ? SLACK_HEALTH_BROKEN : SLACK_HEALTH_AS_BEFORE;
}
