/* From what happened to a decision, and what is noted of it. */
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

/* What people read beside the state: who set the flags, when and why. */
static bool update_notes(
    struct controller *controller, struct machine_record *record, const struct core_notice *notice,
    const struct origin *origin)
{
    const char *by = origin->by != NULL ? origin->by : "";
    const char *reason = origin->reason != NULL ? origin->reason : "";

    switch (notice->type) {
    case CORE_NOTICE_OOPS:
        if (notice->source == CORE_SOURCE_BUTTON) {
            by = notice->has_user ? notice->user.name : "Oops button";
        }
        machine_record_note(&record->oops_by, by);
        record->oops_at = controller->now.wall;
        return true;
    case CORE_NOTICE_UNOOPS:
        machine_record_note(&record->oops_by, NULL);
        record->oops_at = (struct wall_time){0};
        return true;
    case CORE_NOTICE_LOCKOUT:
        if (notice->source == CORE_SOURCE_LIVENESS) { /* C11.7 */
            by = LIVENESS_BY;
            reason = LIVENESS_LOCKOUT_REASON;
        }
        machine_record_note(&record->lockout_by, by);
        machine_record_note(&record->lockout_reason, reason);
        record->lockout_at = controller->now.wall;
        return true;
    case CORE_NOTICE_UNLOCK:
        machine_record_note(&record->lockout_by, NULL);
        machine_record_note(&record->lockout_reason, NULL);
        record->lockout_at = (struct wall_time){0};
        return true;
    case CORE_NOTICE_LOGIN:
    case CORE_NOTICE_LOGOUT:
    case CORE_NOTICE_DENIED:
    case CORE_NOTICE_UNKNOWN_FOB:
    case CORE_NOTICE_REFUSED:
    case CORE_NOTICE_OVERRIDE_LOGIN:
    case CORE_NOTICE_EMERGENCY_LOGIN:
    case CORE_NOTICE_REBOOT:
    case CORE_NOTICE_LINK_LOST:
    case CORE_NOTICE_MACHINE_ERROR:
    case CORE_NOTICE_MACHINE_RECOVERED:
    case CORE_NOTICE_MACHINE_OFFLINE:
    case CORE_NOTICE_FAULT:
    case CORE_NOTICE_FAULT_CLEARED:
    case CORE_NOTICE_COUNT:
        break;
    }
    return false;
}

/* C12.3: an `ack` from far in the future is a device that lies, if the clock can be trusted. */
#define ACK_AHEAD_MAX_S 86400

/* Epochs may be far ahead of it: whoever led once with a wrong clock is followed for ever. Then
 * what a device acknowledges is, too. The last epoch of all has no room above it for an answer: a
 * command past it is one that no device reads, and a record that no start reads. */
static uint64_t epoch_ceiling(const struct controller *controller)
{
    uint64_t seconds = (uint64_t)(controller->now.wall.ms / 1000);

    if (!controller->ports.host.clock_is_synchronised(controller->ports.host.context)) {
        return VERSION_EPOCH_MAX - 1;
    }
    return (controller->epoch > seconds ? controller->epoch : seconds) + ACK_AHEAD_MAX_S;
}

/* Redis was asked after the newer epoch was heard of, and has said that the lease is ours. */
static bool is_confirmed(const struct controller *controller)
{
    return controller->lease.is_kept && controller->newer_ack_at.ms != 0 &&
           controller->lease.confirmed_at.ms > controller->newer_ack_at.ms;
}

/* C12.3: an epoch above ours is another leader's, unless Redis says otherwise. */
static bool is_in_doubt(struct controller *controller, const struct core_event *event)
{
    if (event->type != CORE_EVENT_REPORT || !event->report.has_ack ||
        event->report.ack.version.epoch <= controller->epoch) {
        return false;
    }
    if (controller->newer_ack_at.ms == 0) {
        controller->newer_ack_at = controller->now.mono;
    }
    return !is_confirmed(controller);
}

/* The device obeys nothing below what it has acknowledged: it is answered once more, above it. */
void judge_confirmed(struct controller *controller)
{
    for (size_t i = 0; is_confirmed(controller) && i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        struct version *version = &machine->record.core.version;

        if (machine->config != NULL && version_compare(machine->acked_above, *version) > 0) {
            *version = machine->acked_above;
            publish_command(controller, machine);
            publish_state(controller, machine);
            saves_want_again(controller, machine);
        }
        machine->acked_above = (struct version){0};
    }
}

