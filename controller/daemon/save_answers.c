/* Requests that wait to be told whether what they changed was saved in its budget (C6). */
#include <stdlib.h>

#include "controller/daemon/controller_inside.h"

struct answer {
    struct answer *next;
    struct version version;
    bool changed;
    enum request_verb verb;
    char account[TOPIC_MACHINE_MAX + 1];
    char transaction[REQUEST_TRANSACTION_SIZE];
};

void save_answers_drop(struct machine *machine)
{
    while (machine->answers != NULL) {
        struct answer *next = machine->answers->next;
        free(machine->answers);
        machine->answers = next;
    }
}

void save_answers_give(
    struct controller *controller, struct machine *machine, struct version up_to, bool persisted)
{
    struct answer **link = &machine->answers;

    while (*link != NULL) {
        struct answer *answer = *link;
        if (version_compare(answer->version, up_to) > 0) {
            link = &answer->next;
            continue;
        }
        *link = answer->next;
        answer_change(
            controller, machine, answer->account, answer->verb, answer->transaction,
            answer->changed, persisted);
        free(answer);
    }
}

void saves_answer_later(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request, bool changed)
{
    struct answer *answer = malloc(sizeof *answer);

    if (answer == NULL) {
        answer_change(
            controller, machine, account, request->verb, request->transaction, changed, false);
        return;
    }
    *answer = (struct answer){
        .next = machine->answers,
        .version = machine->record.core.version,
        .changed = changed,
        .verb = request->verb,
    };
    text_copy(answer->account, sizeof answer->account, account);
    text_copy(answer->transaction, sizeof answer->transaction, request->transaction);
    machine->answers = answer;
}
