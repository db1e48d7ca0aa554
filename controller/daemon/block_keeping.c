/* How blocked cards take effect and are kept: in Redis and, retained, on `controller/blocks`. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"
#include "controller/support/mqtt.h"

void block_keeping_free(struct controller *controller)
{
    block_answers_free(controller);
    blocks_free(&controller->block_keeping.blocks);
}

bool block_keeping_has_kept(const struct controller *controller, struct version version)
{
    return version_compare(controller->block_keeping.saved, version) >= 0;
}

/* The document in its present version. Freed by the caller; NULL without memory. */
static char *print_blocks(const struct controller *controller, struct text *ret_text)
{
    char *buffer = malloc(STORE_BLOCKS_MAX);

    if (buffer == NULL) {
        log_error("no memory to keep the blocked cards");
        return NULL;
    }
    *ret_text = text_over(buffer, STORE_BLOCKS_MAX);
    blocks_print(&controller->block_keeping.blocks, ret_text);
    if (ret_text->cut) {
        log_error("the list of blocked cards is too long to be kept");
        free(buffer);
        return NULL;
    }
    return buffer;
}

void block_keeping_publish(struct controller *controller)
{
    struct text text;
    char *buffer = print_blocks(controller, &text);

    if (buffer == NULL) {
        return;
    }
    if (text.length > MQTT_DIRECT_PAYLOAD_MAX) {
        log_error("the list of blocked cards is too long for the broker: Redis alone keeps it");
    } else {
        publish(controller, TOPIC_BLOCKS, NULL, NULL, text.data, text.length);
    }
    free(buffer);
}

static void save(struct controller *controller)
{
    struct block_keeping *keeping = &controller->block_keeping;
    struct store *store = controller->ports.store;
    struct text text;
    char *buffer;

    /* As with a machine's state: nothing is saved over what Redis has not told yet. */
    if (!keeping->loaded || !controller->lease.is_kept || keeping->save_in_flight ||
        block_keeping_has_kept(controller, keeping->blocks.version) ||
        !store->operations->is_up(store) || controller->now.mono.ms < keeping->pause_until.ms) {
        return;
    }
    buffer = print_blocks(controller, &text);
    if (buffer != NULL &&
        store->operations->save_blocks(store, keeping->blocks.version, buffer) == STATUS_OK) {
        keeping->save_in_flight = true;
        keeping->sent = keeping->blocks.version;
    } else {
        keeping->pause_until.ms = controller->now.mono.ms + 1000;
    }
    free(buffer);
}

void block_keeping_on_saved(
    struct controller *controller, enum store_saved result, const char *reason)
{
    struct block_keeping *keeping = &controller->block_keeping;

    keeping->save_in_flight = false;
    switch (result) {
    case STORE_SAVE_DONE:
        keeping->saved = keeping->sent;
        keeping->refused_logged = (struct mono_time){0};
        break;
    case STORE_SAVE_STALE_EPOCH:
        lead_deposed(controller, reason);
        return;
    case STORE_SAVE_STALE_VERSION:
        /* Redis knows of cards that nobody here knows of: both lists hold. */
        keeping->loaded = false;
        ask_store_again(controller);
        break;
    case STORE_SAVE_REFUSED:
    case STORE_SAVE_LOST:
        log_refused(controller, &keeping->refused_logged, "the blocked cards", reason);
        keeping->pause_until.ms = controller->now.mono.ms + 1000;
        break;
    }
    block_answers_due(controller);
    save(controller);
}

void block_keeping_save_again(struct controller *controller)
{
    controller->block_keeping.saved = (struct version){0};
    save(controller);
}

void block_keeping_tick(struct controller *controller)
{
    block_answers_due(controller);
    save(controller);
}

struct mono_time block_keeping_deadline(const struct controller *controller)
{
    const struct block_keeping *keeping = &controller->block_keeping;
    struct mono_time first = block_answers_deadline(controller);

    if (keeping->pause_until.ms > controller->now.mono.ms) {
        first = mono_earlier(first, keeping->pause_until);
    }
    return first;
}

/* Ends the sessions of cards that are blocked now, and returns how many. */
static size_t end_sessions(struct controller *controller, const struct origin *origin)
{
    size_t ended = 0;

    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        const struct core_state *core = &machine->record.core;
        struct core_event event = {.type = CORE_EVENT_END};
        struct core_effects effects;

        if (machine->config == NULL) {
            continue;
        }
        judge_waiting(controller, machine);
        if (core_mode_is_session(core->mode) &&
            blocks_refuse(
                &controller->block_keeping.blocks, machine->record.card_key, core->card,
                core->user.account_id)) {
            judge(controller, machine, &event, origin, &effects);
            ended++;
        }
    }
    return ended;
}

