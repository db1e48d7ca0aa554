/* C6 `block`, `unblock`: answered once it is known whether the list was saved. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/card.h"
#include "controller/support/json.h"
#include "controller/support/log.h"

/* An answer that waits until it is known whether the blocks were saved. */
struct block_answer {
    struct block_answer *next;
    struct version version;
    struct mono_time deadline;
    size_t changed;
    size_t ended; /* sessions */
    enum request_verb verb;
    char account[TOPIC_MACHINE_MAX + 1];
    char transaction[REQUEST_TRANSACTION_SIZE];
};

void block_answers_free(struct controller *controller)
{
    struct block_keeping *keeping = &controller->block_keeping;

    while (keeping->answers != NULL) {
        struct block_answer *next = keeping->answers->next;
        free(keeping->answers);
        keeping->answers = next;
    }
}

static void
answer_one(struct controller *controller, const struct block_answer *waiting, bool persisted)
{
    TEXT_LOCAL(data, 128);
    struct json_out out = json_out(&data);

    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "changed", (int64_t)waiting->changed);
    json_out_bool(&out, "persisted", persisted);
    if (waiting->verb == REQUEST_BLOCK) {
        json_out_integer(&out, "ended", (int64_t)waiting->ended);
    }
    json_out_close(&out, '}');
    answer(
        controller, waiting->account, request_verb_text(waiting->verb), RESPONSE_OK, data.data,
        NULL, waiting->transaction);
}

void block_answers_due(struct controller *controller)
{
    struct block_keeping *keeping = &controller->block_keeping;
    struct block_answer **link = &keeping->answers;

    while (*link != NULL) {
        struct block_answer *waiting = *link;
        bool persisted = block_keeping_has_kept(controller, waiting->version);
        if (!persisted && controller->now.mono.ms < waiting->deadline.ms) {
            link = &waiting->next;
            continue;
        }
        *link = waiting->next;
        answer_one(controller, waiting, persisted);
        free(waiting);
    }
}

void block_answers_stop(struct controller *controller)
{
    for (struct block_answer *w = controller->block_keeping.answers; w != NULL; w = w->next) {
        w->deadline = controller->now.mono;
    }
    block_answers_due(controller);
}

struct mono_time block_answers_deadline(const struct controller *controller)
{
    struct mono_time first = {0};

    for (const struct block_answer *waiting = controller->block_keeping.answers; waiting != NULL;
         waiting = waiting->next) {
        first = mono_earlier(first, waiting->deadline);
    }
    return first;
}

static void answer_later(
    struct controller *controller, const char *account, const struct request *request,
    size_t changed, size_t ended)
{
    struct block_keeping *keeping = &controller->block_keeping;
    struct block_answer *waiting = malloc(sizeof *waiting);

    if (waiting == NULL) {
        answer(
            controller, account, request_verb_text(request->verb), RESPONSE_ERROR, NULL,
            "the change is made, but there is no memory to follow it up", request->transaction);
        return;
    }
    *waiting = (struct block_answer){
        .next = keeping->answers,
        .version = keeping->blocks.version,
        .deadline = {.ms = controller->now.mono.ms + controller->settings->redis.save_timeout_ms},
        .changed = changed,
        .ended = ended,
        .verb = request->verb,
    };
    text_copy(waiting->account, sizeof waiting->account, account);
    text_copy(waiting->transaction, sizeof waiting->transaction, request->transaction);
    keeping->answers = waiting;
    block_answers_due(controller);
}

void do_block(struct controller *controller, const char *account, const struct request *request)
{
    struct origin origin = {.source = "request"};
    const struct roster_user *user;
    char fob[CARD_SIZE];
    size_t changed = 0;
    size_t ended = 0;
    enum status status;
    TEXT_LOCAL(by, 600);

    card_pad(fob, request->fob);
    user = request->fob[0] != '\0'
               ? roster_user_by_fob(controller->roster, fob)
               : roster_user_by_account(controller->roster, request->account_id);
    if (user == NULL) {
        answer_error(
            controller, account, request,
            request->fob[0] != '\0' ? "users.json lists no such card: it opens nothing"
                                    : "users.json lists no such account_id");
        return;
    }
    block_keeping_make_comparable(controller);
    status = blocks_set(
        &controller->block_keeping.blocks, &controller->card_key, user,
        request->fob[0] != '\0' ? fob : NULL, request->verb == REQUEST_BLOCK, &changed);
    if (status != STATUS_OK) {
        answer_error(controller, account, request, status_text(status));
        return;
    }
    describe_person(account, request, &by);
    origin.by = by.data;
    if (changed > 0) {
        log_info(
            "%zu card%s of account %s %sed by %s", changed, text_plural(changed),
            user->holder.user.account_id, request_verb_text(request->verb), by.data);
        ended = block_keeping_on_change(controller, &origin);
    }
    answer_later(controller, account, request, changed, ended);
}
