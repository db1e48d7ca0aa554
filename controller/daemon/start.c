/* C9.4, the order of a start: collect the retained copies, load Redis, merge, take an epoch,
 * publish, and only then hear reports. Redis may stay away: the shop opens all the same.
 *
 * What Redis tells later than that is merged into machines that are in use already: only oops and
 * lockout are taken over then, and only from a version that is newer than what the start had. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/parts.h"
#include "controller/daemon/restore.h"
#include "controller/support/json.h"
#include "controller/support/log.h"
#include "persistence/record.h"

enum {
    TOKEN_COLLECT = 1,
    TOKEN_LIVE = 2,
};

#define ASK_AGAIN_MS 1000

/* ---- what is subscribed when ---- */

static void subscribe(
    struct controller *controller, const enum topic_id *ids, const int *qos, size_t count,
    int token)
{
    char filters[8][TOPIC_SIZE];
    const char *pointers[8];

    for (size_t i = 0; i < count; i++) {
        if (topic_filter(filters[i], sizeof filters[i], prefix(controller), ids[i]) != STATUS_OK) {
            return;
        }
        pointers[i] = filters[i];
    }
    if (controller->ports.broker.subscribe(
            controller->ports.broker.context, pointers, qos, count, token) != STATUS_OK) {
        log_warning("could not subscribe; the connection is lost and will be made again");
    }
}

static void subscribe_retained(struct controller *controller)
{
    /* At QoS 1 the broker's queue would drop most of a large fleet's states. */
    static const enum topic_id ids[] = {
        TOPIC_STATE, TOPIC_BLOCKS, TOPIC_CONTROLLER_STATUS, TOPIC_CONTROLLER_MARKER};
    static const int qos[] = {0, 0, 0, 0};

    subscribe(controller, ids, qos, 4, TOKEN_COLLECT);
}

static void subscribe_live(struct controller *controller)
{
    static const enum topic_id ids[] = {
        TOPIC_REPORT, TOPIC_LINK, TOPIC_SET_OOPS, TOPIC_SET_LOCKOUT, TOPIC_REQUEST};
    static const int qos[] = {1, 1, 1, 1, 1};

    subscribe(controller, ids, qos, 5, TOKEN_LIVE);
}

static void unsubscribe_retained(struct controller *controller)
{
    static const enum topic_id ids[] = {TOPIC_STATE, TOPIC_CONTROLLER_MARKER};
    char filter[TOPIC_SIZE];

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (topic_filter(filter, sizeof filter, prefix(controller), ids[i]) == STATUS_OK) {
            enum status status =
                controller->ports.broker.unsubscribe(controller->ports.broker.context, filter);
            (void)status; /* without a connection there is nothing to unsubscribe */
        }
    }
}

/* ---- the epoch ---- */

void adopt_epoch(struct controller *controller, struct machine *machine)
{
    struct core_state *core = &machine->record.core;

    if (core->version.epoch < controller->epoch) {
        core->version.epoch = controller->epoch;
    }
}

static void adopt_epoch_everywhere(struct controller *controller, uint64_t epoch)
{
    controller->epoch = epoch;
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        adopt_epoch(controller, fleet_at(controller->fleet, i));
    }
    block_keeping_adopt_epoch(controller);
}

/* There must be room above it, or no epoch could be taken ever again. */
static void hear_epoch(struct controller *controller, uint64_t epoch)
{
    if (epoch > controller->epoch_heard && epoch < VERSION_EPOCH_MAX) {
        controller->epoch_heard = epoch;
    }
}

/* C12's rule, without Redis: above everything heard, and above every epoch of an earlier day. */
static uint64_t own_epoch(const struct controller *controller)
{
    uint64_t seconds = (uint64_t)(controller->now.wall.ms / 1000);
    return (controller->epoch_heard > seconds ? controller->epoch_heard : seconds) + 1;
}

/* ---- opening the shop ---- */

void publish_everything(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        if (machine->config != NULL) {
            publish_command(controller, machine);
        }
    }
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        if (machine->config != NULL) {
            publish_state(controller, machine);
        }
    }
    block_keeping_publish(controller);
    publish_status(controller, "running");
}

/* Who is ready hears: what came before the broker knew of the subscription is lost. */
static void say_ready(struct controller *controller)
{
    if (controller->said_ready) {
        return;
    }
    controller->said_ready = true;
    log_info(
        "ready: controller %s, epoch %llu, %zu machines, %zu users",
        controller->settings->controller.id, (unsigned long long)controller->epoch,
        roster_machine_count(controller->roster), roster_user_count(controller->roster));
}

