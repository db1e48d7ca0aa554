/* What Redis answers, and what the others say of themselves. */
#include <string.h>

#include "controller/daemon/lease_inside.h"
#include "controller/support/text.h"
#include "controller/support/version.h"

/* ---- the others ---- */

/* C12.2: the newer epoch stays, of equal ones the smaller id. A status of its own id with a newer
 * epoch is another process under that id. */
static bool beats(const struct lease *lease, const struct lease_other *other)
{
    return other->epoch > lease->epoch ||
           (other->leads && other->epoch == lease->epoch && strcmp(other->id, lease->id) < 0);
}

/* The same epoch, by a controller that gives way. It may have led under it, with Redis's word, so
 * that nobody else may any more. */
static bool is_claimed_by(const struct lease *lease, const struct lease_other *other)
{
    return other->leads && other->epoch == lease->epoch && strcmp(other->id, lease->id) != 0;
}

/* Beyond the limit the newest takes the last one's place: whoever leads is seen when it speaks. */
static struct lease_other *find_other(struct lease *lease, const char *id)
{
    struct lease_other *other;

    for (size_t i = 0; i < lease->other_count; i++) {
        if (strcmp(lease->others[i].id, id) == 0) {
            return &lease->others[i];
        }
    }
    if (lease->other_count < LEASE_OTHERS_MAX) {
        lease->other_count++;
    }
    other = &lease->others[lease->other_count - 1];
    *other = (struct lease_other){0};
    return other;
}

void lease_on_status(
    struct lease *lease, const struct lease_status *status, struct mono_time now,
    struct lease_actions *actions)
{
    struct lease_other seen = {
        .runs = status->runs,
        .leads = status->runs && status->leads,
        .without_redis = status->without_redis,
        .epoch = status->epoch,
    };

    text_copy(seen.id, sizeof seen.id, status->id);
    lease_hear(lease, status->epoch);
    if (strcmp(seen.id, lease->id) != 0) {
        struct lease_other *other = find_other(lease, seen.id);
        if (other->leads && !seen.leads && lease->role == LEASE_STANDS_BY) {
            lease->ask_at = now; /* the leader has gone */
        }
        if (seen.leads) {
            lease->rests_until = (struct mono_time){0}; /* it was taken; the next may be ours */
        }
        *other = seen;
        /* It cannot reach Redis, and wants to know whether somebody leads. */
        actions->tell =
            lease->role != LEASE_STANDS_BY && seen.runs && !seen.leads && seen.without_redis;
    }
    if (lease->role != LEASE_STANDS_BY && beats(lease, &seen)) {
        lease_stand_down(lease, now, "another controller says so on the broker", actions);
    } else if (lease->role == LEASE_ANNOUNCES && is_claimed_by(lease, &seen)) {
        lease_announce(lease, now, lease->heard + 1, actions);
    }
}

/* Whoever led under it may have gone since, and its status with it. */
void lease_on_heard(
    struct lease *lease, uint64_t epoch, struct mono_time now, struct lease_actions *actions)
{
    lease_hear(lease, epoch);
    if (lease->role != LEASE_STANDS_BY && epoch > lease->epoch &&
        epoch <= VERSION_EPOCH_HEARD_MAX) {
        lease_stand_down(lease, now, "a newer epoch is retained on the broker", actions);
    }
}

void lease_on_echo(
    struct lease *lease, uint32_t number, struct mono_time now, struct lease_actions *actions)
{
    if (!lease->echo_waits || number != lease->echo_number) {
        return; /* asked for before a standstill, or over another connection */
    }
    lease->echo_waits = false;
    lease->known_at = lease->echo_asked_at;
    lease->touched_at = now;
    lease->echo_at.ms = now.ms + LEASE_ECHO_MS;
    lease_speak(lease, actions);
}

/* ---- Redis ---- */

/* Forgets the question, and returns which one it was. */
static enum lease_question answered(struct lease *lease, const struct lease_event *event)
{
    enum lease_question asked = lease->asked;

    lease->asked = LEASE_ASK_NOTHING;
    /* Redis answers: the next answer is not due before the next question. */
    lease->waiting_since.ms = event->now.mono.ms + LEASE_THIRD_MS;
    lease_hear(lease, event->answer.epoch);
    return asked;
}

static void
on_taken(struct lease *lease, uint64_t epoch, struct mono_time now, struct lease_actions *actions)
{
    if (lease_is_leader(lease)) {
        /* It leads on, under an epoch that Redis knows. In a silence the answer may be from before
         * it, and it is asked again after. */
        if (lease->role == LEASE_LEADS && epoch > lease->epoch) {
            lease_lead(lease, now, epoch, true, actions);
        }
    } else if (!lease->broker_is_read || !lease_is_in_touch(lease, now)) {
        lease_give_back(lease, now, "the broker was lost meanwhile", actions);
    } else if (
        (lease->role == LEASE_ANNOUNCES && epoch < lease->epoch) ||
        now.ms - lease->asked_at.ms >= LEASE_MS) {
        /* Asked before it announced itself, and below what it announced; or the answer took so long
         * that the lease may have run out. */
        lease->ask_at = now;
    } else {
        lease_lead(lease, now, epoch, true, actions);
    }
}

static void
on_renewed(struct lease *lease, uint64_t epoch, struct mono_time now, struct lease_actions *actions)
{
    if (!lease_is_leader(lease)) {
        return;
    }
    if (epoch > lease->epoch) {
        lease_stand_down(lease, now, "Redis knows a newer epoch", actions);
    } else if (epoch < lease->epoch) {
        lease->is_kept = false; /* Redis was rolled back: taking it again raises its epoch */
        lease->ask_at = now;
    }
}

void lease_on_ours(
    struct lease *lease, const struct lease_event *event, struct lease_actions *actions)
{
    enum lease_question asked = answered(lease, event);

    lease->confirmed_at = lease->asked_at;
    if (asked == LEASE_ASK_TAKE) {
        on_taken(lease, event->answer.epoch, event->now.mono, actions);
    } else if (asked == LEASE_ASK_RENEW) {
        on_renewed(lease, event->answer.epoch, event->now.mono, actions);
    }
}

void lease_on_other(
    struct lease *lease, const struct lease_event *event, struct lease_actions *actions)
{
    enum lease_question asked = answered(lease, event);
    int64_t remaining_ms = event->answer.remaining_ms;

    if (asked == LEASE_ASK_NOTHING) {
        return;
    }
    if (lease->role != LEASE_STANDS_BY) {
        lease_stand_down(lease, event->now.mono, "another controller has the lease", actions);
    }
    if (remaining_ms >= 0 && remaining_ms < LEASE_THIRD_MS) {
        lease->ask_at.ms = event->now.mono.ms + remaining_ms + 1;
    }
    if (!lease_another_leads(lease) && lease->ask_at.ms > event->now.mono.ms + LEASE_SOON_MS) {
        lease->ask_at.ms = event->now.mono.ms + LEASE_SOON_MS;
    }
}

/* Nobody has it: it ran out while Redis was not reached, or Redis lost it. Unless somebody led
 * meanwhile, which the epoch would show, it is taken anew; till then there is only one leader. */
void lease_on_free(
    struct lease *lease, const struct lease_event *event, struct lease_actions *actions)
{
    enum lease_question asked = answered(lease, event);

    if (asked == LEASE_ASK_NOTHING || !lease_is_leader(lease)) {
        return;
    }
    if (event->answer.epoch > lease->epoch) {
        lease_stand_down(lease, event->now.mono, "Redis knows a newer epoch", actions);
    } else {
        lease->is_kept = false;
        lease->ask_at = event->now.mono;
    }
}
