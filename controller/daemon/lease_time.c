/* What is due, and what a standstill means. */
#include "controller/daemon/lease_inside.h"

bool lease_is_in_touch(const struct lease *lease, struct mono_time now)
{
    return lease->broker_is_up && now.ms - lease->touched_at.ms < LEASE_CUT_MS;
}

void lease_notice_standstill(
    struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    static const char why[] = "the loop stood still";

    if (now.ms - lease->stepped_at.ms <= LEASE_THIRD_MS) {
        return;
    }
    if (lease_is_leader(lease)) {
        lease_fall_silent(lease, now, why, actions);
    } else if (lease->broker_is_up) {
        lease_want_echo(lease, now); /* what lies in the inbox is from before */
        if (lease->role == LEASE_ANNOUNCES) {
            lease_stand_down(lease, now, why, actions);
        }
    }
}

static bool may_ask(const struct lease *lease, struct mono_time now)
{
    return lease->store_is_up && lease->asked == LEASE_ASK_NOTHING && now.ms >= lease->ask_at.ms;
}

static void
ask(struct lease *lease, enum lease_question question, struct mono_time now,
    struct lease_actions *actions)
{
    actions->ask = question;
    lease->asked = question;
    lease->asked_at = now;
    lease->ask_at.ms = now.ms + LEASE_THIRD_MS;
}

/* What the others say is known to this moment; else it is asked for. */
static bool has_just_heard(struct lease *lease, struct mono_time now)
{
    bool has = lease->known_at.ms != 0 && now.ms - lease->known_at.ms < LEASE_FRESH_MS;

    if (!has && !lease->echo_waits) {
        lease->echo_at = now;
    }
    return has;
}

/* C12's rule, without Redis: above everything heard, and above every epoch of an earlier day. */
static uint64_t own_epoch(const struct lease *lease, struct wall_time now)
{
    uint64_t seconds = now.ms > 0 ? (uint64_t)(now.ms / 1000) : 0;
    return (lease->heard > seconds ? lease->heard : seconds) + 1;
}

static void tick_echo(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    if (lease->broker_is_up && !lease->echo_waits && now.ms >= lease->echo_at.ms) {
        lease->echo_waits = true;
        lease->echo_asked_at = now;
        lease->heard_since_echo = 0;
        lease->echo_number++;
        actions->echo = true;
    }
}

static void inquire(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    for (size_t i = 0; i < lease->other_count; i++) {
        struct lease_other *other = &lease->others[i];
        if (other->leads && other->asked_at.ms != 0 &&
            now.ms - other->asked_at.ms >= LEASE_GONE_MS) {
            other->leads = false;
            other->runs = false;
        } else if (other->leads && other->asked_at.ms == 0 && now.ms >= lease->inquire_at.ms) {
            other->asked_at = now;
        }
    }
    if (now.ms >= lease->inquire_at.ms) {
        lease->inquire_at.ms = now.ms + LEASE_INQUIRE_MS;
        actions->tell = true;
    }
}

static bool yields(const struct lease *lease, struct mono_time now)
{
    return lease->store_is_up && lease_another_leads(lease) && now.ms < lease->yields_until.ms;
}

static void tick_standby(struct lease *lease, struct now now, struct lease_actions *actions)
{
    if (!lease->broker_is_read || !lease_is_in_touch(lease, now.mono) ||
        now.mono.ms < lease->rests_until.ms) {
        return;
    }
    if (lease->store_is_read && may_ask(lease, now.mono) && !yields(lease, now.mono) &&
        has_just_heard(lease, now.mono)) {
        ask(lease, LEASE_ASK_TAKE, now.mono, actions);
    }
    if (yields(lease, now.mono)) {
        lease->waiting_since = now.mono; /* it has not asked, so that no answer is due */
    }
    if (now.mono.ms - lease->waiting_since.ms < lease->patience_ms) {
        return;
    }
    if (lease_another_leads(lease)) {
        inquire(lease, now.mono, actions);
    } else if (has_just_heard(lease, now.mono)) {
        lease_announce(lease, now.mono, own_epoch(lease, now.wall), actions);
    }
}