static void open_shop(struct controller *controller, uint64_t epoch, bool kept)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        machine->loaded = machine->record.core.version;
    }
    controller->epoch_is_kept = kept;
    adopt_epoch_everywhere(controller, epoch);
    controller->phase = PHASE_READY;
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
    publish_everything(controller);
    unsubscribe_retained(controller);
    subscribe_live(controller);
    if (!kept) {
        log_warning("Redis is out of reach: running on what the broker retained");
    }
    saves_want_all(controller);
    reload_if_wanted(controller);
}

void ask_store_again(struct controller *controller)
{
    controller->ask_again.ms = controller->now.mono.ms + ASK_AGAIN_MS;
}

/* Takes the next step if everything that it needs is there. */
static void advance(struct controller *controller)
{
    bool late = controller->now.mono.ms >= controller->start_deadline.ms;
    struct store *store = controller->ports.store;

    if (controller->phase == PHASE_LOADING && (controller->loaded || late)) {
        if (controller->loaded &&
            store->operations->take_epoch(store, controller->epoch_heard, controller->now.wall) ==
                STATUS_OK) {
            controller->phase = PHASE_EPOCH;
        } else if (late) {
            open_shop(controller, own_epoch(controller), false);
        } else {
            ask_store_again(controller);
        }
    } else if (controller->phase == PHASE_EPOCH && late) {
        open_shop(controller, own_epoch(controller), false);
    }
}

struct mono_time start_deadline(const struct controller *controller)
{
    bool waits = controller->phase == PHASE_LOADING || controller->phase == PHASE_EPOCH;
    const struct mono_time deadlines[] = {
        waits ? controller->start_deadline : (struct mono_time){0},
        controller->ask_again,
        controller->marker_again,
        controller->retained_again,
    };
    struct mono_time first = {0};

    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++) {
        if (deadlines[i].ms != 0 && (first.ms == 0 || deadlines[i].ms < first.ms)) {
            first = deadlines[i];
        }
    }
    return first;
}

/* ---- the broker's half ---- */

void controller_on_connected(struct controller *controller)
{
    refresh_now(controller);
    controller->connected = true;
    controller->broker_trouble[0] = '\0';
    log_info("connected to the broker at %s", controller->settings->mqtt.url);
    if (controller->phase == PHASE_READY) {
        /* The broker may have forgotten, or remember too much (C2). */
        subscribe_live(controller);
        publish_everything(controller);
        return;
    }
    if (controller->phase == PHASE_CONNECTING) {
        controller->phase = PHASE_COLLECTING;
    }
    subscribe_retained(controller);
}

void controller_on_disconnected(struct controller *controller, const char *reason)
{
    refresh_now(controller);
    if (controller->connected) {
        log_warning(
            "the broker is gone (%s): running machines keep running, no new card opens", reason);
    } else if (strcmp(reason, controller->broker_trouble) != 0) {
        log_warning(
            "no broker at %s (%s); trying again, for ever", controller->settings->mqtt.url, reason);
    }
    text_copy(controller->broker_trouble, sizeof controller->broker_trouble, reason);
    controller->connected = false;
    controller->marker_again = (struct mono_time){0};
}

static void publish_marker(struct controller *controller)
{
    controller->marker_again.ms = controller->now.mono.ms + ASK_AGAIN_MS;
    publish(
        controller, TOPIC_CONTROLLER_MARKER, controller->settings->controller.id, NULL,
        controller->marker, strlen(controller->marker));
}

void controller_on_subscribed(struct controller *controller, int token, bool granted)
{
    unsigned char nonce[(sizeof controller->marker - 1) / 2];

    refresh_now(controller);
    if (!granted) {
        log_error("the broker refuses a subscription: check its access list for this account");
    }
    if (token == TOKEN_LIVE && granted) {
        say_ready(controller);
    }
    if (token != TOKEN_COLLECT) {
        return;
    }
    randombytes_buf(nonce, sizeof nonce);
    sodium_bin2hex(controller->marker, sizeof controller->marker, nonce, sizeof nonce);
    publish_marker(controller);
}

/* However long the broker took: Redis may have come up just now, too. */
static void wait_for_store(struct controller *controller)
{
    controller->start_deadline.ms =
        controller->now.mono.ms + controller->settings->redis.load_timeout_ms;
}