static void decide(
    struct controller *controller, struct machine *machine, struct core_event *event,
    const struct origin *origin, struct core_effects *effects)
{
    static const struct core_config not_configured;
    const struct core_config *config =
        machine->config == NULL ? &not_configured : &machine->config->config;
    struct machine_record *record = &machine->record;
    uint64_t epoch = record->core.version.epoch;

    event->now = controller->now;
    event->epoch = controller->epoch;
    event->epoch_ceiling = epoch_ceiling(controller);
    event->lead_in_doubt = is_in_doubt(controller, event);
    event->loaded = machine->loaded;
    event->liveness = &controller->liveness;
    history_before(&machine->history, &record->core);
    core_decide(config, &record->core, event, &record->core, effects);
    history_after(&machine->history, &record->core, effects, origin->by, controller->now.wall);
    if (event->lead_in_doubt && event->report.ack.version.epoch <= event->epoch_ceiling) {
        machine->acked_above = event->report.ack.version;
    }
    for (size_t i = 0; i < effects->notice_count; i++) {
        machine->notes_changed |= update_notes(controller, record, &effects->notices[i], origin);
    }
    machine->notes_changed |= record->core.version.epoch != epoch;
}

static void carry_out(
    struct controller *controller, struct machine *machine, const struct core_event *event,
    const struct origin *origin, const struct core_effects *effects)
{
    struct mono_time wake_at = effects->wake_at;

    if (wake_at.ms != 0 && wake_at.ms <= controller->now.mono.ms) {
        wake_at.ms = controller->now.mono.ms + 1; /* a tick ends, whatever is asked */
    }
    heap_set(fleet_deadlines(controller->fleet), &machine->deadline, wake_at);
    if (effects->repaired) {
        log_error(
            "%s: its state contradicted itself; it was switched off", machine->record.machine);
    }
    perform(controller, machine, event, effects, origin);
    if (event->type != CORE_EVENT_RESTART) {
        restart_heed(controller, machine, effects);
    }
}

bool judge(
    struct controller *controller, struct machine *machine, struct core_event *event,
    const struct origin *origin, struct core_effects *effects)
{
    decide(controller, machine, event, origin, effects);
    carry_out(controller, machine, event, origin, effects);
    return effects->save;
}

/* A session without a name is one of an emergency card. */
static bool is_same_person(
    const struct core_state *core, const struct report *report, const struct roster_user *holder)
{
    if (core->has_user) {
        return holder != NULL && strcmp(holder->holder.user.account_id, core->user.account_id) == 0;
    }
    return core->mode != CORE_EMERGENCY || report->emergency;
}

/* The state was loaded with a card hashed under another key (Redis lost its key, say), so that the
 * hashes can't be compared. The same boot, with a card of the same person in, is the same card:
 * the session must go on. */
static void adopt_foreign_card(
    struct controller *controller, struct machine *machine, const struct report *report,
    const struct roster_user *holder, const char *hash)
{
    struct machine_record *record = &machine->record;
    struct core_state *core = &record->core;

    if (core->card[0] != '\0' && report->card[0] != '\0' &&
        strcmp(record->card_key, controller->card_key.fingerprint) != 0 &&
        strcmp(core->boot_id, report->boot_id) == 0 && is_same_person(core, report, holder)) {
        text_copy(core->card, sizeof core->card, hash);
    }
}

/* What a report that was judged tells besides what decides. A late one may tell of a card that is
 * in no more. */
static void take_notes(
    struct controller *controller, struct machine *machine, const struct report *report,
    const struct core_report *judged)
{
    struct machine_record *record = &machine->record;
    const char *fingerprint = controller->card_key.fingerprint;

    if (strcmp(record->core.card, judged->card) == 0) {
        text_copy(machine->raw_card, sizeof machine->raw_card, report->card);
        if (report->card[0] != '\0' && judged->holder == NULL) {
            text_copy(machine->unknown_card, sizeof machine->unknown_card, report->card);
            machine->unknown_card_at = controller->now.mono;
        }
        if (strcmp(record->card_key, fingerprint) != 0) {
            text_copy(record->card_key, sizeof record->card_key, fingerprint);
            machine->notes_changed |= report->card[0] != '\0';
        }
    }
    if (report->fw[0] != '\0' && (record->fw == NULL || strcmp(record->fw, report->fw) != 0)) {
        machine_record_note(&record->fw, report->fw);
        machine->notes_changed = true;
        discovery_want(controller, machine);
    }
}

