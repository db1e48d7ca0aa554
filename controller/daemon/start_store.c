/* Redis's half of a start (C9.4), and whatever it tells later.
 *
 * What Redis tells once the shop is open is merged into machines that are in use already: only
 * oops and lockout are taken over then, and only from a version that is newer than what the start
 * had. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"
#include "persistence/record.h"

#define ASK_AGAIN_MS 1000

void ask_store_again(struct controller *controller)
{
    controller->ask_again.ms = controller->now.mono.ms + ASK_AGAIN_MS;
}

static void load_all(struct controller *controller)
{
    size_t count = fleet_count(controller->fleet);
    const char **names = calloc(count + 1, sizeof *names);
    struct store *store = controller->ports.store;
    enum status status;

    controller->load_wanted = true;
    if (names == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = fleet_at(controller->fleet, i)->record.machine;
    }
    status = store->operations->load(store, names, count);
    if (status == STATUS_OK) {
        controller->load_wanted = false;
        controller->load_count = count;
    } else if (status != STATUS_BUSY) { /* the one under way sees to it when it has ended */
        ask_store_again(controller);
    }
    free(names);
}

void start_load_if_wanted(struct controller *controller)
{
    if (controller->load_wanted) {
        load_all(controller);
    }
}

/* Asks for the key that all controllers share, offering ours in case there is none yet. */
static void ask_card_key(struct controller *controller)
{
    struct store *store = controller->ports.store;
    char hex[CARD_KEY_HEX_SIZE];

    if (controller->settings->controller.card_key[0] != '\0' || controller->card_key_is_kept) {
        return;
    }
    card_key_to_hex(&controller->card_key, hex);
    if (store->operations->card_key(store, hex) != STATUS_OK) {
        ask_store_again(controller);
    }
    sodium_memzero(hex, sizeof hex);
}

static void ask_blocks(struct controller *controller)
{
    struct store *store = controller->ports.store;

    if (!controller->block_keeping.loaded && store->operations->load_blocks(store) != STATUS_OK) {
        ask_store_again(controller);
    }
}

/* Asks Redis for all that it has not told yet. */
void ask_store(struct controller *controller)
{
    controller->ask_again = (struct mono_time){0};
    ask_card_key(controller);
    ask_blocks(controller);
    if (!controller->loaded || controller->load_wanted) {
        load_all(controller);
    }
}

void ask_store_anew(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        fleet_at(controller->fleet, i)->read = false;
    }
    controller->load_wanted = true;
    controller->block_keeping.loaded = false;
    ask_store(controller);
}

static void on_master(void *context, const char *place)
{
    const struct controller *controller = context;

    log_info("the Sentinels' master \"%s\" is %s", controller->settings->redis.master, place);
}

static void on_up(void *context)
{
    struct controller *controller = context;
    const struct settings *settings = controller->settings;

    refresh_now(controller);
    if (settings->redis.sentinels[0] == '\0') {
        log_info("Redis answers at %s", settings->redis.url);
    } else {
        log_info("Redis answers as the master");
    }
    controller->store_refusal[0] = '\0';
    controller->card_key_is_kept = false;
    lead_event(controller, LEASE_STORE_UP);
    if (controller->loaded) {
        lead_event(controller, LEASE_STORE_READ);
    }
    ask_store(controller);
    saves_want_all(controller);
    block_keeping_save_again(controller);
    publish_status_again(controller);
}

bool store_answers(const struct controller *controller)
{
    const struct store *store = controller->ports.store;

    return store->operations->is_up(store) && !controller->store_hangs;
}

const char *store_away_text(const struct controller *controller)
{
    const struct store *store = controller->ports.store;

    if (controller->store_refusal[0] != '\0') {
        return "Redis refuses this controller";
    }
    return store->operations->is_up(store) ? "Redis does not answer" : "Redis is out of reach";
}

static void on_down(void *context, enum store_down down, const char *reason)
{
    struct controller *controller = context;
    const struct settings *settings = controller->settings;
    bool has_url = down != STORE_REFUSES && settings->redis.sentinels[0] == '\0';

    refresh_now(controller);
    text_copy(
        controller->store_refusal, sizeof controller->store_refusal,
        down == STORE_REFUSES ? reason : "");
    log_warning(
        "%s (%s%s%s): machines go on, nothing is saved", store_away_text(controller), reason,
        has_url ? ", at " : "", has_url ? settings->redis.url : "");
    controller->store_hangs = false; /* it is away, and owes nothing any more */
    controller->store_asked_at = (struct mono_time){0};
    controller->ask_again = (struct mono_time){0};
    if (controller->phase != PHASE_READY) {
        controller->loaded = false;
    }
    publish_status_again(controller);
    lead_event(controller, LEASE_STORE_DOWN);
}