void start_collected(struct controller *controller, const char *payload, size_t length)
{
    if (controller->phase != PHASE_COLLECTING || length != strlen(controller->marker) ||
        memcmp(payload, controller->marker, length) != 0) {
        return;
    }
    controller->phase = PHASE_LOADING;
    controller->marker_again = (struct mono_time){0};
    wait_for_store(controller);
    advance(controller);
}

/* Newer wins; of equal ones Redis (C9.4). */
static void merge_copy(struct machine *machine, const struct record *found, bool from_redis)
{
    struct record *record = &machine->record;
    int order = version_compare(found->core.version, record->core.version);
    uint32_t timeouts =
        record->save_timeouts > found->save_timeouts ? record->save_timeouts : found->save_timeouts;
    uint32_t n = record->event_n > found->event_n ? record->event_n : found->event_n;

    if (order > 0 || (order == 0 && from_redis)) {
        *record = *found;
    }
    record->save_timeouts = timeouts;
    record->event_n = n;
}

void start_retained_state(
    struct controller *controller, const char *name, const char *payload, size_t length)
{
    struct state_copy copy;
    struct record found;
    struct machine *machine;
    TEXT_LOCAL(why, 256);

    if (controller->phase == PHASE_READY || length == 0) {
        return;
    }
    if (state_parse(payload, length, &copy, &why) != STATUS_OK) {
        controller->counters.bad_messages++;
        log_warning("%s: its retained state is not used: %s", name, why.data);
        return;
    }
    hear_epoch(controller, copy.state.version.epoch);
    if (strcmp(copy.state.machine, name) == 0 &&
        fleet_add(controller->fleet, name, &machine) == STATUS_OK) {
        restore_record(&copy.state, &found);
        merge_copy(machine, &found, false);
    }
    state_copy_free(&copy);
}

void start_controller_status(struct controller *controller, const char *payload, size_t length)
{
    struct json *document;
    const struct json *epoch;
    TEXT_LOCAL(why, 256);

    if (length == 0) {
        return;
    }
    if (json_parse(payload, length, &document, &why) != STATUS_OK) {
        controller->counters.bad_messages++;
        return;
    }
    epoch = json_get(document, "epoch");
    if (epoch != NULL && json_is_integer(epoch, 0, VERSION_EPOCH_MAX)) {
        hear_epoch(controller, (uint64_t)json_number(epoch));
    }
    json_free(document);
}

/* ---- Redis's half ---- */

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

/* The shop was opened without Redis. Saves wait for the epoch that it gives: with an older one they
 * would be refused, as if another controller had taken over. */
static void keep_epoch(struct controller *controller)
{
    struct store *store = controller->ports.store;

    if (controller->phase == PHASE_READY && controller->loaded && !controller->epoch_is_kept &&
        store->operations->take_epoch(store, controller->epoch, controller->now.wall) !=
            STATUS_OK) {
        ask_store_again(controller);
    }
}

/* Asks Redis for all that it has not told yet. */
static void ask_store(struct controller *controller)
{
    controller->ask_again = (struct mono_time){0};
    ask_card_key(controller);
    ask_blocks(controller);
    if (!controller->loaded || controller->load_wanted) {
        load_all(controller);
    }
    keep_epoch(controller);
}

void start_tick(struct controller *controller)
{
    struct store *store = controller->ports.store;

    if (controller->ask_again.ms != 0 && controller->now.mono.ms >= controller->ask_again.ms &&
        store->operations->is_up(store)) {
        ask_store(controller);
    }
    if (controller->marker_again.ms != 0 &&
        controller->now.mono.ms >= controller->marker_again.ms) {
        publish_marker(controller);
    }
    if (controller->retained_again.ms != 0 &&
        controller->now.mono.ms >= controller->retained_again.ms) {
        controller->retained_again = (struct mono_time){0};
        publish_everything(controller);
    }
    advance(controller);
}

static void on_up(void *context)
{
    struct controller *controller = context;

    refresh_now(controller);
    log_info("Redis answers at %s", controller->settings->redis.url);
    controller->card_key_is_kept = false;
    ask_store(controller);
    saves_want_all(controller);
    block_keeping_save_again(controller);
    if (controller->phase == PHASE_READY) {
        publish_status(controller, "running");
    }
}

