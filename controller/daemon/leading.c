/* The lease in the daemon (C12): what happens is told to lease.c, and what it decides is done here.
 *
 * A standby is a controller that has read everything and goes on reading: `state` and `blocks` keep
 * coming in, and the merge of the start takes the newest of each. When the lease is its, Redis is
 * read once more, if another led since, and the shop is opened as at any start. Standing down leads
 * back to where a start begins, with what is known in memory. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

#define READ_JUST_NOW_MS 500
/* A question that Redis has not answered for so long: it hangs, or its connection does. */
#define HANGS_MS 1000
/* A lease under its own id that was seen so long ago has nothing to do with the next. */
#define NAMESAKE_FORGOTTEN_MS 60000

void lead_init(struct controller *controller)
{
    const struct settings *settings = controller->settings;
    unsigned char nonce[(LEASE_TOKEN_SIZE - 1) / 2];
    char token[LEASE_TOKEN_SIZE];

    randombytes_buf(nonce, sizeof nonce);
    sodium_bin2hex(token, sizeof token, nonce, sizeof nonce);
    lease_init(
        &controller->lease, settings->controller.id, token, settings->redis.load_timeout_ms,
        controller->now);
}

static struct store_claim claim(const struct controller *controller)
{
    const struct lease *lease = &controller->lease;

    return (struct store_claim){
        .id = lease->id,
        .token = lease->token,
        .epoch = lease->epoch,
        .duration_ms = LEASE_MS,
        .heard = lease->heard,
        .now = controller->now.wall,
        .own_id_at_once = lease->own_id_at_once,
    };
}

static void ask(struct controller *controller, enum lease_question question)
{
    struct store *store = controller->ports.store;
    struct store_claim claimed = claim(controller);
    enum status status = question == LEASE_ASK_TAKE
                             ? store->operations->take_lease(store, &claimed)
                             : store->operations->renew_lease(store, &claimed);

    if (status == STATUS_OK) {
        controller->store_asked_at = controller->now.mono;
    } else { /* no answer will come: asked again when it is due */
        lead_event(controller, LEASE_ANSWER_NONE);
    }
}

static void release(struct controller *controller)
{
    struct store *store = controller->ports.store;
    struct store_claim claimed = claim(controller);
    enum status status = store->operations->release_lease(store, &claimed);

    (void)status; /* out of reach: it runs out by itself */
}

/* Whoever waits for an answer gets none from here: the next leader decides anew (C12). */
static void forget_work(struct controller *controller)
{
    saves_drop(controller);
    block_answers_free(controller);
    judge_drop_waiting(controller);
    held_drop(controller);
    restarts_drop(controller);
    controller->reload.answers = false;
    controller->retained_again = (struct mono_time){0};
}

static void stand_down(struct controller *controller, const struct lease_actions *actions)
{
    const struct broker_port *broker = &controller->ports.broker;
    bool led = controller->phase == PHASE_READY || controller->phase == PHASE_TAKING;

    log_warning(
        "standing down: %s; %s", actions->why,
        actions->release ? "the lease is given back" : "another controller has taken over");
    if (led) {
        /* What is given back was ours till now: its events are still true. */
        broker->discard(broker->context, !actions->release);
        liveness_hears(controller, false);
        controller->phase = PHASE_CONNECTING;
        forget_work(controller);
        controller->loaded = false;
        controller->block_keeping.loaded = false;
    } else {
        controller->said_standby = false; /* it was only announced: now it follows */
    }
    publish_status(controller, "running");
    if (led && controller->connected) {
        start_collecting(controller);
    }
    if (led) {
        ask_store(controller);
    }
}

/* Under a new epoch, which Redis has given while the shop was open. Another may have led with Redis
 * in the meantime: what it kept is read before anything is saved over it. */
static void go_on(struct controller *controller)
{
    log_info("epoch %llu, now kept in Redis", (unsigned long long)controller->lease.epoch);
    adopt_epoch_everywhere(controller, controller->lease.epoch);
    publish_everything(controller);
    saves_want_all(controller);
    ask_store_anew(controller);
}

/* Another may have led since, unseen: the process may have been asleep. */
static bool is_read_long_ago(const struct controller *controller)
{
    return controller->now.mono.ms - controller->loaded_at.ms > READ_JUST_NOW_MS;
}

