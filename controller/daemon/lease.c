#include "controller/daemon/lease.h"

#include "controller/daemon/lease_inside.h"
#include "controller/support/text.h"
#include "controller/support/version.h"

void lease_init(
    struct lease *lease, const char *id, const char *token, int64_t patience_ms, struct now now)
{
    *lease = (struct lease){
        .role = LEASE_STANDS_BY,
        .patience_ms = patience_ms,
        .own_id_at_once = true,
        .stepped_at = now.mono,
        .waiting_since = now.mono,
    };
    text_copy(lease->id, sizeof lease->id, id);
    text_copy(lease->token, sizeof lease->token, token);
}

void lease_hear(struct lease *lease, uint64_t epoch)
{
    if (epoch > lease->heard && epoch <= VERSION_EPOCH_HEARD_MAX) {
        lease->heard = epoch;
    }
}

bool lease_is_leader(const struct lease *lease)
{
    return lease->role == LEASE_LEADS || lease->role == LEASE_IS_SILENT;
}

bool lease_may_speak(const struct lease *lease)
{
    return lease->role == LEASE_LEADS;
}

void lease_touch(struct lease *lease, struct mono_time now, struct mono_time received_at)
{
    if (!lease->broker_is_up) {
        return;
    }
    lease->heard_since_echo++;
    if (lease->echo_waits && received_at.ms - lease->echo_asked_at.ms >= LEASE_CUT_MS &&
        lease->heard_since_echo < LEASE_FLOOD) {
        lease->touched_at = lease->echo_asked_at;
    } else {
        lease->touched_at = now;
    }
}

bool lease_another_leads(const struct lease *lease)
{
    for (size_t i = 0; i < lease->other_count; i++) {
        if (lease->others[i].leads) {
            return true;
        }
    }
    return false;
}

bool lease_has_standby(const struct lease *lease)
{
    for (size_t i = 0; i < lease->other_count; i++) {
        if (lease->others[i].runs && !lease->others[i].without_redis) {
            return true;
        }
    }
    return false;
}

void lease_want_echo(struct lease *lease, struct mono_time now)
{
    lease->echo_waits = false;
    lease->echo_at = now;
    lease->known_at = (struct mono_time){0};
}

/* ---- changes of the role ---- */

void lease_lead(
    struct lease *lease, struct mono_time now, uint64_t epoch, bool is_kept,
    struct lease_actions *actions)
{
    lease->role = LEASE_LEADS;
    lease->epoch = epoch;
    lease->is_kept = is_kept;
    lease->own_id_at_once = lease->own_id_at_once && !is_kept;
    lease->again_at.ms = now.ms + LEASE_AGAIN_MS;
    lease_want_echo(lease, now); /* one from now on tells that all before it was heard */
    lease_hear(lease, epoch);
    actions->stand_down = false; /* from what was announced, in this very step: now it is so */
    actions->why = NULL;
    actions->lead = true;
}

void lease_announce(
    struct lease *lease, struct mono_time now, uint64_t epoch, struct lease_actions *actions)
{
    lease->role = LEASE_ANNOUNCES;
    lease->epoch = epoch;
    lease->announced_at = now;
    lease_hear(lease, epoch);
    actions->announce = true;
}

void lease_fall_silent(
    struct lease *lease, struct mono_time now, const char *why, struct lease_actions *actions)
{
    actions->fall_silent = lease->role == LEASE_LEADS;
    actions->why = why;
    lease->role = LEASE_IS_SILENT;
    lease_want_echo(lease, now);
    lease->touched_at = now; /* an echo may lie in the inbox: the broker has its time anew */
    lease->ask_at = now;
}

void lease_speak(struct lease *lease, struct lease_actions *actions)
{
    if (lease->role == LEASE_IS_SILENT) {
        lease->role = LEASE_LEADS;
        actions->speak = true;
    }
}

void lease_stand_down(
    struct lease *lease, struct mono_time now, const char *why, struct lease_actions *actions)
{
    if (lease_is_leader(lease)) {
        lease->broker_is_read = false; /* both are read anew before it leads again */
        lease->store_is_read = false;
    } else {
        lease->epoch = 0; /* it was announced, and never used */
    }
    lease->role = LEASE_STANDS_BY;
    lease->is_kept = false;
    lease->again_at = (struct mono_time){0};
    lease->ask_at.ms = now.ms + LEASE_THIRD_MS;
    lease->waiting_since = now;
    *actions = (struct lease_actions){.stand_down = true, .why = why};
}

/* The token is compared there: a lease that is another's by now stays another's. A question that is
 * under way is carried out before the release, and its answer means nothing any more. */