static void on_down(void *context, const char *reason)
{
    struct controller *controller = context;

    refresh_now(controller);
    log_warning("Redis is out of reach (%s): machines go on, nothing is saved", reason);
    controller->ask_again = (struct mono_time){0};
    if (controller->phase == PHASE_READY) {
        publish_status(controller, "running");
    } else {
        controller->loaded = false;
        if (controller->phase == PHASE_EPOCH) {
            controller->phase = PHASE_LOADING;
        }
    }
}

static const char *or_null(const char *string)
{
    return string[0] == '\0' ? NULL : string;
}

/* Redis told of a machine that is in use already. */
static void
merge_late(struct controller *controller, struct machine *machine, const struct record *found)
{
    struct record *record = &machine->record;
    struct origin origin = {.source = "config", .reason = "kept in Redis"};
    struct core_effects effects;

    if (found->save_timeouts > record->save_timeouts) {
        record->save_timeouts = found->save_timeouts;
    }
    if (found->event_n > record->event_n) {
        record->event_n = found->event_n;
    }
    if (version_compare(found->core.version, machine->loaded) <= 0 ||
        version_compare(found->core.version, machine->sent) <= 0) {
        return; /* this process knows it: it was loaded before, or is a save of its own */
    }
    machine->loaded = found->core.version;
    if (version_compare(found->core.version, record->core.version) > 0) {
        record->core.version = found->core.version;
    }
    if (machine->config == NULL) {
        record->core.oopsed |= found->core.oopsed;
        record->core.locked_out |= found->core.locked_out;
        record_settle(record);
        return;
    }
    if (found->core.oopsed && !record->core.oopsed) {
        origin.by = or_null(found->oops_by);
        apply_set(controller, machine, CORE_EVENT_SET_OOPS, true, &origin, &effects);
    }
    if (found->core.locked_out && !record->core.locked_out) {
        origin.by = or_null(found->lockout_by);
        origin.reason = or_null(found->lockout_reason);
        apply_set(controller, machine, CORE_EVENT_SET_LOCKOUT, true, &origin, &effects);
    }
}

static void on_record(void *context, const struct record *found)
{
    struct controller *controller = context;
    struct machine *machine = fleet_find(controller->fleet, found->machine);

    refresh_now(controller);
    if (machine == NULL) {
        return;
    }
    hear_epoch(controller, found->core.version.epoch);
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

static void on_trouble(void *context, const char *reason)
{
    (void)context;
    log_warning("Redis: %s", reason);
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
    for (size_t i = 0; i < controller->load_count; i++) {
        saves_release(controller, fleet_at(controller->fleet, i));
    }
    advance(controller);
    keep_epoch(controller);
    start_load_if_wanted(controller);
}

static void on_epoch(void *context, bool ok, uint64_t epoch)
{
    struct controller *controller = context;

    refresh_now(controller);
    if (controller->phase == PHASE_EPOCH) {
        if (ok) {
            open_shop(controller, epoch, true);
        } else {
            controller->phase = PHASE_LOADING;
            ask_store_again(controller);
        }
    } else if (controller->phase == PHASE_READY && !ok) {
        ask_store_again(controller);
    } else if (controller->phase == PHASE_READY && epoch <= controller->epoch) {
        /* Asked for before the shop was opened without it: it must not fall. */
        keep_epoch(controller);
    } else if (controller->phase == PHASE_READY && !controller->epoch_is_kept) {
        log_info("epoch %llu, now kept in Redis", (unsigned long long)epoch);
        controller->epoch_is_kept = true;
        adopt_epoch_everywhere(controller, epoch);
        publish_everything(controller);
        saves_want_all(controller);
    }
}

/* The key that all controllers share replaces the one that this start made for the time being. */
static void change_card_key(struct controller *controller, const struct card_key *key)
{
    block_keeping_change_key(controller, key);
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        struct machine *machine = fleet_at(controller->fleet, i);
        struct record *record = &machine->record;
        if (strcmp(record->card_key, controller->card_key.fingerprint) != 0 ||
            machine->raw_card[0] == '\0') {
            continue;
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
        .on_up = on_up,
        .on_down = on_down,
        .on_record = on_record,
        .on_bad_record = on_bad_record,
        .on_loaded = on_loaded,
        .on_epoch = on_epoch,
        .on_card_key = on_card_key,
        .on_saved = on_saved,
        .on_blocks = on_blocks,
        .on_blocks_saved = on_blocks_saved,
        .on_trouble = on_trouble,
    };
}

void controller_start(struct controller *controller, struct store *store)
{
    refresh_now(controller);
    controller->ports.store = store;
}
