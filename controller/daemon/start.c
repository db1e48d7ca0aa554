/* C9.4, the order of a start: collect the retained copies (start_broker.c), load Redis
 * (start_store.c), merge, take the lease (leading.c), publish, and only then hear reports. Redis
 * may stay away: the shop opens all the same. */
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

/* The number that was read here last is not that of a card of which another controller tells. */
static void forget_other_card(struct machine *machine, const struct record *found)
{
    const struct machine_record *record = &machine->record;

    if (strcmp(record->core.card, found->core.card) != 0 ||
        strcmp(record->card_key, found->card_key) != 0) {
        machine->raw_card[0] = '\0';
    }
}

void merge_copy(struct machine *machine, const struct record *found, bool from_redis)
{
    struct machine_record *record = &machine->record;
    int order = version_compare(found->core.version, record->core.version);
    uint32_t timeouts =
        record->save_timeouts > found->save_timeouts ? record->save_timeouts : found->save_timeouts;
    uint32_t n = record->event_n > found->event_n ? record->event_n : found->event_n;

    if (order > 0) {
        beside_note_own(machine);
    } else if (order < 0) {
        beside_note(&machine->shown, found);
    }
    if (order > 0 || (order == 0 && from_redis)) {
        forget_other_card(machine, found);
        machine_record_take(record, found);
    }
    record->save_timeouts = timeouts;
    record->event_n = n;
}

void adopt_epoch(struct controller *controller, struct machine *machine)
{
    struct core_state *core = &machine->record.core;

    if (core->version.epoch < controller->epoch) {
        core->version.epoch = controller->epoch;
    }
}

void adopt_epoch_everywhere(struct controller *controller, uint64_t epoch)
{
    controller->epoch = epoch;
    controller->newer_ack_at = (struct mono_time){0};
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        adopt_epoch(controller, fleet_at(controller->fleet, i));
    }
    block_keeping_adopt_epoch(controller);
}

/* Who is ready hears: what came before the broker knew of the subscription is lost. */
void say_ready(struct controller *controller)
{
    size_t machines = roster_machine_count(controller->roster);
    size_t users = roster_user_count(controller->roster);

    /* Who announces himself neither leads nor follows yet. */
    if (controller->said_ready || controller->lease.role == LEASE_ANNOUNCES) {
        return;
    }
    controller->said_ready = true;
    log_info(
        "ready: controller %s, epoch %llu, %zu machine%s, %zu user%s%s",
        controller->settings->controller.id, (unsigned long long)controller->lease.epoch, machines,
        text_plural(machines), users, text_plural(users),
        controller->phase == PHASE_READY ? "" : "; it stands by");
}

void open_shop(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        beside_settle(machine);
        history_init(&machine->history); /* another may have led meanwhile */
    }
    adopt_epoch_everywhere(controller, controller->lease.epoch);
    controller->phase = PHASE_READY;
    controller->took_over_at =
        controller->others_led ? controller->now.mono : (struct mono_time){0};
    controller->block_keeping.known = controller->block_keeping.blocks.version;
    block_keeping_settle(controller);
    controller->since = controller->now.wall;
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        if (machine->config != NULL) {
            judge_config(controller, machine);
        } else {
            log_warning(
                "%s is known from before and is not configured; it is left alone",
                machine->record.machine);
        }
    }
    judge_kept(controller); /* a device may show an oops that its last leader could not keep */
    publish_everything(controller);
    beside_listen(controller);
    subscribe_live(controller);
    if (!controller->lease.is_kept) {
        log_warning("%s: running on what the broker retained", store_away_text(controller));
    }
    saves_want_all(controller);
    reload_if_wanted(controller);
}

struct mono_time start_deadline(const struct controller *controller)
{
    struct store *store = controller->ports.store;
    struct mono_time first = mono_earlier(
        mono_earlier(controller->marker_again, controller->retained_again), controller->unheard_at);

    /* In a silence nothing is opened, and what is over is not waited for. */
    if (controller->phase == PHASE_TAKING && lease_may_speak(&controller->lease)) {
        first = mono_earlier(first, controller->taking_until);
    }
    /* Out of reach: it is asked when it is up. */
    if (store->operations->is_up(store)) {
        first = mono_earlier(first, controller->ask_again);
    }
    if (controller->connected) {
        first = mono_earlier(first, controller->listen_at);
    }
    return mono_earlier(first, beside_deadline(controller));
}

void start_tick(struct controller *controller)
{
    struct store *store = controller->ports.store;
    struct mono_time now = controller->now.mono;

    if (mono_is_past(controller->ask_again, now) && store->operations->is_up(store)) {
        ask_store(controller);
    }
    if (mono_is_past(controller->listen_at, now) && controller->connected) {
        subscribe_live(controller);
    }
    beside_tick(controller);
    if (mono_is_past(controller->unheard_at, now)) {
        start_tell_unheard(controller);
    }
    if (mono_is_past(controller->marker_again, now)) {
        publish_marker(controller);
    }
    if (mono_is_past(controller->retained_again, now)) {
        controller->retained_again = (struct mono_time){0};
        publish_everything(controller);
    }
}

void controller_start(struct controller *controller, struct store *store)
{
    refresh_now(controller);
    controller->ports.store = store;
}
