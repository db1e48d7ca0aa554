/* C6 `handover`: the leader gives its lease to a standby, for an upgrade above all. Whoever asked
 * hears who leads now from the one that gave the lead away: it alone knows that it was asked. */
#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"
#include "controller/support/log.h"

/* As long as the lease rests for another to take it. */
#define HANDOVER_WAIT_MS LEASE_MS

/* Nothing where nothing is in the way. */
static void add_obstacle(struct text *out, const struct controller *controller)
{
    if (!store_answers(controller)) {
        text_addf(out, "%s: without it nobody can take the lease", store_away_text(controller));
    } else if (!controller->lease.is_kept) {
        text_add(out, "Redis has not yet confirmed that this controller leads: try again");
    } else if (!lease_has_standby(&controller->lease)) {
        text_add(out, "no other controller stands by that reaches Redis");
    }
}

static void finish(
    struct controller *controller, enum response_status status, const char *data, const char *error)
{
    struct handover *handover = &controller->handover;

    if (handover->waits) {
        answer(
            controller, handover->account, request_verb_text(REQUEST_HANDOVER), status, data, error,
            handover->transaction);
        *handover = (struct handover){0};
    }
}

void do_handover(struct controller *controller, const char *account, const struct request *request)
{
    struct handover *handover = &controller->handover;
    TEXT_LOCAL(by, 600);
    TEXT_LOCAL(why, 256);

    add_obstacle(&why, controller);
    if (why.length > 0) {
        answer_error(controller, account, request, why.data);
        return;
    }
    describe_person(account, request, &by);
    log_info("handing over, as %s asked", by.data);
    /* What was heard is judged, and whoever waits is answered, while that may still be said. */
    judge_all(controller);
    restarts_stop(controller);
    saves_stop(controller);
    block_answers_stop(controller);
    handover->waits = true;
    handover->until.ms = controller->now.mono.ms + HANDOVER_WAIT_MS;
    text_copy(handover->account, sizeof handover->account, account);
    text_copy(handover->transaction, sizeof handover->transaction, request->transaction);
    lead_hand_over(controller);
}

void handover_heed(struct controller *controller, const char *id, uint64_t epoch)
{
    TEXT_LOCAL(data, 256);
    struct json_out out = json_out(&data);

    if (!controller->handover.waits || epoch <= controller->epoch) {
        return;
    }
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "leader", id);
    json_out_integer(&out, "epoch", (int64_t)epoch);
    json_out_close(&out, '}');
    finish(controller, RESPONSE_OK, data.data, NULL);
}

void handover_tick(struct controller *controller)
{
    if (controller->handover.waits && controller->now.mono.ms >= controller->handover.until.ms) {
        finish(
            controller, RESPONSE_ERROR, NULL,
            "no other controller took the lead in time: whoever is first takes it now");
    }
}

void handover_stop(struct controller *controller)
{
    finish(
        controller, RESPONSE_ERROR, NULL,
        "the controller stops before another has said that it leads");
}
