/* C6 `restart`, C11.5: a restart goes out when the machine is there and nobody uses it, or says
 * why it does not. */
#include "controller/core/rules.h"

#define WAIT_FOR_LIFE_MS 60000

static enum core_restart refusal(const struct core_state *state, bool force)
{
    switch (state->health) {
    case CORE_HEALTH_UNKNOWN:
    case CORE_HEALTH_COUNT:
        return CORE_RESTART_UNHEARD;
    case CORE_HEALTH_OFFLINE:
        return CORE_RESTART_SIGNED_OFF;
    case CORE_HEALTH_ERROR:
        return CORE_RESTART_DEAD;
    case CORE_HEALTH_ONLINE:
    case CORE_HEALTH_SETTLING:
    case CORE_HEALTH_SUSPECT:
        break;
    }
    if (force || !core_mode_relay(state->mode)) {
        return CORE_RESTART_NONE;
    }
    /* C7.6: the device would refuse. */
    return core_mode_is_session(state->mode) ? CORE_RESTART_IN_USE : CORE_RESTART_ALWAYS_ON;
}

/* A state that was only loaded says nothing about now. */
static bool is_there(const struct core_state *state)
{
    return state->health == CORE_HEALTH_ONLINE && state->watch.heard_at.ms != 0;
}

/* Opens the settle window (C11.2): the silence that follows was asked for. */
static void go(struct decision *decision, bool force)
{
    struct core_watch *watch = &decision->state->watch;

    watch->waiting = CORE_WAITING_NONE;
    watch->restarting = true;
    watch->settle_until.ms = decision->event->now.mono.ms + core_liveness_of(decision)->settle_ms;
    decision->effects->restart = CORE_RESTART_GO;
    decision->effects->restart_force = force;
}

static void wait_for_life(struct decision *decision)
{
    struct core_watch *watch = &decision->state->watch;

    watch->waiting = CORE_WAITING_LIFE;
    watch->waiting_until.ms = decision->event->now.mono.ms + WAIT_FOR_LIFE_MS;
}

void core_rule_restart(struct decision *decision)
{
    struct core_state *state = decision->state;
    const struct core_restart_asked *asked = &decision->event->restart;
    enum core_restart why = refusal(state, asked->force);

    decision->effects->rule = CORE_RULE_RESTART;
    if (state->watch.waiting != CORE_WAITING_NONE) {
        decision->effects->restart = CORE_RESTART_PENDING;
        return;
    }
    if (why == CORE_RESTART_IN_USE && asked->when_idle) {
        state->watch.waiting = CORE_WAITING_IDLE;
    } else if (why == CORE_RESTART_NONE && !is_there(state)) {
        wait_for_life(decision);
    } else if (why == CORE_RESTART_NONE) {
        go(decision, asked->force);
        return;
    }
    state->watch.waiting_force = asked->force;
    decision->effects->restart =
        state->watch.waiting != CORE_WAITING_NONE ? CORE_RESTART_QUEUED : why;
}

/* After each other event: what waits may go, must go on waiting, or is refused. */
void core_run_restart(struct decision *decision)
{
    struct core_state *state = decision->state;
    struct core_watch *watch = &state->watch;
    enum core_restart why = refusal(state, watch->waiting_force);

    if (watch->waiting == CORE_WAITING_NONE || decision->event->type == CORE_EVENT_RESTART) {
        return;
    }
    if (watch->waiting == CORE_WAITING_IDLE && why == CORE_RESTART_IN_USE) {
        return;
    }
    if (why == CORE_RESTART_NONE && is_there(state)) {
        go(decision, watch->waiting_force);
        return;
    }
    if (why == CORE_RESTART_NONE && watch->waiting == CORE_WAITING_IDLE) {
        wait_for_life(decision);
        return;
    }
    if (why == CORE_RESTART_NONE) {
        if (decision->event->now.mono.ms < watch->waiting_until.ms) {
            return;
        }
        why = CORE_RESTART_TOO_LATE;
    }
    watch->waiting = CORE_WAITING_NONE;
    decision->effects->restart = why;
}