void block_keeping_adopt_epoch(struct controller *controller)
{
    struct version *version = &controller->block_keeping.blocks.version;

    if (version->epoch != 0 && version->epoch < controller->epoch) {
        version->epoch = controller->epoch;
    }
}

static void take_change(struct controller *controller)
{
    struct version *version = &controller->block_keeping.blocks.version;

    if (version->epoch < controller->epoch) {
        version->epoch = controller->epoch;
    }
    if (version->rev == VERSION_REV_MAX) {
        version->epoch++;
        version->rev = 0;
    }
    version->rev++;
    block_keeping_publish(controller);
    save(controller);
}

/* While the key is not known, the hashes may be another's: they are kept as they are. */
void block_keeping_settle(struct controller *controller)
{
    if (controller->card_key_is_known &&
        blocks_settle(
            &controller->block_keeping.blocks, &controller->card_key, controller->roster)) {
        take_change(controller);
    }
}

void block_keeping_change_key(struct controller *controller, const struct card_key *key)
{
    blocks_change_key(
        &controller->block_keeping.blocks, &controller->card_key, key, controller->roster);
}

void block_keeping_on_retained(struct controller *controller, const char *payload, size_t length)
{
    struct block_keeping *keeping = &controller->block_keeping;
    struct blocks found = {0};
    TEXT_LOCAL(why, 256);

    if (length == 0 || controller->phase == PHASE_READY) {
        return;
    }
    if (blocks_parse(payload, length, &found, &why) != STATUS_OK) {
        controller->counters.bad_messages++;
        log_warning("the retained list of blocked cards is not used: %s", why.data);
        return;
    }
    if (version_compare(found.version, keeping->blocks.version) > 0) {
        blocks_free(&keeping->blocks);
        keeping->blocks = found;
    } else {
        blocks_free(&found);
    }
}

void block_keeping_make_comparable(struct controller *controller)
{
    if (blocks_settle(
            &controller->block_keeping.blocks, &controller->card_key, controller->roster)) {
        take_change(controller);
    }
}

size_t block_keeping_on_change(struct controller *controller, const struct origin *origin)
{
    take_change(controller);
    return end_sessions(controller, origin);
}

/* Redis told late, when cards may have been blocked since: both lists hold. */
static void unite(struct controller *controller, struct blocks *found)
{
    struct blocks *blocks = &controller->block_keeping.blocks;
    struct origin origin = {.source = "config"};
    enum status status;

    if (blocks->count > 0 && strcmp(blocks->card_key, found->card_key) != 0) {
        (void)blocks_settle(found, &controller->card_key, controller->roster);
        block_keeping_make_comparable(controller);
    }
    status = blocks_unite(blocks, found);
    if (status != STATUS_OK) {
        log_error(
            "the cards that Redis keeps as blocked could not be blocked: %s", status_text(status));
    }
    if (version_compare(found->version, blocks->version) > 0) {
        blocks->version = found->version;
    }
    (void)block_keeping_on_change(controller, &origin);
}

void block_keeping_on_loaded(struct controller *controller, bool ok, const char *text)
{
    struct block_keeping *keeping = &controller->block_keeping;
    struct blocks found = {0};
    TEXT_LOCAL(why, 256);

    if (!ok) {
        ask_store_again(controller);
        return;
    }
    if (text != NULL && blocks_parse(text, strlen(text), &found, &why) != STATUS_OK) {
        log_error("the list of blocked cards in Redis is damaged: %s", why.data);
        text = NULL;
    }
    if (text != NULL && controller->phase != PHASE_READY &&
        version_compare(found.version, keeping->blocks.version) >= 0) {
        blocks_free(&keeping->blocks);
        keeping->blocks = found;
        keeping->saved = found.version;
        found = (struct blocks){0};
    } else if (
        text != NULL && controller->phase == PHASE_READY && !keeping->loaded &&
        version_compare(found.version, keeping->known) > 0) {
        unite(controller, &found);
    }
    keeping->loaded = true;
    blocks_free(&found);
    if (controller->phase == PHASE_READY) {
        save(controller);
    }
}