static void lead(struct controller *controller)
{
    if (controller->phase == PHASE_READY) {
        go_on(controller);
    } else if (
        controller->lease.is_kept && (controller->others_led || is_read_long_ago(controller))) {
        /* Nothing of an older epoch is saved any more: what is read now is the last word. */
        log_info("taking over: epoch %llu", (unsigned long long)controller->lease.epoch);
        controller->phase = PHASE_TAKING;
        controller->loaded = false;
        controller->block_keeping.loaded = false;
        controller->taking_echo = controller->lease.echo_number;
        controller->taking_is_heard = false;
        controller->taking_until.ms =
            controller->now.mono.ms + controller->settings->redis.load_timeout_ms;
        controller->conceded_at.ms = controller->now.mono.ms + LEASE_CUT_MS;
        publish_status(controller, "running"); /* whoever still leads stands down before it opens */
        ask_store(controller);
    } else {
        open_shop(controller);
    }
}

/* What the last leader said has all been heard, and it says no more: it has told so, or cannot be
 * reached and gives up by itself (C12). */
static bool is_conceded(const struct controller *controller)
{
    return controller->taking_is_heard && (!lease_another_leads(&controller->lease) ||
                                           controller->now.mono.ms >= controller->conceded_at.ms);
}

/* Redis has told all, or does not: the shop opens with what is known. */
static void take_over(struct controller *controller)
{
    if (controller->phase == PHASE_TAKING && lease_may_speak(&controller->lease) &&
        ((controller->loaded && is_conceded(controller)) ||
         controller->now.mono.ms >= controller->taking_until.ms)) {
        open_shop(controller);
        controller->others_led = false;
    }
}

/* Another leads, or might: what is said is heard, for the lead may be ours at any moment. */
static void follow(struct controller *controller)
{
    if (controller->phase == PHASE_STANDBY && !controller->said_standby) {
        controller->said_standby = true;
        controller->since = controller->now.wall;
        publish_status(controller, "running");
        subscribe_live(controller);
    }
}

static void carry_out(struct controller *controller, const struct lease_actions *actions)
{
    const struct broker_port *broker = &controller->ports.broker;

    /* First of all: the others ask Redis as soon as they hear that this one stands by. */
    if (actions->release) {
        release(controller);
    }
    if (actions->stand_down) {
        stand_down(controller, actions);
    }
    if (actions->fall_silent) {
        log_warning("silent until it is certain that nobody took over: %s", actions->why);
    }
    if (actions->ask != LEASE_ASK_NOTHING) {
        ask(controller, actions->ask);
    }
    if (actions->announce) {
        log_warning("%s and nobody leads: about to lead without it", store_away_text(controller));
        publish_status(controller, "running");
        follow(controller);
    }
    if (actions->tell) {
        publish_status(controller, "running");
    }
    if (actions->speak && controller->phase == PHASE_READY) {
        publish_everything(controller);
    }
    if (actions->lead) {
        lead(controller);
    }
    if (actions->publish_again && controller->phase == PHASE_READY) {
        publish_everything(controller);
    }
    if (actions->echo) {
        broker->echo(broker->context, controller->lease.echo_number);
    }
    take_over(controller);
    if (controller->lease.role == LEASE_STANDS_BY && lease_another_leads(&controller->lease)) {
        controller->others_led = true;
        follow(controller);
    }
}

static void step(struct controller *controller, struct lease_event event)
{
    struct lease_actions actions;

    event.now = controller->now;
    lease_step(&controller->lease, &event, &actions);
    carry_out(controller, &actions);
}

void lead_event(struct controller *controller, enum lease_event_type type)
{
    step(controller, (struct lease_event){.type = type});
}

void lead_notice_standstill(struct controller *controller)
{
    const struct lease *lease = &controller->lease;

    if (lease->role == LEASE_LEADS &&
        controller->now.mono.ms - lease->stepped_at.ms > LEASE_THIRD_MS) {
        lead_event(controller, LEASE_TICK);
    }
}

static void note_hang(struct controller *controller, bool hangs)
{
    if (hangs == controller->store_hangs) {
        return;
    }
    controller->store_hangs = hangs;
    if (hangs) {
        log_warning("Redis does not answer: machines go on, nothing is saved");
    } else {
        log_info("Redis answers again");
    }
    publish_status_again(controller);
}

/* A Redis that hangs keeps its connection, and owes the answer also to a question that the lease
 * has given up. First thing after a standstill the answer may lie there unread. */