void lease_give_back(
    struct lease *lease, struct mono_time now, const char *why, struct lease_actions *actions)
{
    lease_stand_down(lease, now, why, actions);
    actions->release = true;
    lease->asked = LEASE_ASK_NOTHING;
}

/* ---- the broker and the store come and go ---- */

static void on_broker_up(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    lease->broker_is_up = true;
    lease->other_count = 0; /* what is retained tells who is there now */
    lease_want_echo(lease, now);
    if (lease_is_leader(lease)) {
        /* After each connect the others are read first (C12.2): the echo comes behind them. */
        lease_fall_silent(
            lease, now, "connected again: what the others say is read first", actions);
    } else {
        lease->broker_is_read = false;
    }
}

static void on_broker_read(struct lease *lease, struct mono_time now)
{
    if (lease->broker_is_up && !lease_is_leader(lease)) {
        lease->broker_is_read = true;
        lease->touched_at = now;
        lease->waiting_since = now; /* Redis may have come up just now, too */
        lease->ask_at = now;
    }
}

static void on_broker_down(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    lease->broker_is_up = false;
    lease->echo_waits = false;
    if (!lease_is_leader(lease)) {
        lease->broker_is_read = false;
    }
    if (lease->role == LEASE_ANNOUNCES) {
        lease_stand_down(lease, now, "the broker was lost", actions);
    }
}

static void on_store_up(struct lease *lease, struct mono_time now)
{
    lease->store_is_up = true;
    if (lease->store_was_up) {
        lease->yields_until.ms = now.ms + LEASE_MS;
    }
    lease->store_was_up = true;
    if (lease_is_leader(lease)) {
        lease->ask_at = now;
    } else if (lease->role == LEASE_STANDS_BY) {
        lease->waiting_since = now; /* it has its time anew, also where it is not asked at once */
    }
}

static void on_store_down(struct lease *lease)
{
    lease->store_is_up = false;
    if (!lease_is_leader(lease)) {
        lease->store_is_read = false;
    }
}

/* ---- what people want ---- */

static void on_hand_over(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    if (lease_is_leader(lease) && lease_has_standby(lease)) {
        lease_give_back(lease, now, "handed over", actions);
        lease->rests_until.ms = now.ms + LEASE_MS;
    }
}

static void on_stop(struct lease *lease, struct mono_time now, struct lease_actions *actions)
{
    if (lease_is_leader(lease) || lease->asked == LEASE_ASK_TAKE) {
        lease_give_back(lease, now, "the process ends", actions);
    }
    lease->has_stopped = true;
}

void lease_step(
    struct lease *lease, const struct lease_event *event, struct lease_actions *ret_actions)
{
    struct mono_time now = event->now.mono;

    *ret_actions = (struct lease_actions){0};
    lease_notice_standstill(lease, now, ret_actions);
    switch (event->type) {
    case LEASE_TICK:
    case LEASE_EVENT_COUNT:
        break;
    case LEASE_BROKER_UP:
        on_broker_up(lease, now, ret_actions);
        break;
    case LEASE_BROKER_READ:
        on_broker_read(lease, now);
        break;
    case LEASE_BROKER_ECHO:
        lease_on_echo(lease, event->number, now, ret_actions);
        break;
    case LEASE_BROKER_DOWN:
        on_broker_down(lease, now, ret_actions);
        break;
    case LEASE_STORE_UP:
        on_store_up(lease, now);
        break;
    case LEASE_STORE_READ:
        lease->store_is_read = lease->store_is_up;
        break;
    case LEASE_STORE_DOWN:
        on_store_down(lease);
        break;
    case LEASE_ANSWER_OURS:
        lease_on_ours(lease, event, ret_actions);
        break;
    case LEASE_ANSWER_OTHER:
        lease_on_other(lease, event, ret_actions);
        break;
    case LEASE_ANSWER_FREE:
        lease_on_free(lease, event, ret_actions);
        break;
    case LEASE_ANSWER_NONE:
        lease->asked = LEASE_ASK_NOTHING;
        lease->ask_at.ms = now.ms + LEASE_RETRY_MS;
        break;
    case LEASE_STATUS:
        lease_on_status(lease, &event->status, now, ret_actions);
        break;
    case LEASE_HEARD:
        lease_on_heard(lease, event->epoch, now, ret_actions);
        break;
    case LEASE_DEPOSED:
        if (lease_is_leader(lease)) {
            lease_stand_down(lease, now, "Redis knows a newer epoch", ret_actions);
        }
        break;
    case LEASE_HAND_OVER:
        on_hand_over(lease, now, ret_actions);
        break;
    case LEASE_STOP:
        on_stop(lease, now, ret_actions);
        break;
    }
    lease_tick(lease, event->now, ret_actions);
    lease->stepped_at = now;
}
