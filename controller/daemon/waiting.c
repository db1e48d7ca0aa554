/* Reports wait, merge, and are judged machine by machine (C3). */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/parts.h"
#include "controller/support/log.h"

/* How many reports of one machine may wait. A device reports each change once and repeats what is
 * not answered, so that only a storm gets here; then the oldest are judged at once. */
#define WAITING_MAX 16

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

/* A machine whose reports were judged before its turn is still in the list. */
static void want_judged(struct controller *controller, struct machine *machine)
{
    if (machine->judge_wanted) {
        return;
    }
    machine->judge_wanted = true;
    if (controller->judge_last != NULL) {
        controller->judge_last->judge_next = machine;
    } else {
        controller->judge_first = machine;
    }
    controller->judge_last = machine;
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
        .heard_at = controller->now.wall,
        .received_us = controller->received_us,
        .report = *report,
    };
    if (machine->waiting_last != NULL) {
        machine->waiting_last->next = waiting;
    } else {
        machine->waiting_first = waiting;
    }
    machine->waiting_last = waiting;
    want_judged(controller, machine);
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

static void judge_all(struct controller *controller)
{
    while (controller->judge_first != NULL) {
        struct machine *machine = controller->judge_first;

        controller->judge_first = machine->judge_next;
        if (controller->judge_first == NULL) {
            controller->judge_last = NULL;
        }
        machine->judge_next = NULL;
        machine->judge_wanted = false;
        judge_waiting(controller, machine);
    }
}

void controller_flush(struct controller *controller)
{
    refresh_now(controller);
    if (controller->phase == PHASE_READY && lease_may_speak(&controller->lease)) {
        judge_all(controller); /* else as soon as it is known that this is the leader */
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

static int64_t booted_ms(struct wall_time heard_at, const struct report *report)
{
    return heard_at.ms - (int64_t)(report->uptime_s * 1000);
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
    return booted_ms(controller->now.wall, report) + BOOT_DOUBT_MS <
           booted_ms(kept->heard_at, &kept->report);
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

/* A `state` tells no `seq`: what the leader tells after a report of the same boot is newer than the
 * report, or the report is not judged yet and will be repeated. Judged at a take-over, it could
 * tell of a card that is out by now as one that was just put in. A press is never forgotten. */
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
    return core->known && booted_ms(waiting->heard_at, report) > core->booted_at.ms + BOOT_DOUBT_MS;
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
        machine->judge_next = NULL;
        machine->judge_wanted = false;
    }
    controller->judge_first = NULL;
    controller->judge_last = NULL;
}
