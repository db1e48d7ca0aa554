/* Reports wait, merge, and are judged machine by machine (C3).
 *
 * More may come than can be answered. Then what waits to be sent grows, and a report is judged only
 * when its answer can leave soon; until then those of one machine merge. An Oops and a card edge
 * are judged at once: their commands go out behind the few that wait. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

/* How many reports of one machine may wait. A device reports each change once and repeats what is
 * not answered, so that only a storm gets here; then the oldest are judged at once. */
#define WAITING_MAX 16
/* Until it is looked whether the broker has caught up; an acknowledgement comes sooner. */
#define BEHIND_PAUSE_MS 10

static size_t waiting_count(const struct machine *machine)
{
    size_t count = 0;

    for (const struct waiting_report *w = machine->waiting_first; w != NULL; w = w->next) {
        count++;
    }
    return count;
}

/* C3: reports that wait together may merge, but an Oops or a card edge is never merged away. So
 * only into the very next one, and only if it tells the same of everything that decides. Nor is a
 * boot (C4.1), which would make the card that is in a new one: only reports of the boot that the
 * state knows by its id merge. */
static bool
may_merge(const struct machine *machine, const struct report *earlier, const struct report *later)
{
    const char *boot_id = machine->record.core.boot_id;
    bool of_known_boot = boot_id[0] != '\0' && strcmp(earlier->boot_id, boot_id) == 0 &&
                         strcmp(later->boot_id, boot_id) == 0;

    return of_known_boot && earlier->seq != 0 && later->seq > earlier->seq &&
           earlier->oops == later->oops && strcmp(earlier->card, later->card) == 0 &&
           earlier->emergency == later->emergency && earlier->has_ack == later->has_ack;
}

/* What the newer one does not tell, the older one told (C3: an absent one keeps its last value). */
static void merge_into(struct report *earlier, const struct report *later)
{
    struct report merged = *later;

    for (int i = 0; i < REPORT_NUMBER_COUNT; i++) {
        if (!later->has_number[i]) {
            merged.has_number[i] = earlier->has_number[i];
            merged.number[i] = earlier->number[i];
        }
    }
    if (later->fw[0] == '\0') {
        memcpy(merged.fw, earlier->fw, sizeof merged.fw);
    }
    if (later->reset_reason[0] == '\0') {
        memcpy(merged.reset_reason, earlier->reset_reason, sizeof merged.reset_reason);
    }
    *earlier = merged;
}

static struct machine **list_of(struct controller *controller, enum judge_turn turn)
{
    return turn == JUDGE_SOON ? &controller->judge_soon : &controller->judge_later;
}

static void leave_list(struct controller *controller, struct machine *machine)
{
    struct machine **list = list_of(controller, machine->judge_turn);

    if (machine->judge_turn != JUDGE_NEVER) {
        DL_DELETE2(*list, machine, judge_prev, judge_next);
        machine->judge_turn = JUDGE_NEVER;
    }
}

/* A machine whose reports were judged before its turn is still in the list. */
static void
want_judged(struct controller *controller, struct machine *machine, enum judge_turn turn)
{
    struct machine **list = list_of(controller, turn);

    if (machine->judge_turn < turn) {
        leave_list(controller, machine);
        machine->judge_turn = turn;
        DL_APPEND2(*list, machine, judge_prev, judge_next);
    }
}

/* Against what was judged last. */
static enum judge_turn turn_of(const struct machine *machine, const struct report *report)
{
    const struct core_state *core = &machine->record.core;
    bool is_press = report->oops && !core->oopsed;
    bool is_edge = strcmp(report->card, machine->raw_card) != 0 ||
                   (report->card[0] == '\0') != (core->card[0] == '\0');
    bool is_emergency = report->emergency && core->mode != CORE_EMERGENCY;

    return is_press || is_edge || is_emergency ? JUDGE_SOON : JUDGE_LATER;
}

void judge_enqueue(
    struct controller *controller, struct machine *machine, const struct report *report)
{
    struct waiting_report *waiting;

    if (machine->waiting_last != NULL &&
        may_merge(machine, &machine->waiting_last->report, report)) {
        merge_into(&machine->waiting_last->report, report);
        controller->counters.reports_merged++;
        return;
    }
    if (waiting_count(machine) >= WAITING_MAX) {
        judge_waiting(controller, machine);
    }
    waiting = malloc(sizeof *waiting);
    if (waiting == NULL) {
        log_error("%s: no memory for a report; the device will repeat it", machine->record.machine);
        return;
    }
    *waiting = (struct waiting_report){
        .heard_at = controller->now,
        .received_us = controller->received_us,
        .report = *report,
    };
    if (machine->waiting_last != NULL) {
        machine->waiting_last->next = waiting;
    } else {
        machine->waiting_first = waiting;
    }
    machine->waiting_last = waiting;
    want_judged(controller, machine, turn_of(machine, report));
}

