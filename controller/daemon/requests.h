/* What people ask for, a file for each kind of verb (C6). For the controller's files alone.
 *
 * `account` is the client's own broker account, as the topic names it. A do_ function answers its
 * request at once, or sees to it that somebody does who will know the outcome.
 */
#ifndef TAGOUT_DAEMON_REQUESTS_H
#define TAGOUT_DAEMON_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/core/effect.h"
#include "controller/core/event.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "topics/request.h"
#include "topics/topic.h"

struct controller;
struct machine;
struct origin;

/* The lead was given away by request, and whoever asked waits to hear who took it. */
struct handover {
    bool waits;
    struct mono_time until; /* then nobody has taken it */
    char account[TOPIC_MACHINE_MAX + 1];
    char transaction[REQUEST_TRANSACTION_SIZE];
};

/* ---- requests.c: what arrives, and every answer ---- */

void take_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool overflow);
void answer(
    struct controller *controller, const char *account, const char *verb,
    enum response_status status, const char *data, const char *error, const char *transaction);
void answer_error(
    struct controller *controller, const char *account, const struct request *request,
    const char *error);
/* The account, and who says to be behind it. */
void describe_person(const char *account, const struct request *request, struct text *by);

/* ---- request_change.c: oops, lockout, clear, end ---- */

void do_set(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request);
void do_clear(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request);
void do_end(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request);
/* Data {"changed", "persisted", "confirmed"}. */
void answer_change(
    struct controller *controller, const struct machine *machine, const char *account,
    enum request_verb verb, const char *transaction, bool changed, bool persisted);
/* Sets or clears oops or lockout, after what the machine has reported before. */
void apply_set(
    struct controller *controller, struct machine *machine, enum core_event_type type, bool value,
    const struct origin *origin, struct core_effects *effects);

/* ---- request_box.c: card, forget ---- */

void do_card(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request);
void do_forget(struct controller *controller, const char *account, const struct request *request);

/* ---- request_restart.c ---- */

void do_restart(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request);
/* After each decision: the restart that waits goes out, or is given up. */
void restart_heed(
    struct controller *controller, struct machine *machine, const struct core_effects *effects);
/* Answers whoever waits for one with an error. */
void restart_cancel(struct controller *controller, struct machine *machine, const char *why);
/* The process ends: whoever waits for an answer gets one. */
void restarts_stop(struct controller *controller);
/* Forgets who waits for one. */
void restarts_drop(struct controller *controller);

/* ---- request_handover.c ---- */

void do_handover(struct controller *controller, const char *account, const struct request *request);
/* Another says that it leads, under this epoch. */
void handover_heed(struct controller *controller, const char *id, uint64_t epoch);
void handover_tick(struct controller *controller);
/* The process ends: whoever waits for an answer gets one. */
void handover_stop(struct controller *controller);

/* ---- request_status.c ---- */

void do_status(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request);

/* ---- request_why.c ---- */

void do_why(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request);

/* ---- request_block.c: block, unblock ---- */

void do_block(struct controller *controller, const char *account, const struct request *request);
void block_answers_free(struct controller *controller);
/* Answers what is saved, and what has waited for its whole budget. */
void block_answers_due(struct controller *controller);
/* The process ends: whoever waits for an answer gets one. */
void block_answers_stop(struct controller *controller);
struct mono_time block_answers_deadline(const struct controller *controller);

#endif
