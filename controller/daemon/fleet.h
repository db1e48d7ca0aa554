/* The machines, by name. A machine that was configured once stays in memory while the process
 * lives (its place never changes, so that a late answer of the store finds it); whether it is
 * configured now is `config`.
 */
#ifndef TAGOUT_DAEMON_FLEET_H
#define TAGOUT_DAEMON_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/config/config.h"
#include "controller/daemon/discovery.h"
#include "controller/daemon/history.h"
#include "controller/daemon/machine_record.h"
#include "controller/support/heap.h"
#include "controller/support/status.h"
#include "topics/report.h"

struct answer; /* a request's answer that waits for a save, see saves.h */

/* A report that waits to be judged. */
struct waiting_report {
    struct waiting_report *next;
    struct now heard_at;
    int64_t received_us; /* of the first that was merged into it; 0: not known */
    struct report report;
};

/* When what waits of a machine is judged. */
enum judge_turn {
    JUDGE_NEVER, /* nothing waits, or all of it was judged out of turn */
    JUDGE_LATER, /* as soon as the answers can be sent */
    JUDGE_SOON,  /* whatever waits to be sent: an Oops, or a card that came or went */
};

/* C2 `telemetry`: what was told last, and what was published. */
struct telemetry {
    bool has[REPORT_NUMBER_COUNT];
    double told[REPORT_NUMBER_COUNT];
    double published[REPORT_NUMBER_COUNT];
    struct mono_time published_at;
};

/* Oops and lockout, and who set them, in the copy with the greatest rev (see beside.c). */
struct shown {
    struct version version;
    bool oopsed;
    bool locked_out;
    struct wall_time oops_at;
    struct wall_time lockout_at;
    char *oops_by; /* texts as in a machine_record */
    char *lockout_by;
    char *lockout_reason;
};

void shown_clear(struct shown *shown);

struct machine {
    const struct roster_machine *config; /* NULL: not configured now */
    struct machine_record record;        /* its state, as it is saved */
    bool notes_changed;                  /* `state` tells more that is new than the core knows of */
    char raw_card[REPORT_CARD_SIZE];     /* the number, in memory only: to hash it again */
    char unknown_card[REPORT_CARD_SIZE]; /* the last one that opened nothing, to enrol (C6) */
    struct mono_time unknown_card_at;
    struct wall_time card_since; /* the card that is in; {0}: none, or from before the start */
    struct telemetry telemetry;

    struct version loaded; /* version that the start found; {0, 0} for none */
    bool loaded_oops;      /* and what it showed */
    bool loaded_lockout;
    struct shown shown;         /* by any copy that was heard of since this one last led */
    struct version acked_above; /* acknowledged, and not yet ours to go above (C12.3) */
    bool read;                  /* Redis has told what it keeps: never saved over before that */
    bool forgotten;             /* by request (C6): not saved again until it is configured again */

    struct waiting_report *waiting_first;
    struct waiting_report *waiting_last;
    enum judge_turn judge_turn;
    struct machine *judge_prev; /* in the list of that turn */
    struct machine *judge_next;

    struct heap_item deadline;
    struct waiting_restart *waiting_restart; /* see request_restart.c */
    struct announcement announcement;

    /* saves.c */
    struct version saved; /* newest version that Redis confirmed */
    struct version sent;  /* of the save in flight */
    int64_t sent_us;
    bool save_late; /* an outage of saving goes on: the fault `save_timeout` (C8.1) */
    bool save_in_flight;
    bool save_wanted; /* is in the list of those to save */
    bool save_again;  /* changed within the version that is in flight */
    struct machine *save_next;
    struct answer *answers; /* waiting for a save of this machine */

    size_t index;
    struct history history; /* last: large, and rarely looked at */
};

struct fleet;

MUST_USE enum status fleet_new(struct fleet **ret_fleet);
void fleet_free(struct fleet *fleet);

size_t fleet_count(const struct fleet *fleet);
struct machine *fleet_at(const struct fleet *fleet, size_t index);
struct machine *fleet_find(const struct fleet *fleet, const char *name);

/* Finds or makes. */
MUST_USE enum status fleet_add(struct fleet *fleet, const char *name, struct machine **ret_machine);

/* Forgets all that is known of a machine that is not configured. Its place stays, and its version:
 * should it come back, what its device acknowledged before is old. */
void fleet_reset(struct machine *machine);

/* Deadlines of all machines; reserved for every machine that was added. */
struct heap *fleet_deadlines(struct fleet *fleet);

#endif