void judge_waiting(struct controller *controller, struct machine *machine)
{
    while (machine->waiting_first != NULL) {
        struct waiting_report *waiting = machine->waiting_first;

        machine->waiting_first = waiting->next;
        if (waiting->next == NULL) {
            machine->waiting_last = NULL;
        }
        if (machine->config != NULL) {
            controller->answering_us = waiting->received_us;
            judge_report(controller, machine, &waiting->report);
            controller->answering_us = 0;
        }
        free(waiting);
    }
}

static void judge_first_of(struct controller *controller, struct machine *first)
{
    leave_list(controller, first);
    judge_waiting(controller, first);
}

void judge_all(struct controller *controller)
{
    while (controller->judge_soon != NULL) {
        judge_first_of(controller, controller->judge_soon);
    }
    while (controller->judge_later != NULL) {
        judge_first_of(controller, controller->judge_later);
    }
}

void judge_tick(struct controller *controller)
{
    while (controller->judge_soon != NULL) {
        judge_first_of(controller, controller->judge_soon);
    }
    while (controller->judge_later != NULL && !broker_is_behind(controller)) {
        judge_first_of(controller, controller->judge_later);
    }
}

struct mono_time judge_deadline(const struct controller *controller)
{
    if (controller->judge_soon == NULL && controller->judge_later == NULL) {
        return (struct mono_time){0};
    }
    return (struct mono_time){
        controller->now.mono.ms + (broker_is_behind(controller) ? BEHIND_PAUSE_MS : 0)};
}

void controller_flush(struct controller *controller)
{
    refresh_now(controller);
    if (is_at_work(controller)) {
        judge_tick(controller); /* else as soon as it is known that this is the leader */
    }
}

static void drop_waiting(struct machine *machine)
{
    while (machine->waiting_first != NULL) {
        struct waiting_report *waiting = machine->waiting_first;
        machine->waiting_first = waiting->next;
        free(waiting);
    }
    machine->waiting_last = NULL;
}

/* Clocks of two hosts, and reports that were long on their way. */
#define BOOT_DOUBT_MS 5000

static int64_t booted_ms(int64_t heard_at_ms, const struct report *report)
{
    return heard_at_ms - (int64_t)(report->uptime_s * 1000);
}

/* Sent once more by the network, it comes behind what the device has said since. */
static bool is_older_than_kept(
    const struct controller *controller, const struct waiting_report *kept,
    const struct report *report)
{
    if (report->boot_id[0] == '\0') {
        return false;
    } else if (strcmp(report->boot_id, kept->report.boot_id) == 0) {
        return report->seq < kept->report.seq;
    }
    return booted_ms(controller->now.mono.ms, report) + BOOT_DOUBT_MS <
           booted_ms(kept->heard_at.mono.ms, &kept->report);
}

/* The newest says all that the device wants to be known, for it latches a press; what it told
 * before, the leader has judged. */
void judge_keep_newest(
    struct controller *controller, struct machine *machine, const struct report *report)
{
    const struct waiting_report *kept = machine->waiting_first;

    if (kept == NULL || !is_older_than_kept(controller, kept, report)) {
        drop_waiting(machine);
        judge_enqueue(controller, machine, report);
    }
}

/* What the leader tells after a report of the same boot is newer than the report, or the report is
 * not judged yet and will be repeated. Judged at a take-over, it could tell of a card that is out
 * by now as one that was just put in. A press is never forgotten. */
bool judge_is_told_beyond(const struct machine *machine, const struct report *report)
{
    return !report->oops && strcmp(report->boot_id, machine->record.core.boot_id) == 0;
}

void judge_forget_kept(struct machine *machine)
{
    const struct waiting_report *kept = machine->waiting_first;

    if (kept != NULL && judge_is_told_beyond(machine, &kept->report)) {
        drop_waiting(machine);
    }
}

/* What the last leader has judged and saved is nothing new. Nor is what an earlier boot said, or
 * may have said: it would end the session of the present one. */
static bool is_news(const struct machine *machine, const struct waiting_report *waiting)
{
    const struct core_state *core = &machine->record.core;
    const struct report *report = &waiting->report;

    if (report->boot_id[0] == '\0') {
        return false;
    } else if (strcmp(report->boot_id, core->boot_id) == 0) {
        return report->seq > core->seq;
    }
    return core->known &&
           booted_ms(waiting->heard_at.wall.ms, report) > core->booted_at.ms + BOOT_DOUBT_MS;
}

void judge_kept(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);

        if (machine->waiting_first != NULL && !is_news(machine, machine->waiting_first)) {
            drop_waiting(machine);
        }
    }
    judge_all(controller);
}

void judge_drop_waiting(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);

        drop_waiting(machine);
        leave_list(controller, machine);
    }
}