static void look_for_hang(struct controller *controller)
{
    struct mono_time now = controller->now.mono;
    bool stood_still = now.ms - controller->store_looked_at.ms >= HANGS_MS;

    controller->store_looked_at = now;
    if (!stood_still && controller->store_asked_at.ms != 0 &&
        now.ms - controller->store_asked_at.ms >= HANGS_MS) {
        note_hang(controller, true);
    }
}

void lead_tick(struct controller *controller)
{
    if (mono_is_past(lease_wake_at(&controller->lease), controller->now.mono)) {
        lead_event(controller, LEASE_TICK);
    }
    take_over(controller);
    look_for_hang(controller);
}

void lead_on_status(struct controller *controller, const struct lease_status *status)
{
    step(controller, (struct lease_event){.type = LEASE_STATUS, .status = *status});
    if (status->runs && status->leads) {
        handover_heed(controller, status->id, status->epoch);
    }
}

void lead_on_epoch(struct controller *controller, uint64_t epoch)
{
    if (epoch > controller->lease.epoch) {
        step(controller, (struct lease_event){.type = LEASE_HEARD, .epoch = epoch});
    }
}

/* Its own past life's lease is taken over at once; whoever has it under this id after Redis has
 * given it to this process may be another one that runs now. But what a past life asked of a Redis
 * that hung is carried out whenever it thaws, and then nobody renews it: it is over after LEASE_MS.
 * One that runs has it again and again, even where the two throw each other off the broker. */
static void notice_twin(
    struct controller *controller, const struct store_lease_answer *answer,
    struct mono_time asked_at)
{
    const struct lease *lease = &controller->lease;
    struct mono_time *since = &controller->namesake_since;
    int64_t seen_for_ms = asked_at.ms - since->ms; /* the answer may have lain there since */

    if (answer->lease != STORE_LEASE_OTHER || lease->own_id_at_once ||
        strcmp(answer->id, lease->id) != 0) {
        return;
    }
    if (since->ms == 0 || seen_for_ms > NAMESAKE_FORGOTTEN_MS) {
        *since = controller->now.mono;
    } else if (seen_for_ms > LEASE_MS && !controller->id_is_anothers) {
        controller->id_is_anothers = true;
        log_error(
            "another process runs as controller %s: give each an id of its own, [controller] id",
            lease->id);
    }
}

bool controller_must_end(const struct controller *controller)
{
    return controller->id_is_anothers;
}

void lead_on_lease(void *context, const struct store_lease_answer *answer)
{
    static const enum lease_event_type types[] = {
        [STORE_LEASE_OURS] = LEASE_ANSWER_OURS,
        [STORE_LEASE_OTHER] = LEASE_ANSWER_OTHER,
        [STORE_LEASE_FREE] = LEASE_ANSWER_FREE,
        [STORE_LEASE_ERROR] = LEASE_ANSWER_NONE,
    };
    struct controller *controller = context;
    struct mono_time asked_at = controller->lease.asked_at;

    refresh_now(controller);
    controller->store_asked_at = (struct mono_time){0}; /* unless the step asks anew */
    step(
        controller, (struct lease_event){
                        .type = types[answer->lease],
                        .answer = {.epoch = answer->epoch, .remaining_ms = answer->remaining_ms},
                    });
    note_hang(controller, false);
    notice_twin(controller, answer, asked_at);
    if (answer->lease == STORE_LEASE_OTHER) {
        controller->others_led = true;
        follow(controller);
    }
    if (is_at_work(controller)) {
        judge_confirmed(controller);
    }
}

void lead_deposed(struct controller *controller, const char *reason)
{
    if (controller->phase == PHASE_READY) {
        log_warning("Redis refuses a save: %s", reason);
        step(controller, (struct lease_event){.type = LEASE_DEPOSED});
    }
}

void controller_on_echo(struct controller *controller, uint32_t number)
{
    refresh_now(controller);
    start_is_heard(controller);
    /* Asked for since the lease was taken: all that the last leader said has come before it. */
    if (number >= controller->taking_echo) {
        controller->taking_is_heard = true;
    }
    step(controller, (struct lease_event){.type = LEASE_BROKER_ECHO, .number = number});
}

void lead_stop(struct controller *controller)
{
    struct lease_event event = {.type = LEASE_STOP, .now = controller->now};
    struct lease_actions actions;

    lease_step(&controller->lease, &event, &actions);
    if (actions.release) {
        release(controller);
    }
    controller->phase = PHASE_CONNECTING;
}

void lead_hand_over(struct controller *controller)
{
    lead_event(controller, LEASE_HAND_OVER);
}