static enum core_observed seen(enum report_relay relay)
{
    switch (relay) {
    case REPORT_RELAY_ABSENT:
        return CORE_UNKNOWN;
    case REPORT_RELAY_OFF:
        return CORE_OFF;
    case REPORT_RELAY_ON:
        return CORE_ON;
    }
    return CORE_UNKNOWN;
}

static bool
is_blocked(const struct controller *controller, const char *hash, const struct roster_user *holder)
{
    return blocks_refuse(
        &controller->block_keeping.blocks, controller->card_key.fingerprint, hash,
        holder->holder.user.account_id);
}

/* Since when a card is in, for metrics. */
static void
note_card(const struct controller *controller, struct machine *machine, const char *before)
{
    const char *card = machine->record.core.card;

    if (card[0] == '\0') {
        machine->card_since = (struct wall_time){0};
    } else if (strcmp(card, before) != 0) {
        machine->card_since = controller->now.wall;
    }
}

void judge_report(
    struct controller *controller, struct machine *machine, const struct report *report)
{
    const struct roster_user *holder = NULL;
    char hash[CORE_CARD_SIZE];
    char before[CORE_CARD_SIZE];
    struct core_effects effects;
    struct core_event event = {
        .type = CORE_EVENT_REPORT,
        .report =
            {
                .oops = report->oops,
                .emergency = report->emergency,
                .card = hash,
                .uptime_s = report->uptime_s,
                .boot_id = report->boot_id,
                .seq = report->seq,
                .has_ack = report->has_ack,
                .ack =
                    {
                        .version = report->ack,
                        .oops = report->ack_oops,
                        .lockout = report->ack_lockout,
                    },
                .relay_seen = seen(report->relay_state),
                .second_relay_seen = seen(report->second_relay_state),
                .has_reader_ok = report->has_reader_ok,
                .reader_ok = report->reader_ok,
                .has_amps = report->has_number[REPORT_AMPS],
                .amps = report->number[REPORT_AMPS],
            },
    };
    struct origin origin = origin_none();

    origin.reset_reason = report->reset_reason[0] == '\0' ? NULL : report->reset_reason;
    card_hash(&controller->card_key, report->card, hash);
    holder = roster_user_by_fob(controller->roster, report->card);
    if (holder != NULL && is_blocked(controller, hash, holder)) {
        holder = NULL;
    }
    event.report.holder = holder == NULL ? NULL : &holder->holder;
    adopt_foreign_card(controller, machine, report, holder, hash);
    text_copy(before, sizeof before, machine->record.core.card);
    decide(controller, machine, &event, &origin, &effects);
    note_card(controller, machine, before);
    if (effects.dropped) {
        controller->counters.reports_superseded++;
        carry_out(controller, machine, &event, &origin, &effects);
        return;
    }
    take_notes(controller, machine, report, &event.report);
    carry_out(controller, machine, &event, &origin, &effects);
    controller->counters.reports++;
    controller->counters.reports_duplicate += effects.rule == CORE_RULE_DUPLICATE;
    telemetry_take(controller, machine, report);
}

void judge_config(struct controller *controller, struct machine *machine)
{
    const struct core_state *core = &machine->record.core;
    const struct roster_user *user = NULL;
    struct core_effects effects;
    struct core_event event = {.type = CORE_EVENT_CONFIG};
    struct origin origin = {.source = "config"};

    if (core->has_user) {
        user = roster_user_by_account(controller->roster, core->user.account_id);
    }
    event.reconfigured.holder = user == NULL ? NULL : &user->holder;
    judge(controller, machine, &event, &origin, &effects);
    liveness_follow(controller, machine);
}

void judge_due(struct controller *controller, struct machine *machine)
{
    struct core_effects effects;
    struct core_event event = {.type = CORE_EVENT_WAKE};
    struct origin origin = origin_none();

    judge_waiting(controller, machine); /* silent is who has not even said what is not read yet */
    judge(controller, machine, &event, &origin, &effects);
}
