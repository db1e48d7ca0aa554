/* What is to be saved, and who waits for it (C6, C9.2, C9.3). For the controller's files.
 *
 * Of each machine the newest state is saved, one save at a time; each report and each change has a
 * budget of its own, whichever save it ends up in. No decision waits for any of it.
 */
#ifndef TAGOUT_DAEMON_SAVES_H
#define TAGOUT_DAEMON_SAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"
#include "controller/support/version.h"
#include "persistence/store.h"
#include "topics/request.h"

struct controller;
struct machine;

/* One budget of one report or outside change (C9.2). */
struct budget {
    struct machine *machine;
    bool is_change; /* else somebody only wants to know whether it is saved */
    struct version version;
    struct mono_time deadline;
};

/* A ring, in the order of the deadlines. */
struct save_budgets {
    struct budget *items;
    size_t first;
    size_t count;
    size_t room;
};

struct saves {
    struct save_budgets budgets;
    struct machine *wanted_first; /* machines with something to save */
    struct machine *wanted_last;
    size_t in_flight;
    struct mono_time pause_until; /* Redis refused: not before then */
    struct mono_time refused_logged;
};

/* ---- saves.c: what is to be saved, and what is on its way ---- */

void saves_free(struct controller *controller);
/* The machine's present version is to be saved, within the budget. */
void saves_want(struct controller *controller, struct machine *machine);
/* The present version is no new one: a budget for those who wait for it, that counts nothing. */
void saves_follow(struct controller *controller, struct machine *machine);
/* What is kept beside the state has changed within the present version: no budget. */
void saves_want_again(struct controller *controller, struct machine *machine);
/* Everything is to be saved, without a budget: Redis is back and may have forgotten. */
void saves_want_all(struct controller *controller);
/* Nothing of the machine is to be saved any more, and nobody waits for it. */
void saves_forget(struct controller *controller, struct machine *machine);
/* Redis has told what it keeps of the machine: it may be saved from now on. */
void saves_release(struct controller *controller, struct machine *machine);
/* It leads no more: nobody waits for a save, and none is late. */
void saves_drop(struct controller *controller);
/* Once a minute: Redis may refuse for hours, of each machine, each second. */
void log_refused(
    const struct controller *controller, struct mono_time *logged, const char *what,
    const char *reason);
void saves_on_answer(
    struct controller *controller, uint64_t token, enum store_saved result, const char *reason);
void saves_tick(struct controller *controller);
struct mono_time saves_deadline(const struct controller *controller);
/* The process ends: whoever waits for an answer gets one. */
void saves_stop(struct controller *controller);

/* ---- save_budgets.c: how long each may take ---- */

/* For the machine's present version. False when there is no memory. */
bool save_budgets_open(struct controller *controller, struct machine *machine, bool is_change);
/* Closes those that are saved, and those that are over: these count. */
void save_budgets_close(struct controller *controller);
struct mono_time save_budgets_deadline(const struct controller *controller);
/* Whether an outage of saving goes on for the machine: told at its start and at its end. */
void save_budgets_set_late(struct controller *controller, struct machine *machine, bool late);

/* ---- save_answers.c: requests that wait for a save ---- */

/* Answers once it is known whether the machine's present version was saved in its budget. */
void saves_answer_later(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request, bool changed);
/* Answers the requests whose version is `up_to` or older. */
void save_answers_give(
    struct controller *controller, struct machine *machine, struct version up_to, bool persisted);
/* Forgets them. */
void save_answers_drop(struct machine *machine);

#endif