/* Redis told of a machine that is in use already. */
static void
merge_late(struct controller *controller, struct machine *machine, const struct record *found)
{
    struct machine_record *record = &machine->record;
    struct version version = found->core.version;
    struct shown shown = {0};

    if (found->save_timeouts > record->save_timeouts) {
        record->save_timeouts = found->save_timeouts;
    }
    if (found->event_n > record->event_n) {
        record->event_n = found->event_n;
    }
    beside_note(&shown, found);
    if (beside_is_unknown(machine, found)) {
        beside_learn(controller, machine, &shown, "kept in Redis");
    } else if (
        /* Else this process knows it: it was loaded before, or is a save of its own. */
        version_compare(version, machine->loaded) > 0 &&
        version_compare(version, machine->sent) > 0) {
        machine->loaded = version;
        if (version_compare(version, record->core.version) > 0) {
            record->core.version = version;
        }
        beside_set(controller, machine, &shown, "kept in Redis");
    }
    shown_clear(&shown);
}

static void on_record(void *context, const struct record *found)
{
    struct controller *controller = context;
    struct machine *machine = fleet_find(controller->fleet, found->machine);

    refresh_now(controller);
    if (machine == NULL) {
        return;
    }
    lease_hear(&controller->lease, found->core.version.epoch);
    if (controller->phase == PHASE_READY) {
        merge_late(controller, machine, found);
    } else {
        merge_copy(machine, found, true);
    }
}

static void on_bad_record(void *context, const char *machine, const char *reason)
{
    struct controller *controller = context;

    controller->counters.bad_records++;
    log_error("%s: its record in Redis is damaged: %s", machine, reason);
}

/* Redis is asked again each second, and may say the same for hours. */
static void on_trouble(void *context, const char *reason)
{
    struct controller *controller = context;
    char beginning[65];

    refresh_now(controller);
    text_copy(beginning, sizeof beginning, reason);
    if (strangers_heard(&controller->store_troubles, beginning, controller->now)) {
        log_warning("Redis: %s", reason);
    }
}

static void on_loaded(void *context, bool ok)
{
    struct controller *controller = context;

    refresh_now(controller);
    if (!ok) {
        controller->load_wanted = true;
        ask_store_again(controller);
        return;
    }
    controller->loaded = true;
    controller->loaded_at = controller->now.mono;
    for (size_t i = 0; i < controller->load_count; i++) {
        saves_release(controller, fleet_at(controller->fleet, i));
    }
    lead_event(controller, LEASE_STORE_READ);
    start_load_if_wanted(controller);
}

/* The key that all controllers share replaces the one that this start made for the time being. */
static void change_card_key(struct controller *controller, const struct card_key *key)
{
    char hash[CORE_CARD_SIZE];

    block_keeping_change_key(controller, key);
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        struct machine_record *record = &machine->record;
        if (strcmp(record->card_key, controller->card_key.fingerprint) != 0 ||
            machine->raw_card[0] == '\0') {
            continue;
        }
        card_hash(&controller->card_key, machine->raw_card, hash);
        if (strcmp(hash, record->core.card) != 0) {
            continue; /* a session must never become another card's */
        }
        card_hash(key, machine->raw_card, record->core.card);
        text_copy(record->card_key, sizeof record->card_key, key->fingerprint);
        if (controller->phase == PHASE_READY && machine->config != NULL) {
            publish_state(controller, machine);
            saves_want_again(controller, machine);
        }
    }
    controller->card_key = *key;
}

static void on_card_key(void *context, bool ok, const char *key_hex)
{
    struct controller *controller = context;
    struct card_key kept;

    refresh_now(controller);
    if (!ok) {
        ask_store_again(controller);
        return;
    }
    controller->card_key_is_kept = true;
    if (!card_key_from_hex(&kept, key_hex)) {
        log_error("the card key in Redis is not 64 hexadecimal digits; it is not used");
        return;
    }
    controller->card_key_is_known = true;
    if (strcmp(kept.fingerprint, controller->card_key.fingerprint) != 0) {
        change_card_key(controller, &kept);
    }
    if (controller->phase == PHASE_READY) {
        block_keeping_settle(controller);
    }
}

static void on_blocks(void *context, bool ok, const char *text)
{
    struct controller *controller = context;

    refresh_now(controller);
    block_keeping_on_loaded(controller, ok, text);
}

static void on_blocks_saved(void *context, enum store_saved result, const char *reason)
{
    struct controller *controller = context;

    refresh_now(controller);
    block_keeping_on_saved(controller, result, reason);
}

static void on_saved(void *context, uint64_t token, enum store_saved result, const char *reason)
{
    struct controller *controller = context;

    refresh_now(controller);
    saves_on_answer(controller, token, result, reason);
}

struct store_events controller_store_events(struct controller *controller)
{
    return (struct store_events){
        .context = controller,
        .on_master = on_master,
        .on_up = on_up,
        .on_down = on_down,
        .on_record = on_record,
        .on_bad_record = on_bad_record,
        .on_loaded = on_loaded,
        .on_lease = lead_on_lease,
        .on_card_key = on_card_key,
        .on_saved = on_saved,
        .on_blocks = on_blocks,
        .on_blocks_saved = on_blocks_saved,
        .on_trouble = on_trouble,
    };
}