static void tick_announced(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    if (!lease_is_in_touch(lease, now)) {
        lease_stand_down(lease, now, "cut off from the broker", actions);
    } else if (now.ms - lease->announced_at.ms >= LEASE_ANNOUNCE_MS) {
        lease_lead(lease, now, lease->epoch, false, actions);
    } else if (lease->store_is_read && may_ask(lease, now) && has_just_heard(lease, now)) {
        ask(lease, LEASE_ASK_TAKE, now, actions); /* Redis decides, where there is one */
    }
}

/* The broker spoke since the echo was asked for, and falls silent without it: it does not hear.
 * Unless the loop stood still itself, and the echo lies there. */
static bool is_unheard(const struct lease *lease, struct mono_time now)
{
    return lease->echo_waits && lease->heard_since_echo > 0 &&
           lease->heard_since_echo < LEASE_FLOOD &&
           now.ms - lease->echo_asked_at.ms >= LEASE_CUT_MS &&
           now.ms - lease->touched_at.ms >= LEASE_ECHO_MS &&
           now.ms - lease->stepped_at.ms <= LEASE_TICK_MS;
}

static void tick_leader(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    if (now.ms - lease->touched_at.ms >= LEASE_CUT_MS || is_unheard(lease, now)) {
        lease_give_back(lease, now, "cut off from the broker", actions);
        return;
    }
    if (lease->broker_is_up && may_ask(lease, now)) {
        if (lease->is_kept) {
            ask(lease, LEASE_ASK_RENEW, now, actions);
        } else if (
            lease->store_is_read && lease->role == LEASE_LEADS && has_just_heard(lease, now)) {
            ask(lease, LEASE_ASK_TAKE, now, actions);
        }
    }
    if (lease->role == LEASE_LEADS && mono_is_past(lease->again_at, now)) {
        lease->again_at = (struct mono_time){0};
        actions->publish_again = true;
    }
}

void lease_tick(struct lease *lease, struct now now, struct lease_actions *actions)
{
    if (lease->has_stopped) {
        return;
    }
    switch (lease->role) {
    case LEASE_STANDS_BY:
        tick_standby(lease, now, actions);
        break;
    case LEASE_ANNOUNCES:
        tick_announced(lease, now.mono, actions);
        break;
    case LEASE_LEADS:
    case LEASE_IS_SILENT:
        tick_leader(lease, now.mono, actions);
        break;
    }
    tick_echo(lease, now.mono, actions);
}

static void sooner(const struct lease *lease, int64_t at_ms, struct mono_time *first)
{
    if (at_ms > lease->stepped_at.ms && at_ms < first->ms) {
        first->ms = at_ms;
    }
}

/* Deadlines that have passed were met, or wait for something else than time. */
struct mono_time lease_wake_at(const struct lease *lease)
{
    struct mono_time first = {lease->stepped_at.ms + LEASE_TICK_MS};

    if (lease->has_stopped || (!lease->broker_is_up && !lease_is_leader(lease))) {
        return (struct mono_time){0};
    }
    sooner(lease, lease->echo_at.ms, &first);
    sooner(lease, lease->ask_at.ms, &first);
    sooner(lease, lease->rests_until.ms, &first);
    sooner(lease, lease->waiting_since.ms + lease->patience_ms, &first);
    sooner(lease, lease->announced_at.ms + LEASE_ANNOUNCE_MS, &first);
    sooner(lease, lease->touched_at.ms + LEASE_CUT_MS, &first);
    sooner(lease, lease->echo_asked_at.ms + LEASE_CUT_MS, &first);
    sooner(lease, lease->touched_at.ms + LEASE_ECHO_MS, &first);
    sooner(lease, lease->yields_until.ms, &first);
    sooner(lease, lease->inquire_at.ms, &first);
    sooner(lease, lease->again_at.ms, &first);
    return first;
}
